"""The lease of a running publish: renewed by swaps of the state, looked at before every write, never outlived."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from sitepub.core.state import Lease, State, give_back, renew
from sitepub.edges import ATTEMPTS, Edges
from sitepub.errors import HeldError, SitepubError
from sitepub.interfaces import Clock
from sitepub.releases import Releases, Snapshot

RENEW_AFTER = 0.25
"""Part of the lease after which the next writer renews it for all."""

LAST_START = 25 / 60
"""Part of the lease after which no write starts: the client's own retries end within the 35 seconds that are left of 60."""


Change = Callable[[State, str], State]
"""The next state, with this nonce."""


class LeaseKeeper:
    """Guards the writes of one run between begin and finish. Safe from many threads."""

    def __init__(self, releases: Releases, clock: Clock, begun: Snapshot, started: float) -> None:
        """`started`: clock.elapsed() before the swap that began the lease was sent, so that our count is never behind the server's."""
        self._releases = releases
        self._clock = clock
        self._snapshot = begun
        self._since = started
        lease = _lease(begun.state)
        self._token = lease.token
        self._renew_after, self._last_start = lease.seconds * RENEW_AFTER, lease.seconds * LAST_START
        self._mutex = threading.Lock()

    @property
    def snapshot(self) -> Snapshot:
        return self._snapshot

    def check(self) -> None:
        """Call before each write. Raises HeldError once the lease may have passed to another run."""
        if self._clock.elapsed() - self._since > self._renew_after:
            with self._mutex:
                if self._clock.elapsed() - self._since > self._renew_after:
                    self._renew()

    def swap(self, change: Change, *, is_done: Callable[[State], bool] = lambda state: False) -> Snapshot:
        """Swaps in what `change` makes of the state as it stands then: others may pay what is owed meanwhile, and take the lease from nobody.
        `is_done`: somebody has swapped again since ours, whose answer was lost. Raises HeldError where another run has taken over."""
        self.check()
        with self._mutex:
            return self._swap(change, is_done)

    def confirm(self) -> None:
        """Asks whether the lease is ours still. Raises HeldError where another run has taken over."""
        if not is_held_by(self._releases.read_state().state, self._token):
            raise lease_lost()

    def _renew(self) -> None:
        if self._clock.elapsed() - self._since > self._last_start:
            raise lease_lost()
        started = self._clock.elapsed()
        self._swap(lambda state, nonce: renew(state, nonce=nonce), lambda state: False)
        self._since = started

    def _swap(self, change: Change, is_done: Callable[[State], bool]) -> Snapshot:
        for _ in range(ATTEMPTS):
            swap = self._releases.swap(self._snapshot, change(self._snapshot.state, self._releases.nonce()))
            if swap.is_ours or is_done(swap.snapshot.state):
                self._snapshot = swap.snapshot
                return swap.snapshot
            if not is_held_by(swap.snapshot.state, self._token):
                break
            self._snapshot = swap.snapshot
        raise lease_lost()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is not None:
            self._give_back()

    def _give_back(self) -> None:
        """Best effort, after a failure: the next run need not wait. What it can't say, the lease's end says a minute later."""
        try:
            with self._mutex:
                if is_held_by(self._snapshot.state, self._token) and self._clock.elapsed() - self._since < self._last_start:
                    self._swap(lambda state, nonce: give_back(state, nonce=nonce), lambda state: False)
        except SitepubError:
            return


def is_dead(edges: Edges, lease: Lease) -> bool:
    """The run behind a lease has given up, is gone from this machine, or has let its lease run out."""
    if not lease.token:
        return True
    if lease.process is not None and edges.is_gone(lease.process):
        return True
    age = edges.releases.state_age()
    return age is not None and age > lease.seconds


def is_held_by(state: State, token: str) -> bool:
    """Whether the run with this token is the one at work."""
    return any(at_work is not None and at_work.lease.token == token for at_work in (state.pending, state.collect))


def lease_lost() -> HeldError:
    return HeldError("lease-lost", "another run has taken over the target", "`sitepub status` tells which release is live")


def keeps_changing() -> HeldError:
    return HeldError("busy", "other runs keep changing the target", "run it again once they are done")


def _lease(state: State) -> Lease:
    at_work = state.collect or state.pending
    return at_work.lease if at_work else Lease("", None)
