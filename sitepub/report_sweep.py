"""What `gc` deletes and forgets, as text and JSON. Returns strings, prints nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sitepub.core.collection import Doomed, Sweep
from sitepub.core.forgetting import Forgetting
from sitepub.edges import Invalidated
from sitepub.report_invalidation import invalidation_as_json, invalidation_lines
from sitepub.report_json import to_json
from sitepub.report_words import count, size

SHOWN_KEPT = 10


def sweep_as_json(
    sweep: Sweep,
    *,
    left: Sequence[str] = (),
    invalidation: Invalidated | None = None,
    free_paths: int | None = None,
    previews: Sequence[Mapping[str, object]] = (),
    is_dry_run: bool,
) -> str:
    sent, alone = invalidation or Invalidated(), frozenset(left)
    return to_json(
        {
            "dry_run": is_dry_run,
            "kept": [{"release": kept.release.id, "reason": kept.reason} for kept in sweep.kept],
            "deleted": [
                {"key": _full_key(doomed), "reason": doomed.reason, "bytes": doomed.size}
                for doomed in sweep.doomed
                if doomed.key not in alone
            ],
            "left": list(left),
            "deferred": sweep.deferred,
            "previews": list(previews),
            "invalidation": invalidation_as_json(sent, free_paths),
        }
    )


def sweep_as_text(sweep: Sweep, *, left: Sequence[str] = (), is_dry_run: bool, verbose: bool = False) -> str:
    """What is deleted and why, by reason; each key with -v."""
    lines = [f"keeps {count(len(sweep.kept), 'release')}"]
    lines += [f"  {kept.release.id}  {kept.reason}" for kept in (sweep.kept if verbose else sweep.kept[-SHOWN_KEPT:])]
    alone = frozenset(left)
    gone = [doomed for doomed in sweep.doomed if doomed.key not in alone]
    verb = "would delete" if is_dry_run else "deleted"
    lines.append(f"{verb} {count(len(gone), 'object')}, {size(sum(doomed.size for doomed in gone))}" if gone else "nothing to delete")
    if verbose:
        lines += [f"  - {_full_key(doomed)}  {doomed.reason}  {size(doomed.size)}" for doomed in gone]
    else:
        reasons = sorted({doomed.reason for doomed in gone})
        lines += [f"  {count(sum(doomed.reason == reason for doomed in gone), 'object')}: {reason}" for reason in reasons]
    lines += [f"left alone: `{key}`, which someone else has changed" for key in left]
    if sweep.deferred:
        lines.append(
            f"a later run deletes {count(sweep.deferred, 'hashed file')} that may be loaded until edges have evicted what loads them"
        )
    return "\n".join(lines)


def with_invalidation(told: str, sent: Invalidated, free_paths: int, *, is_dry_run: bool) -> str:
    """What a `gc` says, and what became of its invalidation."""
    return "\n".join([told, *(invalidation_lines(sent, free_paths, is_dry_run=is_dry_run) if sent.items else ())])


def forgetting_as_json(
    forgetting: Forgetting,
    *,
    left: Sequence[str] = (),
    invalidation: Invalidated | None = None,
    free_paths: int | None = None,
    is_dry_run: bool,
) -> str:
    sent = invalidation or Invalidated()
    return to_json(
        {
            "dry_run": is_dry_run,
            "releases": sorted(forgetting.documents),
            "keys": [key for key in forgetting.site if key not in left],
            "left": list(left),
            "packs": len(forgetting.packs),
            "invalidation": invalidation_as_json(sent, free_paths),
        }
    )


def forgetting_as_text(forgetting: Forgetting, *, left: Sequence[str] = (), is_dry_run: bool) -> str:
    if forgetting.is_nothing:
        return "nothing of that is in any release"
    verb = "would take it" if is_dry_run else "took it"
    lines = [f"{verb} out of {count(len(forgetting.documents), 'release')} and {count(len(forgetting.packs), 'pack')}"]
    lines += [f"  - {key}" for key in forgetting.site if key not in left]
    lines += [f"left alone: `{key}`, which someone else has changed" for key in left]
    return "\n".join(lines)


def _full_key(doomed: Doomed) -> str:
    return f".sitepub/{doomed.key}" if doomed.is_record else doomed.key
