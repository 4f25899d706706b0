"""The least policies of `up` and `down`: each call is allowed, and nothing is that no call needs."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

import sitepub.aws.provision
from sitepub.aws.provision import access_control, bucket_settings, headers_policy
from sitepub.aws.provision.api import name_action
from sitepub.core.policy import Purpose, state_address
from sitepub.core.policy_site import write_site_policy
from sitepub.core.provision.removal import Removal
from sitepub.core.settings import BucketAddress, Target
from sitepub.errors import ConfigurationError
from sitepub.provisioning import foresee_up, raise_up
from sitepub.provisioning_site import Site
from sitepub.removing import foresee_down, take_down
from tests.provision.guarded import Guard, needs
from tests.provision.world import World
from tests.support.fake_aws import ACCOUNT

TARGET = Target(
    "there",
    BucketAddress("www-example-com"),
    url="https://www.example.com/",
    domains=("example.com",),
    account=ACCOUNT,
    region="eu-central-1",
)
MOST_CHARACTERS = 6_144
"""Of a managed policy, white space not counted: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""


def statements(purpose: Purpose, target: Target = TARGET) -> list[dict[str, Any]]:
    found: Any = write_site_policy(target, purpose)["Statement"]
    return list(found)


def guard(world: World, purpose: Purpose, target: Target = TARGET) -> tuple[Site, Guard]:
    found = Guard(world.aws, statements(purpose, target))
    site = world.site
    return replace(site, api=replace(site.api, connect=found.client)), found


def raise_guarded(world: World, target: Target = TARGET) -> Guard:
    site, found = guard(world, Purpose.UP, target)
    raise_up(site, foresee_up(site))
    assert not found.refused
    return found


def take_guarded(world: World, *, keeps_bucket: bool = False) -> Guard:
    site, found = guard(world, Purpose.DOWN)
    take_down(site, foresee_down(site, Removal(keeps_bucket=keeps_bucket, deletes_content=not keeps_bucket)))
    assert not found.refused
    return found


def test_from_nothing_to_a_site_and_back_with_no_more_than_the_least() -> None:
    world = World()
    nothing = world.aws.everything()
    raise_guarded(world)
    raise_guarded(world)
    take_guarded(world)
    assert world.aws.everything() == nothing


def test_what_differs_is_changed_with_no_more_than_the_least() -> None:
    world = World()
    raise_guarded(world)
    spoil(world)
    raise_guarded(world)
    take_guarded(world)


def spoil(world: World) -> None:
    """Everything that can be changed by hand."""
    (bucket,) = world.aws.buckets.values()
    bucket.settings.clear()
    (distribution,) = world.aws.distributions.values()
    distribution.config["HttpVersion"] = "http1.1"
    for part in (*world.aws.access_controls.values(), *world.aws.headers_policies.values()):
        part.config |= {"SigningBehavior": "never"} if "SigningBehavior" in part.config else {"SecurityHeadersConfig": {}}
    for function in world.aws.functions.values():
        function.code = function.live = b"other"


def actions(purpose: Purpose) -> set[str]:
    return {action for each in statements(purpose) for action in each["Action"]}


