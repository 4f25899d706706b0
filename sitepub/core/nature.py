"""What a file's name alone says: that its URL must stay whatever refers to it, or that it has no place for a digest."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sitepub.core.model import SourcePath

PAGE_EXTENSIONS = frozenset({"htm", "html", "shtml", "xht", "xhtml"})

_STABLE_EXTENSIONS: Mapping[str, str] = {
    "atom": "feed readers know its URL",
    "map": "a source map is found by the name in its script",
    "rss": "feed readers know its URL",
    "webmanifest": "browsers know an app by the URL of its manifest",
}
_AT_ROOT = re.compile(
    r"favicon\.ico|apple-touch-icon[^/]*\.png|(?:robots|humans|ads|app-ads|security|llms|llms-full)\.txt|browserconfig\.xml|crossdomain\.xml"
)
_ANYWHERE: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"sitemap[^/]*\.(?:xml|xml\.gz|txt)"), "search engines know its URL"),
    (re.compile(r"(?:feed|rss|atom|index)[^/]*\.(?:xml|json)"), "feed readers know its URL"),
    (re.compile(r"(?:opensearch|osd)[^/]*\.xml"), "browsers know its URL"),
    (re.compile(r"(?:sw|service-worker|service_worker|serviceworker)\.m?js"), "a service worker keeps its URL for life"),
)


def is_page(path: SourcePath) -> bool:
    """By its extension. `.html` alone is no page: a name that starts with its only dot has no extension."""
    return path.rpartition(".")[2].lower() in PAGE_EXTENSIONS and has_place(path)


def has_place(path: SourcePath) -> bool:
    """Whether a digest can go before the last dot of its name."""
    return path.rpartition("/")[2].rfind(".") > 0


def find_nature(path: SourcePath) -> str | None:
    """Why the file keeps its URL, by its name; None: its name says nothing."""
    name = path.rpartition("/")[2]
    if not has_place(path):
        return "its name has no place for a digest"
    if is_page(path):
        return "readers know the URLs of pages"
    if path.startswith(".well-known/"):
        return "its URL is fixed by a standard"
    if name == path and _AT_ROOT.fullmatch(name):
        return "browsers and robots ask for it by this name"
    by_extension = _STABLE_EXTENSIONS.get(name.rpartition(".")[2].lower())
    return by_extension or next((reason for pattern, reason in _ANYWHERE if pattern.fullmatch(name.lower())), None)


def insert_digest(path: SourcePath, digest: str) -> str:
    """`css/app.css` and `3f9a` make `css/app.3f9a.css`."""
    stem, _, extension = path.rpartition(".")
    return f"{stem}.{digest}.{extension}"
