"""A plan as a value: all that a run will do to a target's content, and what it was made from. planning.py makes it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import IntEnum

from msgspec import Struct, field

from sitepub.core.changes import Change, Summary
from sitepub.core.model import Artifact, Digest, ETag, FileClass, Key, Kind, Manifest, Warning

PACK_LIMIT = 1024 * 1024
"""Bodies of entries above this many bytes stand by themselves instead of in a pack."""

COPY_ABOVE = 8 * 1024 * 1024
"""An alias above this many bytes is copied on the server; below, a second put costs less than a copy that replaces headers."""


class Stage(IntEnum):
    """Order of promote; within a stage the order does not matter. MAKE_WAY: in a folder, what stands where another key needs a folder."""

    MAKE_WAY = -1
    NEW_LOADED = 0
    CHANGED_LOADED = 1
    PAGES = 2
    FRONT_PAGE = 3
    RETIRED = 4


class Step(Struct, frozen=True, gc=False):
    """One write of promote. `wanted` None is a delete. `candidates`: all that may stand at the key now (None: nothing); anything else is
    foreign. `etag`: what the live release's record says stands there."""

    stage: Stage
    key: Key
    wanted: Artifact | None
    candidates: tuple[Artifact | None, ...]
    etag: ETag | None
    is_forced: bool = False


class Shown(Struct, frozen=True):
    """A key that edges may hold under content that is no longer wanted. `before`: all that visitors may have got."""

    key: Key
    before: tuple[Artifact, ...]
    after: Artifact | None


class Standing(Struct, frozen=True):
    """What a listing found at a wanted key before sitepub ever published there."""

    etag: ETag
    is_same_body: bool


class Found(Struct, frozen=True):
    """What a look at the target found at a wanted key, against all records. `shown`: what visitors may have got from it; where nothing
    stands there, an artifact without headers, as edges keep that answer too."""

    reason: str
    shown: Artifact
    is_missing: bool = False


class Base(Struct, frozen=True):
    """What the target holds by our own records. `others`: manifests of releases that may be half promoted; `lingering`: retired keys that
    still stand; `standing`: what stood there before a first publish; `found`: keys to be written again, whatever the records say."""

    live: Manifest | None = None
    others: tuple[Manifest, ...] = ()
    lingering: Mapping[Key, tuple[Artifact, ...]] = field(default_factory=dict)
    etags: Mapping[Key, ETag] = field(default_factory=dict)
    standing: Mapping[Key, Standing] = field(default_factory=dict)
    found: Mapping[Key, Found] = field(default_factory=dict)


class Plan(Struct, frozen=True):
    """All that a run will do to the target's content. `uploads`: hashed or brand-new frozen files that nobody refers to yet; `steps`: promote;
    `lingering`: what stays in place without being in the manifest; `saved`: artifacts whose bodies are kept before they are overwritten, where they stand."""

    wanted: Manifest
    changes: tuple[Change, ...]
    uploads: tuple[Artifact, ...]
    steps: tuple[Step, ...]
    shown: tuple[Shown, ...]
    lingering: Mapping[Key, tuple[Artifact, ...]]
    saved: tuple[Artifact, ...]
    foreign: tuple[Key, ...]
    summary: Summary
    warnings: tuple[Warning, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Nothing of the site is written or deleted."""
        return not self.uploads and not self.steps


def is_same(left: Artifact, right: Artifact) -> bool:
    """The same bytes under the same headers."""
    return left.body == right.body and left.headers == right.headers


def is_large(artifact: Artifact) -> bool:
    """An entry that stands by itself in the records, not in a pack."""
    return artifact.size > PACK_LIMIT and artifact.kind is Kind.ENTRY


def bodies_to_bring(plan: Plan, located: Collection[Digest]) -> tuple[Artifact, ...]:
    """One wanted artifact for each body of an entry that no pack of the target holds yet, in key order."""
    brought: dict[Digest, Artifact] = {}
    for artifact in plan.wanted.artifacts.values():
        if artifact.file_class in (FileClass.ENTRY, FileClass.PINNED, FileClass.REDIRECT) and artifact.body not in located:
            brought.setdefault(artifact.body, artifact)
    return tuple(brought.values())


def count_by_kind(manifest: Manifest) -> tuple[int, int]:
    """(entries, assets) of a manifest; aliases are neither."""
    kinds = [artifact.kind for artifact in manifest.artifacts.values()]
    return kinds.count(Kind.ENTRY), kinds.count(Kind.ASSET)
