"""Decisions and receipts as text for people and JSON for scripts. Returns strings, prints nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sitepub.core.collection import Doomed, Sweep
from sitepub.core.cost import Requests, price
from sitepub.core.forgetting import Forgetting
from sitepub.core.model import Commit, ReleaseId, Warning
from sitepub.core.plan import Action, Change, Summary
from sitepub.core.state import Release, State
from sitepub.errors import SitepubError
from sitepub.invalidating import Invalidated
from sitepub.report_invalidation import invalidation_as_json, invalidation_lines, owing
from sitepub.report_words import count, some

if TYPE_CHECKING:
    from sitepub.site_explaining import Story

SHOWN_CHANGES = 40
"""Changes that a plan names one by one before it sums up the rest; `-v` names all."""

SHOWN_MENTIONS = 15
SHOWN_KEPT = 10

MARKS: Mapping[str, str] = {"put": "+", "copy": "+", "delete": "-"}


@dataclass(frozen=True, slots=True)
class Account:
    """What a plan or a publish has to say, whichever of them it was. `is_free`: the store is a folder."""

    target: str
    store: str
    release: ReleaseId | None
    commit: Commit | None
    is_dry_run: bool
    summary: Summary
    changes: Sequence[Change]
    invalidation: Invalidated
    free_paths: int | None
    requests: Requests
    warnings: Sequence[Warning]
    seconds: float
    is_free: bool = False

    @property
    def puts(self) -> list[Change]:
        return [change for change in self.changes if change.action is Action.PUT]

    @property
    def cost(self) -> float:
        """In USD."""
        return 0.0 if self.is_free else price(self.requests, self.puts)


@dataclass(frozen=True, slots=True)
class Quota:
    """Of this month: paths used, free ones, and those that will be used at its end at this pace. `is_counted`: AWS told, not our own records alone."""

    used: int | None = None
    free: int | None = None
    foreseen: int | None = None
    is_counted: bool = False


@dataclass(frozen=True, slots=True)
class Explained:
    """One file's story, and `fates`: what a publish would do with each of its keys, and why."""

    story: Story
    fates: tuple[tuple[str, str], ...]


def account_as_json(account: Account, *, is_line: bool = False) -> str:
    """The object that the contract of `plan` and `publish` fixes, plus `cost`."""
    return to_json(
        {
            "target": account.target,
            "release": account.release,
            "commit": account.commit.id if account.commit else None,
            "dry_run": account.is_dry_run,
            "summary": {
                "new": account.summary.new,
                "changed": account.summary.changed,
                "headers": account.summary.headers,
                "removed": account.summary.removed,
                "unchanged": account.summary.unchanged,
            },
            "upload": {"objects": len(account.puts), "bytes": sum(change.bytes for change in account.puts)},
            "changes": [_change_as_json(change) for change in account.changes],
            "invalidation": invalidation_as_json(account.invalidation, account.free_paths),
            "requests": {"store": account.requests.store, "cdn": account.requests.cdn},
            "cost": {"usd": round(account.cost, 6)},
            "warnings": [warning.message for warning in account.warnings] + owing(account.invalidation),
            "seconds": round(account.seconds, 3),
        },
        is_line=is_line,
    )


def error_as_json(error: SitepubError, *, is_line: bool = False) -> str:
    return to_json({"error": {"code": error.code, "message": error.message, "hint": error.hint}}, is_line=is_line)


def to_json(document: object, *, is_line: bool = False) -> str:
    """`is_line`: for commands that go on, one object a line."""
    return json.dumps(document, indent=None if is_line else 1, ensure_ascii=False)


def account_as_text(account: Account, *, verbose: bool = False) -> str:
    """A plan or publish at a glance: what changes and why, what it moves, what it invalidates."""
    lines = [_headline(account)]
    lines += list(_change_lines(account.changes, verbose))
    if account.changes:
        lines.append(_totals(account))
    lines += list(_invalidation_lines(account))
    if account.is_dry_run and account.changes and not account.is_free:
        cdn = f", {count(account.requests.cdn, 'request')} to CloudFront" if account.requests.cdn else ""
        lines.append(f"{count(account.requests.store, 'request')} to the store{cdn}, {money(account.cost)}")
    return "\n".join(lines)


def turn_as_text(account: Account) -> str:
    """One publish of many, in a line."""
    if not account.changes:
        told = [f"nothing to publish, {account.summary.unchanged:,} unchanged"]
    else:
        named = [change.key for change in account.changes if change.kind != "alias"]
        verb = "would publish" if account.is_dry_run else "published"
        told = [f"{verb} {some(named)}" if named else f"{verb} {count(len(account.changes), 'plain name')}", _totals(account)]
    return "; ".join([*told, *map(str.strip, _invalidation_lines(account))]) + f" ({account.seconds:.1f} s)"


