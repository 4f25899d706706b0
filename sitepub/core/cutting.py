"""Where the rows of a large manifest are cut into shards, so that what did not change is cut as before. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from zlib import crc32

from msgspec import Struct

from sitepub.core.model import Key


class Cutting(Struct, frozen=True):
    """`above`: rows up to which a document holds them all itself. `whole`: rows up to which all stand in one shard; of more, `rows` in each, on
    average: a million files have some 2,000 shards of these, so that neither a shard nor the list of them is long. `amended`: rows, and their part of
    all (one in so many), up to which a document tells itself what differs from the shards of the release before."""

    above: int = 500
    whole: int = 50_000
    rows: int = 512
    amended: tuple[int, int] = (1024, 8)

    def cut(self, keys: Sequence[Key]) -> Iterator[tuple[int, int]]:
        """Ranges of `keys`, each from its first to before its last index."""
        return iter([(0, len(keys))]) if len(keys) <= self.whole else cut(keys, self.rows)

    def may_amend(self, differing: int, rows: int) -> bool:
        most, part = self.amended
        return differing <= min(most, rows // part)


def cut(keys: Sequence[Key], rows: int) -> Iterator[tuple[int, int]]:
    """As Cutting.cut of a large site. Whether a shard begins at a key is told by that key alone, so one that
    comes or goes changes two shards at most. Least and most sizes would not leave it at that: what is cut in one place would shift the next."""
    first = 0
    for number, key in enumerate(keys):
        if number > first and begins_shard(key, rows):
            yield first, number
            first = number
    if keys:
        yield first, len(keys)


def begins_shard(key: Key, rows: int) -> bool:
    # the product's upper half: names that count up differ little in their sums
    return (crc32(key.encode()) * 0x9E3779B1 >> 16 & 0xFFFF) % rows == 0
