"""Where the site's repository is, and what is checked out: by looking at `.git` and asking git itself, twice at most.

Every publish needs this much, so no library is imported for it; local/git.py knows the rest.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from sitepub.core.model import Commit
from sitepub.errors import ConfigurationError

if TYPE_CHECKING:
    import subprocess

FIELDS = "%H%x00%an%x00%ct%x00%s"
"""What `parse_commit` reads, for `--format`."""

# What a hook or a rebase tells git about *its* repository (`git rev-parse --local-env-vars`), which need not be the site's. Settings that
# come by environment stay: CI passes credentials and safe.directory that way.
PLACING = (
    "GIT_DIR",
    "GIT_COMMON_DIR",
    "GIT_WORK_TREE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_GRAFT_FILE",
)

_GITFILE = re.compile(r"gitdir: ([^\n]+)\n*")


class Checkout(Struct, frozen=True):
    """`root`: the work tree; of a bare repository, itself. `git_dir` is this work tree's own, `common_dir` what all of them share."""

    root: Path
    git_dir: Path
    common_dir: Path
    is_bare: bool


def has_git() -> bool:
    import shutil

    return shutil.which("git") is not None


def find_checkout(folder: Path) -> Checkout | None:
    """The work tree, or the bare repository, that `folder` is in, as git finds it."""
    start = Path(os.path.realpath(folder))
    ceilings = {os.path.realpath(each) for each in os.environ.get("GIT_CEILING_DIRECTORIES", "").split(":") if each}
    for place in (start, *start.parents):
        if place != start and str(place) in ceilings:
            return None
        found = _look_at(place)
        if found is not None:
            return found
    return None


def read_head(checkout: Checkout, source: Path | None) -> Commit | None:
    """The commit that is checked out; None before the first one. It `is_dirty` where tracked files outside of `source` have changed:
    a built site that is tracked differs after every build."""
    looked_at = _pathspec(checkout, source)
    options = ("--no-show-signature", "--no-decorate", "--no-color", "--encoding=UTF-8", f"--format={FIELDS}")
    # at the same time: each costs a few milliseconds, and status much more where the tree is large
    with _start(checkout, "log", "-1", *options, "HEAD", "--") as log, _start(checkout, *_ask_state(looked_at)) as state:
        text = _finish(checkout, log)
        branch, is_dirty = _parse_state(_finish(checkout, state, fine=(0, 1)))
    return parse_commit(text, branch=branch or None, is_dirty=is_dirty) if text else None


def parse_commit(text: str, *, branch: str | None = None, is_dirty: bool = False) -> Commit:
    """From one line of `git log --format=FIELDS`. What is in no encoding that git knows loses its odd bytes: a state is UTF-8."""
    legible = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    commit, author, committed_at, subject = legible.removesuffix("\n").split("\0", 3)
    return Commit(commit, branch, subject, author, int(committed_at), is_dirty)


def explain_failure(checkout: Checkout, message: str) -> ConfigurationError:
    """What git said when it failed, with the way out where it is known."""
    if "dubious ownership" in message or "unsafe repository" in message:
        what = f"git does not trust `{checkout.root}`, which belongs to another user"
        return ConfigurationError("untrusted-repository", what, f"run `git config --global --add safe.directory {checkout.root}`")
    first = next((line for line in message.splitlines() if line.strip()), "no reason given").removeprefix("fatal: ")
    return ConfigurationError("git-failed", f"git failed in `{checkout.root}`: {first}", "see what `git status` says there")


def point_to_live(checkout: Checkout, target: str, commit: str) -> str | None:
    """Points `refs/sitepub/TARGET` to what is live. Returns why it could not; a commit that is not here has no reference either."""
    ref = f"refs/sitepub/{target}"
    with _start(checkout, "update-ref", "-m", "sitepub: live", ref, commit) as process:
        _, err = process.communicate()
    message = err.decode("utf-8", "replace").strip()
    return None if process.returncode == 0 or "nonexistent object" in message or "not a valid SHA1" in message else message


def unplaced_environment() -> dict[str, str]:
    """Of this process, without what places another repository."""
    return {name: value for name, value in os.environ.items() if name not in PLACING}


def _look_at(place: Path) -> Checkout | None:
    """None for what may not be looked into, too: git takes that for no repository either."""
    with suppress(PermissionError):
        return _look_into(place)
    return None


def _look_into(place: Path) -> Checkout | None:
    dot_git = place / ".git"
    git_dir = _read_gitfile(dot_git) if dot_git.is_file() else dot_git
    for candidate, is_bare in ((git_dir, False), (place, True)):
        common = _find_common(candidate)
        if (candidate / "HEAD").is_file() and (common / "objects").is_dir() and (common / "refs").is_dir():
            return Checkout(place, candidate, common, is_bare)
    return None


def _read_gitfile(path: Path) -> Path:
    """Work trees and submodules have a file that names the folder."""
    named = _GITFILE.fullmatch(path.read_text("utf-8", "surrogateescape"))
    return Path(os.path.normpath(path.parent / named.group(1))) if named else path


def _find_common(git_dir: Path) -> Path:
    try:
        named = (git_dir / "commondir").read_text("utf-8", "surrogateescape").removesuffix("\n")
    except OSError:
        return git_dir
    return Path(os.path.normpath(git_dir / named))


def _pathspec(checkout: Checkout, source: Path | None) -> tuple[str, ...] | None:
    """What `git status` is to look at; None where that is nothing."""
    if checkout.is_bare:
        return None
    inside = None if source is None else os.path.relpath(os.path.realpath(source), checkout.root)
    if inside == ".":
        return None
    if inside is None or inside == ".." or inside.startswith("../"):
        return ()
    return (":(top)", f":(top,exclude,literal){inside}")


def _ask_state(looked_at: tuple[str, ...] | None) -> tuple[str, ...]:
    if looked_at is None:
        return ("symbolic-ref", "--quiet", "HEAD")
    options = ("--porcelain=v2", "--branch", "-z", "--untracked-files=no", "--ignore-submodules=untracked", "--no-renames")
    return ("status", *options, "--", *looked_at)


def _parse_state(text: str) -> tuple[str, bool]:
    """Branch (empty where HEAD is detached) and whether something changed."""
    if "\0" not in text:
        return text.removesuffix("\n").removeprefix("refs/heads/"), False
    records = text.split("\0")
    branch = next((record.removeprefix("# branch.head ") for record in records if record.startswith("# branch.head ")), "")
    is_dirty = any(record and not record.startswith("# ") for record in records)
    return ("" if branch == "(detached)" else branch), is_dirty


def _start(checkout: Checkout, *arguments: str) -> subprocess.Popen[bytes]:
    import subprocess

    environment = unplaced_environment()
    # status would like to write the index anew; we only look, and another git may be at work
    environment |= {"LC_ALL": "C", "LANGUAGE": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_PAGER": "cat"}
    return subprocess.Popen(
        ["git", *arguments],
        cwd=checkout.root,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _finish(checkout: Checkout, process: subprocess.Popen[bytes], *, fine: tuple[int, ...] = (0,)) -> str:
    out, err = process.communicate()
    message = err.decode("utf-8", "replace")
    if process.returncode not in fine and "bad revision 'HEAD'" not in message:
        raise explain_failure(checkout, message)
    return out.decode("utf-8", "surrogateescape")
