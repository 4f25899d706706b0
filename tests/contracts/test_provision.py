"""What AWS must do for `up` and `down`: our fake, MiniStack and moto, held to one suite.

Where an emulator does otherwise, the test is expected to fail there, strictly: once it does not, this table is wrong. `GAPS` says in what.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from msgspec.structs import replace

from sitepub.aws.provision.access_control import ensure_access_control, find_access_control, remove_access_control
from sitepub.aws.provision.api import Api, Lacking
from sitepub.aws.provision.bucket import delete_bucket, empty_bucket, ensure_bucket, find_bucket, list_versions, write_policy
from sitepub.aws.provision.cache_policy import find_cache_policy
from sitepub.aws.provision.certificate import delete_certificate, find_certificates, mark_record, read_certificate, request_certificate
from sitepub.aws.provision.distribution import (
    change_distribution,
    delete_distribution,
    find_distribution,
    list_distributions,
    make_distribution,
    read_distribution,
)
from sitepub.aws.provision.edge_function import ensure_function, find_function, remove_function
from sitepub.aws.provision.headers_policy import ensure_headers_policy, find_headers_policy, remove_headers_policy
from sitepub.aws.provision.records import create_records, delete_records, find_records, list_zones
from sitepub.aws.s3 import S3Store
from sitepub.aws.session import AwsSession
from sitepub.core.provision.blueprint import Blueprint
from sitepub.core.provision.bucket_policy import is_same_policy, make_policy
from sitepub.core.provision.configs import CACHE_POLICY, Parts, find_differences, make_config
from sitepub.core.provision.domains import Zone, make_alias, make_cname
from sitepub.core.provision.found import FoundDistribution
from sitepub.core.provision.removal import Removal
from sitepub.core.settings import BucketAddress
from sitepub.errors import RefusedError, SitepubError
from sitepub.interfaces import Store
from sitepub.local.clock import SystemClock
from sitepub.provisioning import foresee_up, raise_up
from sitepub.provisioning_site import Site
from sitepub.releases import Releases
from sitepub.removing import foresee_down, take_down
from tests.provision.world import make_blueprint
from tests.support.builders import ManualClock, SilentProgress
from tests.support.fake_aws import FakeAws

GAPS = {
    "moto": {
        "function": "publish_function is missing (404), so there are no edge functions",
        "headers": "response headers policies are missing (404)",
        "cache policies": "cache policies are missing (404)",
        "same name": "a second access control of the same name is made",
        "round trip": "OriginAccessControlId is dropped from a distribution's config",
        "etag": "If-Match is not looked at, and an ETag never changes",
        "disabled": "an enabled distribution is deleted",
        "alias": "a name is given to two distributions",
        "in use": "an access control that a distribution uses is deleted",
        "policy": "conditions of a bucket's policy are not looked at: what visitors may not read, nobody may",
        "record": "a record with another value is created over one that stands",
    },
    "ministack": {
        "alias": "a name is given to two distributions",
        "in use": "an access control that a distribution uses is deleted",
        "token": "one IdempotencyToken gives two certificates",
    },
    "fake": {"versions": "its objects have no versions"},
}
"""What each lacks of AWS, as far as this suite sees it."""

NUMBERS = itertools.count(1)


@dataclass(frozen=True, slots=True)
class World:
    """An account, and names in it that nobody else has."""

    name: str
    api: Api
    blueprint: Blueprint
    wait: Callable[[float], None]
    open_records: Callable[[str], Store]

    @property
    def zone(self) -> Zone:
        return next(zone for zone in list_zones(self.api) if zone.name == self.blueprint.domains[0].partition(".")[2])


@pytest.fixture(params=["fake", "ministack", "moto"])
def world(request: pytest.FixtureRequest) -> World:
    for mark in request.node.iter_markers("gap"):
        if mark.args[0] in GAPS[request.param]:
            reason = GAPS[request.param][mark.args[0]]
            request.node.add_marker(pytest.mark.xfail(reason=f"{request.param}: {reason}", strict=True))
    label = f"{os.getpid()}-{next(NUMBERS)}"
    blueprint = make_blueprint(bucket=f"site-{label}", domains=(f"www.site-{label}.org",))
    if request.param == "fake":
        clock = ManualClock()
        aws = FakeAws(clock)
        aws.add_zone(f"site-{label}.org")
        return World("fake", Api(aws.client, clock, True, "AWS"), blueprint, clock.sleep, lambda bucket: aws.store(bucket, ".sitepub"))
    server = request.getfixturevalue("ministack_server" if request.param == "ministack" else "moto_server")
    server.client("route53").create_hosted_zone(Name=f"site-{label}.org", CallerReference=label)
    api = Api(cache(server.client), SystemClock(), False, request.param)
    session = AwsSession(environment={**server.environment, "AWS_REGION": blueprint.region})
    return World(
        request.param,
        api,
        replace(blueprint, takes_plain_http=True, account=server.client("sts").get_caller_identity()["Account"]),
        lambda seconds: None,
        lambda bucket: S3Store(BucketAddress(bucket, ".sitepub"), session, endpoint_url=server.endpoint_url),
    )


def make(world: World, parts: Parts | None = None, *, reference: str = "", domains: tuple[str, ...] = ()) -> FoundDistribution:
    blueprint = replace(world.blueprint, domains=domains)
    return make_distribution(
        world.api, blueprint, make_config(blueprint, parts or Parts(cache_policy=None)), reference or world.blueprint.bucket
    )


def find(world: World) -> FoundDistribution | None:
    return find_distribution(world.api, world.blueprint, list_distributions(world.api), None)


def test_a_bucket_is_made_private_and_found_by_its_tag(world: World) -> None:
    api, blueprint = world.api, world.blueprint
    assert find_bucket(api, blueprint) is None
    assert ensure_bucket(api, blueprint, None) == ()
    found = find_bucket(api, blueprint)
    assert found is not None and (found.is_ours, found.wrong, found.policy) == (True, (), None)
    assert ensure_bucket(api, blueprint, found) == ()
    other = replace(blueprint, prefix="other")
    assert (find_bucket(api, other) or found).is_ours is False, "a tag is one target's"
    delete_bucket(api, blueprint.bucket)
    assert find_bucket(api, blueprint) is None
    delete_bucket(api, blueprint.bucket)


def test_a_policy_comes_back_as_it_was_written(world: World) -> None:
    api, blueprint = world.api, world.blueprint
    ensure_bucket(api, blueprint, None)
    wanted = make_policy(blueprint, None, f"arn:aws:cloudfront::{blueprint.account}:distribution/E1", is_ours=True)
    write_policy(api, blueprint, wanted)
    found = find_bucket(api, blueprint)
    assert found is not None and is_same_policy(found.policy, wanted)
    write_policy(api, blueprint, None)
    again = find_bucket(api, blueprint)
    assert again is not None and again.policy is None
    delete_bucket(api, blueprint.bucket)


@pytest.mark.gap("versions")
def test_every_version_goes_and_only_then_the_bucket(world: World) -> None:
    api, bucket = world.api, world.blueprint.bucket
    ensure_bucket(api, world.blueprint, None)
    client = api.connect("s3")
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for number in range(3):
        client.put_object(Bucket=bucket, Key="a", Body=f"{number}")
    client.delete_object(Bucket=bucket, Key="a")
    client.create_multipart_upload(Bucket=bucket, Key="b")
    assert len(list_versions(api, bucket)) == 4
    with pytest.raises(SitepubError):
        delete_bucket(api, bucket)
    assert sum(empty_bucket(api, bucket)) == 4
    delete_bucket(api, bucket)
    assert find_bucket(api, world.blueprint) is None


def test_an_access_control_is_made_once(world: World) -> None:
    api, blueprint = world.api, world.blueprint
    assert find_access_control(api, blueprint) is None
    made = ensure_access_control(api, blueprint, None)
    found = find_access_control(api, blueprint)
    assert found is not None and (found.handle, found.is_ours, found.is_right) == (made, True, True)
    assert ensure_access_control(api, blueprint, found) == made
    remove_access_control(api, found)
    assert find_access_control(api, blueprint) is None


@pytest.mark.gap("same name")
def test_a_name_is_given_to_one_access_control(world: World) -> None:
    made = ensure_access_control(world.api, world.blueprint, None)
    assert ensure_access_control(world.api, world.blueprint, None) == made


@pytest.mark.gap("function")
def test_a_function_serves_once_it_is_published(world: World) -> None:
    api, blueprint = world.api, world.blueprint
    assert find_function(api, blueprint) is None
    made = ensure_function(api, blueprint, None)
    found = find_function(api, blueprint)
    assert found is not None and (found.handle, found.is_ours, found.is_right) == (made, True, True)
    newer = replace(blueprint, function="function handler(event) { return event.response; }")
    stale = find_function(api, newer)
    assert stale is not None and not stale.is_right
    assert ensure_function(api, newer, stale) == made
    assert (find_function(api, newer) or stale).is_right
    remove_function(api, blueprint)
    remove_function(api, blueprint)
    assert find_function(api, blueprint) is None


@pytest.mark.parametrize("world", ["moto"], indirect=True)
def test_an_endpoint_without_functions_keeps_none(world: World) -> None:
    with pytest.raises(Lacking):
        ensure_function(world.api, world.blueprint, None)
    assert find_function(world.api, world.blueprint) is None


@pytest.mark.gap("headers")
def test_a_headers_policy_is_made_once(world: World) -> None:
    api, blueprint = world.api, world.blueprint
    assert find_headers_policy(api, blueprint) is None
    made = ensure_headers_policy(api, blueprint, None)
    found = find_headers_policy(api, blueprint)
    assert found is not None and (found.handle, found.is_ours, found.is_right) == (made, True, True)
    assert ensure_headers_policy(api, blueprint, None) == made
    remove_headers_policy(api, found)
    remove_headers_policy(api, found)
    assert find_headers_policy(api, blueprint) is None


@pytest.mark.gap("cache policies")
def test_the_managed_cache_policy_is_found_by_its_name(world: World) -> None:
    assert find_cache_policy(world.api, CACHE_POLICY) is not None


def test_a_certificate_is_found_by_its_tag_and_has_records(world: World) -> None:
    api, blueprint = world.api, world.blueprint
    assert find_certificates(api, blueprint) == (None, ())
    arn = request_certificate(api, blueprint, "x")
    world.wait(60)
    found = read_certificate(api, blueprint, arn)
    assert found is not None and (found.is_ours, found.domains) == (True, blueprint.domains)
    ((name, value),) = found.records
    assert name.endswith(blueprint.domains[0]) and value
    mark_record(api, arn, name, "Z1")
    marked = read_certificate(api, blueprint, arn)
    assert marked is not None and len(marked.made) == 1
    chosen, old = find_certificates(api, blueprint)
    assert chosen is not None and (chosen.arn, old) == (arn, ())
    delete_certificate(api, arn)
    delete_certificate(api, arn)
    assert find_certificates(api, blueprint) == (None, ())


@pytest.mark.gap("token")
def test_a_certificate_is_asked_for_once(world: World) -> None:
    arn = request_certificate(world.api, world.blueprint, "x")
    assert request_certificate(world.api, world.blueprint, "x") == arn


def test_a_distribution_is_found_by_its_tag_alone(world: World) -> None:
    assert find(world) is None
    made = make(world)
    found = find(world)
    assert found is not None and (found.id, found.is_ours, found.is_enabled) == (made.id, True, True)
    other = replace(world.blueprint, prefix="other")
    assert find_distribution(world.api, other, list_distributions(world.api), made.id) is None


@pytest.mark.gap("round trip")
def test_a_distributions_config_comes_back(world: World) -> None:
    control = ensure_access_control(world.api, world.blueprint, None)
    made = make(world, Parts(cache_policy=None, access_control=control))
    wanted = make_config(replace(world.blueprint, domains=()), Parts(cache_policy=None, access_control=control))
    assert find_differences(made.config, wanted) == ()
    assert "CacheTagConfig.HeaderName" in find_differences(made.config, {"CacheTagConfig": {"HeaderName": "x"}})


def test_a_reference_makes_one_distribution(world: World) -> None:
    made = make(world)
    assert make(world).id == made.id
    assert len([each for each in list_distributions(world.api) if each["Comment"] == world.blueprint.comment]) == 1


def test_a_change_leaves_what_it_does_not_name(world: World) -> None:
    made = make(world)
    change_distribution(world.api, made.id, {"PriceClass": "PriceClass_100"})
    changed = read_distribution(world.api, world.blueprint, made.id)
    assert changed is not None and find_differences(changed.config, {**made.config, "PriceClass": "PriceClass_100"}) == ()


@pytest.mark.gap("etag")
def test_a_change_of_what_has_changed_is_refused(world: World) -> None:
    client = world.api.connect("cloudfront")
    made = make(world)
    standing = client.get_distribution_config(Id=made.id)
    change_distribution(world.api, made.id, {"PriceClass": "PriceClass_100"})
    with pytest.raises(Exception, match="PreconditionFailed"):
        client.update_distribution(Id=made.id, IfMatch=standing["ETag"], DistributionConfig=standing["DistributionConfig"])


@pytest.mark.gap("disabled")
def test_an_enabled_distribution_is_not_deleted(world: World) -> None:
    made = make(world)
    assert not delete_distribution(world.api, made.id)
    assert read_distribution(world.api, world.blueprint, made.id) is not None


def test_a_disabled_distribution_is_deleted_once_that_is_known_everywhere(world: World) -> None:
    made = make(world)
    change_distribution(world.api, made.id, {"Enabled": False})
    for _ in range(20):
        latest = read_distribution(world.api, world.blueprint, made.id)
        if latest is None or (latest.status == "Deployed" and delete_distribution(world.api, made.id)):
            break
        world.wait(30)
    assert read_distribution(world.api, world.blueprint, made.id) is None
    assert delete_distribution(world.api, made.id), "again is fine"


@pytest.mark.gap("alias")
def test_a_name_leads_to_one_distribution(world: World) -> None:
    arn = request_certificate(world.api, world.blueprint, "x")
    prove(world, arn)
    parts = Parts(cache_policy=None, certificate=arn)
    make(world, parts, domains=world.blueprint.domains)
    other = replace(world.blueprint, prefix="other")
    with pytest.raises(RefusedError, match="another distribution has one of the names"):
        make_distribution(world.api, other, make_config(other, parts), "other")


def prove(world: World, arn: str) -> None:
    for _ in range(20):
        certificate = read_certificate(world.api, world.blueprint, arn)
        assert certificate is not None
        if certificate.status == "ISSUED":
            return
        for name, value in certificate.records:
            if not find_records(world.api, world.zone, name):
                create_records(world.api, world.zone, [make_cname(name, value)])
        world.wait(30)
    raise AssertionError("not issued")


@pytest.mark.gap("in use")
def test_an_access_control_in_use_is_not_deleted(world: World) -> None:
    api = replace(world.api, clock=ManualClock())
    control = ensure_access_control(api, world.blueprint, None)
    make(world, Parts(cache_policy=None, access_control=control))
    found = find_access_control(api, world.blueprint)
    assert found is not None
    with pytest.raises(SitepubError):
        remove_access_control(api, found)


def test_records_are_made_found_and_deleted(world: World) -> None:
    api, zone = world.api, world.zone
    (domain,) = world.blueprint.domains
    assert find_records(api, zone, domain) == ()
    create_records(api, zone, [make_alias(domain, kind, "d1.cloudfront.net") for kind in ("A", "AAAA")])
    create_records(api, zone, [make_cname(f"_x.{domain}", "y.acm-validations.aws")])
    found = find_records(api, zone, domain)
    assert [record.type for record in found] == ["A", "AAAA"] and all(record.leads_to("d1.cloudfront.net") for record in found)
    assert not found[0].leads_to("d2.cloudfront.net")
    (proof,) = find_records(api, zone, f"_x.{domain}")
    assert proof.aim.rstrip(".") == "y.acm-validations.aws"
    delete_records(api, [*found, proof])
    assert find_records(api, zone, domain) == () == find_records(api, zone, f"_x.{domain}")
    delete_records(api, found)


def test_names_sort_by_their_labels_and_a_wildcard_is_one(world: World) -> None:
    api, zone = world.api, world.zone
    create_records(api, zone, [make_alias(f"*.{zone.name}", "A", "d1.cloudfront.net"), make_cname(f"a.b.{zone.name}", "x.org")])
    assert [record.name for record in find_records(api, zone, f"*.{zone.name}")] == [f"*.{zone.name}"]
    assert find_records(api, zone, f"b.{zone.name}") == ()


@pytest.mark.gap("record")
def test_a_record_that_stands_is_not_overwritten(world: World) -> None:
    (domain,) = world.blueprint.domains
    create_records(world.api, world.zone, [make_alias(domain, "A", "d1.cloudfront.net")])
    with pytest.raises(RefusedError):
        create_records(world.api, world.zone, [make_alias(domain, "A", "d2.cloudfront.net")])
    (found,) = find_records(world.api, world.zone, domain)
    assert found.aim == "d1.cloudfront.net"


@pytest.mark.parametrize("world", ["moto"], indirect=True)
def test_an_endpoint_that_lacks_much_gets_a_distribution_with_warnings(world: World) -> None:
    site = open_site(world)
    warnings = raise_up(site, foresee_up(site)).warnings
    lacking = ["cache policies", "edge function", "headers policy"]
    assert sorted(re.findall(r"knows no ([^:]+):", "\n".join(warnings))) == lacking
    assert find(world) is not None


@pytest.mark.gap("policy")
def test_up_makes_all_and_down_leaves_nothing(world: World) -> None:
    site = open_site(world)
    assert raise_up(site, foresee_up(site)).warnings == ()
    assert foresee_up(site).is_nothing
    found = find(world)
    (domain,) = world.blueprint.domains
    assert found is not None and [record.type for record in find_records(world.api, world.zone, domain)] == ["A", "AAAA"]
    take_down(site, foresee_down(site, Removal()))
    assert foresee_down(site, Removal()).steps == ()
    assert find(world) is None and find_bucket(world.api, world.blueprint) is None
    assert find_records(world.api, world.zone, domain) == ()
    assert find_access_control(world.api, world.blueprint) is None and find_certificates(world.api, world.blueprint) == (None, ())


def open_site(world: World) -> Site:
    records = world.open_records(world.blueprint.bucket)
    nonces = itertools.count()
    return Site(
        world.blueprint,
        world.api,
        Releases(records, world.api.clock, lambda: f"n{next(nonces)}"),
        world.api.clock,
        SilentProgress(),
        records=records,
    )


def test_every_gap_is_one_that_a_test_looks_at() -> None:
    marks: set[Any] = {
        mark.args[0] for test in globals().values() if callable(test) for mark in getattr(test, "pytestmark", ()) if mark.name == "gap"
    }
    assert {gap for gaps in GAPS.values() for gap in gaps} == marks
