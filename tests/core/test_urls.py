"""URLs lead where a browser would go. The oracle is node's WHATWG `URL`, recorded by record_urls.mjs."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from unicodedata import normalize
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sitepub.core.file_index import FileIndex, Found, How
from sitepub.core.model import SourcePath
from sitepub.core.urls import Resolved, ResolvedKind, SiteUrls, join, resolve, url_of

FIXTURE = Path(__file__).parent / "fixtures" / "urls.json"
RECORDER = Path(__file__).parent / "record_urls.mjs"
# `host` of WHATWG URL leaves default ports out; www.ex.org:80 is the default of http alone.
OWN_ORIGINS = {
    *(("https:", host) for host in ("ex.org", "xn--mnchen-3ya.example", "www.ex.org:80")),
    *(("http:", host) for host in ("ex.org", "xn--mnchen-3ya.example", "www.ex.org")),
}

Row = dict[str, object]


def read_rows() -> list[Row]:
    rows: list[Row] = json.loads(FIXTURE.read_text())["rows"]
    return rows


def expect(row: Row) -> Resolved:
    """What the recorded URL means for a site, put together in another way than the code under test does."""
    url = str(row["url"]).strip("".join(map(chr, range(33))))
    resolved = row["resolved"]
    if url in ("", "#") or url.startswith("#") or resolved is None:
        return Resolved(ResolvedKind.NONE)
    assert isinstance(resolved, dict)
    if (resolved["protocol"], resolved["host"]) not in OWN_ORIGINS:
        return Resolved(ResolvedKind.EXTERNAL)
    mount = str(row["mount"])
    segments = [unquote(segment, errors="surrogateescape").replace("/", "\0") for segment in resolved["pathname"].split("/")]
    path = "/".join(segments)
    if path.startswith(mount):
        return Resolved(ResolvedKind.INSIDE, path.removeprefix(mount), resolved["search"])
    return Resolved(ResolvedKind.OUTSIDE_MOUNT, path[1:], resolved["search"])


def test_resolves_as_whatwg_url_does() -> None:
    wrong = []
    for row in read_rows():
        site = SiteUrls(str(row["mount"]), ("ex.org", "www.ex.org:80", "münchen.example"))
        base = row["base"]
        assert base is None or isinstance(base, str)
        found = resolve(str(row["url"]), page=SourcePath(str(row["page"])), base=base, site=site)
        if found != expect(row):
            wrong.append((row, found, expect(row)))
    assert wrong == []


def test_the_recorded_table_is_what_node_says() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is missing")
    recorded = subprocess.run([node, str(RECORDER)], capture_output=True, check=True, text=True).stdout
    assert json.loads(recorded) == json.loads(FIXTURE.read_text())
    assert len(read_rows()) > 1000


INSIDE, OUTSIDE, EXTERNAL, NONE = ResolvedKind.INSIDE, ResolvedKind.OUTSIDE_MOUNT, ResolvedKind.EXTERNAL, ResolvedKind.NONE


def test_a_very_long_url_and_very_many_segments_are_fine() -> None:
    url = "../" * 20_000 + "a/" * 20_000 + "%41" * 20_000
    found = resolve(url, page=SourcePath("index.html"), base=None, site=SiteUrls())
    assert found.path == "a/" * 20_000 + "A" * 20_000


@pytest.mark.parametrize("url", ["a.png", "/a.png", "//ex.org/a.png", "?x", "http:a.png"])
def test_a_base_of_another_scheme_leads_away(url: str) -> None:
    found = resolve(url, page=SourcePath("p/q.html"), base="ftp://ex.org/", site=SiteUrls("/", ("ex.org",)))
    assert found.kind is EXTERNAL


def test_a_mount_may_be_written_with_escapes() -> None:
    site = SiteUrls("/caf%C3%A9/")
    assert resolve("/café/a.png", page=SourcePath("index.html"), base=None, site=site) == Resolved(INSIDE, "a.png")
    assert resolve("../caf%c3%a9/a.png", page=SourcePath("index.html"), base=None, site=site) == Resolved(INSIDE, "a.png")


NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=("Cs",)), min_size=1).filter(
    lambda name: name not in (".", "..")
)
KEYS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)


@given(key=KEYS, mount=st.sampled_from(["/", "/docs/", "/a%20b/"]), page=KEYS)
def test_the_url_of_a_key_leads_back_to_it(key: str, mount: str, page: str) -> None:
    url = url_of(key, mount)
    assert url.isascii()
    assert resolve(url, page=SourcePath(page), base=None, site=SiteUrls(mount)) == Resolved(INSIDE, key)


def test_the_url_of_a_key_that_is_no_utf_8_leads_back_to_it() -> None:
    assert url_of("a\udcff.png", "/") == "/a%FF.png"


PIECES = st.lists(
    st.sampled_from(["a", "b.png", "..", ".", "/", "//", "?", "#", "\\", "%2e", "%2F", "https:", "ex.org", ":", " ", "é", "x"]), max_size=7
)


@given(url=PIECES.map("".join), page=st.sampled_from(["a.html", "x/y/z.html"]), mount=st.sampled_from(["/", "/docs/"]))
def test_the_short_cut_for_plain_urls_says_the_same_as_the_long_way(url: str, page: str, mount: str) -> None:
    site = SiteUrls(mount, ("ex.org",))
    short = resolve(url, page=SourcePath(page), base=None, site=site)
    long = resolve(url, page=SourcePath(page), base=page.rpartition("/")[2], site=site)
    assert short == long


BASES = PIECES.map("".join)


@example(outer="https:", inner="a", url="c.png")
@example(outer="..", inner="a", url="c.png")
@given(outer=BASES, inner=BASES, url=st.sampled_from(["c.png", "../c.png", "/c.png", "?q", "./"]))
def test_a_joined_base_means_what_its_parts_mean(outer: str, inner: str, url: str) -> None:
    site = SiteUrls("/", ("ex.org",))
    page = SourcePath("p/q/r.html")
    middle = resolve(inner, page=page, base=outer, site=site)
    if middle.kind is not INSIDE or resolve(outer, page=page, base=None, site=site).kind is not INSIDE:
        return
    there = "https://ex.org" + url_of(middle.path.replace("\0", "%2F"), "/").replace("%252F", "%2F") + ("?" if middle.has_query else "")
    assert resolve(url, page=page, base=join(outer, inner), site=site) == resolve(url, page=page, base=there, site=site)


@pytest.fixture(name="index", scope="module")
def index_of_a_small_site() -> FileIndex:
    names = [
        "index.html",
        "about/index.html",
        "img/a.png",
        "img/caf\u00e9.png",
        "img/nai\u0308f.png",
        "Up.css",
        "docs.html",
        "docs/index.html",
    ]
    return FileIndex(SourcePath(name) for name in names)


@pytest.mark.parametrize(
    ("path", "found", "how"),
    [
        pytest.param("img/a.png", "img/a.png", How.EXACT, id="the very name"),
        pytest.param("", "index.html", How.DIRECTORY, id="the root"),
        pytest.param("about/", "about/index.html", How.DIRECTORY, id="a folder"),
        pytest.param("about", "about/index.html", How.DIRECTORY, id="a folder without its slash"),
        pytest.param("docs", "docs/index.html", How.DIRECTORY, id="a folder beside a page of its name"),
        pytest.param("img/cafe\u0301.png", "img/caf\u00e9.png", How.NORMALIZED, id="decomposed, on disk composed"),
        pytest.param("img/na\u00eff.png", "img/nai\u0308f.png", How.NORMALIZED, id="composed, on disk decomposed"),
        pytest.param("IMG/A.PNG", "img/a.png", How.CASE, id="differs by case alone"),
        pytest.param("IMG/CAF\u00c9.png", "img/caf\u00e9.png", How.CASE, id="by case outside ASCII"),
        pytest.param("About/", "about/index.html", How.CASE, id="a folder by case alone"),
        pytest.param("img/a\0b.png", None, How.MISSING, id="no file holds a slash in its name"),
        pytest.param("img//a.png", None, How.MISSING, id="an empty segment is another key"),
        pytest.param("img/", None, How.MISSING, id="a folder without an index page"),
        pytest.param("/index.html", None, How.MISSING, id="a key never starts with a slash"),
    ],
)
def test_files_are_found_by_the_names_that_urls_give(index: FileIndex, path: str, found: str | None, how: How) -> None:
    assert index.find(path) == Found(None if found is None else SourcePath(found), how)
    assert index.find(path).is_found == (how in (How.EXACT, How.NORMALIZED, How.DIRECTORY))


def test_of_names_that_differ_by_case_or_form_the_first_in_order_stands_for_all() -> None:
    names = [SourcePath(f"{first}{second}.html") for first in "aA" for second in "bB"] + [SourcePath("e\u0301"), SourcePath("\u00e9")]
    for paths in (names, names[::-1], sorted(names)):
        assert FileIndex(paths).find("AB.HTML") == Found(SourcePath("AB.html"), How.CASE)
        assert FileIndex([*paths, SourcePath("E\u0301")]).find("\u00c9") == Found(SourcePath("E\u0301"), How.NORMALIZED)
        assert FileIndex(paths).find("\u00c9") == Found(SourcePath("e\u0301"), How.CASE)


@given(names=st.lists(KEYS, max_size=8))
def test_every_file_is_found_by_its_own_name_in_any_order(names: list[str]) -> None:
    paths = [SourcePath(name) for name in names]
    asked = [form for path in paths for form in (path, path.swapcase(), path.upper(), normalize("NFD", path))]
    one, other = FileIndex(paths), FileIndex(reversed(paths))
    assert [one.find(path) for path in asked] == [other.find(path) for path in asked]
    assert all(FileIndex(paths).find(path) == Found(path, How.EXACT) for path in paths)


@given(url=PIECES.map("".join) | st.text(max_size=12), base=st.none() | PIECES.map("".join) | st.text(max_size=12))
def test_any_text_resolves_to_something(url: str, base: str | None) -> None:
    found = resolve(url, page=SourcePath("x/y.html"), base=base, site=SiteUrls("/docs/", ("ex.org",)))
    assert (found.path == "") or found.kind in (INSIDE, OUTSIDE)
