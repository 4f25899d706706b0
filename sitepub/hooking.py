"""From a target to the hook that publishes it, and what that hook does when git runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from sitepub.core.hook_scripts import DEFAULT, Hook, HookKind
from sitepub.core.previews import find_root, find_url_pattern
from sitepub.core.settings import BucketAddress, Config, Target
from sitepub.core.workflow_jobs import Workflow
from sitepub.errors import ConfigurationError, ExitStatus, RefusedError
from sitepub.local.checkout import Checkout, find_checkout
from sitepub.local.git import Repository
from sitepub.local.hook_log import Run, forget_pushed, keep_run, log_path, trim

LOCK_SECONDS = 600

_SETTLED = (ExitStatus.FINE, ExitStatus.OWED)
"""How a publish ends after which its push is dealt with."""


def require_checkout(folder: Path) -> Checkout:
    checkout = find_checkout(folder)
    if checkout is None:
        raise ConfigurationError("outside-git", f"`{folder}` is in no git repository", "run it in the site's repository")
    return checkout


class Asked(Struct, frozen=True):
    """`folder` holds sitepub.yaml, or is a bare repository; `config`: its name, '' where it is looked for; `target` '': the default one of
    each commit; `branch` None: the one that is checked out."""

    folder: Path
    config: str
    target: str
    branch: str | None


def make_hook(kind: HookKind, checkout: Checkout, asked: Asked) -> Hook:
    """Raises RefusedError where nothing says which branch is meant, or the kind does not fit the repository."""
    if (kind is HookKind.POST_RECEIVE) != checkout.is_bare:
        is_bare = kind is HookKind.POST_RECEIVE
        message = "only a bare repository receives pushes" if is_bare else "nobody pushes from a bare repository"
        hint = "`--post-push` publishes after a push from here" if is_bare else "`--post-receive` publishes what is pushed to it"
        raise RefusedError("wrong-hook", message, hint)
    repository = Repository(checkout)
    branch = asked.branch or repository.current_branch()
    if branch is None:
        message = f"`{asked.target}` has no `branch:`, and no branch is checked out"
        raise RefusedError("no-branch", message, "add `branch:` to the target")
    ref = repository.tracking_ref(branch) if kind is HookKind.POST_PUSH else f"refs/heads/{branch}"
    records = str(checkout.common_dir / "sitepub")
    return Hook(kind, sys.executable, str(asked.folder), asked.config, asked.target, branch, ref, records)


def describe_workflow(checkout: Checkout, config: Config, target: Target) -> Workflow:
    """What a workflow for this target has to know."""
    branch = target.branch or Repository(checkout).current_branch() or "main"
    folder = os.path.relpath(os.path.realpath(config.path.parent), os.path.realpath(checkout.root))
    root = find_root(config, target)
    return Workflow(
        branch=branch,
        target=target.name,
        folder=folder,
        region=_region_of(target),
        preview_region=_region_of(root),
        builds=config.build is not None,
        preview_url=find_url_pattern(config, target),
        days=config.previews.days,
    )


def _region_of(target: Target) -> str:
    return (target.region or "") if isinstance(target.store, BucketAddress) else ""


def run_hook(kind: HookKind, folder: Path, config: Path | None, target: str | None, commit: str, environment: Mapping[str, str]) -> int:
    """What git's hook starts. After a push nobody looks, so all goes to the log; else the pusher sees it."""
    records = require_checkout(folder).common_dir / "sitepub"
    records.mkdir(parents=True, exist_ok=True)
    words = [sys.executable, "-P", "-m", "sitepub", "publish", "-C", str(folder), "--ref", commit]
    words += ["--target", target] if target else []
    words += ["--config", str(config)] if config else []
    if kind is HookKind.PRE_PUSH:
        return subprocess.run([*words, "--dry-run", "-q"], env=dict(environment), stdin=subprocess.DEVNULL, check=False).returncode
    words += ["--lock-timeout", str(LOCK_SECONDS)]
    if kind is HookKind.POST_RECEIVE:
        return _record(records, target or DEFAULT, commit, words, environment, log=None)
    # the terminal that pushed may go, and its Ctrl-C is not ours
    if os.getpgid(0) != os.getpid():
        os.setsid()
    status = _record(records, target or DEFAULT, commit, words, environment, log=log_path(records, target or DEFAULT))
    if status not in _SETTLED:
        # git tells of the same push again, be it that nothing new was pushed: then it is tried again
        forget_pushed(records, target or DEFAULT, commit)
    return status


def _record(records: Path, target: str, commit: str, words: list[str], environment: Mapping[str, str], *, log: Path | None) -> int:
    started = _now()
    keep_run(records, Run(target, commit, started))
    if log is None:
        status = subprocess.run(words, env=dict(environment), stdin=subprocess.DEVNULL, check=False).returncode
    else:
        with log.open("ab") as output:
            output.write(f"--- {started} publishing {commit} to {target}\n".encode())
            output.flush()
            status = subprocess.run(
                words, env=dict(environment), stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False
            ).returncode
            again = "" if status in _SETTLED else "; pushing again, or `sitepub publish`, tries again"
            output.write(f"--- {_now()} exit status {status}{again}\n".encode())
        trim(log)
    keep_run(records, Run(target, commit, started, _now(), status))
    return status


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
