"""Which file of the site a path leads to, as web servers answer: by its name, its folder's page, or another form of its name. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
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


class FileIndex(Struct, frozen=True):
    """The files of a site, to be found by the paths that URLs name. Built once, with `index_files`."""

    paths: frozenset[str]
    normalized: Mapping[str, SourcePath]
    folded: Mapping[str, SourcePath]

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
            similar = self.normalized.get(normalize("NFC", path))
            if similar is not None:
                return Found(similar, How.NORMALIZED)
        similar = self.folded.get(_fold(path))
        return Found(similar, How.CASE) if similar is not None else _MISSING


def index_files(paths: Iterable[SourcePath]) -> FileIndex:
    """Of names that differ by form or case alone, the first one in order stands for all."""
    ordered = sorted(paths, reverse=True)
    forms = {normalize("NFC", path): path for path in ordered if not path.isascii()}
    folded = {_fold(path): path for path in ordered}
    return FileIndex(frozenset(ordered), forms, folded)


def _fold(path: str) -> str:
    """Without what case and form make different; `path` itself where that is nothing, which saves a text for most files."""
    folded = (path if path.isascii() else normalize("NFC", path)).casefold()
    return path if folded == path else folded
