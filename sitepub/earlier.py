"""An earlier release as a wish: what it was made of, from what the target keeps alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sitepub.core.document import Document
from sitepub.core.manifest import hashed_keys
from sitepub.core.model import Artifact, FileClass, Kind
from sitepub.core.state import Release
from sitepub.edges import Edges
from sitepub.interfaces import Body, Place
from sitepub.packs import KeptBodies
from sitepub.releases import ReleaseReader, Snapshot
from sitepub.wishes import Wish
from sitepub.writing import is_standing


def wish_for(releases: ReleaseReader, release: Release, snapshot: Snapshot, supply: Callable[[Artifact], Body | Place]) -> Wish:
    """An earlier release as a wish. What became an entry since, because its bytes changed under a bundler's name, stays one."""
    document = releases.read_document(release)
    live = snapshot.state.live_release
    standing = releases.read_document(live).manifest.artifacts if live else {}
    as_entries = {
        key: replace(artifact, file_class=standing[key].file_class, headers=standing[key].headers)
        for key, artifact in document.manifest.artifacts.items()
        if artifact.file_class is FileClass.FROZEN and key in standing and standing[key].file_class in (FileClass.PINNED, FileClass.ENTRY)
    }
    return Wish(
        manifest=document.manifest,
        supply=supply,
        commit=release.commit,
        frozen_as_entries=as_entries,
        asked=True,
        origin=release.origin or release.id,
    )


def supply_from_target(edges: Edges, document: Document) -> Callable[[Artifact], Body | Place]:
    """Bodies of an earlier release: entries from packs, hashed files from their own keys, aliases from the file that they stand for."""
    kept = KeptBodies(edges.records, document.bodies)
    hashed = hashed_keys(document.manifest.artifacts)

    def supply(artifact: Artifact) -> Body | Place:
        if artifact.kind is Kind.ALIAS and artifact.source in hashed:
            return edges.store.place(hashed[artifact.source])
        if artifact.file_class is FileClass.ASSET:
            return edges.store.place(artifact.key)
        if artifact.file_class is FileClass.FROZEN and _stands_at_its_key(edges, artifact):
            return edges.store.place(artifact.key)
        return kept.read(artifact.body)

    return supply


def _stands_at_its_key(edges: Edges, artifact: Artifact) -> bool:
    """A bundler's file is kept apart only once other bytes have taken its name; until then it may have other headers."""
    head = edges.store.head(artifact.key)
    return head is not None and is_standing(edges.store, head, replace(artifact, headers=head.headers))
