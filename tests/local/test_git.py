"""Real repositories: what is checked out, which commit is newer, and what happens where history is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sitepub.core.ancestry import Relation
from sitepub.core.model import Commit
from sitepub.errors import ConfigurationError, UsageError
from sitepub.local import git as history
from sitepub.local.git import Repository, explain_missing, find_repository
from tests.local.test_source import as_nobody

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

DATE = 1_700_000_000


class Tree:
    """A work tree to commit in; each commit is a minute younger than the one before."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.minute = 0

    def run(self, *arguments: str, **environment: str) -> str:
        dates = {"GIT_AUTHOR_DATE": f"{DATE + 60 * self.minute} +0000", "GIT_COMMITTER_DATE": f"{DATE + 60 * self.minute} +0000"}
        command = ["git", "-C", str(self.root), *arguments]
        return subprocess.run(command, env=os.environ | dates | environment, capture_output=True, text=True, check=True).stdout.strip()

    def commit(self, subject: str, **files: str) -> str:
        self.minute += 1
        for name, text in (files or {"page": subject}).items():
            path = self.root / f"{name}.html"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.run("add", "--all")
        self.run("commit", "--quiet", "--allow-empty", "-m", subject)
        return self.run("rev-parse", "HEAD")

    @property
    def repository(self) -> Repository:
        found = find_repository(self.root)
        assert found is not None
        return found


def create(folder: Path, *options: str) -> Tree:
    subprocess.run(["git", "init", "--quiet", *options, str(folder)], check=True, capture_output=True)
    return Tree(folder)


def clone(origin: Path, folder: Path, *options: str) -> Tree:
    subprocess.run(["git", "clone", "--quiet", *options, origin.as_uri(), str(folder)], check=True, capture_output=True)
    return Tree(folder)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return create(tmp_path / "site")


@pytest.fixture
def origin(tmp_path: Path) -> Tree:
    """What CI clones from: a repository with a history."""
    return create(tmp_path / "origin")


def head(tree: Tree, source: Path | None = None) -> Commit:
    found = tree.repository.head(source)
    assert found is not None
    return found


# ---- finding it


def test_no_repository(tmp_path: Path) -> None:
    assert find_repository(tmp_path) is None
    (tmp_path / ".git").mkdir()
    assert find_repository(tmp_path) is None
    assert explain_missing(tmp_path) is None


def test_it_is_found_from_a_folder_below_and_through_a_link(tree: Tree, tmp_path: Path) -> None:
    tree.commit("first", **{"a/b/c": "x"})
    (tmp_path / "link").symlink_to(tree.root / "a/b")
    for folder in (tree.root / "a/b", tmp_path / "link", tree.root / "not/there/yet"):
        found = find_repository(folder)
        assert found is not None and found.root == tree.root.resolve()


