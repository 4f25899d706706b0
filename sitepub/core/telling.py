"""What people are told of a plan: each change with its reason, and how many there are. Decides nothing. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from msgspec.structs import replace

from sitepub.core.changes import Action, Change, Summary
from sitepub.core.model import Artifact, HeaderSet, Kind, Manifest
from sitepub.core.plan import COPY_ABOVE, Base, Step


def tell_upload(artifact: Artifact, base: Base) -> Change:
    """What goes up before promote: hashed, or new under a bundler's name."""
    found = base.found.get(artifact.key)
    return Change(artifact.key, artifact.source, artifact.kind, Action.PUT, found.reason if found else "new", artifact.size)


def tell_step(step: Step, base: Base) -> Change:
    """One write of promote."""
    if step.wanted is None:
        retired = next(artifact for artifact in step.candidates if artifact is not None)
        return Change(step.key, None, retired.kind, Action.DELETE, "no longer in the site", 0)
    artifact = step.wanted
    action = Action.COPY if artifact.kind is Kind.ALIAS and artifact.size > COPY_ABOVE else Action.PUT
    return Change(step.key, artifact.source, artifact.kind, action, _explain(artifact, base), artifact.size)


def _explain(wanted: Artifact, base: Base) -> str:
    """Why it is written again."""
    key = wanted.key
    standing = base.standing.get(key)
    if standing is not None:
        return "already there, takes our headers" if standing.is_same_body else "foreign content, replaced because it is allowed"
    if key in base.found:
        return base.found[key].reason
    before = base.live.artifacts.get(key) if base.live else None
    if before is None:
        return "back again" if key in base.lingering else "new"
    if before.body != wanted.body:
        return "content changed"
    if before.headers != wanted.headers:
        return "headers changed: " + ", ".join(changed_headers(before.headers, wanted.headers))
    return "an unfinished release may have changed it"


def changed_headers(before: HeaderSet, after: HeaderSet) -> tuple[str, ...]:
    """Names of the headers that differ, sorted."""
    return tuple(sorted({name for name, _ in set(before) ^ set(after)}))


def summarise(wanted: Manifest, uploads: Collection[Artifact], steps: Iterable[Step], base: Base) -> Summary:
    """Counts keys: each upload and step is one, whatever it takes; what stays as it is is `unchanged`."""
    live = base.live.artifacts if base.live else {}
    summary = Summary(new=len(uploads))
    touched = len(uploads)
    for step in steps:
        before = live.get(step.key)
        touched += step.wanted is not None
        if step.wanted is None:
            summary = replace(summary, removed=summary.removed + 1)
        elif before is None:
            summary = replace(summary, new=summary.new + 1)
        elif before.body != step.wanted.body or (step.key in base.found and base.found[step.key].shown.body != before.body):
            summary = replace(summary, changed=summary.changed + 1)
        else:
            summary = replace(summary, headers=summary.headers + 1)
    return replace(summary, unchanged=len(wanted) - touched)
