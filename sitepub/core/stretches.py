"""Which bodies of packs are read in one request: neighbours, across a little that nobody wants, up to a length that memory holds."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from msgspec import Struct

from sitepub.core.model import BodyPlace

STRETCH_BYTES = 2 * 1024 * 1024
GAP_BYTES = 64 * 1024
"""What costs less to read along than a request of its own."""


class Stretch(Struct, frozen=True):
    """`length` bytes at `offset` of a pack, of many frames."""

    pack: str
    offset: int
    length: int

    @property
    def end(self) -> int:
        return self.offset + self.length


def join_places(places: Collection[BodyPlace]) -> Mapping[BodyPlace, Stretch]:
    """The stretch that each place is read with, in the order of `places`. Places that stand alone have none."""
    groups: list[tuple[Stretch, list[BodyPlace]]] = []
    for place in sorted(set(places), key=lambda place: (place.pack, place.offset)):
        joined = _join(groups[-1][0], place) if groups else None
        if joined is None:
            groups.append((Stretch(place.pack, place.offset, place.length), [place]))
        else:
            groups[-1][1].append(place)
            groups[-1] = joined, groups[-1][1]
    found = {place: stretch for stretch, joined in groups if len(joined) > 1 for place in joined}
    return {place: found[place] for place in places if place in found}


def _join(stretch: Stretch, place: BodyPlace) -> Stretch | None:
    end = max(stretch.end, place.offset + place.length)
    if place.pack != stretch.pack or place.offset - stretch.end > GAP_BYTES or end - stretch.offset > STRETCH_BYTES:
        return None
    return Stretch(stretch.pack, stretch.offset, end - stretch.offset)
