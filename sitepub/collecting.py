"""`gc`: reads the state, lists, decides, swaps the state, deletes, swaps again. The only one that deletes what pages may once have loaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress

from msgspec import Struct
from msgspec.structs import replace

from sitepub.core.collection import Doomed, Sweep, choose_doomed, find_wave
from sitepub.core.document import Document
from sitepub.core.ledger import join
from sitepub.core.model import Artifact, Digest, FileClass, Key, ReleaseId, Warning
from sitepub.core.plan import Shown
from sitepub.core.retention import GRACE, choose_kept, is_young
from sitepub.core.settings import Retention
from sitepub.core.state import Collect, Lease, Release, begin_collect, end_collect
from sitepub.decision import RESERVED
from sitepub.edges import ATTEMPTS, Edges, Invalidated, InvalidationChoice
from sitepub.errors import HeldError, RefusedError, StoppedError
from sitepub.gathering import run_all
from sitepub.interfaces import Anything, ConditionFailedError, Present
from sitepub.invalidating import foresee_invalidation, invalidate, send_owed
from sitepub.lease import Change, LeaseKeeper, is_dead, is_held_by, keeps_changing
from sitepub.releases import Snapshot
from sitepub.shards import FOLDER
from sitepub.writing import is_standing

MOST_DELETES = 50_000
"""Keys that one run deletes at most; the next one goes on."""


class Collected(Struct, frozen=True):
    """What a `gc` did, or would do. `left`: stable keys that someone else has changed, and were left alone."""

    sweep: Sweep
    left: tuple[Key, ...] = ()
    invalidation: Invalidated = Invalidated()
    warnings: tuple[Warning, ...] = ()


def foresee_sweep(edges: Edges, retention: Retention) -> Sweep:
    """What `collect` would delete now. Reads only."""
    return _plan(edges, edges.releases.read_state(), retention)


def foresee_collecting(edges: Edges, retention: Retention) -> Collected:
    """What `collect` would do now, with what it would invalidate. Reads only."""
    snapshot = edges.releases.read_state()
    sweep = _plan(edges, snapshot, retention)
    invalidation, warnings = foresee_eviction(edges, snapshot, _shown_by(sweep))
    return Collected(sweep, sweep.left, invalidation, warnings)


def collect(edges: Edges, retention: Retention, *, wait: bool = False) -> Collected:
    """Raises HeldError where a publish is at work, RefusedError where one was left unfinished. What can't be sent stays owed."""
    for _ in range(ATTEMPTS):
        snapshot, settled = settle_before(edges)
        sweep = _plan_or_none(edges, snapshot, retention)
        if sweep is None:
            continue
        if not sweep.doomed:
            return Collected(sweep, sweep.left, settled)
        choice = choose_eviction(edges, snapshot, _shown_by(sweep))
        keeper = begin_deleting(edges, snapshot, choice, tuple(one.release for one in sweep.kept))
        if keeper is None:
            continue
        with keeper:
            left = _delete(edges, sweep, keeper)
            ended = keeper.swap(_ending(sweep))
        return Collected(sweep, (*sweep.left, *left), invalidate(edges, ended, choice, wait), choice.warnings)
    raise keeps_changing()


def settle_before(edges: Edges) -> tuple[Snapshot, Invalidated]:
    """Nothing pending, nobody at work, and what is owed sent as far as that can be done now: retention keeps what edges may show until the rest is."""
    settled: Invalidated | None = None
    for _ in range(ATTEMPTS):
        snapshot = edges.releases.read_state()
        state = snapshot.state
        for at_work in (state.pending, state.collect):
            if at_work is not None and not is_dead(edges, at_work.lease):
                raise HeldError("held", "another run is at work on this target", "wait for it, then run it again")
        if state.pending is not None:
            message = f"release {state.pending.release.id} was begun and is not finished"
            raise RefusedError("pending-release", message, "`sitepub publish` or `sitepub rollback` finishes or replaces it")
        if state.collect is not None:
            edges.releases.swap(snapshot, end_collect(state, nonce=edges.releases.nonce()))
        elif not state.owed or settled is not None:
            return snapshot, settled or Invalidated()
        else:
            settled = send_owed(edges, snapshot)
    raise keeps_changing()


