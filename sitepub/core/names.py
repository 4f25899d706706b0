"""The keys of assets: bottom-up, so that a digest covers the names of all that a file loads. Circles are named as one.

Nothing but content and path enters a name. formats.NAMES says how it is made: names of unchanged files never change while it stays the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from msgspec import Struct, field

from sitepub.core.components import find_components
from sitepub.core.edits import Edit, splice
from sitepub.core.evidence import Evidence
from sitepub.core.frozen import carries_own_digest, split_own_digest
from sitepub.core.model import Digest, Key, SourcePath
from sitepub.core.nature import insert_digest

LENGTHEN_BY = 4


class Bodies(Struct, frozen=True):
    """What names are made from. `digest_of`: of a file as built. `read`: its bytes. `digest_edited`: of the file after edits, which
    a cache may know without reading it."""

    digest_of: Callable[[int], Digest]
    read: Callable[[int], bytes]
    digest_edited: Callable[[int, tuple[Edit, ...]], Digest]


class Names(Struct, frozen=True):
    """`inserts`: what goes into references to a file, dot and digest."""

    keys: Mapping[int, Key] = field(default_factory=dict)
    inserts: Mapping[int, bytes] = field(default_factory=dict)


def name_assets(assets: Collection[int], evidence: Evidence, bodies: Bodies, *, digest_length: int, taken: Collection[str]) -> Names:
    """`taken`: keys that are none of ours to give: every path of the source, and redirects."""
    keys: dict[int, Key] = {}
    inserts: dict[int, bytes] = {}
    for members in find_components(assets, evidence.targets_of):
        is_circle = _is_circle(members, evidence)
        digests = _digest_circle(members, evidence, bodies, inserts) if is_circle else _digest_single(members[0], evidence, bodies, inserts)
        for number in members:
            keys[number], part = _choose_key(evidence.paths[number], digests[number], digest_length, taken)
            inserts[number] = f".{part}".encode("ascii")
    return Names(keys, inserts)


def find_own_circles(digests: Sequence[Digest], evidence: Evidence, read: Callable[[int], bytes]) -> Collection[int]:
    """Members of circles that an earlier run of ours named already: the digests computed without their names give these names."""
    plain = {
        number: split
        for number, path in enumerate(evidence.paths)
        if number in evidence.edges and (split := split_own_digest(path)) is not None and not carries_own_digest(path, digests[number])
    }
    circles = (members for members in find_components(plain, evidence.targets_of) if _is_circle(members, evidence))
    return {number for members in circles if _is_own_circle(members, evidence, read, plain) for number in members}


def find_edits(number: int, evidence: Evidence, inserts: Mapping[int, bytes]) -> tuple[Edit, ...]:
    """The insertions that a file needs, once what it loads has names."""
    found = ((dot, inserts[target]) for dot, target in evidence.edges_of(number) if target in inserts)
    return tuple(Edit(dot, 0, insert) for dot, insert in sorted(found))


def _digest_single(number: int, evidence: Evidence, bodies: Bodies, inserts: Mapping[int, bytes]) -> Mapping[int, str]:
    edits = find_edits(number, evidence, inserts)
    return {number: bodies.digest_edited(number, edits) if edits else bodies.digest_of(number)}


def _digest_circle(members: tuple[int, ...], evidence: Evidence, bodies: Bodies, inserts: Mapping[int, bytes]) -> Mapping[int, str]:
    """One digest over all members as they will be, but for their own names, which their paths stand in for."""
    placeholders = {number: _placeholder(evidence.paths[number]) for number in members}
    standing = {**{number: inserts[number] for number in _outside(members, evidence, inserts)}, **placeholders}
    group = _digest_group(
        (evidence.paths[number], splice(bodies.read(number), find_edits(number, evidence, standing))) for number in members
    )
    return {number: _digest_member(group, evidence.paths[number]) for number in members}


def _outside(members: tuple[int, ...], evidence: Evidence, inserts: Mapping[int, bytes]) -> set[int]:
    return {target for number in members for target in evidence.targets_of(number) if target in inserts}


def _is_circle(members: tuple[int, ...], evidence: Evidence) -> bool:
    return len(members) > 1 or members[0] in evidence.targets_of(members[0])


def _is_own_circle(
    members: tuple[int, ...], evidence: Evidence, read: Callable[[int], bytes], plain: Mapping[int, tuple[SourcePath, str]]
) -> bool:
    own = {number: plain[number] for number in members}
    stripped = []
    for number in members:
        body = _strip_names(read(number), number, evidence, own)
        if body is None:
            return False
        stripped.append((own[number][0], body))
    group = _digest_group(stripped)
    return all(_digest_member(group, path).startswith(part) for path, part in own.values())


def _strip_names(body: bytes, number: int, evidence: Evidence, plain: Mapping[int, tuple[SourcePath, str]]) -> bytes | None:
    """The body with placeholders where members' digests stand; None where one stands elsewhere."""
    edits = []
    for dot, target in sorted(pair for pair in evidence.edges_of(number) if pair[1] in plain):
        path, part = plain[target]
        named = f".{part}".encode("ascii")
        if body[dot - len(named) : dot] != named:
            return None
        edits.append(Edit(dot - len(named), len(named), _placeholder(path)))
    return splice(body, edits)


def _placeholder(path: str) -> bytes:
    return b"\0" + path.encode("utf-8", "surrogateescape") + b"\0"


def _digest_group(members: Iterable[tuple[str, bytes]]) -> bytes:
    group = hashlib.sha256()
    for path, body in sorted(members):
        name = path.encode("utf-8", "surrogateescape")
        group.update(b"%d %d\0%b\0" % (len(name), len(body), name))
        group.update(body)
    return group.digest()


def _digest_member(group: bytes, path: str) -> str:
    return hashlib.sha256(group + path.encode("utf-8", "surrogateescape")).hexdigest()


def _choose_key(path: SourcePath, digest: str, length: int, taken: Collection[str]) -> tuple[Key, str]:
    """Longer where the usual name is that of another file."""
    while True:
        key = insert_digest(path, digest[:length])
        if key not in taken or length >= len(digest):
            return Key(key), digest[:length]
        length += LENGTHEN_BY
