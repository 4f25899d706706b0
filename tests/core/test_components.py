"""Strongly connected components, against the definition on small graphs, and on large ones."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sitepub.core.components import find_components

GRAPHS = st.dictionaries(st.integers(0, 9), st.lists(st.integers(0, 9), max_size=5), max_size=10)


def reach(graph: dict[int, list[int]], start: int) -> set[int]:
    seen, waiting = {start}, [start]
    while waiting:
        for other in graph.get(waiting.pop(), []):
            if other in graph and other not in seen:
                seen.add(other)
                waiting.append(other)
    return seen


@given(GRAPHS)
def test_components_are_what_reaches_each_other(graph: dict[int, list[int]]) -> None:
    found = find_components(graph, lambda node: graph[node])
    expected = {tuple(sorted(b for b in reach(graph, a) if a in reach(graph, b))) for a in graph}
    assert sorted(found) == sorted(expected)


@given(GRAPHS)
def test_what_is_loaded_comes_first(graph: dict[int, list[int]]) -> None:
    found = find_components(graph, lambda node: graph[node])
    place = {node: number for number, members in enumerate(found) for node in members}
    assert all(place[other] <= place[node] for node in graph for other in graph[node] if other in graph)


def test_a_chain_of_a_hundred_thousand_needs_no_recursion() -> None:
    size = 100_000
    found = find_components(range(size), lambda node: [node + 1] if node + 1 < size else [])
    assert found == [(node,) for node in reversed(range(size))]


def test_a_circle_of_a_hundred_thousand_is_one() -> None:
    size = 100_000
    assert find_components(range(size), lambda node: [(node + 1) % size]) == [tuple(range(size))]
