"""Partitions as botocore knows them, and clients that ask where their partition answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import botocore
import pytest

from sitepub.aws.s3_lean import LeanClient
from sitepub.aws.session import AwsSession
from sitepub.core.partitions import partition_of_region, require_cdn
from sitepub.errors import ConfigurationError

DATA = Path(botocore.__file__).parent / "data"
PARTITIONS: list[dict[str, Any]] = json.loads((DATA / "partitions.json").read_text())["partitions"]
ENDPOINTS: dict[str, dict[str, Any]] = {each["partition"]: each for each in json.loads((DATA / "endpoints.json").read_text())["partitions"]}
REGIONS = [
    (partition["id"], region, partition["outputs"]["dnsSuffix"])
    for partition in PARTITIONS
    for region in partition["regions"]
    if "global" not in region
]


def test_every_partition_is_known() -> None:
    assert {name for name, _, _ in REGIONS} == {partition["id"] for partition in PARTITIONS}


@pytest.mark.parametrize(("name", "region", "suffix"), REGIONS)
def test_each_region_is_in_its_partition(name: str, region: str, suffix: str) -> None:
    found = partition_of_region(region)
    assert (found.name, found.suffix) == (name, suffix)


@pytest.mark.parametrize("name", [partition["id"] for partition in PARTITIONS])
def test_cloudfront_is_where_botocore_finds_it(name: str) -> None:
    region = next(region for partition, region, _ in REGIONS if partition == name)
    home = ENDPOINTS[name]["services"].get("cloudfront")
    if home is None:
        with pytest.raises(ConfigurationError) as caught:
            require_cdn(region)
        assert caught.value.code == "no-cloudfront-there" and f"`{region}`" in caught.value.message
    else:
        (endpoint,) = home["endpoints"].values()
        assert require_cdn(region) == endpoint["credentialScope"]["region"]


@pytest.mark.parametrize("region", ["eu-central-1", "cn-north-1", "cn-northwest-1"])
def test_the_client_of_cloudfront_is_its_partitions(region: str) -> None:
    client = AwsSession(region=region, environment=KEYS).cdn_client()
    assert client.meta.endpoint_url == (
        "https://cloudfront.cn-northwest-1.amazonaws.com.cn" if region.startswith("cn-") else "https://cloudfront.amazonaws.com"
    )


def test_where_there_is_no_cloudfront_none_is_asked() -> None:
    session = AwsSession(region="us-gov-west-1", environment=KEYS)
    with pytest.raises(ConfigurationError, match="no CloudFront"):
        session.cdn_client()
    assert session.cdn_client("http://127.0.0.1:9").meta.endpoint_url == "http://127.0.0.1:9"


@pytest.mark.parametrize("region", ["eu-central-1", "cn-north-1", "us-gov-west-1", "eusc-de-east-1"])
def test_both_clients_of_s3_ask_the_same_host(region: str) -> None:
    session = AwsSession(region=region, environment=KEYS)
    lean = LeanClient(session, "a-bucket", None, 1)._store().config.get("endpoint", f"https://s3.{region}.amazonaws.com")
    assert lean == session.client("s3").meta.endpoint_url


KEYS = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"}
