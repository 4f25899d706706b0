"""What the scanner of CSS tells beside the places for digests, which tests/edge_cases holds, and that it reads anything."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sitepub.core.references.css import scan_css, scan_css_declarations
from sitepub.core.references.model import Use
from tests.support.inserting import insert
from tests.support.soundness import check_sound

_DECODED = [
    ("an escaped space", r"url(a\ b.png)", "a b.png"),
    ("a hexadecimal escape eats one space", r"url(a\2e png)", "a.png"),
    ("six digits end an escape", r"url(\000061b.png)", "ab.png"),
    ("a line break in a string means nothing", 'url("a.\\\r\nb.png")', "a.b.png"),
    ("an escaped character beyond the Basic Plane", r"url('\1F600 .png')", "\U0001f600.png"),
    ("an escape of no character", r"url('\0 \D800 \110000 .png')", "\ufffd\ufffd\ufffd.png"),
    ("white space at the ends is no part of a url", 'url("\t a.png ")', "a.png"),
    ("raw UTF-8", "url(café.png)", "café.png"),
]


@pytest.mark.parametrize(("sentence", "source", "url"), _DECODED, ids=[row[0] for row in _DECODED])
def test_url_is_decoded_as_a_browser_does(sentence: str, source: str, url: str) -> None:
    """For looking it up; the raw text stays."""
    assert [reference.url for reference in scan_css(source.encode()).references] == [url]


def test_bytes_that_are_not_utf8_do_not_shift_the_place_of_the_digest() -> None:
    """Each becomes U+FFFD in the decoded URL and stays one byte in the file."""
    body = b"a{b:url(caf\xe9\\ \xff.png)}"
    scan = scan_css(body)
    assert scan.references[0].url == "caf\ufffd \ufffd.png"
    assert insert(body, scan, b"~") == b"a{b:url(caf\xe9\\ \xff~.png)}"


def test_declarations_know_no_import() -> None:
    """In a style attribute an at-rule means nothing; url() and image-set() do."""
    body = b"@import 'a.css'; background:url(a.png) image-set('b.png' 1x)"
    assert insert(body, scan_css_declarations(body), b"~") == b"@import 'a.css'; background:url(a~.png) image-set('b~.png' 1x)"


@pytest.mark.parametrize(
    ("source", "how"),
    [
        ("a{b:url(a.png)}", "css url"),
        ("a{--b: x url(a.png)}", "css custom property"),
        ("a{b:image-set('a.png' 1x)}", "css image-set"),
        ("a{b:src('a.png')}", "css src"),
        ("@import url(a.css);", "@import"),
        ("@import 'a.css';", "@import"),
    ],
)
def test_place_is_told_in_words(source: str, how: str) -> None:
    """As messages and `explain` show it."""
    assert [reference.how for reference in scan_css(source.encode()).references] == [how]


def test_lines_are_counted_from_one() -> None:
    """The line of the URL, not of its function."""
    assert [one.line for one in scan_css(b"a{b:url(a.png)}\n\na{b:url(\nb.png) url(c.png)}").references] == [1, 4, 4]


_MAPS = [
    ("the last comment", "a{}\n/*# sourceMappingURL=a.css.map */\n\n", "a.css.map"),
    ("the old sign", "a{}/*@ sourceMappingURL=a.css.map*/", "a.css.map"),
    ("an absolute one", "a{}/*# sourceMappingURL=https://ex.org/a.map */", "https://ex.org/a.map"),
    ("comments behind it", "a{}/*# sourceMappingURL=a.map */ /* bye */", "a.map"),
    ("none", "a{}", None),
    ("a data url", "a{}/*# sourceMappingURL=data:application/json;base64,AA== */", None),
    ("one that is not last", "/*# sourceMappingURL=a.map */ a{}", None),
    ("one in a string", 'a{b:"/*# sourceMappingURL=a.map */"}', None),
]


@pytest.mark.parametrize(("sentence", "source", "url"), _MAPS, ids=[row[0] for row in _MAPS])
def test_source_map(sentence: str, source: str, url: str | None) -> None:
    """It is followed by tools alone, so it is no LOAD."""
    found = scan_css(source.encode()).source_map
    assert (found.url if found else None) == url
    assert found is None or found.use is Use.LINK


@pytest.mark.parametrize(
    "body",
    [
        codecs.BOM_UTF16_LE + "a{b:url(a.png)}".encode("utf-16-le"),
        codecs.BOM_UTF16_BE + "a{b:url(a.png)}".encode("utf-16-be"),
        '@charset "shift_jis"; a{c:"表"} a{b:url(a.png)}'.encode("shift_jis"),
        '@charset "x-sjis"; a{c:"表"} a{b:url(a.png)}'.encode("shift_jis"),
        '@charset "big5-hkscs"; a{c:"功"} a{b:url(a.png)}'.encode("big5hkscs"),
    ],
)
def test_sheet_whose_bytes_are_not_sure_is_left_whole(body: bytes) -> None:
    """What it refers to keeps its plain name."""
    scan = scan_css(body)
    assert scan.problem is not None
    assert scan.references == ()
    assert scan.mentions == ("a.png",)


@pytest.mark.parametrize("label", ["windows-1251", "nobody-knows", "a\0b"])
def test_charset_that_keeps_ascii_is_read(label: str) -> None:
    """Spans in bytes are sure there."""
    body = f'@charset "{label}"; a{{c:"я"}} a{{b:url(a.png)}}'.encode("windows-1251")
    assert b"url(a~.png)" in insert(body, scan_css(body), b"~")


_FRAGMENTS = st.sampled_from(
    ["url(", "src(", "image-set(", ")", '"', "'", "\\", "\\2e ", "/*", "*/", "@import ", "@namespace ", "a.png", "{", "}", "[", "]", ";", "\n", " ",
     "data:", "é", "\0", "--x:", "u\\72l(", "#", "%2e", "/", "..", "\ufeff", "type("]
)  # fmt: skip


@given(st.lists(_FRAGMENTS | st.text(max_size=3), max_size=40).map("".join))
def test_any_text_gives_sound_references(text: str) -> None:
    """Ordered spans that do not overlap, dots within them, and digests that read back as parts of the same URLs."""
    body = text.encode("utf-8", "surrogatepass")
    scan = scan_css(body)
    check_sound(body, scan)
    again = scan_css(insert(body, scan, b".0a"))
    assert [one.url.replace(".0a", "") for one in again.references] == [one.url.replace(".0a", "") for one in scan.references]


@given(st.binary(max_size=200))
def test_any_bytes_are_read(body: bytes) -> None:
    """Without an exception."""
    check_sound(body, scan_css(body))
    check_sound(body, scan_css_declarations(body))


_HOSTILE = [("url(", 0), ('"\\', 0), ("image-set(", 0), ("@import ", 0), (r"\75rl(", 0), ("/*", 0), ("@a\\", 0), ("--x:url(", 0),
            ("image-set({[", 0), ("url('", 40_000), ("\\", 0), ("@namespace (", 0), ("url(a.b)", 50_000)]  # fmt: skip


@pytest.mark.parametrize(("shape", "count"), _HOSTILE, ids=[row[0] for row in _HOSTILE])
def test_hostile_shapes_are_read_once(shape: str, count: int) -> None:
    """A reader that went back would need minutes for what is read here in a moment."""
    body = (shape * 400_000).encode()[:400_000]
    assert len(scan_css(body).references) == count
