"""What one file's scan says about the site's other files: paths instead of URLs, few enough bytes for a million files.

Made where the file is read, as one JSON text: it travels between processes and stands in the cache just so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sitepub.core.headers import ERROR_PAGES
from sitepub.core.import_maps import MapForm, find_map_place
from sitepub.core.leaving import Leaving, find_leaving
from sitepub.core.model import SourcePath
from sitepub.core.references import Language
from sitepub.core.references.model import SWITCHED, ImportMap, Reference, Scan, Use
from sitepub.core.revisions import find_revisions
from sitepub.core.urls import ResolvedKind, SiteUrls, resolve

USES: tuple[Use, ...] = (Use.LOAD, Use.MODULE, Use.LINK, Use.OPAQUE)
_USE_NUMBERS: Mapping[Use, int] = {use: number for number, use in enumerate(USES)}
PLAIN_KEYS = frozenset("nret")
"""What is said of most pages: how many references, which, an encoding, and the words of these."""
_COMPACT = json.JSONEncoder(separators=(",", ":"))
_STYLE_NAMES = re.compile(rb"\\\.css|[\"'`]\.css[\"'`]")
_FIXED = re.compile(r"[/\\]|[A-Za-z][A-Za-z0-9+.-]*:")
_POLICY_DIGEST = re.compile(rb"'(sha(?:256|384|512)-[A-Za-z0-9+/_-]{43,86}={0,2})'")
_DIGEST = re.compile(rb"sha(?:256|384|512)-[A-Za-z0-9+/_-]{43,86}={0,2}")


class Place(NamedTuple):
    """One reference to a path of the site, as a tuple, since there are many. `dot`: where a digest goes, -1 where it can't. `how` in a
    user's words."""

    dot: int
    path: str
    use: Use
    how: str
    line: int
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class Survey:
    """One file. `count`: all of its references, those that leave the site too. `mentions`: pairs of a path read from the file's folder
    and from the site's root. `integrities`: spans of values and what they guard. `revisions`: the same of precache lists.

    `keys`: what import maps name, `scopes` those that follow a renamed file, `prefixes` the folders below which names must stay. `patterns`:
    begin and end of computed imports. `map_place`: where an import map of ours goes, asked for only where modules are named by one.

    `digests`: integrity values that stand where they can't be changed, `policies`: those in a Content-Security-Policy that is none of the
    page's own. `has_policy`: it has inline blocks, and a policy that names hashes. `switches_styles`: the page has stylesheets that are off at
    first, `names_styles`: a script looks for names of stylesheets, or puts them together.

    `unsteady`: line and URL of the first load that leads elsewhere where the page answers for other URLs than its own, of pages that may do
    so. `leaving`: what leads from a preview to the site itself."""

    problem: str | None = None
    count: int = 0
    places: tuple[Place, ...] = ()
    integrities: tuple[tuple[int, int, str], ...] = ()
    keys: tuple[str, ...] = ()
    scopes: tuple[Place, ...] = ()
    prefixes: tuple[str, ...] = ()
    patterns: tuple[tuple[str, str], ...] = ()
    registers: tuple[str, ...] = ()
    web_manifests: tuple[str, ...] = ()
    revisions: tuple[tuple[int, int, str], ...] = ()
    mentions: tuple[tuple[str, str], ...] = ()
    digests: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    source_map: str | None = None
    is_module: bool = False
    is_service_worker: bool = False
    has_policy: bool = False
    names_styles: bool = False
    switches_styles: bool = False
    map_place: tuple[int, MapForm] | None = None
    encoding: str | None = None
    notes: tuple[str, ...] = ()
    unsteady: tuple[int, str] | None = None
    leaving: tuple[Leaving, ...] = ()


class Resolver:
    """Remembers where URLs lead: the pages of one folder share most of theirs."""

    __slots__ = ("_home", "_known", "_site")

    def __init__(self, site: SiteUrls, home: SiteUrls | None = None) -> None:
        """`home`: where the site itself stands, where `site` is a preview of it."""
        self._site = site
        self._home = home
        self._known: dict[tuple[str, str], str | None] = {}

    def find(self, url: str, page: SourcePath, base: str | None = None) -> str | None:
        """The path in the site that `url` names; None: it leads elsewhere or nowhere."""
        if base is not None or url[:1] in ("", "?", " "):
            return self._resolve(url, page, base)
        place = (page[: page.rfind("/") + 1], url)
        try:
            return self._known[place]
        except KeyError:
            return self._known.setdefault(place, self._resolve(url, page, None))

    def find_leaving(self, scan: Scan, page: SourcePath) -> tuple[Leaving, ...]:
        return () if self._home is None else find_leaving(scan, page, self._site, self._home)

    def _resolve(self, url: str, page: SourcePath, base: str | None) -> str | None:
        found = resolve(url, page=page, base=base, site=self._site)
        return found.path if found.kind is ResolvedKind.INSIDE else None


