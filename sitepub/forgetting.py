"""`gc --forget`: takes every version of a path out of every release, pack and key, and invalidates it.

Releases that change are written under new ids before the state names them, so that a run that stops anywhere leaves all of them whole.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from msgspec import Struct
from msgspec.structs import replace

from sitepub.collecting import begin_deleting, choose_eviction, delete_stable, foresee_eviction, read_documents, settle_before
from sitepub.core.enumeration import name_some
from sitepub.core.forgetting import Forgetting, choose_forgotten, find_live
from sitepub.core.manifest import digest_manifest
from sitepub.core.model import BodyPlace, Digest, Key, ReleaseId, Warning
from sitepub.core.plan import Shown, count_by_kind
from sitepub.core.shards import Shard
from sitepub.core.state import Release, State, end_collect
from sitepub.edges import ATTEMPTS, Edges, Invalidated
from sitepub.errors import RefusedError
from sitepub.gathering import run_all
from sitepub.interfaces import Anything
from sitepub.invalidating import invalidate
from sitepub.lease import Change, LeaseKeeper, keeps_changing
from sitepub.pack_draft import PackDraft
from sitepub.packing import send_packs
from sitepub.packs import KeptBodies, compress, large_body_key, pack_key
from sitepub.releases import Snapshot, WrittenDocument, make_release_id, release_key
from sitepub.shards import FOLDER


class Forgotten(Struct, frozen=True):
    """`left`: keys that someone else has changed, and were left alone."""

    forgetting: Forgetting
    left: tuple[Key, ...] = ()
    invalidation: Invalidated = Invalidated()
    warnings: tuple[Warning, ...] = ()


def foresee_forgetting(edges: Edges, paths: Collection[str]) -> Forgetting:
    """What `forget` would take away now. Reads only; raises RefusedError where the live release still has one of the paths."""
    return _plan(edges, edges.releases.read_state(), paths)


def foresee_all(edges: Edges, paths: Collection[str]) -> Forgotten:
    """As `foresee_forgetting`, with what would be invalidated."""
    snapshot = edges.releases.read_state()
    forgetting = _plan(edges, snapshot, paths)
    invalidation, warnings = foresee_eviction(edges, snapshot, _shown_by(forgetting))
    return Forgotten(forgetting, invalidation=invalidation, warnings=warnings)


def forget(edges: Edges, paths: Collection[str], *, wait: bool = False) -> Forgotten:
    """Raises RefusedError where the live release still has one of the paths, HeldError where another run is at work."""
    for _ in range(ATTEMPTS):
        snapshot, settled = settle_before(edges)
        forgetting = _plan(edges, snapshot, paths)
        if forgetting.is_nothing:
            return Forgotten(forgetting, invalidation=settled)
        choice = choose_eviction(edges, snapshot, _shown_by(forgetting))
        keeper = begin_deleting(edges, snapshot, choice, snapshot.state.releases)
        if keeper is None:
            continue
        with keeper:
            written = _write_anew(edges, forgetting, keeper)
            keeper.swap(_renaming(forgetting, written))
            left = _delete(edges, forgetting, written, keeper)
            done = keeper.swap(lambda state, nonce: end_collect(state, nonce=nonce))
        return Forgotten(forgetting, left, invalidate(edges, done, choice, wait), choice.warnings)
    raise keeps_changing()


def _shown_by(forgetting: Forgetting) -> tuple[Shown, ...]:
    """What of it edges may show."""
    return tuple(Shown(key, found, None) for key, found in forgetting.site.items())


def _plan(edges: Edges, snapshot: Snapshot, paths: Collection[str]) -> Forgetting:
    state = snapshot.state
    documents = read_documents(edges, state.releases, [there.key for there in edges.records.list("releases/")])
    if state.live is not None:
        live = find_live(documents[state.live], paths)
        if live:
            raise RefusedError(
                "still-live", f"the live release still has {name_some(live, 1)}", "take it out of the source and publish, then forget it"
            )
    return choose_forgotten(documents, paths, [release.id for release in state.releases], state.live)


class _Renamed(Struct, frozen=True):
    """A release that was written anew: the document, and the digest of its manifest."""

    written: WrittenDocument
    manifest: Digest


def _write_anew(edges: Edges, forgetting: Forgetting, keeper: LeaseKeeper) -> Mapping[ReleaseId, _Renamed]:
    """Packs without the forgotten bodies, then the documents that name them. Returns what each became, by its old id."""
    places: dict[Digest, BodyPlace] = {}
    for pack, staying in forgetting.packs.items():
        keeper.check()
        places.update(_repack(edges, forgetting, pack, staying))
    written: dict[ReleaseId, _Renamed] = {}
    like: tuple[Shard, ...] = ()
    for release, thinned in forgetting.documents.items():
        keeper.check()
        moved = replace(thinned, bodies={digest: places.get(digest, place) for digest, place in thinned.bodies.items()})
        manifest = digest_manifest(moved.manifest)
        document = edges.releases.write_document(make_release_id(release.partition("-")[0], manifest), moved, (*thinned.shards, *like))
        like = document.shards
        written[release] = _Renamed(document, manifest)
    return written


def _repack(edges: Edges, forgetting: Forgetting, pack: str, staying: Collection[Digest]) -> Mapping[Digest, BodyPlace]:
    old = {
        digest: place
        for document in forgetting.documents.values()
        for digest, place in document.bodies.items()
        if place.pack == pack and digest in staying
    }
    kept = KeptBodies(edges.records, old)
    bodies = ((digest, kept.read(digest)) for digest in sorted(old))
    with PackDraft(edges.spool) as draft:
        send_packs(edges.records, draft, draft.fill((digest, compress(body)) for digest, body in bodies if isinstance(body, bytes)))()
        return draft.places()


def _renaming(forgetting: Forgetting, written: Mapping[ReleaseId, _Renamed]) -> Change:
    return lambda state, nonce: _rename(state, forgetting, written, nonce=nonce)


def _rename(state: State, forgetting: Forgetting, written: Mapping[ReleaseId, _Renamed], *, nonce: str) -> State:
    ids = {old: new.written.release for old, new in written.items()}

    def renamed(release: Release) -> Release:
        origin = ids.get(release.origin, release.origin) if release.origin else None
        if release.id not in written:
            return replace(release, origin=origin)
        new = written[release.id]
        entries, assets = count_by_kind(forgetting.documents[release.id].manifest)
        return replace(
            release,
            id=new.written.release,
            manifest=new.manifest,
            document=new.written.digest,
            entries=entries,
            assets=assets,
            origin=origin,
        )

    live = ids.get(state.live, state.live) if state.live else None
    return replace(state, live=live, releases=tuple(renamed(release) for release in state.releases), nonce=nonce)


def _delete(edges: Edges, forgetting: Forgetting, written: Mapping[ReleaseId, _Renamed], keeper: LeaseKeeper) -> tuple[Key, ...]:
    def take_away(key: Key) -> None:
        keeper.check()
        edges.records.delete(key, expect=Anything())

    left = []
    for key, known in forgetting.site.items():
        keeper.check()
        if not delete_stable(edges, key, known):
            left.append(key)
    gone = [*(pack_key(pack) for pack in forgetting.packs), *(large_body_key(body) for body in forgetting.bodies)]
    run_all(take_away, gone)
    run_all(take_away, [release_key(release) for release in (*forgetting.documents, *forgetting.stale)])
    needed = forgetting.shards | {shard.digest for new in written.values() for shard in new.written.shards}
    run_all(take_away, [there.key for there in edges.records.list(FOLDER) if there.key.removeprefix(FOLDER) not in needed])
    return tuple(left)
