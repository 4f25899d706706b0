"""Decides what forgetting a path takes: which releases lose it, which packs are made anew, what is deleted. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from sitepub.core.document import Document
from sitepub.core.manifest import make_manifest
from sitepub.core.model import Artifact, Digest, Key, ReleaseId
from sitepub.core.plan import PACK_LIMIT


class Forgetting(Struct, frozen=True):
    """`documents`: those that change, as they will be, packs still named as before. `stale`: documents that no release is any more, but that
    still have the path. `packs`: old packs and the bodies that stay of each. `site`: keys of the site, with all of ours that may stand
    there; `bodies`: large bodies to delete; `shards`: of documents that stay as they are."""

    documents: Mapping[ReleaseId, Document]
    stale: frozenset[ReleaseId]
    packs: Mapping[str, frozenset[Digest]]
    site: Mapping[Key, tuple[Artifact, ...]]
    bodies: frozenset[Digest]
    shards: frozenset[Digest] = frozenset()

    @property
    def is_nothing(self) -> bool:
        return not self.documents and not self.stale and not self.site


def choose_forgotten(
    documents: Mapping[ReleaseId, Document], paths: Collection[str], listed: Collection[ReleaseId], live: ReleaseId | None
) -> Forgetting:
    """`paths` are source paths or keys; `documents` all that stand in the target, `listed` those that are releases. What the live release
    has is not taken from it: see `find_live`."""
    doomed = _find_artifacts(documents.values(), paths)
    thinned = {release: _without(documents[release], paths) for release in listed}
    still = {artifact.body for document in thinned.values() for artifact in _all_artifacts(document)}
    gone = frozenset({artifact.body for artifact in doomed} - still)
    packs = {place.pack for document in documents.values() for digest, place in document.bodies.items() if digest in gone}
    changed = {
        release: document
        for release, document in thinned.items()
        if document != documents[release] or any(place.pack in packs for place in document.bodies.values())
    }
    stale = frozenset(release for release in documents.keys() - set(listed) if _find_artifacts([documents[release]], paths))
    as_before = [document for release, document in documents.items() if release not in changed and release not in stale]
    return Forgetting(
        documents=changed,
        stale=stale,
        packs={pack: _bodies_in(pack, thinned) for pack in packs},
        site=_keys_to_delete(doomed, thinned[live] if live is not None else None),
        bodies=frozenset(artifact.body for artifact in doomed if artifact.body in gone and artifact.size > PACK_LIMIT),
        shards=frozenset(shard.digest for document in as_before for shard in document.shards),
    )


def find_live(document: Document, paths: Collection[str]) -> tuple[Key, ...]:
    """Keys of the live release that are of these paths: they must be published away first."""
    return tuple(key for key, artifact in document.manifest.artifacts.items() if _is_of(artifact, paths))


def _find_artifacts(documents: Iterable[Document], paths: Collection[str]) -> frozenset[Artifact]:
    return frozenset(artifact for document in documents for artifact in _all_artifacts(document) if _is_of(artifact, paths))


def _all_artifacts(document: Document) -> list[Artifact]:
    return [*document.manifest.artifacts.values(), *(artifact for found in document.lingering.values() for artifact in found)]


def _is_of(artifact: Artifact, paths: Collection[str]) -> bool:
    return artifact.key in paths or artifact.source in paths


def _without(document: Document, paths: Collection[str]) -> Document:
    manifest = make_manifest(artifact for artifact in document.manifest.artifacts.values() if not _is_of(artifact, paths))
    lingering = {}
    for key, found in document.lingering.items():
        kept = tuple(artifact for artifact in found if not _is_of(artifact, paths))
        if kept:
            lingering[key] = kept
    wanted = {artifact.body for artifact in manifest.artifacts.values()}
    bodies = {digest: place for digest, place in document.bodies.items() if digest in wanted}
    return replace(document, manifest=manifest, lingering=lingering, bodies=bodies)


def _bodies_in(pack: str, documents: Mapping[ReleaseId, Document]) -> frozenset[Digest]:
    return frozenset(digest for document in documents.values() for digest, place in document.bodies.items() if place.pack == pack)


def _keys_to_delete(doomed: Collection[Artifact], live: Document | None) -> Mapping[Key, tuple[Artifact, ...]]:
    """What the live release puts at such a key (another file under the same name) stays."""
    keys: dict[Key, tuple[Artifact, ...]] = {}
    for artifact in sorted(doomed, key=lambda artifact: (artifact.key, artifact.body, artifact.headers)):
        if live is None or artifact.key not in live.manifest.artifacts:
            keys[artifact.key] = (*keys.get(artifact.key, ()), artifact)
    return keys
