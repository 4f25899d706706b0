"""Where a URL in a page leads: inside the site, beside its mount, elsewhere, nowhere. As browsers resolve it (https://url.spec.whatwg.org/).

Pure and without memory: callers that see the same URL on many pages remember the answer.
"""

from __future__ import annotations

import re
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from sitepub.core.model import SourcePath


class ResolvedKind(StrEnum):
    """INSIDE the site, OUTSIDE_MOUNT on its host but not below its path, EXTERNAL (other host or scheme), NONE: nothing is fetched."""

    INSIDE = "inside"
    OUTSIDE_MOUNT = "outside mount"
    EXTERNAL = "external"
    NONE = "none"


class Resolved(Struct, frozen=True):
    """`path`: decoded, below the mount (INSIDE) or below the host (OUTSIDE_MOUNT), without its leading slash; '' is the root. It may
    end with `/`. A `%2F` is no separator and no file name can hold it: it reads as NUL."""

    kind: ResolvedKind
    path: str = ""
    has_query: bool = False


class SiteUrls(Struct, frozen=True):
    """Where visitors find the site. `url_path` starts and ends with `/`; `domains` are its hosts, with a port where it is not the default."""

    url_path: str = "/"
    domains: tuple[str, ...] = ()


class _Location(Struct, frozen=True):
    """An absolute URL. `segments` are decoded: all that stands between slashes. `is_own`: one of the site's hosts."""

    scheme: str
    segments: tuple[str, ...] = ("",)
    has_query: bool = False
    is_own: bool = True


