"""Shards of documents in a target: read once, written where they are new. Decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from weakref import WeakValueDictionary

from sitepub.core.model import Digest, ETag, HeaderSet, Key
from sitepub.core.shards import Shard, decode_shard
from sitepub.errors import StoppedError
from sitepub.gathering import run_all
from sitepub.interfaces import Anything, Store

FOLDER = "shards/"
READERS = 16

AfterPut = Callable[[Key, Digest, ETag], object]
"""Told of each shard that was put, its digest and the ETag that the target answered."""


class ShardReader:
    """Releases that follow each other have most shards in common: each is read and held once, for as long as any document has it."""

    def __init__(self, read: Callable[[Key, Digest], bytes], where: Callable[[Key], str]) -> None:
        self._read = read
        self._where = where
        self._held: WeakValueDictionary[Digest, Shard] = WeakValueDictionary()
        self._mutex = Lock()

    def read_all(self, digests: Sequence[Digest]) -> list[Shard]:
        """In this order. Raises as `read` does, and ConfigurationError where the bytes are no shard. One document after the other, so that what
        they have in common is there for the next."""
        with self._mutex:
            return [shard for _, shard in run_all(self._read_one, digests, workers=READERS)]

    def read_found(self, digests: Sequence[Digest]) -> list[Shard]:
        """As `read_all`, without those that are gone. What their rows name was told by the documents that they were deleted with."""
        with self._mutex:
            return [shard for _, shard in run_all(self._find_one, digests, workers=READERS) if shard is not None]

    def _find_one(self, digest: Digest) -> Shard | None:
        try:
            return self._read_one(digest)
        except StoppedError as error:
            if error.code != "release-lost":
                raise
            return None

    def _read_one(self, digest: Digest) -> Shard:
        held = self._held.get(digest)
        if held is None:
            key = shard_key(digest)
            held = self._held[digest] = decode_shard(self._read(key, digest), digest, where=self._where(key))
        return held


def put_shards(records: Store, shards: Mapping[Digest, bytes], headers: HeaderSet, after_put: AfterPut) -> None:
    """Nobody refers to them before the document does that names them."""

    def put(digest: Digest) -> None:
        after_put(shard_key(digest), digest, records.put(shard_key(digest), shards[digest], headers, digest=digest, expect=Anything()))

    run_all(put, shards, workers=READERS)


def shard_key(digest: Digest) -> Key:
    return Key(f"{FOLDER}{digest}")
