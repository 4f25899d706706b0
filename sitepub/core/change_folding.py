"""Many changes at a glance: folded by what happens, why, and the folder they are in. Decides what is shown in one line, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from sitepub.core.changes import Action, Change


class Fold(Struct, frozen=True):
    """Changes of one mark (`+` new, `~` changed, `-` deleted) and reason below `folder`, which is '' or ends with `/`."""

    mark: str
    reason: str
    folder: str
    changes: tuple[Change, ...]

    @property
    def bytes(self) -> int:
        """What is written."""
        return sum(change.bytes for change in self.changes)


def mark_of(change: Change) -> str:
    """`+` new, `~` changed, `-` deleted."""
    if change.action is Action.DELETE:
        return "-"
    return "+" if change.reason == "new" else "~"


def fold_changes(changes: Sequence[Change], *, most: int) -> tuple[Fold, ...]:
    """At most `most` folds where reasons allow it, the largest opened by folder first; in the order of marks, folders and reasons."""
    open_folds: dict[tuple[str, str], list[Change]] = {}
    for change in changes:
        open_folds.setdefault((mark_of(change), change.reason), []).append(change)
    folds = [Fold(mark, reason, "", tuple(group)) for (mark, reason), group in open_folds.items()]
    closed: list[Fold] = []
    while folds:
        folds.sort(key=lambda fold: len(fold.changes))
        largest = folds.pop()
        parts = _open(largest)
        if len(parts) > 1 and len(folds) + len(closed) + len(parts) <= most:
            folds += parts
        elif len(parts) == 1 and parts[0].folder != largest.folder:
            folds.append(parts[0])
        else:
            closed.append(largest)
    return tuple(sorted(closed, key=lambda fold: ("-~+".index(fold.mark), fold.folder, fold.reason)))


def _open(fold: Fold) -> list[Fold]:
    """By the next folder; what lies in the folder itself stays together."""
    start = len(fold.folder)
    parts: dict[str, list[Change]] = {}
    for change in fold.changes:
        name, slash, _ = change.key[start:].partition("/")
        parts.setdefault(f"{fold.folder}{name}/" if slash else fold.folder, []).append(change)
    return [Fold(fold.mark, fold.reason, folder, tuple(group)) for folder, group in parts.items()]
