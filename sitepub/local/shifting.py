"""Shifts a batch of source maps to the edited files that they belong to. Runs in any process; knows nothing but its batch."""

from __future__ import annotations

import hashlib
from pathlib import Path

from msgspec import Struct

from sitepub.core.edits import pack_edits, splice, unpack_edits
from sitepub.core.model import Digest, Warning
from sitepub.core.source_maps import shift_source_map
from sitepub.core.verification import Leads, check_bytes
from sitepub.interfaces import SourceFile
from sitepub.local.batches import Answer, answer_all
from sitepub.local.rewriting import Rewritten
from sitepub.local.source import read_file


class ShiftJob(Struct, frozen=True):
    """The map `file` of `code`, which gets `edits`."""

    file: SourceFile
    code: SourceFile
    edits: bytes


class ShiftBatch(Struct, frozen=True):
    root: Path
    jobs: tuple[ShiftJob, ...]


def shift_batch(batch: ShiftBatch) -> Answer[Rewritten]:
    return answer_all(lambda job: _shift_file(batch.root, job), batch.jobs)


def _shift_file(root: Path, job: ShiftJob) -> Rewritten:
    source = read_file(root, job.file)
    edits = shift_source_map(source, read_file(root, job.code), unpack_edits(job.edits))
    warnings: tuple[Warning, ...] = ()
    if edits is None:
        message = f"`{job.file.path}` is no source map that can follow its file; its columns in `{job.code.path}` are as before"
        warnings = (Warning("source-map-as-before", message),)
    output = splice(source, edits or ())
    check_bytes(source, output, edits or (), job.file.path)
    return Rewritten(job.file.path, Digest(hashlib.sha256(output).hexdigest()), len(output), pack_edits(edits or ()), Leads(), warnings)
