"""Where a rollback goes, and what `gc` keeps and why."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from sitepub.core.model import Digest, ReleaseId
from sitepub.core.retention import choose_kept, choose_release
from sitepub.core.settings import Retention
from sitepub.core.state import Lease, Owed, Pending, Release, State
from sitepub.errors import RefusedError, UsageError
from tests.support.builders import commit

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def release(name: str, seq: int, *, content: str = "", origin: str | None = None, day: int = 1, by: str | None = None) -> Release:
    return Release(
        id=ReleaseId(name),
        seq=seq,
        manifest=Digest(content or name),
        document=Digest("d"),
        commit=commit(by) if by else None,
        published_at=f"2026-11-{day:02d}T00:00:00Z",
        entries=1,
        assets=1,
        origin=ReleaseId(origin) if origin else None,
    )


def state(*releases: Release, pending: Release | None = None) -> State:
    begun = Pending(pending, (), Lease("t", None)) if pending else None
    return State(live=releases[-1].id if releases else None, releases=releases, pending=begun)


A, B, C = release("A", 1, by="aaaa1"), release("B", 2, by="bbbb1"), release("C", 3, by="cccc1")


def test_a_rollback_goes_to_what_was_live_before_and_again_further_back() -> None:
    assert choose_release(state(A, B, C), None) is B
    back_to_b = release("D", 4, content="B", origin="B")
    assert choose_release(state(A, B, C, back_to_b), None) is A
    back_to_a = release("E", 5, content="A", origin="A")
    with pytest.raises(RefusedError) as caught:
        choose_release(state(A, B, C, back_to_b, back_to_a), None)
    assert caught.value.code == "no-earlier-release"


def test_a_release_with_the_same_content_is_no_step_back() -> None:
    again = release("B2", 3, content="B")
    assert choose_release(state(A, B, again), None) is A


def test_after_an_unfinished_release_the_default_is_what_is_live() -> None:
    assert choose_release(state(A, B, pending=C), None) is B


def test_a_release_is_found_by_its_name_and_by_its_commit_cut_short() -> None:
    assert choose_release(state(A, B, C), "A") is A
    assert choose_release(state(A, B, C), "bbbb") is B
    twice = release("A2", 4, by="aaaa1")
    assert choose_release(state(A, B, C, twice), "aaaa1") is twice


@pytest.mark.parametrize(("name", "code"), [("zzzz", "unknown-release"), ("2026", "ambiguous-release"), ("cc", "unknown-release")])
def test_a_name_that_is_none_or_several_is_a_usage_error(name: str, code: str) -> None:
    with pytest.raises(UsageError) as caught:
        choose_release(state(release("20261101", 1), release("20261102", 2), C), name)
    assert caught.value.code == code


def test_nothing_published_is_nothing_to_go_back_to() -> None:
    with pytest.raises(RefusedError):
        choose_release(state(), None)


def test_whichever_keeps_more_keeps() -> None:
    old = [release(f"R{n}", n, day=n) for n in range(1, 13)]
    kept = choose_kept(state(*old), Retention(releases=3, days=0), NOW)
    assert [(found.release.id, found.reason) for found in kept] == [
        ("R10", "among the newest 3"),
        ("R11", "among the newest 3"),
        ("R12", "live"),
    ]
    # R5 was live until R6 came on the 6th, 17 days ago
    by_days = choose_kept(state(*old), Retention(releases=0, days=17), NOW)
    assert [found.release.id for found in by_days] == [f"R{n}" for n in range(5, 13)]
    assert by_days[0].reason == "live within 17 days"


def test_what_left_less_than_a_day_ago_is_kept_whatever_retention_says() -> None:
    old, new = release("R1", 1, day=1), release("R2", 2, day=22)
    kept = choose_kept(state(old, new), Retention(releases=0, days=0), NOW)
    assert [(found.release.id, found.reason) for found in kept] == [("R1", "live until a day ago"), ("R2", "live")]


def test_a_release_that_edges_may_show_is_kept_though_it_left_long_ago() -> None:
    old, new = release("R1", 1, day=1), release("R2", 2, day=10)
    none = Retention(releases=0, days=0)
    owing = replace(state(old, new), owed=(Owed(2, ("/",)),))
    reasons = [found.reason for found in choose_kept(owing, none, NOW)]
    assert reasons == ["edges may still show it: an invalidation is owed", "live"]
    just_paid = replace(new, invalidated_at="2026-11-22T12:00:00Z")
    reasons = [found.reason for found in choose_kept(state(old, just_paid), none, NOW)]
    assert reasons == ["edges may have shown it until a day ago", "live"]
    paid_long_ago = replace(new, invalidated_at="2026-11-10T00:00:09Z")
    assert [found.reason for found in choose_kept(state(old, paid_long_ago), none, NOW)] == ["live"]


def test_what_is_owed_keeps_the_release_before_and_the_one_that_owes() -> None:
    """Also where later ones have paid, and a `gc` has taken nothing between them away."""
    owing = replace(state(A, B, C, release("D", 4)), owed=(Owed(2, ("/a",)),))
    kept = choose_kept(owing, Retention(releases=1, days=0), NOW)
    assert [(one.release.id, one.reason) for one in kept] == [
        ("A", "edges may still show it: an invalidation is owed"),
        ("B", "edges may still show what it replaced: its invalidation is owed"),
        ("D", "live"),
    ]
    assert choose_kept(replace(owing, releases=tuple(one.release for one in kept)), Retention(releases=1, days=0), NOW) == kept
