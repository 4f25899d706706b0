"""Newest wins: what git says of two commits, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from sitepub.core.ancestry import Order, Relation, decide_order, needs_remote_tip
from sitepub.core.model import Commit
from sitepub.decision import Permits
from sitepub.errors import ExitStatus

MINE = Commit("1" * 40, "main", "mine", "me", 2000)
LIVE = Commit("2" * 40, "main", "live", "you", 1000)
LATER = Commit("2" * 40, "main", "live", "you", 3000)


@dataclass(frozen=True, slots=True)
class Allowed:
    older: bool = False
    diverged: bool = False


def decide(
    relation: Relation, *, mine: Commit | None = MINE, live: Commit | None = LIVE, tip: bool = False, allows: Allowed | None = None
) -> Order:
    return decide_order(relation, mine=mine, live=live, is_remote_tip=tip, allows=allows or Allowed())


@pytest.mark.parametrize("relation", [Relation.SAME, Relation.NEWER])
def test_the_same_and_newer_commits_go_on(relation: Relation) -> None:
    # whatever their dates: ancestry knows better
    order = decide(relation, live=LATER)
    assert order.stop is None and order.warnings == ()


def test_an_older_commit_stops_with_status_9() -> None:
    stop = decide(Relation.OLDER).stop
    assert stop is not None
    assert (stop.status, stop.code) == (ExitStatus.HELD, "newer-is-live")
    assert stop.message == "`22222222`, which is live, follows `11111111`"
    assert "--allow older" in stop.hint


def test_an_older_commit_goes_on_where_asked_to() -> None:
    assert decide(Relation.OLDER, allows=Allowed(older=True)).stop is None
    assert decide(Relation.OLDER, allows=Allowed(diverged=True)).stop is not None


def test_diverged_commits_are_refused_with_status_1() -> None:
    stop = decide(Relation.DIVERGED).stop
    assert stop is not None
    assert (stop.status, stop.code) == (ExitStatus.REFUSED, "diverged")
    assert stop.message == "`11111111` does not contain `22222222`, which is live"
    assert "--allow diverged" in stop.hint


def test_diverged_commits_go_on_where_asked_to() -> None:
    assert decide(Relation.DIVERGED, allows=Allowed(diverged=True)).stop is None
    assert decide(Relation.DIVERGED, allows=Allowed(older=True)).stop is not None


@pytest.mark.parametrize("relation", [Relation.OLDER, Relation.DIVERGED, Relation.UNKNOWN])
def test_the_tip_of_the_remote_s_branch_is_the_newest(relation: Relation) -> None:
    assert needs_remote_tip(relation)
    order = decide(relation, live=LATER, tip=True)
    assert order.stop is None and order.warnings == ()


@pytest.mark.parametrize("relation", [Relation.SAME, Relation.NEWER])
def test_the_remote_is_not_asked_where_ancestry_decides(relation: Relation) -> None:
    assert not needs_remote_tip(relation)
    assert (decide(relation, tip=True).stop is None) == (decide(relation, tip=False).stop is None)


@pytest.mark.parametrize("date", [1000, 2000])
def test_dates_decide_where_history_is_missing_and_it_is_said(date: int) -> None:
    order = decide(Relation.UNKNOWN, live=Commit("2" * 40, None, "", "", date))
    assert order.stop is None
    (warning,) = order.warnings
    assert warning.code == "order-by-date" and "committer dates decide" in warning.message


def test_a_date_before_the_live_one_is_older() -> None:
    stop = decide(Relation.UNKNOWN, live=LATER).stop
    assert stop is not None
    assert (stop.status, stop.code) == (ExitStatus.HELD, "newer-is-live")
    assert "committer dates decide" in stop.message
    assert decide(Relation.UNKNOWN, live=LATER, allows=Allowed(older=True)).stop is None


def test_without_a_live_commit_there_is_no_order() -> None:
    for relation in Relation:
        assert decide(relation, live=None) == Order("nothing with a commit is live")


def test_a_source_outside_git_goes_on_with_a_warning() -> None:
    for relation in Relation:
        order = decide(relation, mine=None)
        assert order.stop is None
        assert [warning.code for warning in order.warnings] == ["no-order"]


def test_the_permits_of_a_run_are_what_is_asked() -> None:
    permits = Permits(older=True)
    assert decide_order(Relation.OLDER, mine=MINE, live=LIVE, is_remote_tip=False, allows=permits).stop is None
