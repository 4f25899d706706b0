"""What git says of a run: guarded branches, dirty trees, newest wins. Real git, real clones."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sitepub.core.model import Commit
from sitepub.core.settings import Config, FolderAddress, Target
from sitepub.decision import Permits
from sitepub.errors import HeldError, RefusedError
from sitepub.history import History, read_history
from sitepub.local.git import find_repository


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def make_repository(folder: Path) -> Path:
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    git(folder, "config", "user.name", "Ada")
    git(folder, "config", "user.email", "ada@example.org")
    return folder


def make_commit(folder: Path, name: str) -> Commit:
    (folder / f"{name}.md").write_text(name)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", f"write {name}")
    return head(folder)


def head(folder: Path) -> Commit:
    found = read_history(*config_for(folder, None), Permits()).commit
    assert found is not None
    return found


def config_for(folder: Path, branch: str | None) -> tuple[Config, Target]:
    target = Target("local", FolderAddress(folder / "_published"), branch=branch)
    return Config(folder / "sitepub.yaml", folder / "public", {"local": target}), target


def history(folder: Path, commit: Commit, *, branch: str | None = None, permits: Permits | None = None) -> History:
    return History(find_repository(folder), commit, branch, permits or Permits())


def test_a_detached_head_counts_as_the_branch_if_it_is_its_tip(tmp_path: Path) -> None:
    origin = make_repository(tmp_path / "origin")
    make_commit(origin, "one")
    tip = make_commit(origin, "two")
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{origin}", "ci")
    ci = tmp_path / "ci"
    git(ci, "checkout", "-q", "--detach", tip.id)
    commit = read_history(*config_for(ci, "main"), Permits()).commit
    assert commit is not None
    assert commit.branch == "main"
    git(origin, "switch", "-q", "-c", "side")
    side = make_commit(origin, "three")
    git(ci, "fetch", "-q", "origin", side.id)
    git(ci, "checkout", "-q", "--detach", side.id)
    with pytest.raises(RefusedError) as caught:
        read_history(*config_for(ci, "main"), Permits())
    assert caught.value.code == "wrong-branch"


def test_another_branch_and_a_dirty_tree_are_refused_where_a_branch_guards_the_target(tmp_path: Path) -> None:
    folder = make_repository(tmp_path / "r")
    make_commit(folder, "one")
    (folder / "one.md").write_text("changed")
    with pytest.raises(RefusedError) as caught:
        read_history(*config_for(folder, "main"), Permits())
    assert caught.value.code == "dirty-tree"
    assert read_history(*config_for(folder, "main"), Permits(dirty=True)).commit is not None
    assert read_history(*config_for(folder, None), Permits()).commit is not None
    with pytest.raises(RefusedError) as caught:
        read_history(*config_for(folder, "live"), Permits(dirty=True))
    assert caught.value.code == "wrong-branch"
    assert "`main`" in caught.value.message


def test_an_older_commit_never_replaces_a_newer_one(tmp_path: Path) -> None:
    folder = make_repository(tmp_path / "r")
    one = make_commit(folder, "one")
    two = make_commit(folder, "two")
    assert history(folder, two).judge(one) == ()
    with pytest.raises(HeldError) as caught:
        history(folder, one).judge(two)
    assert caught.value.code == "newer-is-live"
    history(folder, one, permits=Permits(older=True)).judge(two)
    git(folder, "switch", "-q", "-c", "side", one.id)
    three = make_commit(folder, "three")
    with pytest.raises(RefusedError) as refused:
        history(folder, three).judge(two)
    assert refused.value.code == "diverged"
    history(folder, three, permits=Permits(diverged=True)).judge(two)


def test_a_rewritten_history_is_published_if_it_is_the_tip_of_the_remotes_branch(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "origin.git")
    folder = make_repository(tmp_path / "r")
    git(folder, "remote", "add", "origin", str(tmp_path / "origin.git"))
    make_commit(folder, "one")
    two = make_commit(folder, "two")
    git(folder, "commit", "-q", "--amend", "-m", "write two better")
    amended = head(folder)
    with pytest.raises(RefusedError):
        history(folder, amended, branch="main").judge(two)
    git(folder, "push", "-q", "origin", "main")
    history(folder, amended, branch="main").judge(two)


@pytest.mark.parametrize("guarded", ["main", None])
def test_commits_that_a_force_push_dropped_are_not_newer(tmp_path: Path, guarded: str | None) -> None:
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "origin.git")
    folder = make_repository(tmp_path / "r")
    git(folder, "remote", "add", "origin", str(tmp_path / "origin.git"))
    one = make_commit(folder, "one")
    two = make_commit(folder, "two")
    git(folder, "push", "-q", "origin", "main")
    with pytest.raises(HeldError):
        history(folder, one, branch=guarded).judge(two)
    git(folder, "push", "-q", "--force", "origin", f"{one.id}:main")
    history(folder, one, branch=guarded).judge(two)


def test_the_tip_of_a_branch_that_the_live_commit_has_merged_is_old(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "origin.git")
    folder = make_repository(tmp_path / "r")
    git(folder, "remote", "add", "origin", str(tmp_path / "origin.git"))
    make_commit(folder, "one")
    git(folder, "switch", "-q", "-c", "side")
    side = make_commit(folder, "two")
    git(folder, "switch", "-q", "main")
    git(folder, "merge", "-q", "--no-ff", "side")
    merged = head(folder)
    git(folder, "push", "-q", "origin", "main", "side")
    with pytest.raises(HeldError):
        history(folder, side).judge(merged)


def test_where_history_cannot_be_had_dates_decide_and_it_says_so(tmp_path: Path) -> None:
    origin = make_repository(tmp_path / "origin")
    one = make_commit(origin, "one")
    make_commit(origin, "two")
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{origin}", "ci")
    origin.rename(tmp_path / "moved")
    warnings = history(tmp_path / "ci", head(tmp_path / "ci")).judge(one)
    assert [warning.code for warning in warnings] == ["order-by-date"]
