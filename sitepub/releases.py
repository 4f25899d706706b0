"""The state, the releases and their records over a Store: reading, compare-and-swap, history. Decides nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Container, Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from sitepub.core.model import Digest, ETag, HeaderSet, Key, ReleaseId
from sitepub.core.state import RECORD_INLINE_LIMIT, Record, Release, State
from sitepub.core.state_text import decode_state, encode_state
from sitepub.errors import ConfigurationError, StoppedError
from sitepub.interfaces import Absent, Anything, Clock, ConditionFailedError, Expectation, Present, Store, StoreReader

if TYPE_CHECKING:
    # imported once there is something to read or to write: a run with nothing to do looks at the state alone
    from sitepub.core.cutting import Cutting
    from sitepub.core.document import Document
    from sitepub.core.shards import Shard
    from sitepub.shards import AfterPut, ShardReader

STATE_KEY = Key("state.json")
ID_TRIES = 60
PRIVATE_JSON: HeaderSet = (("Cache-Control", "private, no-store"), ("Content-Type", "application/json"))
PRIVATE_BYTES: HeaderSet = (("Cache-Control", "private, no-store"), ("Content-Type", "application/octet-stream"))


class Snapshot(Struct, frozen=True):
    """The state as read, and the version that a swap must find. `etag` None: there is no state yet."""

    state: State
    etag: ETag | None


class Swap(Struct, frozen=True):
    """What became of a swap: `is_ours` False means that somebody else's state stands there, in `snapshot`."""

    snapshot: Snapshot
    is_ours: bool


class WrittenDocument(Struct, frozen=True):
    """`digest`: SHA-256 of the document as it is stored."""

    release: ReleaseId
    digest: Digest
    shards: tuple[Shard, ...]


class Copies(Protocol):
    """Local copies of immutable bytes by digest."""

    def read(self, digest: Digest) -> bytes | None: ...

    def keep(self, digest: Digest, content: bytes) -> None: ...


class NoCopies:
    """Keeps nothing: every read is a request."""

    def read(self, digest: Digest) -> bytes | None:
        return None

    def keep(self, digest: Digest, content: bytes) -> None:
        return None


class ReleaseReader:
    """What can be known of the target's releases without writing."""

    def __init__(self, store: StoreReader, copies: Copies | None = None) -> None:
        self._store = store
        self._copies = copies or NoCopies()
        # a run reads the live one time and again, and reading is a tenth of a second for 20,000 files
        self._last: tuple[Digest | None, Document | None] = (None, None)

    @cached_property
    def _shards(self) -> ShardReader:
        from sitepub.shards import ShardReader

        return ShardReader(self._read_immutable, self._where)

    def read_state(self) -> Snapshot:
        stored = self._store.read(STATE_KEY)
        if stored is None:
            return Snapshot(State(), None)
        return Snapshot(decode_state(stored.body, where=self._where(STATE_KEY)), stored.etag)

    def read_document(self, release: Release) -> Document:
        """A local copy needs no request. Raises StoppedError where the document is gone: the state has moved on meanwhile, or is damaged."""
        from sitepub.core.document import decode_document

        digest, document = self._last
        if document is None or digest != release.document:
            key = release_key(release.id)
            document = decode_document(self._read_immutable(key, release.document), self._shards.read_all, where=self._where(key))
            self._last = release.document, document
        return document

    def read_unlisted(self, release: ReleaseId) -> Document | None:
        """A document that the state does not list (any more), as far as its shards are still there: a `gc` may have taken some between a run that
        counted on them and its document. None where it is gone or can't be read."""
        from sitepub.core.document import decode_document

        stored = self._store.read(release_key(release))
        if stored is None:
            return None
        try:
            return decode_document(stored.body, self._shards.read_found, where=self._where(release_key(release)))
        except ConfigurationError:
            return None

    def read_stored(self, release: Release) -> Mapping[Key, bytes]:
        """What a release's document is stored as, by key: its shards, then what names them. Raises as `read_document` does."""
        from sitepub.core.document import name_shards
        from sitepub.shards import shard_key

        key = release_key(release.id)
        stored = self._read_immutable(key, release.document)
        digests = name_shards(stored, where=self._where(key))
        return {**{shard_key(digest): self._read_immutable(shard_key(digest), digest) for digest in digests}, key: stored}

    def read_left(self, listed: Collection[ReleaseId]) -> Mapping[ReleaseId, Document]:
        """All documents but those of `listed`: of runs that never began, and of releases that a `gc` was about to delete."""
        ids = [ReleaseId(there.key.removeprefix(release_key(ReleaseId("")))) for there in self._store.list(release_key(ReleaseId("")))]
        found = {release: self.read_unlisted(release) for release in ids if release not in listed}
        return {release: document for release, document in found.items() if document is not None}

    def read_record(self, state: State, keys: Container[Key] | None = None) -> Mapping[Key, ETag]:
        """The ETags of the live release, of `keys` alone if they are given."""
        from sitepub.core.document import decode_record

        etags: dict[Key, ETag] = {}
        if state.record.base is not None:
            key = record_key(state.record.base)
            stored = self._read_immutable(key, Digest(state.record.base))
            etags.update(decode_record(stored, keys, where=self._where(key)))
        etags.update(state.record.changed)
        return {key: etag for key, etag in etags.items() if etag}

    def state_age(self) -> float | None:
        """Seconds since the state last changed, by the server's clock."""
        return self._store.age(STATE_KEY)

    def _read_immutable(self, key: Key, digest: Digest) -> bytes:
        copied = self._copies.read(digest)
        if copied is not None:
            return copied
        stored = self._store.read(key)
        if stored is None or hashlib.sha256(stored.body).hexdigest() != digest:
            what = "gone" if stored is None else "not what the state says"
            message = f"`{self._where(key)}` is {what}"
            raise StoppedError("release-lost", message, "run it again; if it stays so, `sitepub verify` tells what else is missing")
        self._copies.keep(digest, stored.body)
        return stored.body

    def _where(self, key: Key) -> str:
        return f"{self._store.describe().rstrip('/')}/{key}"


