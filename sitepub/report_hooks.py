"""What `hook` says of hooks, as text for people and JSON for scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import asdict

from sitepub.core.hook_scripts import Hook
from sitepub.local.hook_log import Run
from sitepub.local.hooks import Installed
from sitepub.report_json import to_json


def hooks_as_text(found: Sequence[Installed], runs: Mapping[str, Run], ends: Mapping[str, Sequence[str]]) -> str:
    if not found:
        return "no hook of sitepub is installed; `sitepub hook install --post-push` publishes after each push"
    lines = []
    for each in found:
        lines.append(f"{each.hook.name}  ({each.path})")
        if each.problem:
            lines.append(f"  does not run: {each.problem}")
    for target, run in runs.items():
        how = f"ended with status {run.status} at {run.ended}" if run.ended else "has not ended"
        lines.append(f"last run for {target}: commit {run.commit[:8]}, begun at {run.started}, {how}")
        lines += [f"  {line}" for line in ends.get(target, ())]
    return "\n".join(lines)


def hooks_as_json(found: Sequence[Installed], runs: Mapping[str, Run], ends: Mapping[str, Sequence[str]]) -> str:
    return to_json(
        {
            "hooks": [{**_hook_as_json(each.hook), "path": str(each.path), "problem": each.problem or None} for each in found],
            "runs": [{**asdict(run), "log": list(ends.get(target, ()))} for target, run in runs.items()],
        }
    )


def changes_as_json(name: str, hooks: Sequence[Hook]) -> str:
    """`name`: what happened to them."""
    return to_json({name: [_hook_as_json(hook) for hook in hooks]})


def _hook_as_json(hook: Hook) -> dict[str, str]:
    return {"hook": hook.kind, "target": hook.called, "branch": hook.branch}
