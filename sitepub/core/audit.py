"""Judges what a look at the target, at its records and at the served site found, against what the manifests name. Pure: looks are values."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum

from msgspec import Struct, field

from sitepub.core.document import Document
from sitepub.core.enumeration import list_some
from sitepub.core.model import WEBSITE_REDIRECT, Artifact, Digest, FileClass, HeaderSet, Key, Kind, ReleaseId
from sitepub.core.plan import Found
from sitepub.core.telling import changed_headers

RESERVED = ".sitepub/"


class Trouble(StrEnum):
    """Codes of findings, stable for scripts."""

    MISSING = "missing"
    CHANGED = "changed"
    WRONG_HEADERS = "wrong-headers"
    FOREIGN = "foreign"
    MISSING_BODY = "missing-body"
    DAMAGED_RECORD = "damaged-record"
    UNFINISHED = "unfinished"
    NOT_SERVED = "not-served"
    SERVED_STALE = "served-stale"
    SERVED_WRONG_HEADERS = "served-wrong-headers"
    RECORDS_SERVED = "records-served"


class Finding(Struct, frozen=True):
    """`key`: as it stands in the store; of the records, below `.sitepub/`."""

    code: Trouble
    key: str
    message: str


class Looked(Struct, frozen=True):
    """What stands at a key. `digest` of its bytes; `headers` empty in a store that keeps none."""

    size: int
    digest: Digest
    headers: HeaderSet = ()


class Mismatch(Struct, frozen=True):
    """A key of the live release that is not as published, and what a repair has to know of it."""

    finding: Finding
    found: Found


class LostBody(Struct, frozen=True):
    """A body that a rollback to `releases` would need, and that the target does not keep any more. `artifact`: one that has it."""

    artifact: Artifact
    releases: tuple[ReleaseId, ...]

    @property
    def is_at_its_key(self) -> bool:
        """A hashed file is kept where it is published, and nowhere else."""
        return self.artifact.file_class is FileClass.ASSET

    @property
    def finding(self) -> Finding:
        """As it is told."""
        what = "release" if len(self.releases) == 1 else "releases"
        message = f"the body that `{self.artifact.key}` has in {what} {list_some(self.releases, 3)} is not kept any more: no rollback brings it back"
        return Finding(Trouble.MISSING_BODY, self.artifact.key, message)


class KeptBodies(Struct, frozen=True):
    """What the records hold, undamaged: packs with their sizes in bytes, and bodies that stand by themselves."""

    packs: Mapping[str, int] = field(default_factory=dict)
    alone: Collection[Digest] = ()


def judge_key(
    artifact: Artifact, looked: Looked | None, others: Collection[Artifact | None] = (), *, keeps_headers: bool
) -> Mismatch | None:
    """`others`: what an unfinished release may have put there (None: nothing)."""
    if any(_is_as_published(each, looked, keeps_headers=keeps_headers) for each in (artifact, *others)):
        return None
    if looked is None:
        return _mismatch(Trouble.MISSING, artifact, None, f"`{artifact.key}` is missing", "missing in the target")
    if looked.digest != artifact.body:
        message = f"`{artifact.key}` holds other bytes than were published ({looked.size:,} bytes, {artifact.size:,} were published)"
        return _mismatch(Trouble.CHANGED, artifact, looked, message, "changed in the target by someone else")
    names = differing_headers(artifact.headers, looked.headers)
    told = "; ".join(_tell_header(name, artifact.headers, looked.headers) for name in names)
    return _mismatch(
        Trouble.WRONG_HEADERS, artifact, looked, f"`{artifact.key}` {told}", f"wrong headers in the target: {', '.join(names)}"
    )


def find_foreign(
    listed: Iterable[Key], documents: Iterable[Document], left: Iterable[Document] = (), *, apart: str | None = None
) -> tuple[Finding, ...]:
    """Keys that no manifest of ours names: not of a release that is kept, pending or superseded, and not left behind by one. `left`: of runs that
    never began; all they can have put there is what goes up before. `apart`: where other targets stand."""
    known: set[Key] = set()
    for document in documents:
        known.update(document.manifest.artifacts, document.lingering)
    for document in left:
        known.update(key for key, artifact in document.manifest.artifacts.items() if artifact.kind is Kind.ASSET)
    others = RESERVED if apart is None else (RESERVED, apart)
    foreign = (key for key in listed if key not in known and not key.startswith(others))
    return tuple(Finding(Trouble.FOREIGN, key, f"`{key}` is in no manifest of sitepub: it is left alone") for key in foreign)


def find_lost_bodies(documents: Mapping[ReleaseId, Document], kept: KeptBodies, site: Mapping[Key, int]) -> tuple[LostBody, ...]:
    """Bodies of listed releases that no rollback could bring back, each once. `site`: keys and sizes in bytes, as listed."""
    lost: dict[tuple[Digest, Key | None], tuple[Artifact, list[ReleaseId]]] = {}
    for release, document in documents.items():
        for artifact in _find_unkept(document, kept, site):
            by = (artifact.body, artifact.key if artifact.file_class is FileClass.ASSET else None)
            lost.setdefault(by, (artifact, []))[1].append(release)
    return tuple(LostBody(artifact, tuple(dict.fromkeys(releases))) for artifact, releases in lost.values())


def differing_headers(wanted: HeaderSet, found: HeaderSet) -> tuple[str, ...]:
    """Names of the headers that differ, sorted. A website redirect is left out: S3-compatible servers drop it in silence."""
    return tuple(name for name in changed_headers(wanted, found) if name != WEBSITE_REDIRECT)


def _is_as_published(artifact: Artifact | None, looked: Looked | None, *, keeps_headers: bool) -> bool:
    if artifact is None or looked is None:
        return artifact is None and looked is None
    is_headed = not keeps_headers or not differing_headers(artifact.headers, looked.headers)
    return looked.digest == artifact.body and is_headed


def _mismatch(code: Trouble, artifact: Artifact, looked: Looked | None, message: str, reason: str) -> Mismatch:
    """What visitors may have got counts as a page, whatever the file is: nothing is known of how long edges keep it."""
    seen = looked or Looked(0, Digest(""))
    shown = Artifact(artifact.key, FileClass.ENTRY, seen.digest, seen.size, seen.headers, artifact.source)
    return Mismatch(Finding(code, artifact.key, message), Found(reason, shown, looked is None))


def _tell_header(name: str, wanted: HeaderSet, found: HeaderSet) -> str:
    before, now = dict(wanted).get(name), dict(found).get(name)
    if now is None:
        return f"has no `{name}`, which should be `{before}`"
    return f"has `{name}: {now}`, which should be `{before}`" if before is not None else f"has `{name}: {now}`, which should not be there"


def _find_unkept(document: Document, kept: KeptBodies, site: Mapping[Key, int]) -> Iterable[Artifact]:
    """Hashed files stand at their own keys alone, and aliases are made from them; a bundler's files stand at theirs until they change."""
    artifacts = document.manifest.artifacts
    hashed = {artifact.source for artifact in artifacts.values() if artifact.file_class is FileClass.ASSET}
    for key, artifact in artifacts.items():
        if artifact.kind is Kind.ALIAS and artifact.source in hashed:
            continue
        is_at_its_key = artifact.kind is Kind.ASSET and site.get(key) == artifact.size
        if not is_at_its_key and (artifact.file_class is FileClass.ASSET or not _is_kept_apart(artifact, document, kept)):
            yield artifact


def _is_kept_apart(artifact: Artifact, document: Document, kept: KeptBodies) -> bool:
    place = document.bodies.get(artifact.body)
    return artifact.body in kept.alone or (place is not None and place.offset + place.length <= kept.packs.get(place.pack, -1))
