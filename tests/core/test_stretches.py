"""Neighbours in a pack are read in one request, what stands far apart is not."""

from __future__ import annotations

from sitepub.core.model import BodyPlace
from sitepub.core.stretches import GAP_BYTES, STRETCH_BYTES, Stretch, join_places


def test_neighbours_are_joined_in_whatever_order_they_come() -> None:
    first, second, third = (BodyPlace("a", offset, 10) for offset in (0, 10, 25))
    assert join_places([third, first, second, first]) == dict.fromkeys((first, second, third), Stretch("a", 0, 35))


def test_what_stands_alone_is_read_alone() -> None:
    assert join_places([BodyPlace("a", 0, 10), BodyPlace("b", 10, 10), BodyPlace("b", 21 + GAP_BYTES, 10)]) == {}
    near = [BodyPlace("b", 0, 10), BodyPlace("b", 10 + GAP_BYTES, 10)]
    assert join_places(near) == dict.fromkeys(near, Stretch("b", 0, GAP_BYTES + 20))


def test_no_stretch_is_longer_than_memory_should_hold() -> None:
    places = [BodyPlace("a", number * 500_000, 500_000) for number in range(10)]
    stretches = set(join_places(places).values())
    assert stretches == {Stretch("a", 0, 2_000_000), Stretch("a", 2_000_000, 2_000_000), Stretch("a", 4_000_000, 1_000_000)}
    assert all(stretch.length <= STRETCH_BYTES for stretch in stretches)