_EXTERNAL = Resolved(ResolvedKind.EXTERNAL)
_NOWHERE = Resolved(ResolvedKind.NONE)
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_NEEDS_CARE = re.compile(r"[:%\\?#\x00-\x1f]|^ |^//| $|^$")
_ENDS = "".join(map(chr, range(0x21)))  # C0 controls and space
_BREAKS = str.maketrans("", "", "\t\n\r")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_PARTS = re.compile(r"([^?#]*)(\?[^#]*)?")
_AUTHORITY = re.compile(r"[/\\]*([^/\\]*)(.*)", re.DOTALL)
_SLASHES = re.compile(r"[/\\]")
_TWO_SLASHES = re.compile(r"[/\\]{2}")
_ROOT = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*:)?([/\\]{2,}[^/\\?#]*)?")
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_UNSAFE = re.compile(rb"[^A-Za-z0-9._~!$&'()*+,;=:@/-]")  # all but RFC 3986 pchar and the slash
_ENCODED_DOT = re.compile(r"%2e", re.IGNORECASE)


def resolve(url: str, *, page: SourcePath, base: str | None, site: SiteUrls) -> Resolved:
    """Resolves `url` as found in the file `page`; `base` is what its `<base>` or `xml:base` says, itself relative to the page."""
    if base is None and not _NEEDS_CARE.search(url):
        return _resolve_plain(url, page, site)
    cleaned = clean(url)
    if not cleaned or cleaned.startswith("#"):
        return _NOWHERE
    page_location = _Location("https", (*_mount(site), *page.split("/")))
    # A base that is no URL is ignored (HTML spec, "set the frozen base URL").
    root = page_location if base is None else _locate(clean(base), page_location, site) or page_location
    found = _locate(cleaned, root, site)
    if found is None:
        return _NOWHERE
    return _place(found.segments, _mount(site), has_query=found.has_query) if found.is_own else _EXTERNAL


def clean(url: str) -> str:
    """Without what URL parsers drop: controls and spaces at the ends, tabs and line breaks anywhere."""
    return url.strip(_ENDS).translate(_BREAKS)


def join(base: str, url: str) -> str:
    """One base out of nested ones (`xml:base` in `xml:base`), as text: resolving it equals resolving `url` against `base`."""
    base, url = clean(base), clean(url)
    if url[:6].lower() == "https:" and not _TWO_SLASHES.match(url, 6):
        url = url[6:] if url[6:7] in ("", "/", "\\", "?", "#") else f"./{url[6:]}"  # as relative as without its scheme
    if not url or _SCHEME.match(url) or _TWO_SLASHES.match(url):
        return url or base
    found = _ROOT.match(base)
    root, host = (found.group(), found.group(2)) if found else ("", None)
    path = re.split(r"[?#]", base[len(root) :], maxsplit=1)[0]
    if url[0] in "/\\":
        return root + url
    if url[0] in "?#":
        return root + path + url
    *folders, last = _SLASHES.split(path)
    if _ENCODED_DOT.sub(".", last) in (".", ".."):
        folders.append(last)
    return root + "/".join([*(folders or [""] * bool(host)), url])


def decode(text: str) -> str:
    """Percent-escapes undone; bytes that are not UTF-8 become lone surrogates, as in the names of files."""
    if "%" not in text:
        return text
    raw = _ESCAPE.sub(lambda found: bytes.fromhex(found.group(1).decode()), text.encode("utf-8", "surrogatepass"))
    return raw.decode("utf-8", "surrogateescape")


def url_of(key: str, url_path: str) -> str:
    """The path of a key's URL, percent-encoded; `url_path` is the site's mount as written in its settings."""
    return url_path + _UNSAFE.sub(lambda found: f"%{found.group()[0]:02X}".encode(), key.encode("utf-8", "surrogateescape")).decode()


def _resolve_plain(url: str, page: str, site: SiteUrls) -> Resolved:
    """A path without scheme, escapes and query, which nearly all are."""
    is_rooted = url[0] == "/"
    folder = "" if is_rooted else page[: page.rfind("/") + 1]
    if "./" not in url and url[-1] != ".":
        if not is_rooted:
            return Resolved(ResolvedKind.INSIDE, folder + url)
        if site.url_path == "/":
            return Resolved(ResolvedKind.INSIDE, url[1:])
    mount = _mount(site)
    start = () if is_rooted else (*mount, *folder.split("/")[:-1])
    return _place(_walk(start, url[is_rooted:].split("/")), mount, has_query=False)


def _locate(url: str, base: _Location, site: SiteUrls) -> _Location | None:
    """The basic URL parser, as far as it concerns the site's own hosts; None where it fails."""
    scheme, rest = base.scheme, url
    named = _SCHEME.match(url)
    if named:
        scheme, rest = named.group(1).lower(), url[named.end() :]
        if scheme not in _DEFAULT_PORTS:
            return _Location(scheme, is_own=False)
    parts = _PARTS.match(rest)
    path, query = parts.groups() if parts else ("", None)
    if scheme != base.scheme or _TWO_SLASHES.match(path):
        return _locate_on_host(scheme, path, site, has_query=query is not None)
    if not path:
        return replace(base, has_query=query is not None or base.has_query)
    start, steps = ((), path[1:]) if path[0] in "/\\" else (base.segments[:-1], path)
    return _Location(scheme, _walk(start, _SLASHES.split(steps)), query is not None, base.is_own)


def _locate_on_host(scheme: str, rest: str, site: SiteUrls, *, has_query: bool) -> _Location | None:
    found = _AUTHORITY.match(rest)
    authority, path = found.groups() if found else ("", "")
    host = _normalize_host(authority, scheme)
    if host is None:
        return None
    is_own = scheme in _DEFAULT_PORTS and any(host == _normalize_host(domain, scheme) for domain in site.domains)
    return _Location(scheme, _walk((), _SLASHES.split(path[1:])), has_query, is_own)


def _normalize_host(authority: str, scheme: str) -> str | None:
    """Lower case, ASCII, without user and default port; None where it is no host."""
    host, _, port = authority.rpartition("@")[2].partition(":")
    host = decode(host).lower()
    if not host or (port and not (port.isascii() and port.isdigit())):
        return None
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:
            return None
    port = port.lstrip("0") or ("0" if port else "")
    return host if port in ("", _DEFAULT_PORTS.get(scheme)) else f"{host}:{port}"


def _walk(start: tuple[str, ...], steps: list[str]) -> tuple[str, ...]:
    """The path state: dot segments go, empty ones stay, nothing climbs above the root."""
    segments = list(start)
    for step in steps:
        dots = _ENCODED_DOT.sub(".", step) if "%" in step else step
        if dots == "..":
            del segments[-1:]
        elif dots != ".":
            segments.append(decode(step).replace("/", "\0"))
    if dots in (".", ".."):
        segments.append("")
    return tuple(segments)


def _mount(site: SiteUrls) -> tuple[str, ...]:
    return tuple(decode(site.url_path).split("/")[1:-1]) if site.url_path != "/" else ()


def _place(segments: tuple[str, ...], mount: tuple[str, ...], *, has_query: bool) -> Resolved:
    depth = len(mount)
    if depth and (segments[:depth] != mount or len(segments) == depth):
        return Resolved(ResolvedKind.OUTSIDE_MOUNT, "/".join(segments), has_query)
    return Resolved(ResolvedKind.INSIDE, "/".join(segments[depth:]), has_query)
