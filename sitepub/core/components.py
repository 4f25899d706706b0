"""Strongly connected components of a graph of numbers: files that load each other in a circle are named as one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence


def find_components(nodes: Iterable[int], successors: Callable[[int], Sequence[int]]) -> list[tuple[int, ...]]:
    """Tarjan's algorithm without recursion: each component sorted, what is loaded before what loads it.

    `successors` may name nodes that are not in `nodes`; they are left out. Linear in nodes and edges.
    """
    known = set(nodes)
    order: dict[int, int] = {}
    low: dict[int, int] = {}
    waiting: list[int] = []
    is_waiting: set[int] = set()
    components: list[tuple[int, ...]] = []
    for root in sorted(known):
        if root in order:
            continue
        path: list[tuple[int, Iterator[int]]] = []
        _enter(root, order, low, waiting, is_waiting)
        path.append((root, iter(successors(root))))
        while path:
            node, rest = path[-1]
            following = next((other for other in rest if other in known and (other not in order or other in is_waiting)), None)
            if following is None:
                path.pop()
                if path:
                    low[path[-1][0]] = min(low[path[-1][0]], low[node])
                if low[node] == order[node]:
                    components.append(_leave(node, waiting, is_waiting))
            elif following in order:
                low[node] = min(low[node], order[following])
            else:
                _enter(following, order, low, waiting, is_waiting)
                path.append((following, iter(successors(following))))
    return components


def _enter(node: int, order: dict[int, int], low: dict[int, int], waiting: list[int], is_waiting: set[int]) -> None:
    order[node] = low[node] = len(order)
    waiting.append(node)
    is_waiting.add(node)


def _leave(root: int, waiting: list[int], is_waiting: set[int]) -> tuple[int, ...]:
    members = []
    while True:
        member = waiting.pop()
        is_waiting.discard(member)
        members.append(member)
        if member == root:
            return tuple(sorted(members))
