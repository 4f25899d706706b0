"""Finds what an HTML document loads and links to, as browsers read it, malformed or not; decides nothing about where it leads.

Over bytes, with the exact span of each URL. Attributes are decided in html_attributes.py, `link`, `meta` and `script` in html_links.py.
"""

from __future__ import annotations

from msgspec.structs import replace

from sitepub.core.references.html_encoding import find_encoding, has_wide_mark, is_unreadable, narrow, transcode
from sitepub.core.references.html_mentions import find_mentions
from sitepub.core.references.html_page import read_page
from sitepub.core.references.model import Scan
from sitepub.core.references.spans import LineCounter, move_scan


def scan_html(body: bytes, *, links: bool = False) -> Scan:
    """All that an HTML document loads; `links`: also what a reader follows (`a`, `form`, canonical, og:image …), as Use.LINK."""
    if has_wide_mark(body):
        return Scan(problem="is HTML in UTF-16 or UTF-32, which is not rewritten", mentions=find_mentions(narrow(body)))
    encoding = find_encoding(body)
    if encoding is None or encoding == "utf-8":
        return read_page(body, links=links, encoding=encoding)
    if is_unreadable(encoding):
        return _leave_whole(body, encoding)
    if body.isascii():
        return read_page(body, links=links, encoding=encoding)
    decoded = transcode(body, encoding)
    if decoded is None:
        return _leave_whole(body, encoding)
    moved = move_scan(read_page(decoded.text, links=links), decoded.map.locate, LineCounter(body).line_at)
    return replace(moved, encoding=encoding)


def _leave_whole(body: bytes, encoding: str) -> Scan:
    return Scan(problem=f"is HTML in {encoding}, which is not rewritten", mentions=find_mentions(body), encoding=encoding)
