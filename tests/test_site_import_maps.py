"""`modules: importmap`: plain specifiers, hashed files, and one map in each page between them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from sitepub.core.model import FileClass
from sitepub.core.settings import Aliases, Modules
from tests.support.building import Built, build_tree

PAGE = '<meta charset=utf-8><title>t</title><script type=module src="js/main.js"></script>'
FILES = {
    "index.html": PAGE,
    "js/main.js": 'import "./util.js"; import("./lazy.js"); new URL("i.png", import.meta.url)',
    "js/util.js": 'import "./deep/a.js"; import "./main.js"',
    "js/lazy.js": "1",
    "js/deep/a.js": "2",
    "js/i.png": b"i",
    "js/other.js": "export {}",
}


def build(root: Path, files: dict[str, str | bytes], **settings: object) -> Built:
    return build_tree(root, files, modules=Modules.IMPORTMAP, **settings)  # type: ignore[arg-type]


def read_map(body: bytes) -> dict[str, str]:
    found = re.search(rb"<script type=\"?importmap\"?>(.*?)</script>", body, re.DOTALL)
    assert found, body
    imports: dict[str, str] = json.loads(found[1])["imports"]
    return imports


def test_the_map_names_all_that_the_page_can_import(tmp_path: Path) -> None:
    built = build(tmp_path, FILES)
    imported = ("js/main.js", "js/util.js", "js/lazy.js", "js/deep/a.js")
    assert read_map(built.bodies["index.html"]) == {f"/{path}": f"/{built.key_of(path)}" for path in imported}
    assert all(built.class_of(path) is FileClass.ASSET for path in imported)


def test_it_stands_before_the_first_script_and_nothing_else_changes(tmp_path: Path) -> None:
    built = build(tmp_path, FILES)
    body = built.bodies["index.html"].decode()
    name = built.key_of("js/main.js")
    assert re.sub(r'<script type="importmap">.*?</script>', "", body) == PAGE.replace("js/main.js", name)
    assert body.startswith('<meta charset=utf-8><title>t</title><script type="importmap">')


def test_specifiers_stay_and_other_references_do_not(tmp_path: Path) -> None:
    built = build(tmp_path, FILES)
    body = built.body_of("js/main.js")
    assert b'import "./util.js"; import("./lazy.js")' in body
    assert built.key_of("js/i.png")[3:].encode() in body


def test_an_edit_renames_one_file(tmp_path: Path) -> None:
    before = build(tmp_path / "1", FILES)
    after = build(tmp_path / "2", {**FILES, "js/deep/a.js": "3"})
    assert {path for path in FILES if before.key_of(path) != after.key_of(path)} == {"js/deep/a.js"}
    assert {path for path in FILES if before.body_of(path) != after.body_of(path)} == {"js/deep/a.js", "index.html"}


@pytest.mark.parametrize("aliases", Aliases)
def test_workers_and_older_browsers_find_plain_names(aliases: Aliases, tmp_path: Path) -> None:
    built = build(tmp_path, FILES, aliases=aliases)
    assert built.bodies["js/util.js"] == FILES["js/util.js"].encode()  # type: ignore[union-attr]


def test_a_page_without_imports_gets_no_map(tmp_path: Path) -> None:
    built = build(tmp_path, {"index.html": "<script type=module src=a.js></script>", "a.js": "export {}"})
    assert b"importmap" not in built.bodies["index.html"]


def test_a_classic_script_that_imports_brings_a_map(tmp_path: Path) -> None:
    built = build(tmp_path, {"index.html": "<script src=a.js></script>", "a.js": 'import("./b.js")', "b.js": "1"})
    assert read_map(built.bodies["index.html"]) == {"/b.js": f"/{built.key_of('b.js')}"}


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ('{"imports": {"lib": "/js/other.js"}}', {"lib"}),
        ('{"imports": {}}', set()),
        ('{"scopes": {}}', set()),
        ("{ }", set()),
    ],
)
def test_a_pages_own_map_is_filled_up(own: str, expected: set[str], tmp_path: Path) -> None:
    built = build(tmp_path, {**FILES, "index.html": f"<script type=importmap>{own}</script>{PAGE}"})
    body = built.bodies["index.html"]
    assert body.count(b"importmap") == 1
    found = read_map(body)
    assert expected | {f"/{path}" for path in ("js/main.js", "js/util.js", "js/lazy.js", "js/deep/a.js")} == set(found)
    assert all(address[1:] in built.bodies for address in found.values())


@pytest.mark.parametrize(
    "head", ["<meta http-equiv=Content-Security-Policy content=\"script-src 'self'\">", '<base href="/">', "<meta charset=windows-1252>"]
)
def test_a_page_that_can_have_no_map_keeps_plain_modules(head: str, tmp_path: Path) -> None:
    built = build(tmp_path, {**FILES, "index.html": head + PAGE.replace("<meta charset=utf-8>", "")})
    assert b'src="js/main.js"' in built.bodies["index.html"]
    assert built.bodies["js/main.js"] == built.body_of("js/main.js")


def test_below_a_mount(tmp_path: Path) -> None:
    files = {"index.html": "<script type=module src=a.js></script>", "a.js": 'import "/docs/b c.js"', "b c.js": "1"}
    built = build(tmp_path, files, target={"url_path": "/docs/"})
    assert read_map(built.bodies["index.html"]) == {"/docs/b%20c.js": f"/docs/{built.key_of('b c.js').replace(' ', '%20')}"}


def test_a_second_pass_changes_nothing(tmp_path: Path) -> None:
    first = build(tmp_path / "1", FILES)
    second = build(tmp_path / "2", dict(first.bodies))
    assert second.bodies == first.bodies
