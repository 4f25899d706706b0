"""The sentence: read, plan, upload, begin, promote, record, finish, invalidate. This file alone orders writes (docs/design.md §5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from sitepub.core.document import BodyPlace, Document
from sitepub.core.ledger import join
from sitepub.core.model import Artifact, Commit, Digest, ETag, FileClass, Key, Kind, ReleaseId, Warning
from sitepub.core.plan import COPY_ABOVE, PACK_LIMIT, Plan, Stage, Step, bodies_to_bring, count_by_kind, is_same
from sitepub.core.settings import WhenSpent
from sitepub.core.state import Lease, Pending, Release, begin, end_collect, finish, recommit
from sitepub.decision import RESERVED, Decision, Permits, Wish, decide
from sitepub.edges import ATTEMPTS, Edges, InvalidationChoice
from sitepub.errors import HeldError, RefusedError, StoppedError
from sitepub.gathering import run_all
from sitepub.interfaces import Anything, Body, ConditionFailedError, Place
from sitepub.invalidating import Invalidated, invalidate, send_owed
from sitepub.lease import LeaseKeeper, lease_lost
from sitepub.packs import KeptBodies, PackDraft, compress, large_body_key, pack_key
from sitepub.releases import PRIVATE_BYTES, ReleaseReader, Snapshot, make_release_id, next_second
from sitepub.writing import TRIES, Outcome, Written, give_new_etag, is_standing, upload_asset, write_step

LIST_ABOVE = 16
LIST_SHARE = 20
"""Files to upload, and their part of the site (one in so many), from which on the target is listed before."""

LOST = ("release-lost", "kept-body-lost", "missing-body")
"""How a rollback fails whose release is taken away under its eyes."""

Judge = Callable[[Commit | None], object]
"""Told the commit that is live (or pending): raises HeldError where ours is older, RefusedError where histories diverged."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a run did. `release` None: there was nothing to publish."""

    decision: Decision
    release: ReleaseId | None
    invalidation: Invalidated
    warnings: tuple[Warning, ...]


@dataclass(frozen=True, slots=True)
class _Staged:
    """A release that is in the target as a whole, though nobody refers to it yet."""

    release: Release
    document: Document
    uploaded: Mapping[Key, ETag | None]


def publish(
    edges: Edges,
    wish: Wish,
    judge: Judge,
    permits: Permits,
    *,
    lock_timeout: float = 600,
    wait: bool = False,
    first: Snapshot | None = None,
) -> Receipt:
    """Makes the wish live. `first`: the state as it was read already. Raises HeldError, RefusedError, ConfigurationError before the first visible write, StoppedError after it."""
    looks_behind = False
    for _ in range(ATTEMPTS):
        snapshot = _wait_for_turn(edges, judge, wish, lock_timeout, first)
        first = None
        decision = _decide_or_none(edges, snapshot, wish, permits, looks_behind=looks_behind)
        if decision is None:
            continue
        if decision.is_nothing:
            return settle_nothing(edges, decision, wish.commit, wait=wait)
        facts = edges.before_first_write()
        choosing = edges.choose(decision.plan.shown, decision.document.manifest.artifacts if decision.document else {}, snapshot.state)
        if edges.rules.when_spent is WhenSpent.FAIL:
            choosing()
        with PackDraft(edges.spool) as draft:
            try:
                staged = _upload(edges, decision, wish, draft)
            except RefusedError as refused:
                if refused.code != "name-taken" or looks_behind:
                    raise
                looks_behind = True
                continue
            choice = choosing()
            keeper = _begin(edges, decision, staged, choice, wish, facts)
            if keeper is None:
                continue
            with keeper:
                answered = _promote(edges, decision, wish, draft, keeper)
                finished = _finish(edges, decision, staged, keeper, answered)
        warnings = (*decision.warnings, *decision.plan.warnings, *choice.warnings)
        return Receipt(decision, staged.release.id, invalidate(edges, finished, choice, wait), warnings)
    raise HeldError("busy", "other runs keep changing the target", "run it again once they are done")


# ---- read and plan


