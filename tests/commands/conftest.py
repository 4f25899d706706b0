"""A story's places: a folder, a bucket of SeaweedFS, a bucket of moto behind a CloudFront distribution of moto."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.commands.story import SITE, Story, hold_bucket, hold_folder
from tests.support.forks import ForkServer
from tests.support.servers import S3Server


@pytest.fixture
def story(tmp_path: Path, forks: ForkServer) -> Story:
    """The small site, to be published to a folder."""
    made = Story(tmp_path, forks=forks, held=hold_folder(tmp_path / "out"))
    made.write(SITE)
    made.configure()
    return made


@pytest.fixture
def bucket_story(tmp_path: Path, seaweedfs: S3Server, forks: ForkServer) -> Story:
    """The small site, to be published to a prefix of a bucket."""
    address = seaweedfs.make_address()
    made = Story(
        tmp_path,
        target=f"store: s3://{address.bucket}/{address.prefix}\nendpoint_url: {seaweedfs.endpoint_url}",
        environment=seaweedfs.environment,
        forks=forks,
        held=hold_bucket(seaweedfs.client(), address.bucket, f"{address.prefix}/"),
    )
    made.write(SITE)
    made.configure()
    return made


@pytest.fixture(params=["folder", "bucket"])
def any_story(request: pytest.FixtureRequest) -> Story:
    made: Story = request.getfixturevalue("story" if request.param == "folder" else "bucket_story")
    return made


@dataclass
class Distribution:
    """A distribution of moto's, and what it was told to invalidate, oldest first."""

    id: str
    client: Any

    def invalidations(self) -> list[list[str]]:
        listed = self.client.list_invalidations(DistributionId=self.id)["InvalidationList"].get("Items", [])
        found = [self.client.get_invalidation(DistributionId=self.id, Id=each["Id"])["Invalidation"] for each in listed]
        ordered = sorted(found, key=lambda each: each["CreateTime"])
        return [sorted(each["InvalidationBatch"]["Paths"]["Items"]) for each in ordered]

    def references(self) -> list[str]:
        listed = self.client.list_invalidations(DistributionId=self.id)["InvalidationList"].get("Items", [])
        found = [self.client.get_invalidation(DistributionId=self.id, Id=each["Id"])["Invalidation"] for each in listed]
        return [each["InvalidationBatch"]["CallerReference"] for each in found]


@pytest.fixture
def distribution(moto_server: S3Server) -> Iterator[Distribution]:
    """The only one of its account: the month's paths are the whole account's, and each distribution of it is asked."""
    client = moto_server.client("cloudfront")
    for left in client.list_distributions()["DistributionList"].get("Items", ()):
        client.delete_distribution(Id=left["Id"], IfMatch="x")
    made = client.create_distribution(
        DistributionConfig={
            "CallerReference": uuid.uuid4().hex,
            "Comment": "",
            "Enabled": True,
            "DefaultRootObject": "index.html",
            "Origins": {
                "Quantity": 1,
                "Items": [{"Id": "o", "DomainName": "b.s3.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}],
            },
            "DefaultCacheBehavior": {
                "TargetOriginId": "o",
                "ViewerProtocolPolicy": "allow-all",
                "MinTTL": 0,
                "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}},
            },
        }
    )
    yield Distribution(made["Distribution"]["Id"], client)
    client.delete_distribution(Id=made["Distribution"]["Id"], IfMatch="x")


@pytest.fixture
def cloud_story(tmp_path: Path, moto_server: S3Server, distribution: Distribution, forks: ForkServer) -> Story:
    """The small site, to be published to a bucket behind CloudFront."""
    bucket = moto_server.make_bucket()
    made = Story(
        tmp_path,
        target=f"store: s3://{bucket}\nendpoint_url: {moto_server.endpoint_url}\n"
        f"cdn_endpoint_url: {moto_server.endpoint_url}\ndistribution: {distribution.id}",
        environment=moto_server.environment,
        forks=forks,
        held=hold_bucket(moto_server.client(), bucket),
    )
    made.write(SITE)
    made.configure()
    return made
