"""What another tool left in a target, as a first release that a rollback can bring back. Pure: what stands there is given as values."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping

from msgspec import Struct

from sitepub.core.changes import Action, Change
from sitepub.core.manifest import make_manifest
from sitepub.core.model import Artifact, Digest, ETag, FileClass, HeaderSet, Key, Kind, Manifest, SourcePath
from sitepub.core.plan import PACK_LIMIT

PART_SIZES = tuple(n * 1024 * 1024 for n in (8, 5, 16, 15, 64, 100))
"""Parts that other tools cut large files into: AWS CLI and boto3, the Go SDK (s3deploy, hugo), rclone and others, s3cmd."""

_CLASSES: Mapping[FileClass, FileClass] = {
    FileClass.ENTRY: FileClass.ENTRY,
    FileClass.REDIRECT: FileClass.ENTRY,
    FileClass.FROZEN: FileClass.FROZEN,
    FileClass.ASSET: FileClass.ASSET,
}


class Inherited(Struct, frozen=True):
    """What stands at a key. `digest` of its bytes."""

    key: Key
    size: int
    etag: ETag
    digest: Digest
    headers: HeaderSet


def choose_keys(listed: Iterable[Key], wanted: Manifest, sources: Collection[str]) -> tuple[list[Key], list[Key]]:
    """(keys to take over, foreign ones): only what the source has too, under its own name or a published one."""
    keys = list(listed)
    taken = {key for key in keys if key in wanted.artifacts or key in sources}
    return [key for key in keys if key in taken], [key for key in keys if key not in taken]


def make_first_release(standing: Iterable[Inherited], wanted: Manifest, *, keeps_headers: bool) -> Manifest:
    """Nothing is known of how long others' files are cached, so a file is a page or loaded under a name that stays: both are invalidated
    when they change. Other bytes under a hashed name are left out: the publish refuses them."""
    artifacts = (_shape(each, wanted.artifacts.get(each.key), keeps_headers=keeps_headers) for each in standing)
    return make_manifest(artifact for artifact in artifacts if artifact is not None)


def is_kept_in_place(artifact: Artifact) -> bool:
    """No copy is made: what has a bundler's name or a hash stays where it is."""
    return artifact.file_class in (FileClass.FROZEN, FileClass.ASSET)


def find_packed(first: Manifest, wanted: Manifest) -> Mapping[Digest, Artifact]:
    """Bodies that go into a pack, as those of every release: what is a page, or is to be. The rest is copied on the server, which sends nothing."""
    return {
        artifact.body: artifact
        for key, artifact in first.artifacts.items()
        if artifact.size <= PACK_LIMIT
        and not is_kept_in_place(artifact)
        and (artifact.file_class is FileClass.ENTRY or _is_entry(wanted.artifacts.get(key)))
    }


def is_copied(artifact: Artifact, same: Collection[Digest], packed: Collection[Digest]) -> bool:
    """Whether the wanted artifact is made from what stands there. A small entry is only where its body is in a pack already: else it has to be
    read for one anyway."""
    is_small_entry = artifact.kind is Kind.ENTRY and artifact.size <= PACK_LIMIT
    return artifact.body in same and (not is_small_entry or artifact.body in packed)


def find_same(first: Manifest, wanted: Manifest) -> Mapping[Digest, Key]:
    """Bodies that stand there under keys that keep them: these are copied on the server instead of sent."""
    return {
        artifact.body: key
        for key, artifact in first.artifacts.items()
        if key in wanted.artifacts and wanted.artifacts[key].body == artifact.body
    }


def tell_copies(changes: Iterable[Change], wanted: Manifest, same: Collection[Digest], packed: Collection[Digest]) -> tuple[Change, ...]:
    """What is copied on the server is no put."""
    return tuple(
        Change(change.key, change.source, change.kind, Action.COPY, change.reason, change.bytes)
        if change.action is Action.PUT and is_copied(wanted.artifacts[change.key], same, packed)
        else change
        for change in changes
    )


def is_etag_of(etag: ETag, size: int, chunks: Iterable[bytes]) -> bool:
    """Whether an ETag is the MD5 that S3 makes of these bytes, put at once or in parts of a usual size. `chunks`: the bytes, in order."""
    digest, _, count = etag.strip('"').partition("-")
    parts = int(count) if count.isdigit() else 0
    sizes = [part for part in PART_SIZES if -(-size // part) == parts] if parts else [max(size, 1)]
    drafts = [_PartsDigest(part) for part in sizes]
    for chunk in chunks:
        for draft in drafts:
            draft.add(chunk)
    return any(draft.hexdigest(is_whole=not parts) == digest for draft in drafts)


class _PartsDigest:
    """The MD5 of MD5s, for one part size."""

    def __init__(self, part: int) -> None:
        self._part = part
        self._left = part
        self._current = hashlib.md5(usedforsecurity=False)
        self._done: list[bytes] = []

    def add(self, chunk: bytes) -> None:
        view = memoryview(chunk)
        while view:
            taken, view = view[: self._left], view[self._left :]
            self._current.update(taken)
            self._left -= len(taken)
            if not self._left:
                self._done.append(self._current.digest())
                self._current, self._left = hashlib.md5(usedforsecurity=False), self._part

    def hexdigest(self, *, is_whole: bool) -> str:
        done = [*self._done, *([self._current.digest()] if self._left < self._part or not self._done else [])]
        return done[0].hex() if is_whole else hashlib.md5(b"".join(done), usedforsecurity=False).hexdigest()


def _is_entry(artifact: Artifact | None) -> bool:
    return artifact is not None and artifact.kind is Kind.ENTRY


def _shape(each: Inherited, wanted: Artifact | None, *, keeps_headers: bool) -> Artifact | None:
    is_same = wanted is not None and wanted.body == each.digest
    chosen = FileClass.PINNED if wanted is None else _CLASSES.get(wanted.file_class, FileClass.PINNED)
    if chosen is FileClass.ASSET and not is_same:
        return None
    if chosen is FileClass.FROZEN and not is_same:
        chosen = FileClass.PINNED
    headers = each.headers if keeps_headers or wanted is None else wanted.headers
    source = wanted.source if wanted is not None else SourcePath(each.key)
    return Artifact(each.key, chosen, each.digest, each.size, headers, source)
