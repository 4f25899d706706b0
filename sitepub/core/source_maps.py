"""Moves the generated columns of a source map to where an edited script or stylesheet has them now; no other byte of the map changes.

https://tc39.es/ecma426/: columns are UTF-16 units, each relative to the one before on its line, so an insertion changes one number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from sitepub.core.edits import Edit

_MAPPINGS = re.compile(rb'(?<!\\)"mappings"\s*+:\s*+"([A-Za-z0-9+/,;]*+)"')
_DIGITS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}
_MORE = 32


def shift_source_map(source_map: bytes, code: bytes, edits: Sequence[Edit]) -> list[Edit] | None:
    """The edits of the map that follow from `edits` of the code; None where it is no map of a kind that can be shifted."""
    found = _MAPPINGS.search(source_map)
    if found is None or not _is_its_mappings(source_map, found[1]):
        return None
    lines = found[1].split(b";")
    starts = _line_starts(found.start(1), lines)
    shifts = _group_by_line(code, edits)
    return [edit for line, moved in sorted(shifts.items()) if line < len(lines) for edit in _shift_line(lines[line], starts[line], moved)]


def _is_its_mappings(source_map: bytes, mappings: bytes) -> bool:
    """Sections have mappings of their own, and so may the text of a source."""
    try:
        tree = json.loads(source_map)
    except (ValueError, RecursionError):
        return False
    return isinstance(tree, dict) and "sections" not in tree and tree.get("mappings") == mappings.decode("ascii")


def _line_starts(start: int, lines: Sequence[bytes]) -> list[int]:
    starts = []
    for line in lines:
        starts.append(start)
        start += len(line) + 1
    return starts


def _group_by_line(code: bytes, edits: Sequence[Edit]) -> dict[int, list[tuple[int, int]]]:
    """By number of line: (column, columns that come in). A bundle may be one line of megabytes, so each column is counted on from the one before."""
    grouped: dict[int, list[tuple[int, int]]] = {}
    line = column = counted = 0
    for edit in edits:
        between = code[counted : edit.at]
        counted = edit.at
        breaks = between.count(b"\n")
        if breaks:
            line, column, between = line + breaks, 0, between.rpartition(b"\n")[2]
        column += _count_units(between)
        grown = _count_units(edit.insert) - _count_units(code[edit.at : edit.at + edit.drop])
        if grown:
            grouped.setdefault(line, []).append((column, grown))
    return grouped


def _count_units(text: bytes) -> int:
    return len(text) if text.isascii() else len(text.decode("utf-8", "replace").encode("utf-16-le")) // 2


def _shift_line(line: bytes, start: int, moved: Sequence[tuple[int, int]]) -> Iterator[Edit]:
    """One edit for each run of insertions before the same segment."""
    waiting = iter([*moved, None])
    following = next(waiting)
    column, at = 0, start
    for segment in line.split(b","):
        if following is None:
            return
        if segment:
            delta, length = _read_number(segment)
            column += delta
            grown = 0
            while following is not None and following[0] <= column:
                grown += following[1]
                following = next(waiting)
            if grown:
                yield Edit(at, length, _write_number(delta + grown))
        at += len(segment) + 1


def _read_number(segment: bytes) -> tuple[int, int]:
    """The first number of a segment (base 64 VLQ) and how many digits it has."""
    value = shift = 0
    for length, digit in enumerate(segment, 1):
        part = _VALUES[digit]
        value |= (part & (_MORE - 1)) << shift
        shift += 5
        if part < _MORE:
            return (-(value >> 1) if value & 1 else value >> 1), length
    return 0, len(segment)


def _write_number(number: int) -> bytes:
    value = (-number << 1) | 1 if number < 0 else number << 1
    digits = bytearray()
    while value >= _MORE:
        digits.append(_DIGITS[(value & (_MORE - 1)) | _MORE])
        value >>= 5
    digits.append(_DIGITS[value])
    return bytes(digits)
