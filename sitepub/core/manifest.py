"""Manifests as bytes: one canonical text a manifest, whose SHA-256 is its digest. Holds no time, commit or ETag."""

from __future__ import annotations

import functools
import hashlib
import json
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import cast

from sitepub.core.model import Artifact, Digest, FileClass, HeaderSet, Key, Manifest, SourcePath

_LETTERS: Mapping[FileClass, str] = {
    FileClass.ASSET: "a",
    FileClass.ENTRY: "e",
    FileClass.FROZEN: "f",
    FileClass.PINNED: "p",
    FileClass.ALIAS: "l",
    FileClass.REDIRECT: "r",
}
_CLASSES: Mapping[str, FileClass] = {letter: file_class for file_class, letter in _LETTERS.items()}

_ROWS_AT_ONCE = 3 * 1000
"""A multiple of three: the base64 of bodies has no padding but at its end."""
_PARTS_KEPT = 16

Rows = dict[str, object]
"""Columns of a manifest, ready for JSON: `keys` front-coded, `bodies` 32 bytes each, `headers` an index into `header_sets`."""


def make_manifest(artifacts: Iterable[Artifact]) -> Manifest:
    """Artifacts in any order, as a manifest in key order. Two artifacts of one key are a defect of the caller."""
    by_key: dict[Key, Artifact] = {}
    for artifact in sorted(artifacts, key=lambda artifact: artifact.key):
        if by_key.setdefault(artifact.key, artifact) is not artifact:
            raise ValueError(f"two artifacts of key {artifact.key!r}")
    return Manifest(by_key)


def hashed_keys(artifacts: Mapping[Key, Artifact]) -> Mapping[str | None, Key]:
    """The key of each asset, by its source path."""
    return {artifact.source: key for key, artifact in artifacts.items() if artifact.file_class is FileClass.ASSET}


def encode_rows(artifacts: Iterable[Artifact]) -> Rows:
    """Column-wise, so that it compresses: a 20,000-page site is about 0.8 MB, most of it digests."""
    rows = list(artifacts)
    header_sets = sorted({artifact.headers for artifact in rows})
    index = {headers: number for number, headers in enumerate(header_sets)}
    return {
        "keys": list(chain.from_iterable(_front_code_all(_cut(rows)))),
        "classes": _encode_classes(rows),
        "sizes": [artifact.size for artifact in rows],
        "bodies": _encode_bodies(rows),
        "headers": [index[artifact.headers] for artifact in rows],
        "header_sets": [[list(pair) for pair in headers] for headers in header_sets],
        "sources": {str(n): artifact.source for n, artifact in enumerate(rows) if artifact.source != str(artifact.key)},
    }


def decode_rows(rows: Mapping[str, object]) -> tuple[Artifact, ...]:
    """The inverse of encode_rows; raises ValueError, KeyError, TypeError or IndexError on anything that it did not write."""
    # what a row is made of has its type here already: a call of a NewType is a call into Python
    keys = cast(list[Key], _front_decode(cast(list[str], rows["keys"])))
    digests = a2b_base64(cast(str, rows["bodies"])).hex()
    if len(digests) != 64 * len(keys):
        raise ValueError("rows without a body each")
    bodies = cast(list[Digest], [digests[first : first + 64] for first in range(0, 64 * len(keys), 64)])
    header_sets = [_as_headers(pairs) for pairs in cast(list[list[list[str]]], rows["header_sets"])]
    sources = cast(list[SourcePath | None], [*keys])
    for n, source in cast(dict[str, SourcePath | None], rows["sources"]).items():
        sources[int(n)] = source
    classes, sizes, headers = cast(str, rows["classes"]), cast(list[int], rows["sizes"]), cast(list[int], rows["headers"])
    columns = zip(keys, classes, bodies, sizes, headers, sources, strict=True)
    return tuple(
        Artifact(key, _CLASSES[letter], body, size, header_sets[number], source) for key, letter, body, size, number, source in columns
    )


def digest_manifest(manifest: Manifest) -> Digest:
    """SHA-256 of the manifest's canonical text: `encode_rows` as JSON, with sorted keys and without spaces. Of a large site that text and its
    columns are large, so they are made some rows at a time."""
    sha = hashlib.sha256()
    for piece in _tell_canonically(list(manifest.artifacts.values())):
        sha.update(piece.encode())
    return Digest(sha.hexdigest())


def _tell_canonically(rows: Sequence[Artifact]) -> Iterator[str]:
    parts = _cut(rows)
    header_sets = sorted({artifact.headers for artifact in rows})
    index = {headers: number for number, headers in enumerate(header_sets)}
    sources = {str(n): artifact.source for n, artifact in enumerate(rows) if artifact.source != str(artifact.key)}
    yield '{"bodies":"'
    yield from (_encode_bodies(part) for part in parts)
    yield '","classes":"'
    yield from (_encode_classes(part) for part in parts)
    yield f'","header_sets":{_dump(header_sets)},"headers":['
    yield from _dump_items([index[artifact.headers] for artifact in part] for part in parts)
    yield '],"keys":['
    yield from _dump_items(_front_code_all(parts))
    yield '],"sizes":['
    yield from _dump_items([artifact.size for artifact in part] for part in parts)
    yield f'],"sources":{_dump(sources)}}}'


def _dump_items(parts: Iterable[Sequence[object]]) -> Iterator[str]:
    """Of one list in several parts, none of them empty."""
    for number, part in enumerate(parts):
        yield f"{',' if number else ''}{_dump(part)[1:-1]}"


def _dump(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _encode_bodies(rows: Iterable[Artifact]) -> str:
    return b2a_base64(bytes.fromhex("".join(artifact.body for artifact in rows)), newline=False).decode()


def _encode_classes(rows: Iterable[Artifact]) -> str:
    return "".join(_LETTERS[artifact.file_class] for artifact in rows)


def _as_headers(pairs: Iterable[list[str]]) -> HeaderSet:
    return tuple((name, value) for name, value in pairs)


def _cut(rows: Sequence[Artifact]) -> list[Sequence[Artifact]]:
    return [rows[first : first + _ROWS_AT_ONCE] for first in range(0, len(rows), _ROWS_AT_ONCE)]


def _front_code_all(parts: Sequence[Sequence[Artifact]]) -> Iterator[Sequence[str]]:
    """The keys of rows that follow each other."""
    befores = ["", *(part[-1].key for part in parts)]
    return (_front_code(tuple(artifact.key for artifact in part), before) for part, before in zip(parts, befores))


@functools.lru_cache(maxsize=_PARTS_KEPT)
def _front_code(keys: tuple[Key, ...], before: str) -> tuple[str, ...]:
    """Each key as the length of what it shares with the one before, a tab, and the rest. Kept, as the digest of a manifest and its rows have
    the same keys, and the next manifest mostly too."""
    coded, previous, shared = [], before, 0
    for key in keys:
        shared = _shared_length(previous, key, shared)
        coded.append(f"{shared}\t{key[shared:]}")
        previous = key
    return tuple(coded)


def _front_decode(coded: list[str]) -> list[str]:
    keys, previous = [], ""
    for entry in coded:
        shared, _, rest = entry.partition("\t")
        previous = previous[: int(shared)] + rest
        keys.append(previous)
    return keys


def _shared_length(left: str, right: str, guess: int) -> int:
    """`guess`: what the pair before shared, which in a sorted list is near."""
    limit = min(len(left), len(right))
    guess = min(guess, limit)
    while left[:guess] != right[:guess]:
        guess //= 2
    while guess < limit and left[guess] == right[guess]:
        guess += 1
    return guess
