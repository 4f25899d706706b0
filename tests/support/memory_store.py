"""A Store in memory with production's types and S3's semantics, and a hook before and after each request for injecting faults."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Collection, Iterator, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from sitepub.core.model import Digest, ETag, HeaderSet, Key
from sitepub.errors import ConfigurationError, StoppedError
from sitepub.interfaces import Absent, Body, Clock, ConditionFailedError, Expectation, Head, Listed, Place, Present, Stored
from sitepub.local.clock import SystemClock

Hook = Callable[[str, Key], None]
"""Called with the operation (`read`, `read_range`, `head`, `list`, `age`, `put`, `copy`, `delete`) and the key; may raise."""

PAGE = 1000


class MemoryObject(Struct, frozen=True):
    body: bytes
    digest: Digest | None
    headers: HeaderSet
    changed_at: datetime
    is_in_parts: bool = False

    @property
    def etag(self) -> ETag:
        return ETag(f'"{hashlib.md5(self.body, usedforsecurity=False).hexdigest()}{"-1" if self.is_in_parts else ""}"')


@dataclass(slots=True)
class MemoryBucket:
    """What several stores may share, as clients share a bucket."""

    name: str = "memory"
    objects: MutableMapping[str, MemoryObject] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    is_missing: bool = False


class MemoryStore:
    """`before` may raise to make a request fail unapplied, `after` to lose the answer of one that was applied."""

    def __init__(
        self,
        clock: Clock | None = None,
        before: Hook | None = None,
        after: Hook | None = None,
        keeps_headers: bool = True,
        *,
        is_conditional: bool = True,
        prefix: str = "",
        bucket: MemoryBucket | None = None,
    ) -> None:
        self.clock = clock or SystemClock()
        self.before = before
        self.after = after
        self.bucket = bucket or MemoryBucket()
        self._keeps_headers = keeps_headers
        self._is_conditional = is_conditional
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._requests = 0

    @property
    def requests(self) -> int:
        return self._requests

    @property
    def keeps_headers(self) -> bool:
        return self._keeps_headers

    @property
    def is_conditional(self) -> bool:
        return self._is_conditional

    @property
    def objects(self) -> MutableMapping[str, MemoryObject]:
        """By full key. Tests look here, and make hand edits."""
        return self.bucket.objects

    def describe(self) -> str:
        return f"memory:{self.bucket.name}/{self._prefix}".rstrip("/")

    def place(self, key: Key) -> Place:
        return Place(self.bucket.name, self._prefix + key)

    def read(self, key: Key) -> Stored | None:
        self._begin("read", key)
        found = self._look(key)
        self._end("read", key)
        return None if found is None else Stored(found.body, found.etag)

    def read_range(self, key: Key, start: int, length: int) -> bytes:
        self._begin("read_range", key)
        found = self._look(key)
        self._end("read_range", key)
        if found is None:
            raise StoppedError("missing-body", f"`{key}` is not in `{self.describe()}`")
        return found.body[start : start + length]

    def head(self, key: Key) -> Head | None:
        self._begin("head", key)
        found = self._look(key)
        self._end("head", key)
        return None if found is None else Head(len(found.body), found.etag, found.digest, found.headers)

    def may_hold(self, keys: Collection[Key] | None) -> bool:
        return any(keys is None or there.key in keys for there in self.list())

    def list(self, prefix: str = "") -> Iterator[Listed]:
        """One request a page; what is deleted or added between two pages is (not) seen, as in S3."""
        after = ""
        while True:
            self._begin("list", Key(prefix))
            page, is_last = self._list_page(self._prefix + prefix, after)
            self._end("list", Key(prefix))
            for full_key, found in page:
                yield Listed(Key(full_key.removeprefix(self._prefix)), len(found.body), found.etag)
            if is_last:
                return
            after = page[-1][0]

    def age(self, key: Key) -> float | None:
        self._begin("age", key)
        found = self._look(key)
        self._end("age", key)
        return None if found is None else max(0.0, (self.clock.now() - found.changed_at).total_seconds())

    def put(self, key: Key, body: Body, headers: HeaderSet, *, digest: Digest, expect: Expectation) -> ETag:
        content = body if isinstance(body, bytes) else body.path.read_bytes()
        if hashlib.sha256(content).hexdigest() != digest:
            raise StoppedError("file-changed", f"`{key}` is not what its digest says")
        self._begin("put", key)
        etag = self._write(key, content, headers, digest, expect)
        self._end("put", key)
        return etag

    def copy(self, place: Place, key: Key, headers: HeaderSet, *, digest: Digest, expect: Expectation) -> ETag:
        self._begin("copy", key)
        with self.bucket.lock:
            found = self.bucket.objects.get(place.full_key)
            if found is None or place.container != self.bucket.name:
                raise StoppedError("missing-body", f"`{place.full_key}` is not in `{place.container}`")
            in_parts = place == self.place(key) and isinstance(expect, Present) and "-" not in expect.etag and found.body != b""
            etag = self._write(key, found.body, headers, digest, expect, is_in_parts=in_parts)
        self._end("copy", key)
        return etag

    def delete(self, key: Key, *, expect: Expectation) -> None:
        self._begin("delete", key)
        with self.bucket.lock:
            found = self.bucket.objects.get(self._prefix + key)
            if found is not None:
                self._check(key, found, expect)
                del self.bucket.objects[self._prefix + key]
        self._end("delete", key)

    def _begin(self, operation: str, key: Key) -> None:
        with self.bucket.lock:
            self._requests += 1
        if self.before is not None:
            self.before(operation, key)
        if self.bucket.is_missing:
            raise ConfigurationError("no-bucket", f"there is no bucket `{self.bucket.name}`", "create it, or run `sitepub up`")

    def _end(self, operation: str, key: Key) -> None:
        if self.after is not None:
            self.after(operation, key)

    def _look(self, key: Key) -> MemoryObject | None:
        with self.bucket.lock:
            return self.bucket.objects.get(self._prefix + key)

    def _list_page(self, prefix: str, after: str) -> tuple[Sequence[tuple[str, MemoryObject]], bool]:
        with self.bucket.lock:
            keys = sorted((key for key in self.bucket.objects if key.startswith(prefix) and key.encode() > after.encode()), key=str.encode)
            return [(key, self.bucket.objects[key]) for key in keys[:PAGE]], len(keys) <= PAGE

    def _write(self, key: Key, body: bytes, headers: HeaderSet, digest: Digest, expect: Expectation, *, is_in_parts: bool = False) -> ETag:
        # S3 tells whole seconds
        now = self.clock.now().astimezone(UTC)
        now -= timedelta(microseconds=now.microsecond)
        kept = tuple(sorted(headers)) if self._keeps_headers else ()
        written = MemoryObject(body, digest, kept, now, is_in_parts)
        with self.bucket.lock:
            self._check(key, self.bucket.objects.get(self._prefix + key), expect)
            self.bucket.objects[self._prefix + key] = written
        return written.etag

    def _check(self, key: Key, found: MemoryObject | None, expect: Expectation) -> None:
        if isinstance(expect, Absent) and found is not None:
            raise ConditionFailedError(key)
        if isinstance(expect, Present) and (found is None or found.etag != expect.etag):
            raise ConditionFailedError(key)
