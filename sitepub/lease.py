"""The lease of a running publish: renewed by swaps of the state, looked at before every write, never outlived."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from sitepub.core.state import Lease, State, give_back, renew
from sitepub.edges import Edges
from sitepub.errors import HeldError, SitepubError
from sitepub.interfaces import Clock
from sitepub.releases import Releases, Snapshot

RENEW_AFTER = 0.25
"""Part of the lease after which the next writer renews it for all."""

LAST_START = 25 / 60
"""Part of the lease after which no write starts: the client's own retries end within the 35 seconds that are left of 60."""


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

    def go_on_from(self, snapshot: Snapshot) -> None:
        """The run itself has swapped the state: that is what the next swap must find."""
        with self._mutex:
            self._snapshot = snapshot

    def _renew(self) -> None:
        if self._clock.elapsed() - self._since > self._last_start:
            raise lease_lost()
        started = self._clock.elapsed()
        swap = self._releases.swap(self._snapshot, renew(self._snapshot.state, nonce=self._releases.nonce()))
        if not swap.is_ours:
            raise lease_lost()
        self._snapshot, self._since = swap.snapshot, started

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is not None:
            self._give_back()

    def _give_back(self) -> None:
        """Best effort, after a failure: the next run need not wait. What it can't say, the lease's end says a minute later."""
        try:
            with self._mutex:
                if _lease(self._snapshot.state).token == self._token and self._clock.elapsed() - self._since < self._last_start:
                    self._releases.swap(self._snapshot, give_back(self._snapshot.state, nonce=self._releases.nonce()))
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


def lease_lost() -> HeldError:
    return HeldError("lease-lost", "another run has taken over the target", "`sitepub status` tells which release is live")


def _lease(state: State) -> Lease:
    at_work = state.collect or state.pending
    return at_work.lease if at_work else Lease("", None)
