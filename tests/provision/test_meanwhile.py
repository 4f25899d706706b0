"""What others do to the account while `up` and `down` are at work there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from sitepub.aws.provision.access_control import ensure_access_control
from sitepub.aws.provision.api import Api
from sitepub.aws.provision.bucket import empty_bucket
from sitepub.aws.provision.headers_policy import ensure_headers_policy
from sitepub.errors import StoppedError
from tests.provision.world import World, make_blueprint
from tests.support.builders import ManualClock
from tests.support.fake_aws import refusal


def do_before(world: World, operation: str, act: Callable[[], object]) -> None:
    """Once, right before the first such call."""
    waiting = [act]

    def around(called: str, is_done: bool) -> None:
        if called == operation and not is_done and waiting:
            waiting.pop()()

    world.aws.around = around


def delete_by_hand(world: World) -> Callable[[], object]:
    return world.aws.distributions.clear


def test_a_distribution_that_is_deleted_while_it_is_changed_is_told() -> None:
    world = World()
    world.up()
    world.blueprint = replace(world.blueprint, price_class="PriceClass_100")
    do_before(world, "get_distribution_config", delete_by_hand(world))
    with pytest.raises(StoppedError) as caught:
        world.up()
    assert caught.value.code == "distribution-gone"


def test_a_distribution_that_is_deleted_while_it_is_taken_down_is_passed_over() -> None:
    world = World()
    world.up()
    do_before(world, "get_distribution_config", delete_by_hand(world))
    world.down(deletes_content=True)
    assert not any(world.aws.everything().values())


class Lagging:
    """CloudFront in which a part of the name was just made, by another run or by one whose answer was lost; its lists do not show it yet."""

    def create_origin_access_control(self, **_: Any) -> Any:
        raise refusal("OriginAccessControlAlreadyExists", "CreateOriginAccessControl")

    def list_origin_access_controls(self) -> Any:
        return {"OriginAccessControlList": {"Quantity": 0}}

    def create_response_headers_policy(self, **_: Any) -> Any:
        raise refusal("ResponseHeadersPolicyAlreadyExists", "CreateResponseHeadersPolicy")

    def list_response_headers_policies(self, **_: Any) -> Any:
        return {"ResponseHeadersPolicyList": {"Quantity": 0}}


@pytest.mark.parametrize("ensure", [ensure_access_control, ensure_headers_policy])
def test_a_part_that_is_not_listed_yet_is_told(ensure: Callable[..., str]) -> None:
    api = Api(lambda service: Lagging(), ManualClock(), True, "AWS")
    with pytest.raises(StoppedError) as caught:
        ensure(api, make_blueprint(), None)
    assert caught.value.code == "not-there-yet"


class Begun:
    """A bucket in which many uploads were begun. S3 lists a thousand of them at the most; a page here holds two."""

    def __init__(self, uploads: int) -> None:
        self.left = [f"u{number}" for number in range(uploads)]

    def list_multipart_uploads(self, *, Bucket: str, Prefix: str, KeyMarker: str = "", UploadIdMarker: str = "") -> Any:
        rows = [each for each in self.left if each > UploadIdMarker]
        more = {"NextKeyMarker": "big.zip", "NextUploadIdMarker": rows[1]} if len(rows) > 2 else {}
        return {"Uploads": [{"Key": "big.zip", "UploadId": each} for each in rows[:2]], "IsTruncated": bool(more), **more}

    def abort_multipart_upload(self, *, Bucket: str, Key: str, UploadId: str) -> None:
        self.left.remove(UploadId)

    def list_object_versions(self, **_: Any) -> Any:
        return {}


def test_every_unfinished_upload_is_given_up() -> None:
    begun = Begun(5)
    assert list(empty_bucket(Api(lambda service: begun, ManualClock(), True, "AWS"), "bucket")) == []
    assert begun.left == []


def test_a_certificate_that_cloudfront_does_not_know_yet_is_waited_for() -> None:
    world = World()
    world.up()
    world.blueprint = replace(world.blueprint, domains=("www.example.com", "example.com", "new.example.com"))

    def refuse() -> None:
        raise refusal("InvalidViewerCertificate", "UpdateDistribution")

    do_before(world, "update_distribution", refuse)
    world.up()
    (standing,) = world.aws.distributions.values()
    assert "new.example.com" in standing.names
