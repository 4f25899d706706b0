"""What a simulation of IAM is asked about a policy, and which permissions its answers say are missing. Pure.

Shapes: https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from sitepub.core.policy import Policy, Statement

_SESSION = re.compile(r"arn:([a-z-]+):sts::(\d+):assumed-role/([^/]+)/")


class Trial(Struct, frozen=True):
    """One statement, asked about at once. `context`: keys of its conditions with values that meet them."""

    statement: Statement
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    context: tuple[Mapping[str, Any], ...] = ()


class Denied(Struct, frozen=True):
    """`statement`: the one that grants it. `is_explicit`: some policy denies it, so that no statement helps. `unknown`: keys on which the
    answer depends, and which only a real request has."""

    action: str
    resource: str
    statement: Statement
    is_explicit: bool = False
    unknown: tuple[str, ...] = ()


class Tried(Struct, frozen=True):
    """`why_not`: why nothing could be tried, in words."""

    denied: tuple[Denied, ...] = ()
    why_not: str = ""


def list_trials(policy: Policy) -> tuple[Trial, ...]:
    """One for each statement, in order."""
    return tuple(_make_trial(statement) for statement in _list(policy["Statement"]))


def read_results(trial: Trial, results: Iterable[Mapping[str, Any]]) -> Iterator[Denied]:
    """`results`: the EvaluationResults of all pages."""
    for result in results:
        specific = result.get("ResourceSpecificResults") or ()
        if specific:
            for each in specific:
                yield from _judge(trial, result, each["EvalResourceName"], each["EvalResourceDecision"], each)
        else:
            yield from _judge(trial, result, result.get("EvalResourceName") or "*", result["EvalDecision"], result)


def principal_of(caller: str) -> tuple[str, str | None]:
    """Whom IAM knows behind the ARN that STS gives: an ARN, and the name of its role where the ARN may lack the role's path."""
    found = _SESSION.match(caller)
    if found is None:
        return caller, None
    partition, account, role = found.groups()
    return f"arn:{partition}:iam::{account}:role/{role}", role


def _judge(trial: Trial, result: Mapping[str, Any], resource: str, decision: str, details: Mapping[str, Any]) -> Iterator[Denied]:
    if decision == "allowed":
        return
    organisation = (result.get("OrganizationsDecisionDetail") or {}).get("AllowedByOrganizations", True)
    boundary = (result.get("PermissionsBoundaryDecisionDetail") or {}).get("AllowedByPermissionsBoundary", True)
    is_explicit = decision == "explicitDeny" or not organisation or not boundary
    yield Denied(result["EvalActionName"], resource, trial.statement, is_explicit, tuple(details.get("MissingContextValues") or ()))


def _make_trial(statement: Statement) -> Trial:
    return Trial(
        statement,
        tuple(_list(statement["Action"])),
        tuple(_list(statement["Resource"])),
        tuple(_context(statement.get("Condition") or {})),
    )


def _context(condition: Any) -> Iterator[Mapping[str, Any]]:
    """Patterns meet themselves."""
    for operator, keys in condition.items():
        for key, values in keys.items():
            kind = "stringList" if operator.startswith("ForA") else "string"
            yield {
                "ContextKeyName": key,
                "ContextKeyValues": _list(values) if kind == "stringList" else _list(values)[:1],
                "ContextKeyType": kind,
            }


def _list(value: Any) -> Sequence[Any]:
    return [value] if isinstance(value, str | Mapping) else list(value)