def survey(scan: Scan, *, page: SourcePath, language: Language, body: bytes, resolver: Resolver, needs_map_place: bool = False) -> Survey:
    """Drops what leaves the site and turns the rest into paths."""

    def find(url: str, base: str | None) -> str | None:
        return resolver.find(url, page, base if base is not None else scan.base)

    def place(reference: Reference) -> Place | None:
        path = None if reference.is_bare else find(reference.url, reference.base)
        if path is None:
            return None
        return Place(reference.dot, path, reference.use, reference.how, reference.line, reference.is_optional)

    # A script does not know its document: what resolves against that may be anywhere.
    strays = [reference.url for reference in scan.references if reference.use is Use.OPAQUE] if language is Language.JAVASCRIPT else []
    placed = [place(reference) for reference in scan.references if not (strays and reference.use is Use.OPAQUE)]
    guarded = ((one.start, one.end, find(one.url, one.base)) for one in scan.integrities)
    keys, scopes, prefixes = _split_keys(scan.import_maps, place)
    patterns = (
        (find(pattern.prefix or "./", pattern.base), pattern.suffix) for pattern in scan.patterns if pattern.prefix or pattern.suffix
    )
    revisions = find_revisions(body) if language is Language.JAVASCRIPT else ()
    revised = ((start, end, find(url, None)) for start, end, url in revisions)
    switches = language is not Language.JAVASCRIPT and any(reference.how == SWITCHED for reference in scan.references)
    return Survey(
        problem=scan.problem,
        count=len(scan.references),
        places=tuple([one for one in placed if one is not None]),
        integrities=tuple((start, end, path) for start, end, path in guarded if path is not None),
        keys=keys,
        scopes=scopes,
        prefixes=prefixes,
        patterns=tuple((path, suffix) for path, suffix in patterns if path is not None),
        registers=tuple(path for url in scan.registers for path in _find_both(url, page, scan.base, resolver) if path),
        web_manifests=tuple(path for path in (find(url, None) for url in scan.web_manifests) if path),
        revisions=tuple((start, end, path) for start, end, path in revised if path is not None),
        mentions=tuple(dict.fromkeys(_find_both(url, page, scan.base, resolver) for url in (*strays, *scan.mentions))),
        digests=_find_digests(body, scan),
        policies=_find_policies(body) if language is Language.DATA else (),
        source_map=find(scan.source_map.url, scan.source_map.base) if scan.source_map else None,
        is_module=scan.is_module,
        is_service_worker=scan.is_service_worker,
        has_policy=bool(scan.policy_hashes and scan.inline),
        names_styles=(switches or language is Language.JAVASCRIPT) and b".css" in body and _STYLE_NAMES.search(body) is not None,
        switches_styles=switches,
        map_place=find_map_place(body, scan) if needs_map_place and language is Language.HTML else None,
        encoding=scan.encoding,
        notes=scan.notes,
        unsteady=_find_unsteady(scan, page),
        leaving=resolver.find_leaving(scan, page),
    )


def encode_survey(found: Survey) -> bytes:
    """Compact: paths and words stand once, each reference is six numbers."""
    table: dict[str, int] = {}

    def rows(places: tuple[Place, ...]) -> list[int]:
        flat: list[int] = []
        for dot, path, use, how, line, is_optional in places:
            flat += (dot, table.setdefault(path, len(table)), _USE_NUMBERS[use], table.setdefault(how, len(table)), line, +is_optional)
        return flat

    text: dict[str, Any] = {
        "n": found.count,
        "r": rows(found.places),
        "s": rows(found.scopes),
        "i": found.integrities,
        "k": found.keys,
        "x": found.prefixes,
        "p": found.patterns,
        "g": found.registers,
        "w": found.web_manifests,
        "v": found.revisions,
        "m": found.mentions,
        "d": found.digests,
        "q": found.policies,
        "u": found.source_map,
        "f": sum(flag << bit for bit, flag in enumerate(_flags_of(found))),
        "e": found.encoding,
        "j": found.map_place,
        "o": found.notes,
        "y": found.unsteady,
        "l": found.leaving,
        "!": found.problem,
    }
    text["t"] = list(table)
    return _COMPACT.encode({key: value for key, value in text.items() if value}).encode("ascii")


def _flags_of(found: Survey) -> tuple[bool, ...]:
    return found.is_module, found.is_service_worker, found.has_policy, found.names_styles, found.switches_styles


