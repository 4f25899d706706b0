"""Which modules each page's import map names: all that its scripts can import, however far down."""

from __future__ import annotations

from sitepub.core.edits import Edit
from sitepub.core.import_maps import write_map
from sitepub.core.names import Names
from sitepub.core.references import Language
from sitepub.core.urls import url_of
from sitepub.site_frame import Frame
from sitepub.site_survey import SiteSurvey


class ImportMaps:
    """Remembers what a set of scripts can import: the pages of a site load the same few."""

    __slots__ = ("_frame", "_gathered", "_known", "_names")

    def __init__(self, frame: Frame, gathered: SiteSurvey, names: Names) -> None:
        self._frame = frame
        self._gathered = gathered
        self._names = names
        self._known: dict[frozenset[int], tuple[int, ...]] = {}

    def write(self, page: int) -> tuple[tuple[Edit, ...], int]:
        """The edit that gives `page` its import map, and how many references come with it; none where its scripts import nothing."""
        place = self._gathered.map_places.get(page)
        if place is None:
            return (), 0
        modules = self._find_modules(page)
        if not modules:
            return (), 0
        root = self._frame.target.url_path
        entries = {url_of(self._frame.paths[number], root): url_of(self._names.keys[number], root) for number in modules}
        return (Edit(place[0], 0, write_map(entries, place[1])),), len(entries)

    def _find_modules(self, page: int) -> tuple[int, ...]:
        languages = self._gathered.languages
        targets = self._gathered.evidence.targets_of(page)
        scripts = frozenset(target for target in targets if languages.get(target) is Language.JAVASCRIPT)
        if scripts not in self._known:
            self._known[scripts] = self._follow(scripts)
        return self._known[scripts]

    def _follow(self, scripts: frozenset[int]) -> tuple[int, ...]:
        imports = self._gathered.evidence.imports
        imported: set[int] = set()
        waiting = list(scripts)
        while waiting:
            new = set(imports.get(waiting.pop(), ())) - imported
            imported |= new
            waiting += new
        return tuple(sorted(number for number in imported if number in self._names.keys))
