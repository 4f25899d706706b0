"""Which file of the site a path leads to, as web servers answer: by its name, its folder's page, or another form of its name. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import cast
from unicodedata import normalize

from msgspec import Struct

from sitepub.core.model import INDEX, SourcePath


class How(StrEnum):
    """How a path was found. `normalized`: the same name in another Unicode form. `directory`: its index page. `case`: not found, but
    a file differs by case alone. A browser that meets `case` or `missing` gets an error."""

    EXACT = "exact"
    NORMALIZED = "normalized"
    DIRECTORY = "directory"
    CASE = "case"
    MISSING = "missing"


class Found(Struct, frozen=True):
    """`path` names the file, with `case` the one that was probably meant."""

    path: SourcePath | None
    how: How

    @property
    def is_found(self) -> bool:
        return self.how not in (How.CASE, How.MISSING)


_MISSING = Found(None, How.MISSING)


class FileIndex:
    """The files of a site, to be found by the paths that URLs name. Of names that differ by form or case alone, the first one in order stands for all."""

    __slots__ = ("_folded", "_normalized", "_ordered", "paths")

    def __init__(self, paths: Iterable[SourcePath]) -> None:
        self.paths = frozenset[str](paths)
        self._ordered: Sequence[SourcePath] = sorted(cast(frozenset[SourcePath], self.paths), reverse=True)
        self._normalized = {normalize("NFC", path): path for path in self._ordered if not path.isascii()}
        self._folded: Mapping[str, SourcePath] | None = None

    def find(self, path: str) -> Found:
        """`path` as `resolve` gives it. A folder is found with and without its slash: web servers add it."""
        if path in self.paths:
            return Found(SourcePath(path), How.EXACT)
        if path and not path.endswith("/"):
            page = f"{path}/{INDEX}"
            return Found(SourcePath(page), How.DIRECTORY) if page in self.paths else self._find_similar(path)
        page = f"{path}{INDEX}"
        return Found(SourcePath(page), How.DIRECTORY) if page in self.paths else self._find_similar(page)

    def _find_similar(self, path: str) -> Found:
        if not path.isascii():
            similar = self._normalized.get(normalize("NFC", path))
            if similar is not None:
                return Found(similar, How.NORMALIZED)
        if self._folded is None:  # most sites miss nothing
            self._folded = {_fold(known): known for known in self._ordered}
        similar = self._folded.get(_fold(path))
        return Found(similar, How.CASE) if similar is not None else _MISSING


def _fold(path: str) -> str:
    """Without what case and form make different; `path` itself where that is nothing, which saves a text for most files."""
    folded = (path if path.isascii() else normalize("NFC", path)).casefold()
    return path if folded == path else folded
