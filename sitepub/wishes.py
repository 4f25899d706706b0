"""What a run is to make live, and what it is allowed for it. Values only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct, field

from sitepub.core.model import Artifact, BodyPlace, Commit, Digest, Key, Manifest, ReleaseId
from sitepub.interfaces import Body, Place

if TYPE_CHECKING:
    from sitepub.core.plan import Found
    from sitepub.core.shards import Shard
    from sitepub.packs import Framed


def _ignore(bodies: Iterable[Digest]) -> None:
    return None


def _know_none() -> Mapping[Digest, BodyPlace]:
    return {}


def _have_no_frame(artifact: Artifact) -> None:
    return None


class Wish(Struct, frozen=True):
    """What is to be live. `supply` gives the body of any wanted artifact, `foretell` is told which bodies it will be asked for next; `asked`: a
    rollback, which may go back in history. `frozen_as_entries`: each frozen key as it is when its bytes change; `mends`: keys to be written again
    though the records call them right; `digest`: of the manifest, where it is known (making it goes through all of it). `keeper`: the listed
    release that bodies are supplied from, `kept` in which packs those stand that were, `shards` where its rows do; `framed`: a body as it stands in a pack,
    None where it is to be compressed."""

    manifest: Manifest
    supply: Callable[[Artifact], Body | Place]
    commit: Commit | None = None
    frozen_as_entries: Mapping[Key, Artifact] = field(default_factory=dict)
    asked: bool = False
    origin: ReleaseId | None = None
    mends: Mapping[Key, Found] = field(default_factory=dict)
    foretell: Callable[[Iterable[Digest]], None] = _ignore
    keeper: ReleaseId | None = None
    kept: Callable[[], Mapping[Digest, BodyPlace]] = _know_none
    shards: tuple[Shard, ...] = ()
    framed: Callable[[Artifact], Framed | None] = _have_no_frame
    digest: Digest | None = None


class Permits(Struct, frozen=True):
    """What the user allows beyond the usual (`--allow`, `--force`)."""

    shrink: bool = False
    foreign: bool = False
    diverged: bool = False
    older: bool = False
    dirty: bool = False
    broken: bool = False