def test_nothing_is_looked_for_above_a_ceiling(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    (tree.root / "a").mkdir()
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", f"/nowhere:{tree.root}")
    assert find_repository(tree.root / "a") is None
    assert find_repository(tree.root) is not None


def test_a_repository_that_may_not_be_looked_into_is_none() -> None:
    """To git as well."""
    with tempfile.TemporaryDirectory(prefix="sitepub-test-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        create(folder)
        (folder / ".git").chmod(0o000)
        assert as_nobody(lambda: str(find_repository(folder))) == "None"
        (folder / ".git").chmod(0o755)


def test_without_git_there_is_a_warning(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    assert explain_missing(tree.root) is None
    monkeypatch.setenv("PATH", "/nowhere")
    assert find_repository(tree.root) is None
    warning = explain_missing(tree.root)
    assert warning is not None and warning.code == "no-git"
    assert explain_missing(tree.root.parent) is None


def test_another_repository_in_the_environment_is_not_asked(tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a hook: git sets these for its own repository."""
    first, second = tree.commit("first"), tree.commit("second")
    other = create(tmp_path / "other")
    other.commit("elsewhere")
    places = {"GIT_DIR": ".git", "GIT_WORK_TREE": ".", "GIT_INDEX_FILE": ".git/index", "GIT_OBJECT_DIRECTORY": ".git/objects"}
    for name, place in places.items():
        monkeypatch.setenv(name, str(other.root / place))
    monkeypatch.setenv("GIT_COMMON_DIR", str(other.root / ".git"))
    monkeypatch.setenv("GIT_PREFIX", "")
    monkeypatch.setenv("GIT_NAMESPACE", "other")
    repository = find_repository(tree.root)
    assert repository is not None
    found = repository.head()
    assert found is not None and (found.id, found.is_dirty) == (second, False)
    assert repository.relation(second, first) is Relation.NEWER
    assert repository.counts_as("main", Commit(second, None, "", "", 0))


def test_a_repository_of_somebody_else_is_told_with_the_way_out(tree: Tree) -> None:
    tree.commit("first")
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    shutil.chown(tree.root, 65534)
    shutil.chown(tree.root / ".git", 65534)
    repository = find_repository(tree.root)
    assert repository is not None
    for ask in (repository.head, lambda: repository.relation("1" * 40, "2" * 40)):
        with pytest.raises(ConfigurationError) as caught:
            ask()
        assert caught.value.code == "untrusted-repository"
        assert caught.value.hint == f"run `git config --global --add safe.directory {tree.root}`"
    subprocess.run(["git", "config", "--global", "--add", "safe.directory", str(tree.root)], check=True)
    assert repository.head() is not None


def test_a_damaged_repository_is_told(tree: Tree) -> None:
    tree.commit("first")
    (tree.root / ".git/config").write_text("[broken")
    with pytest.raises(ConfigurationError, match="bad config line") as caught:
        tree.repository.head()
    assert caught.value.code == "git-failed"


# ---- what is checked out


def test_the_commit_that_is_checked_out(tree: Tree) -> None:
    commit = tree.commit('Größe: "quotes", 日本\n\nand a body')
    assert head(tree) == Commit(commit, "main", 'Größe: "quotes", 日本', "Test", DATE + 60)
    tree.run("pack-refs", "--all")
    tree.run("gc", "--quiet")
    assert head(tree).id == commit


def test_a_subject_in_another_encoding(tree: Tree) -> None:
    tree.run("config", "i18n.commitEncoding", "ISO-8859-1")
    (tree.root / "message").write_bytes("Größe".encode("latin-1"))
    tree.run("commit", "--quiet", "--allow-empty", "-F", "message")
    assert head(tree).subject == "Größe"


def test_a_subject_in_no_encoding_is_told_as_far_as_it_is_text(tree: Tree) -> None:
    message = tree.root / "message"
    message.write_bytes(b"caf\xe9 \xe4")
    tree.run("-c", "i18n.commitEncoding=x-nonsense", "commit", "--quiet", "--allow-empty", "-F", "message")
    assert head(tree).subject == "caf\ufffd \ufffd"
    assert tree.repository.find_commit("HEAD").subject == head(tree).subject


def test_configuration_does_not_change_what_is_read(tree: Tree) -> None:
    commit = tree.commit("first")
    for setting in (
        "log.showSignature=true",
        "log.decorate=full",
        "color.ui=always",
        "status.branch=true",
        "status.short=true",
        "core.pager=false",
    ):
        tree.run("config", *setting.split("="))
    assert (head(tree).id, head(tree).subject, head(tree).branch) == (commit, "first", "main")


def test_a_signature_is_not_mixed_into_what_is_read(tree: Tree, tmp_path: Path) -> None:
    tree.commit("first")
    header, _, message = tree.run("cat-file", "commit", "HEAD").partition("\n\n")
    (tmp_path / "signed").write_text(
        f"{header}\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n iQ==\n -----END PGP SIGNATURE-----\n\n{message}\n"
    )
    signed = tree.run("hash-object", "-t", "commit", "-w", str(tmp_path / "signed"))
    tree.run("update-ref", "HEAD", signed)
    (tmp_path / "gpg").write_text("#!/bin/sh\necho bad signature >&2\nexit 1\n")
    (tmp_path / "gpg").chmod(0o755)
    tree.run("config", "log.showSignature", "true")
    tree.run("config", "gpg.program", str(tmp_path / "gpg"))
    assert "bad signature" in tree.run("log", "-1")
    assert (head(tree).id, head(tree).subject) == (signed, "first")
    assert tree.repository.find_commit("HEAD").id == signed


def test_before_the_first_commit(tree: Tree) -> None:
    assert tree.repository.head() is None
    assert tree.repository.head(tree.root) is None


@pytest.mark.parametrize("branch", ["main", "feature/größe", "a-b.c", "HEAD-2"])
def test_the_branch(tree: Tree, branch: str) -> None:
    tree.commit("first")
    tree.run("checkout", "--quiet", "-B", branch)
    assert head(tree).branch == branch
    assert head(tree, tree.root).branch == branch


def test_a_detached_head_has_no_branch(tree: Tree) -> None:
    first = tree.commit("first")
    tree.commit("second")
    tree.run("checkout", "--quiet", "--detach", "HEAD~1")
    assert (head(tree).id, head(tree).branch) == (first, None)
    assert head(tree, tree.root).branch is None


def test_a_tag_of_the_branch_s_name_changes_nothing(tree: Tree) -> None:
    tree.commit("first")
    tree.run("tag", "main")
    second = tree.commit("second")
    assert (head(tree).id, head(tree).branch) == (second, "main")
    assert head(tree, tree.root).branch == "main"


def test_a_linked_work_tree(tree: Tree, tmp_path: Path) -> None:
    first = tree.commit("first")
    tree.run("worktree", "add", "--quiet", "-b", "other", str(tmp_path / "linked"))
    linked = Tree(tmp_path / "linked")
    assert (head(linked).id, head(linked).branch) == (first, "other")
    second = linked.commit("second")
    assert linked.repository.relation(second, head(tree).id) is Relation.NEWER
    assert linked.repository.root == linked.root.resolve()


def test_a_submodule_is_a_repository_of_its_own(tree: Tree, origin: Tree) -> None:
    theme = origin.commit("theme")
    tree.commit("first")
    tree.run("submodule", "--quiet", "add", origin.root.as_uri(), "themes/plain")
    tree.commit("second")
    inside = Tree(tree.root / "themes/plain")
    assert inside.repository.root == inside.root.resolve()
    assert head(inside).id == theme
    assert not head(tree).is_dirty
    (inside.root / "untracked").touch()
    assert not head(tree).is_dirty
    (inside.root / "page.html").write_text("edited")
    assert head(tree).is_dirty


def test_a_bare_repository(tree: Tree, tmp_path: Path) -> None:
    commit = tree.commit("first")
    bare = clone(tree.root, tmp_path / "bare.git", "--bare")
    assert bare.repository.is_bare and not tree.repository.is_bare
    assert head(bare) == Commit(commit, "main", "first", "Test", DATE + 60)
    assert create(tmp_path / "empty.git", "--bare").repository.head() is None


def test_a_repository_of_sha_256(tmp_path: Path) -> None:
    tree = create(tmp_path / "site", "--object-format=sha256")
    first, second = tree.commit("first"), tree.commit("second")
    assert len(head(tree).id) == 64
    assert tree.repository.relation(second, first) is Relation.NEWER


# ---- dirty


def test_tracked_changes_outside_the_source_are_dirt(tree: Tree) -> None:
    tree.commit("first", **{"content/page": "a", "public/index": "b", "public-2/x": "c"})
    source = tree.root / "public"
    assert not head(tree, source).is_dirty
    (tree.root / "untracked.txt").touch()
    (source / "index.html").write_text("built")
    assert not head(tree, source).is_dirty
    assert head(tree).is_dirty
    (tree.root / "public-2/x.html").write_text("edited")
    assert head(tree, source).is_dirty
    tree.run("checkout", "--quiet", "public-2")
    assert not head(tree, source).is_dirty


@pytest.mark.parametrize("change", ["staged", "deleted", "staged new", "renamed", "mode"])
def test_every_change_to_a_tracked_file_is_dirt(tree: Tree, change: str) -> None:
    tree.commit("first", **{"content/page": "a", "public/index": "b"})
    page = tree.root / "content/page.html"
    if change == "staged":
        page.write_text("edited")
        tree.run("add", "--all")
    elif change == "deleted":
        page.unlink()
    elif change == "staged new":
        (tree.root / "new.html").touch()
        tree.run("add", "--all")
    elif change == "renamed":
        tree.run("mv", "content/page.html", "content/other.html")
    else:
        page.chmod(0o755)
    assert head(tree, tree.root / "public").is_dirty


def test_a_source_with_the_characters_of_a_pattern(tree: Tree) -> None:
    tree.commit("first", **{"pub[l]*/index": "a", "publ/index": "b"})
    (tree.root / "publ/index.html").write_text("edited")
    assert head(tree, tree.root / "pub[l]*").is_dirty
    assert not head(tree, tree.root / "publ").is_dirty


def test_a_source_elsewhere_hides_no_dirt(tree: Tree, tmp_path: Path) -> None:
    tree.commit("first")
    (tree.root / "page.html").write_text("edited")
    assert head(tree, tmp_path / "elsewhere").is_dirty
    assert head(tree, tree.root.parent / "site-2").is_dirty


def test_dirt_is_seen_from_a_folder_below(tree: Tree) -> None:
    tree.commit("first", **{"site/public/index": "a", "other": "b"})
    (tree.root / "other.html").write_text("edited")
    repository = find_repository(tree.root / "site")
    assert repository is not None
    found = repository.head(tree.root / "site/public")
    assert found is not None and found.is_dirty


def test_looking_does_not_write_the_index(tree: Tree) -> None:
    tree.commit("first")
    os.utime(tree.root / "page.html", (1, 1))
    before = (tree.root / ".git/index").read_bytes()
    assert not head(tree).is_dirty
    assert (tree.root / ".git/index").read_bytes() == before


# ---- which is newer


def test_ancestry_in_a_whole_history(tree: Tree) -> None:
    first, second, third = (tree.commit(subject) for subject in ("first", "second", "third"))
    repository = tree.repository
    assert repository.relation(first, first) is Relation.SAME
    assert repository.relation(third, first) is Relation.NEWER
    assert repository.relation(first, third) is Relation.OLDER
    tree.run("checkout", "--quiet", "-b", "other", second)
    side = tree.commit("side")
    assert repository.relation(side, third) is Relation.DIVERGED
    assert repository.relation(side, second) is Relation.NEWER
    tree.run("merge", "--quiet", "-m", "merge", third, "-X", "ours")
    merged = tree.run("rev-parse", "HEAD")
    assert [repository.relation(merged, each) for each in (first, third, side)] == [Relation.NEWER] * 3
    assert repository.relation(side, merged) is Relation.OLDER


def test_dates_do_not_count_where_ancestry_is_known(tree: Tree) -> None:
    tree.minute = 100
    first = tree.commit("first")
    tree.minute = 0
    second = tree.commit("second")
    assert tree.repository.relation(second, first) is Relation.NEWER


def test_histories_without_a_common_commit_diverged(tree: Tree) -> None:
    first = tree.commit("first")
    tree.run("checkout", "--quiet", "--orphan", "pages")
    assert tree.repository.relation(tree.commit("other"), first) is Relation.DIVERGED


def test_a_live_commit_that_nobody_here_knows_diverged(tree: Tree) -> None:
    """The history here is whole: the live commit is not in it, so it may not be replaced unasked."""
    commit = tree.commit("first")
    assert tree.repository.relation(commit, "1" * 40) is Relation.DIVERGED


def test_a_commit_of_ours_that_is_not_here_is_unknown(tree: Tree) -> None:
    commit = tree.commit("first")
    assert tree.repository.relation("1" * 40, commit) is Relation.UNKNOWN


@pytest.mark.parametrize("odd", ["", "HEAD", "--output=x", "main", "1" * 39, "G" * 40])
def test_what_is_no_commit_id_is_never_handed_to_git(tree: Tree, odd: str) -> None:
    commit = tree.commit("first")
    assert tree.repository.relation(commit, odd) is Relation.UNKNOWN
    assert tree.repository.relation(odd, commit) is Relation.UNKNOWN
    assert tree.repository.commits_between(odd, commit) is None
    assert not (tree.root / "x").exists()


def test_a_live_commit_that_was_pushed_meanwhile_is_fetched(origin: Tree, tmp_path: Path) -> None:
    first = origin.commit("first")
    mine = clone(origin.root, tmp_path / "mine")
    second = origin.commit("second")
    before = mine.run("for-each-ref")
    assert mine.repository.relation(first, second, may_fetch=False) is Relation.DIVERGED
    assert mine.repository.relation(first, second) is Relation.OLDER
    assert mine.run("for-each-ref") == before
    assert not (mine.root / ".git/FETCH_HEAD").exists()


# ---- shallow clones, as CI makes them


@pytest.fixture
def long_origin(origin: Tree) -> Tree:
    """Sixty commits, by one process."""
    each = "commit refs/heads/main\ncommitter Test <test@example.com> {} +0000\ndata 1\nx\nM 644 inline page.html\ndata 2\n{:02}\n"
    stream = "".join(each.format(DATE + 60 * number, number) for number in range(60))
    subprocess.run(["git", "-C", str(origin.root), "fast-import", "--quiet"], input=stream, text=True, check=True)
    origin.run("reset", "--quiet", "--hard")
    origin.minute = 60
    return origin


def ids(tree: Tree) -> list[str]:
    """Newest first."""
    return tree.run("rev-list", "--first-parent", "main").split()


def check_out(origin: Tree, folder: Path, commit: str) -> Tree:
    """As CI does: this very commit, nothing before it, detached."""
    tree = create(folder)
    tree.run("remote", "add", "origin", origin.root.as_uri())
    tree.run("fetch", "--quiet", "--no-tags", "--depth=1", "origin", commit)
    tree.run("checkout", "--quiet", "--detach", commit)
    return tree


@pytest.mark.parametrize("distance", [1, 3, 55])
def test_a_shallow_clone_is_deepened_until_it_knows_that_it_is_newer(long_origin: Tree, tmp_path: Path, distance: int) -> None:
    commits = ids(long_origin)
    ci = check_out(long_origin, tmp_path / "ci", commits[0])
    assert ci.repository.is_shallow
    assert ci.repository.relation(commits[0], commits[distance], may_fetch=False) is Relation.UNKNOWN
    assert ci.repository.relation(commits[0], commits[distance]) is Relation.NEWER


@pytest.mark.parametrize("distance", [1, 3, 55])
def test_a_shallow_clone_is_deepened_until_it_knows_that_it_is_older(long_origin: Tree, tmp_path: Path, distance: int) -> None:
    commits = ids(long_origin)
    ci = check_out(long_origin, tmp_path / "ci", commits[distance])
    assert ci.repository.relation(commits[distance], commits[0]) is Relation.OLDER


def test_no_more_is_fetched_than_it_takes(long_origin: Tree, tmp_path: Path) -> None:
    commits = ids(long_origin)
    ci = check_out(long_origin, tmp_path / "ci", commits[0])
    assert ci.repository.relation(commits[0], commits[3]) is Relation.NEWER
    assert ci.repository.is_shallow
    assert int(ci.run("rev-list", "--count", "HEAD")) == 51


def test_a_shallow_clone_of_diverged_histories_is_made_whole(long_origin: Tree, tmp_path: Path) -> None:
    commits = ids(long_origin)
    long_origin.run("checkout", "--quiet", "-b", "side", commits[58])
    side = long_origin.commit("side")
    ci = check_out(long_origin, tmp_path / "ci", commits[0])
    assert ci.repository.relation(commits[0], side) is Relation.DIVERGED
    assert not ci.repository.is_shallow


def test_a_shallow_clone_of_a_merge(origin: Tree, tmp_path: Path) -> None:
    origin.commit("first")
    origin.run("checkout", "--quiet", "-b", "feature")
    feature = origin.commit("feature", feature="x")
    origin.run("checkout", "--quiet", "main")
    origin.commit("second")
    origin.run("merge", "--quiet", "--no-ff", "-m", "merge", "feature")
    merge = origin.run("rev-parse", "HEAD")
    ci = check_out(origin, tmp_path / "ci", merge)
    assert ci.repository.relation(merge, feature) is Relation.NEWER


@pytest.mark.parametrize("depth", [(), ("--depth=1",)], ids=["whole", "shallow"])
def test_a_server_that_gives_no_commits_by_name_is_asked_for_branches(origin: Tree, tmp_path: Path, depth: tuple[str, ...]) -> None:
    first = origin.commit("first")
    ci = clone(origin.root, tmp_path / "ci", *depth)
    second, third = origin.commit("second"), origin.commit("third")
    ci.run("config", "protocol.version", "0")
    assert ci.repository.relation(first, second) is Relation.OLDER
    assert ci.repository.relation(third, first) is Relation.NEWER


def test_a_shallow_clone_without_its_remote_does_not_know(origin: Tree, tmp_path: Path) -> None:
    origin.commit("first")
    second = origin.commit("second")
    first = origin.run("rev-parse", "HEAD~1")
    ci = clone(origin.root, tmp_path / "ci", "--depth=1")
    origin.root.rename(tmp_path / "gone")
    assert ci.repository.relation(second, first) is Relation.UNKNOWN
    ci.run("remote", "remove", "origin")
    assert ci.repository.relation(second, first) is Relation.UNKNOWN


def test_a_remote_that_never_answers_is_given_up(origin: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    origin.commit("first")
    second = origin.commit("second")
    ci = clone(origin.root, tmp_path / "ci", "--depth=1")
    stuck = tmp_path / "stuck"
    stuck.write_text(f"#!/bin/sh\necho called >> {tmp_path}/calls\nsleep 600\n")
    stuck.chmod(0o755)
    ci.run("config", "remote.origin.uploadpack", str(stuck))
    monkeypatch.setattr(history, "FETCH_SECONDS", 0.5)
    monkeypatch.setattr(history, "ASK_SECONDS", 0.5)
    assert ci.repository.relation(second, "1" * 40) is Relation.UNKNOWN
    assert (tmp_path / "calls").read_text() == "called\n"
    assert not ci.repository.is_tip_of_remote("main", second)
    assert ends(stuck), "what git had started was told to end with it"


def test_a_fetch_that_is_given_up_leaves_no_lock(origin: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server tells the new boundary, for which git locks the file of boundaries, and sends nothing more."""
    first, second = origin.commit("first"), origin.commit("second")
    ci = clone(origin.root, tmp_path / "ci", "--depth=1")
    slow = tmp_path / "slow"
    slow.write_text('#!/bin/sh\ngit-upload-pack "$@" | (dd bs=1 count=400 2>/dev/null; exec sleep 600)\n')
    slow.chmod(0o755)
    ci.run("config", "remote.origin.uploadpack", str(slow))
    monkeypatch.setattr(history, "FETCH_SECONDS", 1)
    assert ci.repository.relation(second, first) is Relation.UNKNOWN
    assert not list((ci.root / ".git").rglob("*.lock"))
    ci.run("config", "--unset", "remote.origin.uploadpack")
    monkeypatch.setattr(history, "FETCH_SECONDS", 60)
    assert ci.repository.relation(second, first) is Relation.NEWER


def ends(program: Path) -> bool:
    """Within seconds: a process that was told to end takes its time on a busy machine."""
    for _ in range(100):
        if not is_running(program):
            return True
        time.sleep(0.1)
    return False


def is_running(program: Path) -> bool:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended meanwhile
            if str(program).encode() in path.read_bytes():
                return True
    return False


def test_fetching_runs_no_hooks(origin: Tree, tmp_path: Path) -> None:
    first = origin.commit("first")
    mine = clone(origin.root, tmp_path / "mine")
    hook = mine.root / ".git/hooks/reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ntouch ran\n")
    hook.chmod(0o755)
    mine.run("config", "protocol.version", "0")
    assert mine.repository.relation(first, origin.commit("second")) is Relation.OLDER
    assert not list(mine.root.rglob("ran"))


# ---- the remote's branch


def test_the_tip_of_the_remote_s_branch(origin: Tree, tmp_path: Path) -> None:
    first = origin.commit("first")
    mine = clone(origin.root, tmp_path / "mine")
    assert mine.repository.is_tip_of_remote("main", first)
    second = origin.commit("second")
    assert not mine.repository.is_tip_of_remote("main", first)
    assert mine.repository.is_tip_of_remote("main", second)
    assert not mine.repository.is_tip_of_remote("other", second)
    assert not mine.repository.is_tip_of_remote("in", second)
    origin.run("branch", "a/main", first)
    origin.run("tag", "other", first)
    assert mine.repository.is_tip_of_remote("main", second)
    assert not mine.repository.is_tip_of_remote("other", first)


def test_the_branch_s_own_remote_is_asked(origin: Tree, tmp_path: Path) -> None:
    first = origin.commit("first")
    mine = clone(origin.root, tmp_path / "mine", "--origin", "upstream")
    assert mine.repository.is_tip_of_remote("main", first)
    fork = clone(origin.root, tmp_path / "fork")
    second = fork.commit("second")
    mine.run("remote", "add", "origin", fork.root.as_uri())
    assert mine.repository.is_tip_of_remote("main", first)
    mine.run("config", "branch.main.remote", "origin")
    assert mine.repository.is_tip_of_remote("main", second)


def test_without_a_remote_nothing_is_its_tip(tree: Tree) -> None:
    commit = tree.commit("first")
    assert not tree.repository.is_tip_of_remote("main", commit)


def test_rewritten_history_is_diverged_and_the_tip(origin: Tree, tmp_path: Path) -> None:
    origin.commit("first")
    live = origin.commit("second")
    mine = clone(origin.root, tmp_path / "mine")
    origin.run("commit", "--quiet", "--amend", "-m", "second, rewritten")
    rewritten = origin.run("rev-parse", "HEAD")
    mine.run("fetch", "--quiet")
    mine.run("reset", "--quiet", "--hard", "origin/main")
    assert mine.repository.relation(rewritten, live) is Relation.DIVERGED
    assert mine.repository.is_tip_of_remote("main", rewritten)


def test_a_detached_head_counts_as_the_branch_whose_tip_it_is(origin: Tree, tmp_path: Path) -> None:
    first = origin.commit("first")
    ci = check_out(origin, tmp_path / "ci", first)
    assert head(ci).branch is None
    assert ci.repository.counts_as("main", head(ci))
    assert not ci.repository.counts_as("other", head(ci))
    origin.commit("second")
    assert not ci.repository.counts_as("main", head(ci))


def test_a_detached_head_counts_by_what_was_fetched_last_where_the_remote_is_silent(origin: Tree, tmp_path: Path) -> None:
    origin.commit("first")
    ci = clone(origin.root, tmp_path / "ci")
    ci.run("checkout", "--quiet", "--detach")
    ci.run("branch", "--quiet", "-D", "main")
    origin.root.rename(tmp_path / "gone")
    assert ci.repository.counts_as("main", head(ci))
    assert not ci.repository.counts_as("ain", head(ci))


def test_a_branch_counts_as_itself_alone(tree: Tree) -> None:
    tree.commit("first")
    tree.run("checkout", "--quiet", "-b", "feature")
    assert tree.repository.counts_as("feature", head(tree))
    assert not tree.repository.counts_as("main", head(tree))


# ---- what is not yet published, and commits by name


def test_commits_that_are_not_yet_published(tree: Tree) -> None:
    first = tree.commit("first")
    second, third = tree.commit("second"), tree.commit("third")
    assert tree.repository.commits_between(first, third) == (
        Commit(third, None, "third", "Test", DATE + 180),
        Commit(second, None, "second", "Test", DATE + 120),
    )
    assert tree.repository.commits_between(third, third) == ()
    assert tree.repository.commits_between(third, first) == ()
    assert tree.repository.commits_between("1" * 40, third) is None


def test_a_commit_without_a_subject(tree: Tree) -> None:
    first = tree.commit("first")
    tree.run("commit", "--quiet", "--allow-empty", "--allow-empty-message", "-m", "")
    second = tree.run("rev-parse", "HEAD")
    tree.commit("third")
    assert head(tree).subject == "third"
    between = tree.repository.commits_between(first, head(tree).id)
    assert between is not None and [(each.id, each.subject) for each in between][1:] == [(second, "")]


def test_a_shallow_clone_does_not_know_what_is_unpublished(origin: Tree, tmp_path: Path) -> None:
    first, second = origin.commit("first"), origin.commit("second")
    ci = clone(origin.root, tmp_path / "ci", "--depth=1")
    assert ci.repository.commits_between(first, second) is None
    assert ci.repository.relation(second, first) is Relation.NEWER
    between = ci.repository.commits_between(first, second)
    assert between is not None and [each.id for each in between] == [second]


def test_two_ends_without_what_lies_between_tell_nothing(origin: Tree, tmp_path: Path) -> None:
    first, _, third = origin.commit("first"), origin.commit("second"), origin.commit("third")
    ci = check_out(origin, tmp_path / "ci", third)
    ci.run("fetch", "--quiet", "--depth=1", "origin", first)
    assert ci.repository.commits_between(first, third) is None
    assert ci.repository.relation(third, first, may_fetch=False) is Relation.UNKNOWN
    assert ci.repository.relation(third, first) is Relation.NEWER


def test_a_commit_by_name(tree: Tree) -> None:
    first = tree.commit("first")
    second = tree.commit("second")
    tree.run("tag", "-a", "v1", "-m", "one", first)
    for revision in ("v1", first[:7], "HEAD~1", "main~1", first):
        assert tree.repository.find_commit(revision) == Commit(first, None, "first", "Test", DATE + 60)
    assert tree.repository.find_commit("main").id == second


@pytest.mark.parametrize(
    "revision",
    ["nothing", "--output=x", "-1", "", "main..main", "main~1..main", "^main", "page.html", "a\0b", "main\nmain", "HEAD:page.html"],
)
def test_what_names_no_commit(tree: Tree, revision: str) -> None:
    tree.commit("first")
    tree.commit("second")
    with pytest.raises(UsageError) as caught:
        tree.repository.find_commit(revision)
    assert caught.value.code == "unknown-commit"
    assert not (tree.root / "x").exists()


# ---- cost


def test_the_head_is_read_without_gitpython_by_two_processes_at_most(tree: Tree, tmp_path: Path) -> None:
    commit = tree.commit("first")
    counting = tmp_path / "bin"
    counting.mkdir()
    (counting / "git").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\nexec {shutil.which("git")} "$@"\n')
    (counting / "git").chmod(0o755)
    program = (
        "import sys; from pathlib import Path; from sitepub.local.git import find_repository\n"
        "print(find_repository(Path(sys.argv[1])).head().id, 'git' in sys.modules)"
    )
    environment = os.environ | {"PATH": f"{counting}:{os.environ['PATH']}"}
    ran = subprocess.run([sys.executable, "-c", program, str(tree.root)], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == [commit, "False"]
    assert len((tmp_path / "calls").read_text().splitlines()) == 2


@pytest.fixture(autouse=True)
def _in_no_repository(tmp_path: Path) -> Iterator[None]:
    """No test depends on where it runs from."""
    before = Path.cwd()
    os.chdir(tmp_path)
    yield
    os.chdir(before)