def decode_survey(encoded: bytes) -> Survey:
    """The inverse of encode_survey."""
    text: dict[str, Any] = json.loads(encoded.decode("ascii"))  # from bytes it would guess
    table, flags = text.get("t", []), text.get("f", 0)

    def places(flat: list[int]) -> tuple[Place, ...]:
        rows = zip(flat[::6], flat[1::6], flat[2::6], flat[3::6], flat[4::6], flat[5::6])
        return tuple([Place(dot, table[path], USES[use], table[how], line, bool(optional)) for dot, path, use, how, line, optional in rows])

    if text.keys() <= PLAIN_KEYS:
        return Survey(count=text.get("n", 0), places=places(text.get("r", [])), encoding=text.get("e"))
    return Survey(
        problem=text.get("!"),
        count=text.get("n", 0),
        places=places(text.get("r", [])),
        integrities=tuple((start, end, path) for start, end, path in text.get("i", ())),
        keys=tuple(text.get("k", ())),
        scopes=places(text.get("s", [])),
        prefixes=tuple(text.get("x", ())),
        patterns=tuple((begin, end) for begin, end in text.get("p", ())),
        registers=tuple(text.get("g", ())),
        web_manifests=tuple(text.get("w", ())),
        revisions=tuple((start, end, path) for start, end, path in text.get("v", ())),
        mentions=tuple((near, rooted) for near, rooted in text.get("m", ())),
        digests=tuple(text.get("d", ())),
        policies=tuple(text.get("q", ())),
        source_map=text.get("u"),
        is_module=bool(flags & 1),
        is_service_worker=bool(flags & 2),
        has_policy=bool(flags & 4),
        names_styles=bool(flags & 8),
        switches_styles=bool(flags & 16),
        map_place=(text["j"][0], MapForm(text["j"][1])) if "j" in text else None,
        encoding=text.get("e"),
        notes=tuple(text.get("o", ())),
        unsteady=(text["y"][0], text["y"][1]) if "y" in text else None,
        leaving=tuple(Leaving(*one) for one in text.get("l", ())),
    )


def _find_unsteady(scan: Scan, page: SourcePath) -> tuple[int, str] | None:
    """Servers answer with an error page for any URL, and some with a folder's page for its URL without the slash."""
    if page not in ERROR_PAGES and not page.endswith("/index.html"):
        return None
    if scan.base is not None and _FIXED.match(scan.base):
        return None
    loads = (one for one in scan.references if one.use in (Use.LOAD, Use.MODULE) and not one.is_bare and not one.is_optional)
    return next(((one.line, one.url) for one in loads if not _FIXED.match(one.base or one.url)), None)


def _find_digests(body: bytes, scan: Scan) -> tuple[str, ...]:
    """Those that are neither an attribute's, an import map's nor a policy's."""
    if _DIGEST.search(body) is None:
        return ()
    known = [(one.start, one.end) for one in scan.integrities] + [(one.start - 8, one.end) for one in scan.policy_hashes]
    found = (one for one in _DIGEST.finditer(body) if not any(start <= one.start() < end for start, end in known))
    return tuple(dict.fromkeys(one.group().decode("ascii") for one in found))


def _find_policies(body: bytes) -> tuple[str, ...]:
    """A policy has its hashes in single quotes, which JSON and headers have for nothing else."""
    if b"'sha" not in body:
        return ()
    return tuple(dict.fromkeys(one.group(1).decode("ascii") for one in _POLICY_DIGEST.finditer(body)))


def _split_keys(
    import_maps: tuple[ImportMap, ...], place: Callable[[Reference], Place | None]
) -> tuple[tuple[str, ...], tuple[Place, ...], tuple[str, ...]]:
    """What import maps name: modules whose own URL is a key, files whose URL is a scope, and folders."""
    keys: list[str] = []
    scopes: list[Place] = []
    prefixes: list[str] = []
    for import_map in import_maps:
        for reference in (*import_map.keys, *import_map.prefixes):
            found = place(reference)
            if found is None:
                continue
            if reference.how == "import map scope":
                scopes.append(found)
            elif found.path.endswith("/") or not found.path:
                prefixes.append(found.path)
            else:
                keys.append(found.path)
    return tuple(dict.fromkeys(keys)), tuple(scopes), tuple(dict.fromkeys(prefixes))


def _find_both(url: str, page: SourcePath, base: str | None, resolver: Resolver) -> tuple[str, str]:
    """As seen from the file and from the root: a script resolves against whatever document runs it."""
    return resolver.find(url, page, base) or "", resolver.find(url, SourcePath("index.html")) or ""
