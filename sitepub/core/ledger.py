"""The month's ledger: invalidation paths that the account used, as AWS counted them, and what we sent since. Pure; times in seconds of Unix time.

An invalidation never changes, so what is old enough for AWS to have listed it whole is kept as a sum with the time through which it was counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

SETTLED_SECONDS = 3600.0
"""After so long AWS lists an invalidation, whatever its servers' clocks say; what is younger is kept one by one."""


class Batch(Struct, frozen=True):
    """One invalidation."""

    created: float
    paths: int


class Sealed(Struct, frozen=True):
    """Everything that a distribution was told in this month up to `through`."""

    through: float
    paths: int = 0
    sends: int = 0


class Ledger(Struct, frozen=True):
    """`month` as `2026-11`, in UTC; `counted_at` None: AWS never told, only our own are in it. `sealed` by distribution, `recent` by `distribution/id`;
    `unseen`: why the last count may lack some of the account's."""

    month: str = ""
    counted_at: float | None = None
    sealed: Mapping[str, Sealed] = field(default_factory=dict)
    recent: Mapping[str, Batch] = field(default_factory=dict)
    unseen: tuple[str, ...] = ()

    @property
    def used(self) -> int:
        """Paths, whoever used them."""
        return sum(each.paths for each in self.sealed.values()) + sum(each.paths for each in self.recent.values())

    @property
    def sends(self) -> int:
        """Invalidations, whoever sent them."""
        return sum(each.sends for each in self.sealed.values()) + sum(each.paths > 0 for each in self.recent.values())

    def counted_through(self, distribution: str) -> float:
        """Up to when all of the distribution's are known; from then on they have to be listed."""
        return self.sealed[distribution].through if distribution in self.sealed else start_of_month(self.month).timestamp()


def month_of(now: datetime) -> str:
    """As `2026-11`, in UTC."""
    return f"{now.astimezone(UTC):%Y-%m}"


def start_of_month(month: str) -> datetime:
    """Its first instant, in UTC. Raises ValueError where `month` is not as `month_of` writes it."""
    return datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)


def end_of_month(month: str) -> datetime:
    """The first instant of the next one."""
    return (start_of_month(month) + timedelta(days=32)).replace(day=1)


def turn_page(ledger: Ledger, now: datetime) -> Ledger:
    """The same ledger, or an empty one where another month has begun."""
    return ledger if ledger.month == month_of(now) else Ledger(month_of(now))


def note_sent(ledger: Ledger, distribution: str, ids: str, paths: int, now: datetime) -> Ledger:
    """Adds what was just sent, so that it counts before AWS lists it. `ids` of several invalidations are joined by commas: the first stands for all."""
    kept = turn_page(ledger, now)
    first, *others = ids.split(",")
    sent = {
        f"{distribution}/{first}": Batch(now.timestamp(), paths),
        **{f"{distribution}/{one}": Batch(now.timestamp(), 0) for one in others},
    }
    return replace(kept, recent={**kept.recent, **{name: batch for name, batch in sent.items() if name not in kept.recent}})


def join(left: Ledger, right: Ledger) -> Ledger:
    """What both know of the same month; of two months the later one. Whoever counted later may have seen less of the account: of each distribution
    the sum that reaches further counts."""
    if left.month != right.month:
        return max(left, right, key=lambda ledger: ledger.month)
    later, other = (left, right) if (left.counted_at or 0) >= (right.counted_at or 0) else (right, left)
    further = {name: each for name, each in other.sealed.items() if name not in later.sealed or each.through > later.sealed[name].through}
    joined = replace(later, sealed={**later.sealed, **further})
    recent = {**other.recent, **later.recent}
    return replace(joined, recent={name: batch for name, batch in recent.items() if _is_open(joined, name, batch)})


def take_count(
    known: Ledger, distributions: Iterable[str], listed: Mapping[str, Batch], now: datetime, *, unseen: tuple[str, ...] = ()
) -> Ledger:
    """The ledger once AWS has told of all `distributions` what came since the last count. A clock of ours that is ahead must not seal the future."""
    counted = replace(known, counted_at=now.timestamp(), recent={**known.recent, **listed}, unseen=unseen)
    newest = max((batch.created for batch in listed.values()), default=0.0)
    through = min(now.timestamp(), newest) - SETTLED_SECONDS
    return _seal(counted, distributions, through)


def _is_open(ledger: Ledger, name: str, batch: Batch) -> bool:
    distribution = name.partition("/")[0]
    return distribution not in ledger.sealed or batch.created > ledger.sealed[distribution].through


def _seal(ledger: Ledger, distributions: Iterable[str], through: float) -> Ledger:
    if through <= start_of_month(ledger.month).timestamp():
        return ledger
    sealed = dict(ledger.sealed)
    for distribution in distributions:
        before = sealed.get(distribution, Sealed(0.0))
        sealed[distribution] = replace(before, through=max(before.through, through))
    recent = {}
    for name, batch in ledger.recent.items():
        distribution = name.partition("/")[0]
        if distribution not in sealed or batch.created > sealed[distribution].through:
            recent[name] = batch
            continue
        before = sealed[distribution]
        sealed[distribution] = replace(before, paths=before.paths + batch.paths, sends=before.sends + (batch.paths > 0))
    return replace(ledger, sealed=sealed, recent=recent)


def encode_ledger(ledger: Ledger) -> dict[str, object]:
    """Ready for JSON; the same ledger gives the same."""
    return {
        "month": ledger.month,
        "counted_at": ledger.counted_at,
        "sealed": {name: [each.through, each.paths, each.sends] for name, each in sorted(ledger.sealed.items())},
        "recent": {name: [each.created, each.paths] for name, each in sorted(ledger.recent.items())},
        "unseen": list(ledger.unseen),
    }


def decode_ledger(document: Mapping[str, Any] | None) -> Ledger:
    """Raises ValueError, KeyError, TypeError or AttributeError on anything that encode_ledger did not write; None is an empty one."""
    if document is None:
        return Ledger()
    return Ledger(
        month=str(document["month"]),
        counted_at=None if document["counted_at"] is None else float(document["counted_at"]),
        sealed={name: Sealed(float(through), int(paths), int(sends)) for name, (through, paths, sends) in document["sealed"].items()},
        recent={name: Batch(float(created), int(paths)) for name, (created, paths) in document["recent"].items()},
        unseen=tuple(map(str, document.get("unseen", ()))),
    )
