"""Precache lists of service workers: `{url: "index.html", revision: "2b4f…"}`. A page whose bytes changed needs another revision, or readers
keep the old one for ever (https://developer.chrome.com/docs/workbox/modules/workbox-precaching)."""

from __future__ import annotations

import re
from collections.abc import Iterator

_URL = rb"""["']?url["']?\s*+:\s*+(?P<%b>["'])(?P<%b>[^"'\\\n]++)(?P=%b)"""
_REVISION = rb"""["']?revision["']?\s*+:\s*+(?P<%b>["'])(?P<%b>[0-9A-Za-z_-]++)(?P=%b)"""
_ENTRY = re.compile(
    rb"\{\s*+(?:"
    + _URL % (b"q1", b"url1", b"q1")
    + rb"\s*+,\s*+"
    + _REVISION % (b"q2", b"revision1", b"q2")
    + rb"|"
    + _REVISION % (b"q3", b"revision2", b"q3")
    + rb"\s*+,\s*+"
    + _URL % (b"q4", b"url2", b"q4")
    + rb")\s*+,?\s*+\}"
)


def find_revisions(body: bytes) -> Iterator[tuple[int, int, str]]:
    """Where each revision stands, and the URL that it is of, relative to the script."""
    if b"revision" not in body:
        return
    for entry in _ENTRY.finditer(body):
        number = "1" if entry["url1"] is not None else "2"
        yield *entry.span(f"revision{number}"), entry[f"url{number}"].decode("utf-8", "replace")


def make_revision(digest: str, length: int) -> bytes:
    """From the digest of what is published, as long as the old one where that is long enough to be one."""
    return digest[: max(8, min(length, len(digest)))].encode("ascii")
