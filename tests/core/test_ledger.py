"""What two publishers know of the month, joined: nothing counts twice, and nothing that one of them saw is lost."""

from __future__ import annotations

from datetime import UTC, datetime

from sitepub.core.ledger import Batch, Ledger, Sealed, join

MONTH = "2026-11"
START = datetime(2026, 11, 1, tzinfo=UTC).timestamp()
HOUR = 3600.0


def test_who_counted_later_but_may_see_less_forgets_nothing() -> None:
    all_seen = Ledger(
        MONTH,
        START + 10 * HOUR,
        {"SHOP": Sealed(START + 9 * HOUR, 40, 4), "BLOG": Sealed(START + 9 * HOUR, 7, 2)},
        {"SHOP/I9": Batch(START + 9.5 * HOUR, 2)},
    )
    blog_alone = Ledger(
        MONTH,
        START + 12 * HOUR,
        {"BLOG": Sealed(START + 11 * HOUR, 9, 3)},
        {"SHOP/I1": Batch(START + HOUR, 5), "BLOG/I4": Batch(START + 12 * HOUR, 1)},
    )
    for joined in (join(all_seen, blog_alone), join(blog_alone, all_seen)):
        assert joined.sealed == {"SHOP": all_seen.sealed["SHOP"], "BLOG": blog_alone.sealed["BLOG"]}
        assert set(joined.recent) == {"SHOP/I9", "BLOG/I4"}, "`SHOP/I1` is in the sum already"
        assert joined.used == 40 + 9 + 2 + 1
        assert joined.counted_at == blog_alone.counted_at


def test_a_sum_that_reaches_further_counts_whoever_has_it() -> None:
    """A distribution that did not answer keeps the sum of an earlier count."""
    answered = Ledger(MONTH, START + 10 * HOUR, {"SHOP": Sealed(START + 9 * HOUR, 40, 4)})
    silent = Ledger(MONTH, START + 12 * HOUR, {"SHOP": Sealed(START + 2 * HOUR, 5, 1)}, {"SHOP/I2": Batch(START + 3 * HOUR, 6)})
    assert join(answered, silent).used == join(silent, answered).used == 40


def test_of_two_months_the_later_one_counts() -> None:
    before, now = Ledger("2026-10", START, recent={"SHOP/I1": Batch(START - HOUR, 3)}), Ledger(MONTH)
    assert join(before, now) == join(now, before) == now