def choose_eviction(edges: Edges, snapshot: Snapshot, shown: tuple[Shown, ...]) -> InvalidationChoice:
    """What is to be invalidated once `shown` is deleted, beside all of the live release, which edges hold too. Raises RefusedError where the
    month is spent and `when_spent: fail` says so."""
    live = snapshot.state.live_release
    held = edges.releases.read_document(live).manifest.artifacts if live and shown else {}
    return edges.choose(shown, held, snapshot.state)()


def foresee_eviction(edges: Edges, snapshot: Snapshot, shown: tuple[Shown, ...]) -> tuple[Invalidated, tuple[Warning, ...]]:
    """What would be sent once `shown` is deleted, with what is owed already. Reads only; raises RefusedError as choose_eviction."""
    if edges.cdn is None:
        return Invalidated(), ()
    choice = choose_eviction(edges, snapshot, shown)
    if not choice.items and snapshot.state.owed:
        choice = replace(choice, ledger=edges.count_month(snapshot.state))
    return foresee_invalidation(edges.cdn, choice, snapshot.state, edges.rules, edges.clock.now()), choice.warnings


def begin_deleting(edges: Edges, snapshot: Snapshot, choice: InvalidationChoice, kept: tuple[Release, ...]) -> LeaseKeeper | None:
    """None where the state is not the one any more that the plan was made against."""
    state = snapshot.state
    collect = Collect(state.seq + 1, choice.items, Lease(edges.releases.nonce(), edges.process, edges.lease_seconds))
    ledger = state.ledger if choice.ledger is None else join(state.ledger, choice.ledger)
    wanted = begin_collect(replace(state, ledger=ledger), collect, kept, nonce=edges.releases.nonce())
    started = edges.clock.elapsed()
    swap = edges.releases.swap(snapshot, wanted)
    is_ours = swap.is_ours or is_held_by(swap.snapshot.state, collect.lease.token)
    return LeaseKeeper(edges.releases, edges.clock, swap.snapshot, started) if is_ours else None


def _plan_or_none(edges: Edges, snapshot: Snapshot, retention: Retention) -> Sweep | None:
    """None where a release vanished because another `gc` was faster."""
    try:
        return _plan(edges, snapshot, retention)
    except StoppedError as error:
        if error.code != "release-lost" or edges.releases.read_state().etag == snapshot.etag:
            raise
        return None


def _plan(edges: Edges, snapshot: Snapshot, retention: Retention) -> Sweep:
    state = snapshot.state
    listed = {there.key: there for there in edges.store.list() if not there.key.startswith(RESERVED)}
    listed_records = {there.key: there for there in edges.records.list()}
    site = {key: there.size for key, there in listed.items()}
    records = {key: there.size for key, there in listed_records.items()}
    now = edges.clock.now()
    kept, documents = choose_kept(state, retention, now), read_documents(edges, state.releases, records)
    young = [release for release in documents.keys() - {release.id for release in state.releases} if is_young(release, now)]
    young_shards = _find_young_shards(edges, documents.values(), records)
    sweep = choose_doomed(state, kept, documents, site, records, young=young, young_shards=young_shards)
    left = _find_changed(edges, sweep)
    if left:  # nobody's waves wait for what is not ours any more
        theirs = frozenset(left)
        site = {key: size for key, size in site.items() if key not in theirs}
        sweep = choose_doomed(state, kept, documents, site, records, young=young, young_shards=young_shards)
        sweep = replace(sweep, left=left)
    doomed = sweep.doomed[:MOST_DELETES]
    return replace(
        sweep,
        is_whole=len(doomed) == len(sweep.doomed),
        doomed=tuple(replace(one, etag=(listed_records if one.is_record else listed)[one.key].etag) for one in doomed),
    )


