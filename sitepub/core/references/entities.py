"""Undoes HTML character references (`&amp;`, `&#46;`) in raw bytes, and remembers where each decoded byte came from.

https://html.spec.whatwg.org/multipage/parsing.html#character-reference-state
"""

from __future__ import annotations

import re
from html.entities import html5

from msgspec import Struct

from sitepub.core.references.spans import IndexMap

_REFERENCE = re.compile(rb"&(?:#[xX]([0-9a-fA-F]++);?|#([0-9]++);?|([a-zA-Z][a-zA-Z0-9]*+)(;?)(=?))")
_LONGEST_OPEN_NAME = max(len(name) for name in html5 if not name.endswith(";"))
_REPLACEMENT = "\ufffd"


class Decoded(Struct, frozen=True):
    """Text without character references, and the way back to the raw text."""

    text: bytes
    map: IndexMap


def decode_references(raw: bytes, *, in_attribute: bool = True) -> Decoded:
    """`raw`, of a document in UTF-8, as it means it. In attributes `&copy=1` and `&copyx` stay as they are."""
    if b"&" not in raw:
        return Decoded(raw, IndexMap())
    pieces: list[bytes] = []
    starts, shifts = [0], [0]
    read = written = 0
    for reference in _REFERENCE.finditer(raw):
        text, end = _decode_one(reference, in_attribute=in_attribute)
        if text is None:
            continue
        pieces.append(raw[read : reference.start()])
        pieces.append(text.encode())
        written += len(pieces[-2]) + len(pieces[-1])
        read = end
        starts.append(written)
        shifts.append(read - written)
    pieces.append(raw[read:])
    return Decoded(b"".join(pieces), IndexMap(tuple(starts), tuple(shifts)))


def _decode_one(reference: re.Match[bytes], *, in_attribute: bool) -> tuple[str | None, int]:
    """The characters it stands for, and where it ends."""
    hexadecimal, decimal, name = reference.group(1, 2, 3)
    if name is None:
        number = hexadecimal.lstrip(b"0") if hexadecimal is not None else decimal.lstrip(b"0")
        code = int(number or b"0", 16 if hexadecimal is not None else 10) if len(number) < 9 else 0
        return _character(code), reference.end()
    word = name.decode("ascii")
    if reference[4]:
        if text := html5.get(word + ";"):
            return text, reference.end(4)
    elif not (in_attribute and reference[5]) and (text := html5.get(word)):
        return text, reference.end(3)
    if not in_attribute:
        for length in range(min(len(word), _LONGEST_OPEN_NAME), 1, -1):
            if text := html5.get(word[:length]):
                return text, reference.start(3) + length
    return None, reference.end()


def _character(code: int) -> str:
    if code == 0 or code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        return _REPLACEMENT
    if 0x80 <= code <= 0x9F:
        return bytes([code]).decode("cp1252", "ignore") or chr(code)
    return chr(code)
