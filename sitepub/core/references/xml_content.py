"""The text of an XML element without its markup, and where its raw bytes stand: sections, comments and references undone."""

from __future__ import annotations

import re

from sitepub.core.references.entities import Decoded, decode_references
from sitepub.core.references.spans import IndexMap

_ATTRIBUTE = re.compile(rb"""\s*+([^\s=<>/"']++)\s*+=\s*+(?:"([^"]*+)"|'([^']*+)')""")
_TAG_NAME = re.compile(rb"<[^\s/>]++")
_TAG_END = re.compile(rb"\s*+/?>")
_PIECE = re.compile(
    rb"<!\[CDATA\[(?P<section>(?:[^\]]++|\](?!\]>))*+)\]\]>|<!--(?:[^-]++|-(?!->))*+-->|<\?(?:[^?]++|\?(?!>))*+\?>|<[^>]*+>|(?P<text>[^<]++)"
)

RawAttributes = list[tuple[bytes, tuple[int, int]]]


def read_raw_attributes(body: bytes, start: int, end: int) -> RawAttributes:
    """Qualified names and spans of values between two offsets, as written; what stands there is well-formed."""
    return [(found[1], found.span(found.lastindex or 2)) for found in _ATTRIBUTE.finditer(body, start, end)]


def read_raw_tag(body: bytes, start: int) -> tuple[RawAttributes, int]:
    """The attributes of the start tag at `start`, and where it ends; none where no tag starts."""
    name = _TAG_NAME.match(body, start)
    attributes: RawAttributes = []
    if name is None:
        return attributes, start
    position = name.end()
    while found := _ATTRIBUTE.match(body, position):
        attributes.append((found[1], found.span(found.lastindex or 2)))
        position = found.end()
    end = _TAG_END.match(body, position)
    return attributes, end.end() if end else position


def decode_content(raw: bytes) -> Decoded:
    """The text of an element: CDATA as it stands, references undone, comments and instructions gone, child elements without their tags."""
    if b"<" not in raw:
        return decode_references(raw, in_attribute=False)
    pieces: list[bytes] = []
    starts, shifts = [0], [0]
    written = 0
    for found in _PIECE.finditer(raw):
        if found.lastgroup is None:
            continue
        start = found.start(found.lastgroup)
        text = found[found.lastgroup]
        decoded = Decoded(text, IndexMap()) if found.lastgroup == "section" else decode_references(text, in_attribute=False)
        starts += [written + one for one in decoded.map.starts]
        shifts += [start - written + one for one in decoded.map.shifts]
        pieces.append(decoded.text)
        written += len(decoded.text)
    return Decoded(b"".join(pieces), IndexMap(tuple(starts), tuple(shifts)))
