"""What is invalidated and what of the month that takes, as text and JSON. Returns strings, prints nothing."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from sitepub.core.cost import Requests
from sitepub.core.model import Warning
from sitepub.edges import Invalidated
from sitepub.report_json import to_json
from sitepub.report_words import count, some

SHOWN_FOLDS = 15


class Evicted(Struct, frozen=True):
    """What an invalidation by hand did, or would do."""

    target: str
    invalidation: Invalidated
    free_paths: int | None
    requests: Requests
    warnings: tuple[Warning, ...]
    seconds: float
    is_dry_run: bool


def evicted_as_json(evicted: Evicted) -> str:
    return to_json(
        {
            "target": evicted.target,
            "dry_run": evicted.is_dry_run,
            "invalidation": invalidation_as_json(evicted.invalidation, evicted.free_paths),
            "requests": {"store": evicted.requests.store, "cdn": evicted.requests.cdn},
            "warnings": [warning.message for warning in evicted.warnings] + owing(evicted.invalidation),
            "seconds": round(evicted.seconds, 3),
        }
    )


def evicted_as_text(evicted: Evicted) -> str:
    if not evicted.invalidation.items:
        return f"{evicted.target}: nothing is owed"
    return "\n".join(invalidation_lines(evicted.invalidation, evicted.free_paths, is_dry_run=evicted.is_dry_run))


def invalidation_as_json(invalidation: Invalidated, free_paths: int | None) -> dict[str, object]:
    told: dict[str, object] = {
        "items": list(invalidation.items),
        "collateral": invalidation.collateral,
        "state": invalidation.state,
        "id": invalidation.id,
        "used_this_month": invalidation.used,
        "free_paths": None if invalidation.used is None else free_paths,
    }
    if invalidation.used is not None:
        told |= {
            "foreseen_this_month": invalidation.foreseen,
            "folds": dict(invalidation.folds),
            "cost": {"usd": round(invalidation.price, 3)},
        }
    return told


def invalidation_lines(invalidation: Invalidated, free_paths: int | None, *, is_dry_run: bool) -> Iterable[str]:
    """What folds what, what it costs, and last what is sent or owed."""
    for item, urls in invalidation.folds[:SHOWN_FOLDS]:
        yield f"  {item} stands for {count(urls, 'changed URL')}"
    if invalidation.collateral:
        because = f": {invalidation.folded_because}" if invalidation.folded_because else ""
        yield f"evicts {count(int(invalidation.collateral), 'stored URL')} without need{because}"
    if invalidation.price:
        yield f"about ${invalidation.price:.2f} beyond the month's free paths: {invalidation.folded_because}"
    paths = f"{count(len(invalidation.items), 'path')} ({some(invalidation.items)})"
    month = ""
    if invalidation.used is not None and free_paths is not None:
        month = f", {invalidation.used:,} of {free_paths:,} this month"
        month += f", about {invalidation.foreseen:,} at this pace" if invalidation.foreseen is not None else ""
    if is_dry_run:
        yield f"would invalidate {paths}{month}"
    elif invalidation.state == "owed":
        yield f"the invalidation of {paths} is owed: {invalidation.reason}; the next publish sends it"
    else:
        done = "invalidated" if invalidation.state == "completed" else "invalidation submitted for"
        yield f"{done} {paths}{month}"


def owing(invalidation: Invalidated) -> list[str]:
    """Why it was not sent, for scripts: text says it in its last line."""
    if invalidation.state != "owed":
        return []
    return [f"the invalidation of {count(len(invalidation.items), 'path')} is owed: {invalidation.reason}"]
