"""sitepub from Python: plan, publish, roll back and look, as typed frozen values. The commands are users of it. docs/library.md says what of it stays."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from sitepub.errors import UsageError

if TYPE_CHECKING:
    from sitepub.interfaces import Progress
    from sitepub.looking import Seen
    from sitepub.preparing import Prepared
    from sitepub.releases import Snapshot
    from sitepub.report_account import Account
    from sitepub.restoring import Restored
    from sitepub.trying import Trial
    from sitepub.wiring import Opened, Sight
    from sitepub.wishes import Permits

PERMITS = ("shrink", "foreign", "diverged", "older", "dirty", "broken")
"""What a publish can be allowed beyond the usual (`allow`, `--allow`)."""

Witness = Callable[["Account", "Prepared"], None]
"""Is shown what was accounted for, while that which it was made from is still there."""


class Silence:
    """Progress of which nobody is told."""

    def stage(self, name: str, *, total_files: int | None = None, total_bytes: int | None = None) -> None:
        return None

    def advance(self, *, files: int = 0, bytes: int = 0) -> None:
        return None

    def note(self, message: str) -> None:
        return None


class Where(Struct, frozen=True):
    """Which site and target. `config` None: the next sitepub.yaml in `folder` or above; `target` None: the default one, or the only one."""

    folder: Path
    config: Path | None
    target: str | None
    environment: Mapping[str, str]


def plan(
    folder: str | Path = ".",
    *,
    config: str | Path | None = None,
    target: str | None = None,
    preview: str | None = None,
    build: bool = True,
    environment: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> Account:
    """What a publish would do now, and why. Writes nothing to the target. Raises SitepubError."""
    where = _find(folder, config, target, environment)
    return plan_at(where, progress or Silence(), preview=preview, build=build)


def publish(
    folder: str | Path = ".",
    *,
    config: str | Path | None = None,
    target: str | None = None,
    preview: str | None = None,
    ref: str | None = None,
    build: bool = True,
    allow: Collection[str] = (),
    wait: bool = False,
    lock_timeout: float = 600,
    environment: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> Account:
    """Makes the site live, and tells what was done. `allow` as `--allow`, `ref` as `--ref`. Raises SitepubError; where the invalidation could
    not be sent it raises nothing, and `invalidation.state` is `owed`."""
    where = _find(folder, config, target, environment)
    return publish_at(
        where, progress or Silence(), preview=preview, ref=ref, build=build, allow=allow, wait=wait, lock_timeout=lock_timeout
    )


def rollback(
    folder: str | Path = ".",
    to: str | None = None,
    *,
    config: str | Path | None = None,
    target: str | None = None,
    wait: bool = False,
    lock_timeout: float = 600,
    environment: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> Account:
    """Makes an earlier release live again: `to` is a release or a commit, without it what was live before the live content. Raises SitepubError."""
    where = _find(folder, config, target, environment)
    return rollback_at(where, progress or Silence(), to, wait=wait, lock_timeout=lock_timeout).account


def status(
    folder: str | Path = ".",
    *,
    config: str | Path | None = None,
    target: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Seen:
    """What is live, pending, owed and not yet published. Raises SitepubError."""
    from sitepub.looking import look

    where = _find(folder, config, target, environment)
    return look(where.folder, where.config, where.target, where.environment)


def _find(folder: str | Path, config: str | Path | None, target: str | None, environment: Mapping[str, str] | None) -> Where:
    return Where(
        Path(folder).absolute(), Path(config) if config is not None else None, target, os.environ if environment is None else environment
    )


# ---- what the commands use, which show more of it


def plan_at(
    where: Where,
    progress: Progress,
    *,
    preview: str | None = None,
    build: bool = True,
    show_build: bool = False,
    started: float | None = None,
    witness: Witness | None = None,
) -> Account:
    """As `plan`. `started`: when it began, by time.monotonic; `witness`: for it the whole site is built."""
    from sitepub import preparing, wiring
    from sitepub.request import read_request

    started = time.monotonic() if started is None else started
    request = read_request(
        *(where.folder, where.config, where.target, where.environment), build=build, show_build=show_build, preview=preview
    )
    sight = wiring.look_at_target(request.config, request.target, where.environment)
    prepared = preparing.prepare(replace(request, is_plan=True), sight, progress, may_patch=witness is None)
    account = _foresee(prepared, sight, started)
    if witness is not None:
        witness(account, prepared)
    return account


def publish_at(
    where: Where,
    progress: Progress,
    *,
    preview: str | None = None,
    ref: str | None = None,
    build: bool = True,
    show_build: bool = False,
    allow: Collection[str] = (),
    wait: bool = False,
    lock_timeout: float = 600,
    dry_run: bool = False,
    started: float | None = None,
    witness: Witness | None = None,
) -> Account:
    """As `publish`. `dry_run` writes nothing; `show_build`: its output is shown; `started` and `witness` as in plan_at."""
    from sitepub import preparing, wiring
    from sitepub.request import at_commit, read_request

    started = time.monotonic() if started is None else started
    asked = read_request(
        *(where.folder, where.config, where.target, where.environment),
        permits=make_permits(allow),
        build=build,
        show_build=show_build,
        revision=ref,
        preview=preview,
    )
    with at_commit(asked, ref) as request:
        opened = wiring.open_target(request.config, request.target, where.environment)
        if dry_run:
            prepared = preparing.prepare(request, opened.sight, progress, may_patch=witness is None)
            account = _foresee(prepared, opened.sight, started)
        else:
            try_target = partial(_begin_trial, opened)
            prepared = preparing.prepare(request, opened.sight, progress, may_patch=witness is None, try_target=try_target)
            account = _carry_out(prepared, opened, progress, lock_timeout=lock_timeout, wait=wait, started=started)
        if witness is not None:
            witness(account, prepared)
    return account


def make_permits(allowed: Collection[str]) -> Permits:
    """From names in PERMITS. Raises UsageError for another one."""
    from sitepub.wishes import Permits

    unknown = sorted(set(allowed) - set(PERMITS))
    if unknown:
        raise UsageError("usage", f"there is no permit `{unknown[0]}`", f"known are {', '.join(PERMITS)}")
    return Permits(**{name: name in allowed for name in PERMITS})


def _begin_trial(opened: Opened, snapshot: Snapshot) -> Trial | None:
    """What tries a bucket is imported only before a first publish to one."""
    from sitepub.core.settings import BucketAddress

    if not snapshot.state.is_blank or not isinstance(opened.target.store, BucketAddress):
        return None
    from sitepub.trying import Trial

    return Trial(opened, snapshot)


def _foresee(prepared: Prepared, sight: Sight, started: float) -> Account:
    """What would be done. What plans is imported only where there is something to plan."""
    from sitepub.unchanged import account_of_nothing

    account = account_of_nothing(prepared, sight, started=started, is_dry_run=True)
    if account is None:
        from sitepub import publishing

        account = publishing.foresee(prepared, sight, started=started)
    return account


def _carry_out(prepared: Prepared, opened: Opened, progress: Progress, *, lock_timeout: float, wait: bool, started: float) -> Account:
    """What was done. What plans and writes is imported only where there is something to write."""
    from sitepub.unchanged import account_of_nothing

    account = account_of_nothing(prepared, opened.sight, started=started, is_dry_run=False)
    if account is None:
        from sitepub import publishing

        account = publishing.carry_out(prepared, opened, progress, lock_timeout=lock_timeout, wait=wait, started=started)
    return account


def rollback_at(
    where: Where,
    progress: Progress,
    to: str | None,
    *,
    wait: bool = False,
    lock_timeout: float = 600,
    dry_run: bool = False,
    started: float | None = None,
) -> Restored:
    """As `rollback`, with the release that is made live again."""
    from sitepub import restoring, wiring
    from sitepub.request import read_request

    started = time.monotonic() if started is None else started
    request = read_request(where.folder, where.config, where.target, where.environment)
    opened = wiring.open_target(request.config, request.target, where.environment)
    if dry_run:
        return restoring.foresee_rollback(request, opened.sight, to, started=started)
    return restoring.roll_back(request, opened, to, progress, lock_timeout=lock_timeout, wait=wait, started=started)
