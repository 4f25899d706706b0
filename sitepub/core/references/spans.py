"""Maps offsets of a decoded text back to the raw text it was decoded from, and moves what was found in a part of a file into the file."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable

from msgspec import Struct
from msgspec.structs import replace

from sitepub.core.references.model import ImportMap, Reference, Scan

Locate = Callable[[int], int]
"""The raw offset of a decoded one."""


class IndexMap(Struct, frozen=True):
    """From `starts[i]` on, the raw offset is the decoded one and `shifts[i]`. An offset inside an escape maps into or to its start."""

    starts: tuple[int, ...] = (0,)
    shifts: tuple[int, ...] = (0,)

    def locate(self, offset: int) -> int:
        """The raw offset of a decoded one."""
        return offset + self.shifts[bisect_right(self.starts, offset) - 1]


class LineCounter:
    """Counts lines up to offsets that mostly grow, so that a file is counted through once."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._offset = 0
        self._line = 1

    def line_at(self, offset: int) -> int:
        """The 1-based line that `offset` is on."""
        if offset < self._offset:
            self._line -= self._body.count(b"\n", offset, self._offset)
        else:
            self._line += self._body.count(b"\n", self._offset, offset)
        self._offset = offset
        return self._line


def move_scan(scan: Scan, locate: Locate, line_at: Callable[[int], int], *, escapes: int = 0) -> Scan:
    """`scan` with every offset put through `locate` and lines counted anew. `escapes`: how often its text was decoded on the way."""
    return replace(
        scan,
        references=_move_references(scan.references, locate, line_at),
        integrities=tuple(replace(one, start=locate(one.start), end=locate(one.end)) for one in scan.integrities),
        inline=tuple(replace(one, start=locate(one.start), end=locate(one.end), escapes=one.escapes + escapes) for one in scan.inline),
        policy_hashes=tuple(replace(one, start=locate(one.start), end=locate(one.end)) for one in scan.policy_hashes),
        patterns=tuple(replace(one, line=line_at(locate(0)) + one.line - 1) for one in scan.patterns),
        import_maps=tuple(
            ImportMap(
                locate(one.start),
                locate(one.end),
                _move_references(one.keys, locate, line_at),
                _move_references(one.prefixes, locate, line_at),
            )
            for one in scan.import_maps
        ),
        source_map=_move_reference(scan.source_map, locate, line_at) if scan.source_map else None,
    )


def shift_reference(one: Reference, by: int, lines: int) -> Reference:
    """As `_replace` would, at a third of its cost."""
    dot = by + one.dot if one.dot >= 0 else -1
    return Reference(by + one.start, by + one.end, dot, one.url, one.use, one.how, lines + one.line, one.base, one.is_bare, one.is_optional)


def _move_references(references: Iterable[Reference], locate: Locate, line_at: Callable[[int], int]) -> tuple[Reference, ...]:
    return tuple(_move_reference(one, locate, line_at) for one in references)


def _move_reference(one: Reference, locate: Locate, line_at: Callable[[int], int]) -> Reference:
    start = locate(one.start)
    dot = locate(one.dot) if one.dot >= 0 else -1
    return one._replace(start=start, end=locate(one.end), dot=dot, line=line_at(start))
