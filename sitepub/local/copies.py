"""Local copies of what the target holds and never changes, named by digest. May be deleted at any time."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from sitepub.core.model import Digest


class LocalCopies:
    """A folder of immutable bytes. Failing to keep a copy costs a request later, nothing else, so it is never an error."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, digest: Digest) -> bytes | None:
        """The bytes of this digest, or None; a damaged copy counts as none."""
        try:
            copied = (self._folder / digest).read_bytes()
        except OSError:
            return None
        return copied if hashlib.sha256(copied).hexdigest() == digest else None

    def keep(self, digest: Digest, content: bytes) -> None:
        import tempfile

        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._folder)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                Path(name).replace(self._folder / digest)
            except OSError:
                Path(name).unlink(missing_ok=True)
        except OSError:
            return

    def forget_all_but(self, digests: set[Digest]) -> None:
        """Copies of other releases are of no more use."""
        try:
            for path in self._folder.iterdir():
                if path.name not in digests:
                    path.unlink(missing_ok=True)
        except OSError:
            return
