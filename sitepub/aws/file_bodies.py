"""Files as bodies: how much of one is held in memory, and what is said when it is no longer what was scanned."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from sitepub.core.model import Digest
from sitepub.errors import StoppedError
from sitepub.interfaces import FileBody

PART_BYTES: Final = 8 * 1024 * 1024
"""Larger ones go in parts of this size."""


def read_small(body: FileBody, digest: Digest) -> bytes:
    """All of it. Raises StoppedError `file-changed` where it is not that any more."""
    try:
        content = body.path.read_bytes()
    except OSError as failure:
        raise explain_changed(body.path) from failure
    if hashlib.sha256(content).hexdigest() != digest:
        raise explain_changed(body.path)
    return content


def explain_changed(path: Path) -> StoppedError:
    return StoppedError("file-changed", f"`{path}` changed while it was being read", "publish again when the build is done")
