"""What one publish may spend, and what happens when that is not enough."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sitepub.core.invalidation import InvalidationPlan, fold_items
from sitepub.core.ledger import Batch, Ledger
from sitepub.core.pacing import (
    Month,
    Verdict,
    allowance,
    choose_debts,
    choose_spending,
    drop_covered,
    foresee_month,
    hold_back,
    read_month,
)
from sitepub.core.settings import WhenSpent
from sitepub.core.state import Owed
from tests.support.edge import is_named

months = st.builds(
    Month,
    used=st.integers(0, 3000),
    free=st.integers(0, 2000),
    sends=st.integers(0, 2000),
    reserved=st.integers(0, 300),
    elapsed=st.floats(0, 31),
    remaining=st.floats(0, 31),
)


@given(months)
def test_never_below_one_and_never_above_what_is_left(month: Month) -> None:
    assert 1 <= allowance(month) <= max(1, month.left)


@given(months, st.integers(0, 50))
def test_who_has_used_more_may_spend_no_more(month: Month, more: int) -> None:
    later = Month(month.used, month.free, month.sends, month.reserved + more, month.elapsed, month.remaining)
    assert allowance(later) <= allowance(month)


def test_a_site_that_is_seldom_published_may_spend_much_at_once() -> None:
    assert allowance(Month(used=6, free=1000, sends=2, elapsed=15, remaining=15)) > 200


def test_a_busy_month_keeps_something_for_all_that_is_to_come() -> None:
    month = Month(used=400, free=1000, sends=200, elapsed=10, remaining=20)
    assert 1 <= allowance(month) <= 4
    assert allowance(month) < allowance(Month(used=400, free=1000, sends=20, elapsed=10, remaining=20))


def test_the_last_day_spends_what_is_left() -> None:
    assert allowance(Month(used=300, free=1000, sends=100, elapsed=29.9, remaining=0.1)) > 150


def test_the_end_of_the_month_is_foreseen() -> None:
    assert foresee_month(Month(used=409, free=1000, sends=9, elapsed=18, remaining=12), 3) == 690
    assert foresee_month(Month(used=0, free=1000)) == 0
    assert foresee_month(Month(used=7, free=1000, elapsed=30, remaining=0)) == 10


def test_a_ledger_of_another_month_says_nothing_of_this_one() -> None:
    ledger = Ledger("2026-10", 1.0, recent={"E/I": Batch(1.0, 9)})
    assert read_month(ledger, 1000, datetime(2026, 11, 16, tzinfo=UTC)) == Month(0, 1000, 0, 0, 15.0, 15.0)


class Folding:
    """`needed` exact items; fewer evict something, `/*` of `everything` only what changed."""

    def __init__(self, needed: int, *, is_everything: bool = False) -> None:
        self.needed = needed
        self.is_everything = is_everything

    def __call__(self, most: int | None) -> InvalidationPlan:
        if most is None or most >= self.needed:
            return InvalidationPlan(tuple(f"/{n}" for n in range(self.needed)))
        if self.is_everything:
            return InvalidationPlan(("/*",))
        return InvalidationPlan((*(f"/{n}" for n in range(most - 1)), "/x*"), float(self.needed - most))


def spend(needed: int, month: Month, when_spent: WhenSpent = WhenSpent.WILDCARD, *, is_everything: bool = False) -> tuple[str, int, float]:
    spending = choose_spending(Folding(needed, is_everything=is_everything), month, when_spent)
    return spending.verdict, len(spending.plan.items), round(spending.price, 3)


CALM = Month(used=10, free=1000, sends=5, elapsed=15, remaining=15)
BUSY = Month(used=700, free=1000, sends=350, elapsed=15, remaining=15)


def test_small_ones_go_exact_and_large_ones_are_folded() -> None:
    assert spend(8, CALM) == (Verdict.SEND, 8, 0)
    assert spend(900, CALM) == (Verdict.SEND, allowance(CALM), 0)
    assert spend(40, BUSY) == (Verdict.SEND, allowance(BUSY), 0)


@pytest.mark.parametrize(
    ("when_spent", "expected"),
    [
        (WhenSpent.WILDCARD, (Verdict.SEND, 1, 0)),
        (WhenSpent.PAY, (Verdict.SEND, 5, 0.015)),
        (WhenSpent.DEFER, (Verdict.OWE, 5, 0)),
        (WhenSpent.FAIL, (Verdict.REFUSE, 5, 0)),
    ],
)
def test_too_little_is_left(when_spent: WhenSpent, expected: tuple[str, int, float]) -> None:
    assert spend(5, Month(used=998, free=1000, sends=400, elapsed=20, remaining=10), when_spent) == expected


@pytest.mark.parametrize(
    ("when_spent", "expected"),
    [
        (WhenSpent.WILDCARD, (Verdict.OWE, 1, 0)),
        (WhenSpent.PAY, (Verdict.SEND, 5, 0.025)),
        (WhenSpent.DEFER, (Verdict.OWE, 5, 0)),
        (WhenSpent.FAIL, (Verdict.REFUSE, 5, 0)),
    ],
)
def test_nothing_is_left(when_spent: WhenSpent, expected: tuple[str, int, float]) -> None:
    assert spend(5, Month(used=1000, free=1000, sends=400, elapsed=20, remaining=10), when_spent) == expected


def test_what_evicts_nothing_without_need_is_always_folded_rather_than_paid_or_owed() -> None:
    tight = Month(used=990, free=1000, sends=400, elapsed=20, remaining=10)
    for when_spent in WhenSpent:
        assert spend(4000, tight, when_spent, is_everything=True) == (Verdict.SEND, 1, 0)


def test_many_exact_items_are_folded_where_that_evicts_nothing_else() -> None:
    folding = Folding(40, is_everything=True)
    assert len(choose_spending(folding, CALM, WhenSpent.WILDCARD).plan.items) == 40
    assert choose_spending(folding, CALM, WhenSpent.WILDCARD, fold_freely=lambda: folding(1)).plan.items == ("/*",)
    few = Folding(12, is_everything=True)
    assert len(choose_spending(few, CALM, WhenSpent.WILDCARD, fold_freely=lambda: few(1)).plan.items) == 12
    spent = Month(used=1000, free=1000)
    assert spend(4000, spent, WhenSpent.PAY) == (Verdict.SEND, 4000, 20.0)
    assert choose_spending(few, spent, WhenSpent.PAY, fold_freely=lambda: few(1)).price == 0.005


DEBTS = (Owed(1, ("/a", "/b", "/c")), Owed(2, ("/d",)), Owed(3, ("/e", "/f")))


@pytest.mark.parametrize(
    ("left", "when_spent", "paid"),
    [
        (6, WhenSpent.DEFER, [1, 2, 3]),
        (5, WhenSpent.DEFER, [2, 3]),
        (1, WhenSpent.FAIL, [2]),
        (0, WhenSpent.DEFER, []),
        (1, WhenSpent.WILDCARD, [1, 2, 3]),
        (0, WhenSpent.WILDCARD, []),
        (0, WhenSpent.PAY, [1, 2, 3]),
    ],
)
def test_debts_are_paid_as_far_as_the_month_goes(left: int, when_spent: WhenSpent, paid: list[int]) -> None:
    assert [debt.seq for debt in choose_debts(DEBTS, Month(100 - left, 100), when_spent)] == paid


def test_what_several_debts_share_is_sent_once() -> None:
    debts = (Owed(1, ("/a", "/b")), Owed(2, ("/a", "/b", "/c")), Owed(3, ("/d", "/e", "/f", "/g")))
    assert [debt.seq for debt in choose_debts(debts, Month(97, 100), WhenSpent.DEFER)] == [1, 2]


def test_what_a_wildcard_evicts_anyway_is_left_out() -> None:
    assert drop_covered(["/a", "/ab/c", "/ab*", "/abc*", "#t", "/b", "/b"]) == ("#t", "/a", "/ab*", "/b")
    assert drop_covered(["/a", "#t", "/*"]) == ("/*",)


paths = st.lists(st.text("ab/", max_size=5).map(lambda text: f"/{text}"), min_size=1, max_size=12, unique=True)


@given(paths, paths, st.lists(st.booleans(), min_size=12, max_size=12), st.integers(1, 6))
def test_folded_items_evict_all_that_they_stand_for(live: list[str], chosen: list[str], starred: list[bool], most: int) -> None:
    items = drop_covered(f"{path}*" if is_starred else path for path, is_starred in zip(chosen, starred))
    folded = fold_items(items, live, most)
    assert len(folded.items) <= most

    def hit(by: tuple[str, ...]) -> set[str]:
        return {path for path in {*live, *chosen} if any(is_named(item, path, (), None) for item in by)}

    assert hit(items) <= hit(folded.items)
    assert folded.collateral == len((hit(folded.items) - hit(items)) & set(live))


def test_many_items_of_a_large_site_are_folded_at_once() -> None:
    """Whatever asks each item of each path does not come back from this."""
    live = [f"/{number}/page.html" for number in range(60_000)]
    folded = fold_items(live[:30_000], live, 20)
    assert len(folded.items) <= 20


def test_tags_are_kept_while_there_is_room() -> None:
    assert fold_items(("#t", "/a/1", "/a/2"), ["/a/1", "/a/2", "/b"], 2).items == ("#t", "/a/*")
    assert fold_items(("#t", "#u", "/a"), ["/a", "/b"], 2) == fold_items(("#t", "#u", "/a"), ["/a", "/b"], 1)
    assert fold_items(("#t", "#u", "/a"), ["/a", "/b"], 2).items == ("/*",)


def test_who_publishes_again_and_again_is_held_back() -> None:
    """A thousand free paths, thirty days: twenty at once, then one in 43 minutes."""
    month = Month(0, 1000, remaining=30.0)
    gap = 30 * 86400 / 1000
    assert hold_back(month, [], 0.0) == ""
    assert hold_back(month, [0.0] * 19, 10.0) == ""
    assert hold_back(month, [0.0] * 20, 10.0) == "held back to keep to the month's 1,000 free paths, for about 864 min"
    assert hold_back(month, [0.0] * 20, 20 * gap) == ""
    assert hold_back(month, [number * gap for number in range(20)], 20 * gap) == "", "as evenly as the month allows"


def test_however_often_one_publishes_the_month_holds() -> None:
    sent: list[float] = []
    for now in range(0, 30 * 86400, 60):
        month = Month(len(sent), 1000, remaining=30 - now / 86400)
        if month.left and not hold_back(month, sent, now):
            sent.append(now)
    assert 900 < len(sent) <= 1000
