"""The target's state, the one pointer: its values, and every change that a run may make to it. state_text.py writes it.

Each change is a pure function from a state to the next one; releases.py swaps them in. The rules are those of the protocol in docs/design.md.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from sitepub.core.ledger import Ledger, join
from sitepub.core.model import Commit, Digest, ETag, Key, ReleaseId

LEASE_SECONDS = 60
RECORD_INLINE_LIMIT = 500
"""ETags that the state itself carries over the last full record; more are written as a record of their own."""


class Process(Struct, frozen=True):
    """Who publishes: enough to know, on the same machine, that it is gone."""

    host: str
    boot_id: str
    pid_namespace: str
    pid: int
    started: str


class Release(Struct, frozen=True):
    """One release as the state lists it. `document` is the SHA-256 of its stored document, `over` what it superseded unfinished,
    `invalidated_at` when CloudFront accepted what it owed: until then edges may have shown what was live before ('' where it owes or owed nothing)."""

    id: ReleaseId
    seq: int
    manifest: Digest
    document: Digest
    commit: Commit | None
    published_at: str
    entries: int
    assets: int
    over: tuple[ReleaseId, ...] = ()
    origin: ReleaseId | None = None  # the release whose content a rollback made live again
    invalidated_at: str = ""


class Lease(Struct, frozen=True):
    """`token` names one run; an empty one was given back. `seconds` count from the state's last change, by the server's clock."""

    token: str
    process: Process | None
    seconds: int = LEASE_SECONDS


class Pending(Struct, frozen=True):
    """A release that was begun and is not finished. `owes` becomes owed by finish. `asked`: someone asked for it by name (rollback).
    `over`: releases begun before it and superseded unfinished; keys may still show any of them."""

    release: Release
    owes: tuple[str, ...]
    lease: Lease
    over: tuple[Release, ...] = ()
    asked: bool = False


class Collect(Struct, frozen=True):
    """A `gc` at work: its lease, and what it will owe for the stable keys that it deletes."""

    seq: int
    owes: tuple[str, ...]
    lease: Lease


class Owed(Struct, frozen=True):
    """Invalidation items not yet accepted. `seq` makes the CallerReference."""

    seq: int
    items: tuple[str, ...]


class Record(Struct, frozen=True):
    """The ETags that the target answered for the live release: a full record by name, and what changed since."""

    base: str | None = None
    changed: Mapping[Key, ETag] = field(default_factory=dict)


class State(Struct, frozen=True):
    """`seq` grows with every begin, `collected` with every gc; `nonce` is new with every swap, so that a run knows its own. `is_swept`: under
    names that stay nothing stands any more that only releases had which are not listed. `provisioned`: what runs remember of the target's
    surroundings, by name (the distribution that `up` made). `ledger`: what is known of the month's invalidation paths. `expires_at`: when a
    preview may be removed, '' where that is never. Times are ISO 8601, in UTC."""

    seq: int = 0
    nonce: str = ""
    live: ReleaseId | None = None
    record: Record = field(default_factory=Record)
    pending: Pending | None = None
    owed: tuple[Owed, ...] = ()
    releases: tuple[Release, ...] = ()
    collect: Collect | None = None
    collected: int = 0
    is_swept: bool = False
    provisioned: Mapping[str, str] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=Ledger)
    expires_at: str = ""

    @property
    def is_blank(self) -> bool:
        """Nothing was ever published: there is no state yet, or `up` alone wrote it."""
        has_begun = self.seq or self.live or self.pending or self.releases or self.owed or self.collect or self.collected
        return not has_begun

    @property
    def live_release(self) -> Release | None:
        """As it is listed; None before the first publish, and for a preview that is being removed."""
        return next((release for release in reversed(self.releases) if release.id == self.live), None)


def begin(state: State, pending: Pending, *, nonce: str) -> State:
    """Makes `pending` the pending release; what is owed already stays owed, and what a dead `gc` would have owed is owed."""
    return replace(end_collect(state, nonce=nonce), seq=pending.release.seq, pending=pending)


def begin_collect(state: State, collect: Collect, kept: tuple[Release, ...], *, nonce: str) -> State:
    """Before the first delete: whoever planned against the state as it was starts over, and goes to no release that is about to go."""
    is_swept = state.is_swept and kept == state.releases
    return replace(state, seq=collect.seq, collect=collect, collected=state.collected + 1, releases=kept, is_swept=is_swept, nonce=nonce)


def end_collect(state: State, *, nonce: str) -> State:
    """No `gc` is at work any more; what it owes is owed from now on."""
    if state.collect is None:
        return replace(state, nonce=nonce)
    owed = (*state.owed, Owed(state.collect.seq, state.collect.owes)) if state.collect.owes else state.owed
    return replace(state, collect=None, owed=owed, nonce=nonce)


def renew(state: State, *, nonce: str) -> State:
    """The same state once more: the server's clock starts anew for its lease."""
    return replace(state, nonce=nonce)


def give_back(state: State, *, nonce: str) -> State:
    """What is pending, or the `gc` at work, stays so, but its run has ended: the next one need not wait for the lease."""
    if state.collect is not None:
        return replace(state, collect=replace(state.collect, lease=Lease("", None)), nonce=nonce)
    if state.pending is None:
        return state
    return replace(state, pending=replace(state.pending, lease=Lease("", None)), nonce=nonce)


def finish(state: State, *, record: Record, published_at: str, nonce: str) -> State:
    """Makes the pending release the live one; what it owes is owed from now on."""
    pending = state.pending
    if pending is None:
        raise ValueError("finish without a pending release")
    over = tuple(release.id for release in pending.over)
    release = replace(pending.release, published_at=published_at, over=over)
    owed = (*state.owed, Owed(release.seq, pending.owes)) if pending.owes else state.owed
    return replace(state, live=release.id, record=record, pending=None, owed=owed, releases=(*state.releases, release), nonce=nonce)


def recommit(state: State, commit: Commit | None, *, nonce: str) -> State:
    """Nothing changed but the commit that the live content stands for."""
    releases = tuple(replace(release, commit=commit) if release.id == state.live else release for release in state.releases)
    return replace(state, releases=releases, nonce=nonce)


def prolong(state: State, expires_at: str, *, nonce: str) -> State:
    """A preview that was published again, and had not changed."""
    return replace(state, expires_at=expires_at, nonce=nonce)


def begin_removal(state: State, lease: Lease, owes: tuple[str, ...], *, nonce: str) -> State:
    """Before the first delete of a whole preview: nothing is live any more, and nothing can be gone back to."""
    collect = Collect(state.seq + 1, owes, lease)
    gone = replace(state, seq=collect.seq, collect=collect, collected=state.collected + 1, nonce=nonce)
    return replace(gone, live=None, record=Record(), pending=None, releases=())


def take_off(state: State, sent: tuple[Owed, ...], ledger: Ledger, *, nonce: str, accepted_at: str) -> State:
    """Takes off what was sent, and nothing else: another run may owe something by now. `ledger`: what the run knows of the month."""
    paid = {owed.seq for owed in state.owed if owed in sent}
    releases = tuple(replace(release, invalidated_at=accepted_at) if release.seq in paid else release for release in state.releases)
    owed = tuple(owed for owed in state.owed if owed not in sent)
    return replace(state, owed=owed, releases=releases, ledger=join(state.ledger, ledger), nonce=nonce)


def owe(state: State, items: tuple[str, ...], *, nonce: str) -> State:
    """Owes `items` besides, under a sequence number of their own (an invalidation by hand)."""
    return replace(state, seq=state.seq + 1, owed=(*state.owed, Owed(state.seq + 1, items)), nonce=nonce)
