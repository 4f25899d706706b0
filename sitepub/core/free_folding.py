"""Fewer items that evict just what exact ones would: prefixes under which everything changed, tags whose every carrier changed. Pure, greedy, fast."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping
from heapq import heapify, heappop, heappush

from sitepub.core.invalidation_paths import find_stem
from sitepub.core.prefix_cover import count_shared


def fold_freely(
    changed: Collection[str], live: Collection[str], tags: Mapping[str, Collection[str]], max_wildcards: int
) -> tuple[str, ...] | None:
    """Raw URL paths in, items out; `tags`: tag -> URLs that carry it. None where something can be named neither alone nor so."""
    left, items, wildcards = set(changed), list[str](), 0
    sets = [
        *_find_prefixes(changed, live),
        *((f"#{tag}", frozenset(urls)) for tag, urls in sorted(tags.items()) if left.issuperset(urls)),
    ]
    # the largest first; of the same size paths before tags
    queue = [(-len(urls), not item.endswith("*"), item, urls) for item, urls in sets]
    heapify(queue)
    while queue and left:
        _, is_tag, item, urls = heappop(queue)
        covered = left & urls
        if not covered or (len(covered) == 1 and not any(map(_is_odd, covered))) or (not is_tag and wildcards == max_wildcards):
            continue
        if queue and len(covered) < len(urls) and -len(covered) > queue[0][0]:
            heappush(queue, (-len(covered), is_tag, item, frozenset(covered)))
            continue
        items.append(item)
        wildcards += not is_tag
        left -= urls
    return None if any(map(_is_odd, left)) else (*items, *left)


def _is_odd(url: str) -> bool:
    return find_stem(url) is not None


def _find_prefixes(changed: Collection[str], live: Collection[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """Beginnings under which nothing stands that did not change: the longest that all of a group share, as nobody knows what else edges hold."""
    others = sorted(set(live) - set(changed))
    groups: dict[str, list[str]] = {}
    for url in changed:
        place = bisect_left(others, url)
        shared = max((count_shared(url, other) for other in others[max(0, place - 1) : place + 1]), default=0)
        prefix = url[: shared + 1]
        if shared < len(url) and not _is_odd(prefix):
            groups.setdefault(prefix, []).append(url)
    for _, urls in sorted(groups.items()):
        first, last = min(urls), max(urls)
        common = first[: count_shared(first, last)]
        yield f"{find_stem(common) or common}*", frozenset(urls)
