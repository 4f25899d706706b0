"""Policies are tried by IAM's own simulation, over the wire."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sitepub.aws.permissions import try_policy
from sitepub.aws.session import AwsSession
from sitepub.checkup_permissions import judge_denied
from sitepub.checkup_remarks import Severity
from sitepub.core.policy import Purpose, write_policy
from sitepub.core.policy_trial import Tried, list_trials, read_results
from sitepub.core.settings import BucketAddress, Target
from tests.support.fake_iam import FakeIam, run_fake_iam
from tests.support.servers import ENVIRONMENT

TARGET = Target(
    "there", BucketAddress("www-example-com", "site"), distribution="E190XXXXXL0LJU", account="123456789012", region="eu-central-1"
)
POLICY = write_policy(TARGET, Purpose.PUBLISH)


@pytest.fixture
def iam() -> Iterator[FakeIam]:
    with run_fake_iam() as fake:
        yield fake


def attempt(iam: FakeIam, policy: Any = POLICY) -> Tried:
    environment = {**ENVIRONMENT, "AWS_ENDPOINT_URL_IAM": iam.endpoint_url, "AWS_ENDPOINT_URL_STS": iam.endpoint_url}
    return try_policy(AwsSession(environment=environment, attempts=1), policy)


def statements() -> list[dict[str, Any]]:
    return [dict(each) for each in POLICY["Statement"]]  # type: ignore[attr-defined]


def test_the_least_policy_lacks_nothing(iam: FakeIam) -> None:
    iam.policy = statements()
    assert attempt(iam) == Tried()


@pytest.mark.parametrize("number", range(len(statements())))
def test_each_statement_that_is_missing_is_named(iam: FakeIam, number: int) -> None:
    iam.policy = [each for position, each in enumerate(statements()) if position != number]
    (remark,) = judge_denied(attempt(iam).denied)
    lost = statements()[number]
    assert (remark.code, remark.severity) == ("missing-permission", Severity.PROBLEM)
    assert all(f"`{action}`" in remark.message for action in lost["Action"])
    assert f'"Sid": "{lost["Sid"]}"' in remark.hint and all(resource in remark.hint for resource in lost["Resource"])


def test_only_the_missing_actions_are_asked_for(iam: FakeIam) -> None:
    iam.policy = [{**each, "Action": [action for action in each["Action"] if action != "s3:DeleteObject"]} for each in statements()]
    (remark,) = judge_denied(attempt(iam).denied)
    assert "s3:DeleteObject" in remark.hint and "s3:PutObject" not in remark.hint


def test_conditions_are_tried_with_what_meets_them(iam: FakeIam) -> None:
    tag = {"StringEquals": {"aws:ResourceTag/sitepub": "name"}}
    names = {"ForAllValues:StringLike": {"acm:DomainNames": ["a.example", "_*.a.example"]}}
    wanted = [
        {"Sid": "A", "Effect": "Allow", "Action": ["cloudfront:UpdateDistribution"], "Resource": ["*"], "Condition": tag},
        {"Sid": "B", "Effect": "Allow", "Action": ["acm:RequestCertificate"], "Resource": ["*"], "Condition": names},
    ]
    iam.policy = wanted
    assert attempt(iam, {"Statement": wanted}) == Tried()
    iam.policy = [{**wanted[0], "Condition": {"StringEquals": {"aws:ResourceTag/sitepub": "other"}}}, wanted[1]]
    assert [one.action for one in attempt(iam, {"Statement": wanted}).denied] == ["cloudfront:UpdateDistribution"]


def test_a_denial_that_no_statement_lifts(iam: FakeIam) -> None:
    iam.policy = [*statements(), {"Effect": "Deny", "Action": "s3:Put*", "Resource": "*"}]
    (remark,) = judge_denied(attempt(iam).denied)
    assert remark.code == "permission-denied" and "`s3:PutObject`" in remark.message
    iam.policy, iam.in_organization = statements(), False
    assert {remark.code for remark in judge_denied(attempt(iam).denied)} == {"permission-denied"}


def test_what_depends_on_the_request_is_a_note(iam: FakeIam) -> None:
    iam.unknown = ("aws:SourceIp",)
    remarks = list(judge_denied(attempt(iam).denied))
    assert {(remark.code, remark.severity) for remark in remarks} == {("permission-depends", Severity.NOTE)}
    assert "`aws:SourceIp`" in remarks[0].message


def test_a_role_is_found_with_its_path(iam: FakeIam) -> None:
    iam.caller = "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_x/ada"
    iam.principal = "arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_x"
    iam.policy = statements()
    assert attempt(iam) == Tried()
    assert set(iam.asked) == {iam.principal}
    iam.forbidden = frozenset({"GetRole"})
    assert "NoSuchEntity" in attempt(iam).why_not, "the path can't be told"
    iam.principal = "arn:aws:iam::123456789012:role/AWSReservedSSO_x"
    assert attempt(iam) == Tried()


def test_what_may_not_be_tried_is_said(iam: FakeIam) -> None:
    iam.forbidden = frozenset({"SimulatePrincipalPolicy"})
    assert attempt(iam).why_not == "these credentials may not call `iam:SimulatePrincipalPolicy`"
    iam.caller = "arn:aws:iam::123456789012:root"
    assert "root user" in attempt(iam).why_not


def test_a_boundary_denies_outright() -> None:
    trial = list_trials(POLICY)[0]
    answer = {"EvalActionName": "s3:ListBucket", "EvalResourceName": "arn:aws:s3:::www-example-com", "EvalDecision": "implicitDeny"}
    (plain,) = read_results(trial, [answer])
    (bounded,) = read_results(trial, [{**answer, "PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": False}}])
    assert (plain.is_explicit, bounded.is_explicit) == (False, True)
