"""Manifests as bytes: one canonical text a manifest, whose SHA-256 is its digest. Holds no time, commit or ETag."""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
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
    bodies = b64encode(bytes.fromhex("".join(artifact.body for artifact in rows))).decode()  # first: what it takes meanwhile is the most
    header_sets = sorted({artifact.headers for artifact in rows})
    index = {headers: number for number, headers in enumerate(header_sets)}
    return {
        "keys": _front_code([artifact.key for artifact in rows]),
        "classes": "".join(_LETTERS[artifact.file_class] for artifact in rows),
        "sizes": [artifact.size for artifact in rows],
        "bodies": bodies,
        "headers": [index[artifact.headers] for artifact in rows],
        "header_sets": [[list(pair) for pair in headers] for headers in header_sets],
        "sources": {str(n): artifact.source for n, artifact in enumerate(rows) if artifact.source != str(artifact.key)},
    }


def decode_rows(rows: Mapping[str, object]) -> tuple[Artifact, ...]:
    """The inverse of encode_rows; raises ValueError, KeyError or TypeError on anything that it did not write."""
    keys = _front_decode(cast(list[str], rows["keys"]))
    bodies = b64decode(cast(str, rows["bodies"])).hex()
    header_sets = [_as_headers(pairs) for pairs in cast(list[list[list[str]]], rows["header_sets"])]
    sources = cast(dict[str, str | None], rows["sources"])
    columns = zip(keys, cast(str, rows["classes"]), cast(list[int], rows["sizes"]), cast(list[int], rows["headers"]), strict=True)
    return tuple(
        Artifact(
            key=Key(key),
            file_class=_CLASSES[letter],
            body=Digest(bodies[64 * n : 64 * n + 64]),
            size=size,
            headers=header_sets[headers],
            source=_as_source(sources.get(str(n), key)),
        )
        for n, (key, letter, size, headers) in enumerate(columns)
    )


def digest_manifest(manifest: Manifest) -> Digest:
    """SHA-256 of the manifest's canonical text: JSON with sorted keys and without spaces, made a column at a time, so that it never is there as a
    whole."""
    rows = encode_rows(manifest.artifacts.values())
    sha = hashlib.sha256()
    for number, name in enumerate(sorted(rows)):
        column = json.dumps(rows.pop(name), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        sha.update(f'{"," if number else "{"}"{name}":'.encode())
        sha.update(column.encode())
    sha.update(b"}")
    return Digest(sha.hexdigest())


def _as_headers(pairs: Iterable[list[str]]) -> HeaderSet:
    return tuple((name, value) for name, value in pairs)


def _as_source(source: str | None) -> SourcePath | None:
    return None if source is None else SourcePath(source)


def _front_code(keys: list[Key]) -> list[str]:
    """Each key as the length of what it shares with the one before, a tab, and the rest."""
    coded, previous, shared = [], "", 0
    for key in keys:
        shared = _shared_length(previous, key, shared)
        coded.append(f"{shared}\t{key[shared:]}")
        previous = key
    return coded


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
