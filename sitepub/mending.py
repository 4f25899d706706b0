"""Mends what verify found: records and bodies by their digests, the live release's keys by promoting it once more, through the state protocol."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from sitepub.core.audit import Finding, LostBody, Trouble
from sitepub.core.model import Artifact, Digest, FileClass, Key, ReleaseId
from sitepub.core.plan import COPY_ABOVE, Found
from sitepub.core.state import Pending, Record, Release
from sitepub.edges import Edges, Invalidated
from sitepub.errors import ConfigurationError, HeldError, SitepubError, StoppedError
from sitepub.gathering import run_all
from sitepub.interfaces import Anything, Body, Place, Progress, StoreReader
from sitepub.invalidating import send_owed
from sitepub.lease import is_dead
from sitepub.packs import KeptBodies, large_body_key
from sitepub.pipeline import Receipt, complete_pending, publish
from sitepub.preparing import build_wish, open_workplace, scan, settle_host_files
from sitepub.releases import PRIVATE_BYTES, Snapshot
from sitepub.request import Request
from sitepub.verifying import Audit
from sitepub.wiring import Sight, find_distribution
from sitepub.wishes import Permits, Wish
from sitepub.writing import upload_asset

ROUNDS = 2
"""A large plain name is copied from its hashed file: where both are broken, the second round mends it."""

Supply = Callable[[], Body | Place]


class Cure(Struct, frozen=True):
    """What can be mended, complete before the first write. `documents`: records by key; `supplies`: where the bodies come from."""

    documents: Mapping[Key, bytes]
    mends_record: bool
    bodies: tuple[LostBody, ...]
    mends: Mapping[Key, Found]
    supplies: Mapping[Digest, Supply]

    @property
    def is_empty(self) -> bool:
        return not (self.documents or self.mends_record or self.bodies or self.mends)


class Mended(Struct, frozen=True):
    """`audit`: what is still wrong afterwards; `repaired`: what was wrong and is right now; `release`: the one that the repair made, if any."""

    audit: Audit
    repaired: tuple[Finding, ...] = ()
    release: ReleaseId | None = None
    invalidation: Invalidated = Invalidated()


def plan_cure(request: Request, sight: Sight, audit: Audit, progress: Progress, *, refreshes: bool = True) -> Cure:
    """Reads only. The local source is fingerprinted only where the target itself does not hold all that is needed. `refreshes`: edges that
    show something else are made to ask again."""
    served = _find_served(audit) if refreshes and find_distribution(request.target, audit.snapshot.state) else {}
    broken = {Key(each.finding.key): each.found for each in audit.mismatches}
    artifacts = audit.document.manifest.artifacts if audit.document else {}
    needed = [artifacts[key] for key in broken] + [body.artifact for body in audit.lost if _may_return(body, audit)]
    supplies = _find_supplies(sight, audit, needed)
    if any(artifact.body not in supplies for artifact in needed):
        supplies = {**_supply_from_source(request, audit, progress), **supplies}
    return Cure(
        documents=dict(_find_documents(sight, audit)),
        mends_record=audit.is_record_lost and audit.document is not None,
        bodies=tuple(body for body in audit.lost if body.artifact.body in supplies and _may_return(body, audit)),
        mends={**served, **{key: found for key, found in broken.items() if artifacts[key].body in supplies}},
        supplies=supplies,
    )


def mend(
    request: Request, edges: Edges, sight: Sight, audit: Audit, cure: Cure, look: Callable[[], Audit], *, wait: bool = False
) -> Mended:
    """`look` verifies again. Sends what an earlier run left owed, too. Raises HeldError where another run is at work. What could not be
    mended stays among the findings."""
    first, release, invalidation = audit, None, Invalidated()
    edges.before_first_write()
    if audit.snapshot.state.pending is not None:
        completed = _finish_pending(edges, audit.snapshot.state.pending, wait=wait)
        release, invalidation = completed.release, completed.invalidation
        audit = look()
        cure = plan_cure(request, sight, audit, edges.progress)
    for _ in range(ROUNDS):
        if cure.is_empty:
            break
        before = audit
        _restore_documents(edges, cure)
        snapshot = _restore_record(edges, audit, cure)
        _restore_bodies(edges, cure)
        made, invalidated = _promote_again(edges, audit, cure, snapshot, wait=wait)
        release, invalidation = made or release, _join(invalidation, invalidated)
        audit = look()
        if audit.findings == before.findings:
            break
        cure = plan_cure(request, sight, audit, edges.progress, refreshes=False)
    if audit.snapshot.state.owed and not invalidation.items:
        invalidation = send_owed(edges, audit.snapshot, wait=wait)
    left = {(finding.code, finding.key) for finding in audit.findings}
    repaired = tuple(finding for finding in first.findings if (finding.code, finding.key) not in left)
    return Mended(audit, repaired, release, invalidation)


# ---- what can be mended, and from where


def _may_return(body: LostBody, audit: Audit) -> bool:
    """A hashed name that holds other bytes is nobody's to overwrite without a look: only the live release's are mended."""
    return not body.is_at_its_key or body.artifact.key not in audit.listed


def _find_served(audit: Audit) -> Mapping[Key, Found]:
    """Keys that stand as they should and are served otherwise: all that helps is to have the edges ask again."""
    codes = (Trouble.SERVED_STALE, Trouble.SERVED_WRONG_HEADERS, Trouble.NOT_SERVED)
    artifacts = audit.document.manifest.artifacts if audit.document else {}
    keys = {Key(finding.key) for finding in audit.findings if finding.code in codes}
    return {
        key: Found("visitors get something else", replace(artifacts[key], file_class=FileClass.ENTRY, body=Digest(""), headers=()))
        for key in sorted(keys)
    }


def _find_documents(sight: Sight, audit: Audit) -> Iterable[tuple[Key, bytes]]:
    """From local copies, where their bytes are still those that the state names."""
    for release in audit.damaged:
        try:
            yield from sight.releases.read_stored(release).items()
        except (StoppedError, ConfigurationError):
            continue


def _find_supplies(sight: Sight, audit: Audit, needed: Sequence[Artifact]) -> Mapping[Digest, Supply]:
    """From the target itself: another key with the same bytes, then what the records keep."""
    wanted = {artifact.body: artifact for artifact in needed}
    supplies: dict[Digest, Supply] = {}
    for document in audit.documents.values():
        kept = KeptBodies(sight.records, document.bodies)
        for digest, place in document.bodies.items():
            if digest in wanted and place.offset + place.length <= audit.kept.packs.get(place.pack, -1):
                supplies.setdefault(digest, lambda kept=kept, digest=digest: kept.read(digest))  # type: ignore[misc]
    for digest in set(wanted) & set(audit.kept.alone):
        supplies[digest] = _at(sight.records, large_body_key(digest))
    spoilt = {each.finding.key for each in audit.mismatches if each.finding.code is not Trouble.WRONG_HEADERS}
    for key, artifact in (audit.document.manifest.artifacts if audit.document else {}).items():
        if artifact.body in wanted and key not in spoilt:
            supplies[artifact.body] = _at(sight.store, key)
    return supplies


def _at(store: StoreReader, key: Key) -> Supply:
    return lambda: store.place(key)


def _supply_from_source(request: Request, audit: Audit, progress: Progress) -> Mapping[Digest, Supply]:
    """Bodies that the local source makes, as it is; nothing where it can't be read."""
    has_distribution = find_distribution(request.target, audit.snapshot.state) is not None
    try:
        source = scan(request)
        request, _ = settle_host_files(request)
        with open_workplace(request, source) as (cache, executor):
            site, wish = build_wish(request, source, cache, executor, None, has_distribution, progress)
    except SitepubError as error:
        progress.note(f"the local source can't help: {error.message}")
        return {}
    return {artifact.body: _made_by(wish, artifact) for artifact in site.manifest.artifacts.values()}


