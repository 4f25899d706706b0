"""An earlier release as a wish: what it was made of, from what the target keeps alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from sitepub.core.document import Document
from sitepub.core.manifest import hashed_keys
from sitepub.core.model import Artifact, BodyPlace, Digest, FileClass, Key, Kind
from sitepub.core.state import Release
from sitepub.edges import Edges
from sitepub.errors import StoppedError
from sitepub.interfaces import Body, Place
from sitepub.packs import Framed, KeptBodies
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
        digest=release.manifest,
    )


def supply_from_target(edges: Edges, document: Document) -> FromTarget:
    return FromTarget(edges, KeptBodies(edges.records, document.bodies), hashed_keys(document.manifest.artifacts))


class FromTarget(Struct, frozen=True):
    """Bodies of an earlier release: entries from packs, hashed files from their own keys, aliases from the file that they stand for."""

    _edges: Edges
    _kept: KeptBodies
    _hashed: Mapping[str | None, Key]

    def supply(self, artifact: Artifact) -> Body | Place:
        store = self._edges.store
        if artifact.kind is Kind.ALIAS and artifact.source in self._hashed:
            return store.place(self._hashed[artifact.source])
        if artifact.file_class is FileClass.ASSET:
            return store.place(artifact.key)
        if artifact.file_class is FileClass.FROZEN and _stands_at_its_key(self._edges, artifact):
            return store.place(artifact.key)
        return self._kept.read(artifact.body)

    def framed(self, artifact: Artifact) -> Framed | None:
        """As `supply` gives it, which also looks elsewhere for what its pack has lost."""
        if artifact.kind is not Kind.ENTRY:
            return None
        try:
            return self._kept.read_framed(artifact.body)
        except StoppedError:
            return None

    def foretell(self, bodies: Iterable[Digest]) -> None:
        self._kept.foretell(bodies)

    def kept(self) -> Mapping[Digest, BodyPlace]:
        return self._kept.found


def _stands_at_its_key(edges: Edges, artifact: Artifact) -> bool:
    """A bundler's file is kept apart only once other bytes have taken its name; until then it may have other headers."""
    head = edges.store.head(artifact.key)
    return head is not None and is_standing(edges.store, head, replace(artifact, headers=head.headers))
