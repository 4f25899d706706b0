"""Precache lists as the tools write them."""

from __future__ import annotations

import pytest

from sitepub.core.revisions import find_revisions, make_revision


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'[{url:"index.html",revision:"0a1b"}]', [("index.html", b"0a1b")]),
        (b'[{"revision": "0a1b", "url": "/a.css"},\n{"url": \'b.js\', "revision": \'77\',}]', [("/a.css", b"0a1b"), ("b.js", b"77")]),
        (b'[{url:"app.3f.js",revision:null}]', []),
        (b'{"name":"x","revision":"1"}', []),
        (b"{url:'a\",revision:'b'}", []),
        (b'{url:"' * 50_000 + b"revision", []),
    ],
)
def test_found(body: bytes, expected: list[tuple[str, bytes]]) -> None:
    assert [(url, body[start:end]) for start, end, url in find_revisions(body)] == expected


@pytest.mark.parametrize(("length", "expected"), [(32, 32), (4, 8), (99, 64)])
def test_as_long_as_before(length: int, expected: int) -> None:
    assert make_revision("0123456789abcdef" * 4, length) == ("0123456789abcdef" * 4)[:expected].encode()
