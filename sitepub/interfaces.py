"""What the pipeline needs from outside, as Protocols with their obligations. Commands that only look get a StoreReader."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, ParamSpec, Protocol, TypeVar

from msgspec import Struct

from sitepub.core.ledger import Ledger
from sitepub.core.model import Digest, ETag, HeaderSet, Key, SourcePath, Warning
from sitepub.errors import SitepubError

if TYPE_CHECKING:
    from concurrent.futures import Future

P = ParamSpec("P")
R = TypeVar("R")


class FileBody(Struct, frozen=True):
    """A body too large for memory: a file on disk. `digest` is what its bytes must be; a store that streams it checks that."""

    path: Path
    size: int
    digest: Digest


Body = bytes | FileBody


class Absent(Struct, frozen=True):
    """Write only where nothing stands (`If-None-Match: *`, RFC 9110 §13.1.2)."""


class Present(Struct, frozen=True):
    """Write only over this very version (`If-Match`, RFC 9110 §13.1.1)."""

    etag: ETag


class Anything(Struct, frozen=True):
    """Write whatever stands there; for keys that carry a fresh name of ours."""


Expectation = Absent | Present | Anything


class Stored(Struct, frozen=True):
    """An object as read."""

    body: bytes
    etag: ETag


class Listed(Struct, frozen=True):
    """An object as listed. `size` in bytes."""

    key: Key
    size: int
    etag: ETag


class Head(Struct, frozen=True):
    """An object as HEAD answers. `digest`: what sitepub wrote beside it (None: not ours, or a store without metadata); `headers`: those
    that sitepub may set, canonical names, sorted; empty in a store that keeps none (a folder)."""

    size: int
    etag: ETag
    digest: Digest | None
    headers: HeaderSet


class Place(Struct, frozen=True):
    """Where an object stands, for copies between stores of one kind: bucket (or folder) and full key."""

    container: str
    full_key: str


class ConditionFailedError(SitepubError):
    """A conditional write was refused: something else stands there. Read it back before concluding anything (a retried write may be ours)."""

    def __init__(self, key: Key) -> None:
        super().__init__("condition-failed", f"`{key}` is not what was expected there")
        self.key = key


class StoreReader(Protocol):
    """A prefix of a bucket, or a folder. Methods may be called from many threads. A missing object is None, a missing or forbidden
    bucket a ConfigurationError; faults that outlast the client's retries are a StoppedError (ConfigurationError `unreachable` on the first request)."""

    @property
    def requests(self) -> int:
        """Calls made so far; the client's own retries are not counted."""
        ...

    @property
    def keeps_headers(self) -> bool:
        """False for a folder: headers live in the manifest alone."""
        ...

    def describe(self) -> str:
        """As users write it: `s3://bucket/prefix`, `file:/path`."""
        ...

    def read(self, key: Key) -> Stored | None: ...

    def read_range(self, key: Key, start: int, length: int) -> bytes:
        """Bytes `start` to `start + length`; a missing object is a StoppedError."""
        ...

    def head(self, key: Key) -> Head | None: ...

    def list(self, prefix: str = "") -> Iterator[Listed]:
        """Keys in byte order; `prefix` is a plain string prefix of keys."""
        ...

    def may_hold(self, keys: Collection[Key] | None) -> bool:
        """False only where surely none of them stands (None: nothing at all): cheaper to ask than what stands there."""
        ...

    def age(self, key: Key) -> float | None:
        """Seconds since the object last changed, by the server's own clock (`Date` less `Last-Modified`); None where it is missing."""
        ...

    def place(self, key: Key) -> Place: ...


class Store(StoreReader, Protocol):
    """A StoreReader that also writes. Every write is whole or not at all; once it returns, every reader sees it."""

    @property
    def is_conditional(self) -> bool:
        """Expectations are judged by the server itself. Otherwise (a folder, some S3-compatibles) they are looked up before the write."""
        ...

    def put(self, key: Key, body: Body, headers: HeaderSet, *, digest: Digest, expect: Expectation) -> ETag:
        """Raises ConditionFailedError. `digest` is the body's SHA-256; it is written beside the object."""
        ...

    def copy(self, place: Place, key: Key, headers: HeaderSet, *, digest: Digest, expect: Expectation) -> ETag:
        """A server-side copy that replaces all headers by `headers`. Raises ConditionFailedError. Onto itself, expecting what stands there, it gives
        another ETag where the server judges expectations (but of an empty body): writes that expected the one before are refused from then on."""
        ...

    def delete(self, key: Key, *, expect: Expectation) -> None:
        """Deleting what is missing is fine. Raises ConditionFailedError."""
        ...


