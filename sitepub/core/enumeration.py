"""Many things in one message: the first by name, the others by number. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def name_some(names: Iterable[str], most: int) -> str:
    """Names in backticks, `most` of them at the most: `` `a`, `b` and 1,234 more ``."""
    return list_some([f"`{name}`" for name in names], most)


def list_some(told: Sequence[str], most: int) -> str:
    """The same of what is told as it is."""
    more = f" and {len(told) - most:,} more" if len(told) > most else ""
    return ", ".join(told[:most]) + more
