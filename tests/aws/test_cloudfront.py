"""Invalidations against CloudFront's own rules: limits, references, faults that pass and faults that don't. Nothing here sleeps."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError, NoCredentialsError, SSLError

from sitepub.aws.cloudfront import CloudFront, read_facts, split_batches
from sitepub.aws.patience import Patience
from sitepub.errors import ConfigurationError, StoppedError
from tests.support.builders import ManualClock
from tests.support.fake_cdn import FakeCloudFront

BROKEN = ConnectionClosedError(endpoint_url="https://cloudfront.amazonaws.com")
NOWHERE = EndpointConnectionError(endpoint_url="https://cloudfront.amazonaws.com")


class World:
    """A fake with one distribution, and ours on it. Chance always takes the longest pause."""

    def __init__(self, **options: Any) -> None:
        self.clock = ManualClock()
        self.fake = FakeCloudFront(self.clock, **options)
        self.distribution = self.fake.add_distribution()
        self.cdn = CloudFront(self.distribution, lambda: self.fake, self.clock, patience=Patience(self.clock, 300, chance=lambda: 1.0))


def test_the_same_reference_and_items_are_one_invalidation_and_paid_once() -> None:
    world = World()
    first, again = (world.cdn.invalidate(("/", "/index.html"), "sitepub-1") for _ in range(2))
    assert first.id == again.id
    assert world.fake.count_paths() == 2


def test_an_answer_that_was_lost_costs_nothing_more() -> None:
    world = World(is_answer_lost=True)
    world.fake.faults.append(BROKEN)
    world.cdn.invalidate(("/a",), "sitepub-1")
    assert world.fake.count_paths() == 1
    assert world.cdn.requests == 2


def test_other_items_under_a_used_reference_go_under_their_own() -> None:
    world = World()
    world.cdn.invalidate(("/a",), "sitepub-1")
    submitted = world.cdn.invalidate(("/b",), "sitepub-1")
    assert world.cdn.invalidate(("/b",), "sitepub-1").id == submitted.id
    assert [(each.items, each.reference.startswith("sitepub-1")) for each in world.fake.sent] == [(("/a",), True), (("/b",), True)]


@pytest.mark.parametrize(
    "fault", ["Throttling", "ServiceUnavailable", BROKEN, NOWHERE], ids=["throttling", "server fault", "broken connection", "no connection"]
)
def test_what_passes_is_waited_out(fault: str | Exception) -> None:
    world = World()
    world.fake.faults.extend([fault] * 5)
    world.cdn.invalidate(("/a",), "sitepub-1")
    assert world.clock.elapsed() == 1 + 2 + 4 + 8 + 16
    assert world.fake.count_paths() == 1


def test_patience_ends_after_five_minutes() -> None:
    world = World()
    world.fake.faults.extend(["Throttling"] * 1000)
    with pytest.raises(StoppedError, match="did not accept the invalidation of 2 paths: Throttling") as caught:
        world.cdn.invalidate(("/a", "/b"), "sitepub-1")
    assert caught.value.code == "invalidation-not-accepted"
    assert world.clock.elapsed() == 300
    assert 10 < world.cdn.requests < 20


def test_chance_shortens_pauses_by_half_at_most() -> None:
    clock = ManualClock()
    faults = iter([ValueError(), BROKEN, BROKEN])
    with pytest.raises(ValueError):
        Patience(clock, 300, chance=lambda: 0.0).call(lambda: (_ for _ in ()).throw(next(faults)))
    assert clock.elapsed() == 0

    def answer() -> str:
        fault = next(faults, None)
        if fault is not None:
            raise fault
        return "answer"

    assert Patience(clock, 300, chance=lambda: 0.0).call(answer) == "answer"
    assert clock.elapsed() == 0.5 + 1


def test_a_third_batch_waits_until_the_first_ones_are_through() -> None:
    world = World(seconds_to_complete=60)
    items = tuple(sorted(f"/{number}" for number in range(7000)))
    submitted = world.cdn.invalidate(items, "sitepub-1")
    assert [len(each.items) for each in world.fake.sent] == [3000, 3000, 1000]
    assert sorted(item for each in world.fake.sent for item in each.items) == list(items)
    assert len({each.reference for each in world.fake.sent}) == 3
    assert len(submitted.id.split(",")) == 3
    assert not world.cdn.is_completed(submitted.id)
    world.clock.sleep(60)
    assert world.cdn.is_completed(submitted.id)
    assert world.cdn.invalidate(items, "sitepub-1").id == submitted.id


def test_each_batch_has_a_reference_of_its_own() -> None:
    world = World(seconds_to_complete=0)
    world.cdn.invalidate(tuple(f"/{number:02}*" for number in range(40)), "sitepub-1")
    assert [each.reference for each in world.fake.sent] == ["sitepub-1-1", "sitepub-1-2", "sitepub-1-3"]
    assert world.cdn.requests == 3


def test_batches_hold_fifteen_wildcards() -> None:
    items = (*(f"/{number:02}*" for number in range(40)), "/a", "/b")
    batches = tuple(split_batches(items))
    assert [sum(item.endswith("*") for item in batch) for batch in batches] == [15, 15, 10]
    assert sorted(item for batch in batches for item in batch) == sorted(items)


def test_what_cloudfront_will_never_take_is_told_and_not_repeated() -> None:
    world = World()
    with pytest.raises(StoppedError, match=r"InvalidArgument: .*/it's") as caught:
        world.cdn.invalidate(("/it's",), "sitepub-1")
    assert caught.value.code == "invalidation-not-accepted"
    assert world.fake.calls == ["CreateInvalidation"]


def test_no_permission_is_a_matter_of_configuration() -> None:
    world = World(denied={"CreateInvalidation", "GetDistribution", "GetInvalidation"})
    for ask in (lambda: world.cdn.invalidate(("/a",), "r"), world.cdn.facts, lambda: world.cdn.is_completed("I1")):
        with pytest.raises(ConfigurationError, match=r"these credentials may not use `cloudfront:\w+`") as caught:
            ask()
        assert "sitepub policy" in caught.value.hint
    assert world.clock.elapsed() == 0


def test_no_credentials_are_told_as_such() -> None:
    def connect() -> Any:
        raise NoCredentialsError

    with pytest.raises(ConfigurationError) as caught:
        CloudFront("E1", connect, ManualClock()).facts()
    assert caught.value.code == "no-credentials"


def test_no_network_at_the_first_look_is_the_environment() -> None:
    world = World()
    world.fake.faults.append(NOWHERE)
    with pytest.raises(ConfigurationError) as caught:
        world.cdn.facts()
    assert caught.value.code == "unreachable"
    assert world.clock.elapsed() == 0


def test_throttling_at_the_first_look_is_waited_out() -> None:
    world = World()
    world.fake.faults.extend(["Throttling", "ServiceUnavailable"])
    assert world.cdn.facts().id == world.distribution
    assert world.clock.elapsed() > 0


def test_an_untrusted_certificate_does_not_pass() -> None:
    world = World()
    world.fake.faults.append(SSLError(endpoint_url="https://x", error="certificate verify failed"))
    with pytest.raises(ConfigurationError, match="no trusted connection"):
        world.cdn.invalidate(("/a",), "r")
    assert world.clock.elapsed() == 0


def test_whether_it_is_completed_is_unknown_while_the_server_fails() -> None:
    world = World(seconds_to_complete=0)
    submitted = world.cdn.invalidate(("/a",), "sitepub-1")
    assert submitted.is_completed
    world.fake.faults.append("ServiceUnavailable")
    assert not world.cdn.is_completed(submitted.id)
    assert world.cdn.is_completed(submitted.id)


def make_distribution(**config: Any) -> dict[str, Any]:
    return {"Id": "E1", "DomainName": "d1.cloudfront.net", "Status": "Deployed", "DistributionConfig": config}


def associate(name: str, event: str = "viewer-request") -> dict[str, Any]:
    arn = f"arn:aws:cloudfront::123456789012:function/{name}"
    return {"FunctionAssociations": {"Quantity": 1, "Items": [{"FunctionARN": arn, "EventType": event}]}}


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        (associate("sitepub-www"), True),
        (associate("sitepub-www", "viewer-response"), False),
        (associate("basic-auth"), False),
        ({"FunctionAssociations": {"Quantity": 0}}, False),
        ({}, False),
    ],
    ids=["ours", "ours on responses", "another's", "none", "not said"],
)
def test_only_our_own_function_is_relied_on(behaviour: dict[str, Any], expected: bool) -> None:
    assert read_facts(make_distribution(DefaultCacheBehavior=behaviour)).has_function is expected


def with_policy(world: World, policy: str) -> None:
    world.fake._configs[world.distribution] = {"DefaultCacheBehavior": {"CachePolicyId": policy}}


def test_the_minimum_ttl_of_a_cache_policy_of_ones_own_counts() -> None:
    world = World()
    world.fake.cache_policies["own"] = 3600
    world.fake.faults.extend([None, "Throttling"])
    with_policy(world, "own")
    assert world.cdn.facts().least_seconds == 3600
    assert world.cdn.facts().least_seconds == 3600
    assert world.fake.calls == ["GetDistribution", "GetCachePolicy", "GetCachePolicy"]


def test_aws_own_cache_policies_are_not_read() -> None:
    world = World()
    with_policy(world, "658327ea-f89d-4fab-a63d-7e88639e58f6")
    assert world.cdn.facts().least_seconds is None
    assert world.fake.calls == ["GetDistribution"]


@pytest.mark.parametrize("options", [{"denied": {"GetCachePolicy"}}, {}], ids=["may not be read", "is gone"])
def test_a_cache_policy_that_cannot_be_had_is_no_reason_to_stop(options: dict[str, Any]) -> None:
    world = World(**options)
    with_policy(world, "own")
    assert world.cdn.facts().least_seconds is None


def test_no_network_while_the_cache_policy_is_asked_for_is_told() -> None:
    world = World()
    with_policy(world, "own")
    world.fake.faults.extend([None, BROKEN])
    with pytest.raises((ConfigurationError, StoppedError)):
        world.cdn.facts()


def test_a_bare_distribution_has_bare_facts() -> None:
    facts = read_facts(make_distribution())
    assert (facts.aliases, facts.default_root_object, facts.tag_header, facts.error_pages) == ((), "", None, ())


def test_an_error_page_without_a_status_of_its_own_keeps_the_errors() -> None:
    pages = {"Quantity": 2, "Items": [{"ErrorCode": 404, "ResponsePagePath": "/404.html", "ResponseCode": ""}, {"ErrorCode": 500}]}
    assert read_facts(make_distribution(CustomErrorResponses=pages)).error_pages == (("/404.html", 404),)
