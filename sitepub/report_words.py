"""Numbers and lists as people write them."""

from __future__ import annotations

from collections.abc import Sequence


def some(items: Sequence[str]) -> str:
    return ", ".join(items[:5]) + (f", … {len(items) - 5} more" if len(items) > 5 else "")


def count(number: int, noun: str) -> str:
    """`1 file`, `2 files`, `3 entries`."""
    if number == 1:
        return f"1 {noun}"
    return f"{number:,} {noun[:-1]}ies" if noun.endswith("y") else f"{number:,} {noun}s"
