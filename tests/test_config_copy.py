"""The copy of a parsed sitepub.yaml: the same settings with it and without, and nobody else's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sitepub import config, config_copy
from sitepub.config import load_config, parse_config
from sitepub.config_copy import TreeCopy
from sitepub.config_text import Table, parse_yaml
from sitepub.errors import ConfigurationError
from tests.test_config import EVERYTHING

EXECUTED = "build: make\n", "executor: dask://127.0.0.1:8786\n", "executor: threads\n"
PLAIN = "source: ${FOLDER:-public}\nheaders:\n- match: '*.html'\n  set: {Cache-Control: 'no-store'}\ntargets: {local: {store: file:out}}\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "sitepub.yaml"
    path.write_text(PLAIN)
    return path


@pytest.fixture
def copy(tmp_path: Path) -> TreeCopy:
    return TreeCopy(tmp_path / "cache/settings.json")


@pytest.fixture
def kept(tmp_path: Path, path: Path, copy: TreeCopy) -> Path:
    load_config(path, {}, copy)
    return tmp_path / "cache/settings.json"


def refuse_to_parse(text: str) -> None:
    raise AssertionError("parsed")


def test_the_same_text_is_not_parsed_again(path: Path, copy: TreeCopy, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load_config(path, {}, copy)
    monkeypatch.setattr(config, "parse_yaml", refuse_to_parse)
    assert load_config(path, {}, copy) == first


def test_other_text_is_parsed(path: Path, copy: TreeCopy) -> None:
    load_config(path, {}, copy)
    path.write_text(PLAIN.replace("no-store", "no-cache"))
    assert load_config(path, {}, copy) == parse_config(path.read_text(), path, {})
    assert dict(load_config(path, {}, copy).headers[0].set) == {"Cache-Control": "no-cache"}


def test_what_the_environment_says_is_not_kept(path: Path, copy: TreeCopy) -> None:
    assert load_config(path, {}, copy).source == path.parent / "public"
    assert load_config(path, {"FOLDER": "other"}, copy).source == path.parent / "other"


def test_a_mistake_is_told_with_its_line_though_the_tree_was_kept(path: Path, copy: TreeCopy) -> None:
    path.write_text(PLAIN.replace(":-public", ""))
    load_config(path, {"FOLDER": "public"}, copy)
    with pytest.raises(ConfigurationError, match=r"sitepub\.yaml:1: `source` .*FOLDER"):
        load_config(path, {}, copy)


@pytest.mark.parametrize("line", EXECUTED)
def test_text_that_says_what_runs_here_is_neither_kept_nor_believed(line: str, path: Path, kept: Path, copy: TreeCopy) -> None:
    kept.unlink()
    path.write_text(line + PLAIN)
    load_config(path, {}, copy)
    assert not kept.exists()
    path.write_text(PLAIN)
    load_config(path, {}, copy)
    written = json.loads(kept.read_text())
    key, _, value = line.strip().partition(": ")
    written["tree"][1].append([key, ["str", value, 1], 1])
    kept.write_text(json.dumps(written))
    assert copy.read(PLAIN) is None
    found = load_config(path, {}, copy)
    assert (found.build, found.executor) == (None, "processes")


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_what_others_could_have_written_counts_as_none(mode: int, kept: Path, copy: TreeCopy) -> None:
    assert copy.read(PLAIN) is not None
    kept.chmod(mode)
    assert copy.read(PLAIN) is None


def test_what_another_user_has_written_counts_as_none(kept: Path, copy: TreeCopy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: kept.stat().st_uid + 1)
    assert copy.read(PLAIN) is None


def test_nobody_else_can_read_it(kept: Path) -> None:
    assert kept.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "spoil",
    [
        lambda kept: kept | {"format": 2},
        lambda kept: kept | {"tree": ["map", [["source", ["str", 1, 1], 1]], 1]},
        lambda kept: kept | {"tree": ["map", [["source", ["str", "x", "1"], 1]], 1]},
        lambda kept: kept | {"tree": ["map", [["source", ["what", "x", 1], 1]], 1]},
        lambda kept: kept | {"tree": ["seq", [], 1]},
        lambda kept: kept | {"tree": None},
        lambda kept: [kept],
    ],
)
def test_a_damaged_copy_counts_as_none(spoil: object, kept: Path, copy: TreeCopy) -> None:
    kept.write_text(json.dumps(spoil(json.loads(kept.read_text()))))  # type: ignore[operator]
    assert copy.read(PLAIN) is None
    kept.write_bytes(b"\xff{")
    assert copy.read(PLAIN) is None


def test_aliases_that_stand_for_very_many_are_not_written_out(path: Path, kept: Path, copy: TreeCopy) -> None:
    kept.unlink()
    swollen = "".join(f"x{number}: &x{number} [{', '.join([f'*x{number - 1}'] * 5) if number else 'a'}]\n" for number in range(18))
    tree = parse_yaml(swollen).root
    assert isinstance(tree, Table)
    copy.keep(swollen, tree)
    assert not kept.exists()


def test_it_can_not_be_written(path: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    copy = TreeCopy(tmp_path / "file/settings.json")
    assert load_config(path, {}, copy) == load_config(path, {}, copy)


scalars = st.one_of(st.integers(), st.booleans(), st.none(), st.text(alphabet="abc: #'\"\\é\U0001f600", max_size=8))
trees = st.dictionaries(
    st.text(alphabet="abcé", min_size=1, max_size=5),
    st.recursive(
        scalars, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text("xyz", min_size=1), inner, max_size=3))
    ),
    min_size=1,
    max_size=4,
)


@given(trees)
@settings(deadline=None)
def test_any_tree_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, values: dict[str, object]) -> None:
    text = json.dumps(values, indent=1, ensure_ascii=False)
    tree = parse_yaml(text).root
    assert isinstance(tree, Table)
    copy = TreeCopy(tmp_path_factory.getbasetemp() / "copy/settings.json")
    copy.keep(text, tree)
    assert copy.read(text) == tree


def test_a_file_with_every_setting_comes_back_as_it_was(tmp_path: Path, copy: TreeCopy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_copy, "RUNS_CODE", frozenset())
    parsed = parse_yaml(EVERYTHING).root
    assert isinstance(parsed, Table)
    copy.keep(EVERYTHING, parsed)
    assert copy.read(EVERYTHING) == parsed


def test_a_command_finds_the_copy_of_the_one_before(path: Path) -> None:
    (path.parent / "public").mkdir()
    (path.parent / "public/index.html").write_text("<p>")
    code = "import sys; from sitepub.cli import run; run(sys.argv[1:]); print('yaml' in sys.modules)"
    environment = {**os.environ, "SITEPUB_CACHE": str(path.parent / "cache"), "GIT_CEILING_DIRECTORIES": str(path.parent)}
    command = [sys.executable, "-c", code, "plan", "-q", "-C", str(path.parent)]
    ran = [subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout.split()[-1] for _ in range(2)]
    assert ran == ["True", "False"]
