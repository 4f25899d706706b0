"""Asks IAM what these credentials may do, without doing any of it. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sitepub.aws.failures import Asked, explain_failure, read_answer
from sitepub.aws.session import AwsSession
from sitepub.core.policy import Policy
from sitepub.core.policy_trial import Trial, Tried, list_trials, principal_of, read_results
from sitepub.errors import SitepubError
from sitepub.gathering import run_all

_WORKERS: Final = 4
"""IAM throttles those who ask much at once."""


def try_policy(session: AwsSession, policy: Policy, endpoint_url: str | None = None) -> Tried:
    """Policies of resources (a bucket's own) and of sessions are not looked at: AWS's simulation knows none of them."""
    try:
        caller = _client(session, "sts", endpoint_url).get_caller_identity()["Arn"]
        if caller.endswith(":root"):
            return Tried(why_not="the account's root user may do everything")
        principal = _find_principal(session, caller, endpoint_url)
        iam = _client(session, "iam", endpoint_url)
        answers = run_all(lambda trial: tuple(_simulate(iam, principal, trial)), list_trials(policy), workers=_WORKERS)
        denied = [denied for trial, results in answers for denied in read_results(trial, results)]
    except Exception as failure:
        error = explain_failure(failure, Asked("iam:SimulatePrincipalPolicy", "IAM", profile=session.profile))
        return Tried(why_not=_explain(error))
    return Tried(tuple(denied))


def _client(session: AwsSession, service: str, endpoint_url: str | None) -> Any:
    return session.client(service, endpoint_url=endpoint_url or session.endpoint(service))


def _find_principal(session: AwsSession, caller: str, endpoint_url: str | None) -> str:
    """A session's ARN lacks its role's path, which IAM alone tells; roles of IAM Identity Center have one."""
    principal, role = principal_of(caller)
    if role is None:
        return principal
    try:
        found: str = _client(session, "iam", endpoint_url).get_role(RoleName=role)["Role"]["Arn"]
    except Exception as failure:
        if read_answer(failure) is None:
            raise
        return principal
    return found


def _simulate(iam: Any, principal: str, trial: Trial) -> Iterator[Mapping[str, Any]]:
    more: dict[str, Any] = {"ContextEntries": list(trial.context)} if trial.context else {}
    while True:
        answer = iam.simulate_principal_policy(
            PolicySourceArn=principal, ActionNames=list(trial.actions), ResourceArns=list(trial.resources), **more
        )
        yield from answer["EvaluationResults"]
        if not answer.get("IsTruncated"):
            return
        more["Marker"] = answer["Marker"]


def _explain(error: SitepubError) -> str:
    if error.code == "access-denied":
        return "these credentials may not call `iam:SimulatePrincipalPolicy`"
    return error.message
