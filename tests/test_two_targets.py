"""Two targets of one account, each with a state of its own, in the month's last free paths: one publishes as a whole between any two requests of the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace

from sitepub import invalidating
from sitepub.aws.cloudfront import CloudFront
from sitepub.choosing import Chooser
from sitepub.core.ledger import Batch, Ledger
from sitepub.core.reserving import LIFE_SECONDS, Shared, count_reserved, decode_shared, encode_shared, reserve, settle
from sitepub.core.settings import BucketAddress, Invalidation, Target, WhenSpent
from sitepub.decision import Permits
from sitepub.edges import Edges
from sitepub.errors import ConfigurationError, StoppedError
from sitepub.invalidating import Invalidated, send_owed
from sitepub.pipeline import publish
from sitepub.reserving import SharedLedger
from tests.support.builders import HTML, ManualClock, Piece, World, wish
from tests.support.fake_cdn import FakeCloudFront
from tests.support.memory_store import MemoryBucket, MemoryStore
from tests.support.web import at_once

HELD = (("Cache-Control", "public, max-age=0, s-maxage=86400"), HTML[1])
PAGES = tuple(f"{folder}/{name}.html" for folder in "abc" for name in range(2))
FREE = 8


def pass_by(operation: str, key: str = "") -> None:
    return None


@dataclass(slots=True)
class Site:
    """One target. `before` is told each request of its next runs, to its store, to the shared ledger and to CloudFront."""

    client: FakeCloudFront
    ledger: MemoryBucket | None
    rules: Invalidation
    world: World = field(default_factory=World)
    distribution: str = field(init=False)
    before: Callable[..., None] = pass_by

    def __post_init__(self) -> None:
        assert isinstance(self.client.clock, ManualClock)
        self.world.clock = self.client.clock
        self.distribution = self.client.add_distribution()
        self.publish("0")

    def edges(self) -> Edges:
        clock = self.world.clock
        cdn = CloudFront(self.distribution, lambda: self.client, clock)
        shared = None
        if self.ledger is not None:
            store = MemoryStore(clock, self.before, bucket=self.ledger)  # type: ignore[arg-type]
            shared = SharedLedger(store, clock, lambda: f"{self.distribution} {next(self.world.numbers)}")
        read = shared.read if shared is not None else Ledger
        chooser = Chooser(Target("t", BucketAddress("memory")), self.rules, cdn, clock, aside=at_once, shared=read)
        return replace(
            self.world.edges(before=self.before),
            cdn=cdn,
            choose=lambda shown, live, state: at_once(lambda: chooser.choose(shown, live, state)),
            count_month=chooser.count,
            rules=self.rules,
            shared=shared,
        )

    def publish(self, version: str) -> Invalidated:
        """Every page changes."""
        pieces: dict[str, Piece | bytes] = {page: Piece(f"{page} {version}".encode(), headers=HELD) for page in PAGES}
        self.client.before = self.before
        return publish(self.edges(), wish(pieces), lambda _: None, Permits()).invalidation


def publish_beside(number: int, *, is_shared: bool, when_spent: WhenSpent = WhenSpent.WILDCARD) -> tuple[int, FakeCloudFront, list[Site]]:
    """Runs one site's publish, and the other's as its request `number` arrives. Returns how many requests there were."""
    client = FakeCloudFront(ManualClock())
    ledger = MemoryBucket() if is_shared else None
    one, other = (Site(client, ledger, Invalidation(free_paths=FREE, when_spent=when_spent)) for _ in range(2))
    seen = 0

    def count(operation: str, key: str = "") -> None:
        nonlocal seen
        seen += 1
        if seen == number + 1:
            other.publish("1")
            client.before = count

    one.before = count
    one.publish("1")
    one.before = client.before = pass_by
    return seen, client, [one, other]


def overspent(*, is_shared: bool) -> list[int]:
    """Paths above the free ones, for each request of the one at which the other publishes."""
    requests = publish_beside(-1, is_shared=is_shared)[0]
    return [max(0, publish_beside(number, is_shared=is_shared)[1].count_paths() - FREE) for number in range(requests)]


def test_without_a_second_count_another_target_may_spend_the_same_paths_during_a_whole_publish(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invalidating, "TIGHT", 0)
    found = overspent(is_shared=False)
    assert sum(map(bool, found)) > len(found) / 2
    assert max(found) == 4


def test_a_second_count_leaves_the_time_of_one_request() -> None:
    """That in which the invalidation itself is on its way; nothing that CloudFront offers could refuse it."""
    found = overspent(is_shared=False)
    assert len(found) > 20
    assert sum(map(bool, found)) == 1


def test_with_a_shared_ledger_no_path_is_spent_twice() -> None:
    assert not any(overspent(is_shared=True))


@pytest.mark.parametrize("when_spent", [WhenSpent.WILDCARD, WhenSpent.DEFER])
def test_what_found_no_room_is_folded_or_owed_and_nothing_is_lost(when_spent: WhenSpent) -> None:
    requests = publish_beside(-1, is_shared=True, when_spent=when_spent)[0]
    for number in range(requests):
        _, client, sites = publish_beside(number, is_shared=True, when_spent=when_spent)
        assert client.count_paths() <= FREE
        for site in sites:
            evicted = {item for each in client.sent if each.distribution == site.distribution for item in each.items}
            edges = site.edges()
            owed = {item for debt in edges.releases.read_state().state.owed for item in debt.items}
            assert all(any(f"/{page}" == item or f"/{page}".startswith(item.rstrip("*")) for item in evicted | owed) for page in PAGES)
            if when_spent is WhenSpent.WILDCARD:
                send_owed(edges, edges.releases.read_state())
                assert not edges.releases.read_state().state.owed
                assert client.count_paths() <= FREE


def test_who_finds_no_room_waits_for_reservations_to_end() -> None:
    """It is counted already, and still reserved: the run that sent it has not said so yet."""
    client, bucket = FakeCloudFront(ManualClock()), MemoryBucket()
    one, other = (Site(client, bucket, Invalidation(free_paths=FREE)) for _ in range(2))
    one.publish("1")
    clock = other.world.clock
    ledger = SharedLedger(MemoryStore(clock, bucket=bucket), clock, lambda: f"n{next(one.world.numbers)}")
    ledger.change(lambda shared: reserve(shared, "one", 6, clock.now(), nonce="n"))
    started = clock.elapsed()

    def settle_later(operation: str, key: str = "") -> None:
        if (operation, key) == ("read", "ledger.json") and clock.elapsed() - started >= 3:
            other.before = pass_by
            ledger.change(lambda shared: settle(shared, "one", shared.ledger, clock.now(), nonce="m"))

    other.before = settle_later
    assert other.publish("1").state == "submitted"
    assert clock.elapsed() - started == 3


def test_a_run_that_died_with_a_reservation_holds_others_up_for_an_hour_only() -> None:
    client, ledger = FakeCloudFront(ManualClock()), MemoryBucket()
    one, other = (Site(client, ledger, Invalidation(free_paths=FREE, when_spent=WhenSpent.DEFER)) for _ in range(2))

    def die(operation: str, key: str = "") -> None:
        if operation == "CreateInvalidation":
            raise SystemExit

    one.before = die
    with pytest.raises(SystemExit):
        one.publish("1")
    assert other.publish("1").reason == "2 of this month's 8 free paths are left"
    other.world.clock.seconds += LIFE_SECONDS
    edges = other.edges()
    assert send_owed(edges, edges.releases.read_state()).state == "submitted"


def test_a_ledger_that_can_not_be_had_owes_the_invalidation_of_what_is_live() -> None:
    client, ledger = FakeCloudFront(ManualClock()), MemoryBucket()
    site = Site(client, ledger, Invalidation(free_paths=FREE))

    def fail(operation: str, key: str = "") -> None:
        if (operation, key) == ("put", "ledger.json"):
            raise StoppedError("connection-lost", "the ledger can't be had")

    site.before = fail
    done = site.publish("1")
    assert (done.state, done.reason, len(done.items)) == ("owed", "the ledger can't be had", 6)
    assert client.count_paths() == 0
    site.before = client.before = pass_by
    edges = site.edges()
    assert send_owed(edges, edges.releases.read_state()).state == "submitted"


def test_an_answer_that_was_lost_is_known_by_its_nonce() -> None:
    clock, bucket = ManualClock(), MemoryBucket()
    written = iter((True, False))

    class Lossy(MemoryStore):
        def put(self, *words: object, **named: object) -> object:  # type: ignore[override]
            if next(written, False):
                super().put(*words, **named)  # type: ignore[arg-type]
            return super().put(*words, **named)  # type: ignore[arg-type]

    ledger = SharedLedger(Lossy(clock, bucket=bucket), clock, lambda: "n1")  # type: ignore[arg-type]
    ledger.change(lambda shared: reserve(shared, "run", 3, clock.now(), nonce="n1"))
    assert clock.elapsed() == 0
    stored = decode_shared(bucket.objects["ledger.json"].body, where="")
    assert count_reserved(stored, clock.now()) == 3


def test_what_is_shared_is_read_back_as_it_was_written() -> None:
    now = ManualClock().now()
    shared = reserve(Shared(), "run", 3, now, nonce="n")
    assert decode_shared(encode_shared(shared), where="") == shared
    assert settle(shared, "run", shared.ledger, now, nonce="m") == Shared(nonce="m")
    assert shared.reserved == {"run": Batch(now.timestamp(), 3)}
    for body in (b"", b"{}", b'{"format": 1}', b"[]", b'{"format": 2}'):
        with pytest.raises(ConfigurationError):
            decode_shared(body, where="s3://b/ledger.json")
