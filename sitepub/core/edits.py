"""Edits: which bytes go in where, and the same edits in few bytes. Splicing and its inverse; what to edit is decided elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple, cast

_COMPACT = json.JSONEncoder(separators=(",", ":"))


class Edit(NamedTuple):
    """`drop` bytes at offset `at` of the source give way to `insert`. Only what follows from an insertion drops any: integrity values,
    hashes of a policy, revisions, columns of a source map."""

    at: int
    drop: int
    insert: bytes


def splice(body: bytes, edits: Sequence[Edit]) -> bytes:
    """`edits` are sorted and do not overlap."""
    pieces: list[bytes] = []
    done = 0
    for edit in edits:
        pieces.append(body[done : edit.at])
        pieces.append(edit.insert)
        done = edit.at + edit.drop
    pieces.append(body[done:])
    return b"".join(pieces)


def is_spliced(source: bytes, output: bytes, edits: Sequence[Edit]) -> bool:
    """Whether `output` is `source` with these edits and no other byte changed. Walks the output, not the way it was made."""
    at_source = at_output = 0
    for edit in edits:
        length = edit.at - at_source
        if length < 0 or output[at_output : at_output + length] != source[at_source : edit.at]:
            return False
        at_output += length
        if output[at_output : at_output + len(edit.insert)] != edit.insert:
            return False
        at_source, at_output = edit.at + edit.drop, at_output + len(edit.insert)
    return output[at_output:] == source[at_source:]


def pack_edits(edits: Iterable[Edit]) -> bytes:
    """Some 25 bytes an edit, instead of the 200 of an object; the same edits give the same bytes."""
    flat: list[int | str] = []
    for edit in edits:
        flat += (edit.at, edit.drop, edit.insert.decode("latin-1"))
    return _COMPACT.encode(flat).encode("ascii") if flat else b""


def unpack_edits(packed: bytes) -> tuple[Edit, ...]:
    """The inverse of pack_edits."""
    if not packed:
        return ()
    flat = json.loads(packed.decode("ascii"))
    columns = zip(cast(list[int], flat[::3]), cast(list[int], flat[1::3]), cast(list[str], flat[2::3]))
    return tuple([Edit(at, drop, insert.encode("latin-1")) for at, drop, insert in columns])
