"""`distribution_config:`: the user's own configuration is checked before anything is made, and holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sitepub.aws.provision.distribution_file import check_distribution_file, read_distribution_file
from sitepub.errors import ConfigurationError
from tests.provision.world import World, make_blueprint

ORIGIN = {"Id": "s3", "DomainName": "www-example-com.s3.eu-central-1.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}
CONFIG: dict[str, Any] = {
    "Comment": "mine",
    "Enabled": True,
    "Origins": {"Items": [ORIGIN]},
    "DefaultCacheBehavior": {
        "TargetOriginId": "s3",
        "ViewerProtocolPolicy": "https-only",
        "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
    },
    "CacheBehaviors": {"Items": []},
    "HttpVersion": "http2",
    "PriceClass": "PriceClass_100",
}


def write(folder: Path, document: object) -> Path:
    path = folder / "distribution.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def check(folder: Path, changes: dict[str, Any]) -> str:
    file = read_distribution_file(write(folder, {**CONFIG, **changes}))
    with pytest.raises(ConfigurationError) as caught:
        check_distribution_file(make_blueprint(), file, "distribution.json")
    assert caught.value.code == "bad-distribution-config"
    return caught.value.message


@pytest.mark.parametrize("wrapper", [(), ("DistributionConfig",), ("DistributionConfigWithTags", "DistributionConfig")])
def test_what_the_cli_prints_is_taken(tmp_path: Path, wrapper: tuple[str, ...]) -> None:
    document: Any = CONFIG
    for word in reversed(wrapper):
        document = {word: document, "ETag": "x"}
    file = read_distribution_file(write(tmp_path, document))
    check_distribution_file(make_blueprint(), file, "distribution.json")
    assert file["Origins"]["Quantity"] == 1 and file["CacheBehaviors"]["Quantity"] == 0


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"Orgins": {}}, 'Unknown parameter in input: "Orgins"'),
        ({"DefaultCacheBehavior": {"TargetOriginId": "s3"}}, 'Missing required parameter in DefaultCacheBehavior: "ViewerProtocolPolicy"'),
        ({"Enabled": "yes"}, "Invalid type for parameter Enabled"),
        ({"Origins": {"Items": [{**ORIGIN, "DomainName": "other.s3.amazonaws.com"}]}}, "none of its origins is the bucket"),
        ({"DefaultCacheBehavior": {**CONFIG["DefaultCacheBehavior"], "TargetOriginId": "x"}}, "goes to the origin `x`, which is not there"),
        (
            {"DefaultCacheBehavior": {"TargetOriginId": "s3", "ViewerProtocolPolicy": "https-only"}},
            "DefaultCacheBehavior has no `CachePolicyId`",
        ),
        ({"Aliases": {"Items": ["www.example.com"]}}, "`Aliases` lacks example.com"),
        ({"Staging": True}, "`Staging` makes"),
        (
            {"ViewerCertificate": {"ACMCertificateArn": "arn:aws:acm:eu-west-1:1:certificate/x"}},
            "names a certificate outside of us-east-1",
        ),
        ({"ViewerCertificate": {"CloudFrontDefaultCertificate": True}}, "must name a certificate for the names"),
    ],
    ids=lambda value: str(value)[:30] if isinstance(value, str) else "",
)
def test_what_is_wrong_is_told_before_anything_is_made(tmp_path: Path, changes: dict[str, Any], told: str) -> None:
    assert told in check(tmp_path, changes)


def test_all_of_it_is_told_at_once(tmp_path: Path) -> None:
    message = check(tmp_path, {"Staging": True, "Origins": {"Items": [{**ORIGIN, "Id": "x", "DomainName": "x.org"}]}})
    assert message.startswith("3 problems:\n")


@pytest.mark.parametrize("text", ["", "{", "[]", "3"])
def test_what_is_no_object_is_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"`distribution.json` (is no JSON|must hold an object)"):
        read_distribution_file(write(tmp_path, text))
    with pytest.raises(ConfigurationError, match="can't be read: No such file"):
        read_distribution_file(tmp_path / "nothing.json")


def test_the_file_holds_and_gets_what_nobody_can_know(tmp_path: Path) -> None:
    file = read_distribution_file(write(tmp_path, CONFIG))
    world = World(blueprint=make_blueprint(file=file))
    assert {step.kind for step in world.foresee().steps}.isdisjoint({"edge function", "headers policy"})
    world.up()
    (distribution,) = world.aws.distributions.values()
    (control,), (certificate,) = world.aws.access_controls, world.aws.certificates
    assert distribution.config["Comment"] == "mine" and distribution.config["PriceClass"] == "PriceClass_100"
    assert distribution.config["Origins"]["Items"][0]["OriginAccessControlId"] == control
    assert distribution.config["ViewerCertificate"]["ACMCertificateArn"] == certificate
    assert distribution.names == ["www.example.com", "example.com"]
    assert world.foresee().is_nothing
    world.blueprint = make_blueprint(file={**file, "HttpVersion": "http3"})
    assert [step.reason for step in world.foresee().steps if step.act == "change"] == ["HttpVersion"]
    world.down()
    assert not any(world.aws.everything().values())


def test_names_without_a_certificate_get_one(tmp_path: Path) -> None:
    names = ["www.example.com", "example.com"]
    file = read_distribution_file(write(tmp_path, {**CONFIG, "Aliases": {"Items": names}}))
    world = World(blueprint=make_blueprint(file=file))
    world.up()
    (distribution,), (certificate,) = world.aws.distributions.values(), world.aws.certificates
    assert (distribution.names, distribution.config["ViewerCertificate"]["ACMCertificateArn"]) == (names, certificate)
    assert world.foresee().is_nothing


def test_an_access_of_its_own_stays(tmp_path: Path) -> None:
    world = World()
    control = world.aws.client("cloudfront").create_origin_access_control(OriginAccessControlConfig={"Name": "mine"})[
        "OriginAccessControl"
    ]["Id"]
    file = read_distribution_file(write(tmp_path, {**CONFIG, "Origins": {"Items": [{**ORIGIN, "OriginAccessControlId": control}]}}))
    world.blueprint = make_blueprint(file=file)
    world.up()
    assert list(world.aws.access_controls) == [control]
    world.down()
    assert list(world.aws.access_controls) == [control]
