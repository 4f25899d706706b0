"""What a user names to be invalidated, as items that CloudFront takes. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from sitepub.core.invalidation_paths import Routing, encode_path, find_stem, find_urls, warn_of_stem
from sitepub.core.model import Key, Warning
from sitepub.errors import UsageError


class Named(Struct, frozen=True):
    """`items`, sorted, each once; `warnings`: what can only be invalidated together with others."""

    items: tuple[str, ...]
    warnings: tuple[Warning, ...] = ()


def read_words(words: Iterable[str], routing: Routing, hosts: Collection[str]) -> Named:
    """`/path` as visitors ask for it, `/prefix*`, `#tag`, a whole URL on one of `hosts`, or a key of the site: all of its URLs. Paths and URLs
    may be percent-escaped or not, a key is taken as it is. Raises UsageError for what names nothing that edges of this site hold."""
    items, warnings = set[str](), list[Warning]()
    for word in words:
        if word.startswith("#") and len(word) > 1:
            items.add(word)
            continue
        for path in _read_paths(word, routing, hosts):
            item, warning = _name(path)
            items.add(item)
            warnings += [warning] if warning else []
    return Named(tuple(sorted(items)), tuple(warnings))


def _read_paths(word: str, routing: Routing, hosts: Collection[str]) -> tuple[str, ...]:
    if "://" in word:
        try:
            parts = urlsplit(word)
        except ValueError:
            raise UsageError("usage", f"`{word}` is no URL", "name a path of this site") from None
        if hosts and parts.hostname not in hosts:
            raise UsageError("usage", f"`{word}` is on none of the target's hosts ({', '.join(sorted(hosts))})", "name a path of this site")
        return (unquote(parts.path) or "/",)
    if not word or "*" in word[:-1]:
        hint = "`*` stands for the rest of a path, at its end"
        raise UsageError("usage", f"`{word}` is no path that can be invalidated", hint)
    if word.startswith("/"):
        return (unquote(word),)
    if word.endswith("*"):
        return (routing.url_path + word,)
    return find_urls(Key(word), routing)


def _name(path: str) -> tuple[str, Warning | None]:
    is_prefix = path.endswith("*")
    text = path[:-1] if is_prefix else path
    stem = find_stem(text)
    if stem is not None:
        item = encode_path(stem) + "*"
        return item, warn_of_stem(path, item)
    return encode_path(text) + ("*" if is_prefix else ""), None
