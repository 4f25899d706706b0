"""Previews that are over: found below their prefix, and removed as a whole. Keys that no manifest of theirs names stay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress

from msgspec import Struct

from sitepub.collecting import delete_stable, read_documents
from sitepub.core.document import Document
from sitepub.core.model import Artifact, FileClass, Key
from sitepub.core.plan import Shown
from sitepub.core.previews import find_root, has_expired, is_preview_name, make_preview
from sitepub.core.settings import Config, Target
from sitepub.core.state import Lease, begin_removal, end_collect
from sitepub.edges import ATTEMPTS, Edges
from sitepub.errors import HeldError
from sitepub.gathering import run_all
from sitepub.interfaces import Anything, Clock, ConditionFailedError, Present, Progress
from sitepub.invalidating import send_owed
from sitepub.lease import LeaseKeeper, is_dead
from sitepub.publishing import make_edges
from sitepub.releases import STATE_KEY, Snapshot
from sitepub.wiring import RECORDS, Opened, open_target

_FIRST = (FileClass.ENTRY, FileClass.REDIRECT)
"""What visitors ask for themselves goes before what it loads."""


class Standing(Struct, frozen=True):
    """A preview in its place. `expires_at`: as its state says it; '' where something else was published there."""

    target: Target
    opened: Opened
    expires_at: str

    @property
    def name(self) -> str:
        return self.target.preview.name if self.target.preview else ""


class Removed(Struct, frozen=True):
    """What was deleted of a preview, or would be: its keys and records. `left`: keys that someone else has changed; `is_owed`: an invalidation could not
    be sent, so its state stays until a later run sends it; `is_there` False: nothing was ever published there."""

    name: str
    expires_at: str
    keys: tuple[Key, ...]
    size: int = 0
    left: tuple[Key, ...] = ()
    is_owed: bool = False
    is_there: bool = True


def find_previews(config: Config, target: Target, environment: Mapping[str, str]) -> tuple[Standing, ...]:
    """All previews of a target, by name. One listing of their prefix, and one request each."""
    root = find_root(config, target)
    opened = open_target(config, root, environment)
    ending = f"/{STATE_KEY}" if root.state else f"/{RECORDS}/{STATE_KEY}"
    listing = (opened.records if root.state else opened.store).list()
    names = sorted(there.key.removesuffix(ending) for there in listing if there.key.endswith(ending))
    return tuple(find_preview(config, make_preview(config, target, name), environment) for name in names if is_preview_name(name))


def find_preview(config: Config, preview: Target, environment: Mapping[str, str]) -> Standing:
    """As it stands in its target, be it that nothing does."""
    opened = open_target(config, preview, environment)
    return Standing(preview, opened, opened.releases.read_state().state.expires_at)


def choose_expired(standing: tuple[Standing, ...], clock: Clock) -> tuple[Standing, ...]:
    return tuple(each for each in standing if has_expired(each.expires_at, clock.now()))


def foresee_removal(standing: Standing, progress: Progress) -> Removed:
    """What `remove_preview` would delete now. Reads only."""
    edges = _edges(standing, progress)
    snapshot = edges.releases.read_state()
    plan = _plan(edges, snapshot)
    return Removed(standing.name, standing.expires_at, tuple(plan.known), plan.size, is_there=snapshot.etag is not None)


def remove_preview(standing: Standing, progress: Progress) -> Removed:
    """Raises HeldError where a publish is at work there. A removal that broke off is finished by the next one."""
    edges = _edges(standing, progress)
    for _ in range(ATTEMPTS):
        snapshot = edges.releases.read_state()
        for at_work in (snapshot.state.pending, snapshot.state.collect):
            if at_work is not None and not is_dead(edges, at_work.lease):
                raise HeldError("held", f"another run is at work on preview `{standing.name}`", "wait for it, then run it again")
        if snapshot.etag is None:
            return Removed(standing.name, "", (), is_there=False)
        plan = _plan(edges, snapshot)
        keeper = _begin(edges, snapshot, plan)
        if keeper is not None:
            with keeper:
                left = _delete(edges, plan, keeper)
                is_owed = _end(edges, keeper)
            theirs = frozenset(left)
            gone = tuple(key for key in plan.known if key not in theirs)
            return Removed(standing.name, standing.expires_at, gone, plan.size, left, is_owed)
    raise HeldError("busy", f"other runs keep changing preview `{standing.name}`", "run it again once they are done")


class _Plan(Struct, frozen=True):
    """`known`: keys that stand there, with what of ours may stand at them; `size` in bytes, of all. `records`: all but the state."""

    known: Mapping[Key, tuple[Artifact, ...]]
    records: tuple[Key, ...]
    size: int


def _edges(standing: Standing, progress: Progress) -> Edges:
    return make_edges(standing.target, standing.opened, standing.opened.releases.read_state(), progress)


def _plan(edges: Edges, snapshot: Snapshot) -> _Plan:
    records = {there.key: there.size for there in edges.records.list()}
    known: dict[Key, dict[Artifact, None]] = {}
    for document in read_documents(edges, snapshot.state.releases, records).values():
        for key, artifacts in _name_all(document):
            known.setdefault(key, {}).update(dict.fromkeys(artifacts))
    listed = {there.key: there.size for there in edges.store.list() if there.key in known}
    size = sum(listed.values()) + sum(records.values())
    return _Plan({key: tuple(known[key]) for key in listed}, tuple(key for key in records if key != STATE_KEY), size)


def _name_all(document: Document) -> Iterator[tuple[Key, tuple[Artifact, ...]]]:
    yield from ((key, (artifact,)) for key, artifact in document.manifest.artifacts.items())
    yield from document.lingering.items()


def _begin(edges: Edges, snapshot: Snapshot, plan: _Plan) -> LeaseKeeper | None:
    """None where the state is not the one any more that the plan was made against."""
    shown = tuple(Shown(key, known, None) for key, known in plan.known.items() if any(one.file_class in _FIRST for one in known))
    owes = edges.choose(shown, {}, snapshot.state)().items
    lease = Lease(edges.releases.nonce(), edges.process, edges.lease_seconds)
    started = edges.clock.elapsed()
    swap = edges.releases.swap(snapshot, begin_removal(snapshot.state, lease, owes, nonce=edges.releases.nonce()))
    return LeaseKeeper(edges.releases, edges.clock, swap.snapshot, started) if swap.is_ours else None


def _delete(edges: Edges, plan: _Plan, keeper: LeaseKeeper) -> tuple[Key, ...]:
    """Records go last, so that a run that stops half-way still knows what is ours. Returns the keys that are not."""
    edges.progress.stage("removing a preview", total_files=len(plan.known) + len(plan.records))

    def delete(key: Key) -> bool:
        keeper.check()
        edges.progress.advance(files=1)
        return delete_stable(edges, key, plan.known[key])

    def delete_record(key: Key) -> None:
        keeper.check()
        edges.progress.advance(files=1)
        edges.records.delete(key, expect=Anything())

    left: list[Key] = []
    for is_first in (True, False):
        wave = [key for key, known in plan.known.items() if any(one.file_class in _FIRST for one in known) is is_first]
        left += [key for key, is_gone in run_all(delete, wave) if not is_gone]
    run_all(delete_record, plan.records)
    return tuple(left)


def _end(edges: Edges, keeper: LeaseKeeper) -> bool:
    """Takes the state itself away, where nothing is owed; returns whether something is."""
    ended = keeper.swap(lambda state, nonce: end_collect(state, nonce=nonce))
    if ended.state.owed and send_owed(edges, ended).state == "owed":
        return True
    last = edges.releases.read_state()
    if last.state.releases or last.state.pending is not None or last.etag is None:
        return False  # published again meanwhile
    with suppress(ConditionFailedError):  # published again just now
        edges.records.delete(STATE_KEY, expect=Present(last.etag))
    return False
