"""Takes what another tool put into a target under management: what stands there becomes a first release, then the source is published over it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from sitepub.accounting import account_for
from sitepub.core.cost import Requests
from sitepub.core.document import Document
from sitepub.core.inheritance import (
    Inherited,
    choose_keys,
    find_packed,
    find_same,
    is_copied,
    is_etag_of,
    is_kept_in_place,
    make_first_release,
    tell_copies,
)
from sitepub.core.manifest import digest_manifest
from sitepub.core.model import Artifact, BodyPlace, Digest, ETag, Key, Manifest
from sitepub.core.plan import Base, count_by_kind
from sitepub.core.planning import make_plan, settle_frozen
from sitepub.core.state import Record, Release, State
from sitepub.decision import RESERVED
from sitepub.edges import Edges
from sitepub.errors import HeldError, RefusedError, StoppedError
from sitepub.gathering import run_all
from sitepub.interfaces import Anything, Body, FileBody, Listed, Place, Progress, StoreReader
from sitepub.invalidating import foresee_invalidation
from sitepub.pack_draft import PackDraft
from sitepub.packing import frame_all, send_packs
from sitepub.packs import large_body_key
from sitepub.preparing import Prepared
from sitepub.publishing import carry_out, make_chooser, make_edges
from sitepub.releases import PRIVATE_BYTES, Snapshot, make_release_id
from sitepub.report_account import Account
from sitepub.verifying import read_digest
from sitepub.wiring import Opened, Sight
from sitepub.wishes import Wish

ADOPTED = "adopted"
"""Kept in the state: the release that stands for what was found there."""

READ_AT_ONCE = 16


class Adoption(Struct, frozen=True):
    """What an adopt would do, complete before the first write. `first`: what stands there, as a release; `account`: what a publish over it
    does; `foreign`: keys that are left alone. `is_begun`: the first release is there already, an earlier run stopped after it."""

    prepared: Prepared
    first: Manifest
    etags: Mapping[Key, ETag]
    foreign: tuple[Key, ...]
    account: Account
    is_begun: bool = False

    @property
    def same(self) -> Mapping[Digest, Key]:
        return find_same(self.first, _wish_of(self.prepared).manifest)


def plan_adoption(prepared: Prepared, sight: Sight, progress: Progress, *, started: float) -> Adoption:
    """Reads only. Raises RefusedError `already-managed`, and `nothing-to-adopt` where nothing of the source stands there."""
    begun = _read_begun(sight, prepared.snapshot.state) if not prepared.snapshot.state.is_blank else None
    progress.stage("listing")
    listed = {there.key: there for there in sight.store.list() if not there.key.startswith(RESERVED)}
    wish = _wish_of(prepared)
    taken, foreign = choose_keys(sorted(listed), wish.manifest, {file.path for file in prepared.source.files})
    if begun is not None:
        first, etags = begun, sight.releases.read_record(prepared.snapshot.state)
    elif not taken:
        message = f"nothing of this site stands in `{sight.store.describe()}`"
        raise RefusedError("nothing-to-adopt", message, "`sitepub publish` publishes it")
    else:
        progress.stage("comparing", total_files=len(taken))
        pairs = run_all(lambda key: _look(sight.store, listed[key], wish, progress), taken)
        standing = [found for _, found in pairs if found is not None]
        first = make_first_release(standing, wish.manifest, keeps_headers=sight.store.keeps_headers)
        etags = {found.key: found.etag for found in standing if found.key in first.artifacts}
    account = _foresee(prepared, sight, first, etags, started=started)
    return Adoption(prepared, first, etags, tuple(foreign), account, begun is not None)


def adopt(adoption: Adoption, opened: Opened, progress: Progress, *, lock_timeout: float, wait: bool, started: float) -> Account:
    """Raises HeldError where another run was faster."""
    prepared, wish = adoption.prepared, _wish_of(adoption.prepared)
    same = adoption.same
    if not adoption.is_begun:
        edges = make_edges(prepared.request.target, opened, prepared.snapshot, progress, prepared.request.config.invalidation)
        snapshot = _keep_what_stands(edges, adoption, wish)
        prepared = replace(prepared, snapshot=snapshot)
    packed = _find_packed(opened, prepared.snapshot.state)

    def supply(artifact: Artifact) -> Body | Place:
        return opened.store.place(same[artifact.body]) if is_copied(artifact, same, packed) else wish.supply(artifact)

    prepared = replace(prepared, wish=replace(wish, supply=supply))
    account = carry_out(prepared, opened, progress, lock_timeout=lock_timeout, wait=wait, started=started)
    return replace(account, changes=tell_copies(account.changes, wish.manifest, same, packed))


def _find_packed(opened: Opened, state: State) -> Collection[Digest]:
    """Bodies that the first release has in its pack."""
    release = next(release for release in state.releases if release.id == state.provisioned[ADOPTED])
    return opened.releases.read_document(release).bodies


# ---- what stands there


def _wish_of(prepared: Prepared) -> Wish:
    if prepared.wish is None:
        raise _already_managed(prepared.snapshot.state)
    return prepared.wish


def _read_begun(sight: Sight, state: State) -> Manifest:
    """An adopt that stopped after its first release goes on; any other release means that sitepub publishes here."""
    live = state.live_release
    if live is None or live.id != state.provisioned.get(ADOPTED):
        raise _already_managed(state)
    return sight.releases.read_document(live).manifest


def _already_managed(state: State) -> RefusedError:
    live = f"release {state.live} is live here" if state.live else "a release was begun here"
    return RefusedError("already-managed", f"sitepub manages this target already: {live}", "`sitepub publish` publishes to it")


def _look(store: StoreReader, there: Listed, wish: Wish, progress: Progress) -> Inherited | None:
    """None where it vanished meanwhile. Bytes are read only where neither our digest beside them nor an ETag that is an MD5 tells."""
    head = store.head(there.key)
    progress.advance(files=1)
    if head is None:
        return None
    if head.digest is not None:
        return Inherited(there.key, head.size, head.etag, head.digest, head.headers)
    wanted = wish.manifest.artifacts.get(there.key)
    if wanted is not None and wanted.size == head.size and is_etag_of(head.etag, head.size, _chunks(wish.supply(wanted))):
        return Inherited(there.key, head.size, head.etag, wanted.body, head.headers)
    return Inherited(there.key, head.size, head.etag, read_digest(store, there.key, head.size), head.headers)


def _chunks(body: Body | Place) -> Iterator[bytes]:
    if isinstance(body, bytes):
        yield body
    elif isinstance(body, FileBody):
        with body.path.open("rb") as file:
            while chunk := file.read(1024 * 1024):
                yield chunk


def _foresee(prepared: Prepared, sight: Sight, first: Manifest, etags: Mapping[Key, ETag], *, started: float) -> Account:
    """The publish over the first release, as it will be planned again when that is written."""
    wish, request = _wish_of(prepared), prepared.request
    wanted, warnings = settle_frozen(wish.manifest, first, wish.frozen_as_entries)
    plan = make_plan(wanted, Base(live=first, etags=etags), is_folder=not sight.store.keeps_headers)
    state = prepared.snapshot.state
    cdn = sight.cdn_of(state)
    chooser = make_chooser(request.target, request.config.invalidation, sight, cdn)
    choice = chooser.choose(plan.shown, first.artifacts, state)
    return account_for(
        request,
        sight,
        state,
        commit=prepared.history.commit,
        summary=plan.summary,
        changes=tell_copies(plan.changes, wanted, find_same(first, wanted), find_packed(first, wanted)),
        invalidation=foresee_invalidation(cdn, choice, state, chooser.rules, sight.clock.now()),
        requests=Requests(sight.requests, cdn.requests if cdn else 0),
        warnings=(*prepared.warnings, *warnings, *plan.warnings, *choice.warnings),
        started=started,
        is_dry_run=True,
    )


# ---- the first release


def _keep_what_stands(edges: Edges, adoption: Adoption, wish: Wish) -> Snapshot:
    """Keeps what a rollback needs, then makes it the live release by one swap: nothing that visitors see is written."""
    facts = edges.before_first_write()
    before = adoption.prepared.snapshot
    document = Document(adoption.first, _keep_bodies(edges, adoption, wish))
    digest = digest_manifest(adoption.first)
    written = edges.releases.write_document(make_release_id(f"{edges.clock.now():%Y%m%dT%H%M%SZ}", digest), document)
    entries, assets = count_by_kind(adoption.first)
    release = Release(written.release, 1, digest, written.digest, None, f"{edges.clock.now():%Y-%m-%dT%H:%M:%SZ}", entries, assets)
    state = State(
        seq=1,
        nonce=edges.releases.nonce(),
        live=written.release,
        record=edges.releases.write_record(Record(), dict(adoption.etags), dict),
        releases=(release,),
        provisioned={**before.state.provisioned, **facts, ADOPTED: written.release},
    )
    swap = edges.releases.swap(before, state)
    if not swap.is_ours:
        raise HeldError("target-moved", "another run has taken this target over meanwhile", "`sitepub status` tells what is live")
    return swap.snapshot


def _keep_bodies(edges: Edges, adoption: Adoption, wish: Wish) -> Mapping[Digest, BodyPlace]:
    """Pages into a pack, the rest as copies on the server."""
    bodies = {artifact.body: artifact for artifact in adoption.first.artifacts.values() if not is_kept_in_place(artifact)}
    packed = find_packed(adoption.first, wish.manifest)
    copied = [artifact for artifact in bodies.values() if artifact.body not in packed]
    edges.progress.stage("keeping what stands there", total_files=len(bodies), total_bytes=sum(each.size for each in bodies.values()))
    run_all(lambda artifact: _copy_body(edges, artifact), copied)

    def read(artifact: Artifact) -> bytes:
        body = _read_body(edges.store, artifact, wish)
        edges.progress.advance(files=1, bytes=artifact.size)
        return body

    with PackDraft() as draft:
        send_packs(
            edges.records,
            draft,
            draft.fill(frame_all(packed.values(), read, workers=READ_AT_ONCE)),
        )()
        return draft.places()


def _copy_body(edges: Edges, artifact: Artifact) -> None:
    place, key = edges.store.place(artifact.key), large_body_key(artifact.body)
    edges.records.copy(place, key, PRIVATE_BYTES, digest=artifact.body, expect=Anything())
    edges.progress.advance(files=1, bytes=artifact.size)


def _read_body(store: StoreReader, artifact: Artifact, wish: Wish) -> bytes:
    """From the source where it has the same bytes, else from the target."""
    wanted = wish.manifest.artifacts.get(artifact.key)
    if wanted is not None and wanted.body == artifact.body:
        body = wish.supply(wanted)
        if isinstance(body, bytes):
            return body
    stored = store.read(artifact.key)
    if stored is None or hashlib.sha256(stored.body).hexdigest() != artifact.body:
        message = f"`{artifact.key}` changed while it was being adopted"
        raise StoppedError("target-moves", message, "run it again once nothing else writes there")
    return stored.body
