"""Checks of `doctor` on this machine: source, git, hooks, and what the cache policy means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from sitepub.checkup_remarks import Check, Patient, Remark, Severity, fine
from sitepub.core.invalidation import POINTLESS_SECONDS, shared_seconds
from sitepub.core.settings import ENTRIES_BEHIND_DISTRIBUTION, ENTRIES_WITHOUT_DISTRIBUTION
from sitepub.core.state import State
from sitepub.local.checkout import find_checkout, has_git
from sitepub.local.git import explain_missing, find_repository
from sitepub.local.hooks import find_folder
from sitepub.preparing import scan, settle_host_files
from sitepub.wiring import find_distribution

HOOKS = ("pre-push", "post-receive", "post-commit", "reference-transaction")


def _check_source(patient: Patient) -> Iterable[Remark]:
    source = scan(patient.request)
    yield fine("source", f"`{source.root}` holds {len(source.files):,} files")
    _, unfit = settle_host_files(patient.request)
    for warning in source.warnings:
        yield Remark(warning.code, Severity.NOTE, warning.message, "rename it, or leave it out with `ignore`")
    for warning in unfit:
        yield Remark(warning.code, Severity.NOTE, warning.message, "the other lines hold; take this one away, or keep it for another host")


def _check_git(patient: Patient) -> Iterable[Remark]:
    config, target = patient.request.config, patient.request.target
    folder = config.path.parent
    missing = explain_missing(folder)
    if missing is not None:
        yield Remark(missing.code, Severity.PROBLEM, missing.message, "install git")
        return
    repository = find_repository(folder)
    head = repository.head(config.source if config.build else None) if repository else None
    if repository is None or head is None:
        severity = Severity.PROBLEM if target.branch else Severity.NOTE
        message = "the site is in no git repository with a commit: releases name no commit, and an older site may replace a newer one"
        yield Remark("no-repository", severity, message, "`git init`, and commit; or publish from the clone that has it")
        return
    if repository.is_shallow:
        message = "this clone is shallow: a publish fetches the history that it needs to tell which commit is newer"
        yield Remark("shallow-clone", Severity.NOTE, message, "in CI: check out with full history (`fetch-depth: 0`)")
    if target.branch and not repository.counts_as(target.branch, head):
        message = f"`{target.name}` is published from branch `{target.branch}` alone, and another commit is checked out"
        yield Remark("wrong-branch", Severity.NOTE, message, f"`git switch {target.branch}` before publishing")
    if head.is_dirty and target.branch:
        yield Remark(
            "dirty-tree", Severity.NOTE, "there are uncommitted changes to tracked files", "commit or stash them before publishing"
        )
    yield fine("git", f"commit `{head.id[:8]}` {head.subject}")


def _check_hooks(patient: Patient) -> Iterable[Remark]:
    """Hooks that run sitepub must stand where git looks and be executable, or git passes over them in silence."""
    checkout = find_checkout(patient.request.config.path.parent)
    if checkout is None or not has_git():
        return
    folder, usual = find_folder(checkout), checkout.common_dir / "hooks"
    for path in _find_own_hooks(folder):
        if path.stat().st_mode & 0o111:
            yield fine("hook", f"`{path.name}` runs sitepub")
        else:
            yield Remark("hook-not-executable", Severity.PROBLEM, f"git passes over `{path}`: it is not executable", f"`chmod +x {path}`")
    if folder.resolve() == usual.resolve():
        return
    for path in _find_own_hooks(usual):
        message = f"git passes over `{path}`: `core.hooksPath` lets it look in `{folder}`"
        yield Remark("hook-passed-over", Severity.PROBLEM, message, "run `sitepub hook install` again, or move the hook there")


def _find_own_hooks(folder: Path) -> Iterator[Path]:
    """Scripts that run sitepub, whoever wrote them."""
    paths = (folder / name for name in HOOKS)
    return (path for path in paths if path.is_file() and b"sitepub" in path.read_bytes())


def _check_cache_policy(patient: Patient) -> Iterable[Remark]:
    """How pages are cached at the edges, and what that costs."""
    config, target = patient.request.config, patient.request.target
    has_distribution = find_distribution(target, patient.snapshot.state if patient.snapshot else State()) is not None
    entries = config.cache.entries or (ENTRIES_BEHIND_DISTRIBUTION if has_distribution else ENTRIES_WITHOUT_DISTRIBUTION)
    seconds = shared_seconds((("Cache-Control", entries),))
    least = patient.facts.least_seconds if patient.facts else None
    if least and least > seconds:
        message = f"the distribution keeps every page for {least:,} seconds at least, whatever `cache.entries` says ({seconds:,.0f})"
        yield Remark("least-ttl", Severity.NOTE, message, "set the minimum TTL of its default behaviour to 0")
        seconds = least
    if not has_distribution and seconds > POINTLESS_SECONDS:
        message = f"`cache.entries` lets shared caches keep pages for {seconds:,.0f} seconds, and there is no distribution to invalidate"
        yield Remark("stale-without-distribution", Severity.NOTE, message, "leave `cache.entries` out, or name the `distribution`")
    elif not has_distribution:
        yield fine("cache-policy", "pages are asked for anew each time: nothing needs to be invalidated")
    elif seconds <= POINTLESS_SECONDS:
        yield fine(
            "cache-policy", f"edges keep pages for {seconds:,.0f} seconds: changes are seen by themselves, no path of the quota is spent"
        )
    else:
        free = config.invalidation.free_paths
        message = f"edges keep pages for {seconds:,.0f} seconds: each changed page is invalidated, {free:,} paths a month are free. "
        message += f"An `s-maxage` of {POINTLESS_SECONDS} or less in `cache.entries` needs none"
        yield fine("cache-policy", message)


HERE: tuple[Check, ...] = (_check_source, _check_git, _check_hooks, _check_cache_policy)
