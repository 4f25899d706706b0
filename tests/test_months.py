"""Random months against the fake CloudFront: never above the free paths unless told to pay, everything that changed is evicted or owed."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sitepub.aws.cloudfront import CloudFront
from sitepub.choosing import Chooser
from sitepub.core.ledger import Ledger, month_of
from sitepub.core.settings import BucketAddress, Invalidation, Target, WhenSpent
from sitepub.core.state import State
from sitepub.decision import Permits
from sitepub.edges import Edges
from sitepub.errors import RefusedError
from sitepub.invalidating import Invalidated, send_owed
from sitepub.pipeline import Receipt, publish
from tests.support.builders import HTML, Piece, World, wish
from tests.support.edge import is_named
from tests.support.fake_cdn import FakeCloudFront
from tests.support.web import at_once

HELD = (("Cache-Control", "public, max-age=0, s-maxage=86400"), HTML[1])
PAGES = tuple(f"{folder}/{name}.html" for folder in ("a", "b", "b/c", "d") for name in range(4))
TARGET = Target("test", BucketAddress("memory"))


class PoorCopy:
    """A machine that forgets everything."""

    def read(self) -> Ledger:
        return Ledger()

    def keep(self, ledger: Ledger) -> None:
        return None


@dataclass(slots=True)
class Account:
    """A site, its account, and what edges may still show wrongly: URL paths that changed since they were last evicted."""

    rules: Invalidation
    world: World = field(default_factory=World)
    versions: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PAGES, 0))
    client: FakeCloudFront = field(init=False)
    distribution: str = field(init=False)
    other: str = field(init=False)
    stale: set[str] = field(default_factory=set)
    heard: int = 0

    def __post_init__(self) -> None:
        self.client = FakeCloudFront(self.world.clock, seconds_to_complete=20)
        self.distribution = self.client.add_distribution()
        self.other = self.client.add_distribution()
        self.publish(())

    def edges(self) -> Edges:
        cdn = CloudFront(self.distribution, lambda: self.client, self.world.clock)
        chooser = Chooser(TARGET, self.rules, cdn, self.world.clock, PoorCopy(), aside=at_once)
        return replace(
            self.world.edges(),
            cdn=cdn,
            choose=lambda shown, live, state: at_once(lambda: chooser.choose(shown, live, state)),
            count_month=chooser.count,
            rules=self.rules,
        )

    def state(self) -> State:
        return self.world.edges().releases.read_state().state

    def publish(self, changed: tuple[int, ...]) -> Receipt | None:
        """None where the month's end refused it."""
        versions = {page: version + (number in changed) for number, (page, version) in enumerate(self.versions.items())}
        pieces: dict[str, Piece | bytes] = {page: Piece(f"{page} {version}".encode(), headers=HELD) for page, version in versions.items()}
        try:
            receipt = publish(self.edges(), wish(pieces), lambda _: None, Permits())
        except RefusedError as error:
            assert error.code == "quota-spent"
            assert self.rules.when_spent is WhenSpent.FAIL
            return None
        self.versions = versions
        self.stale |= {f"/{PAGES[number]}" for number in changed}
        self.look()
        return receipt

    def send_owed(self) -> Invalidated:
        edges = self.edges()
        sent = send_owed(edges, edges.releases.read_state())
        self.look()
        return sent

    def use(self, paths: int) -> None:
        """Another tool of the same account."""
        batch = {
            "Paths": {"Quantity": paths, "Items": [f"/{n}" for n in range(paths)]},
            "CallerReference": f"other {len(self.client.sent)}",
        }
        denied, self.client.denied = self.client.denied, set()
        self.client.create_invalidation(DistributionId=self.other, InvalidationBatch=batch)
        self.client.denied = denied
        self.look()

    def look(self) -> None:
        """What was sent meanwhile, and whether it was paid for by nobody."""
        for sent in self.client.sent[self.heard :]:
            if sent.distribution != self.distribution:
                continue
            self.stale = {path for path in self.stale if not any(is_named(item, path, (), None) for item in sent.items)}
            before = self.client.sent[: self.client.sent.index(sent) + 1]
            used = sum(len(each.items) for each in before if month_of(each.created) == month_of(sent.created))
            assert used <= self.rules.free_paths or self.rules.when_spent is WhenSpent.PAY, f"{sent.items} are above the free paths"
        self.heard = len(self.client.sent)
        owed = [item for debt in self.state().owed for item in debt.items]
        uncovered = {path for path in self.stale if not any(is_named(item, path, (), None) for item in owed)}
        assert not uncovered, f"edges show {uncovered} for ever"

    def left(self) -> int:
        return self.rules.free_paths - self.client.count_paths()


events = st.one_of(
    st.lists(st.integers(0, len(PAGES) - 1), min_size=1, max_size=len(PAGES), unique=True).map(tuple),
    st.sampled_from(["down", "up", "owed", "hour", "day", "week"]),
    st.integers(1, 12),
)


def live_through(account: Account, happened: list[object]) -> None:
    for event in happened:
        if isinstance(event, tuple):
            account.publish(event)
        elif isinstance(event, int):
            account.use(event)
        elif event == "owed":
            account.send_owed()
        elif event in ("down", "up"):
            account.client.denied = {"CreateInvalidation"} if event == "down" else set()
        else:
            account.world.clock.seconds += {"hour": 3600, "day": 86400, "week": 7 * 86400}[str(event)]


