"""The least policy for S3, enforced by an emulator: publish, rollback and `gc` need no more, and with less they are refused. (Of CloudFront moto
refuses everything.)"""

from __future__ import annotations

import json
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.commands.story import SITE, Story, hold_bucket
from tests.support.moto_server import start_moto
from tests.support.servers import S3Server


@pytest.fixture(scope="module")
def strict_moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """One of its own: whoever else uses it would be refused, too."""
    with start_moto(tmp_path_factory.mktemp("enforcing")) as server:
        yield server


def let_pass(server: S3Server, calls: bytes) -> None:
    """After so many calls moto enforces."""
    url = f"{server.endpoint_url}/moto-api/reset-auth"
    request = urllib.request.Request(url, data=calls, method="POST", headers={"Content-Type": "application/octet-stream"})
    urllib.request.urlopen(request).close()


@pytest.fixture
def enforced(tmp_path: Path, strict_moto: S3Server) -> Iterator[Story]:
    let_pass(strict_moto, b"inf")
    bucket = strict_moto.make_bucket()
    made = Story(
        tmp_path,
        target=f"store: s3://{bucket}/site\nendpoint_url: {strict_moto.endpoint_url}",
        environment=strict_moto.environment,
        held=hold_bucket(strict_moto.client(), bucket),
    )
    made.write(SITE)
    made.configure()
    yield made
    let_pass(strict_moto, b"inf")


def enforce(story: Story, server: S3Server, policy: dict[str, Any]) -> None:
    """From here on a user with this policy alone acts."""
    iam = server.client("iam")
    name = uuid.uuid4().hex
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="least", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    story.environment = {**story.environment, "AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    let_pass(server, b"0")


def adapt(policy: Any, *, without: str = "") -> dict[str, Any]:
    """moto knows HEAD of a bucket by an action that IAM has not."""
    statements = []
    for each in policy["Statement"]:
        actions = [action for action in each["Action"] if action != without]
        statements.append({**each, "Action": [*actions, *(["s3:HeadBucket"] if "s3:ListBucket" in actions else [])]})
    return {**policy, "Statement": statements}


def test_no_more_is_needed(enforced: Story, strict_moto: S3Server) -> None:
    enforce(enforced, strict_moto, adapt(enforced.json("policy")))
    assert enforced.publish()["release"]
    enforced.write({"about.html": "<p>changed"})
    (enforced.root / "public/robots.txt").unlink()
    assert enforced.publish()["summary"]["removed"] == 1
    enforced.run("rollback")
    enforced.run("gc", "--yes")
    assert enforced.json("verify")["findings"] == []


@pytest.mark.parametrize("action", ["s3:PutObject", "s3:DeleteObject"])
def test_with_less_it_is_refused_by_name(enforced: Story, strict_moto: S3Server, action: str) -> None:
    enforced.publish()
    enforced.write({"about.html": "<p>changed"})
    (enforced.root / "public/robots.txt").unlink()
    enforce(enforced, strict_moto, adapt(enforced.json("policy"), without=action))
    assert f"`{action}`" in enforced.run("publish", status=4).err