class Submitted(Struct, frozen=True):
    """An invalidation that CloudFront accepted."""

    id: str
    is_completed: bool


class DistributionFacts(Struct, frozen=True):
    """What the invalidation depends on. `status`: `InProgress` or `Deployed`. `has_function`: a viewer-request function rewrites URLs.
    `tag_header`: the header of CacheTagConfig. `error_pages`: URL paths of custom error responses -> the status that they answer. `origins`:
    their domain names. `least_seconds`: the time that edges keep every page whatever its headers say, where the distribution or a cache policy of the
    account's own says it. `cache_policy`: the id of the default behaviour's. `certificate`: its ARN in ACM."""

    id: str
    domain: str
    status: str
    aliases: tuple[str, ...] = ()
    default_root_object: str = ""
    has_function: bool = False
    tag_header: str | None = None
    error_pages: tuple[tuple[str, int], ...] = ()
    is_enabled: bool = True
    origins: tuple[str, ...] = ()
    least_seconds: int | None = None
    certificate: str | None = None
    cache_policy: str | None = None


class CdnReader(Protocol):
    """A distribution, to look at."""

    @property
    def requests(self) -> int: ...

    @property
    def distribution(self) -> str: ...

    def facts(self) -> DistributionFacts:
        """Raises ConfigurationError where there is no such distribution or no permission to see it."""
        ...

    def count_month(self, known: Ledger) -> Ledger | None:
        """The account's ledger of this month, going on from what is `known`; None where these credentials may not see it. Raises
        SitepubError where it can't be told now."""
        ...

    def is_completed(self, invalidation: str) -> bool: ...


class Cdn(CdnReader, Protocol):
    """A distribution. Throttling and server faults are retried for minutes before a StoppedError `invalidation-not-accepted`."""

    def invalidate(self, items: tuple[str, ...], reference: str) -> Submitted:
        """Sends one invalidation; `reference` is its CallerReference: the same reference with the same items is the same invalidation."""
        ...


class SourceFile(NamedTuple):
    """One file as built, as `stat` saw it. A tuple: there are as many of them as files, and they are made in every run. `blob`: git's id of just these
    bytes, '' where none is known; `is_lent`: they are not there before `Source.bring` was asked for them."""

    path: SourcePath
    size: int
    mtime_ns: int
    inode: int
    blob: str = ""
    is_lent: bool = False


class Source(Protocol):
    """A built site on disk. Made whole: names are checked, links are resolved or refused, secrets stopped it before."""

    @property
    def root(self) -> Path: ...

    @property
    def files(self) -> tuple[SourceFile, ...]:
        """In byte order of their paths."""
        ...

    @property
    def warnings(self) -> tuple[Warning, ...]: ...

    def bring(self, files: Iterable[SourceFile]) -> None:
        """Before any of these is read. Safe from many threads."""
        ...


class Clock(Protocol):
    def now(self) -> datetime:
        """The time of day, in UTC."""
        ...

    def elapsed(self) -> float:
        """Seconds that also pass while the machine sleeps (CLOCK_BOOTTIME)."""
        ...

    def sleep(self, seconds: float) -> None: ...


class Workers(Protocol):
    """Who does what can be done beside each other: any `concurrent.futures.Executor` is one."""

    def submit(self, call: Callable[P, R], /, *arguments: P.args, **named: P.kwargs) -> Future[R]: ...


class Progress(Protocol):
    """Told what is going on; draws or stays silent. Methods may be called from many threads."""

    def stage(self, name: str, *, total_files: int | None = None, total_bytes: int | None = None) -> None: ...

    def advance(self, *, files: int = 0, bytes: int = 0) -> None: ...

    def note(self, message: str) -> None:
        """One line that stays."""
        ...
