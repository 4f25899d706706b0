"""The values that everything speaks: keys, digests, artifacts, manifests. No behaviour beyond what follows from a value itself."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NewType, Self

from msgspec import Struct, field

SourcePath = NewType("SourcePath", str)
"""A file as built: relative to the source folder, `/` between segments, never starting with `/` or holding `..`."""

Key = NewType("Key", str)
"""An object as stored: relative to the store's prefix."""

Digest = NewType("Digest", str)
"""SHA-256 of a body, 64 lower-case hex characters."""

ReleaseId = NewType("ReleaseId", str)
"""`YYYYMMDDTHHMMSSZ-xxxxxxxx`: the UTC second and 8 hex characters of the manifest's digest."""

ETag = NewType("ETag", str)
"""What the store calls the version of an object, with its double quotes (RFC 9110 §8.8.3); opaque to us."""

HeaderSet = tuple[tuple[str, str], ...]
"""Headers of an artifact, sorted by name, names in their canonical spelling (`Cache-Control`)."""

WEBSITE_REDIRECT = "x-amz-website-redirect-location"
"""Travels among the headers of a redirect; S3's website endpoint answers with it, a folder ignores it."""

INDEX = "index.html"
"""The page that stands for its folder."""


class Kind(StrEnum):
    """What users see: how an artifact is addressed and cached."""

    ASSET = "asset"
    ENTRY = "entry"
    ALIAS = "alias"


class FileClass(StrEnum):
    """Why an artifact has the key that it has."""

    kind: Kind
    is_loaded: bool
    """Pages load it under a name that stays: retired by `gc` alone, promoted before pages."""

    ASSET = "asset", Kind.ASSET, False
    ENTRY = "entry", Kind.ENTRY, False
    FROZEN = "frozen", Kind.ASSET, True
    PINNED = "pinned", Kind.ENTRY, True
    ALIAS = "alias", Kind.ALIAS, True
    REDIRECT = "redirect", Kind.ENTRY, False

    def __new__(cls, name: str, kind: Kind, is_loaded: bool) -> Self:
        """Its attributes are asked for every row of a manifest, time and again."""
        member = str.__new__(cls, name)
        member._value_ = name
        member.kind, member.is_loaded = kind, is_loaded
        return member

    __hash__ = str.__hash__  # an enumeration's own one is a call into Python


class Artifact(Struct, frozen=True, gc=False):
    """One object of a release: body digest *and* headers. `size` is in bytes."""

    key: Key
    file_class: FileClass
    body: Digest
    size: int
    headers: HeaderSet
    source: SourcePath | None = None

    @property
    def kind(self) -> Kind:
        return self.file_class.kind


class Manifest(Struct, frozen=True):
    """All artifacts of a release, by key, in key order. Depends on content and configuration alone."""

    artifacts: Mapping[Key, Artifact] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.artifacts)


class BodyPlace(Struct, frozen=True, gc=False):
    """`length` bytes at `offset` of a pack: one zstd frame (RFC 8878) that holds one body."""

    pack: str
    offset: int
    length: int


class Warning(Struct, frozen=True):
    """Something the user should know that does not stop the run. `code` is stable; `message` follows the style of errors; `subject`: what many
    warnings have in common, where one of them tells enough."""

    code: str
    message: str
    subject: str = ""


class Commit(Struct, frozen=True):
    """Where a release came from; `id` is the full object id."""

    id: str
    branch: str | None
    subject: str
    author: str
    committed_at: int
    is_dirty: bool = False
