"""Digests of a batch of files, and nothing else of them. Runs in any process; knows nothing but its batch."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from sitepub.core.model import Digest
from sitepub.interfaces import SourceFile
from sitepub.local.batches import Answer, answer_all
from sitepub.local.source import digest_file


class DigestBatch(Struct, frozen=True):
    root: Path
    files: tuple[SourceFile, ...]


def digest_batch(batch: DigestBatch) -> Answer[tuple[SourceFile, Digest]]:
    return answer_all(lambda file: (file, digest_file(batch.root, file)), batch.files)
