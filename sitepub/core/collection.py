"""Decides what `gc` deletes, each key with its reason: what no kept release reaches. Pure.

Two waves: stable keys that pages load go first; what they themselves may load goes in a later run, when no edge holds them any more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from msgspec import Struct

from sitepub.core.document import Document
from sitepub.core.model import Artifact, Digest, ETag, FileClass, Key, ReleaseId
from sitepub.core.retention import Kept
from sitepub.core.state import Release, State


class Doomed(Struct, frozen=True):
    """One object to delete, of the site or of the records. `size`: bytes. `etag`: as it was listed. `known`: what of ours may
    stand at the key, where that has to be looked at; anything else is left alone."""

    key: Key
    is_record: bool
    reason: str
    size: int
    known: tuple[Artifact, ...] = ()
    etag: ETag | None = None


class Sweep(Struct, frozen=True):
    """`deferred`: hashed files that a later run deletes, because stable keys that may load them go in this one. `left`: stable keys that
    someone else has changed. `is_whole`: it is no more than one run may delete."""

    kept: tuple[Kept, ...]
    doomed: tuple[Doomed, ...]
    deferred: int
    left: tuple[Key, ...] = ()
    is_whole: bool = True


def choose_doomed(
    state: State,
    kept: tuple[Kept, ...],
    documents: Mapping[ReleaseId, Document],
    site: Mapping[Key, int],
    records: Mapping[Key, int],
    *,
    young: Collection[ReleaseId] = (),
    young_shards: Collection[Digest] = (),
) -> Sweep:
    """`documents`: of every release that stands in the target; `site` and `records`: keys and their sizes in bytes, as listed; `young`: releases
    that a run may be about to begin, `young_shards`: whose document it may be about to write."""
    reached = _reach(state, kept) | frozenset(young) | _find_overwritten(kept, documents)
    kept_documents = [document for release, document in documents.items() if release in reached]
    needed = {key for document in kept_documents for key in document.manifest.artifacts}
    known = _known_artifacts(documents.values())
    unneeded = {key: found for key, found in known.items() if key in site and key not in needed}
    stable = [_doom_stable(key, found, site[key]) for key, found in unneeded.items() if _is_stable(found)]
    named = _find_begun(state)
    begun = _known_artifacts(document for release, document in documents.items() if release in named)
    hashed = [_doom_hashed(key, found, site[key], is_begun=key in begun) for key, found in unneeded.items() if _is_hashed(found)]
    waits = bool(stable) or _owes_by_itself(state)
    doomed_now = stable if waits else hashed
    keeps_documents = bool(waits and hashed)
    shards = {shard.digest for document in (documents.values() if keeps_documents else kept_documents) for shard in document.shards}
    gone = _doom_records(state, reached, kept_documents, records, shards.union(young_shards), keeps_documents=keeps_documents)
    return Sweep(kept, tuple(sorted([*doomed_now, *gone], key=_order)), len(hashed) if waits else 0)


def _reach(state: State, kept: tuple[Kept, ...]) -> frozenset[ReleaseId]:
    """Kept releases, what they superseded unfinished, and all that is pending."""
    return _with_unfinished(state, [one.release for one in kept])


def _find_overwritten(kept: tuple[Kept, ...], documents: Mapping[ReleaseId, Document]) -> frozenset[ReleaseId]:
    """The last releases of keys that lingered in a release which edges may still have, and hold something else since: what stood there may still be
    shown, and what it loads is told by these alone."""
    found: set[ReleaseId] = set()
    for number, one in enumerate(kept):
        document = documents.get(one.release.id)
        if document is None or not one.is_shown:
            continue
        later = [documents[other.release.id].manifest.artifacts for other in kept[number + 1 :] if other.release.id in documents]
        found.update(since.release for key, since in document.retired.items() if any(key in artifacts for artifacts in later))
    return frozenset(found)


def _owes_by_itself(state: State) -> bool:
    """Edges may show stable keys that an earlier `gc` deleted: what is owed for a release is its own reason to keep things, this is none."""
    return not {owed.seq for owed in state.owed} <= {release.seq for release in state.releases}


def _find_begun(state: State) -> frozenset[ReleaseId]:
    """Releases that the state names: what they name was put there, while a run that never began may have met somebody else's file."""
    return _with_unfinished(state, state.releases)


def _with_unfinished(state: State, releases: Iterable[Release]) -> frozenset[ReleaseId]:
    """`releases`, what each superseded unfinished, and all that is pending."""
    pending = (state.pending.release, *state.pending.over) if state.pending is not None else ()
    named = {name for release in releases for name in (release.id, *release.over)}
    return frozenset(named | {release.id for release in pending})


def _known_artifacts(documents: Iterable[Document]) -> Mapping[Key, tuple[Artifact, ...]]:
    known: dict[Key, dict[Artifact, None]] = {}
    for document in documents:
        for key, artifact in document.manifest.artifacts.items():
            known.setdefault(key, {})[artifact] = None
        for key, artifacts in document.lingering.items():
            known.setdefault(key, {}).update(dict.fromkeys(artifacts))
    return {key: tuple(artifacts) for key, artifacts in known.items()}


def _is_hashed(found: Collection[Artifact]) -> bool:
    return all(artifact.file_class is FileClass.ASSET for artifact in found)


def _is_stable(found: Collection[Artifact]) -> bool:
    """Pages load it under a name that stays. What was an entry too was deleted by promote, or was changed by someone else since."""
    return any(artifact.file_class.is_loaded for artifact in found)


def _doom_stable(key: Key, found: tuple[Artifact, ...], size: int) -> Doomed:
    return Doomed(key, False, "no kept release has it under this name", size, found)


def _doom_hashed(key: Key, found: tuple[Artifact, ...], size: int, *, is_begun: bool) -> Doomed:
    if is_begun:
        return Doomed(key, False, "no kept release has it", size)
    return Doomed(key, False, "left by a run that never began its release", size, found)


def _doom_records(
    state: State,
    reached: frozenset[ReleaseId],
    kept: Collection[Document],
    records: Mapping[Key, int],
    shards: Collection[Digest],
    *,
    keeps_documents: bool,
) -> Iterable[Doomed]:
    packs = {place.pack for document in kept for place in document.bodies.values()}
    bodies = {artifact.body for document in kept for artifact in document.manifest.artifacts.values()}
    for key, size in records.items():
        folder, _, name = key.partition("/")
        if folder == "packs" and name not in packs:
            yield Doomed(key, True, "no kept release has bodies in it", size)
        elif folder == "entries" and Digest(name) not in bodies:
            yield Doomed(key, True, "no kept release has this body", size)
        elif folder == "records" and name != state.record.base:
            yield Doomed(key, True, "the live release has a newer record", size)
        elif folder == "releases" and ReleaseId(name) not in reached and not keeps_documents:
            yield Doomed(key, True, "beyond what retention keeps", size)
        elif folder == "shards" and Digest(name) not in shards:
            yield Doomed(key, True, "no kept release has these rows", size)
        elif folder == "probe":
            yield Doomed(key, True, "left by an interrupted first publish", size)


def find_wave(doomed: Doomed) -> int:
    """Documents go after what they name as ours (1), their shards after them (2): a run that stops anywhere leaves no document that can't be read."""
    if not doomed.is_record:
        return 0
    return 2 if doomed.key.startswith("shards/") else int(doomed.key.startswith("releases/"))


def _order(doomed: Doomed) -> tuple[bool, int, Key]:
    return doomed.is_record, find_wave(doomed), doomed.key
