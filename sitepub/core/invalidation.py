"""Decides what to invalidate once a release is live: never what edges do not hold or soon forget, always what else they show. Pure.

The shared time to live that counts is that of the headers that edges hold, the old ones.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from urllib.parse import unquote

from msgspec import Struct

from sitepub.core.cover import MAX_WILDCARDS, Cover, cover
from sitepub.core.free_folding import fold_freely
from sitepub.core.invalidation_paths import Routing, encode_path, find_stem, find_urls, warn_of_stem
from sitepub.core.model import Artifact, HeaderSet, Key, Kind, Warning
from sitepub.core.plan import Shown, is_same
from sitepub.core.tags import without_tags

POINTLESS_SECONDS = 60
"""A shared time to live up to this is over before anyone could tell."""

DEFAULT_SECONDS = 86400.0
"""How long CloudFront keeps what says nothing about it (DefaultTTL of the managed policies)."""

USD_A_PATH = 0.005

_NO_TAGS: Mapping[str, Collection[Key]] = MappingProxyType({})
_NO_OWN: Mapping[Key, str] = MappingProxyType({})

_DIRECTIVE = re.compile(r"\s*([^=,\s]+)\s*(?:=\s*(?:\"([^\"]*)\"|([^,\s]*)))?\s*(?:,|$)")


class InvalidationPlan(Struct, frozen=True):
    """`items` as CloudFront takes them, sorted; `collateral`: how many stored URLs are evicted without need; `folds`: for each wildcard or
    tag, how many URLs that changed it stands for."""

    items: tuple[str, ...] = ()
    collateral: float = 0
    warnings: tuple[Warning, ...] = ()
    folds: tuple[tuple[str, int], ...] = ()


def choose_invalidation(
    shown: Iterable[Shown],
    routing: Routing,
    *,
    live: Iterable[Key] = (),
    max_items: int | None = None,
    max_wildcards: int = MAX_WILDCARDS,
    tags: Mapping[str, Collection[Key]] = _NO_TAGS,
    own: Mapping[Key, str] = _NO_OWN,
    freely: bool = False,
) -> InvalidationPlan:
    """Exact items while there are at most `max_items` (None: no limit), else the cover of least collateral. `freely`: fewer than exact ones where
    that evicts nothing of `live` that did not change.

    `live`: all keys that edges may hold; without it collateral counts nothing, and folding evicts who knows what. `tags`: tag -> keys whose
    stored copies carry it; `own`: key -> a tag that its copies alone carry: one item for all of its URLs, whatever their names.
    """
    held = [seen for seen in shown if needs_invalidation(seen, routing.least_seconds)]
    by_key = {seen.key: find_urls(seen.key, routing) for seen in held}
    changed = {url for urls in by_key.values() for url in urls}
    stems = {url: stem for url in changed if (stem := find_stem(url)) is not None}
    named = {key: own[key] for key, urls in by_key.items() if key in own and (len(urls) > 1 or not stems.keys().isdisjoint(urls))}
    most = len(changed) if max_items is None else max_items
    is_everywhere = any(_answers_for_all(seen.key, routing) for seen in held)
    others = _weigh(live, routing) if freely or is_everywhere or stems or len(changed) > most else {}
    urls_of: Mapping[str, Collection[str]] = _find_urls_by_tag(tags, routing) if freely and not is_everywhere else {}
    if is_everywhere:
        found = Cover(("/*",), sum(others[url] for url in others.keys() - changed))
    else:
        found = _cover_exactly(by_key, named, stems, others)
        fewer = fold_freely(changed, others, urls_of, max_wildcards) if freely else None
        if fewer is not None and len(fewer) < len(found.items):
            found = Cover(fewer, 0.0)
        wildcards = sum(item.endswith("*") for item in found.items)
        if wildcards > max_wildcards or len(found.items) > most or (tags and found.collateral and not freely):
            urls_of = urls_of or _find_urls_by_tag(tags, routing)
            found = cover(changed, others, max_items=most, max_wildcards=max_wildcards, tags=urls_of, stems=stems)
    items = tuple(sorted(map(_encode_item, found.items)))
    warnings = (*_warn_of_error_pages(held, routing), *_warn_of_stems(stems, items))
    return InvalidationPlan(items, found.collateral, warnings, _count_folds(found.items, changed, urls_of, frozenset(named.values())))


def fold_items(items: Collection[str], live: Collection[str], max_items: int) -> Cover:
    """Fewer items that evict all that these do. Items as CloudFront takes them; `live`: raw URL paths that edges may hold."""
    tags = [item for item in items if item.startswith("#")]
    if len(items) <= max_items:
        return Cover(tuple(sorted(items)), 0.0)
    paths = [unquote(item) for item in items if not item.startswith("#")]
    stems = {path[:-1]: path[:-1] for path in paths if path.endswith("*")}
    exact, begun = {path for path in paths if not path.endswith("*")}, tuple(stems)
    evicted = {path for path in live if path in exact or path.startswith(begun)}
    if len(tags) >= max_items:
        return Cover(("/*",), float(len(set(live) - evicted)))
    weights = {path: 1.0 for path in live if path not in evicted}
    found = cover([*exact, *stems], weights, max_items=max_items - len(tags), stems=stems)
    return Cover(tuple(sorted((*map(_encode_item, found.items), *tags))), found.collateral)


def _count_folds(
    items: Iterable[str], changed: Collection[str], tagged: Mapping[str, Collection[str]], own: Collection[str]
) -> tuple[tuple[str, int], ...]:
    folds = []
    for item in sorted(items):
        if item.startswith("#"):
            urls = sum(url in changed for url in tagged.get(item[1:], ())) if item[1:] not in own else 0
            folds += [(item, urls)] if urls else []
        elif item.endswith("*"):
            folds.append((_encode_item(item), sum(url.startswith(item[:-1]) for url in changed)))
    return tuple(folds)


def _weigh(keys: Iterable[Key], routing: Routing) -> Mapping[str, float]:
    """Every stored URL counts one."""
    return {url: 1.0 for key in keys for url in find_urls(key, routing)}


def _find_urls_by_tag(tags: Mapping[str, Collection[Key]], routing: Routing) -> Mapping[str, Collection[str]]:
    return {tag: _weigh(keys, routing).keys() for tag, keys in tags.items()}


def _cover_exactly(
    by_key: Mapping[Key, Collection[str]], named: Mapping[Key, str], stems: Mapping[str, str], others: Mapping[str, float]
) -> Cover:
    """The URLs of each key by themselves; those of a `named` one by its tag."""
    plain = {url for key, urls in by_key.items() if key not in named for url in urls}
    found = _cover_one_by_one(plain, {url: stem for url, stem in stems.items() if url in plain}, others)
    return Cover((*found.items, *(f"#{tag}" for tag in named.values())), found.collateral)


def _cover_one_by_one(changed: Collection[str], stems: Mapping[str, str], others: Mapping[str, float]) -> Cover:
    """Every path by itself, or by its own beginning where it can't be named: as little as possible is evicted, known or not."""
    prefixes = list[str]()
    for stem in sorted(set(stems.values())):
        if not prefixes or not stem.startswith(prefixes[-1]):
            prefixes.append(stem)
    begun = tuple(prefixes)
    exact = [url for url in changed if url not in stems and not (begun and url.startswith(begun))]
    needless = [url for url in others if url not in changed and url.startswith(begun)] if begun else []
    return Cover((*exact, *(f"{prefix}*" for prefix in prefixes)), sum(others[url] for url in needless))


