"""The month's paths as AWS counted them, read in whatever order they are listed."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from sitepub.aws.cloudfront import CloudFront
from sitepub.aws.quota import count_month
from sitepub.core.ledger import Ledger, decode_ledger, encode_ledger, note_sent
from sitepub.errors import StoppedError
from tests.support.builders import ManualClock
from tests.support.fake_cdn import FakeCloudFront

DAY = 86400.0


class World:
    """The clock stands at 23 November 2026, 18:00 UTC."""

    def __init__(self, **options: Any) -> None:
        self.clock = ManualClock()
        self.fake = FakeCloudFront(self.clock, **options)
        self.distribution = self.fake.add_distribution()

    def send(self, *items: str, day: int = 23, distribution: str | None = None) -> None:
        """On that day of November, or of October where it is below 1."""
        now = self.clock.seconds
        self.clock.seconds = (day - 23) * DAY
        name = distribution or self.distribution
        CloudFront(name, lambda: self.fake, self.clock).invalidate(items, f"r{len(self.fake.sent)}")
        self.clock.seconds = now

    def look(self, known: Ledger | None = None) -> Ledger:
        ledger = count_month(self.fake, self.clock, known)
        assert ledger is not None
        return ledger

    def count(self, known: Ledger | None = None) -> int:
        return self.look(known).used


def test_nothing_sent_is_nothing_used() -> None:
    assert World().count() == 0


def test_wildcards_and_other_distributions_count_and_last_month_does_not() -> None:
    world = World()
    world.send("/a", "/b", day=-5)
    world.send("/*", "/a", day=1)
    world.send("/c", distribution=world.fake.add_distribution())
    assert world.count() == 3 == world.fake.count_paths()


def test_the_month_starts_at_midnight_utc() -> None:
    world = World()
    world.send("/a", day=1)
    first = world.fake.sent[0]
    first.created = datetime(2026, 11, 1, tzinfo=UTC)
    assert world.count() == 1
    first.created = datetime(2026, 10, 31, 23, 59, 59, tzinfo=UTC)
    assert world.count() == 0


def test_pages_are_read_to_the_month_s_start_and_no_further() -> None:
    world = World(page_size=5)
    for day in range(-20, 21):
        world.send(f"/{day}", day=day)
    world.fake.calls.clear()
    assert world.count() == 20
    assert world.fake.calls.count("ListInvalidations") == 5
    assert world.fake.calls.count("GetInvalidation") == 20


@pytest.mark.parametrize("order", ["oldest first", "no order"])
def test_the_order_of_the_list_does_not_matter(order: str) -> None:
    """Emulators list the oldest first."""
    world = World(page_size=5)
    for day in range(-20, 21):
        world.send(f"/{day}", day=day)
    if order == "oldest first":
        world.fake.sent.reverse()
    else:
        world.fake.sent.sort(key=lambda each: hash_of(each.id))
    assert world.count() == 20


def hash_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_what_an_invalidation_held_is_asked_once() -> None:
    world = World()
    world.send("/a", "/b")
    known = world.look()
    assert known.used == 2
    world.send("/c")
    world.fake.calls.clear()
    assert world.count(known) == 3
    assert world.fake.calls.count("GetInvalidation") == 1


def test_what_is_old_enough_is_neither_listed_nor_kept_one_by_one() -> None:
    world = World(page_size=5)
    for day in range(1, 23):
        world.send("/a", "/b", day=day)
    world.send("/c")
    known = world.look()
    assert len(known.recent) == 1
    assert known.sealed[world.distribution].paths == 44
    assert known.sends == 23
    world.fake.calls.clear()
    assert world.count(known) == 45
    assert world.fake.calls == ["ListDistributions", "ListInvalidations"] or world.fake.calls == ["ListInvalidations", "ListDistributions"]


def test_a_clock_that_is_ahead_does_not_seal_what_is_to_come() -> None:
    world = World()
    world.send("/a")
    world.clock.seconds += 6 * 3600
    known = world.look()
    world.clock.seconds -= 5 * 3600
    world.fake.sent.append(replace(world.fake.sent[0], id="I9", created=world.clock.now(), items=("/b", "/c")))
    assert world.count(known) == 3


def test_what_was_just_sent_counts_before_aws_lists_it_and_once_only() -> None:
    world = World()
    known = note_sent(world.look(), world.distribution, "I0000000000002", 3, world.clock.now())
    assert known.used == 3
    assert world.count(known) == 3
    world.send("/a", "/b", "/c")
    assert world.fake.sent[0].id == "I0000000000002"
    assert world.count(known) == 3


def test_a_new_month_starts_at_nothing() -> None:
    world = World()
    world.send("/a", "/b")
    known = world.look()
    world.clock.seconds += 8 * DAY
    assert world.count(known) == 0
    assert world.look(known).month == "2026-12"


def test_a_distribution_that_is_gone_has_still_cost_what_it_did() -> None:
    world = World()
    other = world.fake.add_distribution()
    world.send("/a", "/b", day=1, distribution=other)
    world.send("/c")
    known = world.look()
    del world.fake._configs[other]
    assert world.count(known) == 3
    assert known.recent.keys() == {f"{world.distribution}/{world.fake.sent[1].id}"}


@pytest.mark.parametrize("operation", ["ListDistributions", "ListInvalidations", "GetInvalidation"])
def test_without_permission_nobody_knows(operation: str) -> None:
    world = World(denied={operation})
    world.send("/a")
    assert count_month(world.fake, world.clock) is None


def test_what_may_be_seen_is_counted_and_the_rest_once_it_may_be() -> None:
    world = World()
    other = world.fake.add_distribution()
    world.send("/b", "/c", day=1, distribution=other)
    world.send("/a", day=10)
    for denied in (f"ListInvalidations {other}", f"GetInvalidation {other}"):
        world.fake.denied = {denied}
        partly = world.look()
        assert (partly.used, partly.unseen) == (1, (f"`cloudfront:{denied.split()[0]}` is not allowed everywhere",))
        world.fake.denied = set()
        whole = world.look(decode_ledger(encode_ledger(partly)))
        assert (whole.used, whole.unseen) == (3, ())


def test_who_may_not_list_distributions_counts_those_that_it_knows() -> None:
    world = World(denied={"ListDistributions"})
    world.send("/a", "/b")
    counted = count_month(world.fake, world.clock, first=(world.distribution,))
    assert counted is not None
    assert (counted.used, counted.unseen) == (2, ("`cloudfront:ListDistributions` is not allowed everywhere",))


class Tenants(World):
    """Two tenants of a multi-tenant distribution beside a plain one."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.shared = self.fake.add_distribution({"ConnectionMode": "tenant-only"})
        self.names = [self.fake.add_tenant(self.shared) for _ in range(2)]

    def tell(self, tenant: str, *items: str, day: int = 23) -> None:
        now, self.clock.seconds = self.clock.seconds, (day - 23) * DAY
        batch = {"Paths": {"Quantity": len(items), "Items": list(items)}, "CallerReference": f"t{len(self.fake.sent)}"}
        self.fake.create_invalidation_for_distribution_tenant(Id=tenant, InvalidationBatch=batch)
        self.clock.seconds = now