def warnings_as_text(warnings: Iterable[Warning], *, verbose: bool = False) -> str:
    """One line a warning; many of one kind are summed up after the first ten."""
    lines: list[str] = []
    by_code: dict[str, list[Warning]] = {}
    for warning in warnings:
        by_code.setdefault(warning.code, []).append(warning)
    for code, group in by_code.items():
        shown = group if verbose else group[:10]
        lines += [f"warning: {warning.message}" for warning in shown]
        if len(group) > len(shown):
            lines.append(f"warning: {len(group) - len(shown)} more of `{code}`; `-v` shows them all")
    return "\n".join(lines)


def release_line(release: Release) -> str:
    subject = f"  {release.commit.id[:8]} {release.commit.subject}" if release.commit else ""
    return f"{release.id}  {release.published_at}  {count(release.entries, 'entry')}, {count(release.assets, 'asset')}{subject}"


def status_as_json(target: str, state: State, unpublished: Sequence[Mapping[str, str]] | None, quota: Quota) -> str:
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
        }
    )


def _quota_as_json(quota: Quota) -> dict[str, object]:
    told: dict[str, object] = {"used_this_month": quota.used, "free_paths": quota.free}
    if quota.used is not None:
        told |= {"foreseen_this_month": quota.foreseen, "counted_by_aws": quota.is_counted}
    return told


def status_as_text(target: str, store: str, state: State, unpublished: Sequence[Mapping[str, str]] | None, quota: Quota) -> str:
    live = state.live_release
    lines = [f"{target} ({store})"]
    lines.append(f"live: {release_line(live)}" if live else "live: nothing yet; `sitepub publish` publishes")
    if state.pending is not None:
        lines.append(f"pending: {state.pending.release.id} was begun and is not finished; the next publish finishes or replaces it")
    owed = sorted({item for debt in state.owed for item in debt.items})
    if owed:
        lines.append(f"owed: {count(len(owed), 'invalidation path')} ({some(owed)}); `sitepub invalidate` or the next publish sends them")
    if quota.used is not None:
        whose = "" if quota.is_counted else " (sitepub's own: these credentials may not see others')"
        lines.append(f"invalidation paths: {quota.used:,} of {quota.free:,} this month{whose}, about {quota.foreseen:,} at this pace")
    if unpublished:
        lines.append(f"not yet published: {count(len(unpublished), 'commit')}")
        lines += [f"  {commit['id'][:8]} {commit['subject']}" for commit in unpublished[:SHOWN_CHANGES]]
    elif unpublished is not None and live is not None:
        lines.append("every commit is published")
    return "\n".join(lines)


def money(usd: float) -> str:
    """US dollars for people."""
    return f"about ${usd:.4f}" if usd >= 0.0001 else "less than $0.0001"