def _made_by(wish: Wish, artifact: Artifact) -> Supply:
    return lambda: wish.supply(artifact)


# ---- mending


def _finish_pending(edges: Edges, pending: Pending, *, wait: bool) -> Receipt:
    """A release that a dead run left half-way is completed first: only then is it known what should stand where."""
    if not is_dead(edges, pending.lease):
        raise HeldError("held", f"release {pending.release.id} is being published", "wait for it, then verify again")
    return complete_pending(edges, pending, wait=wait)


def _restore_documents(edges: Edges, cure: Cure) -> None:
    for key, stored in cure.documents.items():
        edges.records.put(key, stored, PRIVATE_BYTES, digest=Digest(hashlib.sha256(stored).hexdigest()), expect=Anything())


def _restore_record(edges: Edges, audit: Audit, cure: Cure) -> Snapshot:
    """Made anew from what stands there and is right; what is not gets looked at when it is written."""
    if not cure.mends_record:
        return audit.snapshot
    record = edges.releases.write_record(Record(), dict(audit.etags), dict)
    swap = edges.releases.swap(audit.snapshot, replace(audit.snapshot.state, record=record, nonce=edges.releases.nonce()))
    if not swap.is_ours:
        raise _moved()
    return swap.snapshot


def _restore_bodies(edges: Edges, cure: Cure) -> None:
    """Each by itself, under its digest: where its pack is gone it is looked for there."""
    edges.progress.stage("restoring", total_files=len(cure.bodies), total_bytes=sum(body.artifact.size for body in cure.bodies))
    run_all(lambda body: _restore_body(edges, body.artifact, cure.supplies[body.artifact.body]), cure.bodies, workers=8)


