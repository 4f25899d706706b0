"""What one publish may spend of the month's free paths, and what happens where that is not enough. Pure.

The pace is that of this month so far: every invalidation that is still to be expected keeps what one took on average, a quarter of what is left
beyond that is free for this one. So small ones go exact, large ones are folded, and however often they come, something is left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from sitepub.core.invalidation import InvalidationPlan, price_usd
from sitepub.core.ledger import Ledger, end_of_month, month_of, start_of_month
from sitepub.core.settings import WhenSpent
from sitepub.core.state import Owed

DAY = 86400.0  # seconds
SMALL = 12
"""Exact items that are few enough to be sent as they are, while the month has room for them."""

BURST_SHARE = 50
SPARE_SHARE = 4
"""One in so many of the paths that nobody is expected to need may go into one publish."""


class Month(Struct, frozen=True):
    """`used` paths of `free` ones in `sends` invalidations; `reserved`: accepted by nobody yet, but promised to edges. Times in days."""

    used: int
    free: int
    sends: int = 0
    reserved: int = 0
    elapsed: float = 0.0
    remaining: float = 30.0

    @property
    def left(self) -> int:
        """Free paths that nobody has used or reserved."""
        return max(0, self.free - self.used - self.reserved)


class Verdict(StrEnum):
    """What is to be done with items that are chosen."""

    SEND = "send"
    OWE = "owe"
    REFUSE = "refuse"


class Spending(Struct, frozen=True):
    """`price` in USD, for what the free paths do not cover; `reason`: why items are folded, owed or refused, '' where they are exact."""

    plan: InvalidationPlan
    verdict: Verdict
    price: float = 0.0
    reason: str = ""


def read_month(ledger: Ledger, free: int, now: datetime, *, reserved: int = 0) -> Month:
    """The month that `now` is in, by UTC. A ledger of another month counts for nothing."""
    month = month_of(now)
    elapsed = (now - start_of_month(month)).total_seconds() / DAY
    remaining = (end_of_month(month) - now).total_seconds() / DAY
    is_current = ledger.month == month
    return Month(ledger.used if is_current else 0, free, ledger.sends if is_current else 0, reserved, elapsed, remaining)


def allowance(month: Month) -> int:
    """How many items one publish may send now: never below one, never above what is left while something is."""
    expected = (month.sends + 1) / (month.elapsed + 1) * month.remaining
    each = max(1.0, month.used / month.sends if month.sends else 1.0)
    spare = (month.left - expected * each) / SPARE_SHARE
    return max(1, min(month.left, int(max(month.left / (expected + 1), spare))))


def hold_back(month: Month, sent: Sequence[float], now: float) -> str:
    """For one who publishes again and again, which no pace foresees: why an invalidation has to wait, '' where it may go. A fiftieth of what is left may go
    at once, then they come as evenly as what is left allows. `sent`: when this one sent some; both on one clock, in seconds."""
    burst = max(1, month.left // BURST_SHARE)
    gap = month.remaining * DAY / max(1, month.left)
    recent = sorted(when for when in sent if now - when < burst * gap)
    if len(recent) < burst:
        return ""
    minutes = max(1, round((recent[-burst] + burst * gap - now) / 60))
    return f"held back to keep to the month's {month.free:,} free paths, for about {minutes:,} min"


def foresee_month(month: Month, items: int = 0) -> int:
    """What the month will have used at its end, at the pace so far and with `items` more now; to the nearest ten."""
    used = month.used + month.reserved + items
    whole = month.elapsed + month.remaining
    return max(used, round(used / max(1.0, month.elapsed) * whole / 10) * 10)


def choose_spending(
    choose: Callable[[int | None], InvalidationPlan],
    month: Month,
    when_spent: WhenSpent,
    *,
    fold_freely: Callable[[], InvalidationPlan] | None = None,
) -> Spending:
    """`choose` makes a plan of at most so many items (None: exact ones, as many as it takes). `fold_freely`: one that evicts nothing without need,
    which is as good as exact items where these are many."""
    exact = choose(None)
    if fold_freely is not None and len(exact.items) > min(SMALL, month.left):
        exact = fold_freely()
    needed, allowed = len(exact.items), allowance(month)
    if needed <= month.left and needed <= allowed:
        return Spending(exact, Verdict.SEND)
    if needed <= month.left:
        return Spending(choose(allowed), Verdict.SEND, reason=f"at this month's pace {allowed} of {needed} paths may be spent now")
    short = f"{needed} paths are needed, {month.left} of {month.free:,} are left this month"
    folded = choose(allowed)
    if month.left and (when_spent is WhenSpent.WILDCARD or not folded.collateral):
        return Spending(folded, Verdict.SEND, reason=short)
    if when_spent is WhenSpent.PAY:
        return Spending(exact, Verdict.SEND, price_usd(month.used + month.reserved, month.free, needed), short)
    if when_spent is WhenSpent.FAIL:
        return Spending(exact, Verdict.REFUSE, reason=short)
    return Spending(exact if when_spent is WhenSpent.DEFER else folded, Verdict.OWE, reason=short)


def choose_debts(owed: Sequence[Owed], month: Month, when_spent: WhenSpent) -> tuple[Owed, ...]:
    """Which debts are paid now. What can't be paid whole waits for a later month, unless folding makes it fit."""
    everything = drop_covered(item for debt in owed for item in debt.items)
    if len(everything) <= month.left or when_spent is WhenSpent.PAY or (when_spent is WhenSpent.WILDCARD and month.left):
        return tuple(owed)
    paid, items, waiting = list[Owed](), tuple[str, ...](), list(owed)
    while waiting:
        # what is sent anyway costs nothing more
        cheapest = min(waiting, key=lambda debt: (len(drop_covered((*items, *debt.items))), debt.seq))
        items = drop_covered((*items, *cheapest.items))
        if len(items) > month.left:
            break
        paid.append(cheapest)
        waiting.remove(cheapest)
    return tuple(sorted(paid, key=lambda debt: debt.seq))


def drop_covered(items: Iterable[str]) -> tuple[str, ...]:
    """Without items that a wildcard among them evicts anyway. Sorted, each once."""
    every = set(items)
    if "/*" in every:
        return ("/*",)
    prefixes = tuple(item[:-1] for item in every if item.endswith("*"))
    return tuple(sorted(item for item in every if not any(_is_within(item, prefix) for prefix in prefixes)))


def _is_within(item: str, prefix: str) -> bool:
    return item.startswith(prefix) and item != f"{prefix}*"
