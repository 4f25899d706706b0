"""Compares a target with its live manifest, and with what its records should keep. Reads only; mending.py repairs what is found."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from sitepub.core.audit import (
    Finding,
    KeptBodies,
    Looked,
    LostBody,
    Mismatch,
    Trouble,
    find_foreign,
    find_lost_bodies,
    judge_key,
)
from sitepub.core.document import Document
from sitepub.core.model import Artifact, Digest, ETag, Key, Manifest, ReleaseId
from sitepub.core.served import judge_records, judge_visits, plan_visits
from sitepub.core.state import Release, State
from sitepub.decision import RESERVED
from sitepub.errors import ConfigurationError, SitepubError, StoppedError
from sitepub.gathering import run_all
from sitepub.interfaces import Listed, Progress, StoreReader
from sitepub.packs import large_body_key, pack_key
from sitepub.releases import STATE_KEY, ReleaseReader, Snapshot, release_key
from sitepub.visiting import Visitor
from sitepub.wiring import Sight

RANGE_BYTES = 8 * 1024 * 1024


class Audit(Struct, frozen=True):
    """What a look found. `mismatches`: keys of the live release; `lost`: bodies that rollbacks need; `damaged`: listed releases whose
    documents are gone; `document`: the live release's, `documents`: of all that could be read; `listed`: the site's keys; `etags`: of the keys
    that are as published; `checked`: keys and URLs that were compared."""

    snapshot: Snapshot
    checked: int
    findings: tuple[Finding, ...] = ()
    mismatches: tuple[Mismatch, ...] = ()
    lost: tuple[LostBody, ...] = ()
    damaged: tuple[Release, ...] = ()
    is_record_lost: bool = False
    document: Document | None = None
    documents: Mapping[ReleaseId, Document] = field(default_factory=dict)
    kept: KeptBodies = field(default_factory=KeptBodies)
    listed: frozenset[Key] = frozenset()
    etags: Mapping[Key, ETag] = field(default_factory=dict)


class _Shelf(Struct, frozen=True):
    """All listed releases' documents as the target holds them, and what is wrong with the others."""

    documents: Mapping[ReleaseId, Document]
    damaged: tuple[Release, ...]
    findings: tuple[Finding, ...]


def verify(sight: Sight, progress: Progress, *, allow_foreign: bool = False, apart: str | None = None) -> Audit:
    """`apart`: below it other targets stand. Raises ConfigurationError `not-managed` where nothing was ever published."""
    try:
        snapshot = sight.releases.read_state()
    except ConfigurationError as error:
        if error.code != "damaged-state":
            raise
        return Audit(Snapshot(State(), None), 0, (Finding(Trouble.DAMAGED_RECORD, f"{RESERVED}{STATE_KEY}", error.message),))
    if snapshot.state.is_blank:
        hint = "`sitepub publish` publishes, `sitepub adopt` takes over what another tool put there"
        raise ConfigurationError("not-managed", f"sitepub has published nothing to `{sight.store.describe()}` yet", hint)
    shelf = _read_documents(sight, snapshot.state)
    audit = _verify_site(sight, snapshot, shelf, progress, allow_foreign=allow_foreign, apart=apart)
    unfinished = _tell_unfinished(snapshot.state)
    return replace(audit, findings=(*shelf.findings, *unfinished, *audit.findings))


def verify_served(sight: Sight, audit: Audit, site_url: str, progress: Progress, *, most: int | None = None) -> Audit:
    """The audit, and what visitors get at `site_url`, which ends with `/`."""
    if audit.document is None:
        return audit
    visits = plan_visits(audit.document.manifest, site_url, most=most)
    progress.stage("asking as a visitor", total_files=len(visits))
    visitor = Visitor()
    answers = visitor.visit_all(visits)
    findings = [*judge_visits(visits, answers, checks_headers=sight.store.keeps_headers)]
    if sight.target.state is None:
        stored = sight.records.read(STATE_KEY)
        address = f"{site_url}{RESERVED}{STATE_KEY}"
        served = visitor.visit(address)
        digest = Digest(hashlib.sha256(stored.body).hexdigest()) if stored else Digest("")
        findings += [found for found in (judge_records(address, served, digest),) if found is not None]
        visitor.close()
    return replace(audit, findings=(*audit.findings, *findings), checked=audit.checked + len(visits))


