"""In which encoding an HTML document is written, and its text in UTF-8 with the way back to the original bytes.

https://html.spec.whatwg.org/multipage/parsing.html#determining-the-character-encoding, as far as the document itself says.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from functools import lru_cache

from sitepub.core.references.entities import Decoded
from sitepub.core.references.spans import IndexMap

_MARKS: Mapping[bytes, str] = {
    codecs.BOM_UTF32_LE: "utf-32",  # begins with the mark of UTF-16
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_UNMARKED: Mapping[bytes, str] = {b"<\0": "utf-16-le", b"\0<": "utf-16-be"}
_LOOKED_AT = 4096
_COMMENTS = re.compile(rb"<!--(?:[^-]++|-(?!->))*+-->")
_DECLARED = re.compile(rb"<meta[\s/](?:[^>c]++|c(?!harset))*+charset\s*+=\s*+[\"']?\s*+([^\s\"'/>;]++)", re.IGNORECASE)

# Labels that browsers read otherwise than Python does (https://encoding.spec.whatwg.org/#names-and-labels).
_BROWSERS: Mapping[str, str] = {
    "ascii": "cp1252",
    "big5": "big5hkscs",
    "euc_kr": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "ksc5601": "cp949",
    "shift_jis": "cp932",
    "tis-620": "cp874",
    "utf-16": "utf-8",
    "utf-16-be": "utf-8",
    "utf-16-le": "utf-8",
}
# `iso-2022-jp` switches between sets of characters, in which ASCII bytes are letters; browsers read none of the others at all.
_UNREADABLE = frozenset({"hz", "iso2022_jp", "iso2022_kr", "utf-7"})


def has_wide_mark(body: bytes) -> bool:
    """Whether a byte order mark says UTF-16 or UTF-32."""
    return body.startswith(tuple(_MARKS))


def narrow(body: bytes) -> bytes:
    """A document in UTF-16 or UTF-32 in UTF-8, to see what it mentions: U+FFFD for what can't be read, and no way back to its bytes."""
    encoding = next((name for start, name in (*_MARKS.items(), *_UNMARKED.items()) if body.startswith(start)), "utf-32-be")
    return body.decode(encoding, "replace").encode()


def find_encoding(body: bytes) -> str | None:
    """The encoding that the document declares, as Python names it; None: it declares none, or one that nobody knows."""
    if body.startswith(codecs.BOM_UTF8):
        return "utf-8"
    head = body[:_LOOKED_AT]
    declared = _DECLARED.search(head)
    if declared is not None and _is_between_comments(head, *declared.span()):
        return _name_of(declared[1])
    if b"<!--" in (head[: declared.end()] if declared else head) and b"charset" in head.lower():
        declared = _DECLARED.search(_COMMENTS.sub(b"", head))
    return _name_of(declared[1]) if declared else None


def _is_between_comments(head: bytes, start: int, end: int) -> bool:
    """Whether no comment holds a part of the span, for sure."""
    last = head.rfind(b"<!--", 0, end)
    return last < 0 or head.find(b"-->", last + 4, start) >= 0


@lru_cache(maxsize=64)
def _name_of(label: bytes) -> str | None:
    try:
        name = codecs.lookup(label.decode("ascii", "replace").removeprefix("x-")).name
        name = _BROWSERS.get(name, name)
        return name if name in _UNREADABLE or "a".encode(name) == b"a" else None
    except (LookupError, ValueError):  # Python has codecs for no text (`hex`), and one that refuses every text (`undefined`)
        return None


def is_unreadable(encoding: str) -> bool:
    """Whether bytes that look like markup may be none in this encoding."""
    return encoding in _UNREADABLE


def transcode(body: bytes, encoding: str) -> Decoded | None:
    """`body` in UTF-8; None where its bytes can't be told apart in it."""
    try:
        return _transcode(body, encoding)
    except (LookupError, UnicodeError):  # of two letters that one code stands for, each may have none of its own
        return None


def _transcode(body: bytes, encoding: str) -> Decoded | None:
    text = body.decode(encoding, "surrogateescape")
    starts, shifts = [0], [0]
    written = shift = 0
    for wide in re.finditer(r"[^\x00-\x7f]", text):
        # Characters before this one are ASCII or were counted, so that one addition tells where it starts.
        start = wide.start() + written
        raw_length = len(_encode(wide.group(), encoding))
        length = len(wide.group().encode("utf-8", "surrogateescape"))
        written += length - 1
        shift += raw_length - length
        starts.append(start + length)
        shifts.append(shift)
    decoded = text.encode("utf-8", "surrogateescape")
    if len(decoded) + shift != len(body):
        return None
    return Decoded(decoded, IndexMap(tuple(starts), tuple(shifts)))


def _encode(character: str, encoding: str) -> bytes:
    return character.encode(encoding, "surrogateescape")
