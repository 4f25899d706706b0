"""What surveys together say: in time that grows with what they hold, not with the product of pages and files."""

from __future__ import annotations

from typing import SupportsIndex, overload

from sitepub.core.evidence import Evidence, Trace
from sitepub.core.file_index import FileIndex
from sitepub.core.model import SourcePath
from sitepub.core.survey import Survey

PAGES, MODULES = 60, 50


class CountedPaths(tuple[SourcePath, ...]):
    """Paths that count how often one is looked at."""

    looks = 0

    @overload
    def __getitem__(self, place: SupportsIndex) -> SourcePath: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[SourcePath, ...]: ...
    def __getitem__(self, place: SupportsIndex | slice) -> SourcePath | tuple[SourcePath, ...]:
        type(self).looks += 1
        return super().__getitem__(place)


def test_what_every_page_says_of_a_folder_is_looked_up_once() -> None:
    """The same import map and the same loader stand in all pages of a site."""
    modules = [f"js/{number:02}.js" for number in range(MODULES)]
    paths = CountedPaths(SourcePath(path) for path in sorted([*modules, *(f"p/{number:02}.html" for number in range(PAGES))]))
    evidence = Evidence(paths, FileIndex(paths))
    for page in reversed(range(MODULES, MODULES + PAGES)):
        evidence.add(page, Survey(prefixes=("js/",), patterns=(("js/1", ".js"),)), is_left_whole=False)
    CountedPaths.looks = 0
    evidence.settle()
    assert CountedPaths.looks < 4 * len(paths)
    first = MODULES
    assert evidence.unseen[0] == Trace(first, "an import map names its folder")
    assert evidence.unseen[10] == Trace(first, "a computed import can mean it")
    assert len(evidence.unseen) == MODULES
