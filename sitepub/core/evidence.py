"""Gathers what all surveys together say about each file: who loads it, and what may reach it unseen. The order of surveys is of no account."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from enum import IntEnum

from msgspec import Struct

from sitepub.core.file_index import FileIndex, How
from sitepub.core.model import SourcePath
from sitepub.core.references import Language, language_of
from sitepub.core.references.model import Use
from sitepub.core.survey import Place, Survey


class Trait(IntEnum):
    """What is known of a file. LOADED can be rewritten where it stands, LOADED_AS_IS can't; UNSEEN: a module that something reaches under
    its plain name in a way that can't be rewritten; SERVICE_WORKER: it looks like one, REGISTERED: it is one, LISTING: it lists
    revisions of other files, SWITCHED: a stylesheet of a page that a script switches by name. Bits to be combined, as plain numbers: flags
    of the standard library cost a microsecond each."""

    LOADED = 1
    LOADED_AS_IS = 2
    MODULE = 4
    LINKED = 8
    OPAQUE = 16
    MENTIONED = 32
    UNSEEN = 64
    SERVICE_WORKER = 128
    WEB_MANIFEST = 256
    REGISTERED = 512
    LISTING = 1024
    SWITCHED = 2048


class Trace(Struct, frozen=True, order=True):
    """Who refers to a file, and how; the first one in path order stands for all."""

    referrer: int
    how: str


class Missing(Struct, frozen=True, order=True):
    """A reference that leads to no file. `similar`: one whose name differs by case alone."""

    referrer: int
    line: int
    path: str
    similar: SourcePath | None = None


_NO_EDGES: array[int] = array("q")
MOST_MISSING = 1000
"""How many references to nothing are kept: a template's mistake stands in every page."""


