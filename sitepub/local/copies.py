"""Local copies of what the target holds and never changes, named by digest. May be deleted at any time."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from sitepub.core.model import Digest
from sitepub.local.whole import write_whole

MOST_BYTES = 64 << 20
"""Beside what a run has used itself: of a large site that is more."""

LOOKS = 16
"""How often the room is measured while as much is kept as there is room for."""


class LocalCopies:
    """A folder of immutable bytes. Failing to keep a copy costs a request later, nothing else, so it is never an error."""

    def __init__(self, folder: Path, *, most_bytes: int = MOST_BYTES) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._used: set[str] = set()
        self._unmeasured = most_bytes

    def read(self, digest: Digest) -> bytes | None:
        """The bytes of this digest, or None; a damaged copy counts as none."""
        path = self._folder / digest
        try:
            copied = path.read_bytes()
        except OSError:
            return None
        if hashlib.sha256(copied).hexdigest() != digest:
            return None
        self._used.add(digest)
        with suppress(OSError):
            os.utime(path)
        return copied

    def keep(self, digest: Digest, content: bytes) -> None:
        with suppress(OSError):
            write_whole(self._folder / digest, content)
            self._used.add(digest)
            self._unmeasured += len(content)
            if self._unmeasured * LOOKS >= self._most_bytes:
                self._unmeasured = 0
                self._make_room()

    def _make_room(self) -> None:
        """What was used longest ago goes first; one that is needed again costs a request, and is the newest then."""
        found = [(path, path.stat()) for path in self._folder.iterdir() if path.name not in self._used]
        over = sum(stat.st_size for _, stat in found) - self._most_bytes
        for path, stat in sorted(found, key=lambda each: each[1].st_mtime_ns):
            if over <= 0:
                return
            path.unlink(missing_ok=True)
            over -= stat.st_size
