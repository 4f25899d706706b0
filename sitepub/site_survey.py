"""The first map and the reduce behind it: every file is read at most once, and what it says about others becomes evidence."""

from __future__ import annotations

import time
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice

from msgspec import Struct, field

from sitepub.core.evidence import Evidence, Trait
from sitepub.core.file_index import FileIndex
from sitepub.core.frozen import carries_own_digest
from sitepub.core.import_maps import MapForm
from sitepub.core.leaving import Leaving
from sitepub.core.model import Digest, SourcePath
from sitepub.core.names import find_own_circles
from sitepub.core.references import Language, language_of, may_hold_digests
from sitepub.core.survey import Survey
from sitepub.core.survey_text import decode_survey
from sitepub.interfaces import SourceFile
from sitepub.local.batches import make_batches, run_batches
from sitepub.local.cache import KnownFile
from sitepub.local.surveying import SurveyBatch, Surveyed, SurveyJob, survey_batch
from sitepub.site_frame import Frame
from sitepub.site_guards import find_guarded

_ASKED_AT_ONCE = 1000
_LARGEST_DATA = 8 * 1024 * 1024
"""Larger files of data are not looked through for digests: what holds a build's digests is small, what holds a search index is not."""


class SiteSurvey(Struct):
    """What is kept of all surveys, by number of file. Everything that only few files have stands in a dictionary."""

    evidence: Evidence
    digests: list[Digest]
    counts: array[int]
    frozen: dict[int, str]
    languages: dict[int, Language]
    problems: dict[int, str]
    integrities: dict[int, tuple[tuple[int, int, str], ...]] = field(default_factory=dict)
    revisions: dict[int, tuple[tuple[int, int, str], ...]] = field(default_factory=dict)
    named_digests: dict[str, int] = field(default_factory=dict)
    policies: dict[str, int] = field(default_factory=dict)
    with_policy: set[int] = field(default_factory=set)
    encodings: dict[int, str] = field(default_factory=dict)
    source_maps: dict[int, str] = field(default_factory=dict)
    map_places: dict[int, tuple[int, MapForm]] = field(default_factory=dict)
    notes: dict[int, tuple[str, ...]] = field(default_factory=dict)
    unsteady: dict[int, tuple[int, str]] = field(default_factory=dict)
    leaving: dict[int, tuple[Leaving, ...]] = field(default_factory=dict)
    pointers: list[int] = field(default_factory=list)


def survey_site(frame: Frame) -> SiteSurvey:
    """What all files say of each other. Where that forbids to edit some, it is gathered once more, from the cache, with these left whole."""
    frame.progress.stage("scanning", total_files=len(frame.files), total_bytes=sum(file.size for file in frame.files))
    gathered = _gather(frame)
    guarded = find_guarded(frame, gathered.evidence, gathered.languages, gathered.named_digests, gathered.policies)
    own = find_own_circles(gathered.digests, gathered.evidence, frame.read)
    return _gather(frame, own, guarded) if own or guarded else gathered


def each_survey(frame: Frame, languages: dict[int, Language]) -> Iterator[tuple[int, Survey]]:
    """Every text file's survey, from the cache or made anew, in no particular order."""
    for number, _, encoded in _find_surveys(frame, languages, sorted(languages)):
        if encoded is not None:
            yield number, decode_survey(encoded)


def _gather(frame: Frame, own: Collection[int] = (), guarded: Mapping[int, str] | None = None) -> SiteSurvey:
    """`own` and `guarded`: files that must not be edited, for reasons that only all surveys together tell."""
    index = FileIndex([*frame.paths, *(SourcePath(key) for key in frame.redirects)])
    gathered = SiteSurvey(
        evidence=Evidence(frame.paths, index, has_maps=frame.maps),
        digests=[Digest("")] * len(frame.paths),
        counts=array("I", bytes(4 * len(frame.paths))),
        frozen=dict.fromkeys(own, "its name holds the digest of its circle already") | _find_frozen(frame),
        languages={number: language for number, file in enumerate(frame.files) if (language := choose_language(file)) is not None},
        problems=dict(guarded or {}),
    )
    _survey(frame, gathered, range(len(frame.files)))
    named = [number for number in range(len(frame.files)) if _is_other_manifest(number, gathered)]
    gathered.languages.update(dict.fromkeys(named, Language.WEB_MANIFEST))
    _survey(frame, gathered, named)
    gathered.evidence.settle()
    frame.cache.flush()
    return gathered


