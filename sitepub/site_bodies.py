"""Bodies of a site's artifacts, made again from its source as they are asked for. Reads the source; writes nothing."""

from __future__ import annotations

import hashlib
from pathlib import Path

from msgspec import Struct

from sitepub.core.edits import Edit, splice
from sitepub.core.model import Artifact, Digest, SourcePath
from sitepub.interfaces import Body, FileBody, Source, SourceFile
from sitepub.local.rewriting import changed_while_read
from sitepub.local.source import read_file

LARGE = 32 * 1024 * 1024
"""A body above this many bytes is never loaded whole, unless it is text that refers to others."""


class Recipe(Struct, frozen=True):
    """How to make a body again: a source file with edits, or bytes that stand in no file (redirects)."""

    source: SourcePath | None
    edits: tuple[Edit, ...] = ()
    literal: bytes | None = None


def make_body(root: Path, file: SourceFile | None, recipe: Recipe, *, digest: Digest) -> bytes:
    """The bytes of an artifact, made again. Raises StoppedError `source-changed` where they are no longer what was planned."""
    if recipe.literal is not None:
        return recipe.literal
    if file is None:
        raise ValueError("a recipe from a file without the file")
    body = splice(read_file(root, file), recipe.edits)
    if hashlib.sha256(body).hexdigest() != digest:
        raise changed_while_read(file.path)
    return body


def supply_body(source: Source, file: SourceFile | None, recipe: Recipe, artifact: Artifact) -> Body:
    """As make_body, but a large file that is published as it is stays on disk."""
    if file is not None:
        source.bring((file,))
    if file is not None and not recipe.edits and artifact.size > LARGE:
        return FileBody(source.root / file.path, artifact.size, artifact.body)
    return make_body(source.root, file, recipe, digest=artifact.body)
