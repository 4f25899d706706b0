"""What every CloudFront must do for `CloudFront` and the count of the month: the fake, and moto's server where these agree.

moto lacks: CallerReference rules, Quantity and charset checks, the limits, newest first, late completion, throttling, edge functions in
what GetDistribution answers, NoSuchDistribution where invalidations of an unknown distribution are listed.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

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
    """One account's CloudFront: its client, its clock, and how a distribution comes to be."""

    client: Any
    clock: Any
    add: Callable[[], str]

    def open(self, distribution: str) -> CloudFront:
        return CloudFront(distribution, lambda: self.client, self.clock)


@pytest.fixture(params=["fake", "moto"])
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "fake":
        return fake_world()
    client = request.getfixturevalue("moto_server").client("cloudfront")
    return World(client, SystemClock(), lambda: create_on_moto(client))


def fake_world(**options: Any) -> World:
    clock = ManualClock()
    fake = FakeCloudFront(clock, **options)
    return World(fake, clock, lambda: fake.add_distribution(make_config()))


def make_config() -> dict[str, Any]:
    return {
        "DefaultRootObject": "index.html",
        "Aliases": {"Quantity": 1, "Items": ["www.example.com"]},
        "CustomErrorResponses": PAGES,
        "CacheTagConfig": {"HeaderName": "x-amz-meta-cache-tag"},
    }


def create_on_moto(client: Any) -> str:
    origin = {"Id": "o", "DomainName": "b.s3.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}
    config = {
        **make_config(),
        "CallerReference": uuid.uuid4().hex,
        "Origins": {"Quantity": 1, "Items": [origin]},
        "DefaultCacheBehavior": {"TargetOriginId": "o", "ViewerProtocolPolicy": "allow-all"},
        "Comment": "",
        "Enabled": True,
    }
    created: str = client.create_distribution(DistributionConfig=config)["Distribution"]["Id"]
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
