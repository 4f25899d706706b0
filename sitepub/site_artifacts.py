"""The end of the way: artifacts with their headers, aliases and redirects, out of classes, names and published bodies."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from sitepub.core.classes import Verdict
from sitepub.core.enumeration import name_some
from sitepub.core.headers import choose_headers
from sitepub.core.manifest import make_manifest
from sitepub.core.model import Artifact, Digest, FileClass, HeaderSet, Key, Manifest, SourcePath, Warning
from sitepub.core.names import Names
from sitepub.core.paths import HOST_FILES
from sitepub.core.settings import Tags
from sitepub.core.tags import choose_tags
from sitepub.site_frame import Frame
from sitepub.site_rewriting import Published
from sitepub.site_survey import SiteSurvey

_COMPRESSED = (".br", ".gz", ".zst")
_MOST_NAMED = 5


class Assembly(Struct, frozen=True):
    """`numbers` by key, `keys` of renamed files by number. `left_out`: files whose bytes would be stale, or that are settings themselves."""

    manifest: Manifest
    numbers: Mapping[Key, int]
    file_numbers: Mapping[str, int]
    keys: Mapping[int, Key]
    published: Mapping[int, Published]
    left_out: frozenset[int]
    frozen_as_entries: Mapping[Key, Artifact]
    warnings: tuple[Warning, ...]


def assemble(frame: Frame, gathered: SiteSurvey, verdicts: Sequence[Verdict], names: Names, published: Mapping[int, Published]) -> Assembly:
    """Every file under each of its names, with its headers, and the pages of redirects; warnings tell what is left out, and what has another spelling."""
    stale = _find_stale(frame, gathered, published)
    left_out = stale | {number for number, path in enumerate(frame.paths) if path in HOST_FILES}
    shaper = _Shaper(frame, gathered, verdicts, published)
    artifacts: list[Artifact] = []
    numbers: dict[Key, int] = {}
    frozen: dict[Key, Artifact] = {}
    for number, verdict in enumerate(verdicts):
        if number in left_out:
            continue
        for artifact in _shape(number, verdict, names, shaper):
            artifacts.append(artifact)
            numbers[artifact.key] = number
            if artifact.file_class is FileClass.FROZEN:
                frozen[artifact.key] = shaper.shape(number, artifact.key, FileClass.PINNED)
    artifacts += _respell(numbers, gathered, shaper)
    numbers |= {artifact.key: gathered.evidence.numbers[artifact.source or ""] for artifact in artifacts if artifact.key not in numbers}
    artifacts += _shape_redirects(frame)
    warnings = (*_tell_stale(frame, stale), *_tell_respelled(gathered))
    return Assembly(
        make_manifest(artifacts), numbers, gathered.evidence.numbers, names.keys, published, frozenset(left_out), frozen, warnings
    )


class _Shaper:
    """Makes artifacts; equal sets of headers are one value."""

    __slots__ = ("_frame", "_gathered", "_headers", "_published", "_verdicts")

    def __init__(self, frame: Frame, gathered: SiteSurvey, verdicts: Sequence[Verdict], published: Mapping[int, Published]) -> None:
        self._frame = frame
        self._gathered = gathered
        self._verdicts = verdicts
        self._published = published
        self._headers: dict[HeaderSet, HeaderSet] = {}

    def shape(self, number: int, key: Key, file_class: FileClass) -> Artifact:
        path = self._frame.paths[number]
        headers = choose_headers(self._frame.policy, path, file_class, encoding=self._gathered.encodings.get(number)).headers
        headers = self._tag(headers, number, key, file_class)
        found = self._published.get(number)
        digest, size = (found.digest, found.size) if found else (self._gathered.digests[number], self._frame.files[number].size)
        return Artifact(key, file_class, digest, size, self._headers.setdefault(headers, headers), path)

    def _tag(self, headers: HeaderSet, number: int, key: Key, file_class: FileClass) -> HeaderSet:
        """Error pages stand under any URL, and live shortly."""
        if self._frame.config.invalidation.tags is not Tags.ALWAYS or key in self._frame.policy.error_pages:
            return headers
        loaded = {target for _, target in self._gathered.evidence.edges_of(number)}
        assets = [self._frame.paths[target] for target in loaded if self._verdicts[target].file_class is FileClass.ASSET]
        return tuple(sorted((*headers, *choose_tags(key, file_class, assets, self._frame.target.url_path))))

    def path(self, number: int) -> SourcePath:
        return self._frame.paths[number]


def _shape(number: int, verdict: Verdict, names: Names, shaper: _Shaper) -> Iterator[Artifact]:
    plain = Key(shaper.path(number))
    if verdict.file_class is FileClass.ASSET:
        yield shaper.shape(number, names.keys[number], FileClass.ASSET)
        if verdict.has_alias:
            yield shaper.shape(number, plain, FileClass.ALIAS)
    else:
        yield shaper.shape(number, plain, verdict.file_class)


def _shape_redirects(frame: Frame) -> Iterator[Artifact]:
    for key, page in frame.redirects.items():
        digest = Digest(hashlib.sha256(page.body).hexdigest())
        yield Artifact(key, FileClass.REDIRECT, digest, len(page.body), page.headers)


def _respell(numbers: Mapping[Key, int], gathered: SiteSurvey, shaper: _Shaper) -> Iterator[Artifact]:
    """A name that is asked for in another Unicode form is published in that form too: to S3 these are two keys."""
    for spelling, number in sorted(gathered.evidence.spellings.items()):
        if Key(spelling) not in numbers:
            yield shaper.shape(number, Key(spelling), FileClass.PINNED)


def _tell_respelled(gathered: SiteSurvey) -> Iterator[Warning]:
    for spelling, number in sorted(gathered.evidence.spellings.items()):
        path = gathered.evidence.paths[number]
        yield Warning("unicode-form", f"`{path}` is referred to in another Unicode form; it is published as `{spelling}` too")


def _find_stale(frame: Frame, gathered: SiteSurvey, published: Mapping[int, Published]) -> set[int]:
    """Compressed siblings of files that were edited."""
    numbers = gathered.evidence.numbers
    return {
        number
        for number, path in enumerate(frame.paths)
        if path.endswith(_COMPRESSED) and numbers.get(path.rpartition(".")[0]) in published
    }


def _tell_stale(frame: Frame, left_out: set[int]) -> Iterator[Warning]:
    if left_out:
        named = name_some([frame.paths[number] for number in sorted(left_out)], _MOST_NAMED)
        yield Warning("stale-compressed", f"{named} left out: what they hold in compressed form has references to renamed files")
