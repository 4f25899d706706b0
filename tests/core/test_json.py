"""Web manifests and import maps: exact spans of their strings, and only of those that are URLs."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sitepub.core.references.json import scan_import_map, scan_web_manifest
from sitepub.core.references.model import Reference, Use

H = b".3f9ac2d1"


def insert(body: bytes, references: tuple[Reference, ...]) -> bytes:
    for reference in sorted(references, key=lambda one: one.start, reverse=True):
        if reference.dot >= 0 and reference.use in (Use.LOAD, Use.MODULE):
            body = body[: reference.dot] + H + body[reference.dot :]
    return body


def test_references_of_a_manifest_say_what_and_where() -> None:
    body = b'{\n "start_url": "./?pwa",\n "icons": [\n  {"src": " i\\/a.png "}\n ],\n "serviceworker": {"src": "/sw.js"}\n}'
    start, icon, worker = scan_web_manifest(body).references
    assert (start.url, start.use, start.how, start.line) == ("./?pwa", Use.LINK, "manifest start_url", 2)
    assert (icon.url, icon.use, icon.how, icon.line) == ("i/a.png", Use.LOAD, "manifest icons src", 4)
    assert body[icon.start : icon.end] == b" i\\/a.png "
    assert (worker.use, scan_web_manifest(body).registers) == (Use.LINK, ("/sw.js",))


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        pytest.param(b"", "is not valid JSON: expecting value in line 1", id="empty"),
        pytest.param(b'{"a":1,\n}', "is not valid JSON: ", id="a trailing comma"),
        pytest.param(b"// c\n{}", "is not valid JSON: expecting value in line 1", id="a comment"),
        pytest.param(b'{"a":NaN}', "is not valid JSON: `NaN` is no JSON", id="not a number"),
        pytest.param(b'{"a":"\xff"}', "is JSON, but not in UTF-8", id="not UTF-8"),
        pytest.param("{}".encode("utf-16"), "is JSON in UTF-16 or UTF-32, not UTF-8", id="UTF-16"),
        pytest.param(b"[]", "is JSON, but not an object", id="an array"),
        pytest.param(b"[" * 200_000, "is JSON nested too deeply", id="nested deeply"),
    ],
)
def test_what_is_no_json_object_is_left_whole(body: bytes, problem: str) -> None:
    for found in (scan_web_manifest(body), scan_import_map(body)):
        assert found.problem is not None
        assert found.problem.startswith(problem)
        assert (found.references, found.import_maps) == ((), ())


def test_a_number_of_any_length_is_fine() -> None:
    body = b'{"version":' + b"9" * 10_000 + b',"icons":[{"src":"a.png"}]}'
    assert [one.url for one in scan_web_manifest(body).references] == ["a.png"]


def test_a_lone_surrogate_is_no_character() -> None:
    """As in scripts and stylesheets: what is asked for holds U+FFFD, not a byte of a name that is not UTF-8."""
    body = rb'{"icons":[{"src":"\ud800a\udc80\ud83d\ude00.png"}]}'
    assert [one.url for one in scan_web_manifest(body).references] == ["\ufffda\ufffd\U0001f600.png"]


IMPORT_MAP = b"""{
  "imports": {
    "lib": "/js/lib.js",
    "lib/": "/js/lib/",
    "/js/x.js": "./y.js",
    "bad": "lib.js",
    "none": null
  },
  "scopes": {
    "/a/": {"dep": "../dep.js", "./k.js": "https://cdn.org/k.js"},
    "/page.html": {"dep": "/d2.js"}
  },
  "integrity": {"/js/lib.js": "sha384-AAAA", "bare": "sha384-BBBB"}
}"""


def test_an_import_map_names_its_modules_keys_and_prefixes() -> None:
    found = scan_import_map(IMPORT_MAP)
    assert [(one.url, one.how, one.line) for one in found.references] == [
        ("/js/lib.js", "import map", 3),
        ("./y.js", "import map", 5),
        ("../dep.js", "import map", 10),
        ("https://cdn.org/k.js", "import map", 10),
        ("/d2.js", "import map", 11),
        ("/js/lib.js", "import map integrity", 13),
    ]
    assert {one.use for one in found.references} == {Use.MODULE}
    (import_map,) = found.import_maps
    assert (import_map.start, import_map.end) == (0, len(IMPORT_MAP))
    assert [(one.url, one.how) for one in import_map.keys] == [
        ("/js/x.js", "import map key"),
        ("/a/", "import map scope"),
        ("./k.js", "import map key"),
        ("/page.html", "import map scope"),
    ]
    assert [one.url for one in import_map.prefixes] == ["/js/lib/"]
    (integrity,) = found.integrities
    assert (integrity.value, integrity.url) == ("sha384-AAAA", "/js/lib.js")
    assert IMPORT_MAP[integrity.start : integrity.end] == b"sha384-AAAA"


def test_addresses_and_keys_of_an_import_map_take_the_same_insertion() -> None:
    found = scan_import_map(IMPORT_MAP)
    rewritten = insert(IMPORT_MAP, found.references + found.import_maps[0].keys + found.import_maps[0].prefixes)
    mapped = json.loads(rewritten)
    assert mapped["imports"] == {
        "lib": "/js/lib.3f9ac2d1.js",
        "lib/": "/js/lib/",
        "/js/x.3f9ac2d1.js": "./y.3f9ac2d1.js",
        "bad": "lib.js",
        "none": None,
    }
    assert list(mapped["integrity"]) == ["/js/lib.3f9ac2d1.js", "bare"]
    assert list(mapped["scopes"]) == ["/a/", "/page.3f9ac2d1.html"]
    assert rewritten.replace(H, b"") == IMPORT_MAP


TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["icons", "src", "shortcuts", "x"]) | TEXT, inner, max_size=4)
    ),
    max_leaves=12,
)


@given(
    tree=st.dictionaries(st.sampled_from(["icons", "screenshots", "shortcuts", "start_url", "y"]), VALUES, max_size=5),
    ascii=st.booleans(),
    indent=st.sampled_from([None, 0, 2]),
)
def test_whatever_the_json_urls_are_what_their_spans_say(tree: dict[str, object], ascii: bool, indent: int | None) -> None:
    body = json.dumps(tree, ensure_ascii=ascii, indent=indent).encode()
    found = scan_web_manifest(body)
    assert found.problem is None
    for reference in found.references:
        meant = json.loads(b'"' + body[reference.start : reference.end] + b'"')
        assert meant.strip("".join(map(chr, range(33)))) == reference.url
    assert json.loads(insert(body, found.references).replace(H, b"")) == tree


@given(path=TEXT, name=TEXT, ascii=st.booleans())
def test_the_insertion_stands_before_the_last_dot(path: str, name: str, ascii: bool) -> None:
    url = path.replace("?", "").replace("#", "") + "/n" + "".join(c for c in name if c not in "?#/\\.%") + ".png"
    body = json.dumps({"icons": [{"src": url}]}, ensure_ascii=ascii).encode()
    rewritten = json.loads(insert(body, scan_web_manifest(body).references))["icons"][0]["src"]
    is_fetched = rewritten != url
    assert not is_fetched or rewritten == url[:-4] + H.decode() + ".png"
    assert is_fetched or ":" in url or url.lstrip("".join(map(chr, range(33)))).startswith(("//", "/\\", "\\"))


JSON_PIECES = st.sampled_from(
    [b"{", b"}", b"[", b"]", b'"', b":", b",", b"\\", b"\\u002e", b'"icons"', b'"src"', b'"a.png"', b'"imports"', b"\xff", b"1", b" "]
)


@given(st.lists(JSON_PIECES, max_size=30).map(b"".join) | st.binary(max_size=100))
def test_any_bytes_are_read(body: bytes) -> None:
    for found in (scan_web_manifest(body), scan_import_map(body)):
        assert insert(body, found.references).replace(H, b"") == body


@pytest.mark.parametrize("unit", [b'"', b"\\", b'{"icons":[', b'{"a":', b'{"src":"a.png"},', b'"a",', b"1", b'"\\u002e', b"[[],"], ids=repr)
@pytest.mark.parametrize(("head", "tail"), [(b"", b""), (b'{"icons":[', b"{}]}"), (b'{"imports":{"a":"', b'"}}')])
def test_much_of_anything_is_read(unit: bytes, head: bytes, tail: bytes) -> None:
    """Whatever is more than linear does not come back from this."""
    body = head + unit * (200_000 // len(unit)) + tail
    scan_web_manifest(body)
    scan_import_map(body)
