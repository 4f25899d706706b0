"""What every CloudFront must do for `CloudFront` and the count of the month: the fake, and two emulators where these agree.

moto lacks: CallerReference rules, tenants, NoSuchDistribution where invalidations of an unknown distribution are listed, late completion, newest first.
MiniStack lacks: late completion, newest first, paging. Both lack Quantity and charset checks, the limits, throttling; and edge functions in what
moto's GetDistribution answers.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sitepub.aws.cloudfront import CloudFront
from sitepub.core.ledger import Ledger
from sitepub.errors import ConfigurationError
from sitepub.local.clock import SystemClock
from tests.support.builders import ManualClock
from tests.support.fake_cdn import FakeCloudFront

PAGES = {
    "Quantity": 2,
    "Items": [
        {"ErrorCode": 404, "ResponsePagePath": "/404.html", "ResponseCode": "404", "ErrorCachingMinTTL": 10},
        {"ErrorCode": 403, "ResponsePagePath": "/index.html", "ResponseCode": "200", "ErrorCachingMinTTL": 10},
    ],
}


@dataclass(frozen=True, slots=True)
class World:
    """One account's CloudFront: its client, its clock, how a distribution comes to be, and a tenant of a multi-tenant one."""

    client: Any
    clock: Any
    add: Callable[[], str]
    add_tenant: Callable[[], str] | None = None

    def open(self, distribution: str) -> CloudFront:
        return CloudFront(distribution, lambda: self.client, self.clock)


@pytest.fixture(params=["fake", "moto", "ministack"])
def world(request: pytest.FixtureRequest) -> World:
    return make_world(request)


@pytest.fixture(params=["fake", "ministack"])
def strict(request: pytest.FixtureRequest) -> World:
    """Those that know CallerReferences, tenants, and who is who."""
    return make_world(request)


def make_world(request: pytest.FixtureRequest) -> World:
    if request.param == "fake":
        return fake_world()
    if request.param == "moto":
        client = request.getfixturevalue("moto_server").client("cloudfront")
        return World(client, SystemClock(), lambda: create_on_emulator(client))
    client = request.getfixturevalue("ministack").client("cloudfront")
    return World(client, SystemClock(), lambda: create_on_emulator(client), lambda: create_tenant(client))


def fake_world(**options: Any) -> World:
    clock = ManualClock()
    fake = FakeCloudFront(clock, **options)
    multi_tenant = {"ConnectionMode": "tenant-only"}
    return World(fake, clock, lambda: fake.add_distribution(make_config()), lambda: fake.add_tenant(fake.add_distribution(multi_tenant)))


def make_config() -> dict[str, Any]:
    return {
        "DefaultRootObject": "index.html",
        "Aliases": {"Quantity": 1, "Items": ["www.example.com"]},
        "CustomErrorResponses": PAGES,
        "CacheTagConfig": {"HeaderName": "x-amz-meta-cache-tag"},
    }


