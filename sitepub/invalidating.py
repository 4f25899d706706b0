"""The last step of a run: sends what is owed and takes it off the state. What can't be sent stays owed: never an error."""

from __future__ import annotations

from contextlib import suppress

from sitepub.core.invalidation import caller_reference, fold_items
from sitepub.core.ledger import Ledger, note_sent
from sitepub.core.pacing import Month, allowance, choose_debts, drop_covered, foresee_month, read_month
from sitepub.core.settings import WhenSpent
from sitepub.core.state import Owed, end_collect, take_off
from sitepub.edges import ATTEMPTS, Edges, Invalidated, InvalidationChoice
from sitepub.errors import SitepubError
from sitepub.interfaces import Cdn
from sitepub.lease import is_dead
from sitepub.releases import Snapshot


def send_owed(edges: Edges, snapshot: Snapshot, *, wait: bool = False) -> Invalidated:
    """Sends what earlier runs left owed, a dead `gc` too."""
    return invalidate(edges, end_dead_collect(edges, snapshot), InvalidationChoice(), wait)


def end_dead_collect(edges: Edges, snapshot: Snapshot) -> Snapshot:
    """What a dead `gc` owes is owed from now on."""
    collect = snapshot.state.collect
    if collect is None or not is_dead(edges, collect.lease):
        return snapshot
    return edges.releases.swap(snapshot, end_collect(snapshot.state, nonce=edges.releases.nonce())).snapshot


def invalidate(edges: Edges, snapshot: Snapshot, choice: InvalidationChoice, wait: bool) -> Invalidated:
    """Sends what is owed as one invalidation, as far as the month has room for it, and takes it off the state."""
    state, cdn = snapshot.state, edges.cdn
    if not state.owed:
        return Invalidated()
    if cdn is None:
        _let_go(edges, snapshot)
        return Invalidated()
    edges.progress.stage("invalidating")
    ledger = choice.ledger or edges.count_month(state)
    month = read_month(ledger, edges.rules.free_paths, edges.clock.now())
    debts = choose_debts(state.owed, month, edges.rules.when_spent)
    waiting = drop_covered(item for debt in state.owed if debt not in debts for item in debt.items)
    told = Invalidated(used=ledger.used, foreseen=foresee_month(month), collateral=choice.collateral, folds=choice.folds)
    if not debts:
        return _owing(told, waiting, f"{month.left:,} of this month's {month.free:,} free paths are left")
    held = edges.hold(month)
    if held:
        return _owing(told, drop_covered(item for debt in state.owed for item in debt.items), held)
    items, collateral = _fit(edges, snapshot, debts, month)
    if choice.price:
        edges.progress.note(f"{len(items):,} paths, {month.left:,} of them free: about ${choice.price:.2f}")
    try:
        submitted = cdn.invalidate(items, caller_reference(state.live or "none", debts[-1].seq, items))
    except SitepubError as error:
        return _owing(told, drop_covered((*items, *waiting)), error.message)
    sent = note_sent(ledger, cdn.distribution, submitted.id, len(items), edges.clock.now())
    _take_off(edges, snapshot, debts, sent)
    completed = submitted.is_completed or (wait and _wait_until_completed(edges, cdn, submitted.id))
    return Invalidated(
        items=items if not waiting else drop_covered((*items, *waiting)),
        collateral=choice.collateral + collateral,
        state="owed" if waiting else "completed" if completed else "submitted",
        id=submitted.id,
        reason=f"{len(waiting)} of them wait for free paths" if waiting else "",
        used=sent.used,
        foreseen=foresee_month(month, len(items)),
        folds=choice.folds,
        price=choice.price,
        folded_because=choice.reason,
    )


def _owing(told: Invalidated, items: tuple[str, ...], reason: str) -> Invalidated:
    return Invalidated(items, told.collateral, "owed", reason=reason, used=told.used, foreseen=told.foreseen, folds=told.folds)


def _fit(edges: Edges, snapshot: Snapshot, debts: tuple[Owed, ...], month: Month) -> tuple[tuple[str, ...], float]:
    """Items for all of these debts, folded where together they are more than is left. Returns the weight that only this folding evicts."""
    items = drop_covered(item for debt in debts for item in debt.items)
    if len(items) <= month.left or edges.rules.when_spent is not WhenSpent.WILDCARD:
        return items, 0.0
    live = snapshot.state.live_release
    keys = edges.releases.read_document(live).manifest.artifacts if live else ()
    folded = fold_items(items, [edges.url_path + key for key in keys], allowance(month))
    return folded.items, folded.collateral


def _let_go(edges: Edges, snapshot: Snapshot) -> None:
    """The distribution was taken away from the target: nobody is left to be told."""
    owed = snapshot.state.owed
    items = drop_covered(item for debt in owed for item in debt.items)
    named = ", ".join(f"`{item}`" for item in items[:3]) + (f" and {len(items) - 3} more" if len(items) > 3 else "")
    edges.progress.note(f"the target has no distribution any more: the invalidation of {named}, which was owed, is let go")
    _take_off(edges, snapshot, owed, snapshot.state.ledger)


def _take_off(edges: Edges, snapshot: Snapshot, sent: tuple[Owed, ...], ledger: Ledger) -> None:
    """Only what was sent: another run may owe something by now. If it can't be said, the next run sends it again under the same reference."""
    accepted_at = f"{edges.clock.now():%Y-%m-%dT%H:%M:%SZ}"
    for _ in range(ATTEMPTS):
        wanted = take_off(snapshot.state, sent, ledger, nonce=edges.releases.nonce(), accepted_at=accepted_at)
        swap = edges.releases.swap(snapshot, wanted)
        if swap.is_ours or not set(swap.snapshot.state.owed) & set(sent):
            return
        snapshot = swap.snapshot


def _wait_until_completed(edges: Edges, cdn: Cdn, invalidation: str) -> bool:
    """Polls for up to ten minutes; CloudFront completes most within half a minute."""
    edges.progress.stage("waiting for the invalidation")
    started = edges.clock.elapsed()
    pause = 2.0
    while edges.clock.elapsed() - started < 600:
        with suppress(SitepubError):  # it was accepted; that nobody can say how far it is changes nothing
            if cdn.is_completed(invalidation):
                return True
        edges.clock.sleep(pause)
        pause = min(20.0, pause * 1.5)
    return False
