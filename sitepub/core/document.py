"""The stored document of a release: its manifest, where the bodies of its entries stand, and what lingers. Compressed, versioned.

Of a site that is not small the rows stand in shards of their own, and the document names them: what did not change is not stored again. Rows that are
not as in its shards it may hold itself, so that a changed page is a few hundred bytes.
"""

from __future__ import annotations

import json
import re
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from sitepub.core.compressed import compress_pieces, compress_tree, damaged_release, decompress_pieces, decompress_tree, text_size
from sitepub.core.cutting import Cutting
from sitepub.core.manifest import decode_rows, encode_rows, make_manifest
from sitepub.core.model import Artifact, BodyPlace, Digest, ETag, Key, Manifest, ReleaseId
from sitepub.core.shards import SHARDED, Shard, cut_parts, decode_placed, encode_placed, find_amended, join_shards, make_shards
from sitepub.errors import ConfigurationError

FORMAT = 1
AMENDED = 3
"""The format of a document that names shards and holds rows beside."""

ETAGS_AT_ONCE = 1000
"""Of a record, that are turned into text together."""

_RECORD_OPENING = f'{{"format":{FORMAT},"etags":{{'
_PAIR = re.compile(r'"((?:[^"\\]++|\\.)*+)":"((?:[^"\\]++|\\.)*+)"[,}]')
"""A name and a value of a JSON object of strings, and what follows them."""

LARGE_RECORD = 8 * 1024 * 1024
"""Bytes of text, of some 80,000 keys. Below that a parser in C is quick, and what it makes of the text small."""


class Retired(Struct, frozen=True):
    """The last release whose pages load a key under a name that stays."""

    seq: int
    release: ReleaseId


class Document(Struct, frozen=True):
    """`bodies` by digest. A body of an entry that is in no pack stands by itself under `entries/<digest>`. `lingering`: what
    earlier releases left at keys that `gc` alone takes away, `retired`: since when. `shards`: those that it was read from, none where it
    holds all rows itself."""

    manifest: Manifest
    bodies: Mapping[Digest, BodyPlace] = field(default_factory=dict)
    lingering: Mapping[Key, tuple[Artifact, ...]] = field(default_factory=dict)
    retired: Mapping[Key, Retired] = field(default_factory=dict)
    shards: tuple[Shard, ...] = ()


class Encoded(Struct, frozen=True):
    """A document as it is stored, and the bytes of the shards that it names and no other document does."""

    document: bytes
    fresh: Mapping[Digest, bytes] = field(default_factory=dict)
    shards: tuple[Shard, ...] = ()


ReadShards = Callable[[Sequence[Digest]], Iterable[Shard]]
"""Where the shards of a document come from, in the order of their digests."""


def encode_document(document: Document, cutting: Cutting, like: Iterable[Shard] = ()) -> Encoded:
    """`like`: shards that are stored already, of the release before. The same document beside the same ones gives the same bytes with the same zstandard."""
    artifacts = tuple(document.manifest.artifacts.values())
    if len(artifacts) <= cutting.above:
        return Encoded(compress_tree({"format": FORMAT, **encode_placed(artifacts, document.bodies), **_encode_lingering(document)}))
    parts = cut_parts(artifacts, document.bodies, cutting, like)
    amended = find_amended(parts)
    if amended and cutting.may_amend(len(amended), len(artifacts)):
        known = tuple(part.known for part in parts if part.known is not None)
        tree = {"format": AMENDED, "shards": _encode_digests(known), **encode_placed(amended, document.bodies)}
        return Encoded(compress_tree({**tree, **_encode_lingering(document)}), {}, known)
    fresh: dict[Digest, bytes] = {}
    shards = tuple(make_shards(parts, document.bodies, fresh))
    return Encoded(compress_tree({"format": SHARDED, "shards": _encode_digests(shards), **_encode_lingering(document)}), fresh, shards)


def _encode_digests(shards: Iterable[Shard]) -> str:
    return b2a_base64(bytes.fromhex("".join(shard.digest for shard in shards)), newline=False).decode()


def decode_document(stored: bytes, read_shards: ReadShards, *, where: str) -> Document:
    """Raises ConfigurationError where the bytes are no document, or one of a later sitepub."""
    tree = _open_document(stored, where)
    shards = tuple(read_shards(_name_shards(tree, where)))
    try:
        held = ((), {}) if tree["format"] == SHARDED else decode_placed(tree)
        artifacts, bodies = held if tree["format"] == FORMAT else join_shards(shards, *held)
        return Document(make_manifest(artifacts), bodies, *_decode_lingering(tree), shards)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise damaged_release(where) from error