class Evidence:
    """Filled by `add`, once for each file, then by `settle`; after that it is only read. Files go by their number in path order.

    `switched`: for each SWITCHED file a script that looks for names of stylesheets, and a page that has some that are off at first.
    `has_maps`: specifiers in scripts stay as they are, and import maps in pages lead to hashed names; a page that can't have one keeps plain
    names, which are a module map of their own there. `edges`: offset and file by turns, see `edges_of`; `imports`: files that an import map
    leads to.
    """

    __slots__ = (
        "_has_maps",
        "_index",
        "_missed",
        "_patterns",
        "_prefixes",
        "_style_namer",
        "_switched",
        "_tails",
        "edges",
        "imports",
        "loaders",
        "missing",
        "missing_count",
        "numbers",
        "paths",
        "spellings",
        "switched",
        "traits",
        "unseen",
    )

    def __init__(self, paths: tuple[SourcePath, ...], index: FileIndex, *, has_maps: bool = False) -> None:
        self.paths = paths
        self.numbers: Mapping[str, int] = {path: number for number, path in enumerate(paths)}
        self._index = index
        self._has_maps = has_maps
        self.imports: dict[int, array[int]] = {}
        self.traits = array("H", bytes(2 * len(paths)))
        self.edges: dict[int, array[int]] = {}
        self.loaders: dict[int, Trace] = {}
        self.unseen: dict[int, Trace] = {}
        self.missing: list[Missing] = []
        self.missing_count = 0
        self._missed: dict[tuple[int, str], Missing] = {}
        self.spellings: dict[str, int] = {}
        self._patterns: dict[tuple[str, str], int] = {}  # and the first file that says so: a map or a loader may stand in every page
        self._prefixes: dict[str, int] = {}
        self._tails: set[str] = set()
        self._style_namer: int | None = None
        self._switched: dict[int, int] = {}
        self.switched: dict[int, tuple[int, int]] = {}

    def add(self, referrer: int, survey: Survey, *, is_left_whole: bool) -> None:
        """`is_left_whole`: nothing in the file will be edited, so all that it refers to keeps its plain name."""
        is_whole = is_left_whole or survey.problem is not None
        self._note(referrer, survey)
        edges = array("q")
        for place in survey.places:
            is_named_by_map = self._has_maps and place.use is Use.MODULE and survey.map_place is None
            self._add_place(referrer, place, edges, is_whole=is_whole, is_named_by_map=is_named_by_map)
        if self._missed:
            self._keep_missed()
        for place in survey.scopes:
            target = self.numbers.get(place.path)
            if target is not None and place.dot >= 0 and not is_whole:
                edges.extend((place.dot, target))
        if edges:
            self.edges[referrer] = edges
        if survey.switches_styles:
            self._note_styles(referrer, edges)
        if survey.names_styles:
            self._style_namer = referrer if self._style_namer is None else min(self._style_namer, referrer)
        for path in survey.keys:
            self._reach_unseen(path, referrer, "an import map names it")
        for prefix in survey.prefixes:
            self._prefixes[prefix] = min(referrer, self._prefixes.get(prefix, referrer))
        for pattern in survey.patterns:
            self._patterns[pattern] = min(referrer, self._patterns.get(pattern, referrer))
        for pair in survey.mentions:
            self._tails.add(pair[1])
            for path in pair:
                self._mention(path, referrer)

    def settle(self) -> None:
        """Once every file is in: what a computed import or a folder in an import map may mean."""
        for (begin, end), referrer in self._patterns.items():
            for number in self._below(begin):
                if self.paths[number].endswith(end):
                    self._reach_unseen(self.paths[number], referrer, "a computed import can mean it")
        for prefix, referrer in self._prefixes.items():
            for number in self._below(prefix):
                self._reach_unseen(self.paths[number], referrer, "an import map names its folder")
        self._mark_tails()
        self._mark_switched()
        self._trim_missing()

    def has(self, number: int, traits: int) -> bool:
        """Whether the file has any of the `traits`, combined by `|`."""
        return bool(self.traits[number] & traits)

    def find(self, path: str) -> int | None:
        """The file that a path leads to, as a browser is answered."""
        found = self._index.find(path)
        return self.numbers.get(found.path or "") if found.is_found else None

    def targets_of(self, referrer: int) -> array[int]:
        """What the file loads from where it can be rewritten, repeated where it does so more than once."""
        return self.edges.get(referrer, _NO_EDGES)[1::2]

    def loads_of(self, referrer: int) -> array[int]:
        """As targets_of, and what an import map leads to."""
        return self.targets_of(referrer) + self.imports.get(referrer, _NO_EDGES)

    def edges_of(self, referrer: int) -> Iterator[tuple[int, int]]:
        """(offset of the place for a digest, file)."""
        flat = self.edges.get(referrer, _NO_EDGES)
        return zip(flat[::2], flat[1::2])

    def _note(self, number: int, survey: Survey) -> None:
        if survey.is_module:
            self.traits[number] |= Trait.MODULE
        if survey.revisions:
            self.traits[number] |= Trait.LISTING
        if survey.is_service_worker:
            self.traits[number] |= Trait.SERVICE_WORKER
        for trait, paths in ((Trait.REGISTERED, survey.registers), (Trait.WEB_MANIFEST, survey.web_manifests)):
            for path in paths:
                if path in self.numbers:
                    self.traits[self.numbers[path]] |= trait

    def _keep_missed(self) -> None:
        """The first ones in order of path and line, of however many there are."""
        self.missing_count += len(self._missed)
        self.missing.extend(self._missed.values())
        self._missed.clear()
        if len(self.missing) > 2 * MOST_MISSING:
            self._trim_missing()

    def _trim_missing(self) -> None:
        self.missing.sort()
        del self.missing[MOST_MISSING:]

    def _add_place(self, referrer: int, place: Place, edges: array[int], *, is_whole: bool, is_named_by_map: bool) -> None:
        is_loading = place.use is Use.LOAD or place.use is Use.MODULE
        target = self.numbers.get(place.path)
        is_exact = target is not None
        if target is None:
            target = self._find_otherwise(referrer, place, is_missed=is_loading and not place.is_optional and not is_whole)
            if target is None:
                return
        if place.use is Use.MODULE:
            self.traits[target] |= Trait.MODULE
        if not is_loading:
            self.traits[target] |= Trait.LINKED if place.use is Use.LINK else Trait.OPAQUE
            if place.use is Use.OPAQUE:
                self._reach_unseen(self.paths[target], referrer, "it is named where nothing can be rewritten")
        elif is_whole or place.dot < 0 or not is_exact:
            self.traits[target] |= Trait.LOADED_AS_IS
            self._reach_unseen(self.paths[target], referrer, f"it is loaded ({place.how}) from what is left as it is")
        elif is_named_by_map and language_of(self.paths[referrer]) is not Language.JAVASCRIPT:
            self.traits[target] |= Trait.LOADED_AS_IS
        else:
            self.traits[target] |= Trait.LOADED
            _keep_first(self.loaders, target, referrer, place.how)
            if is_named_by_map:
                self.imports.setdefault(referrer, array("q")).append(target)
            else:
                edges.extend((place.dot, target))

    def _find_otherwise(self, referrer: int, place: Place, *, is_missed: bool) -> int | None:
        """The file of a path that is not its own: of a folder, or its name in another form. `is_missed`: none is worth a warning."""
        found = self._index.find(place.path)
        if not found.is_found:
            if is_missed:
                self._missed.setdefault((place.line, place.path), Missing(referrer, place.line, place.path, found.path))
            return None
        target = self.numbers.get(found.path or "")
        if target is not None and found.how is How.NORMALIZED:
            self.spellings.setdefault(place.path, target)
        return target

    def _mention(self, path: str, referrer: int) -> None:
        number = self.numbers.get(path)
        if number is not None and number != referrer:
            self.traits[number] |= Trait.MENTIONED
            self._reach_unseen(path, referrer, "a string mentions it")

    def _mark_tails(self) -> None:
        """A path in a script may be put behind any folder: it mentions every file that ends with it."""
        for number, path in enumerate(self.paths):
            at = path.find("/")
            while at >= 0:
                if path[at + 1 :] in self._tails:
                    self.traits[number] |= Trait.MENTIONED
                    break
                at = path.find("/", at + 1)

    def _note_styles(self, page: int, edges: array[int]) -> None:
        for target in edges[1::2]:
            if self.paths[target].endswith(".css"):
                self._switched[target] = min(page, self._switched.get(target, page))

    def _mark_switched(self) -> None:
        """Scripts that switch themes compare the URLs of links with names that they put together."""
        if self._style_namer is None:
            return
        for number, page in self._switched.items():
            self.traits[number] |= Trait.SWITCHED
            self.switched[number] = (self._style_namer, page)

    def _reach_unseen(self, path: str, referrer: int, how: str) -> None:
        number = self.numbers.get(path)
        if number is not None:
            self.traits[number] |= Trait.UNSEEN
            _keep_first(self.unseen, number, referrer, how)

    def _below(self, prefix: str) -> range:
        """The files whose paths start with `prefix`; surrogates sort as they do in paths."""
        return range(bisect_left(self.paths, prefix), bisect_left(self.paths, prefix + "\U0010ffff"))


def _keep_first(traces: dict[int, Trace], number: int, referrer: int, how: str) -> None:
    known = traces.get(number)
    if known is None or (referrer, how) < (known.referrer, known.how):
        traces[number] = Trace(referrer, how)
