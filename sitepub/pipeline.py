"""The sentence: read, plan, upload, begin, promote, record, finish, invalidate. This file alone orders writes: the order of writes in docs/design.md."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from sitepub.core.ledger import join
from sitepub.core.model import Commit, ETag, Key, ReleaseId, Warning
from sitepub.core.previews import is_put_off
from sitepub.core.settings import WhenSpent
from sitepub.core.state import Lease, Pending, Release, State, begin, finish, prolong, recommit
from sitepub.decision import Decision, decide
from sitepub.earlier import supply_from_target, wish_for
from sitepub.edges import ATTEMPTS, Choosing, Edges, Invalidated, InvalidationChoice
from sitepub.errors import HeldError, RefusedError, StoppedError
from sitepub.gathering import start_aside
from sitepub.invalidating import invalidate, send_owed
from sitepub.lease import LeaseKeeper, is_dead, is_held_by, keeps_changing
from sitepub.pack_draft import PackDraft
from sitepub.promoting import promote
from sitepub.releases import Snapshot
from sitepub.uploading import Staged, upload
from sitepub.wishes import Permits, Wish

LOST = ("release-lost", "kept-body-lost", "missing-body")
"""How a rollback fails whose release is taken away under its eyes."""

Judge = Callable[[Commit | None], object]
"""Told the commit that is live (or pending): raises HeldError where ours is older, RefusedError where histories diverged."""


class Receipt(Struct, frozen=True):
    """What a run did. `release` None: there was nothing to publish. `expires_at`: as the state says it, of a preview."""

    decision: Decision
    release: ReleaseId | None
    invalidation: Invalidated
    warnings: tuple[Warning, ...]
    expires_at: str = ""


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
        # bodies are packed meanwhile
        checked = start_aside(edges.before_first_write, is_awaited=True)
        choosing = _begin_choosing(edges, decision)
        with PackDraft(edges.spool) as draft:
            try:
                staged = upload(edges, decision, wish, draft, checked)
            except RefusedError as refused:
                if refused.code != "name-taken" or looks_behind:
                    raise
                looks_behind = True
                continue
            choice = choosing()
            keeper = _begin(edges, decision, staged, choice, wish, checked())
            if keeper is None:
                continue
            with keeper:
                answered = promote(edges, decision, wish, draft, keeper)
                finished = _finish(edges, decision, staged, keeper, answered)
        warnings = (*decision.warnings, *decision.plan.warnings, *choice.warnings)
        return Receipt(decision, staged.release.id, invalidate(edges, finished, choice, wait), warnings, finished.state.expires_at)
    raise keeps_changing()


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


def _respect_newer(edges: Edges, snapshot: Snapshot, pending: Pending, judge: Judge) -> Snapshot:
    """An older run that meets a dead newer release completes it, and then stops as it would have."""
    try:
        if not pending.asked:
            judge(pending.release.commit)
    except HeldError:
        complete_pending(edges, pending)
        raise
    return snapshot


def complete_pending(edges: Edges, pending: Pending, *, wait: bool = False) -> Receipt:
    """Finishes a dead run's release from what it left in the target."""
    document = edges.releases.read_document(pending.release)
    wish = Wish(
        manifest=document.manifest,
        supply=supply_from_target(edges, document).supply,
        commit=pending.release.commit,
        asked=pending.asked,
        origin=pending.release.origin,
        digest=pending.release.manifest,
    )
    everything = Permits(shrink=True, foreign=False, diverged=True, older=True)
    return publish(edges, wish, lambda _: None, everything, wait=wait)


def rollback(edges: Edges, release: Release, snapshot: Snapshot, *, lock_timeout: float = 600, wait: bool = False) -> Receipt:
    """Makes an earlier release live again, as a new release: promote of its manifest, with the bodies that the target keeps. Raises RefusedError
    where a `gc` beside it was faster."""
    everything = Permits(shrink=True, diverged=True, older=True)
    try:
        document = edges.releases.read_document(release)
        bodies = supply_from_target(edges, document)
        wish = wish_for(edges.releases, release, snapshot, bodies.supply)
        wish = replace(wish, foretell=bodies.foretell, keeper=release.id, kept=bodies.kept, shards=document.shards, framed=bodies.framed)
        return publish(edges, wish, lambda _: None, everything, lock_timeout=lock_timeout, wait=wait, first=snapshot)
    except StoppedError as error:
        if error.code not in LOST or _is_listed(edges.releases.read_state(), release.id):
            raise
        raise _collected(release.id) from error


def _is_listed(snapshot: Snapshot, release: ReleaseId) -> bool:
    return any(listed.id == release for listed in snapshot.state.releases)


def _collected(release: ReleaseId) -> RefusedError:
    """What stands of it may be under deletion still, by a `gc` that has died."""
    return RefusedError(
        "release-collected", f"release {release} was collected by a `gc` meanwhile", "`sitepub releases` lists what there is"
    )


