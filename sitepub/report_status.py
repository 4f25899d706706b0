"""A target's state and its history, as text and JSON. Returns strings, prints nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from sitepub.core.state import Release, State
from sitepub.core.whereabouts import Whereabouts
from sitepub.report_json import to_json
from sitepub.report_whereabouts import whereabouts_as_json
from sitepub.report_words import count, some

SHOWN_COMMITS = 40


class Quota(Struct, frozen=True):
    """Of this month: paths used, free ones, and those that will be used at its end at this pace. `is_counted`: AWS told, not our own records alone;
    `unseen`: why it may have told only a part."""

    used: int | None = None
    free: int | None = None
    foreseen: int | None = None
    is_counted: bool = False
    unseen: tuple[str, ...] = ()


def status_as_json(
    target: str,
    state: State,
    unpublished: Sequence[Mapping[str, str]] | None,
    quota: Quota,
    distribution: Whereabouts | None = None,
) -> str:
    live = state.live_release
    return to_json(
        {
            "target": target,
            "live": None
            if live is None
            else {
                "release": live.id,
                "commit": live.commit.id if live.commit else None,
                "published_at": live.published_at,
                "subject": live.commit.subject if live.commit else None,
                "entries": live.entries,
                "assets": live.assets,
            },
            "pending": state.pending.release.id if state.pending else None,
            "owed": sorted({item for owed in state.owed for item in owed.items}),
            "invalidation": _quota_as_json(quota),
            "unpublished_commits": None if unpublished is None else list(unpublished),
            "distribution": None if distribution is None else whereabouts_as_json(distribution),
            **({"expires_at": state.expires_at} if state.expires_at else {}),
        }
    )


def _quota_as_json(quota: Quota) -> dict[str, object]:
    told: dict[str, object] = {"used_this_month": quota.used, "free_paths": quota.free}
    if quota.used is not None:
        told |= {"foreseen_this_month": quota.foreseen, "counted_by_aws": quota.is_counted, "not_counted": list(quota.unseen)}
    return told


def status_as_text(
    target: str,
    store: str,
    state: State,
    unpublished: Sequence[Mapping[str, str]] | None,
    quota: Quota,
    distribution: Sequence[str] = (),
) -> str:
    """`distribution`: lines about it."""
    live = state.live_release
    lines = [f"{target} ({store})"]
    lines.append(f"live: {release_line(live)}" if live else "live: nothing yet; `sitepub publish` publishes")
    if state.expires_at:
        lines.append(f"kept until {state.expires_at}")
    if state.pending is not None:
        lines.append(f"pending: {state.pending.release.id} was begun and is not finished; the next publish finishes or replaces it")
    owed = sorted({item for debt in state.owed for item in debt.items})
    if owed:
        lines.append(f"owed: {count(len(owed), 'invalidation path')} ({some(owed)}); `sitepub invalidate` or the next publish sends them")
    if quota.used is not None:
        whose = "" if quota.is_counted else " (sitepub's own: these credentials may not see others')"
        whose += f" (not all are counted: {'; '.join(quota.unseen)})" if quota.unseen else ""
        lines.append(f"invalidation paths: {quota.used:,} of {quota.free:,} this month{whose}, about {quota.foreseen:,} at this pace")
    lines += distribution
    if unpublished:
        lines.append(f"not yet published: {count(len(unpublished), 'commit')}")
        lines += [f"  {commit['id'][:8]} {commit['subject']}" for commit in unpublished[:SHOWN_COMMITS]]
    elif unpublished is not None and live is not None:
        lines.append("every commit is published")
    return "\n".join(lines)


def releases_as_json(state: State) -> str:
    """The history, newest first."""
    return to_json(
        {
            "releases": [
                {
                    "release": release.id,
                    "commit": release.commit.id if release.commit else None,
                    "subject": release.commit.subject if release.commit else None,
                    "published_at": release.published_at,
                    "live": release.id == state.live,
                    "entries": release.entries,
                    "assets": release.assets,
                    "origin": release.origin,
                }
                for release in reversed(state.releases)
            ]
        }
    )


def releases_as_text(state: State, store: str) -> str:
    if not state.releases:
        return f"nothing was published to {store} yet"
    lines = []
    for release in reversed(state.releases):
        mark = "*" if release.id == state.live else " "
        back = f"  (back to {release.origin})" if release.origin else ""
        lines.append(f"{mark} {release_line(release)}{back}")
    return "\n".join(lines)


def release_line(release: Release) -> str:
    subject = f"  {release.commit.id[:8]} {release.commit.subject}" if release.commit else ""
    return f"{release.id}  {release.published_at}  {count(release.entries, 'entry')}, {count(release.assets, 'asset')}{subject}"