def test_what_tenants_were_told_counts_too() -> None:
    world = Tenants(page_size=1)
    world.send("/a")
    world.tell(world.names[0], "/b", "/c", day=2)
    world.tell(world.names[1], "/d", day=-2)
    known = world.look()
    assert known.used == 3 == world.fake.count_paths()
    world.tell(world.names[1], "/e", "/f")
    world.fake.calls.clear()
    assert world.count(known) == 5
    assert world.fake.calls.count("GetInvalidationForDistributionTenant") == 1


def test_an_invalidation_that_a_distribution_and_its_tenant_both_list_counts_once() -> None:
    world = Tenants()
    world.tell(world.names[0], "/b", "/c")
    world.fake.sent.append(replace(world.fake.sent[0], distribution=world.shared))
    known = world.look()
    assert known.used == 2
    assert world.count(known) == 2


def test_where_nobody_has_tenants_nobody_is_asked_about_them() -> None:
    world = World()
    world.send("/a")
    world.count()
    assert not [call for call in world.fake.calls if "Tenant" in call]


@pytest.mark.parametrize(
    ("denied", "reason"),
    [
        ("ListDistributionTenants", "`cloudfront:ListDistributionTenants` is not allowed everywhere"),
        ("ListInvalidationsForDistributionTenant", "`cloudfront:ListInvalidationsForDistributionTenant` is not allowed everywhere"),
        ("GetInvalidationForDistributionTenant", "`cloudfront:GetInvalidationForDistributionTenant` is not allowed everywhere"),
        ("", "the 102 tenants of multi-tenant distributions are too many to be asked"),
    ],
)
def test_tenants_that_can_not_be_counted_are_told(denied: str, reason: str) -> None:
    world = Tenants()
    world.send("/a")
    world.tell(world.names[0], "/b")
    if denied:
        world.fake.denied = {denied}
    else:
        for _ in range(100):
            world.fake.add_tenant(world.shared)
    assert (world.look().used, world.look().unseen) == (1, (reason,))


def test_throttling_is_waited_out_for_a_minute() -> None:
    world = World()
    world.send("/a")
    world.fake.faults.extend(["Throttling", "ServiceUnavailable"])
    assert world.count() == 1
    world.fake.faults.extend(["Throttling"] * 1000)
    with pytest.raises(StoppedError, match="fewer requests"):
        world.count()


def test_a_distribution_that_goes_meanwhile_counts_nothing() -> None:
    world = World()
    world.send("/a")
    world.fake.faults.extend([None, "NoSuchDistribution"])
    assert world.count() == 0


def test_the_bill_starts_above_the_free_paths() -> None:
    world = World()
    world.send(*(f"/{number}" for number in range(1800)))
    assert world.fake.bill_usd() == 4.0