def needs_invalidation(seen: Shown, least_seconds: float = 0) -> bool:
    """Whether an edge may go on showing what is no longer wanted. Aliases live too shortly; a key that nobody could get is not held; tags alone
    are no business of visitors. `least_seconds`: how long edges keep whatever they have, whatever its headers say."""
    outdated = [artifact for artifact in seen.before if seen.after is None or not _looks_same(artifact, seen.after)]
    return any(artifact.kind is not Kind.ALIAS and not _is_pointless(artifact, least_seconds) for artifact in outdated)


def shared_seconds(headers: HeaderSet) -> float:
    """How long an edge may show a response with these headers, stale answers while it revalidates included."""
    control = next((value for name, value in headers if name == "Cache-Control"), None)
    if control is None:
        return DEFAULT_SECONDS
    directives = {found[1].lower(): found[2] or found[3] or "" for found in _DIRECTIVE.finditer(control)}
    if directives.keys() & {"no-store", "no-cache", "private"}:
        return 0
    life = directives.get("s-maxage", directives.get("max-age"))
    if life is None or not life.isdigit():
        return DEFAULT_SECONDS
    stale = directives.get("stale-while-revalidate", "")
    return float(life) + (float(stale) if stale.isdigit() else 0)


def caller_reference(release: str, seq: int, items: Iterable[str]) -> str:
    """The same release, counter and items are the same invalidation, however often it is sent. At most 128 ASCII characters."""
    digest = hashlib.sha256("\n".join(sorted(items)).encode()).hexdigest()
    return f"sitepub-{seq}-{release[:64]}-{digest[:24]}"


def price_usd(used: int, free: int, items: int) -> float:
    """What `items` more paths cost where `used` of `free` are spent already."""
    return max(0, items - max(0, free - used)) * USD_A_PATH


def _looks_same(left: Artifact, right: Artifact) -> bool:
    return is_same(left, right) or (left.body == right.body and without_tags(left.headers) == without_tags(right.headers))


def _is_pointless(artifact: Artifact, least_seconds: float) -> bool:
    return max(least_seconds, shared_seconds(artifact.headers)) <= POINTLESS_SECONDS


def _answers_for_all(key: Key, routing: Routing) -> bool:
    """The page of a single-page site: edges hold it under whatever URL was asked for."""
    return (routing.url_path + key, 200) in routing.error_pages


def _warn_of_error_pages(held: Iterable[Shown], routing: Routing) -> Iterable[Warning]:
    pages = {path for path, status in routing.error_pages if status != 200}
    for seen in held:
        if routing.url_path + seen.key in pages:
            message = f"`{seen.key}` is an error page that edges keep for long under URLs that nobody knows; they go on showing the old one"
            yield Warning("error-page-cached", f"{message}; a short `cache.errors` avoids that")


def _encode_item(item: str) -> str:
    return item if item.startswith("#") else encode_path(item[:-1]) + "*" if item.endswith("*") else encode_path(item)


def _warn_of_stems(stems: Mapping[str, str], items: Collection[str]) -> Iterable[Warning]:
    wildcards = [item[:-1] for item in items if item.endswith("*")]
    for url in sorted(stems):
        covering = [prefix for prefix in wildcards if encode_path(url).startswith(prefix)]
        if covering:
            yield warn_of_stem(url, f"{covering[0]}*")
