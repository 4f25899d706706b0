"""Reads a batch of files: the digest of each, and what it says about other files. Runs in any process; knows nothing but its batch."""

from __future__ import annotations

import hashlib
from pathlib import Path

from msgspec import Struct

from sitepub.core.model import Digest, SourcePath
from sitepub.core.pointers import LARGEST_POINTER, is_pointer
from sitepub.core.references import Language, scan
from sitepub.core.survey import Resolver, Survey, survey
from sitepub.core.survey_text import encode_survey
from sitepub.core.urls import SiteUrls
from sitepub.interfaces import SourceFile
from sitepub.local.batches import Answer, answer_all
from sitepub.local.source import digest_file, read_file


class SurveyJob(Struct, frozen=True):
    """`language` None: a leaf. `known`: the digest of what was surveyed before under this path; its survey holds if that is unchanged."""

    file: SourceFile
    language: Language | None
    known: Digest | None = None


class SurveyBatch(Struct, frozen=True):
    """`home`: where the site itself stands, of a preview; `links`: what readers follow matters too; `maps`: modules are to be named by import maps."""

    root: Path
    site: SiteUrls
    home: SiteUrls | None
    links: bool
    maps: bool
    jobs: tuple[SurveyJob, ...]


class Surveyed(Struct, frozen=True):
    """`survey` is encoded; None for a leaf that is no pointer of Git LFS, and where `is_known`."""

    path: SourcePath
    digest: Digest
    survey: bytes | None
    is_known: bool = False


def survey_batch(batch: SurveyBatch) -> Answer[Surveyed]:
    resolver = Resolver(batch.site, batch.home)
    return answer_all(lambda job: _survey_file(batch, job, resolver), batch.jobs)


def _survey_file(batch: SurveyBatch, job: SurveyJob, resolver: Resolver) -> Surveyed:
    path = job.file.path
    if job.language is None and job.file.size > LARGEST_POINTER:
        return Surveyed(path, digest_file(batch.root, job.file), None)
    body = read_file(batch.root, job.file)
    digest = Digest(hashlib.sha256(body).hexdigest())
    if digest == job.known:
        return Surveyed(path, digest, None, is_known=True)
    if is_pointer(body):
        return Surveyed(path, digest, encode_survey(Survey(is_pointer=True)))
    if job.language is None:
        return Surveyed(path, digest, None)
    scanned = scan(job.language, body, links=batch.links)
    found = survey(scanned, page=path, language=job.language, body=body, resolver=resolver, needs_map_place=batch.maps)
    return Surveyed(path, digest, encode_survey(found))
