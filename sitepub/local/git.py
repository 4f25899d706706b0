"""The history of the site's repository, over GitPython: which of two commits is newer, what is not yet published, where a branch's tip is.

GitPython and git are slow to start, so nothing here is asked where the commit did not change.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from sitepub.core.ancestry import Relation
from sitepub.core.model import Commit, Warning
from sitepub.errors import UsageError
from sitepub.local.checkout import FIELDS, PLACING, Checkout, explain_failure, find_checkout, has_git, parse_commit, read_head

if TYPE_CHECKING:
    from git import Git

    from sitepub.local.lending import Lent

DEEPENINGS = ("--deepen=50", "--deepen=1000", "--unshallow")
"""How much history is fetched at a time, until it tells which commit is newer."""

FETCH_SECONDS = 60
ASK_SECONDS = 20
LIMIT = 1000
"""Commits that `commits_between` tells at most."""

_PLAIN = ("--no-show-signature", "--no-decorate", "--no-color", "--encoding=UTF-8", f"--format={FIELDS}")
_GRACE_SECONDS = 5
_GIVEN_UP = -1
_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_QUIETLY = {"GIT_TERMINAL_PROMPT": "0", "SSH_ASKPASS": "", "SSH_ASKPASS_REQUIRE": "never", "GCM_INTERACTIVE": "never"}


class _Answer(Struct, frozen=True):
    status: int
    out: str
    err: str


def find_repository(folder: Path) -> Repository | None:
    """The repository that `folder` is in; None where there is none, or no git to ask (`explain_missing` tells which)."""
    checkout = find_checkout(folder)
    return None if checkout is None or not has_git() else Repository(checkout)


def explain_missing(folder: Path) -> Warning | None:
    """Where `find_repository` finds nothing although there is a repository."""
    checkout = find_checkout(folder)
    if checkout is None or has_git():
        return None
    return Warning(
        "no-git",
        f"`{checkout.root}` is a git repository, but `git` is not installed: releases name no commit, and the newest can't be told",
    )


class Repository:
    """A repository to ask. Fetches history that is missing, and changes nothing else: no reference, no file, no setting."""

    def __init__(self, checkout: Checkout) -> None:
        self._checkout = checkout

    @property
    def root(self) -> Path:
        return self._checkout.root

    @property
    def is_bare(self) -> bool:
        return self._checkout.is_bare

    @property
    def is_shallow(self) -> bool:
        try:
            return (self._checkout.common_dir / "shallow").stat().st_size > 0
        except OSError:
            return False

    def head(self, source: Path | None = None) -> Commit | None:
        """The commit that is checked out; None before the first one. Raises ConfigurationError `untrusted-repository` or `git-failed`."""
        return read_head(self._checkout, source)

    def export(self, commit: str) -> AbstractContextManager[Path]:
        """The commit's files in a temporary folder. The working tree stays as it is."""
        from sitepub.local.export import export_commit

        return export_commit(self._checkout, commit)

    def lend(self, commit: str, below: str, also: Collection[str]) -> AbstractContextManager[Lent]:
        """As `export`, of a site that is built already: its files come when they are asked for."""
        from sitepub.local.lending import lend_commit

        return lend_commit(self._checkout, commit, below, also)

    def find_blobs(self, root: Path) -> Mapping[str, str]:
        """Git's ids of the unchanged files below `root`, by path from there."""
        from sitepub.local.lending import find_blobs

        return find_blobs(self._checkout, root)

    def holds(self, branch: str, commit: str) -> bool:
        """Whether `commit` is on `branch`, here or as last fetched."""
        answer = self._ask(
            "for-each-ref", f"--contains={commit}", "--format=%(refname)", f"refs/heads/{branch}", f"refs/remotes/*/{branch}"
        )
        return bool(answer.out)

    def find_commit(self, revision: str) -> Commit:
        """Raises UsageError `unknown-commit`."""
        if not revision.startswith("-") and "\0" not in revision:
            found = self._ask("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").out
            if _ID.fullmatch(found):
                return parse_commit(self._ask("log", "-1", *_PLAIN, found, "--").out)
        raise UsageError(
            "unknown-commit", f"`{revision}` names no commit in `{self.root}`", "`git log` shows them; `git fetch` may bring it"
        )

    def read_file(self, commit: str, path: str) -> str | None:
        """A text as it stands in a commit, `path` from its root; None where it has none."""
        answer = self._ask("show", f"{commit}:{path}")
        return answer.out + "\n" if answer.status == 0 else None

    def relation(self, mine: str, live: str, *, may_fetch: bool = True) -> Relation:
        """What `mine` is to `live`, by ancestry; history that is missing is fetched, as much as it takes."""
        if mine == live:
            return Relation.SAME
        if not _ID.fullmatch(mine) or not _ID.fullmatch(live):
            return Relation.UNKNOWN
        found = self._compare(mine, live)
        if found is not None or not may_fetch:
            return found or self._conclude(mine)
        for depth in DEEPENINGS if self.is_shallow else ("",):
            is_fetched = self._fetch(depth, mine, live)
            found = self._compare(mine, live)
            if found is not None or not is_fetched:
                break
        return found or self._conclude(mine)

    def is_tip_of_remote(self, branch: str, commit: str) -> bool:
        """Whether `branch` stands at `commit` at the remote, now; False where the remote can't be asked."""
        remote = self._find_remote(branch)
        if remote is None:
            return False
        answer = self._ask("ls-remote", "--quiet", "--", remote, f"refs/heads/{branch}", seconds=ASK_SECONDS)
        return answer.status == 0 and answer.out.split("\t")[0] == commit

    def counts_as(self, branch: str, head: Commit) -> bool:
        """Whether `head` is on `branch`. A detached HEAD is where it is the branch's tip: here, as last fetched, or at the remote."""
        if head.branch is not None:
            return head.branch == branch
        answer = self._ask(
            "for-each-ref", f"--points-at={head.id}", "--format=%(refname)", f"refs/heads/{branch}", f"refs/remotes/*/{branch}"
        )
        return bool(answer.out) or self.is_tip_of_remote(branch, head.id)

    def commits_between(self, live: str, mine: str) -> tuple[Commit, ...] | None:
        """What `mine` has and `live` has not, newest first; None where the history here does not tell. Fetches nothing."""
        if not _ID.fullmatch(mine) or not _ID.fullmatch(live):
            return None
        if self.is_shallow and not self._holds(live, mine):
            return None
        answer = self._ask("log", f"--max-count={LIMIT}", *_PLAIN, f"{live}..{mine}", "--")
        if answer.status != 0:
            return None
        return tuple(parse_commit(line) for line in answer.out.split("\n") if line)

    def current_branch(self) -> str | None:
        return self._ask("symbolic-ref", "--quiet", "--short", "HEAD").out or None

    def tracking_ref(self, branch: str) -> str:
        """What moves here when `branch` is pushed."""
        told = self._ask("for-each-ref", "--format=%(push)", f"refs/heads/{branch}").out
        return told if told.startswith("refs/remotes/") else f"refs/remotes/{self._find_remote(branch) or 'origin'}/{branch}"

    def _compare(self, mine: str, live: str) -> Relation | None:
        """None where the history here does not tell."""
        if self._holds(live, mine):
            return Relation.NEWER
        if self._holds(mine, live):
            return Relation.OLDER
        return None if self.is_shallow or not self._has(live) else self._conclude(mine)

    def _conclude(self, mine: str) -> Relation:
        """Once nothing more can be learnt: a whole history that does not hold the live commit did not grow from it."""
        return Relation.UNKNOWN if self.is_shallow or not self._has(mine) else Relation.DIVERGED

    def _holds(self, ancestor: str, commit: str) -> bool:
        return self._ask("merge-base", "--is-ancestor", ancestor, commit).status == 0

    def _has(self, commit: str) -> bool:
        return self._ask("cat-file", "-e", f"{commit}^{{commit}}").status == 0

    def _fetch(self, depth: str, *commits: str) -> bool:
        """By name of the commits, which touches no reference; servers that do not know this get asked for the branches."""
        remote = self._find_remote(None)
        if remote is None:
            return False
        options = ["--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", *([depth] if depth else [])]
        # no hooks, ours least of all: a fetch is none of their business
        calm = ("-c", "core.hooksPath=/dev/null", "-c", "gc.auto=0", "-c", "maintenance.auto=false")
        for wanted in (commits, ()):
            answer = self._ask(*calm, "fetch", *options, "--", remote, *wanted, seconds=FETCH_SECONDS)
            if answer.status in (0, _GIVEN_UP):
                return answer.status == 0
        return False

    def _find_remote(self, branch: str | None) -> str | None:
        """The branch's own remote, `origin`, or the only one."""
        names = self._ask("remote").out.split("\n")
        own = self._ask("config", "--get", f"branch.{branch}.remote").out if branch else ""
        if own in names:
            return own or None
        if "origin" in names:
            return "origin"
        return names[0] or None if len(names) == 1 else None

    def _ask(self, *arguments: str, seconds: float | None = None) -> _Answer:
        command = [self._git.GIT_PYTHON_GIT_EXECUTABLE or "git", *arguments]
        # a session of its own has no terminal on which ssh could ask for a password
        # GitPython ends the process when it sees its own wrapper no more used
        wrapper = self._git.execute(command, as_process=True, start_new_session=True)
        with _ended_with_its_group(wrapper.proc) as process:
            try:
                out, err = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                return _Answer(_GIVEN_UP, "", f"no answer within {seconds} seconds")
        answer = _Answer(process.returncode, out.decode("utf-8", "surrogateescape").removesuffix("\n"), err.decode("utf-8", "replace"))
        if "dubious ownership" in answer.err:
            raise explain_failure(self._checkout, answer.err)
        return answer

    @cached_property
    def _git(self) -> Git:
        from git import Git

        git = Git(str(self.root))
        git.update_environment(**_QUIETLY, **_place(self._checkout))
        return git


@contextmanager
def _ended_with_its_group(process: subprocess.Popen[bytes] | None) -> Iterator[subprocess.Popen[bytes]]:
    """Whatever happens, nothing goes on: git itself and what it started are asked to end, so that they take their locks away."""
    if process is None:
        raise AssertionError("git was started, and is no process")
    try:
        yield process
    finally:
        for signum in (signal.SIGTERM, signal.SIGKILL):
            if process.poll() is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signum)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(_GRACE_SECONDS)


def _place(checkout: Checkout) -> dict[str, str]:
    """GitPython can't take variables away, so those that place another repository are made to place this one."""
    places = {
        "GIT_DIR": checkout.git_dir,
        "GIT_COMMON_DIR": checkout.common_dir,
        "GIT_WORK_TREE": checkout.root,
        "GIT_INDEX_FILE": checkout.git_dir / "index",
        "GIT_OBJECT_DIRECTORY": checkout.common_dir / "objects",
        "GIT_SHALLOW_FILE": checkout.common_dir / "shallow",
        "GIT_GRAFT_FILE": checkout.common_dir / "info" / "grafts",
    }
    return {name: str(places.get(name, "")) for name in PLACING if name in os.environ}
