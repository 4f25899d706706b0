"""sitepub.yaml.example and docs/configuration.md against the schema: complete, valid, and true about every default."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec import structs

from sitepub.config import load_config, parse_config
from sitepub.config_schema import HEADERS, REDIRECTS, SECTIONS, TARGET, TOP, Section, Setting
from sitepub.config_text import Listing, Node, Table, parse_yaml
from sitepub.core.settings import ENTRIES_BEHIND_DISTRIBUTION, Config

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "sitepub.yaml.example"

# What the example gives because there is no default to show, as its comments say.
INVENTED = {"source", "build", "default_target", "targets", "headers", "redirects", "watch"}


def load_example() -> Config:
    return load_config(EXAMPLE, {})


def load_shortest() -> Config:
    return parse_config("source: public\ntargets: {local: {store: file:out}}\n", EXAMPLE, {})


def find_tables(section: Section) -> list[Table]:
    """All tables of the example that the section describes."""
    root = parse_yaml(EXAMPLE.read_text("utf-8")).root
    assert isinstance(root, Table)
    if section is TOP:
        return [root]
    row = root.find(section.path.partition(".")[0])
    assert row is not None
    nodes: list[Node] = [row.value]
    if section is TARGET:
        assert isinstance(row.value, Table)
        nodes = [each.value for each in row.value.rows]
    elif section in (HEADERS, REDIRECTS):
        assert isinstance(row.value, Listing)
        nodes = list(row.value.rows)
    return [node for node in nodes if isinstance(node, Table)]


def test_the_example_is_valid() -> None:
    config = load_example()
    assert set(config.targets) == {"local", "production", "staging", "compatible"}
    assert config.targets["compatible"].endpoint_url == "http://127.0.0.1:8333", "a variable's default is used"


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.path or "top")
def test_every_setting_stands_in_the_example(section: Section) -> None:
    shown = {row.key for table in find_tables(section) for row in table.rows}
    assert shown == set(section.keys)


def test_every_setting_of_the_example_has_a_reason_above_it() -> None:
    lines = EXAMPLE.read_text("utf-8").splitlines()
    unexplained = []
    for section in SECTIONS:
        if section in (HEADERS, REDIRECTS):
            continue
        for table in find_tables(section)[:2]:
            for row in table.rows:
                above = lines[row.line - 2].strip()
                if not above.startswith("#") and row.key not in ("store", "days", "releases"):
                    unexplained.append(row.key)
    assert unexplained == []


def test_defaults_in_the_example_are_the_real_ones() -> None:
    example, shortest = load_example(), load_shortest()
    for field in structs.fields(Config):
        if field.name in INVENTED:
            continue
        shown, default = getattr(example, field.name), getattr(shortest, field.name)
        if field.name == "fingerprint":
            shown = structs.replace(shown, exclude=default.exclude)
        if field.name == "previews":
            shown = structs.replace(shown, target=default.target, url=default.url)
        if field.name == "cache":
            assert shown.entries == ENTRIES_BEHIND_DISTRIBUTION
            shown = structs.replace(shown, entries=None)
        assert shown == default, field.name
    assert example.targets["production"].url_style is shortest.targets["local"].url_style
    assert example.targets["production"].url_path == shortest.targets["local"].url_path
    assert example.redirects[0].status == 301


def test_defaults_of_the_schema_are_those_of_an_absent_key() -> None:
    shortest = load_shortest()
    owners: dict[str, object] = {
        "": shortest,
        "targets.NAME": shortest.targets["local"],
        **{name: getattr(shortest, name) for name in ("fingerprint", "cache", "invalidation", "retention", "previews")},
    }
    for section in SECTIONS:
        for setting in section.settings:
            if section.path in owners and not setting.is_required and setting.key != "url":
                assert getattr(owners[section.path], setting.key) == setting.default, setting.key


def test_the_configuration_page_is_up_to_date() -> None:
    done = subprocess.run([sys.executable, ROOT / "docs/generate.py", "--check"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_page_that_is_out_of_date_is_found_and_written_anew(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    (tmp_path / "sitepub").mkdir()
    shutil.copy(ROOT / "sitepub/sitepub.schema.json", tmp_path / "sitepub")
    page = tmp_path / "docs/configuration.md"
    original = page.read_text("utf-8")
    page.write_text(original.replace("`digest_length`", "`digest_size`"), "utf-8")
    command = [sys.executable, str(tmp_path / "docs/generate.py")]
    found = subprocess.run([*command, "--check"], capture_output=True, text=True, check=False, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)})
    assert found.returncode == 1
    assert "docs/configuration.md is out of date, run `python docs/generate.py`" in found.stdout.splitlines()
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)})
    assert page.read_text("utf-8") == original


@pytest.mark.parametrize("setting", [setting for section in SECTIONS for setting in section.settings], ids=lambda setting: setting.key)
def test_every_setting_has_a_row_with_its_meaning(setting: Setting[object]) -> None:
    rows = [line for line in (ROOT / "docs/configuration.md").read_text("utf-8").splitlines() if line.startswith(f"| `{setting.key}` |")]
    assert any(setting.meaning.replace("|", "\\|") in row for row in rows)
