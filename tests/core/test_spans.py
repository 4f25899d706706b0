"""Scans that are moved from a part of a file into the file."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sitepub.core.references.model import ImportMap, InlineBlock, Integrity, ModulePattern, PolicyHash, Reference, Scan, Use
from sitepub.core.references.spans import IndexMap, LineCounter, move_scan


@given(st.binary(max_size=60).map(lambda raw: raw.replace(b"\r", b"\n")), st.lists(st.integers(0, 60), max_size=8))
def test_lines_are_counted_in_any_order(body: bytes, offsets: list[int]) -> None:
    counter = LineCounter(body)
    for offset in offsets:
        assert counter.line_at(offset) == body[:offset].count(b"\n") + 1


def test_an_index_map_shifts_from_each_start_on() -> None:
    index_map = IndexMap(starts=(0, 3, 5), shifts=(0, 4, 3))
    assert [index_map.locate(offset) for offset in range(7)] == [0, 1, 2, 7, 8, 8, 9]


def test_everything_with_an_offset_moves() -> None:
    """Ten bytes and a line further, with a second escape of three bytes at offset 5."""
    file = b"012345678\n" + b"....\n" + b"x" * 40
    part = IndexMap(starts=(0, 5), shifts=(0, 3))
    reference = Reference(2, 8, 6, "a.b", Use.LOAD, "css url", 1)
    moved_reference = Reference(12, 21, 19, "a.b", Use.LOAD, "css url", 2)
    scan = Scan(
        references=(reference, Reference(6, 7, -1, "c", Use.LINK, "x", 9)),
        integrities=(Integrity(1, 9, "sha256-A", "a.b"),),
        inline=(InlineBlock(0, 6, "style-src", 1),),
        policy_hashes=(PolicyHash(4, 6, "sha256", "A"),),
        patterns=(ModulePattern("a", "b", 2),),
        import_maps=(ImportMap(0, 9, (reference,), (reference,)),),
        mentions=("a.b",),
        source_map=reference,
    )
    assert move_scan(scan, lambda offset: 10 + part.locate(offset), LineCounter(file).line_at, escapes=1) == Scan(
        references=(moved_reference, Reference(19, 20, -1, "c", Use.LINK, "x", 3)),
        integrities=(Integrity(11, 22, "sha256-A", "a.b"),),
        inline=(InlineBlock(10, 19, "style-src", 2),),
        policy_hashes=(PolicyHash(14, 19, "sha256", "A"),),
        patterns=(ModulePattern("a", "b", 3),),
        import_maps=(ImportMap(10, 22, (moved_reference,), (moved_reference,)),),
        mentions=("a.b",),
        source_map=moved_reference,
    )
