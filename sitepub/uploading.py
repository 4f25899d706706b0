"""What nobody refers to yet: assets, packs, large bodies and the document of the wanted release go into the target."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from sitepub.core.document import Document
from sitepub.core.model import Artifact, BodyPlace, Digest, ETag, Key
from sitepub.core.plan import bodies_to_bring, count_by_kind, is_large
from sitepub.core.state import Release
from sitepub.decision import Decision
from sitepub.edges import Edges
from sitepub.errors import StoppedError
from sitepub.gathering import run_all
from sitepub.interfaces import Anything, Body, Place
from sitepub.pack_draft import Pack, PackDraft
from sitepub.packing import frame_all, send_packs
from sitepub.packs import Framed, large_body_key
from sitepub.releases import PRIVATE_BYTES, make_release_id, next_second
from sitepub.wishes import Wish
from sitepub.writing import give_new_etag, is_standing, upload_asset

LIST_ABOVE = 16
LIST_SHARE = 20
"""Files to upload, and their part of the site (one in so many), from which on the target is listed before."""


class Staged(Struct, frozen=True):
    """A release that is in the target as a whole, though nobody refers to it yet. `uploaded`: what the target answered for its new assets."""

    release: Release
    document: Document
    uploaded: Mapping[Key, ETag | None]


def upload(edges: Edges, decision: Decision, wish: Wish, draft: PackDraft, checked: Callable[[], object]) -> Staged:
    """Puts all of the release into the target that nobody refers to yet. `checked`: awaited before the first write; may stop the run."""
    if decision.completes is not None:
        checked()
        document = edges.releases.read_document(decision.completes.release)
        return Staged(decision.completes.release, document, {})
    plan = decision.plan
    edges.progress.stage("uploading", total_files=len(plan.uploads), total_bytes=sum(a.size for a in plan.uploads))
    missing = _find_missing(decision)
    await_packs = _send_packs(edges, decision, wish, draft, missing, checked)
    checked()
    document = Document(plan.wanted, _find_places(decision, wish, draft), plan.lingering, decision.retired)
    # before all of the site's own keys: what a run leaves that ends in here is known to be ours
    release = _write_release(edges, decision, wish, document)
    for saved in plan.saved:
        standing = edges.store.head(saved.key)
        if standing is not None and is_standing(edges.store, standing, saved):
            place = edges.store.place(saved.key)
            edges.records.copy(place, large_body_key(saved.body), PRIVATE_BYTES, digest=saved.body, expect=Anything())
    after_gc = decision.snapshot.state.collect is not None
    arrived = _find_arrived(edges, decision)
    uploaded = {
        a.key: etag
        for a, etag in run_all(
            lambda a: _upload_one(edges, a, wish, is_there=arrived.get(a.key) == a.size, needs_new_etag=after_gc),
            plan.uploads,
            pace=edges.pace,
        )
    }
    _send_large_bodies(edges, decision, wish, missing)
    await_packs()
    return Staged(release, document, uploaded)


def _find_arrived(edges: Edges, decision: Decision) -> Mapping[Key, int]:
    """Sizes of what stands there, where so much is to be sent that a run which broke off may have sent much of it: one listing costs less."""
    plan = decision.plan
    if decision.listed is not None:
        return decision.listed
    if len(plan.uploads) < LIST_ABOVE or len(plan.uploads) * LIST_SHARE < len(plan.wanted):
        return {}
    return {there.key: there.size for there in edges.store.list()}


def _upload_one(edges: Edges, artifact: Artifact, wish: Wish, *, is_there: bool, needs_new_etag: bool) -> ETag:
    etag = upload_asset(edges.store, artifact, wish.supply, looks_first=is_there, needs_new_etag=needs_new_etag)
    edges.progress.advance(files=1, bytes=artifact.size)
    return etag


def _find_missing(decision: Decision) -> tuple[Artifact, ...]:
    """Artifacts with the bodies of entries that the target does not keep yet, large ones too."""
    known = decision.document.bodies.keys() if decision.document else frozenset()
    large_before = {a.body for a in decision.document.manifest.artifacts.values() if is_large(a)} if decision.document else set()
    return bodies_to_bring(decision.plan, known | large_before if large_before else known)


def _send_packs(
    edges: Edges, decision: Decision, wish: Wish, draft: PackDraft, missing: tuple[Artifact, ...], checked: Callable[[], object]
) -> Callable[[], object]:
    """Packs what is small; the last packs arrive meanwhile."""
    small = [a for a in missing if not is_large(a)]
    wish.foretell(a.body for a in small)

    def read(artifact: Artifact) -> bytes | Framed:
        framed = wish.framed(artifact)
        body = framed.body if framed is not None else _read_body(wish, artifact)
        draft.hold(artifact.body, body)
        return body if framed is None else framed

    packs: Iterable[Pack] = draft.fill(frame_all(small, read))
    if wish.keeper is not None:
        drafted = list(packs)
        packs = () if _is_kept(wish, draft) else drafted
    return send_packs(edges.records, draft, packs, checked, lambda *put: _outlive_gc(edges, decision, *put))


def _read_body(wish: Wish, artifact: Artifact) -> bytes:
    body = wish.supply(artifact)
    if not isinstance(body, bytes):
        raise StoppedError("kept-body-lost", f"the body of `{artifact.key}` can't be kept", "publish it again from its sources")
    return body


def _find_places(decision: Decision, wish: Wish, draft: PackDraft) -> Mapping[Digest, BodyPlace]:
    """Where the bodies of this release stand, or will."""
    known = decision.document.bodies if decision.document else {}
    fresh = wish.kept() if _is_kept(wish, draft) else draft.places()
    found = ((artifact.body, fresh.get(artifact.body) or known.get(artifact.body)) for artifact in decision.plan.wanted.artifacts.values())
    return {body: place for body, place in found if place is not None}


def _send_large_bodies(edges: Edges, decision: Decision, wish: Wish, missing: tuple[Artifact, ...]) -> None:
    def send(artifact: Artifact) -> None:
        etag = _put_large_body(edges, artifact, wish.supply(artifact))
        _outlive_gc(edges, decision, large_body_key(artifact.body), artifact.body, etag)

    # few at once: each may be held in memory as a whole
    run_all(send, [a for a in missing if is_large(a)], workers=4)


def _is_kept(wish: Wish, draft: PackDraft) -> bool:
    """Whether packs of a release that is listed hold all of it: a `gc` that would take them swaps the state first, and this run starts over."""
    return draft.places().keys() <= wish.kept().keys()


def _put_large_body(edges: Edges, artifact: Artifact, body: Body | Place) -> ETag:
    key = large_body_key(artifact.body)
    head = edges.records.head(key)
    if head is not None:
        return head.etag
    if isinstance(body, Place):
        return edges.records.copy(body, key, PRIVATE_BYTES, digest=artifact.body, expect=Anything())
    return edges.records.put(key, body, PRIVATE_BYTES, digest=artifact.body, expect=Anything())


def _outlive_gc(edges: Edges, decision: Decision, key: Key, digest: Digest, etag: ETag) -> None:
    """A `gc` that ended half-way may have a delete of the same name under way still."""
    if decision.snapshot.state.collect is not None and give_new_etag(edges.records, key, PRIVATE_BYTES, digest, etag) is None:
        raise StoppedError("target-moves", f"`{key}` was deleted while it was looked at, by a `gc` that has died", "run it again")


def _write_release(edges: Edges, decision: Decision, wish: Wish, document: Document) -> Release:
    entries, assets = count_by_kind(document.manifest)
    release = make_release_id(f"{edges.clock.now():%Y%m%dT%H%M%SZ}", decision.digest)
    taken = {listed.id for listed in decision.snapshot.state.releases}
    while release in taken:  # a rollback within the second of the release that it goes back to
        release = next_second(release)
    like = (*(decision.document.shards if decision.document else ()), *wish.shards)
    written = edges.releases.write_document(release, document, like, lambda *put: _outlive_gc(edges, decision, *put))
    return Release(
        id=written.release,
        seq=decision.snapshot.state.seq + 1,
        manifest=decision.digest,
        document=written.digest,
        commit=wish.commit,
        published_at="",
        entries=entries,
        assets=assets,
        origin=wish.origin,
    )
