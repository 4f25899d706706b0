"""`doctor`: looks at configuration, source, git, credentials, target, distribution and site, and says what is wrong with the way out. Writes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sitepub.checkup_here import HERE
from sitepub.checkup_permissions import check_permissions
from sitepub.checkup_remarks import Check, Patient, Remark, fine, problem
from sitepub.checkup_there import THERE, check_account
from sitepub.core.settings import BucketAddress
from sitepub.errors import ConfigurationError, SitepubError
from sitepub.interfaces import DistributionFacts
from sitepub.releases import STATE_KEY, Snapshot
from sitepub.request import Request, read_request
from sitepub.wiring import Sight
from sitepub.wiring_inspection import inspect_target


def check_up(folder: Path, config: Path | None, target: str | None, environment: Mapping[str, str]) -> tuple[Remark, ...]:
    """Raises UsageError for a target that is none; all else is a remark."""
    try:
        request = read_request(folder, config, target, environment)
    except ConfigurationError as error:
        return (problem(error),)
    sight, inspection = inspect_target(request.config, request.target, environment)
    remarks = [fine("configuration", f"`{request.config.path.name}` is read, target `{request.target.name}` is chosen")]
    snapshot, more = _read_state(sight)
    facts, about_distribution = _read_facts(request, sight, snapshot)
    patient = Patient(request, sight, inspection, snapshot, facts, any(remark.code == "no-bucket" for remark in more))
    remarks += [remark for check in HERE for remark in _run(check, patient)]
    if snapshot is None:
        return (*remarks, *_run(check_account, patient), *_run(check_permissions, patient), *more, *about_distribution)
    remarks += [*more, *about_distribution]
    remarks += [remark for check in THERE for remark in _run(check, patient)]
    return tuple(remarks)


def _run(check: Check, patient: Patient) -> list[Remark]:
    """A check that fails is a remark like any other."""
    remarks: list[Remark] = []
    try:
        remarks.extend(check(patient))
    except SitepubError as error:
        remarks.append(problem(error))
    return remarks


def _read_state(sight: Sight) -> tuple[Snapshot | None, list[Remark]]:
    where = sight.store.describe()
    try:
        snapshot = sight.releases.read_state()
        next(iter(sight.store.list(STATE_KEY)), None)
    except SitepubError as error:
        return None, [problem(error)]
    return snapshot, [fine("target", f"`{where}` can be read and listed")]


def _read_facts(request: Request, sight: Sight, snapshot: Snapshot | None) -> tuple[DistributionFacts | None, list[Remark]]:
    if snapshot is None:
        return None, []
    try:
        cdn = sight.cdn_of(snapshot.state)
        facts = cdn.facts() if cdn else None
    except SitepubError as error:
        return None, [problem(error)]
    if facts is None and isinstance(request.target.store, BucketAddress):
        return None, [fine("distribution", "the target has no distribution: nothing is invalidated")]
    return facts, []