def create_on_emulator(client: Any, **more: str) -> str:
    origin = {"Id": "o", "DomainName": "b.s3.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}
    config = {
        **make_config(),
        "CallerReference": uuid.uuid4().hex,
        "Origins": {"Quantity": 1, "Items": [origin]},
        "DefaultCacheBehavior": {"TargetOriginId": "o", "ViewerProtocolPolicy": "allow-all"},
        "Comment": "",
        "Enabled": True,
        **more,
    }
    created: str = client.create_distribution(DistributionConfig=config)["Distribution"]["Id"]
    return created


def create_tenant(client: Any) -> str:
    owner = create_on_emulator(client, ConnectionMode="tenant-only")
    name = uuid.uuid4().hex
    made = client.create_distribution_tenant(DistributionId=owner, Name=name, Domains=[{"Domain": f"{name}.example.com"}])
    created: str = made["DistributionTenant"]["Id"]
    return created


def test_facts_are_those_of_the_distribution(world: World) -> None:
    distribution = world.add()
    facts = world.open(distribution).facts()
    assert (facts.id, facts.aliases, facts.default_root_object) == (distribution, ("www.example.com",), "index.html")
    assert facts.domain.endswith(".cloudfront.net")
    assert facts.error_pages == (("/404.html", 404), ("/index.html", 200))
    assert facts.tag_header == "x-amz-meta-cache-tag"
    assert facts.status in ("InProgress", "Deployed")
    assert not facts.has_function


def test_an_unknown_distribution_is_named(world: World) -> None:
    cdn = world.open("EUNKNOWN")
    for ask in (cdn.facts, lambda: cdn.invalidate(("/",), "r")):
        with pytest.raises(ConfigurationError, match="there is no distribution `EUNKNOWN`") as caught:
            ask()
        assert caught.value.code == "no-distribution"


def test_an_invalidation_is_kept_as_it_was_sent(world: World) -> None:
    distribution = world.add()
    cdn = world.open(distribution)
    items = ("/", "/caf%C3%A9/", "/docs/*", "/index.html")
    submitted = cdn.invalidate(items, "sitepub-1")
    kept = world.client.get_invalidation(DistributionId=distribution, Id=submitted.id)["Invalidation"]["InvalidationBatch"]
    assert (sorted(kept["Paths"]["Items"]), kept["Paths"]["Quantity"], kept["CallerReference"]) == (sorted(items), 4, "sitepub-1")
    assert cdn.requests == 1


def test_an_invalidation_completes(world: World) -> None:
    cdn = world.open(world.add())
    submitted = cdn.invalidate(("/",), "sitepub-1")
    if isinstance(world.clock, ManualClock):
        assert not submitted.is_completed
        assert not cdn.is_completed(submitted.id)
        world.clock.sleep(20)
    assert cdn.is_completed(submitted.id)


def test_the_month_is_counted_over_all_distributions(world: World) -> None:
    asking = world.open(world.add())
    before = asking.count_month(Ledger())
    for number, items in enumerate((("/", "/a/*"), ("/b",), ("/c", "/d", "/e"))):
        world.open(world.add()).invalidate(items, f"sitepub-{number}")
    assert before is not None and before.counted_at is not None
    counted = asking.count_month(before)
    assert counted is not None
    assert (counted.used, counted.sends) == (before.used + 6, before.sends + 3)


def test_the_same_reference_and_items_are_one_invalidation(strict: World) -> None:
    cdn = strict.open(strict.add())
    before = cdn.count_month(Ledger())
    first, again = (cdn.invalidate(("/", "/index.html"), "sitepub-1") for _ in range(2))
    assert first.id == again.id
    counted = cdn.count_month(before or Ledger())
    assert before is not None and counted is not None
    assert counted.used == before.used + 2


def test_other_items_under_a_used_reference_are_refused_and_sent_under_their_own(strict: World) -> None:
    distribution = strict.add()
    cdn = strict.open(distribution)
    first = cdn.invalidate(("/a",), "sitepub-1")
    batch = {"Paths": {"Quantity": 1, "Items": ["/b"]}, "CallerReference": "sitepub-1"}
    with pytest.raises(ClientError) as caught:
        strict.client.create_invalidation(DistributionId=distribution, InvalidationBatch=batch)
    assert caught.value.response["Error"]["Code"] == "InvalidationBatchAlreadyExists"
    second = cdn.invalidate(("/b",), "sitepub-1")
    assert second.id not in ("", first.id)


def test_references_of_two_distributions_have_nothing_to_do_with_each_other(strict: World) -> None:
    one, other = (strict.open(strict.add()).invalidate(("/a",), "sitepub-1") for _ in range(2))
    assert one.id != other.id


def test_a_tag_is_an_item_like_another(strict: World) -> None:
    distribution = strict.add()
    submitted = strict.open(distribution).invalidate(("#k1a2b3c4", "/a"), "sitepub-1")
    kept = strict.client.get_invalidation(DistributionId=distribution, Id=submitted.id)["Invalidation"]["InvalidationBatch"]
    assert sorted(kept["Paths"]["Items"]) == ["#k1a2b3c4", "/a"]


@pytest.mark.parametrize(
    ("code", "ask"),
    [
        ("NoSuchDistribution", lambda client, known: client.list_invalidations(DistributionId="EUNKNOWN")),
        ("NoSuchInvalidation", lambda client, known: client.get_invalidation(DistributionId=known, Id="IUNKNOWN")),
        ("EntityNotFound", lambda client, known: client.list_invalidations_for_distribution_tenant(Id="dt_unknown")),
    ],
)
def test_what_is_not_there_is_refused_by_its_name(strict: World, code: str, ask: Callable[[Any, str], object]) -> None:
    with pytest.raises(ClientError) as caught:
        ask(strict.client, strict.add())
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_what_a_tenant_was_told_counts_in_the_month(strict: World) -> None:
    assert strict.add_tenant is not None
    tenant, asking = strict.add_tenant(), strict.open(strict.add())
    before = asking.count_month(Ledger())
    batch = {"Paths": {"Quantity": 2, "Items": ["/a", "/b"]}, "CallerReference": "t"}
    strict.client.create_invalidation_for_distribution_tenant(Id=tenant, InvalidationBatch=batch)
    counted = asking.count_month(before or Ledger())
    assert before is not None and counted is not None
    assert (counted.used, counted.unseen) == (before.used + 2, ())
    again = asking.count_month(counted)
    assert again is not None and again.used == counted.used
