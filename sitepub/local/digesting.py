"""Digests of a batch of files, and nothing else of them. Runs in any process; knows nothing but its batch."""

from __future__ import annotations

import hashlib
from pathlib import Path

from msgspec import Struct

from sitepub.core.model import Digest, SourcePath
from sitepub.interfaces import SourceFile
from sitepub.local.batches import Answer, answer_all
from sitepub.local.source import digest_file, read_file

SMALL = 1024 * 1024


class DigestBatch(Struct, frozen=True):
    root: Path
    files: tuple[SourceFile, ...]


def digest_batch(batch: DigestBatch) -> Answer[tuple[SourcePath, Digest]]:
    return answer_all(lambda file: (file.path, _digest(batch.root, file)), batch.files)


def _digest(root: Path, file: SourceFile) -> Digest:
    """A small file takes fewer calls to the system when it is read at once."""
    return Digest(hashlib.sha256(read_file(root, file)).hexdigest()) if file.size <= SMALL else digest_file(root, file)