def name_shards(stored: bytes, *, where: str) -> tuple[Digest, ...]:
    """The shards that a document names, in order."""
    return _name_shards(_open_document(stored, where), where)


def encode_record(etags: Mapping[Key, ETag | None]) -> bytes:
    """The ETags that the target answered for a live release, by key. None or '': nothing stands there."""
    keys = [key for key in sorted(etags) if etags[key]]
    parts = [keys[first : first + ETAGS_AT_ONCE] for first in range(0, len(keys), ETAGS_AT_ONCE)]
    # a tree of a million, and its text beside it, would be what a first publish holds at its peak
    texts = [json.dumps({key: etags[key] for key in part}, separators=(",", ":"))[1:-1].encode() for part in parts]
    return compress_pieces([_RECORD_OPENING.encode(), *_join(texts, b","), b"}}"])


def _join(texts: Iterable[bytes], between: bytes) -> Iterator[bytes]:
    for number, text in enumerate(texts):
        if number:
            yield between
        yield text


def decode_record(stored: bytes, keys: Container[Key] | None = None, *, where: str) -> Mapping[Key, ETag]:
    """Of `keys` alone, if they are given. Of a large one the text is gone through a piece at a time, and what else is in it is not kept. Raises
    ConfigurationError where the bytes are no record."""
    try:
        is_large = keys is not None and text_size(stored, where) > LARGE_RECORD
        pairs = _read_pairs(decompress_pieces(stored, where)) if is_large else _read_whole(decompress_tree(stored, where))
        return {Key(key): ETag(etag) for key, etag in pairs if keys is None or key in keys}
    except ValueError as error:
        raise damaged_release(where) from error


def _read_whole(tree: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    etags = tree.get("etags")
    if tree.keys() != {"format", "etags"} or tree["format"] != FORMAT or not isinstance(etags, dict):
        raise ValueError("no record")
    if not all(isinstance(etag, str) for etag in etags.values()):
        raise ValueError("no record")
    return etags.items()


def _read_pairs(pieces: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Of the text that `encode_record` wrote. Raises ValueError on any other."""
    text, at, is_begun = "", 0, False
    for piece in pieces:
        text, at = text[at:] + piece, 0
        if not is_begun and len(text) >= len(_RECORD_OPENING):
            is_begun, at = text.startswith(_RECORD_OPENING), len(_RECORD_OPENING)
            if not is_begun:
                break
        while is_begun and (pair := _PAIR.match(text, at)):
            yield _read_string(pair[1]), _read_string(pair[2])
            at = pair.end()
    if not is_begun or text[at:] not in ("}", "}}"):
        raise ValueError("no record")


def _read_string(raw: str) -> str:
    return str(json.loads(f'"{raw}"')) if "\\" in raw else raw


def _open_document(stored: bytes, where: str) -> dict[str, Any]:
    tree = decompress_tree(stored, where)
    if tree["format"] not in (FORMAT, SHARDED, AMENDED):
        message = f"`{where}` has release format {tree['format']}, this sitepub knows formats {FORMAT}, {SHARDED} and {AMENDED}"
        raise ConfigurationError("unknown-release-format", message, "update sitepub on this machine")
    return tree


def _name_shards(tree: Mapping[str, Any], where: str) -> tuple[Digest, ...]:
    if tree["format"] == FORMAT:
        return ()
    try:
        digests = a2b_base64(tree["shards"]).hex()
    except (ValueError, KeyError, TypeError) as error:
        raise damaged_release(where) from error
    return tuple(Digest(digests[first : first + 64]) for first in range(0, len(digests), 64))


def _encode_lingering(document: Document) -> dict[str, object]:
    lingering = [artifact for key in sorted(document.lingering) for artifact in document.lingering[key]]
    return {
        "lingering": encode_rows(lingering),
        "retired": [_encode_retired(document.retired.get(key)) for key in sorted(document.lingering)],
    }


def _decode_lingering(tree: Mapping[str, Any]) -> tuple[Mapping[Key, tuple[Artifact, ...]], Mapping[Key, Retired]]:
    lingering: dict[Key, tuple[Artifact, ...]] = {}
    for artifact in decode_rows(tree["lingering"]):
        lingering[artifact.key] = (*lingering.get(artifact.key, ()), artifact)
    retired = {
        key: Retired(int(found[0]), ReleaseId(found[1])) for key, found in zip(sorted(lingering), tree["retired"], strict=True) if found
    }
    return lingering, retired


def _encode_retired(retired: Retired | None) -> list[object] | None:
    return None if retired is None else [retired.seq, retired.release]