ELSEWHERE = {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"}
"""Used by the state's own store."""


def test_nothing_is_allowed_that_up_does_not_use() -> None:
    world = World()
    used = set(raise_guarded(world).used)
    spoil(world)
    world.blueprint = replace(world.blueprint, domains=("www.example.com", "example.com", "other.example.com"))
    wider = replace(TARGET, domains=("example.com", "other.example.com"))
    used |= raise_guarded(world, wider).used
    assert actions(Purpose.UP) - used == ELSEWHERE - {"s3:DeleteObject"}


def test_nothing_is_allowed_that_down_does_not_use() -> None:
    world = World()
    raise_guarded(world)
    used = set(take_guarded(world, keeps_bucket=True).used)
    assert world.aws.buckets
    raise_guarded(world)
    used |= take_guarded(world).used
    assert actions(Purpose.DOWN) - used == ELSEWHERE | {"s3:AbortMultipartUpload", "s3:DeleteBucketPolicy"}, "where there is such a thing"


def test_a_distribution_of_somebody_else_is_out_of_reach() -> None:
    world = World()
    raise_guarded(world)
    (distribution,) = world.aws.distributions.values()
    distribution.tags.clear()
    for purpose, operation in ((Purpose.UP, "update_distribution"), (Purpose.DOWN, "delete_distribution")):
        _, found = guard(world, purpose)
        with pytest.raises(Exception, match="AccessDenied"):
            found.judge("cloudfront", operation, {"Id": distribution.id})


@pytest.mark.parametrize(
    ("name", "kind"), [("elsewhere.org", "A"), ("mail.example.com", "A"), ("example.com", "MX"), ("_proof.elsewhere.org", "CNAME")]
)
def test_records_of_other_names_and_types_are_out_of_reach(name: str, kind: str) -> None:
    change = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": {"Name": name, "Type": kind}}]}
    _, found = guard(World(), Purpose.UP)
    with pytest.raises(Exception, match="AccessDenied"):
        found.judge("route53", "change_resource_record_sets", {"HostedZoneId": "Z1", "ChangeBatch": change})


def test_a_named_distribution_is_the_only_one() -> None:
    named = replace(TARGET, distribution="E190XXXXXL0LJU", domains=())
    (change,) = [each for each in statements(Purpose.UP, named) if each["Sid"] == "ChangeDistribution"]
    assert change["Resource"] == [f"arn:aws:cloudfront::{ACCOUNT}:distribution/E190XXXXXL0LJU"] and "Condition" not in change
    assert not actions_of(named, Purpose.UP) & {"cloudfront:CreateDistribution", "cloudfront:CreateFunction"}


def test_without_a_distribution_it_is_the_bucket_alone() -> None:
    for purpose in (Purpose.UP, Purpose.DOWN):
        assert {action.partition(":")[0] for action in actions_of(replace(TARGET, distribution="none"), purpose)} == {"s3"}


def test_names_that_need_no_certificate() -> None:
    bare = replace(TARGET, url="/", domains=())
    assert {action.partition(":")[0] for action in actions_of(bare, Purpose.UP)} == {"s3", "cloudfront", "pricingplanmanager"}
    unled = replace(TARGET, zone="none")
    assert "route53:ChangeResourceRecordSets" not in actions_of(unled, Purpose.UP)
    led = replace(TARGET, zone="Z0123456789ABC")
    (records,) = [each for each in statements(Purpose.UP, led) if each["Sid"] == "MakeRecords"]
    assert records["Resource"] == ["arn:aws:route53:::hostedzone/Z0123456789ABC"]


def actions_of(target: Target, purpose: Purpose) -> set[str]:
    return {action for each in statements(purpose, target) for action in each["Action"]}


def test_records_that_stand_elsewhere() -> None:
    away = replace(TARGET, state=BucketAddress("ops", "www"))
    (kept,) = [each for each in statements(Purpose.UP, away) if each["Sid"] == "KeepState"]
    assert kept["Resource"] == ["arn:aws:s3:::ops/www/*"]
    (whole,) = [each for each in statements(Purpose.UP, replace(TARGET, state=BucketAddress("ops"))) if each["Sid"] == "KeepState"]
    assert whole["Resource"] == ["arn:aws:s3:::ops/*"]
    assert state_address(TARGET) == BucketAddress("www-example-com", ".sitepub")


@pytest.mark.parametrize("region", ["cn-north-1", "us-gov-west-1", "eusc-de-east-1"])
def test_where_up_makes_no_distribution_it_is_refused_by_name(region: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        write_site_policy(replace(TARGET, region=region), Purpose.UP)
    assert caught.value.code == ("no-up-there" if region == "cn-north-1" else "no-cloudfront-there") and region in caught.value.message
    bare: Any = write_site_policy(replace(TARGET, region=region, distribution="none"), Purpose.UP)["Statement"]
    assert bare[0]["Resource"][0].startswith("arn:aws-")


@pytest.mark.parametrize("purpose", [Purpose.UP, Purpose.DOWN])
def test_iams_catalogue_knows_each_action_its_resources_and_conditions(purpose: Purpose) -> None:
    from policy_sentry.querying.actions import get_action_data

    for each in statements(purpose):
        for action in each["Action"]:
            service, name = action.split(":")
            rows = get_action_data(service, name)[service]
            assert any(row["action"] == action for row in rows), action
            for resource in each["Resource"]:
                assert any(fits(resource, row["resource_arn_format"]) for row in rows), f"{action} on {resource}"
            keys = {re.sub(r"/.*", "", key) for row in rows for key in row["condition_keys"]}
            for key in (key for operator in each.get("Condition", {}).values() for key in operator):
                assert re.sub(r"/.*", "", key) in keys, f"{action} with {key}"


def fits(resource: str, form: str) -> bool:
    """Of the catalogue's own form, as `arn:${Partition}:s3:::${BucketName}`; keys are no buckets."""
    pattern = re.sub(r"\\\$\\\{[^}]*\\\}|\\\$\{[^}]*\}", "[^/]+", re.escape(form))
    if form.endswith("${ObjectName}"):
        pattern = pattern.removesuffix("[^/]+") + ".+"
    return resource == form == "*" or re.fullmatch(pattern, resource) is not None


def test_they_fit_into_a_managed_policy() -> None:
    long = replace(TARGET, domains=tuple(f"www{number}.a-rather-long-name.example.com" for number in range(9)))
    for purpose in (Purpose.UP, Purpose.DOWN):
        assert len(re.sub(r"\s", "", json.dumps(write_site_policy(long, purpose)))) < MOST_CHARACTERS


def calls() -> Iterator[tuple[str, str]]:
    """Every operation that the provisioning room names."""
    for path in Path(sitepub.aws.provision.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("ask", "pages") and node.args:
                first, second = node.args[:2]
                if isinstance(first, ast.Constant):
                    yield from ((first.value, operation) for operation in spell_out(second, NAMES.get(path.name, ())))


def spell_out(word: ast.expr, names: Iterable[str]) -> Iterator[str]:
    """An operation as it is written, or one for each of the names that its only gap is filled with."""
    if isinstance(word, ast.Constant):
        yield word.value
    elif isinstance(word, ast.JoinedStr):
        assert names, "an operation is put together of what this test does not know"
        whole = "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in word.values)
        yield from (whole.format(name) for name in names)


NAMES = {
    "named_parts.py": (access_control.KIND.noun, headers_policy.KIND.noun),
    "bucket_settings.py": tuple(setting.call for setting in bucket_settings.SETTINGS),
}
"""What operations are put together of, by file."""

ONLY_ELSEWHERE = {"cloudfront:ListFunctions", "s3:PutBucketTagging"}
"""Asked of endpoints that lack what AWS has."""


def test_every_operation_has_a_permission_and_some_policy_allows_it() -> None:
    both = actions(Purpose.UP) | actions(Purpose.DOWN)
    found = set(calls())
    assert len(found) > 45
    for service, operation in found:
        asked = {need.action for need in needs(World().aws, service, operation, EVERYTHING)}
        assert asked and asked - ONLY_ELSEWHERE <= both, (service, operation)
        assert name_action(service, operation) in asked, "what a refusal is told with"


EVERYTHING: dict[str, Any] = {
    "Bucket": "b",
    "Key": "k",
    "Id": "E1",
    "Name": "n",
    "Resource": "arn",
    "CertificateArn": "arn",
    "DomainName": "a.example",
    "SubjectAlternativeNames": [],
    "HostedZoneId": "Z1",
    "Tags": [],
    "Delete": {"Objects": [{"Key": "k"}]},
    "DistributionConfigWithTags": {"Tags": {"Items": []}},
}
