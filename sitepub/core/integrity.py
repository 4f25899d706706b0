"""What follows from edits inside HTML: `integrity` values of files that changed, and policy hashes of inline blocks that changed."""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode, b64encode
from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from html import unescape

from msgspec import Struct

from sitepub.core.edits import Edit, splice
from sitepub.core.references.model import InlineBlock, PolicyHash

ALGORITHMS = ("sha256", "sha384", "sha512")

_TOKEN = re.compile(rb"(sha(?:256|384|512))-([A-Za-z0-9+/_-]+=*)", re.IGNORECASE)


class Change(Struct, frozen=True):
    """Digests of one file as built and as published, by algorithm, as raw bytes."""

    before: Mapping[str, bytes]
    after: Mapping[str, bytes]


def digest_all(body: bytes) -> Mapping[str, bytes]:
    """Raw digests by algorithm, of every one that `integrity` knows."""
    return {algorithm: hashlib.new(algorithm, body).digest() for algorithm in ALGORITHMS}


def find_integrity_edits(raw: bytes, start: int, change: Change) -> list[Edit] | None:
    """The edits of one `integrity` value that stands at `start`; None where it does not let the file in as it was built.

    Of several digests the strongest algorithm counts (https://www.w3.org/TR/sri-2/); any of its digests may match. Those that did not match
    are left, for they stand for another file.
    """
    tokens = [(token[1].decode("ascii").lower(), _read_digest(token[2]), token.span(2)) for token in _TOKEN.finditer(raw)]
    if not tokens:
        return []
    strongest = max(algorithm for algorithm, _, _ in tokens)
    if not any(algorithm == strongest and digest == change.before[algorithm] for algorithm, digest, _ in tokens):
        return None
    return [
        Edit(start + begin, end - begin, b64encode(change.after[algorithm]))
        for algorithm, digest, (begin, end) in tokens
        if digest == change.before[algorithm] and change.before[algorithm] != change.after[algorithm]
    ]


def find_policy_edits(body: bytes, edits: Sequence[Edit], inline: Iterable[InlineBlock], hashes: Iterable[PolicyHash]) -> list[Edit]:
    """Hashes of a `<meta>` policy that name an inline block which `edits` changed."""
    changed: dict[tuple[str, bytes], bytes] = {}
    for block in inline:
        inside = [Edit(edit.at - block.start, edit.drop, edit.insert) for edit in edits if block.start <= edit.at <= block.end]
        if inside:
            before = body[block.start : block.end]
            after = splice(before, inside)
            for algorithm in ALGORITHMS:
                changed[algorithm, _hash_block(before, block, algorithm)] = _hash_block(after, block, algorithm)
    found = ((one, changed.get((one.algorithm, _read_digest(one.value.encode("ascii"))))) for one in hashes)
    return [Edit(one.start, one.end - one.start, b64encode(after)) for one, after in found if after is not None]


def read_integrity(value: str) -> tuple[str, bytes]:
    """`sha384-…` as its algorithm and its bytes."""
    algorithm, _, digest = value.partition("-")
    return algorithm, _read_digest(digest.encode("ascii"))


def find_named_block(
    body: bytes, edited: Collection[int], inline: Iterable[InlineBlock], named: Container[tuple[str, bytes]]
) -> tuple[InlineBlock, tuple[str, bytes]] | None:
    """The first inline block with an edit in it, at one of the offsets, whose hash is `named` where it can't follow, and that hash."""
    for block in inline:
        if any(block.start <= at <= block.end for at in edited):
            raw = body[block.start : block.end]
            hashes = ((algorithm, _hash_block(raw, block, algorithm)) for algorithm in ALGORITHMS)
            found = next((one for one in hashes if one in named), None)
            if found is not None:
                return block, found
    return None


def _hash_block(raw: bytes, block: InlineBlock, algorithm: str) -> bytes:
    """As a browser hashes it: the text that the parser made of it, line breaks normalised."""
    text = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    for _ in range(block.escapes):
        text = unescape(text.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
    return hashlib.new(algorithm, text).digest()


def _read_digest(text: bytes) -> bytes:
    """Base64 in either alphabet, padded or not; what is neither matches nothing."""
    plain = text.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    try:
        return b64decode(plain + b"=" * (-len(plain) % 4), validate=True)
    except ValueError:
        return b""
