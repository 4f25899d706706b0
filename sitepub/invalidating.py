"""The last step of a run: sends what is owed and takes it off the state. What can't be sent stays owed: never an error."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from sitepub.core.state import Owed, take_off
from sitepub.edges import ATTEMPTS, Edges, InvalidationChoice
from sitepub.errors import SitepubError
from sitepub.interfaces import Cdn
from sitepub.releases import Snapshot


@dataclass(frozen=True, slots=True)
class Invalidated:
    """`state`: none | submitted | completed | owed."""

    items: tuple[str, ...] = ()
    collateral: float = 0
    state: str = "none"
    id: str | None = None
    reason: str = ""


def send_owed(edges: Edges, snapshot: Snapshot, *, wait: bool = False) -> Invalidated:
    """Sends what earlier runs left owed."""
    return invalidate(edges, snapshot, InvalidationChoice(), wait)


def invalidate(edges: Edges, snapshot: Snapshot, choice: InvalidationChoice, wait: bool) -> Invalidated:
    """Sends all that is owed as one invalidation and takes it off the state. What can't be sent stays owed: never an error."""
    owed = snapshot.state.owed
    if not owed:
        return Invalidated()
    from sitepub.core.invalidation import caller_reference

    items = tuple(sorted({entry for debt in owed for entry in debt.items}))
    if edges.cdn is None:
        return Invalidated(items, choice.collateral, "owed", reason="the target has no distribution any more")
    edges.progress.stage("invalidating")
    try:
        submitted = edges.cdn.invalidate(items, caller_reference(snapshot.state.live or "none", owed[-1].seq, items))
    except SitepubError as error:
        return Invalidated(items, choice.collateral, "owed", reason=error.message)
    _take_off(edges, snapshot, owed)
    completed = submitted.is_completed or (wait and _wait_until_completed(edges, edges.cdn, submitted.id))
    return Invalidated(items, choice.collateral, "completed" if completed else "submitted", submitted.id)


def _take_off(edges: Edges, snapshot: Snapshot, sent: tuple[Owed, ...]) -> None:
    """Only what was sent: another run may owe something by now. If it can't be said, the next run sends it again under the same reference."""
    for _ in range(ATTEMPTS):
        swap = edges.releases.swap(snapshot, take_off(snapshot.state, sent, nonce=edges.releases.nonce()))
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
