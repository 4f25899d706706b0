"""Every cover tried, for small cases: what `cover()` is judged by. Knows nothing of tries, bounds or labels."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Case:
    """Weights are whole numbers or quarters, so that sums are exact."""

    changed: frozenset[str]
    live: Mapping[str, float]
    max_items: int
    max_wildcards: int
    tags: Mapping[str, Collection[str]] = field(default_factory=dict)


def make_case(seed: int, *, has_tags: bool) -> Case:
    chance = random.Random(seed)
    letters = chance.choice(("ab/", "ab/c", "abcdef/"))
    texts = {"/" + "".join(chance.choice(letters) for _ in range(chance.randint(0, 5))) for _ in range(chance.randint(2, 14))}
    live = {text: chance.choice((0.0, 1.0, 1.0, 2.0, 3.0, 5.0, 8.0, chance.randrange(32) / 4)) for text in sorted(texts)}
    changed = [path for path in live if chance.random() < 0.6] or [next(iter(live))]
    if chance.random() < 0.1:
        changed.append("/gone")
    tags = {
        f"t{number}": [path for path in sorted({*live, *changed}) if chance.random() < chance.choice((0.2, 0.5))]
        for number in range(chance.choice((1, 2, 3, 5)) if has_tags else 0)
    }
    return Case(frozenset(changed), live, chance.randint(1, len(changed)), chance.choice((1, 2, 3, 15)), tags)


def reach(item: str, case: Case) -> frozenset[str]:
    """All that an item evicts."""
    held = {*case.live, *case.changed}
    if item.startswith("#"):
        return frozenset(case.tags[item[1:]])
    if item.endswith("*"):
        return frozenset(path for path in held if path.startswith(item[:-1]))
    return frozenset((item,))


def weigh_needless(items: Collection[str], case: Case) -> float:
    evicted = frozenset[str]().union(*(reach(item, case) for item in items))
    return sum(case.live.get(path, 0.0) for path in evicted - case.changed)


def find_best(case: Case) -> tuple[float, int]:
    """The least collateral, and the fewest items that it takes."""
    prefixes = {path[:size] + "*" for path in case.changed for size in range(1, len(path) + 1)}
    kinds = {(reach(item, case), item.endswith("*")): item for item in sorted(prefixes | case.changed | {f"#{tag}" for tag in case.tags})}
    options = [(covered & case.changed, covered - case.changed, is_wildcard) for covered, is_wildcard in kinds]
    best: list[tuple[float, int]] = []

    def go_on(left: frozenset[str], evicted: frozenset[str], items: int, wildcards: int) -> None:
        rank = (sum(case.live.get(path, 0.0) for path in evicted), items)
        if best and rank >= best[0]:
            return
        if not left:
            best[:] = [rank]
        elif items < case.max_items:
            next_one = min(left)
            for covered, needless, is_wildcard in options:
                if next_one in covered and wildcards + is_wildcard <= case.max_wildcards:
                    go_on(left - covered, evicted | needless, items + 1, wildcards + is_wildcard)

    go_on(case.changed, frozenset(), 0, 0)
    return best[0]