def _find_young_shards(edges: Edges, documents: Iterable[Document], records: Iterable[Key]) -> frozenset[Digest]:
    """Those of a document that is about to be written: without them nobody would know what its run has put into the target."""
    named = {shard.digest for document in documents for shard in document.shards}
    unnamed = [key for key in records if key.startswith(FOLDER) and Digest(key.removeprefix(FOLDER)) not in named]
    ages = run_all(edges.records.age, unnamed)
    return frozenset(Digest(key.removeprefix(FOLDER)) for key, age in ages if age is not None and age <= GRACE.total_seconds())


def _find_changed(edges: Edges, sweep: Sweep) -> tuple[Key, ...]:
    """Keys at which something else stands than what sitepub wrote."""
    found = run_all(lambda doomed: edges.store.head(doomed.key), [doomed for doomed in sweep.doomed if doomed.known])
    return tuple(
        doomed.key
        for doomed, head in found
        if head is not None and not any(is_standing(edges.store, head, artifact) for artifact in doomed.known)
    )


def read_documents(edges: Edges, listed: tuple[Release, ...], records: Iterable[Key]) -> Mapping[ReleaseId, Document]:
    """Of every release that the state lists, and of those that stand there without being listed any more: they name what is ours."""
    documents = {release.id: edges.releases.read_document(release) for release in listed}
    others = [ReleaseId(key.partition("/")[2]) for key in records if key.startswith("releases/")]
    for release in others:
        if release not in documents:
            found = edges.releases.read_unlisted(release)
            if found is not None:
                documents[release] = found
    return documents


def _ending(sweep: Sweep) -> Change:
    return lambda state, nonce: replace(end_collect(state, nonce=nonce), is_swept=sweep.is_whole)


def _shown_by(sweep: Sweep) -> tuple[Shown, ...]:
    """What of it edges may show."""
    return tuple(Shown(doomed.key, doomed.known, None) for doomed in sweep.doomed if _needs_invalidation(doomed))


def _needs_invalidation(doomed: Doomed) -> bool:
    return any(artifact.file_class not in (FileClass.ALIAS, FileClass.ASSET) for artifact in doomed.known)


def _delete(edges: Edges, sweep: Sweep, keeper: LeaseKeeper) -> tuple[Key, ...]:
    """What names things as ours goes last, so that a run that stops half-way still knows."""
    left: list[Key] = []
    edges.progress.stage("collecting", total_files=len(sweep.doomed), total_bytes=sum(doomed.size for doomed in sweep.doomed))

    def delete(doomed: Doomed) -> bool:
        keeper.check()
        done = delete_stable(edges, doomed.key, doomed.known) if doomed.known else _delete_unneeded(edges, doomed)
        edges.progress.advance(files=1, bytes=doomed.size)
        return done

    for wave in range(3):
        doomed_now = [doomed for doomed in sweep.doomed if find_wave(doomed) == wave]
        left += [doomed.key for doomed, done in run_all(delete, doomed_now) if not done]
    return tuple(left)


def _delete_unneeded(edges: Edges, doomed: Doomed) -> bool:
    """What was written again meanwhile is needed again: this run has been taken over."""
    with suppress(ConditionFailedError):
        expect = Anything() if doomed.etag is None else Present(doomed.etag)
        (edges.records if doomed.is_record else edges.store).delete(doomed.key, expect=expect)
    return True


def delete_stable(edges: Edges, key: Key, known: tuple[Artifact, ...]) -> bool:
    """Deletes what is ours at a key whose name says nothing of its content; False where something else stands there."""
    head = edges.store.head(key)
    if head is None:
        return True
    if not any(is_standing(edges.store, head, artifact) for artifact in known):
        return False
    try:
        edges.store.delete(key, expect=Present(head.etag))
    except ConditionFailedError:
        return False
    return True
