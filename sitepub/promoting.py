"""The only step that visitors can see: entries, aliases and deletes go to their keys, stage by stage, each write on its condition."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sitepub.core.enumeration import name_some
from sitepub.core.manifest import hashed_keys
from sitepub.core.model import Artifact, ETag, Key, Kind
from sitepub.core.plan import COPY_ABOVE, Stage, Step, is_large, is_same
from sitepub.decision import RESERVED, Decision
from sitepub.edges import Edges
from sitepub.errors import RefusedError
from sitepub.gathering import run_each
from sitepub.interfaces import Body, Place
from sitepub.lease import LeaseKeeper
from sitepub.pack_draft import PackDraft
from sitepub.packs import large_body_key
from sitepub.wishes import Wish
from sitepub.writing import TRIES, Outcome, Written, give_new_etag, write_step


def promote(edges: Edges, decision: Decision, wish: Wish, draft: PackDraft, keeper: LeaseKeeper) -> dict[Key, ETag | None]:
    """The only step that visitors can see. Returns what the target answered for each key; raises RefusedError for keys edited by hand."""
    steps = decision.plan.steps
    edges.progress.stage("promoting", total_files=len(steps), total_bytes=sum(step.wanted.size for step in steps if step.wanted))
    listed = _list_for_takeover(edges, decision)
    body_of = _bodies_for_promote(edges, decision, wish, draft)

    # from many threads: each sets keys of its own
    answered: dict[Key, ETag | None] = {}
    foreign: list[Step] = []

    def write(step: Step) -> None:
        written = _write_step(edges, decision, step, body_of, keeper, listed.get(step.key))
        edges.progress.advance(files=1, bytes=step.wanted.size if step.wanted else 0)
        if written.outcome is Outcome.FOREIGN:
            foreign.append(step)
        else:
            answered[step.key] = written.etag

    for stage in Stage:
        run_each(write, [step for step in steps if step.stage is stage], pace=edges.pace)
    foreign.sort(key=lambda step: step.key)
    for step in foreign:
        if step.wanted is None:
            edges.progress.note(f"`{step.key}` was changed by someone else; it is left alone and no longer sitepub's")
            answered[step.key] = None
    if edited := [step.key for step in foreign if step.wanted is not None]:
        keeper.confirm()
        raise _edited_by_hand(edited)
    return answered


def _write_step(
    edges: Edges, decision: Decision, step: Step, body_of: Callable[[Artifact], Body | Place], keeper: LeaseKeeper, found: ETag | None
) -> Written:
    """`found`: what the listing of a takeover found, where that alone says what stands there."""
    for _ in range(TRIES):
        if found is not None and _is_as_before(decision, step):
            written = Written(Outcome.DONE, found)
        else:
            written = write_step(edges.store, step, body_of, before_write=keeper.check, listed=found)
        is_ours = written.outcome is Outcome.DONE
        if step.wanted is None or written.etag is None or not is_ours or not _suits_dead_run(decision, step, written.etag):
            return written
        keeper.check()
        renewed = give_new_etag(edges.store, step.key, step.wanted.headers, step.wanted.body, written.etag)
        if renewed is not None:
            return Written(Outcome.DONE, renewed)
        found = None
    return Written(Outcome.FOREIGN)


def _suits_dead_run(decision: Decision, step: Step, etag: ETag) -> bool:
    """The run that was taken over may have a write under way, for which just this has to stand there, and which would put something else."""
    if decision.snapshot.state.pending is None or etag != decision.etags.get(step.key):
        return False
    return any(artifact is None or step.wanted is None or not is_same(artifact, step.wanted) for artifact in step.candidates)


def _edited_by_hand(keys: list[Key]) -> RefusedError:
    message = f"changed in the target by someone else: {name_some(keys, 10)}; all other keys are up to date"
    return RefusedError("edited-by-hand", message, "`sitepub publish --allow foreign` overwrites them")


def _list_for_takeover(edges: Edges, decision: Decision) -> Mapping[Key, ETag]:
    """After a dead run the target is listed once: a key that still has the live release's ETag was not promoted, if no other candidate
    could have the same ETag."""
    if decision.snapshot.state.pending is None:
        return {}
    standing = {there.key: there.etag for there in edges.store.list() if not there.key.startswith(RESERVED)}
    certain: dict[Key, ETag] = {}
    for step in decision.plan.steps:
        etag = standing.get(step.key)
        bodies = [artifact.body for artifact in step.candidates if artifact is not None]
        if etag is not None and etag == decision.etags.get(step.key) and len(set(bodies)) == len(bodies):
            certain[step.key] = etag
    return certain


def _is_as_before(decision: Decision, step: Step) -> bool:
    """What the record's ETag stands for is just what is wanted: nothing is to be written (nor could it be: packs keep no frozen bodies)."""
    if decision.document is None or step.wanted is None:
        return False
    live = decision.document.manifest.artifacts.get(step.key)
    recorded = (live,) if live is not None else decision.document.lingering.get(step.key, ())
    return len(recorded) == 1 and is_same(recorded[0], step.wanted)


def _bodies_for_promote(edges: Edges, decision: Decision, wish: Wish, draft: PackDraft) -> Callable[[Artifact], Body | Place]:
    """Small bodies from the pack that was just sent, large ones by server-side copies of what was just sent, the rest as the wish has them."""
    hashed = hashed_keys(decision.plan.wanted.artifacts)

    def body_of(artifact: Artifact) -> Body | Place:
        if artifact.kind is Kind.ALIAS and artifact.size > COPY_ABOVE and artifact.source in hashed:
            return edges.store.place(hashed[artifact.source])
        if is_large(artifact):
            return edges.records.place(large_body_key(artifact.body))
        packed = draft.read(artifact.body)
        return wish.supply(artifact) if packed is None else packed

    return body_of
