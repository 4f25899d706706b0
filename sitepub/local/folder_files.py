"""Whole files: hashed, checked while they are read, and drafted in a corner of the folder before they get their names."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sitepub.core.model import Digest
from sitepub.errors import StoppedError

_CHUNK: Final = 1024 * 1024
_ABANDONED_SECONDS: Final = 3600.0


def hash_file(path: Path) -> tuple[str, int] | None:
    """SHA-256 and size; None where no file stands."""
    hasher, size = hashlib.sha256(), 0
    try:
        with path.open("rb", buffering=0) as file:
            while chunk := file.read(_CHUNK):
                hasher.update(chunk)
                size += len(chunk)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    return hasher.hexdigest(), size


def read_checked(path: Path, digest: Digest) -> Iterator[bytes]:
    """The file's bytes; other bytes than promised are an error after the last of them, so that what was written is thrown away."""
    hasher = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(_CHUNK):
            hasher.update(chunk)
            yield chunk
    if hasher.hexdigest() != digest:
        raise StoppedError("file-changed", f"`{path}` changed while it was being read", "publish again when the build is done")


def write_draft(folder: Path, chunks: Iterator[bytes], *, is_durable: bool) -> Path:
    """A new file with a name of its own in `folder`; nothing stays of one that fails."""
    path = folder / secrets.token_hex(16)
    try:
        # not `tempfile`, which takes reading away from everybody else: the umask decides, as for any file the user makes
        with path.open("xb") as file:
            for chunk in chunks:
                file.write(chunk)
            if is_durable:
                file.flush()
                os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def remove_abandoned_drafts(folder: Path) -> None:
    """Takes away what a killed process left; younger ones may belong to one that is at work."""
    with contextlib.suppress(OSError), os.scandir(folder) as scan:
        for entry in scan:
            if time.time() - entry.stat(follow_symlinks=False).st_mtime > _ABANDONED_SECONDS:
                Path(entry.path).unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """So that the name survives as well as the bytes; some file systems have no such thing."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
