"""Shifted maps against a reader of mappings of this test's own."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sitepub.core.edits import Edit, splice
from sitepub.core.source_maps import shift_source_map

DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def write(numbers: list[int]) -> str:
    text = ""
    for number in numbers:
        value = -number * 2 + 1 if number < 0 else number * 2
        while True:
            value, digit = divmod(value, 32)
            text += DIGITS[digit + (32 if value else 0)]
            if not value:
                break
    return text


def read(mappings: str) -> list[list[tuple[int, ...]]]:
    """Absolute generated columns, and the other numbers as they stand."""
    lines = []
    for line in mappings.split(";"):
        column, segments = 0, []
        for segment in filter(None, line.split(",")):
            numbers, value, shift = [], 0, 0
            for digit in map(DIGITS.index, segment):
                value += (digit & 31) << shift
                shift += 5
                if digit < 32:
                    numbers.append(-(value >> 1) if value & 1 else value >> 1)
                    value = shift = 0
            column += numbers[0]
            segments.append((column, *numbers[1:]))
        lines.append(segments)
    return lines


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, list[list[int]], list[int]]:
    code = draw(st.text(st.sampled_from("ab é\U0001f600\n"), max_size=60))
    columns = [sorted(draw(st.sets(st.integers(0, len(line) + 2), max_size=5))) for line in code.split("\n")]
    places = sorted(draw(st.sets(st.integers(0, len(code)), max_size=5)))
    return code, columns, places


@given(cases())
def test_every_column_moves_by_what_was_inserted_before_it(case: tuple[str, list[list[int]], list[int]]) -> None:
    code, columns, places = case
    lines = [",".join(write([b - a, 0, 1, -2]) for a, b in zip([0, *line], line)) for line in columns]
    source_map = json.dumps({"version": 3, "sourcesContent": ['"mappings":"AAAA"'], "mappings": ";".join(lines)}).encode()
    edits = [Edit(len(code[:place].encode()), 0, b"." + b"f" * 40) for place in places]
    found = shift_source_map(source_map, code.encode(), edits)
    assert found is not None
    shifted = json.loads(splice(source_map, found))

    def units(text: str) -> int:
        return len(text.encode("utf-16-le")) // 2

    inserted = [(code[:place].count("\n"), units(code[:place].rpartition("\n")[2])) for place in places]
    expected = [
        [(column + 41 * sum(line == number and at <= column for line, at in inserted), 0, 1, -2) for column in line]
        for number, line in enumerate(columns)
    ]
    assert read(shifted["mappings"]) == expected
    assert {**shifted, "mappings": ""} == {**json.loads(source_map), "mappings": ""}


@pytest.mark.parametrize(
    "source_map",
    [b"", b"no json", b"[]", b'{"version":3}', b'{"version":3,"sections":[{"map":{"mappings":"AAAA"}}]}', b'{"mappings":"A A"}'],
)
def test_what_can_not_be_shifted(source_map: bytes) -> None:
    assert shift_source_map(source_map, b"x", [Edit(0, 0, b".f")]) is None


def test_a_bundle_of_one_line_is_counted_once() -> None:
    """Whatever counts the line anew for each edit does not come back from this."""
    code = ("é" + "a" * 999).encode() * 10_000
    edits = [Edit(1001 * number + 500, 0, b".ffffffffffff") for number in range(10_000)]
    assert shift_source_map(b'{"version":3,"mappings":"AAAA"}', code, edits) == []
