"""A URL as it is spelled in a script or stylesheet: its text with escapes undone, and the byte at which each character was written."""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec import Struct

from sitepub.core.references.insertion import find_dot
from sitepub.core.references.model import Reference, Use

_CONTROLS_AND_SPACE = "".join(map(chr, range(0x21)))
_HOST_ALONE = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?[/\\]{2}[^/\\?#]*(?:[?#]|\Z)")
_FETCHED = re.compile(r"(?i)https?:")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


class Literal(Struct, frozen=True):
    """`offsets`: the byte offset of each character of `text`; None where every character is one byte."""

    start: int
    end: int
    text: str
    offsets: tuple[int, ...] | None = None

    @property
    def url(self) -> str:
        """The text as the URL parser sees it: without control characters and spaces at its ends."""
        return self.text.strip(_CONTROLS_AND_SPACE)

    def find_offset(self) -> int:
        """Byte offset at which a digest goes; -1 where the text has no place for one."""
        if _HOST_ALONE.match(self.url):
            return -1
        at = find_dot(self.text)
        if at < 0:
            return -1
        return self.offsets[at] if self.offsets is not None else self.start + at


def read_literal(body: bytes, start: int, end: int, escape: re.Pattern[bytes], unescape: Callable[[bytes], str]) -> Literal:
    """The literal at `start` to `end`; bytes that are not UTF-8 become U+FFFD, as in a browser."""
    raw = body[start:end]
    if raw.isascii() and b"\\" not in raw:
        return Literal(start, end, raw.decode("ascii"))
    characters: list[str] = []
    offsets: list[int] = []
    at = 0
    for found in escape.finditer(raw):
        _append_plain(raw[at : found.start()], start + at, characters, offsets)
        meant = unescape(found.group())
        characters.append(meant)
        offsets.extend([start + found.start()] * len(meant))
        at = found.end()
    _append_plain(raw[at:], start + at, characters, offsets)
    return Literal(start, end, "".join(characters), tuple(offsets))


def is_dismissed(url: str) -> bool:
    """Empty, a fragment of the same file (also misspelled `%23`), or a scheme that no file is fetched by."""
    if not url or url[0] == "#" or (url.startswith("%23") and "." not in url):
        return True
    return _SCHEME.match(url) is not None and _FETCHED.match(url) is None


def refer(literal: Literal, use: Use, how: str, line: int, *, is_bare: bool = False) -> Reference:
    """The reference that a literal makes. A bare specifier is a name, not a path: it has no place for a digest."""
    dot = -1 if is_bare else literal.find_offset()
    return Reference(literal.start, literal.end, dot, literal.url, use, how, line, is_bare=is_bare)


def _append_plain(raw: bytes, start: int, characters: list[str], offsets: list[int]) -> None:
    for character in raw.decode("utf-8", "surrogateescape"):
        is_invalid = "\udc80" <= character <= "\udcff"
        characters.append("\ufffd" if is_invalid else character)
        offsets.append(start)
        start += 1 if is_invalid else len(character.encode("utf-8"))
