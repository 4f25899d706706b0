"""Where the keys of a folder store stand on disk, and which files are keys. Looks, never writes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from sitepub.core.model import Key
from sitepub.errors import RefusedError

RECORDS = ".sitepub"
"""The one folder of a target that no visitor reaches."""

_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f]")
_DOT_SEGMENTS = frozenset(("", ".", ".."))


def check_key(key: str) -> None:
    """A key that would leave the folder, or that no folder can hold, is refused."""
    if _FORBIDDEN.search(key):
        raise RefusedError("bad-key", f"`{key!r}` holds a control character", "rename the file in the source")
    if not _DOT_SEGMENTS.isdisjoint(key.split("/")):
        raise RefusedError("bad-key", f"`{key}` is no path inside a folder", "rename the file in the source")


def choose_drafts(root: Path) -> str:
    """Where files are made before they get their names: on the same disk, and out of reach. `root` may be the folder of records itself."""
    return "tmp/" if root.name == RECORDS else f"{RECORDS}/tmp/"


def find_keys(root: Path, prefix: str) -> Iterator[tuple[Key, os.DirEntry[str]]]:
    """Regular files whose keys start with `prefix`, in byte order. Links to folders are not followed, so that a circle of them ends."""
    yield from _walk(root, "", prefix, choose_drafts(root))


def _walk(folder: Path | str, above: str, prefix: str, drafts: str) -> Iterator[tuple[Key, os.DirEntry[str]]]:
    try:
        with os.scandir(folder) as scan:
            entries = [(above + _sort_name(entry), entry) for entry in scan if _is_utf8(entry.name)]
    except (FileNotFoundError, NotADirectoryError):
        return
    for name, entry in sorted(entries, key=lambda pair: pair[0].encode()):
        if name.endswith("/"):
            if name != drafts and (name.startswith(prefix) or prefix.startswith(name)):
                yield from _walk(entry.path, name, prefix, drafts)
        elif name.startswith(prefix) and entry.is_file():
            yield Key(name), entry


def _sort_name(entry: os.DirEntry[str]) -> str:
    """A folder sorts as its keys do: `a/b` stands after `a.b`."""
    return f"{entry.name}/" if entry.is_dir(follow_symlinks=False) else entry.name


def _is_utf8(name: str) -> bool:
    """Other names can't be keys, so nothing of ours stands there."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
