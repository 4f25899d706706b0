"""Where a digest goes inside a URL: before the last dot of the last path segment. The only edit that is ever made to a reference."""

from __future__ import annotations

import re

_PATH = re.compile(r"[^?#]*")
_LAST_DOT = re.compile(r"(?s).*(?=\.|%2[eE])")


def find_dot(url: str) -> int:
    """Index in `url` of the last dot (`.` or `%2e`) of its last path segment; -1 where there is none or it starts the segment.

    A backslash separates segments as a slash does (https://url.spec.whatwg.org/#path-state).
    """
    path = _PATH.match(url)
    end = path.end() if path else 0
    start = max(url.rfind("/", 0, end), url.rfind("\\", 0, end)) + 1
    found = _LAST_DOT.match(url[start:end])
    if found is None or found.end() == 0:
        return -1
    return start + found.end()
