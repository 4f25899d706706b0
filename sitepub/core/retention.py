"""Which release a rollback goes to, and which releases `gc` keeps, each with its reason. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec import Struct

from sitepub.core.model import ReleaseId
from sitepub.core.settings import Retention
from sitepub.core.state import Release, State
from sitepub.errors import RefusedError, UsageError

GRACE = timedelta(days=1)
"""How long a release that is no longer live is kept whatever retention says: pages of it are open, and edges may still show it until the
invalidation that was accepted last is completed, which takes minutes."""


class Kept(Struct, frozen=True):
    """A release that `gc` keeps, and why. `is_shown`: not for retention alone, edges and open pages may still have it."""

    release: Release
    reason: str
    is_shown: bool = False


def choose_release(state: State, name: str | None) -> Release:
    """The release that a rollback makes live again. None: what was live before the live content, after that, what was live before that; while a
    release is begun and not finished, the live one.

    `name` is a release or a commit, either one cut short. Raises UsageError for a name that is none, or several; RefusedError where there is
    no earlier release.
    """
    if name is not None:
        return _find_named(state, name)
    if state.pending is not None:
        return _require(state.live_release)
    live = _require(state.live_release)
    shown = _find_origin(state, live)
    before = [release for release in state.releases if release.seq < shown.seq and release.manifest != live.manifest]
    if not before:
        raise RefusedError("no-earlier-release", "there is no earlier release to go back to", "`sitepub releases` lists what there is")
    return before[-1]


def choose_kept(state: State, retention: Retention, now: datetime) -> tuple[Kept, ...]:
    """Releases that `gc` keeps, oldest first: the newest ones, those of the last days, whichever keeps more, and what is still in use."""
    newest = {release.id for release in state.releases[-retention.releases :]} if retention.releases else set()
    kept = []
    for number, release in enumerate(state.releases):
        shown = _showing_reason(state, release, number, now)
        reason = _keeping_reason(state, release, number, newest, retention, now) or shown
        if reason:
            kept.append(Kept(release, reason, bool(shown)))
    return tuple(kept)


def _keeping_reason(state: State, release: Release, number: int, newest: set[ReleaseId], retention: Retention, now: datetime) -> str | None:
    """Why retention keeps it."""
    if release.id == state.live:
        return "live"
    if release.id in newest:
        return f"among the newest {retention.releases}"
    if number + 1 == len(state.releases):
        return None
    is_recent = now - parse_time(state.releases[number + 1].published_at) <= timedelta(days=retention.days)
    return f"live within {retention.days} days" if is_recent else None


def _showing_reason(state: State, release: Release, number: int, now: datetime) -> str | None:
    """Why edges or open pages may still have it, whatever retention says."""
    if release.id == state.live:
        return None
    if number + 1 == len(state.releases):
        return "live until now"
    successor = state.releases[number + 1]
    owing = {owed.seq for owed in state.owed}
    if successor.seq in owing:
        return "edges may still show it: an invalidation is owed"
    if release.seq in owing:
        return "edges may still show what it replaced: its invalidation is owed"
    if now - parse_time(successor.published_at) <= GRACE:
        return "live until a day ago"
    is_fresh = bool(successor.invalidated_at) and now - parse_time(successor.invalidated_at) <= GRACE
    return "edges may have shown it until a day ago" if is_fresh else None


def is_young(release: ReleaseId, now: datetime) -> bool:
    """By the second in its name: a run may still be at work on what its document names."""
    return now - released_at(release) <= GRACE


def released_at(release: ReleaseId) -> datetime:
    """The second in its name, by the publisher's clock."""
    return datetime.strptime(release.partition("-")[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def parse_time(published_at: str) -> datetime:
    """The inverse of how the state writes times."""
    return datetime.fromisoformat(published_at)


def _find_named(state: State, name: str) -> Release:
    by_id = [release for release in state.releases if release.id.startswith(name)]
    by_commit = [release for release in state.releases if release.commit and len(name) >= 4 and release.commit.id.startswith(name)]
    found = by_id or by_commit[-1:]
    if len(found) > 1 and name not in {release.id for release in found}:
        raise UsageError("ambiguous-release", f"`{name}` may be {', '.join(release.id for release in found)}", "write more of it")
    if by_commit and len({release.commit.id for release in by_commit if release.commit}) > 1:
        raise UsageError("ambiguous-commit", f"several published commits begin with `{name}`", "write more of it")
    if not found:
        raise UsageError(
            "unknown-release", f"`{name}` is neither a release nor a published commit", "`sitepub releases` lists what there is"
        )
    return next((release for release in found if release.id == name), found[-1])


def _find_origin(state: State, live: Release) -> Release:
    """The release whose content is live, where rollbacks made it live again."""
    by_id = {release.id: release for release in state.releases}
    shown = live
    while shown.origin is not None and shown.origin in by_id:
        shown = by_id[shown.origin]
    return shown


def _require(release: Release | None) -> Release:
    if release is None:
        raise RefusedError("no-earlier-release", "nothing was published yet", "`sitepub publish` publishes")
    return release