class Releases(ReleaseReader):
    """A ReleaseReader that also writes. `nonce` makes a fresh random word for each swap."""

    def __init__(
        self, store: Store, clock: Clock, nonce: Callable[[], str], copies: Copies | None = None, cutting: Cutting | None = None
    ) -> None:
        super().__init__(store, copies)
        self._cutting = cutting
        self._writes = store
        self._clock = clock
        self.nonce = nonce

    def swap(self, snapshot: Snapshot, wanted: State) -> Swap:
        """Compare-and-swap. A refused swap whose nonce stands there is our own retried write, whose first answer was lost."""
        body = encode_state(wanted)
        expect: Expectation = Absent() if snapshot.etag is None else Present(snapshot.etag)
        put = self._put_state if self._writes.is_conditional else self._put_locked
        try:
            etag = put(body, expect)
        except ConditionFailedError:
            found = self.read_state()
            return Swap(found, found.state.nonce == wanted.nonce)
        return Swap(Snapshot(wanted, etag), True)

    def write_document(
        self, release: ReleaseId, document: Document, like: Iterable[Shard] = (), after_put: AfterPut = lambda *_: None
    ) -> WrittenDocument:
        """Stores the document and, before it, its shards but those of `like`, which a release that is listed has. Where another run took
        the id in the same second, the next second is ours."""
        from sitepub.core.cutting import Cutting
        from sitepub.core.document import encode_document
        from sitepub.shards import put_shards

        encoded = encode_document(document, self._cutting or Cutting(), like)
        put_shards(self._writes, encoded.fresh, PRIVATE_BYTES, after_put)
        for shard, content in encoded.fresh.items():
            self._copies.keep(shard, content)
        stored = encoded.document
        digest = Digest(hashlib.sha256(stored).hexdigest())
        for _ in range(ID_TRIES):
            try:
                self._writes.put(release_key(release), stored, PRIVATE_BYTES, digest=digest, expect=Absent())
                break
            except ConditionFailedError:
                there = self._store.read(release_key(release))
                if there is not None and there.body == stored:
                    break
                release = next_second(release)
        else:
            raise StoppedError("no-release-id", f"`{self._where(release_key(release))}` and those before it are taken", "run it again")
        self._copies.keep(digest, stored)
        return WrittenDocument(release, digest, encoded.shards)

    def write_record(self, before: Record, answered: Mapping[Key, ETag | None], full: Callable[[], Mapping[Key, ETag]]) -> Record:
        """What the target answered (None: deleted), inside the state while it is short, else as a full record of its own."""
        from sitepub.core.document import encode_record

        if len(answered) <= RECORD_INLINE_LIMIT:
            changed = {**before.changed, **{key: etag or ETag("") for key, etag in answered.items()}}
            if len(changed) <= RECORD_INLINE_LIMIT:
                return Record(before.base, changed)
        known = full()
        stored = encode_record({**known, **before.changed, **answered} if known or before.changed else answered)
        digest = Digest(hashlib.sha256(stored).hexdigest())
        self._writes.put(record_key(digest), stored, PRIVATE_BYTES, digest=digest, expect=Anything())
        self._copies.keep(digest, stored)
        return Record(digest, {})

    def _put_state(self, body: bytes, expect: Expectation) -> ETag:
        digest = Digest(hashlib.sha256(body).hexdigest())
        return self._writes.put(STATE_KEY, body, PRIVATE_JSON, digest=digest, expect=expect)

    def _put_locked(self, body: bytes, expect: Expectation) -> ETag:
        """Where the store only looks before it writes, a lock makes look and write one step."""
        from sitepub.locking import StateLock

        lock = StateLock(self._writes, self._clock, self.nonce, PRIVATE_BYTES)
        with lock.hold():
            return self._put_state(body, expect)


def release_key(release: ReleaseId) -> Key:
    return Key(f"releases/{release}")


def record_key(name: str) -> Key:
    return Key(f"records/{name}")


def next_second(release: ReleaseId) -> ReleaseId:
    """The id that the same manifest has a second later."""
    from datetime import datetime, timedelta

    second, _, digest = release.partition("-")
    later = datetime.strptime(second, "%Y%m%dT%H%M%SZ") + timedelta(seconds=1)
    return ReleaseId(f"{later:%Y%m%dT%H%M%SZ}-{digest}")


def make_release_id(published_second: str, manifest: Digest) -> ReleaseId:
    """`published_second` as `YYYYMMDDTHHMMSSZ`."""
    return ReleaseId(f"{published_second}-{manifest[:8]}")