def size(bytes: int) -> str:
    """Bytes for people, in powers of 1,000."""
    amount = float(bytes)
    for unit in ("B", "KB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 100 else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def _change_as_json(change: Change) -> dict[str, object]:
    return {
        "key": change.key,
        "source": change.source,
        "kind": change.kind,
        "action": change.action,
        "reason": change.reason,
        "bytes": change.bytes,
    }


def _headline(account: Account) -> str:
    where = f"{account.target} ({account.store})"
    if not account.changes:
        return f"{where}: nothing to publish, {account.summary.unchanged:,} unchanged"
    if account.is_dry_run:
        return f"plan for {where}"
    commit = f" from commit {account.commit.id[:8]}" if account.commit else ""
    return f"published {account.release}{commit} to {where} in {account.seconds:.1f} s"


def _change_lines(changes: Sequence[Change], verbose: bool) -> Iterable[str]:
    """Pages and assets first, aliases only with -v: they follow from their assets."""
    named = [change for change in changes if verbose or change.kind != "alias"]
    aliases = len(changes) - len(named)
    shown = named if verbose else named[:SHOWN_CHANGES]
    width = min(60, max((len(change.key) for change in shown), default=0))
    for change in shown:
        mark = "~" if change.action is not Action.DELETE and change.reason != "new" else MARKS[change.action]
        tail = f"  {size(change.bytes)}" if change.action is not Action.DELETE else ""
        yield f"  {mark} {change.key:<{width}}  {change.reason}{tail}"
    if len(named) > len(shown):
        yield f"    … and {len(named) - len(shown):,} more; `-v` shows them all"
    if aliases:
        yield f"    and {count(aliases, 'plain name')} of these assets, for references that no tool can see"


def _totals(account: Account) -> str:
    summary = account.summary
    parts = [(summary.new, "new"), (summary.changed, "changed"), (summary.headers, "with new headers"), (summary.removed, "removed")]
    told = ", ".join(f"{number:,} {what}" for number, what in parts if number)
    moved = sum(change.bytes for change in account.puts)
    verb = "to upload" if account.is_dry_run else "uploaded"
    uploaded = f"; {size(moved)} {verb} in {count(len(account.puts), 'object')}" if account.puts else ""
    return f"{told}, {summary.unchanged:,} unchanged{uploaded}"


def _invalidation_lines(account: Account) -> Iterable[str]:
    invalidation = account.invalidation
    if not invalidation.items:
        return
    yield from invalidation_lines(invalidation, account.free_paths, is_dry_run=account.is_dry_run)


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


def sweep_as_json(sweep: Sweep, *, left: Sequence[str] = (), invalidation: Invalidated | None = None, is_dry_run: bool) -> str:
    sent = invalidation or Invalidated()
    return to_json(
        {
            "dry_run": is_dry_run,
            "kept": [{"release": kept.release.id, "reason": kept.reason} for kept in sweep.kept],
            "deleted": [
                {"key": _full_key(doomed), "reason": doomed.reason, "bytes": doomed.size}
                for doomed in sweep.doomed
                if doomed.key not in left
            ],
            "left": list(left),
            "deferred": sweep.deferred,
            "invalidation": {"items": list(sent.items), "state": sent.state, "id": sent.id},
        }
    )


def sweep_as_text(sweep: Sweep, *, left: Sequence[str] = (), is_dry_run: bool, verbose: bool = False) -> str:
    """What is deleted and why, by reason; each key with -v."""
    lines = [f"keeps {count(len(sweep.kept), 'release')}"]
    lines += [f"  {kept.release.id}  {kept.reason}" for kept in (sweep.kept if verbose else sweep.kept[-SHOWN_KEPT:])]
    gone = [doomed for doomed in sweep.doomed if doomed.key not in left]
    verb = "would delete" if is_dry_run else "deleted"
    lines.append(f"{verb} {count(len(gone), 'object')}, {size(sum(doomed.size for doomed in gone))}" if gone else "nothing to delete")
    if verbose:
        lines += [f"  - {_full_key(doomed)}  {doomed.reason}  {size(doomed.size)}" for doomed in gone]
    else:
        reasons = sorted({doomed.reason for doomed in gone})
        lines += [f"  {count(sum(doomed.reason == reason for doomed in gone), 'object')}: {reason}" for reason in reasons]
    lines += [f"left alone: `{key}`, which someone else has changed" for key in left]
    if sweep.deferred:
        lines.append(f"a later run deletes {count(sweep.deferred, 'hashed file')} that these may still load")
    return "\n".join(lines)


def forgetting_as_json(
    forgetting: Forgetting, *, left: Sequence[str] = (), invalidation: Invalidated | None = None, is_dry_run: bool
) -> str:
    sent = invalidation or Invalidated()
    return to_json(
        {
            "dry_run": is_dry_run,
            "releases": sorted(forgetting.documents),
            "keys": [key for key in forgetting.site if key not in left],
            "left": list(left),
            "packs": len(forgetting.packs),
            "invalidation": {"items": list(sent.items), "state": sent.state, "id": sent.id},
        }
    )


def forgetting_as_text(forgetting: Forgetting, *, left: Sequence[str] = (), is_dry_run: bool) -> str:
    if forgetting.is_nothing:
        return "nothing of that is in any release"
    verb = "would take it" if is_dry_run else "took it"
    lines = [f"{verb} out of {count(len(forgetting.documents), 'release')} and {count(len(forgetting.packs), 'pack')}"]
    lines += [f"  - {key}" for key in forgetting.site if key not in left]
    lines += [f"left alone: `{key}`, which someone else has changed" for key in left]
    return "\n".join(lines)


def _full_key(doomed: Doomed) -> str:
    return f".sitepub/{doomed.key}" if doomed.is_record else doomed.key


def story_as_json(explained: Explained) -> str:
    story = explained.story
    return to_json(
        {
            "path": story.path,
            "key": story.key,
            "kind": story.kind,
            "class": story.file_class,
            "rule": story.rule,
            "headers": dict(story.headers),
            "referenced_by": [{"file": mention.file, "line": mention.line, "as": mention.how} for mention in story.referenced_by],
            "refers_to": [{"file": mention.file, "line": mention.line, "as": mention.how} for mention in story.refers_to],
            "reason": story.reason,
            "publish": dict(explained.fates),
        }
    )


def story_as_text(explained: Explained, *, verbose: bool = False) -> str:
    """One file's story, a line a fact; long lists of referrers are cut without -v."""
    story = explained.story
    lines: list[str] = [story.path]
    lines.append(f"  key: {story.key}" if story.key else "  is left out")
    lines.append(f"  class: {story.file_class}, because {story.reason}")
    if story.has_alias:
        lines.append(f"  also under its plain name: {story.path}")
    lines.append(f"  headers, by {story.rule}:")
    lines += [f"    {name}: {value}" for name, value in story.headers]
    for title, mentions in (("referred to by", story.referenced_by), ("refers to", story.refers_to)):
        shown = mentions if verbose else mentions[:SHOWN_MENTIONS]
        if mentions:
            lines.append(f"  {title}:")
        lines += [f"    {mention.file}{f':{mention.line}' if mention.line else ''} ({mention.how})" for mention in shown]
        if len(mentions) > len(shown):
            lines.append(f"    … and {len(mentions) - len(shown):,} more; `-v` shows them all")
    if not story.referenced_by:
        lines.append("  nothing refers to it")
    lines.append("  a publish now:")
    lines += [f"    {key}: {fate}" for key, fate in explained.fates]
    return "\n".join(lines)
