"""What happens to a visitor's request before it reaches the store: redirects, folders' pages, clean URLs. The rules of the edge function that
`up` makes and of the local server. Pure; a path is as the browser sent it, percent-encoded, without its query.

A page has one URL at which an edge stores it, the stored key's: every other URL of it is rewritten to that or redirected. The edge function
(edge_function.py) is these rules in JavaScript.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote

from msgspec import Struct, field

from sitepub.core.model import INDEX
from sitepub.core.redirects import redirect_key, redirect_target
from sitepub.core.settings import Redirect, UrlStyle
from sitepub.core.urls import decode, url_of

ERROR_PAGE = "404.html"

SECURITY_HEADERS = (
    ("Referrer-Policy", "strict-origin-when-cross-origin"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "SAMEORIGIN"),
)
"""Added to every answer of a distribution (CloudFront's managed SecurityHeadersPolicy), beside Strict-Transport-Security."""

COMPRESSED_BYTES = range(1_000, 10_000_001)
"""A distribution compresses what is as large as this, and of these types:
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/ServingCompressedFiles.html"""

_COMPRESSED_TYPES = frozenset(
    [
        "application/dash+xml",
        "application/eot",
        "application/font",
        "application/font-sfnt",
        "application/javascript",
        "application/json",
        "application/opentype",
        "application/otf",
        "application/pdf",
        "application/pkcs7-mime",
        "application/protobuf",
        "application/rss+xml",
        "application/truetype",
        "application/ttf",
        "application/vnd.apple.mpegurl",
        "application/vnd.mapbox-vector-tile",
        "application/vnd.ms-fontobject",
        "application/wasm",
        "application/xhtml+xml",
        "application/xml",
        "application/x-font-opentype",
        "application/x-font-truetype",
        "application/x-font-ttf",
        "application/x-httpd-cgi",
        "application/x-javascript",
        "application/x-mpegurl",
        "application/x-opentype",
        "application/x-otf",
        "application/x-perl",
        "application/x-ttf",
        "font/eot",
        "font/opentype",
        "font/otf",
        "font/ttf",
        "image/svg+xml",
        "text/css",
        "text/csv",
        "text/html",
        "text/javascript",
        "text/js",
        "text/plain",
        "text/richtext",
        "text/tab-separated-values",
        "text/xml",
        "text/x-component",
        "text/x-java-source",
        "text/x-script",
        "vnd.apple.mpegurl",
    ]
)

FILE_NAME = r"\.[0-9]{0,4}[A-Za-z][A-Za-z0-9]{0,14}$"
"""The end of a last segment that names a file, not a folder: `v1.2` and `release-1.10` are folders. Read by JavaScript too."""

HIDDEN = "/.sitepub/"
"""Asked of the store for all that is sitepub's own: there is no such key, so that visitors get the page for what is missing."""

_FILE_NAME = re.compile(FILE_NAME)
_OWN = re.compile(r"/\.sitepub(/|$)")
_NOT_IN_HEADERS = re.compile(r"[^!-~]+")


class EdgeRules(Struct, frozen=True):
    """`redirects`: by the encoded path that is asked for, and for a page of a folder by its folder too. `url_path` starts and ends with `/`.
    Both as `tidy` writes paths."""

    url_path: str = "/"
    url_style: UrlStyle = UrlStyle.DIRECTORY
    redirects: Mapping[str, Moved] = field(default_factory=dict)


class Moved(Struct, frozen=True):
    """An answer that sends the visitor on. `location` is a full URL, or a path from the host's root."""

    status: int
    location: str


def make_edge_rules(redirects: Iterable[Redirect], *, url_path: str, url_style: UrlStyle) -> EdgeRules:
    """Raises ConfigurationError `bad-redirect`."""
    table: dict[str, Moved] = {}
    for redirect in redirects:
        path = tidy(url_of(redirect_key(redirect.source, url_path), url_path))
        moved = Moved(redirect.status, redirect_target(redirect, url_path))
        table[path] = moved
        if path.endswith(f"/{INDEX}"):
            table[path.removesuffix(INDEX)] = moved
    return EdgeRules(tidy(url_path), url_style, table)


def tidy(path: str) -> str:
    """The one way to write a path: it starts with one slash and holds no two in a row (a visitor who is sent to `//other.org/` leaves the
    site), and only what must be is escaped, in upper case."""
    return re.sub("/{2,}", "/", url_of(decode(f"/{path}"), ""))


def route(path: str, rules: EdgeRules) -> str | Moved:
    """The path that the store is asked for, or where the visitor is sent on, from any path that one may ask for."""
    path = tidy(path)
    if _OWN.search(path):
        return HIDDEN
    if path.startswith(rules.url_path):
        routed = _route_tidy(path, rules)
    else:
        routed = Moved(302, rules.url_path) if path == "/" or f"{path}/" == rules.url_path else path
    # S3 reads `+` as a space: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
    return routed.replace("+", "%2B") if isinstance(routed, str) else routed


def _route_tidy(path: str, rules: EdgeRules) -> str | Moved:
    """`.well-known/` is left as it is: what stands there has no endings."""
    moved = rules.redirects.get(path)
    if moved is not None:
        return moved
    segment = path[path.rindex("/") + 1 :]
    if not segment:
        return path + INDEX
    if _FILE_NAME.search(segment) or path.startswith(f"{rules.url_path}.well-known/"):
        return path
    moved = rules.redirects.get(f"{path}/")
    if moved is not None:
        return moved
    if rules.url_style is UrlStyle.FILE:
        return f"{path}.html"
    if rules.url_style is UrlStyle.BOTH:
        return f"{path}/{INDEX}"
    return Moved(301, f"{path}/")


def locate(moved: Moved, query: str) -> str:
    """What Location says. The visitor's query (raw, without `?`) goes along unless the target brings its own."""
    if not query or "?" in moved.location:
        return moved.location
    kept = _NOT_IN_HEADERS.sub(lambda found: quote(found.group(), safe="", errors="surrogateescape"), query)
    path, mark, fragment = moved.location.partition("#")
    return f"{path}?{kept}{mark}{fragment}"


def find_key(path: str, url_path: str) -> str | None:
    """The key that a path leads to, once routed; None where it is beside the mount, or names nothing that could be a key."""
    if not path.startswith(url_path):
        return None
    key = decode(path[len(url_path) :])
    return key if key and not key.startswith(".sitepub/") and "/.sitepub/" not in key else None


def is_out_of_reach(key: str, rules: EdgeRules) -> bool:
    """No URL leads to it: its name has no ending, so it is taken for a folder or a page."""
    path = url_of(key, rules.url_path)
    if tidy(path) in rules.redirects:
        return False
    routed = route(path, rules)
    return isinstance(routed, Moved) or find_key(routed, rules.url_path) != key


def is_compressed(content_type: str) -> bool:
    """Whether a distribution compresses it for visitors that accept that."""
    return content_type.partition(";")[0].strip().lower() in _COMPRESSED_TYPES
