"""What one file's scan says about the site's other files: paths instead of URLs. Made where the file is read; survey_text.py writes it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from msgspec import Struct

from sitepub.core.headers import ERROR_PAGES
from sitepub.core.import_maps import MapForm, find_map_place
from sitepub.core.leaving import Leaving, find_leaving
from sitepub.core.model import INDEX, SourcePath
from sitepub.core.references import Language
from sitepub.core.references.model import SWITCHED, ImportMap, Reference, Scan, Use
from sitepub.core.revisions import find_revisions
from sitepub.core.urls import ResolvedKind, SiteUrls, resolve

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


class Survey(Struct, frozen=True):
    """One file. `count`: all of its references, those that leave the site too. `mentions`: pairs of a path read from the file's folder
    and from the site's root. `integrities`: spans of values and what they guard. `revisions`: the same of precache lists.

    `keys`: what import maps name, `scopes` those that follow a renamed file, `prefixes` the folders below which names must stay. `patterns`:
    begin and end of computed imports. `map_place`: where an import map of ours goes, asked for only where modules are named by one.

    `digests`: integrity values that stand where they can't be changed, `policies`: those in a Content-Security-Policy that is none of the
    page's own. `has_policy`: it has inline blocks, and a policy that names hashes. `switches_styles`: the page has stylesheets that are off at
    first, `names_styles`: a script looks for names of stylesheets, or puts them together.

    `unsteady`: line and URL of the first load that leads elsewhere where the page answers for other URLs than its own, of pages that may do
    so. `leaving`: what leads from a preview to the site itself. `is_pointer`: of Git LFS, which says nothing else."""

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
    is_pointer: bool = False


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
        """What leads from a preview to the site itself."""
        return () if self._home is None else find_leaving(scan, page, self._site, self._home)

    def _resolve(self, url: str, page: SourcePath, base: str | None) -> str | None:
        found = resolve(url, page=page, base=base, site=self._site)
        return found.path if found.kind is ResolvedKind.INSIDE else None


class _Standpoint(Struct, frozen=True):
    """One file, from which its URLs are read. `base`: what its `<base>` says."""

    resolver: Resolver
    page: SourcePath
    base: str | None

    def find(self, url: str, base: str | None = None) -> str | None:
        """The path in the site; None: it leads elsewhere or nowhere. `base`: where it is another than the file's."""
        return self.resolver.find(url, self.page, base if base is not None else self.base)

    def find_both(self, url: str) -> tuple[str, str]:
        """As seen from the file and from the root: a script resolves against whatever document runs it."""
        return self.find(url) or "", self.resolver.find(url, SourcePath(INDEX)) or ""

    def place(self, reference: Reference) -> Place | None:
        path = None if reference.is_bare else self.find(reference.url, reference.base)
        if path is None:
            return None
        return Place(reference.dot, path, reference.use, reference.how, reference.line, reference.is_optional)


def survey(scan: Scan, *, page: SourcePath, language: Language, body: bytes, resolver: Resolver, needs_map_place: bool = False) -> Survey:
    """Drops what leaves the site and turns the rest into paths. `needs_map_place`: modules are to be named by import maps."""
    here = _Standpoint(resolver, page, scan.base)
    is_script = language is Language.JAVASCRIPT
    # A script does not know its document: what resolves against that may be anywhere.
    strays = [reference.url for reference in scan.references if reference.use is Use.OPAQUE] if is_script else []
    placed = [here.place(reference) for reference in scan.references if not (strays and reference.use is Use.OPAQUE)]
    keys, scopes, prefixes = _split_keys(scan.import_maps, here.place)
    patterns = ((here.find(one.prefix or "./", one.base), one.suffix) for one in scan.patterns if one.prefix or one.suffix)
    revisions = find_revisions(body) if is_script else ()
    switches = not is_script and any(reference.how == SWITCHED for reference in scan.references)
    return Survey(
        problem=scan.problem,
        count=len(scan.references),
        places=tuple([one for one in placed if one is not None]),
        integrities=_keep_inside((one.start, one.end, here.find(one.url, one.base)) for one in scan.integrities),
        keys=keys,
        scopes=scopes,
        prefixes=prefixes,
        patterns=tuple((path, suffix) for path, suffix in patterns if path is not None),
        registers=tuple(path for url in scan.registers for path in here.find_both(url) if path),
        web_manifests=tuple(path for path in map(here.find, scan.web_manifests) if path),
        revisions=_keep_inside((start, end, here.find(url)) for start, end, url in revisions),
        mentions=tuple(dict.fromkeys(here.find_both(url) for url in (*strays, *scan.mentions))),
        digests=_find_digests(body, scan),
        policies=_find_policies(body) if language is Language.DATA else (),
        source_map=here.find(scan.source_map.url, scan.source_map.base) if scan.source_map else None,
        is_module=scan.is_module,
        is_service_worker=scan.is_service_worker,
        has_policy=bool(scan.policy_hashes and scan.inline),
        names_styles=(switches or is_script) and b".css" in body and _STYLE_NAMES.search(body) is not None,
        switches_styles=switches,
        map_place=find_map_place(body, scan) if needs_map_place and language is Language.HTML else None,
        encoding=scan.encoding,
        notes=scan.notes,
        unsteady=_find_unsteady(scan, page),
        leaving=resolver.find_leaving(scan, page),
    )


def _keep_inside(spans: Iterable[tuple[int, int, str | None]]) -> tuple[tuple[int, int, str], ...]:
    """Without those that lead to no path of the site."""
    return tuple((start, end, path) for start, end, path in spans if path is not None)


def _find_unsteady(scan: Scan, page: SourcePath) -> tuple[int, str] | None:
    """Servers answer with an error page for any URL, and some with a folder's page for its URL without the slash."""
    if page not in ERROR_PAGES and not page.endswith(f"/{INDEX}"):
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
