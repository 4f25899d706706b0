"""The last step of a run: sends what is owed and takes it off the state, or foresees that. What can't be sent stays owed: never an error."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from sitepub.core.enumeration import name_some
from sitepub.core.invalidation import caller_reference, fold_items
from sitepub.core.ledger import Ledger, join, note_sent
from sitepub.core.pacing import Month, allowance, choose_debts, drop_covered, foresee_month, read_month
from sitepub.core.reserving import Shared, count_reserved, reserve, settle
from sitepub.core.settings import Invalidation, WhenSpent
from sitepub.core.state import Owed, State, end_collect, take_off
from sitepub.edges import ATTEMPTS, Edges, Invalidated, InvalidationChoice
from sitepub.errors import SitepubError
from sitepub.interfaces import Cdn, CdnReader
from sitepub.lease import is_dead
from sitepub.releases import Snapshot

TIGHT = 10
"""A month that has room for so many invalidations like this one need not be counted again right before it is sent."""

RESERVED_SECONDS = 20.0
"""How long somebody waits for the others' reservations where those alone leave no room: they end as soon as CloudFront has answered."""


class _Sending(Struct, frozen=True):
    """What is sent now, and what is not: `waiting`, because of `held` where that is all. `collateral`: what only folding it now evicts."""

    ledger: Ledger
    month: Month
    debts: tuple[Owed, ...] = ()
    waiting: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    collateral: float = 0.0
    held: str = ""

    @property
    def waits_for_others(self) -> bool:
        return bool(self.held and self.month.reserved)


def foresee_invalidation(
    cdn: CdnReader | None, choice: InvalidationChoice, state: State, rules: Invalidation, now: datetime
) -> Invalidated:
    """What would be sent for this choice, with what is owed already: nothing where there is no distribution (any more)."""
    if cdn is None:
        return Invalidated()
    items = drop_covered((*choice.items, *(item for debt in state.owed for item in debt.items)))
    return Invalidated(
        items=items,
        collateral=choice.collateral,
        used=choice.ledger.used if choice.ledger else None,
        foreseen=foresee_month(read_month(choice.ledger, rules.free_paths, now), len(items)) if choice.ledger else None,
        folds=choice.folds,
        price=choice.price,
        folded_because=choice.reason,
    )


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
    told = Invalidated(collateral=choice.collateral, folds=choice.folds)
    run = edges.releases.nonce()
    try:
        sending = _reserve(edges, snapshot, _count_again(edges, snapshot, choice), run)
    except SitepubError as error:
        return _owing(told, drop_covered(item for debt in state.owed for item in debt.items), error.message)
    month, items, waiting = sending.month, sending.items, sending.waiting
    told = replace(told, used=sending.ledger.used, foreseen=foresee_month(month))
    if sending.held:
        return _owing(told, waiting, sending.held)
    if choice.price:
        edges.progress.note(f"{len(items):,} paths, {month.left:,} of them free: about ${choice.price:.2f}")
    try:
        submitted = cdn.invalidate(items, caller_reference(state.live or "none", sending.debts[-1].seq, items))
    except SitepubError as error:
        _settle(edges, run, sending.ledger)
        return _owing(told, drop_covered((*items, *waiting)), error.message)
    sent = note_sent(sending.ledger, cdn.distribution, submitted.id, len(items), edges.clock.now())
    _settle(edges, run, sent)
    _take_off(edges, snapshot, sending.debts, sent)
    is_completed = submitted.is_completed or (wait and _wait_until_completed(edges, cdn, submitted.id))
    accepted = replace(told, state="completed" if is_completed else "submitted", id=submitted.id, used=sent.used)
    return _tell_accepted(accepted, sending, choice)


def _tell_accepted(accepted: Invalidated, sending: _Sending, choice: InvalidationChoice) -> Invalidated:
    """`accepted` with what was chosen, and with what still waits for room in the month: that is owed."""
    told = replace(
        accepted,
        items=sending.items,
        collateral=choice.collateral + sending.collateral,
        foreseen=foresee_month(sending.month, len(sending.items)),
        price=choice.price,
        folded_because=choice.reason,
    )
    if not sending.waiting:
        return told
    reason = f"{len(sending.waiting)} of them wait for free paths"
    return replace(told, items=drop_covered((*sending.items, *sending.waiting)), state="owed", reason=reason)


def _choose(edges: Edges, snapshot: Snapshot, ledger: Ledger, *, reserved: int = 0) -> _Sending:
    """What the month has room for now."""
    owed = snapshot.state.owed
    month = read_month(ledger, edges.rules.free_paths, edges.clock.now(), reserved=reserved)
    debts = choose_debts(owed, month, edges.rules.when_spent)
    waiting = drop_covered(item for debt in owed if debt not in debts for item in debt.items)
    if not debts:
        return _Sending(ledger, month, waiting=waiting, held=f"{month.left:,} of this month's {month.free:,} free paths are left")
    held = edges.hold(month)
    if held:
        return _Sending(ledger, month, waiting=drop_covered(item for debt in owed for item in debt.items), held=held)
    items, collateral = _fit(edges, snapshot, debts, month)
    return _Sending(ledger, month, debts, waiting, items, collateral)


def _count_again(edges: Edges, snapshot: Snapshot, choice: InvalidationChoice) -> _Sending:
    """Between the first count and now the site was uploaded, and another target of the account may have sent as much. Where the month is not wide enough
    for that, it is counted again."""
    if choice.ledger is not None:
        sending = _choose(edges, snapshot, choice.ledger)
        if len(sending.items) * TIGHT <= sending.month.left or edges.rules.when_spent is WhenSpent.PAY:
            return sending
    return _choose(edges, snapshot, edges.count_month(snapshot.state))


def _reserve(edges: Edges, snapshot: Snapshot, sending: _Sending, run: str) -> _Sending:
    """Where the account's publishers share a ledger, nobody sends what is not reserved there."""
    shared_ledger, counted = edges.shared, sending.ledger
    if shared_ledger is None or sending.held:
        return sending

    def step(shared: Shared) -> Shared | None:
        nonlocal sending
        now = edges.clock.now()
        sending = _choose(edges, snapshot, join(counted, shared.ledger), reserved=count_reserved(shared, now))
        return None if sending.held else reserve(shared, run, len(sending.items), now, nonce=shared_ledger.nonce())

    since = edges.clock.elapsed()
    shared_ledger.change(step)
    # what was sent a moment ago may be counted and reserved at once
    while sending.waits_for_others and edges.clock.elapsed() - since < RESERVED_SECONDS:
        edges.clock.sleep(1.0)
        shared_ledger.change(step)
    return sending


def _settle(edges: Edges, run: str, ledger: Ledger) -> None:
    """If it can't be said, the reservation ends by itself."""
    shared_ledger = edges.shared
    if shared_ledger is not None:
        with suppress(SitepubError):
            shared_ledger.change(lambda shared: settle(shared, run, ledger, edges.clock.now(), nonce=shared_ledger.nonce()))


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
    edges.progress.note(f"the target has no distribution any more: the invalidation of {name_some(items, 3)}, which was owed, is let go")
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
