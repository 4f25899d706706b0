"""From a wish (what is to be live) and the target as it stands to a complete decision. Reads only; writes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from sitepub.core.changes import Summary
from sitepub.core.document import Document, Retired
from sitepub.core.enumeration import name_some
from sitepub.core.lingering import find_retired, without_swept
from sitepub.core.manifest import digest_manifest
from sitepub.core.model import Artifact, Digest, ETag, FileClass, Key, Manifest, Warning
from sitepub.core.plan import Base, Plan, Standing
from sitepub.core.planning import find_unsettled, make_plan, settle_frozen, shrinks
from sitepub.core.state import Pending, Release, State
from sitepub.core.tags import keep_tags
from sitepub.errors import RefusedError, StoppedError
from sitepub.gathering import run_all
from sitepub.interfaces import Listed, StoreReader
from sitepub.releases import ReleaseReader, Snapshot
from sitepub.wishes import Permits, Wish
from sitepub.writing import is_standing

RESERVED = ".sitepub/"


class Decision(Struct, frozen=True):
    """`completes`: the pending release has just this content and is finished as it is. `live` and `document` are None before a first
    publish. `etags`: what the record says stands at each key that may have to be written; `listed`: sizes of what stands at wanted keys, where the target was listed."""

    snapshot: Snapshot
    digest: Digest
    plan: Plan
    live: Release | None
    document: Document | None
    etags: Mapping[Key, ETag]
    completes: Pending | None
    warnings: tuple[Warning, ...]
    retired: Mapping[Key, Retired] = field(default_factory=dict)
    listed: Mapping[Key, int] | None = None

    @property
    def is_nothing(self) -> bool:
        """Nothing to publish; never while something is pending."""
        is_live = self.live is not None and self.live.manifest == self.digest
        return self.snapshot.state.pending is None and is_live and self.plan.is_empty


def decide(
    store: StoreReader,
    releases: ReleaseReader,
    snapshot: Snapshot,
    wish: Wish,
    permits: Permits,
    *,
    looks_behind: bool = False,
    is_bare: Callable[[], bool] = lambda: False,
) -> Decision:
    """`looks_behind`: a bundler's name is taken, so it is asked for what runs left there that never began. `is_bare`: whether it is known already that
    nothing stands in the store. Raises RefusedError for foreign keys and a shrunk source; StoppedError `release-lost` where a release vanished under our
    eyes."""
    state = snapshot.state
    live = state.live_release
    digest = wish.digest or digest_manifest(wish.manifest)
    if live is not None and _is_live(digest, state, wish):
        return nothing_to_do(snapshot, live, len(wish.manifest))
    document = without_swept(releases.read_document(live), state, live) if live else None
    left = _find_left(store, releases, state, wish, document) if looks_behind else {}
    lingering = _join_lingering(document, left)
    others = _others(releases, state.pending)
    wanted, warnings = _settle_wanted(wish, document, others, lingering)
    digest = digest_manifest(wanted) if wanted is not wish.manifest else digest
    if live is not None and _is_live(digest, state, wish):
        return nothing_to_do(snapshot, live, len(wanted), warnings)
    _check_shrink(wanted, document, permits)
    listed = ([] if is_bare() else _list_wanted(store, wanted)) if _knows_no_key(state) else None
    base = Base(
        live=document.manifest if document else None,
        others=tuple(others.values()),
        lingering=lingering,
        standing={key: found for key, found in _find_standing(store, wanted, wish, listed or ()).items() if key not in left},
        found=wish.mends,
    )
    base = replace(base, etags=releases.read_record(state, find_unsettled(wanted, base)))
    plan = make_plan(wanted, base, allow_foreign=permits.foreign, is_folder=not store.keeps_headers)
    if not looks_behind and any(wanted.artifacts[key].file_class is FileClass.FROZEN for key in plan.foreign):
        return decide(store, releases, snapshot, wish, permits, looks_behind=True, is_bare=is_bare)
    _check_foreign(plan, store)
    if wish.origin is not None and not wish.mends:
        plan = _rely_on_kept(plan, store)
    named = [*([(live, document.manifest)] if live and document else []), *others.items()]
    retired = find_retired(plan.lingering, document.retired if document else {}, named)
    completes = state.pending if state.pending and state.pending.release.manifest == digest else None
    sizes = None if listed is None else {there.key: there.size for there in listed}
    return Decision(snapshot, digest, plan, live, document, base.etags, completes, warnings, retired, sizes)


def _knows_no_key(state: State) -> bool:
    """Nothing was ever published, or all of it is gone: a preview whose removal broke off has a state, too."""
    return state.live_release is None and state.pending is None


def _join_lingering(document: Document | None, left: Mapping[Key, tuple[Artifact, ...]]) -> Mapping[Key, tuple[Artifact, ...]]:
    """All that may stand at keys beside what the release names."""
    known = document.lingering if document else {}
    return {**known, **{key: (*known.get(key, ()), *artifacts) for key, artifacts in left.items()}}


def _list_wanted(store: StoreReader, wanted: Manifest) -> list[Listed]:
    """What stands at wanted keys, whoever put it there."""
    if not store.may_hold(wanted.artifacts.keys()):
        return []
    return [there for there in store.list() if there.key in wanted.artifacts and not there.key.startswith(RESERVED)]


def _is_live(digest: Digest, state: State, wish: Wish) -> bool:
    """Whether a manifest of this digest is live, with nothing to finish or mend."""
    live = state.live_release
    return state.pending is None and live is not None and live.manifest == digest and not wish.mends


def _settle_wanted(
    wish: Wish, document: Document | None, others: Mapping[Release, Manifest], lingering: Mapping[Key, tuple[Artifact, ...]]
) -> tuple[Manifest, tuple[Warning, ...]]:
    """What is wanted, seen beside what stands: a bundler's file that has changed is an entry, and tags stay where they alone would change."""
    live = document.manifest if document else Manifest()
    wanted, warnings = settle_frozen(wish.manifest, live, wish.frozen_as_entries, lingering)
    stood = [manifest.artifacts.values() for manifest in (live, *others.values())]
    return keep_tags(wanted, [*stood, [artifact for artifacts in lingering.values() for artifact in artifacts]]), warnings