def _wait_for_turn(edges: Edges, judge: Judge, wish: Wish, lock_timeout: float, first: Snapshot | None) -> Snapshot:
    """The state, once nobody else is at work. An older run stops at once, a newer one waits for the lease."""
    started = edges.clock.elapsed()
    is_told = False
    while True:
        snapshot, first = first or edges.releases.read_state(), None
        pending, live = snapshot.state.pending, snapshot.state.live_release
        if live is not None:
            judge(live.commit)
        at_work = pending or snapshot.state.collect
        if at_work is None or is_dead(edges, at_work.lease):
            return snapshot if pending is None else _respect_newer(edges, snapshot, pending, judge)
        if pending is not None and not wish.asked:
            judge(pending.release.commit)
        what = f"release {pending.release.id}" if pending else "a `gc`"
        if edges.clock.elapsed() - started > lock_timeout:
            who = at_work.lease.process
            by = f" by process {who.pid} on `{who.host}`" if who else ""
            raise HeldError("held", f"{what} is at work{by}", "wait for it, or raise `--lock-timeout`")
        if not is_told:
            edges.progress.note(f"waiting for {what}, which another run is at work on")
            is_told = True
        edges.clock.sleep(1.0)


def is_dead(edges: Edges, lease: Lease) -> bool:
    """The run behind a lease has given up, is gone from this machine, or has let its lease run out."""
    if not lease.token:
        return True
    if lease.process is not None and edges.is_gone(lease.process):
        return True
    age = edges.releases.state_age()
    return age is not None and age > lease.seconds


def _respect_newer(edges: Edges, snapshot: Snapshot, pending: Pending, judge: Judge) -> Snapshot:
    """An older run that meets a dead newer release completes it, and then stops as it would have."""
    try:
        if not pending.asked:
            judge(pending.release.commit)
    except HeldError:
        complete_pending(edges, snapshot, pending)
        raise
    return snapshot


def complete_pending(edges: Edges, snapshot: Snapshot, pending: Pending) -> Receipt:
    """Finishes a dead run's release from what it left in the target."""
    document = edges.releases.read_document(pending.release)
    wish = Wish(
        manifest=document.manifest,
        supply=supply_from_target(edges, document),
        commit=pending.release.commit,
        asked=pending.asked,
        origin=pending.release.origin,
    )
    everything = Permits(shrink=True, foreign=False, diverged=True, older=True)
    return publish(edges, wish, lambda _: None, everything)


def rollback(edges: Edges, release: Release, snapshot: Snapshot, *, lock_timeout: float = 600, wait: bool = False) -> Receipt:
    """Makes an earlier release live again, as a new release: promote of its manifest, with the bodies that the target keeps. Raises RefusedError
    where a `gc` beside it was faster."""
    everything = Permits(shrink=True, diverged=True, older=True)
    try:
        wish = wish_for(edges.releases, release, snapshot, supply_from_target(edges, edges.releases.read_document(release)))
        return publish(edges, wish, lambda _: None, everything, lock_timeout=lock_timeout, wait=wait, first=snapshot)
    except StoppedError as error:
        if error.code not in LOST or release.id in {listed.id for listed in edges.releases.read_state().state.releases}:
            raise
        message = f"release {release.id} was collected by a `gc` meanwhile"
        raise RefusedError("release-collected", message, "`sitepub releases` lists what there is") from error


def wish_for(releases: ReleaseReader, release: Release, snapshot: Snapshot, supply: Callable[[Artifact], Body | Place]) -> Wish:
    """An earlier release as a wish. What became an entry since, because its bytes changed under a bundler's name, stays one."""
    document = releases.read_document(release)
    live = snapshot.state.live_release
    standing = releases.read_document(live).manifest.artifacts if live else {}
    as_entries = {
        key: replace(artifact, file_class=standing[key].file_class, headers=standing[key].headers)
        for key, artifact in document.manifest.artifacts.items()
        if artifact.file_class is FileClass.FROZEN and key in standing and standing[key].file_class in (FileClass.PINNED, FileClass.ENTRY)
    }
    return Wish(
        manifest=document.manifest,
        supply=supply,
        commit=release.commit,
        frozen_as_entries=as_entries,
        asked=True,
        origin=release.origin or release.id,
    )


def supply_from_target(edges: Edges, document: Document) -> Callable[[Artifact], Body | Place]:
    """Bodies of an earlier release: entries from packs, hashed files from their own keys, aliases from the file that they stand for."""
    kept = KeptBodies(edges.records, document.bodies)
    hashed = _hashed_keys(document.manifest.artifacts)

    def supply(artifact: Artifact) -> Body | Place:
        if artifact.kind is Kind.ALIAS and artifact.source in hashed:
            return edges.store.place(hashed[artifact.source])
        if artifact.file_class is FileClass.ASSET:
            return edges.store.place(artifact.key)
        if artifact.file_class is FileClass.FROZEN and _stands_at_its_key(edges, artifact):
            return edges.store.place(artifact.key)
        return kept.read(artifact.body)

    return supply


