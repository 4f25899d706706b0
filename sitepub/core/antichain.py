"""Chooses disjoint branches of a tree: at most so many, that save at least so much, at the least cost. Pure.

A shortest path with one resource: walking the branches in preorder, each is taken (and its subtree jumped over) or passed by. Lagrangian
relaxation at several prices bounds from below what a path can still cost (https://doi.org/10.1002/net.3230100403, Handler and Zang); what
no optimum can hold is dropped, and labels in Pareto order close the gap.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from math import inf, isinf
from operator import itemgetter

from msgspec import Struct

_ROUNDS = 60
_SLACK = 1e-9
_PRICES = (0.5, 0.8, 0.95, 1.0, 1.05, 1.25, 2.0, 4.0)  # times the best one: bounds are good near their own price
_DRAFTS = ((500, 30), (1500, 100))  # branches of the greatest saving, labels kept at each place
_LABELS = 8_000_000  # looked at by the full search before it goes on with a few at each place
_FEW = 8


class Branches(Struct, frozen=True):
    """Parallel columns in preorder. `ends[i]`: the first branch after the subtree of `i`. A forced branch may be jumped over with an
    ancestor or taken, not passed by."""

    ends: Sequence[int]
    savings: Sequence[int]
    costs: Sequence[float]
    forced: Sequence[bool]
    needed: Sequence[bool]  # it or one below is forced, so it may be worth its cost by itself

    def __len__(self) -> int:
        return len(self.ends)


def make_branches(ends: Sequence[int], savings: Sequence[int], costs: Sequence[float], forced: Sequence[bool]) -> Branches:
    """Columns as `Branches` has them, to which it adds `needed`."""
    counts = list(accumulate(forced, initial=0))
    return Branches(ends, savings, costs, forced, [counts[end] > counts[index] for index, end in enumerate(ends)])


class _Path(Struct, frozen=True):
    """Branches taken, and what they come to."""

    taken: tuple[int, ...]
    saving: int
    cost: float

    def reduced(self, price: float) -> float:
        return self.cost - price * self.saving


def _make_path(branches: Branches, taken: tuple[int, ...]) -> _Path:
    return _Path(taken, sum(branches.savings[index] for index in taken), sum(branches.costs[index] for index in taken))


_Row = list[float]
_Label = tuple[float, int, object]  # cost, saving below zero, chain of (branch, chain before)
_Front = list[_Label]  # in order, none beaten by another one in both
_PLACE = itemgetter(0, 1)


class _Bound(Struct, frozen=True):
    """`rows[i][w]`: the least reduced cost of what may follow from branch `i` on with `w` taken; `room`: what a whole path may come to."""

    price: float
    reduced: Sequence[float]
    rows: Sequence[_Row]
    room: float


class _Aim(Struct, frozen=True):
    """At least this `saving` with at most `limit` branches, at no more than `ceiling`: what a path already found costs."""

    saving: int
    limit: int
    ceiling: float

    def bound(self, branches: Branches, price: float) -> _Bound:
        reduced = _reduce(branches, price)
        if isinf(price):
            return _Bound(price, reduced, _backward(branches, reduced, self.limit), -float(self.saving))
        return _Bound(price, reduced, _backward(branches, reduced, self.limit), self.ceiling - price * self.saving)


def choose_branches(branches: Branches, *, saving: int, limit: int) -> tuple[int, ...] | None:
    """The branches of least cost; among those, of the greatest saving, then the fewest. None where nothing is enough.

    Exact as long as the search stays within some millions of labels; beyond, it keeps the most promising at each place. That takes tens of
    thousands of branches that cost about the same for what they save.
    """
    price, best = _find_price(branches, saving, limit)
    if best is None:
        return None
    prices = [1.0 * price, *(times * price for times in _PRICES if times != 1 and price > 0), inf]
    aim = _Aim(saving, limit, _raise(best.cost))
    for most, width in _DRAFTS if len(branches) > _DRAFTS[0][0] else ():
        kept = _drop_hopeless(branches, prices, aim)
        draft = sorted(sorted(kept, key=lambda index: -branches.savings[index])[:most] + [i for i in kept if branches.forced[i]])
        found = _search(branches, sorted(set(draft)), prices, aim, width)
        if found is not None and found.cost < best.cost:
            best = found
            aim = _Aim(saving, limit, _raise(best.cost))
    found = _search(branches, _drop_hopeless(branches, prices, aim), prices, aim, None)
    return best.taken if found is None else found.taken


def _raise(cost: float) -> float:
    """Sums in another order may come out a little greater."""
    return cost + _SLACK * (1 + cost)


# ---- Lagrangian relaxation


def _find_price(branches: Branches, saving: int, limit: int) -> tuple[float, _Path | None]:
    """The price of a unit of saving whose relaxation bounds best, and the cheapest sufficient path met on the way."""
    cheap, rich = _relax(branches, 0.0, limit), _relax(branches, inf, limit)
    if cheap is None or rich is None or rich.saving < saving:
        return 0.0, None
    if cheap.saving >= saving:
        return 0.0, cheap
    best = rich
    for _ in range(_ROUNDS):
        price = (rich.cost - cheap.cost) / (rich.saving - cheap.saving)
        path = _relax(branches, price, limit)
        if path is None or path.reduced(price) >= rich.reduced(price) - _SLACK * (1 + rich.cost):
            break
        if path.saving < saving:
            cheap = path
        else:
            rich = path
            best = min(best, rich, key=lambda each: each.cost)
    return price, best


def _relax(branches: Branches, price: float, limit: int) -> _Path | None:
    rows = _backward(branches, _reduce(branches, price), limit)
    return None if isinf(rows[0][limit]) else _trace(branches, rows, limit)


def _reduce(branches: Branches, price: float) -> list[float]:
    """Cost less the price of what is saved; at an infinite price, savings alone."""
    if isinf(price):
        return [-float(saving) for saving in branches.savings]
    return [cost - price * saving for cost, saving in zip(branches.costs, branches.savings)]


def _backward(branches: Branches, reduced: Sequence[float], limit: int) -> list[_Row]:
    """rows[i][w]: the least sum of reduced costs from branch `i` on with at most `w` taken. Equal rows are one list."""
    row: _Row = [0.0] * (limit + 1)
    rows: list[_Row] = [row] * (len(branches) + 1)
    ends, forced, needed = branches.ends, branches.forced, branches.needed
    for index in range(len(branches) - 1, -1, -1):
        own = reduced[index]
        if forced[index]:
            row = [inf, *[own + rest for rest in rows[ends[index]][:-1]]]
        elif own < 0 or needed[index]:
            taken = [own + rest for rest in rows[ends[index]]]
            if any(map(float.__lt__, taken, row[1:])):
                row = [row[0], *map(min, taken, row[1:])]
        rows[index] = row
    return rows


def _trace(branches: Branches, rows: Sequence[_Row], limit: int) -> _Path:
    """The path whose cost `rows` tell."""
    index, left, taken = 0, limit, list[int]()
    while index < len(branches):
        if not branches.forced[index] and rows[index][left] == rows[index + 1][left]:
            index += 1
        else:
            taken.append(index)
            index, left = branches.ends[index], left - 1
    return _make_path(branches, tuple(taken))


# ---- what no optimum holds


def _drop_hopeless(branches: Branches, prices: Sequence[float], aim: _Aim) -> list[int]:
    """Branches that some path not dearer than the ceiling may take, by every bound; and all forced ones."""
    kept, picked = list(range(len(branches))), branches
    for price in reversed(prices):
        marks = _mark_hopeful(picked, aim.bound(picked, price), aim.limit)
        kept = [index for index, is_hopeful in zip(kept, marks) if is_hopeful]
        if len(kept) < len(picked):
            picked = _pick(branches, kept)
    return kept


def _mark_hopeful(branches: Branches, bound: _Bound, limit: int) -> Iterator[bool]:
    arriving: dict[int, _Row] = {}
    row: _Row = [0.0] * (limit + 1)
    for index, end in enumerate(branches.ends):
        met = arriving.pop(index, None)
        if met is not None:
            row = list(map(min, row, met))
        own, is_forced = bound.reduced[index], branches.forced[index]
        taken = [own + before for before in row[:-1]]
        yield is_forced or min(map(float.__add__, taken, reversed(bound.rows[end][:-1])), default=inf) <= bound.room
        if own < 0 or branches.needed[index]:
            there = arriving.get(end)
            arriving[end] = [inf, *taken] if there is None else list(map(min, there, [inf, *taken]))
        if is_forced:
            row = [inf] * (limit + 1)


def _pick(branches: Branches, kept: Sequence[int]) -> Branches:
    wanted = set(kept)
    places = list(accumulate((index in wanted for index in range(len(branches))), initial=0))
    return Branches(
        ends=[places[branches.ends[i]] for i in kept],
        savings=[branches.savings[i] for i in kept],
        costs=[branches.costs[i] for i in kept],
        forced=[branches.forced[i] for i in kept],
        needed=[branches.needed[i] for i in kept],
    )


# ---- labels


def _search(branches: Branches, kept: Sequence[int], prices: Sequence[float], aim: _Aim, width: int | None) -> _Path | None:
    """The best path over the `kept` branches, as `choose_branches` defines best; `width`: labels that go on from a place for each count."""
    picked = _pick(branches, kept)
    chain = _LabelSearch(picked, [aim.bound(picked, price) for price in prices], aim, width).run()
    if chain is None:
        return None
    taken = tuple(kept[index] for index in _unroll(chain))
    return _make_path(branches, taken)


class _LabelSearch:
    """Carries labels from the first branch to the end; `fronts[i][w]` are those that arrived at branch `i` with `w` taken."""

    def __init__(self, branches: Branches, bounds: Sequence[_Bound], aim: _Aim, width: int | None) -> None:
        self._branches = branches
        self._bounds = bounds
        self._aim = aim
        self._width = width
        self._seen = 0
        self._fronts: list[list[_Front] | None] = [None] * (len(branches) + 1)

    def run(self) -> object | None:
        limit = self._aim.limit
        self._fronts[0] = [[(0.0, 0, ())], *([] for _ in range(limit))]
        for index in range(len(self._branches)):
            here, self._fronts[index] = self._fronts[index], None
            if here is not None:
                for count, front in enumerate(here):
                    if front:
                        self._go_on(index, count, front)
        finished = [(cost, less, count, chain) for count, front in enumerate(self._fronts[-1] or ()) for cost, less, chain in front]
        enough = [label for label in finished if -label[1] >= self._aim.saving]
        return min(enough, key=itemgetter(0, 1, 2))[3] if enough else None

    def _go_on(self, index: int, count: int, front: _Front) -> None:
        branches, limit = self._branches, self._aim.limit
        self._seen += len(front)
        if self._width is None and self._seen > _LABELS:
            self._width = _FEW
        if self._width is not None and len(front) > self._width:
            front = self._narrow(index, count, front)
        if count < limit:
            gain, cost, end = branches.savings[index], branches.costs[index], branches.ends[index]
            hopeful = front
            for bound in self._bounds:
                hopeful = _filter(hopeful, bound.price, bound.room - bound.rows[end][limit - count - 1] - bound.reduced[index])
            self._arrive(end, count + 1, [(label[0] + cost, label[1] - gain, (index, label[2])) for label in hopeful])
        if not branches.forced[index]:
            for bound in self._bounds:
                row = bound.rows[index + 1]
                if row is not bound.rows[index]:
                    front = _filter(front, bound.price, bound.room - row[limit - count])
            self._arrive(index + 1, count, front)

    def _arrive(self, place: int, count: int, front: _Front) -> None:
        if not front:
            return
        there = self._fronts[place]
        if there is None:
            there = self._fronts[place] = [[] for _ in range(self._aim.limit + 1)]
        there[count] = _merge(there[count], front) if there[count] else front

    def _narrow(self, index: int, count: int, front: _Front) -> _Front:
        """The most promising, back in order."""
        price = self._bounds[0].price
        return sorted(sorted(front, key=lambda label: label[0] + price * label[1])[: self._width], key=_PLACE)


def _filter(front: _Front, price: float, room: float) -> _Front:
    """Labels whose reduced cost is within `room`."""
    if isinf(price):
        return [label for label in front if label[1] <= room]
    return [label for label in front if label[0] + price * label[1] <= room]


def _merge(one: _Front, other: _Front) -> _Front:
    merged, most = list[_Label](), 1
    for label in sorted(one + other, key=_PLACE):
        if label[1] < most:
            merged.append(label)
            most = label[1]
    return merged


def _unroll(chain: object) -> list[int]:
    taken = list[int]()
    while isinstance(chain, tuple) and chain:
        index, chain = chain
        taken.append(index)
    return taken[::-1]
