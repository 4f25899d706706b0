"""Does to one file what fingerprinting does, with a digest of the test's choice."""

from __future__ import annotations

from sitepub.core.references.model import Scan, Use


def insert(body: bytes, scan: Scan, digest: bytes = b".3f9ac2d1") -> bytes:
    """`body` with `digest` at the dot of everything that is loaded."""
    dots = [reference.dot for reference in scan.references if reference.use in (Use.LOAD, Use.MODULE) and reference.dot >= 0]
    pieces = [body[begin:end] for begin, end in zip([0, *dots], [*dots, len(body)])]
    return digest.join(pieces)
