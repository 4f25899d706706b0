"""The weighted cover: at most so many items, all that changed, least evicted without need. Pure and deterministic.

Exact over prefixes; exact over tags too while there are few of them, else the best of a bounded search.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

from msgspec import Struct

from sitepub.core.prefix_cover import Others, cover_by_prefixes, sort_leaves, weigh
from sitepub.core.tag_choice import Attempt, Tags, find_effects, search_tags, weigh_evicted

MAX_WILDCARDS = 15
"""Wildcards that CloudFront has in progress for one distribution at most."""

_NO_TAGS: Mapping[str, Collection[str]] = MappingProxyType({})
_NO_STEMS: Mapping[str, str] = MappingProxyType({})


class Cover(Struct, frozen=True):
    """`items`: `/exact`, `/prefix*` or `#tag`, sorted. `collateral`: weight of all that they evict and that did not change."""

    items: tuple[str, ...]
    collateral: float


class _Task(Struct, frozen=True):
    changed: frozenset[str]
    stems: Mapping[str, str]
    others: Others
    max_items: int
    max_wildcards: int

    def attempt(self, tags: Tags) -> Attempt | None:
        """Covers by prefixes what the tags leave over."""
        left = self.changed.difference(*(tag.covered for tag in tags))
        others = self.others.without(place for tag in tags for place in tag.evicted) if tags else self.others
        limit = self.max_items - len(tags)
        rest = cover_by_prefixes(sort_leaves(left, self.stems), others, max_items=limit, max_wildcards=self.max_wildcards)
        return None if rest is None else Attempt(tags, rest, weigh_evicted(tags, self.others) + rest.collateral)


def cover(
    changed: Collection[str],
    live: Mapping[str, float],
    *,
    max_items: int,
    max_wildcards: int = MAX_WILDCARDS,
    tags: Mapping[str, Collection[str]] = _NO_TAGS,
    stems: Mapping[str, str] = _NO_STEMS,
) -> Cover:
    """Covers `changed` by at most `max_items` items; of covers with the same collateral, one of the fewest items.

    `changed` and `live` are URL paths, `live` every one that an edge may hold, with its weight; `tags`: tag -> paths that carry it.
    `stems`: changed path -> the beginning that a wildcard must cover, where the path itself can't be an item; a path with `*` in it never
    can. Raises ValueError where nothing covers all within the limits: with `max_items` below 1, or where wildcards are too few.
    """
    wanted = frozenset(changed)
    if not wanted:
        return Cover((), 0.0)
    _check(wanted, live)
    starred = {path: path[: path.index("*")] for path in wanted if "*" in path}
    task = _Task(wanted, {**starred, **stems}, weigh(live, wanted), max_items, max_wildcards)
    best = task.attempt(())
    if tags and (best is None or best.collateral > 0):
        effects = find_effects(tags, wanted, task.stems, task.others)
        best = search_tags(effects, task.attempt, best, others=task.others, max_tags=max_items, leaves=len(wanted))
    if best is None:
        raise ValueError(f"{max_items} items, {max_wildcards} wildcards among them, can't cover {len(wanted)} paths")
    return _make_cover(best)


def _check(changed: Collection[str], live: Mapping[str, float]) -> None:
    odd = next((path for path in changed if not path.startswith("/")), None)
    if odd is not None:
        raise ValueError(f"`{odd}` is no URL path: it does not start with `/`")
    if live and min(live.values()) < 0:
        raise ValueError("a weight below zero")


def _make_cover(found: Attempt) -> Cover:
    items = [*found.rest.exact, *(f"{prefix}*" for prefix in found.rest.wildcards), *(f"#{tag.name}" for tag in found.tags)]
    return Cover(tuple(sorted(items)), found.collateral)
