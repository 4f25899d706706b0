"""Exports a commit into a folder of its own, through an index of its own: the working tree and its index stay as they are.

`git checkout-index` gives files as a checkout would (filters and line ends applied), with what `export-ignore` keeps out of archives.
"""

from __future__ import annotations

import errno
import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from sitepub.core.paths import show_path
from sitepub.core.pointers import LARGEST_POINTER, is_pointer
from sitepub.errors import ConfigurationError, RefusedError, join_problems
from sitepub.local.checkout import Checkout, explain_failure, unplaced_environment

_SUBMODULE = "160000"
_MOST_NAMED = 10
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


@contextmanager
def export_commit(checkout: Checkout, commit: str) -> Iterator[Path]:
    """The commit's files in a temporary folder, gone afterwards. `commit` is a full id. Raises RefusedError for submodules and for files
    of which git has only Git LFS pointers here."""
    refuse_submodules(checkout, commit)
    with temporary_folder() as folder:
        exported = folder / "tree"
        exported.mkdir()
        # a work tree of its own: bare repositories have none, and attributes that are being edited are not the commit's
        index = {"GIT_INDEX_FILE": str(folder / "index"), "GIT_WORK_TREE": str(exported)}
        run_git(checkout, "read-tree", commit, environment=index)
        run_git(checkout, "checkout-index", "--all", "--force", environment=index)
        refuse_pointers(exported)
        yield exported


def refuse_submodules(checkout: Checkout, commit: str) -> None:
    submodules = [path for mode, path in _list_tree(checkout, commit) if mode == _SUBMODULE]
    if submodules:
        problems = [f"`{show_path(path)}` is a submodule, whose files are not in the commit" for path in submodules[:_MOST_NAMED]]
        raise join_problems("submodule", problems, RefusedError, "check the commit out with its submodules, and publish without `--ref`")


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Raises ConfigurationError where it can't be made or written. Whatever else its user meets with is none of its business."""
    made = None
    try:
        with tempfile.TemporaryDirectory(prefix="sitepub-export-") as made:
            yield Path(made)
    except OSError as error:
        if made is not None and error.errno not in _FULL and not str(error.filename or "").startswith(made):
            raise
        message = f"a temporary folder can't be written: {error.strerror or error}"
        raise ConfigurationError("no-temporary-space", message, "free some space, or set TMPDIR to a folder that has some") from error


def _list_tree(checkout: Checkout, commit: str) -> Iterator[tuple[str, str]]:
    for line in run_git(checkout, "ls-tree", "-r", "-z", "--full-tree", commit).split("\0"):
        if line:
            meta, _, path = line.partition("\t")
            yield meta.split()[0], path


def refuse_pointers(exported: Path) -> None:
    refuse_named_pointers(str(path.relative_to(exported)) for path in _each_file(exported) if holds_pointer(path))


def refuse_named_pointers(pointers: Iterable[str]) -> None:
    named = [f"`{path}` is only a Git LFS pointer here" for path in sorted(pointers)[:_MOST_NAMED]]
    if named:
        raise join_problems("lfs-pointer", named, RefusedError, "install Git LFS and run `git lfs fetch --all`")


def _each_file(exported: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(exported):
        yield from (path for name in names if not (path := Path(folder) / name).is_symlink())


def holds_pointer(path: Path) -> bool:
    with path.open("rb") as file:
        return is_pointer(file.read(LARGEST_POINTER + 1))


def run_git(
    checkout: Checkout, *words: str, environment: Mapping[str, str] | None = None, lines: Sequence[str] = (), folder: Path | None = None
) -> str:
    """What git answers. `lines` are what it reads, each ended by NUL; `folder`: where it runs and finds the repository by itself. Raises ConfigurationError."""
    done = subprocess.run(
        ["git", *([] if folder else [f"--git-dir={checkout.git_dir}"]), *words],
        cwd=folder or checkout.root,
        env={**unplaced_environment(), "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", **(environment or {})},
        input="".join(f"{line}\0" for line in lines).encode("utf-8", "surrogateescape"),
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        raise explain_failure(checkout, done.stderr.decode("utf-8", "replace"))
    return done.stdout.decode("utf-8", "surrogateescape")
