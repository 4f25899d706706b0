"""The stored document of a release: its manifest, where the bodies of its entries stand, and what lingers. Compressed, versioned."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sitepub.core.manifest import decode_rows, encode_rows, make_manifest
from sitepub.core.model import Artifact, Digest, ETag, Key, Manifest, ReleaseId
from sitepub.errors import ConfigurationError

FORMAT = 1


@dataclass(frozen=True, slots=True)
class BodyPlace:
    """`length` bytes at `offset` of a pack: one zstd frame (RFC 8878) that holds one body."""

    pack: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Retired:
    """The last release whose pages load a key under a name that stays."""

    seq: int
    release: ReleaseId


@dataclass(frozen=True, slots=True)
class Document:
    """`bodies` by digest. A body of an entry that is in no pack stands by itself under `entries/<digest>`. `retired`: since when each key lingers."""

    manifest: Manifest
    bodies: Mapping[Digest, BodyPlace] = field(default_factory=dict)
    lingering: Mapping[Key, tuple[Artifact, ...]] = field(default_factory=dict)
    retired: Mapping[Key, Retired] = field(default_factory=dict)


def encode_document(document: Document) -> bytes:
    """The same document gives the same bytes with the same zstandard."""
    artifacts = list(document.manifest.artifacts.values())
    placed = [(n, document.bodies[artifact.body]) for n, artifact in enumerate(artifacts) if artifact.body in document.bodies]
    packs = sorted({place.pack for _, place in placed})
    lingering = [artifact for key in sorted(document.lingering) for artifact in document.lingering[key]]
    tree = {
        "format": FORMAT,
        "manifest": encode_rows(artifacts),
        "packs": packs,
        "places": {
            "rows": [n for n, _ in placed],
            "packs": [packs.index(place.pack) for _, place in placed],
            "offsets": [place.offset for _, place in placed],
            "lengths": [place.length for _, place in placed],
        },
        "lingering": encode_rows(lingering),
        "retired": [_encode_retired(document.retired.get(key)) for key in sorted(document.lingering)],
    }
    return _compress(tree)


def decode_document(stored: bytes, *, where: str) -> Document:
    """Raises ConfigurationError where the bytes are no document, or one of a later sitepub."""
    tree = _decompress(stored, where)
    known = tree["format"]
    if known != FORMAT:
        message = f"`{where}` has release format {known}, this sitepub knows format {FORMAT}"
        raise ConfigurationError("unknown-release-format", message, "update sitepub on this machine")
    try:
        return _decode(tree)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise _damaged(where) from error


def encode_record(etags: Mapping[Key, ETag]) -> bytes:
    """The ETags that the target answered for a live release, by key."""
    return _compress({"format": FORMAT, "etags": dict(sorted(etags.items()))})


def decode_record(stored: bytes, *, where: str) -> Mapping[Key, ETag]:
    """Raises ConfigurationError where the bytes are no record."""
    tree = _decompress(stored, where)
    if tree["format"] != FORMAT:
        raise _damaged(where)
    try:
        return {Key(key): ETag(etag) for key, etag in tree["etags"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(where) from error


def _compress(tree: Mapping[str, object]) -> bytes:
    import zstandard

    return zstandard.ZstdCompressor(level=3, write_content_size=True).compress(json.dumps(tree, separators=(",", ":")).encode())


def _decompress(stored: bytes, where: str) -> dict[str, Any]:
    """What was compressed; it has a `format`, whichever."""
    import zstandard

    try:
        tree = json.loads(zstandard.ZstdDecompressor().decompress(stored))
    except (zstandard.ZstdError, ValueError) as error:
        raise _damaged(where) from error
    if not isinstance(tree, dict) or "format" not in tree:
        raise _damaged(where)
    return tree


def _encode_retired(retired: Retired | None) -> list[object] | None:
    return None if retired is None else [retired.seq, retired.release]


def _damaged(where: str) -> ConfigurationError:
    return ConfigurationError("damaged-release", f"`{where}` is not what sitepub wrote there", "run `sitepub verify --repair`")


def _decode(tree: dict[str, Any]) -> Document:
    artifacts = decode_rows(tree["manifest"])
    places, packs = tree["places"], tree["packs"]
    columns = zip(places["rows"], places["packs"], places["offsets"], places["lengths"], strict=True)
    bodies = {artifacts[row].body: BodyPlace(packs[pack], offset, length) for row, pack, offset, length in columns}
    lingering: dict[Key, tuple[Artifact, ...]] = {}
    for artifact in decode_rows(tree["lingering"]):
        lingering[artifact.key] = (*lingering.get(artifact.key, ()), artifact)
    retired = {
        key: Retired(int(found[0]), ReleaseId(found[1])) for key, found in zip(sorted(lingering), tree["retired"], strict=True) if found
    }
    return Document(make_manifest(artifacts), bodies, lingering, retired)
