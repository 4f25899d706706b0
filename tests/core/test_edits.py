"""Splices and their inverse, and edits in few bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sitepub.core.edits import Edit, is_spliced, pack_edits, splice, unpack_edits


@st.composite
def bodies_and_edits(draw: st.DrawFn) -> tuple[bytes, tuple[Edit, ...]]:
    body = draw(st.binary(max_size=60))
    edits, at = [], 0
    for gap, drop, insert in draw(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5), st.binary(max_size=9)), max_size=6)):
        if at + gap + drop > len(body):
            break
        edits.append(Edit(at + gap, drop, insert))
        at += gap + drop
    return body, tuple(edits)


@given(bodies_and_edits())
def test_a_splice_is_recognised(case: tuple[bytes, tuple[Edit, ...]]) -> None:
    body, edits = case
    assert is_spliced(body, splice(body, edits), edits)


@given(bodies_and_edits(), st.integers(0, 200), st.integers(1, 255))
def test_any_other_byte_is_noticed(case: tuple[bytes, tuple[Edit, ...]], at: int, flip: int) -> None:
    body, edits = case
    output = bytearray(splice(body, edits))
    if output:
        output[at % len(output)] ^= flip
        assert not is_spliced(body, bytes(output), edits)


@pytest.mark.parametrize("output", [b"ab.x.c", b"ab.x", b"ab.x.cd", b"b.x.c", b""])
def test_more_or_less_is_noticed(output: bytes) -> None:
    assert is_spliced(b"ab.c", output, [Edit(2, 0, b".x")]) is (output == b"ab.x.c")


@given(bodies_and_edits())
def test_packed_edits_come_back(case: tuple[bytes, tuple[Edit, ...]]) -> None:
    assert unpack_edits(pack_edits(case[1])) == case[1]