def read_digest(store: StoreReader, key: Key, size: int) -> Digest:
    """SHA-256 of what stands at the key, read in ranges: memory stays small. '' where it is gone meanwhile."""
    sha = hashlib.sha256()
    try:
        for start in range(0, size, RANGE_BYTES):
            sha.update(store.read_range(key, start, min(RANGE_BYTES, size - start)))
    except StoppedError as error:
        if error.code != "missing-body":
            raise
        return Digest("")
    return Digest(sha.hexdigest())


# ---- records


def _read_documents(sight: Sight, state: State) -> _Shelf:
    """Straight from the target: a local copy would hide that the target's own is gone."""
    reader = ReleaseReader(sight.records)
    pending = state.pending
    releases = (*state.releases, *((pending.release, *pending.over) if pending else ()))

    def read(release: Release) -> Document | SitepubError:
        try:
            return reader.read_document(release)
        except (StoppedError, ConfigurationError) as error:
            if error.code not in ("release-lost", "damaged-release"):
                raise
            return error

    documents: dict[ReleaseId, Document] = {}
    damaged: list[Release] = []
    findings: list[Finding] = []
    for release, found in run_all(read, releases):
        if isinstance(found, Document):
            documents[release.id] = found
        else:
            damaged.append(release)
            findings.append(Finding(Trouble.DAMAGED_RECORD, f"{RESERVED}{release_key(release.id)}", found.message))
    return _Shelf(documents, tuple(damaged), tuple(findings))


def _read_kept(sight: Sight) -> KeptBodies:
    """What packs and bodies are there and are what their names say, as far as HEAD tells."""
    listed = {there.key: there.size for there in sight.records.list()}
    named = [key for key in listed if key.startswith(("packs/", "entries/"))]
    digests = {key: head.digest or "" if head else "" for key, head in run_all(sight.records.head, named)}
    packs = {key.removeprefix("packs/"): listed[key] for key in named if digests[key] and key == pack_key(digests[key][:32])}
    return KeptBodies(packs, {Digest(digests[key]) for key in named if digests[key] and key == large_body_key(Digest(digests[key]))})


def _tell_unfinished(state: State) -> tuple[Finding, ...]:
    if state.pending is None:
        return ()
    message = f"release {state.pending.release.id} was begun and is not finished: another run is at work, or was stopped; the next publish finishes it"
    return (Finding(Trouble.UNFINISHED, f"{RESERVED}{STATE_KEY}", message),)


# ---- the site


def _verify_site(sight: Sight, snapshot: Snapshot, shelf: _Shelf, progress: Progress, *, allow_foreign: bool, apart: str | None) -> Audit:
    state = snapshot.state
    document = _find_live_document(sight, shelf, state.live_release)
    manifest = document.manifest if document else Manifest()
    progress.stage("listing")
    listed = {there.key: there for there in sight.store.list() if not there.key.startswith(RESERVED)}
    recorded, is_record_lost = _read_record(sight, state)
    looks = _look_at_all(sight.store, manifest, listed, recorded, progress)
    mismatches = tuple(_compare(sight.store, manifest, looks, _pending_manifests(shelf, state)))
    broken = {each.finding.key for each in mismatches if each.finding.code is not Trouble.WRONG_HEADERS}
    kept = _read_kept(sight)
    sizes = {key: there.size for key, there in listed.items() if key not in broken}
    documents = {release.id: shelf.documents[release.id] for release in state.releases if release.id in shelf.documents}
    if document is not None and state.live is not None:
        documents[state.live] = document
    lost = find_lost_bodies(documents, kept, sizes)
    findings = [_tell_lost_record(state)] if is_record_lost else []
    findings += [each.finding for each in mismatches]
    findings += [body.finding for body in lost if not (body.is_at_its_key and body.artifact.key in broken)]
    if not allow_foreign and not shelf.damaged:
        findings += _find_foreign(sight, shelf, listed, apart)
    wrong = {each.finding.key for each in mismatches}
    etags = {key: listed[key].etag for key in manifest.artifacts if key in listed and key not in wrong}
    return Audit(
        snapshot=snapshot,
        checked=len(manifest),
        findings=tuple(findings),
        mismatches=mismatches,
        lost=lost,
        damaged=shelf.damaged,
        is_record_lost=is_record_lost,
        document=document,
        documents=shelf.documents,
        kept=kept,
        listed=frozenset(listed),
        etags=etags,
    )


