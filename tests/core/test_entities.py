"""Character references in attributes and in text, with the way back to the raw bytes; judged by the standard library and by a browser's parser."""

from __future__ import annotations

import html

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sitepub.core.references.entities import decode_references

PIECES = st.sampled_from(
    [
        *"a1;=& #xé.\U0001f600",
        *("&amp", "&amp;", "&copy", "&notin;", "&not", "&period;", "&#46;", "&#x2e", "&#X2E;", "&#0;", "&#128;", "&#xD800;", "&#x110000;"),
        *("&#99999999999;", "&#;", "&#x;", "&nGt;", "&CounterClockwiseContourIntegral;", "&unheard;", "&#00000000046;"),
    ]
)
VALUES = st.lists(PIECES, max_size=12).map("".join)


@pytest.mark.parametrize(
    ("raw", "meant"),
    [
        (b"?a&copy=1", b"?a&copy=1"),
        (b"?a&copyx", b"?a&copyx"),
        (b"?a&copy", "?a\u00a9".encode()),
        (b"?a&copy;=1", "?a\u00a9=1".encode()),
        (b"a&#x2e;css", b"a.css"),
        (b"a&period;css", b"a.css"),
        (b"a&period-css", b"a&period-css"),
        (b"&#128;&#129;", "\u20ac\x81".encode()),
        (b"&#0;&#xD800;&#x110000;&#" + b"9" * 5000, "\ufffd".encode() * 4),
        (b"&amp;amp;", b"&amp;"),
        (b"\xff&lt;\xfe", b"\xff<\xfe"),
    ],
)
def test_in_an_attribute(raw: bytes, meant: bytes) -> None:
    assert decode_references(raw).text == meant


@given(VALUES)
@example("&notit; &notin; &ampx &am &")
@example("&#13;&#1;&#xfdd0;")
def test_in_text_it_is_what_the_standard_library_says(raw: str) -> None:
    """But for code points that `html.unescape` drops, where browsers keep them (https://github.com/python/cpython/issues/76960)."""
    ours = decode_references(raw.encode(), in_attribute=False).text.decode()
    dropped = {*range(0x01, 0x09), 0x0B, *range(0x0D, 0x20), *range(0x7F, 0xA0), *range(0xFDD0, 0xFDF0)}
    kept = "".join(character for character in ours if ord(character) not in dropped)
    assert kept == "".join(character for character in html.unescape(raw) if ord(character) not in dropped)


@settings(deadline=None)  # the first one imports the parser
@given(VALUES)
def test_in_an_attribute_it_is_what_a_parser_says(raw: str) -> None:
    turbohtml = pytest.importorskip("turbohtml")
    element = turbohtml.parse(f'<p title="{raw}">').find("p")
    assert decode_references(raw.encode()).text.decode() == element.attrs["title"]


@given(st.lists(st.sampled_from(["a", "é", "&amp;", "&#46;", "&nGt;", "."]), max_size=12))
def test_each_piece_starts_where_it_was_written(pieces: list[str]) -> None:
    body = "".join(pieces).encode()
    decoded = decode_references(body)
    raw = meant = 0
    for piece in pieces:
        assert decoded.map.locate(meant) == raw
        raw += len(piece.encode())
        meant += len(decode_references(piece.encode()).text)
    assert decoded.map.locate(meant) == raw
