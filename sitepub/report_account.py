"""What a plan or a publish has to say, as text for people and JSON for scripts. Returns it, prints nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from sitepub.core.change_folding import Fold, fold_changes, mark_of
from sitepub.core.changes import Action, Change, Summary
from sitepub.core.cost import Requests, price
from sitepub.core.model import Commit, ReleaseId, Warning
from sitepub.edges import Invalidated
from sitepub.report_invalidation import invalidation_as_json, invalidation_lines, owing
from sitepub.report_json import structs_to_json
from sitepub.report_words import count, money, size, some

SHOWN_CHANGES = 40
"""Changes that a plan names one by one; more are folded, and `-v` names all."""

SHOWN_FOLDS = 20


class PreviewPlace(Struct, frozen=True):
    """Where a preview of target `of` is seen, and until when it is kept."""

    name: str
    of: str
    url: str
    expires_at: str


class Account(Struct, frozen=True):
    """What a plan or a publish has to say, whichever of them it was. `is_free`: the store is a folder; `at_once`: requests that the line and the server bore at once."""

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
    preview: PreviewPlace | None = None
    at_once: int | None = None

    @property
    def puts(self) -> list[Change]:
        return [change for change in self.changes if change.action is Action.PUT]

    @property
    def cost(self) -> float:
        """In USD."""
        return 0.0 if self.is_free else price(self.requests, self.puts)


def account_as_json(account: Account, *, is_line: bool = False) -> bytes:
    """The object that the contract of `plan` and `publish` fixes, plus `cost`, and `preview` of one."""
    return structs_to_json(
        {
            "target": account.preview.of if account.preview else account.target,
            **_preview_as_json(account.preview),
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
            "changes": account.changes,
            "invalidation": invalidation_as_json(account.invalidation, account.free_paths),
            "requests": {"store": account.requests.store, "cdn": account.requests.cdn},
            "cost": {"usd": round(account.cost, 6)},
            "warnings": [warning.message for warning in account.warnings] + owing(account.invalidation),
            "seconds": round(account.seconds, 3),
        },
        is_line=is_line,
    )


def _preview_as_json(preview: PreviewPlace | None) -> Mapping[str, object]:
    if preview is None:
        return {}
    return {"preview": {"name": preview.name, "url": preview.url, "expires_at": preview.expires_at}}


def account_as_text(account: Account, *, verbose: bool = False) -> str:
    """A plan or publish at a glance: what changes and why, what it moves, what it invalidates."""
    lines = [_headline(account)]
    lines += list(_change_lines(account.changes, verbose))
    if account.changes:
        lines.append(_totals(account))
    if verbose and account.at_once is not None:
        lines.append(f"up to {count(account.at_once, 'request')} at once")
    lines += list(_invalidation_lines(account))
    if account.preview is not None:
        lines.append(f"preview at {account.preview.url}, kept until {account.preview.expires_at}")
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
    """One line a warning; or those of one subject by the first of them, and of each kind the first ten."""
    lines: list[str] = []
    by_code: dict[str, dict[str, list[Warning]]] = {}
    for warning in warnings:
        subject = warning.message if verbose else warning.subject or warning.message
        by_code.setdefault(warning.code, {}).setdefault(subject, []).append(warning)
    for code, by_subject in by_code.items():
        groups = list(by_subject.values())
        shown = groups if verbose else groups[:10]
        lines += [f"warning: {first.message}{f'; so do {len(others):,} more' if others else ''}" for first, *others in shown]
        if len(groups) > len(shown):
            lines.append(f"warning: {len(groups) - len(shown):,} more of `{code}`; `-v` shows them all")
    return "\n".join(lines)


def _headline(account: Account) -> str:
    where = f"{account.target} ({account.store})"
    if not account.changes:
        return f"{where}: nothing to publish, {account.summary.unchanged:,} unchanged"
    if account.is_dry_run:
        return f"plan for {where}"
    commit = f" from commit {account.commit.id[:8]}" if account.commit else ""
    return f"published {account.release}{commit} to {where} in {account.seconds:.1f} s"


def _change_lines(changes: Sequence[Change], verbose: bool) -> Iterable[str]:
    """Pages and assets first, aliases only with -v: they follow from their assets. Too many to be read are folded."""
    named = [change for change in changes if verbose or change.kind != "alias"]
    aliases = len(changes) - len(named)
    if verbose or len(named) <= SHOWN_CHANGES:
        yield from _each_change_line(named)
    else:
        yield from _fold_lines(fold_changes(named, most=SHOWN_FOLDS))
        yield f"    {count(len(named), 'change')} in all; `-v` names each"
    if aliases:
        yield f"    and {count(aliases, 'plain name')} of these assets, for references that no tool can see"


def _each_change_line(changes: Sequence[Change]) -> Iterable[str]:
    width = min(60, max((len(change.key) for change in changes), default=0))
    for change in changes:
        tail = f"  {size(change.bytes)}" if change.action is not Action.DELETE else ""
        yield f"  {mark_of(change)} {change.key:<{width}}  {change.reason}{tail}"


def _fold_lines(folds: Sequence[Fold]) -> Iterable[str]:
    """A fold of one is that change."""
    named = [fold.changes[0].key if len(fold.changes) == 1 else f"{fold.folder or './'}…" for fold in folds]
    counted = ["" if len(fold.changes) == 1 else count(len(fold.changes), "file") for fold in folds]
    width, column = min(60, max(map(len, named))), max(map(len, counted))
    for fold, name, number in zip(folds, named, counted, strict=True):
        tail = f"  {size(fold.bytes)}" if fold.mark != "-" else ""
        yield f"  {fold.mark} {name:<{width}}  {number:>{column}}  {fold.reason}{tail}"


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
