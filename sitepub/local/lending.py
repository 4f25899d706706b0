"""A commit whose built site is not exported as a whole: its files stand there empty until they are asked for, and git's object ids say which need not be.

A file that git would convert on the way out (Git LFS, line ends, `ident`, encodings) is exported at once and has no id here: there the id does not tell the content.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from sitepub.core.formats import BUNDLER_MANIFESTS
from sitepub.core.paths import HOST_FILES, looks_like_secret
from sitepub.interfaces import SourceFile
from sitepub.local.checkout import Checkout
from sitepub.local.export import holds_pointer, refuse_named_pointers, refuse_pointers, refuse_submodules, run_git, temporary_folder
from sitepub.local.source import FolderSource

_PLAIN_MODES = ("100644", "100755")
_CONVERTING = ("filter", "ident", "eol", "working-tree-encoding")
_UNCONVERTED = ("unspecified", "unset", "lf")
_READ_AT_ONCE = frozenset((*(Path(name).name for name in BUNDLER_MANIFESTS), *HOST_FILES))
"""Small files that are evidence or settings: they are read whatever changed."""


class Lent(Struct, frozen=True):
    """`root`: the temporary work tree; `below`: the built site in it, with a slash at its end ('' for all of it); `blobs`: object ids of the files that are
    lent, by their path below that."""

    checkout: Checkout
    root: Path
    index: Path
    below: str
    blobs: Mapping[str, str]
    _mutex: threading.Lock = field(default_factory=threading.Lock)
    _brought: set[str] = field(default_factory=set)

    def bring(self, files: Iterable[SourceFile]) -> None:
        """Exports those that are not there yet, as a checkout would. Safe from many threads."""
        with self._mutex:
            missing = [file.path for file in files if file.is_lent and file.path not in self._brought]
            if not missing:
                return
            _check_out(self.checkout, self.index, self.root, [self.below + path for path in missing])
            self._brought.update(missing)
        refuse_named_pointers(self.below + path for path in missing if holds_pointer(self.root / self.below / path))


class LentSource(FolderSource, frozen=True):
    """Implements Source. Files come when they are asked for."""

    lent: Lent | None = None

    def bring(self, files: Iterable[SourceFile]) -> None:
        if self.lent is not None:
            self.lent.bring(files)


@contextmanager
def lend_commit(checkout: Checkout, commit: str, below: str, also: Collection[str]) -> Iterator[Lent]:
    """`below`: the built site in the commit; `also`: files beside it that are needed. Raises as `export_commit` does."""
    refuse_submodules(checkout, commit)
    with temporary_folder() as folder:
        root, index = folder / "tree", folder / "index"
        root.mkdir()
        run_git(checkout, "read-tree", commit, environment={"GIT_INDEX_FILE": str(index)})
        entries = [entry for entry in _list(checkout, commit) if entry.path.startswith(below) or entry.path in also]
        converted = find_converted(checkout, {"GIT_INDEX_FILE": str(index)}, [entry.path for entry in entries])
        lent = [entry for entry in entries if entry.path.startswith(below) and entry.may_wait and entry.path not in converted]
        waiting = {entry.path for entry in lent}
        _check_out(checkout, index, root, [entry.path for entry in entries if entry.path not in waiting])
        refuse_pointers(root)
        for entry in lent:
            _lay(root / entry.path, entry.size)
        yield Lent(checkout, root, index, below, {entry.path.removeprefix(below): entry.blob for entry in lent})


def with_blobs(source: FolderSource, blobs: Mapping[str, str]) -> FolderSource:
    """The same source, its files with the object ids that are known of them."""
    return replace(source, files=tuple(file._replace(blob=blobs.get(file.path, "")) for file in source.files))


def borrow(source: FolderSource, lent: Lent) -> LentSource:
    """The source as it was scanned in a lent commit."""
    files = tuple(file._replace(blob=lent.blobs.get(file.path, ""), is_lent=file.path in lent.blobs) for file in source.files)
    return LentSource(source.root, files, source.warnings, lent)


def find_blobs(checkout: Checkout, root: Path) -> Mapping[str, str]:
    """Object ids of the files below `root` that are tracked and, as git's index says, unchanged, by path from there. Reads no file."""
    tracked = {path: blob for path, blob in _list_index(checkout, root) if blob}
    if not tracked:
        return {}
    changed = frozenset(_ask_at(checkout, root, "diff-files", "--name-only", "--relative", "-z", "--", ".").split("\0"))
    converted = find_converted(checkout, {}, list(tracked), folder=root)
    return {path: blob for path, blob in tracked.items() if path not in changed and path not in converted}


def find_converted(
    checkout: Checkout, environment: Mapping[str, str], paths: Sequence[str], *, folder: Path | None = None
) -> frozenset[str]:
    """Files that may stand in a work tree with other bytes than their blobs have."""
    for setting, plain in (("core.autocrlf", ("", "false", "input")), ("core.eol", ("", "lf", "native"))):
        if _ask_setting(checkout, setting) not in plain:
            return frozenset(paths)
    words = ("check-attr", *(["--cached"] if environment else []), "-z", "--stdin", *_CONVERTING)
    told = run_git(checkout, *words, environment=environment, lines=paths, folder=folder).split("\0")
    return frozenset(path for path, value in zip(told[::3], told[2::3]) if value not in _UNCONVERTED)


class _Entry(Struct, frozen=True):
    mode: str
    blob: str
    size: int
    path: str

    @property
    def may_wait(self) -> bool:
        name = self.path.rpartition("/")[2]
        return self.mode in _PLAIN_MODES and name not in _READ_AT_ONCE and not looks_like_secret(self.path)


def _list(checkout: Checkout, commit: str) -> Iterator[_Entry]:
    for line in run_git(checkout, "ls-tree", "-r", "-l", "-z", "--full-tree", commit).split("\0"):
        if line:
            meta, _, path = line.partition("\t")
            mode, _, blob, size = meta.split()
            yield _Entry(mode, blob, int(size), path)


def _list_index(checkout: Checkout, root: Path) -> Iterator[tuple[str, str]]:
    """Of files that nobody told git to take for unchanged (`H`), outside of merges."""
    for line in _ask_at(checkout, root, "ls-files", "-v", "-s", "-z", "--", ".").split("\0"):
        meta, _, path = line.partition("\t")
        match meta.split():
            case ["H", mode, blob, "0"] if mode in _PLAIN_MODES:
                yield path, blob


def _lay(path: Path, size: int) -> None:
    """As large as the file, without its bytes; its time says that it is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(size)
    os.utime(path, ns=(0, 0))


def _check_out(checkout: Checkout, index: Path, root: Path, paths: Sequence[str]) -> None:
    environment = {"GIT_INDEX_FILE": str(index), "GIT_WORK_TREE": str(root)}
    run_git(checkout, "checkout-index", "--force", "-z", "--stdin", environment=environment, lines=paths)


def _ask_setting(checkout: Checkout, name: str) -> str:
    return run_git(checkout, "config", "--default", "", "--get", name).strip().lower()


def _ask_at(checkout: Checkout, folder: Path, *words: str) -> str:
    return run_git(checkout, *words, environment={"GIT_OPTIONAL_LOCKS": "0"}, folder=folder)
