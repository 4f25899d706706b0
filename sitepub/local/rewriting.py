"""Rewrites a batch of files and verifies each one, scanned again as a whole. Runs in any process; knows nothing but its batch."""

from __future__ import annotations

import hashlib
from pathlib import Path

from msgspec import Struct

from sitepub.core.edits import Edit, pack_edits, splice, unpack_edits
from sitepub.core.integrity import Change, find_integrity_edits, find_policy_edits
from sitepub.core.model import Digest, SourcePath, Warning
from sitepub.core.references import Language, scan
from sitepub.core.survey import Resolver
from sitepub.core.urls import SiteUrls
from sitepub.core.verification import Leads, verify
from sitepub.errors import StoppedError
from sitepub.interfaces import SourceFile
from sitepub.local.batches import Answer, answer_all
from sitepub.local.source import read_file


class Guard(Struct, frozen=True):
    """An `integrity` value at `start` to `end`, and what became of the file that it guards."""

    start: int
    end: int
    path: str
    change: Change


class RewriteJob(Struct, frozen=True):
    """`digest` is of the source as surveyed, `edits` are packed, `count` is the number of references to find afterwards."""

    file: SourceFile
    language: Language
    digest: Digest
    edits: bytes
    count: int
    has_policy: bool = False
    guards: tuple[Guard, ...] = ()


class RewriteBatch(Struct, frozen=True):
    root: Path
    site: SiteUrls
    links: bool
    jobs: tuple[RewriteJob, ...]


class Rewritten(Struct, frozen=True):
    """`edits`: all of them, packed, where more followed from those asked for. `leads`: where its references lead."""

    path: SourcePath
    digest: Digest
    size: int
    edits: bytes | None
    leads: Leads
    warnings: tuple[Warning, ...] = ()


def rewrite_batch(batch: RewriteBatch) -> Answer[Rewritten]:
    resolver = Resolver(batch.site)
    return answer_all(lambda job: _rewrite_file(batch, job, resolver), batch.jobs)


def _rewrite_file(batch: RewriteBatch, job: RewriteJob, resolver: Resolver) -> Rewritten:
    path = job.file.path
    source = read_file(batch.root, job.file)
    if hashlib.sha256(source).hexdigest() != job.digest:
        raise changed_while_read(path)
    edits = unpack_edits(job.edits)
    following, warnings = _find_following(job, source, edits)
    edits = tuple(sorted((*edits, *following), key=lambda edit: edit.at))
    output = splice(source, edits)
    leads = _verify(batch, job, source, output, edits, resolver) if edits else Leads()
    digest = Digest(hashlib.sha256(output).hexdigest())
    return Rewritten(path, digest, len(output), pack_edits(edits) if following else None, leads, warnings)


def _verify(batch: RewriteBatch, job: RewriteJob, source: bytes, output: bytes, edits: tuple[Edit, ...], resolver: Resolver) -> Leads:
    found = scan(job.language, output, links=batch.links)
    return verify(source, output, edits, found, count=job.count, page=job.file.path, language=job.language, resolver=resolver)


def changed_while_read(path: SourcePath) -> StoppedError:
    return StoppedError(
        "source-changed", f"`{path}` changed while it was being published", "wait for the build to finish, then run it again"
    )


def _find_following(job: RewriteJob, source: bytes, edits: tuple[Edit, ...]) -> tuple[list[Edit], tuple[Warning, ...]]:
    """What must change because names did."""
    following: list[Edit] = []
    warnings = []
    for guard in job.guards:
        found = find_integrity_edits(source[guard.start : guard.end], guard.start, guard.change)
        following += found or []
        if found is None:
            line = source.count(b"\n", 0, guard.start) + 1
            message = f"`{job.file.path}` line {line} has an `integrity` that `{guard.path}` does not match; browsers refuse the file"
            warnings.append(Warning("integrity-mismatch", message))
    if job.has_policy and edits:
        scanned = scan(job.language, source)
        following += find_policy_edits(source, edits, scanned.inline, scanned.policy_hashes)
    return following, tuple(warnings)
