"""What lingers under names that stay after its last release, and when it is forgotten: once a `gc` has taken it, and no browser keeps it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta

from msgspec.structs import replace

from sitepub.core.document import Document, Retired
from sitepub.core.model import FileClass, Key, Manifest, ReleaseId
from sitepub.core.retention import released_at
from sitepub.core.state import Release, State

LONGEST_LIFE = timedelta(days=366)
"""A bundler's file is cached for a year: if its name comes back with other bytes before, it must not be cached for ever again."""


def find_retired(
    lingering: Collection[Key], before: Mapping[Key, Retired], named: Iterable[tuple[Release, Manifest]]
) -> Mapping[Key, Retired]:
    """`before`: as the live release has it; `named`: the live release, and those that may be half promoted."""
    retired = {key: since for key, since in before.items() if key in lingering}
    for release, manifest in sorted(named, key=lambda pair: pair[0].seq):
        loaded = (key for key in lingering if key in manifest.artifacts and manifest.artifacts[key].file_class.is_loaded)
        retired.update(dict.fromkeys(loaded, Retired(release.seq, release.id)))
    return retired


def without_swept(document: Document, state: State, live: Release) -> Document:
    """The live release's document without what a `gc` has taken, or has found to be somebody else's by now."""
    if not state.is_swept or not document.retired:
        return document
    first_listed = min(release.seq for release in state.releases)
    unfinished = {over for release in state.releases for over in release.over}
    if state.pending is not None:
        unfinished.update(release.id for release in (state.pending.release, *state.pending.over))
    staying = {
        key: artifacts
        for key, artifacts in document.lingering.items()
        if not _is_swept(document.retired.get(key), first_listed, unfinished)
        or (any(each.file_class is FileClass.FROZEN for each in artifacts) and not _is_outlived(document.retired[key], live))
    }
    return replace(document, lingering=staying)


def _is_swept(retired: Retired | None, first_listed: int, unfinished: Collection[ReleaseId]) -> bool:
    return retired is not None and retired.seq < first_listed and retired.release not in unfinished


def _is_outlived(retired: Retired, live: Release) -> bool:
    """By the names of releases: what is decided does not depend on the time of day."""
    return released_at(live.id) - released_at(retired.release) > LONGEST_LIFE