def _stands_at_its_key(edges: Edges, artifact: Artifact) -> bool:
    """A bundler's file is kept apart only once other bytes have taken its name; until then it may have other headers."""
    head = edges.store.head(artifact.key)
    return head is not None and is_standing(edges.store, head, replace(artifact, headers=head.headers))


def _decide_or_none(edges: Edges, snapshot: Snapshot, wish: Wish, permits: Permits, *, looks_behind: bool) -> Decision | None:
    """None where a release vanished because the state has moved on since it was read."""
    edges.progress.stage("comparing with what is live")
    try:
        return decide(edges.store, edges.releases, snapshot, wish, permits, looks_behind=looks_behind)
    except StoppedError as error:
        if error.code != "release-lost" or edges.releases.read_state().etag == snapshot.etag:
            raise
        return None


def settle_nothing(edges: Edges, decision: Decision, commit: Commit | None, *, wait: bool) -> Receipt:
    """The content is live already; its commit may be another one, and something may still be owed."""
    snapshot = _end_dead_collect(edges, decision.snapshot)
    for _ in range(ATTEMPTS):
        # another run may have sent what was owed meanwhile; one that made another release or commit live has had its say
        if commit is None or decision.live is None or decision.live.commit == commit or not _is_still_live(snapshot, decision.live):
            break
        snapshot = edges.releases.swap(snapshot, recommit(snapshot.state, commit, nonce=edges.releases.nonce())).snapshot
    return Receipt(decision, None, send_owed(edges, snapshot, wait=wait), decision.warnings)


def _is_still_live(snapshot: Snapshot, release: Release) -> bool:
    live = snapshot.state.live_release
    return live is not None and (live.id, live.commit) == (release.id, release.commit)


def _end_dead_collect(edges: Edges, snapshot: Snapshot) -> Snapshot:
    """What a dead `gc` owes is owed from now on."""
    collect = snapshot.state.collect
    if collect is None or not is_dead(edges, collect.lease):
        return snapshot
    return edges.releases.swap(snapshot, end_collect(snapshot.state, nonce=edges.releases.nonce())).snapshot


# ---- upload


def _upload(edges: Edges, decision: Decision, wish: Wish, draft: PackDraft) -> _Staged:
    """Puts all of the release into the target that nobody refers to yet."""
    if decision.completes is not None:
        document = edges.releases.read_document(decision.completes.release)
        return _Staged(decision.completes.release, document, {})
    plan = decision.plan
    edges.progress.stage("uploading", total_files=len(plan.uploads), total_bytes=sum(a.size for a in plan.uploads))
    missing = _draft_bodies(decision, wish, draft)
    document = Document(plan.wanted, _find_places(decision, draft), plan.lingering, decision.retired)
    # before all that it names: what a run leaves that ends in here is known to be ours
    release = _write_release(edges, decision, wish, document)
    for saved in plan.saved:
        standing = edges.store.head(saved.key)
        if standing is not None and is_standing(edges.store, standing, saved):
            place = edges.store.place(saved.key)
            edges.records.copy(place, large_body_key(saved.body), PRIVATE_BYTES, digest=saved.body, expect=Anything())
    after_gc = decision.snapshot.state.collect is not None
    arrived = _find_arrived(edges, plan)
    uploaded = {
        a.key: etag
        for a, etag in run_all(
            lambda a: _upload_one(edges, a, wish, is_there=arrived.get(a.key) == a.size, needs_new_etag=after_gc), plan.uploads
        )
    }
    _send_bodies(edges, decision, wish, draft, missing)
    return _Staged(release, document, uploaded)


def _find_arrived(edges: Edges, plan: Plan) -> Mapping[Key, int]:
    """Sizes of what stands there, where so much is to be sent that a run which broke off may have sent much of it: one listing costs less."""
    if len(plan.uploads) < LIST_ABOVE or len(plan.uploads) * LIST_SHARE < len(plan.wanted):
        return {}
    return {there.key: there.size for there in edges.store.list()}


def _upload_one(edges: Edges, artifact: Artifact, wish: Wish, *, is_there: bool, needs_new_etag: bool) -> ETag:
    etag = upload_asset(edges.store, artifact, wish.supply, looks_first=is_there, needs_new_etag=needs_new_etag)
    edges.progress.advance(files=1, bytes=artifact.size)
    return etag