def _decide_or_none(edges: Edges, snapshot: Snapshot, wish: Wish, permits: Permits, *, looks_behind: bool) -> Decision | None:
    """None where a release vanished because the state has moved on since it was read."""
    if wish.keeper is not None and not _is_listed(snapshot, wish.keeper):
        raise _collected(wish.keeper)
    edges.progress.stage("comparing with what is live")
    try:
        return decide(edges.store, edges.releases, snapshot, wish, permits, looks_behind=looks_behind, is_bare=edges.is_bare)
    except StoppedError as error:
        if error.code != "release-lost" or edges.releases.read_state().etag == snapshot.etag:
            raise
        return None


def settle_nothing(edges: Edges, decision: Decision, commit: Commit | None, *, wait: bool) -> Receipt:
    """The content is live already; its commit may be another one, and something may still be owed."""
    snapshot = decision.snapshot
    for _ in range(ATTEMPTS):
        wanted = _settle_state(edges, decision, snapshot.state, commit)
        if wanted is None:
            break
        snapshot = edges.releases.swap(snapshot, wanted).snapshot
    return Receipt(decision, None, send_owed(edges, snapshot, wait=wait), decision.warnings, snapshot.state.expires_at)


def _settle_state(edges: Edges, decision: Decision, state: State, commit: Commit | None) -> State | None:
    """None where the state says it all already."""
    # another run may have sent what was owed meanwhile; one that made another release or commit live has had its say
    if decision.live is None or not _is_still_live(state, decision.live):
        return None
    expires_at = edges.expires_at()
    if commit is None or decision.live.commit == commit:
        return None if is_put_off(state.expires_at, expires_at) else prolong(state, expires_at, nonce=edges.releases.nonce())
    return replace(recommit(state, commit, nonce=edges.releases.nonce()), expires_at=expires_at or state.expires_at)


def _is_still_live(state: State, release: Release) -> bool:
    live = state.live_release
    return live is not None and (live.id, live.commit) == (release.id, release.commit)


def _begin_choosing(edges: Edges, decision: Decision) -> Choosing:
    """Goes on beside the upload. Where a spent month is to stop the run, it does so here, before the first write."""
    live = decision.document.manifest.artifacts if decision.document else {}
    choosing = edges.choose(decision.plan.shown, live, decision.snapshot.state)
    if edges.rules.when_spent is WhenSpent.FAIL:
        choosing()
    return choosing


# ---- begin, finish


def _begin(
    edges: Edges, decision: Decision, staged: Staged, choice: InvalidationChoice, wish: Wish, facts: Mapping[str, str]
) -> LeaseKeeper | None:
    """Swaps the state to pending; None where it is not the one any more that the plan was made against."""
    before = decision.snapshot.state
    ledger = before.ledger if choice.ledger is None else join(before.ledger, choice.ledger)
    expires_at = edges.expires_at() or before.expires_at
    state = replace(before, provisioned={**before.provisioned, **facts, **choice.facts}, ledger=ledger, expires_at=expires_at)
    over, owes = _superseded(decision), set(choice.items)
    if state.pending is not None:
        owes.update(state.pending.owes)
    release = replace(staged.release, seq=state.seq + 1, commit=wish.commit or staged.release.commit)
    lease = Lease(edges.releases.nonce(), edges.process, edges.lease_seconds)
    pending = Pending(release, tuple(sorted(owes)), lease, over, wish.asked)
    started = edges.clock.elapsed()
    swap = edges.releases.swap(decision.snapshot, begin(state, pending, nonce=edges.releases.nonce()))
    is_ours = swap.is_ours or is_held_by(swap.snapshot.state, lease.token)
    return LeaseKeeper(edges.releases, edges.clock, swap.snapshot, started) if is_ours else None


def _superseded(decision: Decision) -> tuple[Release, ...]:
    pending = decision.snapshot.state.pending
    if pending is None:
        return ()
    return pending.over if decision.completes is not None else (pending.release, *pending.over)


def _finish(edges: Edges, decision: Decision, staged: Staged, keeper: LeaseKeeper, answered: dict[Key, ETag | None]) -> Snapshot:
    """Records what the target answered and swaps the state to live."""
    edges.progress.stage("finishing")
    # no copy: of a large site there is one of each key
    for key, etag in staged.uploaded.items():
        answered.setdefault(key, etag)
    before = keeper.snapshot.state
    record = edges.releases.write_record(before.record, answered, lambda: edges.releases.read_record(before))
    begun = staged.release.id, decision.snapshot.state.seq + 1
    published_at = f"{edges.clock.now():%Y-%m-%dT%H:%M:%SZ}"
    return keeper.swap(
        lambda state, nonce: finish(state, record=record, published_at=published_at, nonce=nonce),
        is_done=lambda state: any((listed.id, listed.seq) == begun for listed in state.releases),
    )
