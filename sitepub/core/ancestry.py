"""Newest wins: whether a commit may replace the one that is live. Decides by what git says of the two, and by nothing else."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from sitepub.core.model import Commit, Warning
from sitepub.errors import HeldError, RefusedError, SitepubError


class Relation(StrEnum):
    """What a commit is to the live one. UNKNOWN: the history between them can't be read here."""

    SAME = "same"
    NEWER = "newer"
    OLDER = "older"
    DIVERGED = "diverged"
    UNKNOWN = "unknown"


class Allows(Protocol):
    """What the user allows (`--allow older`, `--allow diverged`)."""

    @property
    def older(self) -> bool: ...

    @property
    def diverged(self) -> bool: ...


class Order(Struct, frozen=True):
    """`stop` is the error to raise; None where the publish may go on. `reason` is for people either way."""

    reason: str
    stop: SitepubError | None = None
    warnings: tuple[Warning, ...] = ()


def needs_remote_tip(relation: Relation) -> bool:
    """Whether `decide_order` asks for the tip of the remote's branch, which costs a question to the remote."""
    return relation in (Relation.OLDER, Relation.DIVERGED, Relation.UNKNOWN)


def decide_order(relation: Relation, *, mine: Commit | None, live: Commit | None, is_remote_tip: bool, allows: Allows) -> Order:
    """`is_remote_tip`: `mine` is the tip of the branch that the target names, at the remote: the newest, even where history was rewritten."""
    if live is None:
        return Order("nothing with a commit is live")
    if mine is None:
        meaning = f"`{show_commit(live)}` is live, and the source is in no git repository: nothing tells whether it is newer"
        return Order("the source has no commit", warnings=(Warning("no-order", meaning),))
    if relation is Relation.SAME:
        return Order("the same commit is live")
    if relation is Relation.NEWER:
        return Order(f"`{show_commit(mine)}` follows `{show_commit(live)}`")
    if is_remote_tip:
        return Order(f"`{show_commit(mine)}` is the tip of the remote's branch")
    if relation is Relation.OLDER:
        return _judge_older(f"`{show_commit(live)}`, which is live, follows `{show_commit(mine)}`", allows)
    if relation is Relation.DIVERGED:
        return _judge_diverged(mine, live, allows)
    return _judge_by_date(mine, live, allows)


def show_commit(commit: Commit) -> str:
    """As messages name it."""
    return commit.id[:8]


def _judge_older(reason: str, allows: Allows) -> Order:
    if allows.older:
        return Order(f"{reason}; going back is allowed")
    return Order(reason, HeldError("newer-is-live", reason, "`git pull` and publish again; `--allow older` goes back all the same"))


def _judge_diverged(mine: Commit, live: Commit, allows: Allows) -> Order:
    reason = f"`{show_commit(mine)}` does not contain `{show_commit(live)}`, which is live"
    if allows.diverged:
        return Order(f"{reason}; this is allowed")
    return Order(
        reason, RefusedError("diverged", reason, "merge or rebase, and publish again; `--allow diverged` publishes it all the same")
    )


def _judge_by_date(mine: Commit, live: Commit, allows: Allows) -> Order:
    how = "the history between them is not here and can't be fetched, so their committer dates decide"
    if mine.committed_at < live.committed_at:
        return _judge_older(f"`{show_commit(live)}`, which is live, is younger than `{show_commit(mine)}`; {how}", allows)
    reason = f"`{show_commit(mine)}` is not older than `{show_commit(live)}`, which is live"
    return Order(reason, warnings=(Warning("order-by-date", f"{reason}; {how}"),))
