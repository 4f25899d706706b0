"""Numbers, sizes, money and lists as people write them."""

from __future__ import annotations

from collections.abc import Sequence


def some(items: Sequence[str]) -> str:
    """The first five, and how many more there are."""
    return ", ".join(items[:5]) + (f", … {len(items) - 5} more" if len(items) > 5 else "")


def count(number: int, noun: str) -> str:
    """`1 file`, `2 files`, `3 entries`."""
    if number == 1:
        return f"1 {noun}"
    return f"{number:,} {noun[:-1]}ies" if noun.endswith("y") else f"{number:,} {noun}s"


def money(usd: float) -> str:
    """US dollars for people."""
    return f"about ${usd:.4f}" if usd >= 0.0001 else "less than $0.0001"


def size(bytes: int) -> str:
    """Bytes for people, in powers of 1,000."""
    amount = float(bytes)
    for unit in ("B", "KB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 100 else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def duration(seconds: float) -> str:
    """`40 s`, `3 min`, `2 h 5 min`: what is left is a guess, so no more of it."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
