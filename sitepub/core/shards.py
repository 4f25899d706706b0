"""Shards: rows of a large manifest that are stored by themselves, under the digest of what they hold. core/cutting.py says where one ends."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from sitepub.core.compressed import compress_tree, damaged_release, decompress_tree
from sitepub.core.cutting import Cutting
from sitepub.core.manifest import decode_rows, encode_rows
from sitepub.core.model import Artifact, BodyPlace, Digest

SHARDED = 2
"""The format of shards, and of a document that names them."""

Placed = tuple[tuple[Artifact, ...], Mapping[Digest, BodyPlace]]
"""Rows of a manifest, and where those bodies stand that are in packs."""


class Shard(Struct, frozen=True, weakref=True):
    """Rows of a manifest that follow each other, at least one, and for each where its body stands, None where in no pack. `digest`: SHA-256 of
    the shard as it is stored."""

    digest: Digest
    artifacts: tuple[Artifact, ...]
    places: tuple[BodyPlace | None, ...]


class Part(Struct, frozen=True):
    """Rows that are to stand in one shard, and the stored shard, if there is one, that begins as they do."""

    artifacts: tuple[Artifact, ...]
    places: tuple[BodyPlace | None, ...]
    known: Shard | None

    @property
    def is_known(self) -> bool:
        return self.known is not None and self.known.artifacts == self.artifacts and self.known.places == self.places


def cut_parts(artifacts: Sequence[Artifact], bodies: Mapping[Digest, BodyPlace], cutting: Cutting, like: Iterable[Shard]) -> list[Part]:
    """`like`: shards that are stored already; of two that begin alike the later one counts."""
    stored = tuple(like)
    known = {shard.artifacts[0].key: shard for shard in stored}
    parts = [tuple(artifacts[first:end]) for first, end in cutting.cut([artifact.key for artifact in artifacts])]
    # where all stands in one, another key may be the first by now
    only = stored[0] if len(stored) == len(parts) == 1 else None
    return [Part(part, tuple(bodies.get(artifact.body) for artifact in part), only or known.get(part[0].key)) for part in parts]


def find_amended(parts: Iterable[Part]) -> list[Artifact] | None:
    """Rows that stand in no shard as they should. None where shards are lacking, or hold a row that is gone: what is to be forgotten may not stay in
    one for another row's sake."""
    amended: list[Artifact] = []
    for part in parts:
        found = None if part.known is None else _find_amended(part, part.known)
        if found is None:
            return None
        amended += found
    return amended


def _find_amended(part: Part, known: Shard) -> list[Artifact] | None:
    """As find_amended, of one part."""
    rows = zip(part.artifacts, part.places, known.artifacts, known.places)
    # what did not change is the same object, nearly always
    differing = [
        (now, old) for now, place, old, stood in rows if (now is not old and now != old) or (place is not stood and place != stood)
    ]
    if len(part.artifacts) == len(known.artifacts) and all(now.key == old.key for now, old in differing):
        return [now for now, _ in differing]
    stored = {artifact.key: (artifact, place) for artifact, place in zip(known.artifacts, known.places)}
    amended = [artifact for artifact, place in zip(part.artifacts, part.places) if stored.pop(artifact.key, None) != (artifact, place)]
    return None if stored else amended


def make_shards(parts: Iterable[Part], bodies: Mapping[Digest, BodyPlace], fresh: dict[Digest, bytes]) -> Iterator[Shard]:
    """What is stored as it should be is not encoded: most of a large site is. `fresh` takes the bytes of what is."""
    for part in parts:
        if part.known is not None and part.is_known:
            yield part.known
            continue
        stored = compress_tree({"format": SHARDED, **encode_placed(part.artifacts, bodies)})
        shard = Shard(Digest(hashlib.sha256(stored).hexdigest()), part.artifacts, part.places)
        fresh[shard.digest] = stored
        yield shard


def join_shards(shards: Iterable[Shard], amended: Iterable[Artifact], places: Mapping[Digest, BodyPlace]) -> Placed:
    """All rows, those of shards as they were amended, and where their bodies stand."""
    parts, rows = tuple(shards), tuple(amended)
    own = {artifact.key for artifact in rows}
    held = (pair for shard in parts for pair in zip(shard.artifacts, shard.places) if pair[0].key not in own)
    bodies = {artifact.body: place for artifact, place in held if place is not None} | dict(places)
    artifacts = (artifact for shard in parts for artifact in shard.artifacts if artifact.key not in own)
    return (*artifacts, *rows), bodies


def decode_shard(stored: bytes, digest: Digest, *, where: str) -> Shard:
    """Raises ConfigurationError where the bytes are no shard."""
    tree = decompress_tree(stored, where)
    try:
        artifacts, bodies = decode_placed(tree)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise damaged_release(where) from error
    return Shard(digest, artifacts, tuple(bodies.get(artifact.body) for artifact in artifacts))


def encode_placed(artifacts: Sequence[Artifact], bodies: Mapping[Digest, BodyPlace]) -> dict[str, object]:
    """Ready for JSON: the rows of a manifest, and of those whose bodies stand in packs, where."""
    found = [bodies.get(artifact.body) for artifact in artifacts]
    placed = [place for place in found if place is not None]
    packs = {pack: n for n, pack in enumerate(sorted({place.pack for place in placed}))}
    return {
        "manifest": encode_rows(artifacts),
        "packs": list(packs),
        "places": {
            "rows": [n for n, place in enumerate(found) if place is not None],
            "packs": [packs[place.pack] for place in placed],
            "offsets": [place.offset for place in placed],
            "lengths": [place.length for place in placed],
        },
    }


def decode_placed(tree: Mapping[str, Any]) -> Placed:
    """The inverse of encode_placed; raises ValueError, KeyError, TypeError or IndexError on anything that it did not write."""
    artifacts = decode_rows(tree["manifest"])
    places, packs = tree["places"], tree["packs"]
    columns = zip(places["rows"], places["packs"], places["offsets"], places["lengths"], strict=True)
    return artifacts, {artifacts[row].body: BodyPlace(packs[pack], offset, length) for row, pack, offset, length in columns}
