"""`init` looks at a folder and writes what `plan` then works with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.story import Story


@pytest.fixture
def hugo(tmp_path: Path) -> Story:
    made = Story(tmp_path)
    made.write({"hugo.toml": 'baseURL = "https://www.example.com/"\n', "content/_index.md": "# Hello\n"}, ".")
    return made


def test_a_hugo_folder_gets_a_configuration_that_plan_works_with(hugo: Story, tmp_path: Path) -> None:
    done = hugo.run("init")
    assert done.err == "found: `hugo.toml` is there\n"
    assert done.out == "wrote `sitepub.yaml`: look at it, then `sitepub plan` shows what would be published\n"
    text = (tmp_path / "sitepub.yaml").read_text()
    assert "\nsource: public " in text and "\nbuild: hugo --minify " in text
    hugo.write({"index.html": "<p>built"})
    assert hugo.json("plan", "--no-build")["upload"]["objects"] == 1
    assert hugo.publish("--no-build")["release"]
    assert (tmp_path / "_published/index.html").read_text() == "<p>built"


def test_an_existing_file_is_never_written_over(hugo: Story, tmp_path: Path) -> None:
    (tmp_path / "sitepub.yaml").write_text("mine")
    told = hugo.run("init", "--yes", status=1)
    assert (told.out, told.err) == ("", f"error: `{tmp_path}/sitepub.yaml` is there already\nhint: edit it, or move it away first\n")
    assert (tmp_path / "sitepub.yaml").read_text() == "mine"


def test_a_dry_run_shows_what_it_would_write(hugo: Story, tmp_path: Path) -> None:
    shown = hugo.run("init", "--dry-run").out
    assert not (tmp_path / "sitepub.yaml").exists()
    hugo.run("init", "-q")
    assert (tmp_path / "sitepub.yaml").read_text() == shown


def test_scripts_are_told_what_was_found(hugo: Story, tmp_path: Path) -> None:
    assert hugo.json("init", "--config", "other.yaml") == {
        "path": str(tmp_path / "other.yaml"),
        "schema": str(tmp_path / ".sitepub.schema.json"),
        "dry_run": False,
        "generator": "Hugo",
        "source": "public",
        "build": "hugo --minify",
        "evidence": ["`hugo.toml` is there"],
    }


def test_an_editor_finds_the_schema_that_the_first_line_names(hugo: Story, tmp_path: Path) -> None:
    hugo.run("init")
    modeline = (tmp_path / "sitepub.yaml").read_text().splitlines()[0]
    named = tmp_path / modeline.removeprefix("# yaml-language-server: $schema=")
    assert named.read_text() == hugo.run("schema").out
    named.write_text("{}")
    (tmp_path / "sitepub.yaml").unlink()
    hugo.run("init")
    assert named.read_text() == "{}", "nothing that is there is written over"


def test_an_empty_folder_gets_one_too(tmp_path: Path) -> None:
    empty = Story(tmp_path)
    empty.run("init")
    assert empty.publish(status=4)["error"]["code"] == "no-source"