def _restore_body(edges: Edges, artifact: Artifact, supply: Supply) -> None:
    if artifact.file_class is FileClass.ASSET:
        upload_asset(edges.store, artifact, lambda _: supply())
    else:
        body, key = supply(), large_body_key(artifact.body)
        if isinstance(body, Place):
            edges.records.copy(body, key, PRIVATE_BYTES, digest=artifact.body, expect=Anything())
        else:
            edges.records.put(key, body, PRIVATE_BYTES, digest=artifact.body, expect=Anything())
    edges.progress.advance(files=1, bytes=artifact.size)


def _promote_again(edges: Edges, audit: Audit, cure: Cure, snapshot: Snapshot, *, wait: bool) -> tuple[ReleaseId | None, Invalidated]:
    """The live manifest once more, as a release of its own, whose plan takes the found keys for what they are."""
    live = snapshot.state.live_release
    mends = _without_dependent_copies(audit, cure.mends)
    if live is None or audit.document is None or not mends:
        return None, Invalidated()
    while f"{edges.clock.now():%Y%m%dT%H%M%SZ}" == live.id.partition("-")[0]:
        edges.clock.sleep(0.2)  # an id holds a second and the content, which is the same
    wish = Wish(
        manifest=audit.document.manifest,
        supply=lambda artifact: cure.supplies[artifact.body]() if artifact.body in cure.supplies else edges.store.place(artifact.key),
        commit=live.commit,
        origin=live.origin or live.id,
        mends=mends,
    )
    receipt = publish(edges, wish, lambda _: _check_unmoved(edges, live), Permits(shrink=True), wait=wait, first=snapshot)
    return receipt.release, receipt.invalidation


def _without_dependent_copies(audit: Audit, mends: Mapping[Key, Found]) -> Mapping[Key, Found]:
    artifacts = audit.document.manifest.artifacts if audit.document else {}
    hashed = {artifacts[key].source for key in mends if artifacts[key].file_class is FileClass.ASSET}
    copied = {key for key in mends if artifacts[key].file_class is FileClass.ALIAS and artifacts[key].size > COPY_ABOVE}
    return {key: found for key, found in mends.items() if not (key in copied and artifacts[key].source in hashed)}


def _check_unmoved(edges: Edges, live: Release) -> None:
    """What was found wrong was found in this very release: another one, live or begun, is not to be undone."""
    state = edges.releases.read_state().state
    if state.live != live.id or state.pending is not None:
        raise _moved()


def _moved() -> HeldError:
    return HeldError("target-moved", "another run has changed the target since it was looked at", "run `sitepub verify` again")


def _join(before: Invalidated, after: Invalidated) -> Invalidated:
    if not before.items:
        return after
    items = tuple(sorted({*before.items, *after.items}))
    return replace(after if after.items else before, items=items)
