"""Check of `doctor`: whether the credentials may do what the least policy allows, as far as IAM simulates it. Asks, and does none of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import groupby

from msgspec.structs import replace

from sitepub.checkup_remarks import Patient, Remark, Severity, fine
from sitepub.core.enumeration import name_some
from sitepub.core.policy import Purpose
from sitepub.core.policy_site import write_policy_for
from sitepub.core.policy_trial import Denied, Tried
from sitepub.core.settings import Target
from sitepub.core.state import State
from sitepub.errors import ConfigurationError
from sitepub.wiring import find_distribution

SHOWN = 4


def check_permissions(patient: Patient) -> Iterable[Remark]:
    """Of a publish, or of `up` where there is no bucket yet: each statement whose permissions are missing is one remark. What `up` and `down` lack
    else is worth a line: whoever publishes need not be allowed to."""
    state = patient.snapshot.state if patient.snapshot else State()
    target = replace(patient.request.target, region=patient.inspection.region())
    named = replace(target, distribution=find_distribution(target, state) or "none")
    first = _try(patient, named, Purpose.PUBLISH) if not patient.lacks_bucket else _try(patient, target, Purpose.UP)
    if first is None:
        return
    if first.why_not:
        yield fine("permissions", f"permissions are not tried: {first.why_not}")
        return
    if not first.denied:
        yield fine("permissions", f"IAM allows all that {'`up`' if patient.lacks_bucket else 'a publish'} needs")
    yield from judge_denied(first.denied)
    for purpose in (Purpose.UP, Purpose.DOWN) if not patient.lacks_bucket else ():
        yield from _tell(purpose, _try(patient, target, purpose))


def _try(patient: Patient, target: Target, purpose: Purpose) -> Tried | None:
    """None where there is nothing to be allowed, or nobody to ask."""
    try:
        policy = write_policy_for(target, purpose)
    except ConfigurationError:
        if purpose in (Purpose.UP, Purpose.DOWN) and not patient.lacks_bucket:
            return None  # what `up` can't set up has no permissions that could be missing
        raise
    return patient.inspection.try_policy(policy) if policy["Statement"] else None


def _tell(purpose: Purpose, tried: Tried | None) -> Iterable[Remark]:
    if tried is None or tried.why_not:
        return
    lacking = sorted({one.action for one in tried.denied})
    if not lacking:
        yield fine(f"permissions-{purpose}", f"IAM allows all that `{purpose}` needs, too")
        return
    needs = f"`{purpose}` would need {name_some(lacking, SHOWN)} besides"
    yield fine(f"permissions-{purpose}", f"{needs}; `sitepub policy --for {purpose}` prints what grants it")


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
