"""Check of `doctor`: whether the credentials may do what the least policy allows, as far as IAM simulates it. Asks, and does none of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby

from sitepub.checkup_remarks import Patient, Remark, Severity, fine
from sitepub.core.policy import Purpose, write_policy
from sitepub.core.policy_trial import Denied
from sitepub.core.state import State
from sitepub.wiring import find_distribution


def check_permissions(patient: Patient) -> Iterable[Remark]:
    """Of a publish; each statement whose permissions are missing is one remark."""
    state = patient.snapshot.state if patient.snapshot else State()
    target = replace(
        patient.request.target,
        region=patient.inspection.region(),
        distribution=find_distribution(patient.request.target, state) or "none",
    )
    policy = write_policy(target, Purpose.PUBLISH)
    tried = patient.inspection.try_policy(policy) if policy["Statement"] else None
    if tried is None:
        return
    if tried.why_not:
        yield fine("permissions", f"they are not tried: {tried.why_not}")
    elif not tried.denied:
        yield fine("permissions", "IAM allows all that a publish needs")
    yield from judge_denied(tried.denied)


def judge_denied(denied: Sequence[Denied]) -> Iterable[Remark]:
    """A remark for each statement and way out."""

    def key(one: Denied) -> tuple[str, bool, tuple[str, ...]]:
        return str(one.statement.get("Sid", "")), one.is_explicit, one.unknown

    for (_, is_explicit, unknown), group in groupby(sorted(denied, key=key), key=key):
        yield _make_remark(tuple(group), unknown, is_explicit=is_explicit)


def _make_remark(group: tuple[Denied, ...], unknown: tuple[str, ...], *, is_explicit: bool) -> Remark:
    actions = sorted({one.action for one in group})
    resources = sorted({one.resource for one in group})
    what = f"{', '.join(f'`{action}`' for action in actions)} on {', '.join(f'`{resource}`' for resource in resources)}"
    if unknown:
        depends = ", ".join(f"`{key}`" for key in unknown)
        return Remark(
            "permission-depends", Severity.NOTE, f"whether these credentials may use {what} depends on {depends}", "only a publish can tell"
        )
    if is_explicit:
        hint = "an account's organization, a permissions boundary or a `Deny` says so: no further statement helps until that is lifted"
        return Remark("permission-denied", Severity.PROBLEM, f"these credentials are denied {what}", hint)
    statement = {**group[0].statement, "Action": actions, "Resource": resources}
    return Remark("missing-permission", Severity.PROBLEM, f"these credentials may not use {what}", f"allow it: {json.dumps(statement)}")
