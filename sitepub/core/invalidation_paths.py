"""Under which URL paths an edge can hold a key, and how CloudFront wants them written. Pure; paths are raw (unescaped) until encoded."""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

from sitepub.core.model import INDEX, Key, Warning
from sitepub.core.settings import UrlStyle

# "If the path includes non-ASCII characters or unsafe characters as defined in RFC 1738, URL-encode those characters. Do not URL-encode
# any other characters in the path, or CloudFront will not invalidate the old version" (CloudFront Developer Guide, Invalidation).
_UNSAFE = re.compile(rb"[^!-~]|[<>\"#%{}|\\^~\[\]`]")

# What CloudFront refuses, or accepts without effect: `~` and its escape (aws-sdk-js-v3#4042), quotes, spaces; what has a meaning of its own
# in an item: `*`, `?`; and what an edge holds escaped, because S3 reads it as a space, though an item may not be escaped so: `+`.
_TRAP = re.compile(r"[~'\" *?+]")


class Routing(Struct, frozen=True):
    """How URLs lead to keys. `url_path` starts and ends with `/`; `has_function`: an edge function maps each page's URLs to one stored
    URL; `error_pages`: URL path of a custom error page -> the status that it answers with; `has_tags`: it reads our cache tags;
    `least_seconds`: how long edges keep everything at least, whatever its headers say."""

    url_path: str = "/"
    url_style: UrlStyle = UrlStyle.DIRECTORY
    has_function: bool = False
    default_root_object: str = ""
    error_pages: tuple[tuple[str, int], ...] = ()
    has_tags: bool = False
    least_seconds: int = 0


def find_urls(key: Key, routing: Routing) -> tuple[str, ...]:
    """Every raw URL path under which an edge can hold `key`; the stored key's own is always among them."""
    own = routing.url_path + key
    if routing.has_function:
        return (own,)
    urls = {own}
    if key == INDEX or own == f"/{routing.default_root_object}":
        urls.add(own[: own.rindex("/") + 1])
    is_page_of_folder = key == INDEX or key.endswith(f"/{INDEX}")
    if is_page_of_folder and routing.url_style is not UrlStyle.FILE:
        urls.add(own.removesuffix(INDEX))
    if is_page_of_folder and routing.url_style is UrlStyle.BOTH:
        urls.add(own.removesuffix(f"/{INDEX}") or "/")
    return tuple(sorted(urls))


def urls_to_invalidate(keys: Iterable[Key], routing: Routing) -> tuple[str, ...]:
    """The encoded URL paths of all `keys`, sorted, each once. Traps are not looked for: see `find_stem`."""
    return tuple(sorted({encode_path(url) for key in keys for url in find_urls(key, routing)}))


def encode_path(path: str) -> str:
    """Percent-encodes non-ASCII and the unsafe characters of RFC 1738, in upper case, and nothing else."""
    return _UNSAFE.sub(lambda found: b"%%%02X" % found.group()[0], path.encode("utf-8", "surrogateescape")).decode("ascii")


def find_stem(path: str) -> str | None:
    """The longest beginning of a raw path that an item can name with effect, where that is not the whole of it."""
    trap = _TRAP.search(path)
    return None if trap is None else path[: trap.start()]


def warn_of_stem(path: str, item: str) -> Warning:
    """`path` can only be evicted as `item`, with all that begins like it."""
    reason = "CloudFront can't invalidate a name with `~`, `+`, `*`, `?`, quotes or spaces alone"
    return Warning("odd-name-invalidated-by-prefix", f"`{path}` is invalidated as `{item}`: {reason}")
