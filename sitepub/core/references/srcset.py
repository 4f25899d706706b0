"""The image candidates of a `srcset`, cut as browsers cut it: a URL may hold commas, a descriptor parentheses.

https://html.spec.whatwg.org/multipage/images.html#parsing-a-srcset-attribute
"""

from __future__ import annotations

import re

_URL = re.compile(rb"[\t\n\f\r ,]*+([^\t\n\f\r ]++)")
_DESCRIPTORS = re.compile(rb"((?:[^,(]++|\([^)]*+\)?)*+),?")
_DESCRIPTOR = re.compile(rb"(?:[^\t\n\f\r (]++|\([^)]*+\)?)++")
_KIND = re.compile(rb"([0-9]++)w|([0-9]++)h|(-?(?:[0-9]++(?:\.[0-9]++)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?)x")


def find_candidates(value: bytes) -> list[tuple[int, int]]:
    """The span of each candidate's URL. Candidates whose descriptors browsers refuse are left out, for nothing loads them."""
    candidates: list[tuple[int, int]] = []
    position = 0
    while url := _URL.match(value, position):
        start, end = url.span(1)
        position = end
        if value.endswith(b",", start, end):
            end -= len(url[1]) - len(url[1].rstrip(b","))
            is_valid = True
        else:
            descriptors = _DESCRIPTORS.match(value, position)
            text = descriptors[1] if descriptors else b""
            position = descriptors.end() if descriptors else position
            is_valid = not text.strip(b"\t\n\f\r ") or _is_valid(_DESCRIPTOR.findall(text))
        if is_valid:
            candidates.append((start, end))
    return candidates


def _is_valid(descriptors: list[bytes]) -> bool:
    """At most one width or one density; a height only beside a width."""
    seen: set[str] = set()
    for descriptor in descriptors:
        kind = _KIND.fullmatch(descriptor)
        if kind is None:
            return False
        width, height, density = kind.groups()
        letter = "w" if width is not None else "h" if height is not None else "x"
        number = width or height or density
        if letter in seen or (letter != "x" and not number.strip(b"0")) or (letter == "x" and float(number) < 0):
            return False
        seen.add(letter)
    return (seen <= {"w", "h"} and "w" in seen) or seen == {"x"}
