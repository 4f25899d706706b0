"""A small web in memory: a bucket, its distribution, visitors at every request, and the runs of sitepub that change it."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar
from unittest import mock

from msgspec.structs import replace

from sitepub.aws.cloudfront import CloudFront
from sitepub.choosing import Chooser
from sitepub.collecting import Collected, collect
from sitepub.core.cutting import Cutting
from sitepub.core.model import Commit, Key
from sitepub.core.retention import choose_release
from sitepub.core.settings import BucketAddress, Invalidation, Retention, Target
from sitepub.core.state import Process, State
from sitepub.core.tags import TAG_HEADER
from sitepub.decision import Permits, Wish
from sitepub.edges import Edges
from sitepub.errors import HeldError, StoppedError
from sitepub.interfaces import Anything, ConditionFailedError
from sitepub.invalidating import Invalidated, send_owed
from sitepub.pipeline import Receipt, publish, rollback
from sitepub.releases import ReleaseReader, Releases
from tests.support.builders import WHOLE, ManualClock, SilentProgress, commit, digest_of
from tests.support.edge import Network, Origin
from tests.support.fake_cdn import FakeCloudFront
from tests.support.memory_store import MemoryBucket, MemoryStore
from tests.support.small_sites import LARGE, SmallSite, make_site
from tests.support.visitors import Visitors

R = TypeVar("R")

DAY = 86400.0
TARGET = Target("test", BucketAddress("memory"))
LONGEST_REQUEST = 30.0
"""Seconds after which no request that is still under way reaches the store: its signature has ended (docs/design.md, rule 8 of the protocol)."""

UNCONDITIONAL = ("packs/", "entries/", "records/", "shards/", "lock")


class DiedError(BaseException):
    """`kill -9`: nothing of the run happens after it."""


class ForeignTouchedError(AssertionError):
    """Promise 5 does not hold."""


class NotAsLiveError(AssertionError):
    """The target is not what its state calls live."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to the request of this number, counted from 0.

    `crash`: it is never sent, and the run is dead. `crash late`: it was done, and the run is dead. `stop`: it fails for good. `stop late`: it
    was done, and fails for good all the same. `lost`: it was done, its answer was lost, and the client's retry meets what it wrote itself.
    `freeze`: the machine sleeps for an hour once it is done. `edit`: just before it someone changes the front page by hand.
    """

    kind: str
    at: int


class OversleepingClock(ManualClock):
    """Sleeps longer than it should, so that waiting for a lease takes few steps."""

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds * 7


@dataclass(slots=True)
class Web:
    """`retention` is what `gc` is told; visitors with open pages rely on it. `edited`: keys that someone changed by hand,
    `intact`: those that nobody was allowed to overwrite since; `foreign`: keys
    that no manifest of ours ever names, and their bytes."""

    chance: random.Random = field(default_factory=lambda: random.Random(0))
    retention: Retention = field(default_factory=lambda: Retention(releases=1, days=0))
    has_function: bool = False
    has_tags: bool = False
    rules: Invalidation = field(default_factory=Invalidation)
    clock: ManualClock = field(default_factory=OversleepingClock)
    bucket: MemoryBucket = field(default_factory=MemoryBucket)
    gone: set[int] = field(default_factory=set)
    edited: set[str] = field(default_factory=set)
    intact: dict[str, bytes] = field(default_factory=dict)
    foreign: dict[str, bytes] = field(default_factory=dict)
    pids: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    nonces: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    shown: list[frozenset[tuple[str, bytes]]] = field(default_factory=list)
    writes: int = 0
    requests: int = 0
    visited: tuple[float, int, int] = (-1.0, -1, -1)
    cutting: Cutting = WHOLE
    live_seq: int = -1
    last_commit: int = -1
    is_going_back: bool = False
    client: FakeCloudFront = field(init=False)
    distribution: str = field(init=False)
    network: Network = field(init=False)
    visitors: Visitors = field(init=False)

    def __post_init__(self) -> None:
        self.client = FakeCloudFront(self.clock, seconds_to_complete=20)
        function = {"Quantity": 1, "Items": [{"EventType": "viewer-request", "FunctionARN": "arn:aws:cloudfront::1:function/sitepub-x"}]}
        config = {
            "DefaultRootObject": "index.html",
            "DefaultCacheBehavior": {"FunctionAssociations": function if self.has_function else {}},
            **({"CacheTagConfig": {"HeaderName": TAG_HEADER}} if self.has_tags else {}),
        }
        self.distribution = self.client.add_distribution(config)
        self.network = Network(Origin(self.bucket, self.has_function), self.clock, self.client, self.chance, tag_header=TAG_HEADER)
        self.visitors = Visitors(self.network, self._is_promised)

    # ---- runs

    def publish(
        self, site: SmallSite, number: int = 0, *, fault: Fault | None = None, permits: Permits | None = None, patience: float = 600,
        pause: Callable[[], None] | None = None,
    ) -> Receipt:  # fmt: skip
        """As the commit of this number; a later one is newer."""
        made = make_site(replace(site, is_tagged=self.has_tags))
        self.visitors.pages |= made.pages
        wish = Wish(made.manifest, lambda wanted: made.bodies[wanted.body], commit(f"{number:08d}"), made.frozen_as_entries)
        edges = self.edges(fault, pause, is_forced=permits is not None and permits.foreign)
        return publish(edges, wish, _judge(number), permits or Permits(shrink=True), lock_timeout=patience)

    def roll_back(self, name: str | None = None, *, fault: Fault | None = None, pause: Callable[[], None] | None = None) -> Receipt:
        edges = self.edges(fault, pause)
        snapshot = edges.releases.read_state()
        self.is_going_back = True
        return rollback(edges, choose_release(snapshot.state, name), snapshot)

    def gc(self, *, fault: Fault | None = None, pause: Callable[[], None] | None = None) -> Collected:
        return collect(self.edges(fault, pause), self.retention)

    def invalidate(self, *, fault: Fault | None = None, pause: Callable[[], None] | None = None) -> Invalidated:
        """With no path: sends what is owed."""
        edges = self.edges(fault, pause)
        return send_owed(edges, edges.releases.read_state())

    def edges(self, fault: Fault | None = None, pause: Callable[[], None] | None = None, *, is_forced: bool = False) -> Edges:
        """Those of a new process."""
        pid = next(self.pids)
        hooks = _Hooks(self, fault, pause, is_forced)
        store = MemoryStore(self.clock, hooks.before, hooks.after, bucket=self.bucket)
        records = MemoryStore(self.clock, hooks.before, hooks.after, bucket=self.bucket, prefix=".sitepub")
        cdn = CloudFront(self.distribution, lambda: self.client, self.clock)
        chooser = Chooser(TARGET, self.rules, cdn, self.clock, aside=at_once)
        return Edges(
            store=store,
            records=records,
            releases=Releases(records, self.clock, lambda: f"n{next(self.nonces)}", cutting=self.cutting),
            cdn=cdn,
            choose=lambda shown, live, state: at_once(lambda: chooser.choose(shown, live, state)),
            count_month=chooser.count,
            rules=self.rules,
            clock=self.clock,
            progress=SilentProgress(),
            process=Process("host", "boot", "ns", pid, str(pid)),
            is_gone=lambda process: process.pid in self.gone,
        )

    def bury(self) -> None:
        """Every process that was begun so far is gone, and everybody knows; those to come are not."""
        self.gone.update(range(next(self.pids)))

    # ---- what others do

    def edit(self, key: str, body: bytes = b"by hand") -> None:
        self._put(key, body)
        self.edited.add(key)
        self.intact[key] = body
        self.moment()

    def add_foreign(self, key: str, body: bytes = b"foreign") -> None:
        self._put(key, body)
        self.foreign[key] = body
        self.moment()

    def pass_time(self, seconds: float) -> None:
        self.moment()
        self.clock.seconds += seconds
        self.moment()

    def _put(self, key: str, body: bytes) -> None:
        self.moment()
        MemoryStore(self.clock, bucket=self.bucket).put(Key(key), body, (), digest=digest_of(body), expect=Anything())
        self.writes += 1

    # ---- what must hold

    def moment(self) -> None:
        """Visitors come, if anything has changed since they last did."""
        now = (self.clock.seconds, self.writes, len(self.client.sent))
        if now != self.visited:
            self.visited = now
            self.visitors.visit()

    def state(self) -> State:
        return self.reader().read_state().state

    def reader(self) -> ReleaseReader:
        return ReleaseReader(MemoryStore(self.clock, bucket=self.bucket, prefix=".sitepub"))

    def check_after_write(self, key: str, *, is_forced: bool) -> None:
        self.writes += 1
        if key in self.intact and is_forced:
            del self.intact[key]
        self._check_others_keys(key)
        if key == "state.json":
            self._check_live()

    def _check_others_keys(self, written: str) -> None:
        for key, body in (*self.foreign.items(), *self.intact.items()):
            found = self.bucket.objects.get(key)
            if found is None or found.body != body:
                raise ForeignTouchedError(f"{key} is {found and found.body!r} after a write to {written}")

    def _check_live(self) -> None:
        state = self.state()
        live = state.live_release
        if state.pending is not None or live is None:
            return
        self.check_target()
        if live.seq != self.live_seq:
            self.live_seq = live.seq
            number = int(live.commit.id[:8]) if live.commit else -1
            if number < self.last_commit and not self.is_going_back:
                raise NotAsLiveError(f"commit {number} replaced commit {self.last_commit}")
            self.last_commit = number
            pages = {path: self.network.fetch(path) for path in self.visitors.pages}
            self.shown.append(frozenset((path, answer.body) for path, answer in pages.items() if answer.status == 200))

    def check_target(self) -> None:
        """At rest every key of the live manifest holds what the manifest says, and no entry of another release stands."""
        live = self.state().live_release
        if live is None:
            return
        document = self.reader().read_document(live)
        for key, artifact in document.manifest.artifacts.items():
            found = self.bucket.objects.get(key)
            if key in self.edited:
                continue
            if found is None or digest_of(found.body) != artifact.body or found.headers != artifact.headers:
                raise NotAsLiveError(f"{key} is {found and (found.body[:60], found.headers)}, the live manifest says {artifact}")
        for key in self.bucket.objects:
            is_ours = key.startswith(".sitepub/") or key in document.manifest.artifacts or key in document.lingering
            if not is_ours and key.endswith(".html") and key not in self.foreign and key not in self.edited:
                raise NotAsLiveError(f"{key} stands there, though the live release has no such page")

    def _is_promised(self, path: str, body: bytes, last: float) -> bool:
        """Open pages work as long as retention says: for so many days after they were live, and while among the newest releases."""
        is_recent = self.clock.seconds - last <= max(1, self.retention.days) * DAY
        return is_recent or any((path, body) in shown for shown in self.shown[-self.retention.releases :])


def at_once(call: Callable[[], R]) -> Callable[[], R]:
    """Beside nothing: a run in these tests has one thread."""
    result = call()
    return lambda: result


def _judge(mine: int) -> Callable[[Commit | None], None]:
    def judge(theirs: Commit | None) -> None:
        if theirs is not None and int(theirs.id[:8]) > mine:
            raise HeldError("newer-is-live", "a newer release is live")

    return judge


@dataclass(slots=True)
class _Hooks:
    """Visitors, faults and turns at the requests of one run."""

    web: Web
    fault: Fault | None
    pause: Callable[[], None] | None
    is_forced: bool = False
    number: int = -1
    is_dead: bool = False

    def before(self, operation: str, key: Key) -> None:
        if self.is_dead:
            raise DiedError
        self.number += 1
        self.web.requests += 1
        asked = self.web.clock.elapsed()
        if self.pause is not None:
            self.pause()
        self.web.moment()
        if self._is_hit("edit"):
            self.web.edit("index.html")
        if self._is_hit("crash"):
            self.is_dead = True
            raise DiedError
        if self._is_hit("stop"):
            raise StoppedError("injected", "the store does not answer")
        if self.web.clock.elapsed() - asked > LONGEST_REQUEST:
            raise StoppedError("injected", "the request came too late")

    def after(self, operation: str, key: Key) -> None:
        if operation in ("put", "copy", "delete"):
            self.web.check_after_write(key, is_forced=self.is_forced)
        self.web.moment()
        if self.pause is not None:
            self.pause()
        if self._is_hit("crash late"):
            self.is_dead = True
            raise DiedError
        if self._is_hit("stop late"):
            raise StoppedError("injected", "the answer never came")
        if self._is_hit("lost") and operation in ("put", "copy") and not key.startswith(UNCONDITIONAL):
            raise ConditionFailedError(key)
        if self._is_hit("freeze"):
            self.web.pass_time(3600)

    def _is_hit(self, kind: str) -> bool:
        return self.fault is not None and self.fault.kind == kind and self.fault.at == self.number


@contextmanager
def small_is_large() -> Iterator[None]:
    """Bodies of a few thousand bytes are treated as large ones."""
    names = (
        "sitepub.core.plan.PACK_LIMIT",
        "sitepub.promoting.COPY_ABOVE",
        "sitepub.core.telling.COPY_ABOVE",
        "sitepub.writing.LOOK_FIRST_ABOVE",
    )
    with mock.patch(names[0], LARGE), mock.patch(names[1], 9), mock.patch(names[2], 9), mock.patch(names[3], 9):
        yield
