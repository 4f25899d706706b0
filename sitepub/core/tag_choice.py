"""Which cache tags to invalidate, beside the prefixes that cover the rest. Pure.

All sets of tags are tried while they are few enough; else a greedy sequence is tried at growing lengths and its best set bettered by adding,
dropping and exchanging tags. The number of tries is bounded by what one costs.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from heapq import heapify, heappop, heappush
from itertools import product
from math import fsum, inf

from msgspec import Struct

from sitepub.core.prefix_cover import Others, PrefixCover

_WORK = 300_000  # leaves looked at in all tries together
_FEWEST_TRIES, _MOST_TRIES = 2, 4096
_COMPARED = 200  # tags up to which each is compared with each other one


class TagEffect(Struct, frozen=True):
    """`covered`: changed paths that carry the tag; `evicted`: places among the others that do; `cost`: their weight."""

    name: str
    covered: frozenset[str]
    evicted: Sequence[int]
    cost: float


Tags = tuple[TagEffect, ...]


class Attempt(Struct, frozen=True):
    """A set of tags, what prefixes cover the rest, and the collateral of both."""

    tags: Tags
    rest: PrefixCover
    collateral: float

    @property
    def rank(self) -> tuple[float, int, int]:
        """Less is better: collateral, items, wildcards."""
        return self.collateral, len(self.tags) + self.rest.size, len(self.rest.wildcards)


Try = Callable[[Tags], Attempt | None]


def find_effects(tags: Mapping[str, Collection[str]], changed: Collection[str], stems: Collection[str], others: Others) -> list[TagEffect]:
    """Tags that may do better than exact items: those on several changed paths, or on one that has no exact item. By name."""
    places = {path: place for place, path in enumerate(others.paths) if others.weights[place] > 0}
    effects = list[TagEffect]()
    for name in sorted(tags):
        covered = frozenset(path for path in tags[name] if path in changed)
        if len(covered) > 1 or any(path in stems for path in covered):
            evicted = array("q", sorted({places[path] for path in tags[name] if path in places}))
            effects.append(TagEffect(name, covered, evicted, fsum(others.weights[place] for place in evicted)))
    return _drop_dominated(effects) if len(effects) <= _COMPARED else effects


def weigh_evicted(tags: Tags, others: Others) -> float:
    """What the tags evict together without need; what several carry counts once."""
    return tags[0].cost if len(tags) == 1 else fsum(others.weights[place] for place in {p for tag in tags for p in tag.evicted})


def search_tags(
    effects: Sequence[TagEffect], attempt: Try, plain: Attempt | None, *, others: Others, max_tags: int, leaves: int
) -> Attempt | None:
    """The best attempt found, never worse than the `plain` one without tags."""
    search = _Search(attempt, plain, max(_FEWEST_TRIES, min(_MOST_TRIES, _WORK // leaves)), max_tags)
    sequence = _order_greedily(effects, others, max_tags, search.best.collateral if search.best else inf)
    if 2 ** len(effects) <= search.tries:
        search.look_at_all(effects, others)
        return search.best
    for length in _grow(len(sequence)):
        search.look(tuple(sequence[:length]))
    while search.tries and search.better(effects):
        pass
    return search.best


def _grow(length: int) -> Iterator[int]:
    """The whole first: it often needs no prefix at all. Then halves of it."""
    while length:
        yield length
        length //= 2


class _Search:
    """Tries sets of tags and remembers the best, until no tries are left."""

    def __init__(self, attempt: Try, plain: Attempt | None, tries: int, max_tags: int) -> None:
        self.best = plain
        self.tries = tries
        self._attempt = attempt
        self._max_tags = max_tags
        self._seen = {frozenset[str]()}

    def look(self, tags: Tags) -> bool:
        """Whether these are better than all before."""
        names = frozenset(tag.name for tag in tags)
        if names in self._seen or not self.tries or len(tags) > self._max_tags:
            return False
        self._seen.add(names)
        self.tries -= 1
        found = self._attempt(tags)
        if found is None or (self.best is not None and found.rank >= self.best.rank):
            return False
        self.best = found
        return True

    def look_at_all(self, effects: Sequence[TagEffect], others: Others) -> None:
        """Every set, but those that evict more by themselves than the best does in all."""
        for choice in product((True, False), repeat=len(effects)):
            tags = tuple(tag for tag, is_taken in zip(effects, choice) if is_taken)
            if self.best is None or (len(tags) <= self._max_tags and weigh_evicted(tags, others) <= self.best.collateral):
                self.look(tags)

    def better(self, effects: Sequence[TagEffect]) -> bool:
        """One tag dropped, added or exchanged; the first that is better."""
        start = self.best.tags if self.best else ()
        names = {tag.name for tag in start}
        missing = [tag for tag in effects if tag.name not in names]
        fewer = [start[:place] + start[place + 1 :] for place in range(len(start))]
        return any(self.look(tags) for tags in fewer) or any(
            self.look((*tags, tag)) for tag in missing for tags in (start, *fewer) if self.tries
        )


def _drop_dominated(effects: Sequence[TagEffect]) -> list[TagEffect]:
    """Without tags that another one replaces: it covers at least as much and evicts nothing that they do not."""
    kept = list[TagEffect]()
    for tag in sorted(effects, key=lambda tag: (-len(tag.covered), len(tag.evicted), tag.name)):
        evicted = set(tag.evicted)
        if not any(tag.covered <= other.covered and evicted.issuperset(other.evicted) for other in kept):
            kept.append(tag)
    return sorted(kept, key=lambda tag: tag.name)


def _order_greedily(effects: Sequence[TagEffect], others: Others, most: int, ceiling: float) -> Tags:
    """Tags by what they evict for each item that they save, counted anew after each; none that evicts more than the ceiling."""
    covered, evicted, spent = set[str](), set[int](), 0.0
    sequence = list[TagEffect]()

    def price(tag: TagEffect) -> tuple[float, int, float]:
        cost = fsum(others.weights[place] for place in tag.evicted if place not in evicted) if evicted else tag.cost
        saved = len(tag.covered) - 1 if not covered else len(tag.covered - covered) - 1
        return (cost / saved if saved > 0 else inf), -saved, cost

    queue = [(price(tag), place) for place, tag in enumerate(effects)]
    heapify(queue)
    while queue and len(sequence) < most:
        place = heappop(queue)[1]
        now = price(effects[place])
        if now[0] == inf or spent + now[2] > ceiling:
            continue
        if queue and (now, place) > queue[0]:
            heappush(queue, (now, place))
            continue
        sequence.append(effects[place])
        covered |= effects[place].covered
        evicted.update(effects[place].evicted)
        spent += now[2]
    return tuple(sequence)
