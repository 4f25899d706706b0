"""Covers changed paths with exact items and wildcard prefixes so that the least else is evicted. Exact. Pure.

Only the longest common beginnings of changed paths are worth a wildcard: they are the inner nodes of their compressed trie. What lies
under one is a range of the sorted other paths, its weight a difference of running sums.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from math import fsum

from msgspec import Struct

from sitepub.core.antichain import choose_branches, make_branches


class Others(Struct, frozen=True):
    """What edges hold that did not change, sorted, with its weights."""

    paths: Sequence[str]
    weights: Sequence[float]

    def without(self, dropped: Iterable[int]) -> Others:
        """The same paths, those at `dropped` without weight: something else evicts them anyway."""
        weights = array("d", self.weights)
        for place in dropped:
            weights[place] = 0.0
        return Others(self.paths, weights)

    def find(self, prefix: str, low: int = 0, high: int | None = None) -> tuple[int, int]:
        """The range of paths that start with `prefix`."""
        size = len(prefix)
        first = bisect_left(self.paths, prefix, low, high)
        return first, bisect_right(self.paths, prefix, first, high, key=lambda path: path[:size])


class Leaf(Struct, frozen=True):
    """A changed path, or the beginning that a wildcard must cover because the rest of the path can't be named."""

    text: str
    is_stem: bool = False


class PrefixCover(Struct, frozen=True):
    """`exact`: paths; `wildcards`: prefixes without their `*`."""

    exact: tuple[str, ...]
    wildcards: tuple[str, ...]
    collateral: float

    @property
    def size(self) -> int:
        return len(self.exact) + len(self.wildcards)


class _Branching(Struct):
    """Where leaves `first` to `last` part ways, after `depth` shared characters."""

    depth: int
    first: int
    last: int = 0
    is_forced: bool = False


class _Node(Struct):
    """A wildcard that is worth considering. `first` to `last`: its leaves; `low` to `high`: what else it evicts."""

    depth: int
    first: int
    last: int
    low: int
    high: int
    is_forced: bool
    cost: float = 0.0
    end: int = 0


def weigh(live: Mapping[str, float], changed: Iterable[str]) -> Others:
    """All of `live` that did not change."""
    paths = sorted(live.keys() - set(changed))
    return Others(paths, array("d", map(live.__getitem__, paths)))


def sort_leaves(changed: Iterable[str], stems: Mapping[str, str]) -> list[Leaf]:
    """Leaves in order; a stem stands before the exact paths that it begins."""
    wanted = {Leaf(stems[path], is_stem=True) if path in stems else Leaf(path) for path in changed}
    return sorted(wanted, key=lambda leaf: (leaf.text, not leaf.is_stem))


def cover_by_prefixes(leaves: Sequence[Leaf], others: Others, *, max_items: int, max_wildcards: int) -> PrefixCover | None:
    """The cover of least collateral; among those, of the fewest items. None where nothing covers all within the limits.

    `leaves` as `sort_leaves` gives them.
    """
    exact = [leaf.text for leaf in leaves if not leaf.is_stem]
    if len(exact) == len(leaves) <= max_items:
        return PrefixCover(tuple(exact), (), 0.0)
    if max_wildcards < 1 or max_items < 1:
        return None
    nodes = _find_nodes(leaves, others)
    ranks = list(accumulate((not leaf.is_stem for leaf in leaves), initial=0))
    branches = make_branches(
        ends=[node.end for node in nodes],
        savings=[ranks[node.last] - ranks[node.first] - 1 for node in nodes],
        costs=[node.cost for node in nodes],
        forced=[node.is_forced for node in nodes],
    )
    taken = choose_branches(branches, saving=len(exact) - max_items, limit=min(max_wildcards, max_items))
    return None if taken is None else _assemble(leaves, others, [nodes[index] for index in taken])


def _assemble(leaves: Sequence[Leaf], others: Others, taken: Sequence[_Node]) -> PrefixCover:
    exact, place = list[str](), 0
    for node in taken:
        exact += [leaf.text for leaf in leaves[place : node.first]]
        place = node.last
    exact += [leaf.text for leaf in leaves[place:]]
    collateral = fsum(weight for node in taken for weight in others.weights[node.low : node.high])
    return PrefixCover(tuple(exact), tuple(leaves[node.first].text[: node.depth] for node in taken), collateral)


def _find_nodes(leaves: Sequence[Leaf], others: Others) -> list[_Node]:
    """Nodes in preorder, without those whose parent evicts nothing more (it covers more at the same cost) or is taken in any case."""
    nodes, open_nodes = list[_Node](), list[_Node]()
    sums = array("d", accumulate(others.weights, initial=0.0))
    for branching in _find_branchings(leaves):
        while open_nodes and open_nodes[-1].last <= branching.first:
            open_nodes.pop().end = len(nodes)
        parent = open_nodes[-1] if open_nodes else None
        text = leaves[branching.first].text
        depth = branching.depth if branching.is_forced else _leave_escape(text, branching.depth)
        if parent is not None and (parent.is_forced or depth <= parent.depth):
            continue
        low, high = others.find(text[:depth], *((parent.low, parent.high) if parent else (0, None)))
        cost = max(0.0, sums[high] - sums[low]) if high > low else 0.0
        if parent is not None and cost >= parent.cost:
            parent.is_forced = branching.is_forced
            continue
        node = _Node(depth, branching.first, branching.last, low, high, branching.is_forced, cost)
        nodes.append(node)
        open_nodes.append(node)
    for node in open_nodes:
        node.end = len(nodes)
    return nodes


def _find_branchings(leaves: Sequence[Leaf]) -> list[_Branching]:
    """Every node of the compressed trie that holds two leaves or more, or is a stem; parents first."""
    found, open_ones = list[_Branching](), list[_Branching]()
    before = ""
    for place, leaf in enumerate(leaves):
        shared, first = count_shared(before, leaf.text), place - 1
        while open_ones and open_ones[-1].depth > shared:
            closed = open_ones.pop()
            closed.last, first = place, closed.first
            found.append(closed)
        if place and (not open_ones or open_ones[-1].depth < shared):
            open_ones.append(_Branching(shared, first))
        if leaf.is_stem:
            open_ones.append(_Branching(len(leaf.text), place, is_forced=True))
        before = leaf.text
    for closed in open_ones:
        closed.last = len(leaves)
    return sorted(found + open_ones, key=lambda branching: (branching.first, branching.depth))


def _leave_escape(text: str, depth: int) -> int:
    """A wildcard does not cut `%C3` in two."""
    start = text.rfind("%", max(0, depth - 2), depth)
    return depth if start < 0 else start


def count_shared(left: str, right: str) -> int:
    """How many characters two texts share at their beginnings."""
    size = min(len(left), len(right))
    if left[:size] == right[:size]:
        return size
    return next(place for place in range(size) if left[place] != right[place])
