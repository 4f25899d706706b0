"""Previews that were removed, as text and JSON. Returns strings, prints nothing."""

from __future__ import annotations

from collections.abc import Sequence

from sitepub.expiring import Removed
from sitepub.report_words import count, size


def removed_as_text(removed: Sequence[Removed], *, is_dry_run: bool) -> str:
    return "\n".join(line for each in removed for line in _tell(each, is_dry_run=is_dry_run))


def removed_as_rows(removed: Sequence[Removed]) -> list[dict[str, object]]:
    """For JSON."""
    return [
        {
            "preview": each.name,
            "expires_at": each.expires_at or None,
            "deleted": list(each.keys),
            "bytes": each.size,
            "left": list(each.left),
            "owed": each.is_owed,
        }
        for each in removed
    ]


def _tell(removed: Removed, *, is_dry_run: bool) -> list[str]:
    if not removed.is_there:
        return [f"there is no preview `{removed.name}`"]
    verb = "would remove" if is_dry_run else "removed"
    until = f", kept until {removed.expires_at}" if removed.expires_at else ""
    lines = [f"{verb} preview `{removed.name}`{until}: {count(len(removed.keys), 'file')}, {size(removed.size)} with its records"]
    lines += [f"left alone: `{key}`, which someone else has changed" for key in removed.left]
    return [*lines, "an invalidation is owed; the next `gc` sends it"] if removed.is_owed else lines
