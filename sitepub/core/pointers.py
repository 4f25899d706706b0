"""What Git LFS leaves in the place of a file that it has not brought. Pure."""

from __future__ import annotations

POINTER_OPENING = b"version https://git-lfs.github.com/spec/v1\n"
LARGEST_POINTER = 1024
"""Bytes (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md)."""


def is_pointer(body: bytes) -> bool:
    """`body`: all of a file, or its first LARGEST_POINTER + 1 bytes."""
    return len(body) <= LARGEST_POINTER and body.startswith(POINTER_OPENING)
