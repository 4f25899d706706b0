"""sitepub from Python: docs/library.md says what happens, by running all that it shows."""

from __future__ import annotations

import re
import subprocess
import sys
import typing
from pathlib import Path

import pytest

import sitepub
from sitepub.errors import ConfigurationError, UsageError

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs/library.md").read_text("utf-8")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "site/public").mkdir(parents=True)
    (tmp_path / "site/public/index.html").write_text("<link rel=stylesheet href=a.css>")
    (tmp_path / "site/public/a.css").write_text("a{}")
    (tmp_path / "site/sitepub.yaml").write_text("source: public\ntargets: {there: {store: file:out}}\n")
    return tmp_path


def test_what_the_page_shows_happens(site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(site)
    monkeypatch.setenv("SITEPUB_CACHE", str(site / "cache"))
    shown = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    for code in shown:
        exec(compile(code, "library.md", "exec"), {})
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "3 new"
    assert "put index.html because new" in told
    assert "True 3 objects, none" in told
    assert told[-4:] == ["no-configuration 4", "`sitepub init` writes one", "1 release; live", "there None"]


def test_every_public_name_is_there_and_described() -> None:
    for name in sitepub.__all__:
        assert getattr(sitepub, name) is not None
        assert name.startswith("__") or f"`{name}`" in PAGE or f"{name}(" in PAGE, name
    assert set(dir(sitepub)) == set(sitepub.__all__)
    with pytest.raises(AttributeError, match="no attribute `nosuch`"):
        _ = sitepub.nosuch


def test_every_field_that_the_page_names_is_there() -> None:
    """Of the type that is declared for it, row by row."""
    rows = re.findall(r"^\| `([\w.]+)` \| (`.*`) \|$", PAGE.partition("## What comes back")[2], re.MULTILINE)
    assert len(rows) > 10
    for path, fields in rows:
        names = re.findall(r"`(\w+)`", fields)
        kind = find_type(path)
        assert [name for name in names if not hasattr(kind, name)] == [], path


def find_type(path: str) -> type:
    """Of a value or, where it is one of many, of a row."""
    name, *steps = path.split(".")
    found: object = getattr(sitepub, name)
    for step in steps:
        assert isinstance(found, type)
        found = typing.get_type_hints(found)[step]
        while typing.get_args(found):
            found = next(each for each in typing.get_args(found) if each not in (type(None), ...))
    assert isinstance(found, type)
    return found


def test_importing_it_imports_nothing_else() -> None:
    code = "import sys, sitepub; print([name for name in sys.modules if name.startswith('sitepub.')])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_values_are_frozen_and_say_the_same_as_the_command(site: Path) -> None:
    environment = {"SITEPUB_CACHE": str(site / "cache"), "PATH": "/usr/bin:/bin"}
    foreseen = sitepub.plan(site / "site", environment=environment)
    with pytest.raises(AttributeError):
        foreseen.seconds = 1.0  # type: ignore[misc]
    assert foreseen.is_dry_run and not (site / "site/out").exists()
    done = sitepub.publish(str(site / "site"), environment=environment)
    assert [change.key for change in done.changes] == [change.key for change in foreseen.changes]
    (site / "site/public/index.html").write_text("<p>")
    second = sitepub.publish(site / "site", environment=environment)
    assert sitepub.rollback(site / "site", done.release, environment=environment).release not in (None, done.release, second.release)


def test_a_rollback_is_accounted_for_as_a_publish_is(site: Path) -> None:
    """In a folder it costs nothing, and of a preview it is told which one, of which target, and until when it is kept."""
    environment = {"SITEPUB_CACHE": str(site / "cache"), "PATH": "/usr/bin:/bin"}
    first = sitepub.publish(site / "site", preview="new", environment=environment)
    (site / "site/public/index.html").write_text("<p>")
    sitepub.publish(site / "site", preview="new", environment=environment)
    back = sitepub.rollback(site / "site", first.release, target="there@new", environment=environment)
    assert back.preview is not None and first.preview is not None
    assert (back.preview.name, back.preview.of, back.preview.url) == ("new", "there", first.preview.url)
    assert back.preview.expires_at >= first.preview.expires_at > ""
    assert (first.cost, back.cost) == (0, 0)


def test_what_is_wrong_is_an_error_with_a_code(site: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        sitepub.plan(site / "site", config="nosuch.yaml")
    assert caught.value.code == "no-configuration"
    with pytest.raises(UsageError, match="there is no permit `shrnk`"):
        sitepub.publish(site / "site", allow=["shrnk"])


def test_a_progress_is_told_of_stages(site: Path) -> None:
    stages: list[str] = []

    class Listener:
        def stage(self, name: str, *, total_files: int | None = None, total_bytes: int | None = None) -> None:
            stages.append(name)

        def advance(self, *, files: int = 0, bytes: int = 0) -> None: ...

        def note(self, message: str) -> None: ...

    sitepub.publish(site / "site", environment={"SITEPUB_CACHE": str(site / "cache"), "PATH": "/bin"}, progress=Listener())
    assert stages[0] == "scanning" and "promoting" in stages
