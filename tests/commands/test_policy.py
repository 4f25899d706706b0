"""Policies: against IAM's catalogue of actions, and against what the clients really ask."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from tests.commands.story import REPOSITORY, Story

TARGET = "store: s3://www-example-com/site\nregion: eu-central-1\ndistribution: E190XXXXXL0LJU\naccount: '123456789012'\nbranch: main"


@pytest.fixture
def named(story: Story) -> Story:
    story.target = TARGET
    story.configure()
    return story


def allowed(policy: Any) -> dict[str, list[str]]:
    """Resources by action."""
    return {action: statement["Resource"] for statement in policy["Statement"] for action in statement["Action"]}


def test_what_a_publisher_may(named: Story) -> None:
    bucket, keys = ["arn:aws:s3:::www-example-com"], ["arn:aws:s3:::www-example-com/site/*"]
    own, every = (["arn:aws:cloudfront::123456789012:distribution/" + name] for name in ("E190XXXXXL0LJU", "*"))
    tenants = ["arn:aws:cloudfront::123456789012:distribution-tenant/*"]
    assert allowed(named.json("policy")) == {
        "s3:ListBucket": bucket,
        "s3:ListBucketMultipartUploads": bucket,
        **dict.fromkeys(
            ("s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"), keys
        ),
        "cloudfront:GetDistribution": own,
        "cloudfront:GetCachePolicy": ["arn:aws:cloudfront::123456789012:cache-policy/*"],
        "cloudfront:CreateInvalidation": own,
        "cloudfront:GetInvalidation": every,
        "cloudfront:ListInvalidations": every,
        "cloudfront:ListDistributions": ["*"],
        "cloudfront:ListDistributionTenants": ["*"],
        "cloudfront:GetInvalidationForDistributionTenant": tenants,
        "cloudfront:ListInvalidationsForDistributionTenant": tenants,
    }


def test_who_plans_may_write_nothing(named: Story) -> None:
    actions = set(allowed(named.json("policy", "--for", "plan")))
    assert not [action for action in actions if not re.search(r":(Get|List|Describe)", action)]
    assert "s3:GetObject" in actions


def test_who_publishes_previews_writes_below_their_prefix_alone(named: Story) -> None:
    named.configure("previews: {prefix: tries}\n", target="state: s3://ops/www\nledger: s3://ops/paths")
    policy = allowed(named.json("policy", "--for", "preview"))
    assert policy["s3:PutObject"] == ["arn:aws:s3:::ops/www/tries/*", "arn:aws:s3:::www-example-com/site/tries/*"]
    assert {action.partition(":")[0] for action in policy} == {"s3"}
    trust = named.json("policy", "--for", "preview", "--github", "owner/name")
    assert trust["Statement"][0]["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"] == "repo:owner/name:pull_request"


def test_records_that_stand_elsewhere(named: Story) -> None:
    named.configure(target="state: s3://ops/www")
    assert allowed(named.json("policy"))["s3:PutObject"] == ["arn:aws:s3:::ops/www/*", "arn:aws:s3:::www-example-com/site/*"]
    named.configure(target="ledger: s3://ops/paths")
    assert allowed(named.json("policy"))["s3:PutObject"] == ["arn:aws:s3:::ops/paths/*", "arn:aws:s3:::www-example-com/site/*"]


def test_a_profile_that_is_not_there_tells_no_region(named: Story) -> None:
    named.target = "store: s3://www-example-com\nprofile: wrok"
    named.configure()
    assert named.json("policy", status=4)["error"]["code"] == "no-profile"


def test_china(named: Story) -> None:
    named.target = TARGET.replace("eu-central-1", "cn-north-1")
    named.configure()
    actions = allowed(named.json("policy"))
    assert actions["s3:ListBucket"] == ["arn:aws-cn:s3:::www-example-com"]
    assert actions["cloudfront:CreateInvalidation"] == ["arn:aws-cn:cloudfront::123456789012:distribution/E190XXXXXL0LJU"]
    (trust,) = named.json("policy", "--github", "ada/site")["Statement"]
    assert trust["Principal"]["Federated"].startswith("arn:aws-cn:iam::")
    assert trust["Condition"]["StringEquals"]["token.actions.githubusercontent.com:aud"] == "sts.amazonaws.com.cn"


@pytest.mark.parametrize(
    ("region", "partition"), [("us-gov-west-1", "aws-us-gov"), ("eusc-de-east-1", "aws-eusc"), ("us-iso-east-1", "aws-iso")]
)
def test_partitions_without_cloudfront(named: Story, region: str, partition: str) -> None:
    named.target = TARGET.replace("eu-central-1", region)
    named.configure()
    done = named.run("policy", status=4)
    assert f"`{region}` is in" in done.err and "which has no CloudFront" in done.err and "distribution: none" in done.err
    named.target = named.target.replace("E190XXXXXL0LJU", "none")
    named.configure()
    assert allowed(named.json("policy"))["s3:ListBucket"] == [f"arn:{partition}:s3:::www-example-com"]


def test_a_region_that_the_environment_names(named: Story) -> None:
    named.target = TARGET.replace("region: eu-central-1\n", "")
    named.environment = {"AWS_REGION": "cn-north-1"}
    named.configure()
    assert allowed(named.json("policy"))["s3:ListBucket"] == ["arn:aws-cn:s3:::www-example-com"]


def test_who_sets_up_and_takes_away(named: Story) -> None:
    named.target = TARGET.replace("distribution: E190XXXXXL0LJU\n", "")
    named.configure(target="url: https://www.example.com/")
    up, down = allowed(named.json("policy", "--for", "up")), allowed(named.json("policy", "--for", "down"))
    assert up["s3:CreateBucket"] == down["s3:DeleteBucket"] == ["arn:aws:s3:::www-example-com"]
    assert "cloudfront:CreateDistribution" in up and "cloudfront:DeleteDistribution" in down
    assert not {"s3:DeleteBucket", "cloudfront:DeleteDistribution"} & up.keys()


def test_a_folder_needs_nothing(story: Story) -> None:
    done = story.run("policy")
    assert '"Statement": []' in done.out and "needs nothing of AWS" in done.err


def test_whom_a_role_for_github_trusts(named: Story) -> None:
    (publish,) = named.json("policy", "--github", "ada/site")["Statement"]
    (plan,) = named.json("policy", "--github", "ada/site", "--for", "plan")["Statement"]
    name = "token.actions.githubusercontent.com"
    assert publish["Principal"] == {"Federated": f"arn:aws:iam::123456789012:oidc-provider/{name}"}
    assert publish["Condition"] == {
        "StringEquals": {f"{name}:aud": "sts.amazonaws.com", f"{name}:sub": "repo:ada/site:ref:refs/heads/main"}
    }
    assert plan["Condition"]["StringEquals"][f"{name}:sub"] == "repo:ada/site:pull_request"


@pytest.mark.parametrize(
    ("purpose", "subject"),
    [
        ("publish", "ref:refs/heads/main"),
        ("up", "ref:refs/heads/main"),
        ("down", "ref:refs/heads/main"),
        ("plan", "pull_request"),
        ("preview", "pull_request"),
    ],
)
def test_pull_requests_may_look_and_preview_alone(named: Story, purpose: str, subject: str) -> None:
    (trust,) = named.json("policy", "--github", "ada/site", "--for", purpose)["Statement"]
    assert trust["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"] == f"repo:ada/site:{subject}"


@pytest.mark.parametrize("repository", ["ada", "ada/*", "a/b/c", "ada/si te", "/site"])
def test_names_that_would_trust_others_are_refused(named: Story, repository: str) -> None:
    assert "names no repository" in named.run("policy", "--github", repository, status=2).err


@pytest.mark.parametrize("lacking", ["account", "branch"])
def test_a_trust_policy_needs_to_know(named: Story, lacking: str) -> None:
    named.target = "\n".join(line for line in TARGET.splitlines() if not line.startswith(lacking))
    named.configure()
    assert f"has no `{lacking}:`" in named.run("policy", "--github", "ada/site", status=4).err


def test_every_action_is_in_iams_catalogue(named: Story) -> None:
    from policy_sentry.querying.actions import get_action_data

    for action in allowed(named.json("policy")):
        service, name = action.split(":")
        found = get_action_data(service, name)
        assert found and any(row["action"] == action for row in found[service]), action


OPERATIONS = {
    "create_multipart_upload": "s3:PutObject",
    "upload_part": "s3:PutObject",
    "upload_part_copy": "s3:PutObject",
    "complete_multipart_upload": "s3:PutObject",
    "abort_multipart_upload": "s3:AbortMultipartUpload",
    "list_multipart_uploads": "s3:ListBucketMultipartUploads",
    "list_parts": "s3:ListMultipartUploadParts",
    "list_objects_v2": "s3:ListBucket",
    "head_bucket": "s3:ListBucket",
    "put_object": "s3:PutObject",
    "copy_object": "s3:PutObject",
    "get_object": "s3:GetObject",
    "head_object": "s3:GetObject",
    "delete_object": "s3:DeleteObject",
    "get_distribution": "cloudfront:GetDistribution",
    "get_cache_policy": "cloudfront:GetCachePolicy",
    "create_invalidation": "cloudfront:CreateInvalidation",
    "get_invalidation": "cloudfront:GetInvalidation",
    "list_invalidations": "cloudfront:ListInvalidations",
    "list_distributions": "cloudfront:ListDistributions",
    "list_distribution_tenants": "cloudfront:ListDistributionTenants",
    "list_invalidations_for_distribution_tenant": "cloudfront:ListInvalidationsForDistributionTenant",
    "get_invalidation_for_distribution_tenant": "cloudfront:GetInvalidationForDistributionTenant",
    "get_caller_identity": "",  # needs no permission
}
"""What each operation of the clients needs (the services' own references)."""


def test_every_operation_that_the_clients_call_is_allowed(named: Story) -> None:
    called = {name for path in (REPOSITORY / "sitepub/aws").glob("*.py") for name in find_operations(path)}
    assert called <= OPERATIONS.keys(), "an operation that no policy was thought of for"
    assert called >= {"create_invalidation", "copy_object", "head_object"}
    actions = allowed(named.json("policy")).keys()
    assert {OPERATIONS[name] for name in called} - {""} <= actions


def find_operations(path: Path) -> set[str]:
    """Methods of clients, called or handed on: boto3 names them after operations."""
    names = {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
    return {
        name for name in names if re.match(r"(get|put|head|list|create|upload|complete|abort|copy|delete)_[a-z_]+$", name)
    } & known_operations()


def known_operations() -> set[str]:
    import boto3

    made = [
        boto3.client(name, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
        for name in ("s3", "cloudfront", "sts")
    ]
    return {method for client in made for method in client.meta.method_to_api_mapping}