def nothing_to_do(snapshot: Snapshot, live: Release, unchanged: int, warnings: tuple[Warning, ...] = ()) -> Decision:
    """The live release has just the wanted content, of `unchanged` artifacts."""
    plan = replace(make_plan(Manifest(), Base(live=Manifest())), summary=Summary(unchanged=unchanged))
    return Decision(snapshot, live.manifest, plan, live, None, {}, None, warnings)


def _others(releases: ReleaseReader, pending: Pending | None) -> Mapping[Release, Manifest]:
    """Manifests of which any part may already stand in the target."""
    if pending is None:
        return {}
    return {release: releases.read_document(release).manifest for release in (pending.release, *pending.over)}


def _find_left(
    store: StoreReader, releases: ReleaseReader, state: State, wish: Wish, document: Document | None
) -> Mapping[Key, tuple[Artifact, ...]]:
    """What stands under bundlers' names that are new to the live release, and was put there by a run that ended before anybody knew of it."""
    live = document.manifest.artifacts if document else {}
    taken = [key for key, artifact in wish.manifest.artifacts.items() if artifact.file_class is FileClass.FROZEN and key not in live]
    others = releases.read_left({release.id for release in state.releases})
    named = {key: {other.manifest.artifacts[key]: None for other in others.values() if key in other.manifest.artifacts} for key in taken}
    looked = run_all(store.head, [key for key, artifacts in named.items() if artifacts])
    return {
        key: tuple(artifact for artifact in named[key] if is_standing(store, head, artifact))
        for key, head in looked
        if head is not None and any(is_standing(store, head, artifact) for artifact in named[key])
    }


def _check_shrink(wanted: Manifest, document: Document | None, permits: Permits) -> None:
    shrunk = shrinks(wanted, document.manifest if document else None)
    if shrunk is None or permits.shrink:
        return
    before, now = shrunk
    message = f"the source has {now} files, the live release has {before}: this would take {before - now} of them off the site"
    raise RefusedError("source-shrank", message, "check the build; `--allow shrink` publishes it all the same")


def _check_foreign(plan: Plan, store: StoreReader) -> None:
    if not plan.foreign:
        return
    keys = "1 key" if len(plan.foreign) == 1 else f"{len(plan.foreign):,} keys"
    message = f"`{store.describe()}` already holds other content under {keys} of this site: {name_some(plan.foreign, 10)}"
    raise RefusedError("foreign-keys", message, "`sitepub adopt` takes them over, `--allow foreign` overwrites them")


def _rely_on_kept(plan: Plan, store: StoreReader) -> Plan:
    """A rollback brings no files: the hashed ones that it needs must be standing, and are not put again."""
    lost = [artifact.key for artifact, head in run_all(lambda artifact: store.head(artifact.key), plan.uploads) if head is None]
    if lost:
        message = f"the target has lost {len(lost)} files of that release, for one `{lost[0]}`"
        raise StoppedError("kept-body-lost", message, "publish its commit again from the sources")
    uploads = {artifact.key for artifact in plan.uploads}
    changes = tuple(change for change in plan.changes if change.key not in uploads)
    summary = replace(plan.summary, new=plan.summary.new - len(uploads), unchanged=plan.summary.unchanged + len(uploads))
    return replace(plan, uploads=(), changes=changes, summary=summary)


def _find_standing(store: StoreReader, wanted: Manifest, wish: Wish, listed: Iterable[Listed]) -> Mapping[Key, Standing]:
    """Before a first publish the prefix is listed once. Hashed names are left to their conditional puts."""
    stable = [there for there in listed if wanted.artifacts[there.key].file_class is not FileClass.ASSET]
    sized = [there for there in stable if there.size == wanted.artifacts[there.key].size]
    same = {
        there.key
        for there, is_same in run_all(lambda there: _holds(store, wanted.artifacts[there.key], there.etag, wish), sized)
        if is_same
    }
    return {there.key: Standing(there.etag, there.key in same) for there in stable}


def _holds(store: StoreReader, artifact: Artifact, etag: ETag, wish: Wish) -> bool:
    """Whether the key holds the artifact's bytes: by our digest beside it, by an ETag that is an MD5, else by reading it."""
    head = store.head(artifact.key)
    if head is None:
        raise StoppedError(
            "target-moves", f"`{artifact.key}` vanished while it was looked at", "run it again once nothing else writes there"
        )
    if head.digest is not None:
        return head.digest == artifact.body
    body = wish.supply(artifact)
    if isinstance(body, bytes) and etag.strip('"') == hashlib.md5(body, usedforsecurity=False).hexdigest():
        return True
    stored = store.read(artifact.key)
    return stored is not None and hashlib.sha256(stored.body).hexdigest() == artifact.body
