"""What `up` would do and why, what stands in its way, and what it leaves alone, on the fake account."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from sitepub.core.provision.blueprint import Blueprint, find_domains, make_blueprint
from sitepub.core.provision.removal import Removal
from sitepub.core.settings import BucketAddress, FolderAddress, Target
from sitepub.errors import ConfigurationError, RefusedError, SitepubError, StoppedError
from sitepub.provisioning import foresee_up, raise_up
from sitepub.releases import Releases
from sitepub.removing import foresee_down, take_down
from tests.provision.world import World
from tests.provision.world import make_blueprint as fill_blueprint
from tests.support.fake_aws import ACCOUNT, Distribution, refusal


def acts(world: World) -> dict[str, str]:
    """By kind; the last of a kind counts."""
    return {step.kind: step.act for step in world.foresee().steps}


def refuse(world: World, run: Callable[[], object] | None = None) -> SitepubError:
    """What stands in the way, and nothing was written."""
    before = copy.deepcopy(world.aws.everything())
    with pytest.raises(SitepubError) as caught:
        (run or world.up)()
    assert world.aws.everything() == before
    return caught.value


# ---- the records of others


@pytest.mark.parametrize(
    "record",
    [
        {"Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]},
        {"Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": "old.example.net"}]},
        {
            "Type": "AAAA",
            "AliasTarget": {"HostedZoneId": "Z2FDTNDATAQYW2", "DNSName": "d1.cloudfront.net", "EvaluateTargetHealth": False},
        },
    ],
    ids=["A", "CNAME", "alias"],
)
def test_foreign_records_are_not_touched(record: dict[str, Any]) -> None:
    world = World()
    zone = next(each for each in world.aws.zones.values() if each.name == "example.com" and not each.is_private)
    zone.records.append({"Name": "www.example.com", **record})
    error = refuse(world)
    assert (error.code, error.status) == ("foreign-record", 1)
    assert "`www.example.com` has a record of its own already" in error.message
    # mail and the like live beside
    zone.records[0] = {"Name": "www.example.com", "Type": "TXT", "TTL": 60, "ResourceRecords": [{"Value": '"x"'}]}
    world.up()
    world.down()
    assert [each["Type"] for each in zone.records] == ["TXT"]


def test_the_right_zone_is_the_longest_public_one_and_may_be_named() -> None:
    world = World()
    world.up()
    (private, public) = [each for each in world.aws.zones.values() if each.name == "example.com"]
    assert not private.records and len(public.records) == 6
    twin = World()
    twin.aws.add_zone("example.com")
    assert refuse(twin).code == "ambiguous-zone"
    named = next(each.id for each in twin.aws.zones.values() if each.name == "example.com" and not each.is_private)
    twin.blueprint = fill_blueprint(zone=named)
    twin.up()
    assert len(twin.aws.zones[named].records) == 6
    twin.blueprint = fill_blueprint(zone="nowhere.org")
    assert refuse(twin).code == "no-zone"


def test_without_a_zone_the_records_are_named_and_waited_for() -> None:
    world = World(has_zone=False, wait_seconds=30)
    error = refuse_waiting(world)
    assert error.message == "not waited any longer for the certificate of www.example.com, example.com to be issued"
    asked = [note for note in world.progress.notes if "CNAME" in note]
    assert len(asked) == 2 and asked[0].startswith(
        "make this record where the DNS of `www.example.com` is kept: _proof.www.example.com CNAME _"
    )
    certificate = next(iter(world.aws.certificates.values()))
    certificate.status = "ISSUED"
    world.wait_seconds = 3600
    world.up()
    assert len(world.aws.certificates) == len(world.aws.distributions) == 1
    assert any("let `example.com` lead to" in note for note in world.progress.notes)


def refuse_waiting(world: World) -> StoppedError:
    with pytest.raises(StoppedError) as caught:
        world.up()
    assert caught.value.code == "still-waiting"
    return caught.value


def test_waiting_can_be_left_and_taken_up_again() -> None:
    world = World(wait_seconds=0)
    assert "certificate" in refuse_waiting(world).message
    world.clock.seconds += 600
    # DNS stands by now: the next run finds the certificate issued, and waits for the distribution
    assert "certificate" in refuse_waiting(world).message
    world.clock.seconds += 600
    assert "to be deployed to all edges (`InProgress`)" in refuse_waiting(world).message
    world.clock.seconds += 600
    standing = world.up()
    assert standing.distribution is not None and standing.distribution.status == "Deployed"
    assert len(world.aws.certificates) == len(world.aws.distributions) == 1
    with pytest.raises(StoppedError, match="disabled at all edges"):
        world.down()
    world.clock.seconds += 600
    world.down()
    assert not any(world.aws.everything().values())


def test_a_certificate_that_was_never_proved_is_replaced() -> None:
    world = World(has_zone=False, wait_seconds=60)
    refuse_waiting(world)
    world.clock.seconds += 73 * 3600
    assert [(step.act, step.kind) for step in world.foresee().steps if step.kind == "certificate"] == [
        ("create", "certificate"),
        ("delete", "certificate"),
    ]
    world.aws.add_zone("example.com")
    world.wait_seconds = 3600
    world.up()
    assert len(world.aws.certificates) == 1


# ---- what is there already


def test_a_certificate_that_covers_the_names_is_used_and_stays() -> None:
    world = World()
    made = world.aws.client("acm").request_certificate(
        DomainName="example.com", SubjectAlternativeNames=["*.example.com"], ValidationMethod="DNS", IdempotencyToken="x", Tags=[]
    )
    certificate = world.aws.certificates[made["CertificateArn"]]
    certificate.key = "EC_prime256v1"  # not in the list unless asked for
    assert acts(world)["certificate"] == "create", "it is not issued"
    certificate.status = "ISSUED"
    assert acts(world)["certificate"] == "leave"
    world.up()
    world.down()
    assert list(world.aws.certificates) == [certificate.arn]


def test_a_named_certificate_must_cover_the_names() -> None:
    world = World()
    made = world.aws.client("acm").request_certificate(
        DomainName="example.com", SubjectAlternativeNames=[], ValidationMethod="DNS", IdempotencyToken="x", Tags=[]
    )
    arn = made["CertificateArn"]
    world.blueprint = fill_blueprint(certificate=arn)
    assert "does not cover www.example.com" in refuse(world).message
    world.blueprint = fill_blueprint(certificate=arn, domains=("example.com",))
    assert "is not issued but `PENDING_VALIDATION`" in refuse(world).message
    world.aws.certificates[arn].status = "ISSUED"
    world.up()
    assert list(world.aws.certificates) == [arn]


def test_another_name_needs_another_certificate_and_the_old_one_goes() -> None:
    world = World()
    world.up()
    world.blueprint = fill_blueprint(domains=("www.example.com", "blog.example.com"))
    assert {step.act for step in world.foresee().steps if step.kind == "certificate"} == {"create", "delete"}
    world.up()
    (certificate,) = world.aws.certificates.values()
    assert certificate.domains == ["www.example.com", "blog.example.com"]
    (distribution,) = world.aws.distributions.values()
    assert distribution.names == ["www.example.com", "blog.example.com"]


def test_a_cname_that_another_certificate_needs_stays() -> None:
    world = World()
    world.up()
    world.aws.client("acm").request_certificate(
        DomainName="example.com", SubjectAlternativeNames=[], ValidationMethod="DNS", IdempotencyToken="x", Tags=[]
    )
    world.clock.seconds += 60
    world.down()
    assert world.aws.everything()["records"] == ["_proof.example.com CNAME"]


def test_a_bucket_that_was_there_keeps_its_settings_and_its_policy() -> None:
    world = World()
    world.aws.client("s3").create_bucket(Bucket="www-example-com", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    bucket = world.aws.buckets["www-example-com"]
    own = {"Sid": "Mine", "Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "s3:GetObject", "Resource": "x"}
    bucket.settings["policy"] = {"Version": "2012-10-17", "Id": "mine", "Statement": own}
    before = copy.deepcopy({**bucket.settings, "policy": None})
    assert (acts(world)["bucket"], acts(world)["bucket policy"]) == ("leave", "change")
    assert [step.reason for step in world.foresee().steps if step.kind == "bucket policy"] == [f"SitepubRecords, {world.blueprint.sid}"]
    world.up()
    assert {**bucket.settings, "policy": None} == before and bucket.tags == []
    assert [each["Sid"] for each in bucket.settings["policy"]["Statement"]] == ["Mine", "SitepubRecords", world.blueprint.sid]
    assert bucket.settings["policy"]["Id"] == "mine"
    world.down()
    assert world.aws.everything()["buckets"] == ["www-example-com"]
    assert [each["Sid"] for each in bucket.settings["policy"]["Statement"]] == ["Mine", "SitepubRecords"]


@pytest.mark.parametrize(("where", "code"), [("foreign", "bucket-taken"), ("us-west-2", "wrong-region")])
def test_a_bucket_of_somebody_else_or_elsewhere_is_refused(where: str, code: str) -> None:
    world = World()
    if where == "foreign":
        world.aws.foreign_buckets.add("www-example-com")
    else:
        world.aws.client("s3").create_bucket(Bucket="www-example-com", CreateBucketConfiguration={"LocationConstraint": where})
    assert refuse(world).code == code


@pytest.mark.parametrize(("status", "code"), [(400, "bucket-not-shown"), (301, "wrong-region")])
def test_a_bucket_that_is_not_shown_is_not_taken_for_missing(status: int, code: str) -> None:
    world = World()

    def answer(operation: str, is_done: bool) -> None:
        if operation == "head_bucket":
            raise refusal(str(status), "HeadBucket", status=status)

    world.aws.around = answer
    with pytest.raises(SitepubError) as caught:
        world.up()
    assert caught.value.code == code and not world.aws.buckets


def foreign_distribution(world: World, **changes: Any) -> Distribution:
    """Made by hand, for the bucket, with everything that people set."""
    config = {
        "CallerReference": "by hand",
        "Comment": "mine",
        "Enabled": True,
        "Aliases": {"Quantity": 0},
        "Origins": {
            "Quantity": 2,
            "Items": [
                {"Id": "api", "DomainName": "api.example.net", "CustomOriginConfig": {"HTTPPort": 80}},
                {"Id": "s3", "DomainName": "www-example-com.s3.eu-central-1.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}},
            ],
        },
        "DefaultCacheBehavior": {"TargetOriginId": "s3", "ViewerProtocolPolicy": "allow-all", "Compress": False},
        "ViewerCertificate": {"CloudFrontDefaultCertificate": True},
        "WebACLId": "arn:mine",
        **changes,
    }
    made = world.aws.client("cloudfront").create_distribution_with_tags(
        DistributionConfigWithTags={"DistributionConfig": config, "Tags": {"Items": []}}
    )
    return world.aws.distributions[made["Distribution"]["Id"]]


def test_a_named_distribution_gets_what_it_must_and_nothing_else() -> None:
    world = World()
    distribution = foreign_distribution(world)
    before = copy.deepcopy(distribution.config)
    world.blueprint = fill_blueprint(distribution=distribution.id)
    (step,) = [step for step in world.foresee().steps if step.kind == "distribution"]
    assert (step.act, step.reason) == (
        "change",
        "Origins.OriginAccessControlId, Aliases, ViewerCertificate.ACMCertificateArn, ViewerCertificate.SSLSupportMethod,"
        " ViewerCertificate.MinimumProtocolVersion",
    )
    assert "edge function" not in acts(world) and "headers policy" not in acts(world)
    world.up()
    changed = {name for name in before if before[name] != distribution.config[name]}
    assert changed == {"Origins", "Aliases", "ViewerCertificate"}
    assert distribution.config["Origins"]["Items"][0] == before["Origins"]["Items"][0]
    assert world.foresee().is_nothing
    world.down()
    assert list(world.aws.distributions) == [distribution.id]
    assert world.aws.everything()["access controls"], "the distribution uses it"


def test_a_distribution_for_another_bucket_is_refused() -> None:
    world = World()
    origin = {"Id": "s3", "DomainName": "other.s3.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}
    distribution = foreign_distribution(world, Origins={"Quantity": 1, "Items": [origin]})
    world.blueprint = fill_blueprint(distribution=distribution.id)
    assert refuse(world).code == "other-origin"
    world.blueprint = fill_blueprint(distribution="E0NOTTHERE")
    assert refuse(world).code == "no-distribution"


@pytest.mark.parametrize(
    ("other", "names"),
    [
        ("shop.example.com", ["shop.example.com"]),
        ("api.example.net", ["*.example.net"]),
        ("img.www.example.com", ["www.example.com", "example.com", "*.www.example.com"]),
    ],
)
def test_a_distribution_that_has_other_names_keeps_a_certificate_for_them(other: str, names: list[str]) -> None:
    world = World()
    made = world.aws.client("acm").request_certificate(
        DomainName=names[0], SubjectAlternativeNames=names[1:], ValidationMethod="DNS", IdempotencyToken="x", Tags=[]
    )
    arn = made["CertificateArn"]
    world.aws.certificates[arn].status = "ISSUED"
    certificate = {"ACMCertificateArn": arn, "SSLSupportMethod": "sni-only"}
    distribution = foreign_distribution(world, Aliases={"Quantity": 1, "Items": [other]}, ViewerCertificate=certificate)
    world.blueprint = fill_blueprint(distribution=distribution.id)
    if "www.example.com" in names:
        world.up()
        assert set(distribution.config["Aliases"]["Items"]) >= {other, "www.example.com"}
    else:
        refused = refuse(world)
        assert refused.code == "other-names" and f"`{other}`" in refused.message
    assert list(world.aws.certificates) == [arn]


def test_a_distribution_without_our_tag_is_not_taken() -> None:
    world = World()
    foreign = foreign_distribution(world)
    before = copy.deepcopy(foreign)
    world.up()
    world.down()
    assert list(world.aws.distributions.values()) == [before]


def test_a_name_of_another_distribution_is_refused_before_anything_is_made() -> None:
    world = World()
    other = foreign_distribution(world)
    other.config["Aliases"] = {"Quantity": 1, "Items": ["www.example.com"]}
    error = refuse(world)
    assert (error.code, error.message) == ("domain-taken", f"distribution `{other.id}` has the name `www.example.com`")


@pytest.mark.parametrize("kind", ["access control", "edge function", "headers policy"])
def test_what_has_our_name_and_not_our_comment_is_refused(kind: str) -> None:
    world = World()
    world.up()
    aws, name = world.aws, world.blueprint.name
    if kind == "access control":
        next(iter(aws.access_controls.values())).config["Description"] = "mine"
    elif kind == "edge function":
        aws.functions[name].config["Comment"] = "mine"
    else:
        next(iter(aws.headers_policies.values())).config["Comment"] = "mine"
    error = refuse(world)
    assert (error.code, error.message) == ("foreign-resource", f"the {kind} `{name}` is there already, and was not made by sitepub")


def test_a_pricing_plan_is_not_touched() -> None:
    world = World()
    world.up()
    (distribution,) = world.aws.distributions.values()
    world.aws.planned.add(distribution.arn)
    assert world.foresee().is_nothing
    world.blueprint = fill_blueprint(price_class="PriceClass_100")
    error = refuse(world)
    assert (error.code, "PriceClass" in error.message) == ("pricing-plan", True)
    assert refuse(world, world.down).code == "pricing-plan"
    world.aws.denied.add("list_subscriptions")
    with pytest.raises(RefusedError) as caught:
        world.down()
    assert caught.value.code == "pricing-plan"


# ---- what was edited since


def test_edits_of_others_stay_and_ours_are_mended() -> None:
    world = World()
    world.up()
    (distribution,) = world.aws.distributions.values()
    distribution.config["WebACLId"] = "arn:mine"
    distribution.config["Origins"]["Items"][0]["ConnectionAttempts"] = 1
    distribution.config["DefaultCacheBehavior"]["OriginRequestPolicyId"] = "mine"
    assert world.foresee().is_nothing
    distribution.config["DefaultCacheBehavior"]["Compress"] = False
    distribution.config["CustomErrorResponses"]["Items"][1]["ErrorCachingMinTTL"] = 300
    world.blueprint = fill_blueprint(function="function handler(event) { return 1; }")
    steps = {step.kind: step.reason for step in world.foresee().steps if step.act == "change"}
    assert steps == {
        "edge function": "not what sitepub.yaml says",
        "distribution": "DefaultCacheBehavior.Compress, CustomErrorResponses.ErrorCachingMinTTL",
    }
    world.up()
    assert world.foresee().is_nothing
    assert distribution.config["WebACLId"] == "arn:mine"
    assert distribution.config["Origins"]["Items"][0]["ConnectionAttempts"] == 1
    assert distribution.config["DefaultCacheBehavior"]["OriginRequestPolicyId"] == "mine"
    assert world.aws.functions[world.blueprint.name].live == b"function handler(event) { return 1; }"


def test_a_bucket_of_ours_is_mended() -> None:
    world = World()
    world.up()
    settings = world.aws.buckets["www-example-com"].settings
    settings["public_access_block"]["BlockPublicPolicy"] = False
    del settings["lifecycle"]
    (step,) = [step for step in world.foresee().steps if step.act == "change"]
    assert (step.kind, step.reason) == ("bucket", "public access is not blocked, no lifecycle rules")
    world.up()
    assert settings["public_access_block"]["BlockPublicPolicy"] and len(settings["lifecycle"]["Rules"]) == 2


def test_names_can_be_taken_away_and_given_again() -> None:
    world = World()
    world.up()
    (distribution,) = world.aws.distributions.values()
    world.blueprint = fill_blueprint(domains=())
    (step,) = [step for step in world.foresee().steps if step.act == "change"]
    assert step.reason == "Aliases, ViewerCertificate.CloudFrontDefaultCertificate"
    assert len([step for step in world.foresee().steps if step.act == "delete"]) == 4
    world.up()
    assert (distribution.names, distribution.config["ViewerCertificate"]) == ([], {"CloudFrontDefaultCertificate": True})
    assert world.foresee().is_nothing
    world.blueprint = fill_blueprint(domains=("www.example.com",))
    world.up()
    assert distribution.names == ["www.example.com"] and world.foresee().is_nothing
    world.down()
    assert not any(world.aws.everything().values())


def test_who_may_not_tidy_is_told_and_the_site_stands() -> None:
    world = World()
    world.up()
    world.blueprint = fill_blueprint(domains=("www.example.com",))
    world.aws.denied.update({"change_resource_record_sets", "delete_certificate"})
    standing = world.up()
    assert [warning.partition(" are left: ")[0] for warning in standing.warnings] == [
        "records of old names",
    ]
    (distribution,) = world.aws.distributions.values()
    assert distribution.names == ["www.example.com"]


def test_one_who_changes_the_distribution_meanwhile_is_not_overwritten() -> None:
    world = World()
    world.up()
    (distribution,) = world.aws.distributions.values()
    world.blueprint = fill_blueprint(price_class="PriceClass_100")

    def meddle(operation: str, is_done: bool) -> None:
        if operation == "get_distribution_config" and is_done:
            world.aws.around = None
            distribution.config["WebACLId"] = "arn:meanwhile"
            distribution.etag = "Tmeanwhile"

    world.aws.around = meddle
    world.up()
    assert (distribution.config["WebACLId"], distribution.config["PriceClass"]) == ("arn:meanwhile", "PriceClass_100")


# ---- endpoints that lack something, quotas, refusals


LACKING = {
    "access control": ("list_origin_access_controls",),
    "edge function": ("publish_function",),
    "headers policy": ("list_response_headers_policies",),
    "cache policies": ("list_cache_policies",),
}


@pytest.mark.parametrize("kind", LACKING)
def test_an_emulator_gets_the_distribution_without_what_it_lacks(kind: str) -> None:
    world = World(is_aws=False)
    world.aws.lacks.update(LACKING[kind])
    standing = world.up()
    assert len(standing.warnings) == 1 and f"this endpoint knows no {kind}" in standing.warnings[0]
    text = json.dumps(next(iter(world.aws.distributions.values())).config)
    told = {
        "access control": '"OriginAccessControlId": ""',
        "edge function": '"FunctionAssociations"',
        "headers policy": "ResponseHeadersPolicyId",
        "cache policies": "CachePolicyId",
    }[kind]
    assert (told in text) == (kind == "access control")
    assert not world.aws.functions or kind != "edge function"
    world.down()
    assert not any(world.aws.everything().values())


@pytest.mark.parametrize("kind", LACKING)
def test_on_aws_itself_a_lack_is_an_error(kind: str) -> None:
    world = World()
    world.aws.lacks.update(LACKING[kind])
    with pytest.raises(SitepubError):
        world.up()
    assert not world.aws.distributions


def test_a_full_account_is_told_by_name() -> None:
    world = World()
    client = world.aws.client("cloudfront")
    for number in range(100):
        client.create_origin_access_control(OriginAccessControlConfig={"Name": f"x{number}"})
    with pytest.raises(ConfigurationError, match="TooManyOriginAccessControls") as caught:
        world.up()
    assert caught.value.code == "quota-reached"


def test_a_full_account_of_certificates_is_told_by_name() -> None:
    world = World()
    world.aws.around = refuse_certificates
    with pytest.raises(ConfigurationError, match="LimitExceededException") as caught:
        world.up()
    assert caught.value.code == "quota-reached"


def refuse_certificates(called: str, is_done: bool) -> None:
    if called == "request_certificate":
        raise refusal("LimitExceededException", "RequestCertificate")


def test_a_missing_permission_is_named() -> None:
    world = World()
    world.aws.denied.add("create_distribution_with_tags")
    with pytest.raises(ConfigurationError, match="may not use `cloudfront:CreateDistribution`"):
        world.up()


# ---- down


def test_down_refuses_before_anything_is_removed() -> None:
    world = World()
    world.up()
    world.aws.store("www-example-com", "").bucket.objects["index.html"] = put("<p>")
    error = refuse(world, world.down)
    assert (error.code, "`index.html`" in error.message, "--delete-content" in error.hint) == ("bucket-not-empty", True, True)
    settings = world.aws.buckets["www-example-com"].settings
    settings["policy"]["Statement"].append({"Sid": "Other", "Effect": "Allow"})
    assert refuse(world, lambda: world.down(deletes_content=True)).code == "bucket-shared"
    settings["policy"]["Statement"].pop()
    settings["lock"] = {"ObjectLockEnabled": "Enabled"}
    assert refuse(world, lambda: world.down(deletes_content=True)).code == "bucket-locked"
    world.down(keeps_bucket=True)
    assert [name for name, found in world.aws.everything().items() if found] == ["buckets"]


def test_a_bucket_that_holds_more_than_the_target_stays() -> None:
    world = World(blueprint=fill_blueprint(prefix="site"))
    world.up()
    world.aws.store("www-example-com", "").bucket.objects["other/index.html"] = put("<p>")
    assert refuse(world, lambda: world.down(deletes_content=True)).code == "bucket-shared"


def put(text: str) -> Any:
    from tests.support.builders import ManualClock
    from tests.support.memory_store import MemoryObject

    return MemoryObject(text.encode(), None, (), ManualClock().now())


def test_two_sites_in_one_bucket_have_each_their_own() -> None:
    world = World(blueprint=fill_blueprint(prefix="one", domains=("one.example.com",)))
    first = world.up()
    other = World(blueprint=fill_blueprint(prefix="two", domains=("two.example.com",)), clock=world.clock)
    other.aws = world.aws
    second = other.up()
    assert first.distribution and second.distribution and first.distribution.id != second.distribution.id
    sids = [each["Sid"] for each in world.aws.buckets["www-example-com"].settings["policy"]["Statement"]]
    assert sids.count("SitepubRecords") == 1 and len(sids) == 4
    assert world.foresee().is_nothing and other.foresee().is_nothing
    other.down()
    assert [each.id for each in world.aws.distributions.values()] == [first.distribution.id]
    assert world.foresee().is_nothing


def test_a_site_without_a_page_for_errors_is_told_before() -> None:
    world = World(blueprint=fill_blueprint(lacks_error_page=True))
    (told,) = [step for step in world.foresee().steps if step.act == "skip"]
    assert (told.name, "has no `404.html`" in told.reason) == ("its page for errors", True)
    world.up()
    assert world.foresee().is_nothing


# ---- the blueprint


def target(**changes: Any) -> Target:
    return Target(**{"name": "there", "store": BucketAddress("b-1"), "region": "eu-west-1", **changes})


def make(of: Target, region: str = "eu-west-1", **changes: Any) -> Blueprint:
    return make_blueprint(of, account=ACCOUNT, region=region, **changes)


@pytest.mark.parametrize(
    ("region", "code"), [("us-gov-west-1", "no-cloudfront-there"), ("eusc-de-east-1", "no-cloudfront-there"), ("cn-north-1", "no-up-there")]
)
def test_other_worlds_are_refused_by_name(region: str, code: str) -> None:
    with pytest.raises(ConfigurationError, match=region) as caught:
        make(target(), region)
    assert caught.value.code == code
    bucket = make(target(distribution="none"), region)
    assert not bucket.has_distribution and not bucket.bucket_arn.startswith("arn:aws:")


def test_a_folder_has_nothing_to_set_up(tmp_path: Any) -> None:
    with pytest.raises(ConfigurationError, match="published to a folder"):
        make(target(store=FolderAddress(tmp_path)))


@pytest.mark.parametrize(
    ("prefix", "path", "origin_path"),
    [("", "/", ""), ("a", "/", "/a"), ("docs", "/docs/", ""), ("a/docs", "/docs/", "/a"), ("a/b/c", "/b/c/", "/a")],
)
def test_requests_reach_the_keys(prefix: str, path: str, origin_path: str) -> None:
    blueprint = make(target(store=BucketAddress("b-1", prefix), url_path=path))
    assert blueprint.origin_path == origin_path
    assert blueprint.root_object == f"{path}index.html"[1:] and blueprint.error_page == f"{path}404.html"


@pytest.mark.parametrize(("prefix", "path"), [("", "/docs/"), ("a", "/docs/"), ("mydocs", "/docs/")])
def test_a_mount_that_no_key_has_is_refused(prefix: str, path: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make(target(store=BucketAddress("b-1", prefix), url_path=path))
    assert caught.value.code == "mounted-elsewhere"


def test_domains_are_those_that_visitors_use() -> None:
    found = target(
        url="https://WWW.example.com:8443/x/", domains=("example.com", "d1.cloudfront.net", "www.example.com", "localhost", "10.0.0.1")
    )
    assert list(find_domains(found)) == ["www.example.com", "example.com"]


@pytest.mark.parametrize("bucket", ["a" * 63, "a.b.c", "www-example-com"])
def test_names_keep_cloudfronts_limits(bucket: str) -> None:
    blueprint = fill_blueprint(bucket=bucket, prefix="some/very/long/prefix" * 20)
    assert len(blueprint.name) <= 64 and blueprint.name.replace("-", "").isalnum() and len(blueprint.comment) <= 128
    assert blueprint.name != fill_blueprint(bucket=bucket).name


def test_records_elsewhere_go_with_the_site_and_nothing_beside_them() -> None:
    world = World()
    aws = world.aws
    aws.client("s3").create_bucket(Bucket="ops")
    records = aws.store("ops", "www")
    site = replace(
        world.site, releases=Releases(records, world.clock, lambda: f"n{next(world.numbers)}"), records=records, has_own_records=False
    )
    raise_up(site, foresee_up(site))
    assert sorted(aws.memory("ops").objects) == ["www/state.json"] and not aws.memory("www-example-com").objects
    for key in (
        "www/releases/x",
        "www/packs/y",
        "www/lock",
        "www/locksmith.html",
        "www/state.json.bak",
        "www/mine.txt",
        "other/state.json",
    ):
        aws.memory("ops").objects[key] = put("x")

    def die_with_the_bucket(called: str, is_done: bool) -> None:
        if called == "delete_bucket" and is_done:
            raise SystemExit

    aws.around = die_with_the_bucket
    with pytest.raises(SystemExit):
        take_down(site, foresee_down(site, Removal()))
    assert "www/releases/x" not in aws.memory("ops").objects, "nobody would look for them without the bucket"
    aws.around = lambda called, is_done: None
    take_down(site, foresee_down(site, Removal()))
    assert sorted(aws.memory("ops").objects) == ["other/state.json", "www/locksmith.html", "www/mine.txt", "www/state.json.bak"]
    assert aws.everything()["buckets"] == ["ops"]
    aws.client("s3").delete_objects(Bucket="ops", Delete={"Objects": [{"Key": key} for key in list(aws.memory("ops").objects)]})
    aws.client("s3").delete_bucket(Bucket="ops")
    with pytest.raises(ConfigurationError, match="there is no bucket `ops`"):
        foresee_up(site)
