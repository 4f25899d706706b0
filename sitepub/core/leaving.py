"""What leads from a preview to the site itself: URLs that start at the host's root, or name the site's own host. Pure.

A site that is read below another path than its own shows, through these, what is published and not what is previewed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sitepub.core.headers import ERROR_PAGES
from sitepub.core.model import SourcePath
from sitepub.core.references.model import Scan, Use
from sitepub.core.urls import ResolvedKind, SiteUrls, resolve

FOLLOWED = frozenset({"a href", "area href", "button formaction", "form action", "input formaction"})
"""Links that readers follow. What only machines read (`canonical`, `og:url`) names the site itself by intention."""


class Leaving(NamedTuple):
    """`path` is what it leads to in the site itself; `line` 0: a string in a script. `is_sure`: a browser loads or follows just this."""

    line: int
    how: str
    url: str
    path: str
    is_sure: bool


def find_leaving(scan: Scan, page: SourcePath, here: SiteUrls, home: SiteUrls) -> tuple[Leaving, ...]:
    """`here`: where the preview stands, `home`: where the site itself does. The first of each path, in order."""
    found: dict[tuple[str, bool], Leaving] = {}
    for one in _find_all(scan, page, here, home):
        found.setdefault((one.path, one.is_sure), one)
    return tuple(found.values())


def _find_all(scan: Scan, page: SourcePath, here: SiteUrls, home: SiteUrls) -> Iterator[Leaving]:
    rooted = SiteUrls(home.url_path)  # a reader who follows a full URL of the site meant to go there
    for one in scan.references:
        if one.is_bare:
            continue
        is_loaded = one.use in (Use.LOAD, Use.MODULE)
        base = one.base if one.base is not None else scan.base
        path = _leave(one.url, page, base, here, home if is_loaded else rooted)
        if path is not None and (is_loaded or one.use is Use.OPAQUE or one.how in FOLLOWED or one.how == "meta content"):
            # an error page answers for any address of its host, and can't know where it stands
            yield Leaving(one.line, one.how, one.url, path, (is_loaded or one.how in FOLLOWED) and page not in ERROR_PAGES)
    for url in (*scan.registers, *scan.mentions):
        path = _leave(url, page, scan.base, here, rooted)
        if path:
            yield Leaving(0, "string", url, path, False)


def _leave(url: str, page: SourcePath, base: str | None, here: SiteUrls, home: SiteUrls) -> str | None:
    """The path in the site itself; None where it stays in the preview, or leads elsewhere."""
    if resolve(url, page=page, base=base, site=here).kind is ResolvedKind.INSIDE:
        return None
    found = resolve(url, page=page, base=base, site=home)
    return found.path if found.kind is ResolvedKind.INSIDE else None