def _draft_bodies(decision: Decision, wish: Wish, draft: PackDraft) -> tuple[Artifact, ...]:
    """Packs the bodies of entries that the target does not keep yet; returns the artifacts that have them, large ones too."""
    known = decision.document.bodies.keys() if decision.document else frozenset()
    large_before = {a.body for a in decision.document.manifest.artifacts.values() if _is_large(a)} if decision.document else set()
    missing = bodies_to_bring(decision.plan, known | large_before)
    draft.add(_frames([a for a in missing if not _is_large(a)], wish))
    return missing


def _find_places(decision: Decision, draft: PackDraft) -> Mapping[Digest, BodyPlace]:
    """Where the bodies of this release stand, or will."""
    places = {**(decision.document.bodies if decision.document else {}), **draft.places()}
    wanted = {artifact.body for artifact in decision.plan.wanted.artifacts.values()}
    return {digest: place for digest, place in places.items() if digest in wanted}


def _send_bodies(edges: Edges, decision: Decision, wish: Wish, draft: PackDraft, missing: tuple[Artifact, ...]) -> None:
    for artifact, body in run_all(wish.supply, [a for a in missing if _is_large(a)], workers=4):
        etag = _put_large_body(edges, artifact, body)
        _outlive_gc(edges, decision, large_body_key(artifact.body), artifact.body, etag)
    if not draft.is_empty:
        pack = draft.as_body()
        etag = edges.records.put(pack_key(draft.name), pack, PRIVATE_BYTES, digest=pack.digest, expect=Anything())
        _outlive_gc(edges, decision, pack_key(draft.name), pack.digest, etag)


def _frames(artifacts: list[Artifact], wish: Wish) -> Iterator[tuple[Digest, bytes]]:
    def frame(artifact: Artifact) -> bytes:
        body = wish.supply(artifact)
        if not isinstance(body, bytes):
            raise StoppedError("kept-body-lost", f"the body of `{artifact.key}` can't be kept", "publish it again from its sources")
        return compress(body)

    for first in range(0, len(artifacts), 256):
        for artifact, compressed in run_all(frame, artifacts[first : first + 256], workers=4):
            yield artifact.body, compressed


def _put_large_body(edges: Edges, artifact: Artifact, body: Body | Place) -> ETag:
    key = large_body_key(artifact.body)
    head = edges.records.head(key)
    if head is not None:
        return head.etag
    if isinstance(body, Place):
        return edges.records.copy(body, key, PRIVATE_BYTES, digest=artifact.body, expect=Anything())
    return edges.records.put(key, body, PRIVATE_BYTES, digest=artifact.body, expect=Anything())


def _outlive_gc(edges: Edges, decision: Decision, key: Key, digest: Digest, etag: ETag) -> None:
    """A `gc` that ended half-way may have a delete of the same name under way still."""
    if decision.snapshot.state.collect is not None:
        give_new_etag(edges.records, key, PRIVATE_BYTES, digest, etag)


def _is_large(artifact: Artifact) -> bool:
    return artifact.kind is Kind.ENTRY and artifact.size > PACK_LIMIT


def _write_release(edges: Edges, decision: Decision, wish: Wish, document: Document) -> Release:
    entries, assets = count_by_kind(document.manifest)
    release = make_release_id(f"{edges.clock.now():%Y%m%dT%H%M%SZ}", decision.digest)
    taken = {listed.id for listed in decision.snapshot.state.releases}
    while release in taken:  # a rollback within the second of the release that it goes back to
        release = next_second(release)
    stored, release = edges.releases.write_document(release, document)
    return Release(
        id=release,
        seq=decision.snapshot.state.seq + 1,
        manifest=decision.digest,
        document=stored,
        commit=wish.commit,
        published_at="",
        entries=entries,
        assets=assets,
        origin=wish.origin,
    )


# ---- begin, promote, finish


def _begin(
    edges: Edges, decision: Decision, staged: _Staged, choice: InvalidationChoice, wish: Wish, facts: Mapping[str, str]
) -> LeaseKeeper | None:
    """Swaps the state to pending; None where it is not the one any more that the plan was made against."""
    before = decision.snapshot.state
    ledger = before.ledger if choice.ledger is None else join(before.ledger, choice.ledger)
    state = replace(before, provisioned={**before.provisioned, **facts, **choice.facts}, ledger=ledger)
    over, owes = _superseded(decision), set(choice.items)
    if state.pending is not None:
        owes.update(state.pending.owes)
    release = replace(staged.release, seq=state.seq + 1, commit=wish.commit or staged.release.commit)
    lease = Lease(edges.releases.nonce(), edges.process, edges.lease_seconds)
    pending = Pending(release, tuple(sorted(owes)), lease, over, wish.asked)
    started = edges.clock.elapsed()
    swap = edges.releases.swap(decision.snapshot, begin(state, pending, nonce=edges.releases.nonce()))
    return LeaseKeeper(edges.releases, edges.clock, swap.snapshot, started) if swap.is_ours else None