def choose_language(file: SourceFile) -> Language | None:
    """None for a file that says nothing of others, as far as anybody looks."""
    language = language_of(file.path)
    if language is None and file.size <= _LARGEST_DATA and may_hold_digests(file.path):
        return Language.DATA
    return language


def _find_frozen(frame: Frame) -> dict[int, str]:
    return {number: frame.frozen[path] for number, path in enumerate(frame.paths) if path in frame.frozen}


def _survey(frame: Frame, gathered: SiteSurvey, numbers: Iterable[int]) -> None:
    for number, digest, encoded in _find_surveys(frame, gathered.languages, numbers):
        gathered.digests[number] = digest
        if carries_own_digest(frame.paths[number], digest):
            gathered.frozen.setdefault(number, "its name holds the digest of its content already")
        if encoded is not None:
            _keep(gathered, number, decode_survey(encoded))


def _find_surveys(frame: Frame, languages: dict[int, Language], numbers: Iterable[int]) -> Iterator[tuple[int, Digest, bytes | None]]:
    """(number, digest, encoded survey): known ones first, then those that have to be made."""
    context = frame.context
    read_at = time.time_ns()
    unknown: list[SurveyJob] = []
    places: dict[SourcePath, int] = {}
    for number, known in _find_known(frame, languages, numbers):
        file = frame.files[number]
        language = languages.get(number)
        if known is not None and known.is_current:
            frame.progress.advance(files=1, bytes=file.size)
            yield number, known.digest, known.survey
        else:
            unknown.append(SurveyJob(file, language, known.digest if known and language else None))
            places[file.path] = number
    frame.bring(job.file for job in unknown)
    batches = make_batches(unknown, _size)
    del unknown
    for found in run_batches(
        frame.executor, survey_batch, (SurveyBatch(frame.root, frame.urls, frame.home, frame.links, frame.maps, jobs) for jobs in batches)
    ):
        number = places[found.path]
        file, language = frame.files[number], languages.get(number)
        encoded = _recall(frame, found, file, language) if found.is_known else found.survey
        frame.cache.keep_file(context, file, name_language(language), found.digest, encoded, read_at=read_at)
        frame.progress.advance(files=1, bytes=file.size)
        yield number, found.digest, encoded


def _find_known(frame: Frame, languages: dict[int, Language], numbers: Iterable[int]) -> Iterator[tuple[int, KnownFile | None]]:
    """What the cache knows of each file, asked for by the thousand."""
    left = iter(numbers)
    while some := list(islice(left, _ASKED_AT_ONCE)):
        files = [frame.files[number] for number in some]
        yield from zip(some, frame.cache.find_files(frame.context, files, [name_language(languages.get(number)) for number in some]))


def _recall(frame: Frame, found: Surveyed, file: SourceFile, language: Language | None) -> bytes | None:
    known = frame.cache.find_file(frame.context, file, name_language(language))
    return known.survey if known else None


def _keep(gathered: SiteSurvey, number: int, survey: Survey) -> None:
    gathered.evidence.add(number, survey, is_left_whole=number in gathered.frozen or number in gathered.problems)
    gathered.counts[number] = survey.count
    if survey.integrities:
        gathered.integrities[number] = survey.integrities
    if survey.revisions:
        gathered.revisions[number] = survey.revisions
    if survey.has_policy:
        gathered.with_policy.add(number)
    if survey.map_place is not None:
        gathered.map_places[number] = survey.map_place
    if survey.encoding is not None and survey.encoding != "utf-8":
        gathered.encodings[number] = survey.encoding
    if survey.source_map is not None:
        gathered.source_maps[number] = survey.source_map
    if survey.problem is not None:
        gathered.problems[number] = survey.problem
    for found, known in ((survey.digests, gathered.named_digests), (survey.policies, gathered.policies)):
        for digest in found:
            known[digest] = min(number, known.get(digest, number))
    if survey.notes:
        gathered.notes[number] = survey.notes
    if survey.unsteady is not None:
        gathered.unsteady[number] = survey.unsteady
    if survey.leaving:
        gathered.leaving[number] = survey.leaving
    if survey.is_pointer:
        gathered.pointers.append(number)


def _is_other_manifest(number: int, gathered: SiteSurvey) -> bool:
    """A web app manifest that only a page knows as one."""
    return gathered.languages.get(number, Language.DATA) is Language.DATA and gathered.evidence.has(number, Trait.WEB_MANIFEST)


def name_language(language: Language | None) -> str:
    return language.value if language else ""


def _size(job: SurveyJob) -> int:
    return job.file.size
