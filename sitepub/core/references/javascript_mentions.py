"""Strings of a script that look like paths of files: hints of what it may load in ways that no scanner can follow."""

from __future__ import annotations

import re

from sitepub.core.references import javascript_tokens as tokens
from sitepub.core.references.byte_classes import any_but
from sitepub.core.references.literals import is_dismissed, read_literal

_MOST = 20_000
_PATH = re.compile(rb"\.{0,2}/(?=[^\s\"'`<>|]*\w)[^\s\"'`<>|]*|[^\s\"'`<>|]*\.[A-Za-z0-9]{1,12}(?:[?#][^\s\"'`<>|]*)?")
_NO_PATH_BYTES = b"\"'`<>{}|^" + bytes(range(0x21))
# From a quote (or the end of a substitution) to the next (or the begin of one). The closing one is only looked at: whether a quote opens
# or closes is not known here, and a wrong pair must not hide a right one.
_QUOTED_PATH = re.compile(
    rb"[\"'`}](?=" + any_but(_NO_PATH_BYTES + b"./") + rb"{0,256}+[./])(" + any_but(_NO_PATH_BYTES) + rb"{2,512}+)(?=[\"'`]|(?<=\$)\{)"
)


class Mentions:
    """Collects paths, each once and in the order of their first appearance, up to a bound."""

    __slots__ = ("_paths",)

    def __init__(self) -> None:
        self._paths: dict[bytes, None] = {}

    def add(self, raw: bytes) -> None:
        """Takes the content of a string; what is no path is left out."""
        if len(raw) > 2 and raw not in self._paths and not self.is_full and _PATH.fullmatch(raw):
            self._paths[raw] = None

    def add_quoted(self, body: bytes) -> None:
        """Takes all that stands between quotes, without reading the script as one: in comments too, since a hint too many costs little."""
        for found in _QUOTED_PATH.finditer(body):
            self.add(found[1].removesuffix(b"$"))

    @property
    def is_full(self) -> bool:
        return len(self._paths) >= _MOST

    def tell(self) -> tuple[str, ...]:
        """The paths, escapes undone."""
        urls = dict.fromkeys(read_literal(raw, 0, len(raw), tokens.ESCAPE, tokens.unescape).url for raw in self._paths)
        return tuple(url for url in urls if not is_dismissed(url))