def check_end(account: Account) -> None:
    """The CDN is up: nothing is owed that could have been sent."""
    account.client.denied = set()
    account.send_owed()
    owed = account.state().owed
    assert not [debt for debt in owed if len(debt.items) <= account.left()]
    if account.rules.when_spent is WhenSpent.PAY or (account.rules.when_spent is WhenSpent.WILDCARD and account.left() > 0):
        assert not owed
    account.world.clock.seconds += 31 * 86400
    account.send_owed()
    is_patient = account.rules.when_spent in (WhenSpent.DEFER, WhenSpent.FAIL) or (
        account.rules.when_spent is WhenSpent.WILDCARD and not account.rules.free_paths
    )
    assert not account.state().owed or is_patient


@given(st.sampled_from(WhenSpent), st.integers(1, 40), st.lists(events, max_size=14))
@settings(max_examples=40, deadline=None)
def test_a_random_month(when_spent: WhenSpent, free: int, happened: list[object]) -> None:
    account = Account(Invalidation(free_paths=free, when_spent=when_spent))
    live_through(account, happened)
    check_end(account)


@pytest.mark.slow
@given(st.sampled_from(WhenSpent), st.integers(0, 60), st.lists(events, max_size=60))
@settings(max_examples=600, deadline=None)
def test_many_random_months(when_spent: WhenSpent, free: int, happened: list[object]) -> None:
    account = Account(Invalidation(free_paths=free, when_spent=when_spent))
    live_through(account, happened)
    check_end(account)


@pytest.mark.parametrize("denied", ["ListDistributions", "ListInvalidations", "GetInvalidation"])
def test_who_may_not_list_counts_its_own(denied: str) -> None:
    account = Account(Invalidation(free_paths=5))
    account.client.denied = {denied}
    sizes = []
    for number in range(8):
        receipt = account.publish((number, number + 8))
        assert receipt is not None
        sizes.append((receipt.invalidation.used, receipt.invalidation.state))
    assert account.client.count_paths() == 5
    assert sizes[-1] == (5, "owed")
    assert [used for used, _ in sizes] == sorted(used or 0 for used, _ in sizes)


def test_a_cdn_that_can_not_be_counted_now_is_no_reason_to_stop() -> None:
    account = Account(Invalidation(free_paths=50))
    account.publish((1,))
    account.client.faults.extend(["ServiceUnavailable"] * 400)
    receipt = account.publish((2,))
    assert receipt is not None and receipt.release is not None
    account.client.faults.clear()
    assert account.send_owed().state in ("none", "submitted")
    assert account.client.count_paths() == 2


def test_two_publishers_do_not_spend_the_same_path_twice() -> None:
    """The second one has counted before the first one sends; the state tells it that its plan is old."""
    account = Account(Invalidation(free_paths=3))
    account.use(1)
    edges = account.edges()
    is_first = [True]

    def interrupt(call: object) -> object:
        if is_first.pop() if is_first else False:
            account.publish((0, 5))
        return call

    late = replace(edges, before_first_write=lambda: interrupt({}) or {})  # type: ignore[arg-type, return-value]
    pieces: dict[str, Piece | bytes] = {page: Piece(f"{page} late".encode(), headers=HELD) for page in PAGES}
    publish(late, wish(pieces), lambda _: None, Permits())
    assert account.client.count_paths() == 3
    assert not account.state().owed


def test_a_new_month_pays_what_the_old_one_owed() -> None:
    account = Account(Invalidation(free_paths=4, when_spent=WhenSpent.DEFER))
    account.publish((0, 1, 2))
    receipt = account.publish((4, 8))
    assert receipt is not None
    assert (receipt.invalidation.state, receipt.invalidation.items) == ("owed", ("/b/0.html", "/b/c/0.html"))
    assert "1 of this month's 4 free paths are left" in receipt.invalidation.reason
    assert account.send_owed().state == "owed"
    account.world.clock.seconds += 10 * 86400
    sent = account.send_owed()
    assert (sent.state, sent.used) == ("submitted", 2)
    assert not account.stale


def test_a_distribution_that_keeps_pages_longer_than_their_headers_say_is_told_of_changes() -> None:
    """Its minimum TTL is noticed when it is asked; from then on, also where nothing else would be invalidated."""
    account = Account(Invalidation())
    account.client._configs[account.distribution] = {"DefaultCacheBehavior": {"MinTTL": 3600}}
    account.publish((0,))
    short: dict[str, Piece | bytes] = {"a/0.html": Piece(b"short", headers=HTML)}
    publish(account.edges(), wish(short), lambda _: None, Permits(shrink=True))
    receipt = publish(account.edges(), wish({"a/0.html": Piece(b"short two", headers=HTML)}), lambda _: None, Permits())
    assert receipt.invalidation.items == ("/a/0.html",)
    account.client._configs[account.distribution] = {}
    publish(account.edges(), wish({"a/0.html": Piece(b"short three", headers=HTML)}), lambda _: None, Permits())
    receipt = publish(account.edges(), wish({"a/0.html": Piece(b"short four", headers=HTML)}), lambda _: None, Permits())
    assert receipt.invalidation.items == ()
    assert account.state().provisioned["least_seconds"] == "0"
