"""Shards: rows of a large manifest that are stored by themselves, under the digest of what they hold. core/cutting.py says where one ends."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from sitepub.core.compressed import compress_tree, damaged_release, decompress_tree
from sitepub.core.cutting import cut
from sitepub.core.manifest import decode_rows, encode_rows
from sitepub.core.model import Artifact, BodyPlace, Digest

SHARDED = 2
"""The format of shards, and of a document that names them."""


class Shard(Struct, frozen=True, weakref=True):
    """Rows of a manifest that follow each other, at least one, and for each where its body stands, None where in no pack. `digest`: SHA-256 of
    the shard as it is stored."""

    digest: Digest
    artifacts: tuple[Artifact, ...]
    places: tuple[BodyPlace | None, ...]


def make_shards(
    artifacts: Sequence[Artifact], bodies: Mapping[Digest, BodyPlace], rows: int, like: Iterable[Shard], fresh: dict[Digest, bytes]
) -> Iterator[Shard]:
    """About `rows` artifacts in each. What is as one of `like` is that one, and is not encoded: most of a large site is. `fresh` takes the bytes of
    those that are."""
    known = {shard.artifacts[0].key: shard for shard in like}
    for first, end in cut([artifact.key for artifact in artifacts], rows):
        part = tuple(artifacts[first:end])
        places = tuple(bodies.get(artifact.body) for artifact in part)
        shard = known.get(part[0].key)
        if shard is None or shard.artifacts != part or shard.places != places:
            stored = compress_tree({"format": SHARDED, **encode_placed(part, bodies)})
            shard = Shard(Digest(hashlib.sha256(stored).hexdigest()), part, places)
            fresh[shard.digest] = stored
        yield shard


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


def decode_placed(tree: Mapping[str, Any]) -> tuple[tuple[Artifact, ...], Mapping[Digest, BodyPlace]]:
    """The inverse of encode_placed; raises ValueError, KeyError, TypeError or IndexError on anything that it did not write."""
    artifacts = decode_rows(tree["manifest"])
    places, packs = tree["places"], tree["packs"]
    columns = zip(places["rows"], places["packs"], places["offsets"], places["lengths"], strict=True)
    return artifacts, {artifacts[row].body: BodyPlace(packs[pack], offset, length) for row, pack, offset, length in columns}