def _find_foreign(sight: Sight, shelf: _Shelf, listed: Iterable[Key], apart: str | None) -> tuple[Finding, ...]:
    """What runs left that never began is looked for only where something is unknown."""
    found = find_foreign(sorted(listed), shelf.documents.values(), apart=apart)
    if not found:
        return ()
    left = ReleaseReader(sight.records).read_left(shelf.documents.keys())
    return find_foreign([Key(finding.key) for finding in found], (), left.values())


def _compare(store: StoreReader, manifest: Manifest, looks: Mapping[Key, Looked], begun: Sequence[Manifest]) -> Iterable[Mismatch]:
    for key, artifact in manifest.artifacts.items():
        others = [other.artifacts.get(key) for other in begun]
        found = judge_key(artifact, looks.get(key), others, keeps_headers=store.keeps_headers)
        if found is not None:
            yield found


def _find_live_document(sight: Sight, shelf: _Shelf, live: Release | None) -> Document | None:
    """The target's own, or the local copy of it."""
    if live is None or live.id in shelf.documents:
        return shelf.documents[live.id] if live else None
    try:
        return sight.releases.read_document(live)
    except (StoppedError, ConfigurationError):
        return None


def _pending_manifests(shelf: _Shelf, state: State) -> list[Manifest]:
    if state.pending is None:
        return []
    begun = (state.pending.release, *state.pending.over)
    return [shelf.documents[release.id].manifest for release in begun if release.id in shelf.documents]


def _read_record(sight: Sight, state: State) -> tuple[Mapping[Key, ETag], bool]:
    """What the target answered for each key when it was published. False negatives only cost a look."""
    try:
        return ReleaseReader(sight.records).read_record(state), False
    except (StoppedError, ConfigurationError) as error:
        if error.code not in ("release-lost", "damaged-release"):
            raise
        return state.record.changed, True


def _tell_lost_record(state: State) -> Finding:
    message = "the record of what the target answered for each key is gone: every publish would have to look at every key"
    return Finding(Trouble.DAMAGED_RECORD, f"{RESERVED}records/{state.record.base}", message)


def _look_at_all(
    store: StoreReader, manifest: Manifest, listed: Mapping[Key, Listed], recorded: Mapping[Key, ETag], progress: Progress
) -> Mapping[Key, Looked]:
    """What stands at each key of the manifest. A listing tells of headers nothing, so where a store keeps them each key is asked for."""
    wanted = [artifact for key, artifact in manifest.artifacts.items() if key in listed]
    progress.stage("comparing", total_files=len(wanted))

    def look(artifact: Artifact) -> Looked | None:
        found = _look(store, artifact, listed[artifact.key], recorded.get(artifact.key))
        progress.advance(files=1)
        return found

    return {artifact.key: found for artifact, found in run_all(look, wanted) if found is not None}


def _look(store: StoreReader, artifact: Artifact, there: Listed, recorded: ETag | None) -> Looked | None:
    """The same ETag as recorded is the same body; else our own digest beside it tells, else its bytes."""
    is_as_recorded = there.etag == recorded and there.size == artifact.size
    if is_as_recorded and not store.keeps_headers:
        return Looked(there.size, artifact.body)
    head = store.head(artifact.key)
    if head is None:
        return None
    if is_as_recorded and head.etag == there.etag:
        return Looked(head.size, artifact.body, head.headers)
    digest = head.digest or read_digest(store, artifact.key, head.size)
    return Looked(head.size, digest, head.headers)