def _superseded(decision: Decision) -> tuple[Release, ...]:
    pending = decision.snapshot.state.pending
    if pending is None:
        return ()
    return pending.over if decision.completes is not None else (pending.release, *pending.over)


def _promote(edges: Edges, decision: Decision, wish: Wish, draft: PackDraft, keeper: LeaseKeeper) -> Mapping[Key, ETag | None]:
    """The only step that visitors can see. Returns what the target answered for each key; raises RefusedError for keys edited by hand."""
    steps = decision.plan.steps
    edges.progress.stage("promoting", total_files=len(steps), total_bytes=sum(step.wanted.size for step in steps if step.wanted))
    listed = _list_for_takeover(edges, decision)
    body_of = _bodies_for_promote(edges, decision, wish, draft)

    def write(step: Step) -> Written:
        written = _write_step(edges, decision, step, body_of, keeper, listed.get(step.key))
        edges.progress.advance(files=1, bytes=step.wanted.size if step.wanted else 0)
        return written

    answered: dict[Key, ETag | None] = {}
    foreign: list[Key] = []
    for stage in Stage:
        for step, written in run_all(write, [step for step in steps if step.stage is stage]):
            if written.outcome is Outcome.FOREIGN and step.wanted is not None:
                foreign.append(step.key)
            elif written.outcome is Outcome.FOREIGN:
                edges.progress.note(f"`{step.key}` was changed by someone else; it is left alone and no longer sitepub's")
                answered[step.key] = None
            else:
                answered[step.key] = written.etag
    if foreign:
        raise _edited_by_hand(foreign)
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
        if step.wanted is None or written.etag is None or not _suits_dead_run(decision, step, written.etag):
            return written
        keeper.check()
        with suppress(ConditionFailedError):
            wanted = step.wanted
            return Written(Outcome.DONE, give_new_etag(edges.store, step.key, wanted.headers, wanted.body, written.etag))
        found = None
    return Written(Outcome.FOREIGN)


def _suits_dead_run(decision: Decision, step: Step, etag: ETag) -> bool:
    """The run that was taken over may have a write under way, for which just this has to stand there, and which would put something else."""
    if decision.snapshot.state.pending is None or etag != decision.etags.get(step.key):
        return False
    return any(artifact is None or step.wanted is None or not is_same(artifact, step.wanted) for artifact in step.candidates)


def _edited_by_hand(keys: list[Key]) -> RefusedError:
    named = ", ".join(f"`{key}`" for key in keys[:10]) + (f" and {len(keys) - 10} more" if len(keys) > 10 else "")
    message = f"changed in the target by someone else: {named}; all other keys are up to date"
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
    hashed = _hashed_keys(decision.plan.wanted.artifacts)

    def body_of(artifact: Artifact) -> Body | Place:
        if artifact.kind is Kind.ALIAS and artifact.size > COPY_ABOVE and artifact.source in hashed:
            return edges.store.place(hashed[artifact.source])
        if _is_large(artifact):
            return edges.records.place(large_body_key(artifact.body))
        packed = draft.read(artifact.body)
        return wish.supply(artifact) if packed is None else packed

    return body_of


def _hashed_keys(artifacts: Mapping[Key, Artifact]) -> Mapping[str | None, Key]:
    return {artifact.source: key for key, artifact in artifacts.items() if artifact.file_class is FileClass.ASSET}


def _finish(edges: Edges, decision: Decision, staged: _Staged, keeper: LeaseKeeper, answered: Mapping[Key, ETag | None]) -> Snapshot:
    """Records what the target answered and swaps the state to live."""
    edges.progress.stage("finishing")
    state = keeper.snapshot.state
    fresh = {**staged.uploaded, **answered}
    record = edges.releases.write_record(state.record, fresh, lambda: decision.etags)
    keeper.check()
    published_at = f"{edges.clock.now():%Y-%m-%dT%H:%M:%SZ}"
    swap = edges.releases.swap(keeper.snapshot, finish(state, record=record, published_at=published_at, nonce=edges.releases.nonce()))
    if not swap.is_ours:
        raise lease_lost()
    return swap.snapshot
