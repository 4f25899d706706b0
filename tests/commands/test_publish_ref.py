"""`publish --ref`: any commit, without touching the working tree. Real git, the real command."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


def git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def sitepub(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "sitepub", *words, "-C", str(folder)], capture_output=True, text=True, check=False)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Two commits of a site in a folder of the repository, built from sources by a command, with ignored output."""
    folder = tmp_path / "repository" / "web"
    folder.mkdir(parents=True)
    git(folder.parent, "init", "-q", "-b", "main")
    git(folder.parent, "config", "user.name", "Ada")
    git(folder.parent, "config", "user.email", "ada@example.org")
    (folder / ".gitignore").write_text("public\n_published\n")
    (folder / ".gitattributes").write_text("page.txt export-ignore\n")
    (folder / "sitepub.yaml").write_text(
        "source: public\nbuild: mkdir -p public && (cat page.txt; git status --porcelain 2>&1 | head -1) > public/index.html\n"
        "targets: {local: {store: 'file:_published', branch: main}}\n"
    )
    for text in ("one", "two"):
        (folder / "page.txt").write_text(text)
        git(folder, "add", "-A")
        git(folder, "commit", "-q", "-m", text)
    return folder


def test_a_commit_is_built_and_published_elsewhere_and_the_working_tree_stays(repository: Path) -> None:
    (repository / "page.txt").write_text("being edited")
    before = git(repository, "status", "--porcelain")
    done = sitepub(repository, "publish", "--ref", "HEAD~1", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["commit"] == git(repository, "rev-parse", "HEAD~1")
    assert (repository / "_published" / "index.html").read_text().startswith("one")
    assert git(repository, "status", "--porcelain") == before
    assert not (repository / "public").exists()
    assert sitepub(repository, "publish", "--ref", "main", "-q").returncode == 0
    assert (repository / "_published" / "index.html").read_text().startswith("two")


@pytest.mark.parametrize("options", [(), ("--no-build",)], ids=["built", "as committed"])
def test_a_repository_may_be_reached_by_a_symbolic_link(repository: Path, options: tuple[str, ...]) -> None:
    (repository / ".gitignore").write_text("_published\n")
    (repository / "public").mkdir()
    (repository / "public" / "index.html").write_text("three")
    (repository / "page.txt").write_text("three")
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "three")
    (repository / "public" / "index.html").write_text("being edited")
    link = repository.parents[1] / "link"
    link.symlink_to(repository)
    done = sitepub(link, "publish", "--ref", "HEAD", *options)
    assert done.returncode == 0, done.stderr
    assert (repository / "_published" / "index.html").read_text().startswith("three")


def test_a_build_that_fails_is_to_be_tried_where_it_can_be(repository: Path) -> None:
    (repository / "page.txt").unlink()
    git(repository, "rm", "-q", "page.txt")
    config = repository / "sitepub.yaml"
    config.write_text(config.read_text().replace("(cat page.txt;", "cat page.txt && ("))
    git(repository, "commit", "-qam", "no page")
    done = sitepub(repository, "publish", "--ref", "HEAD")
    commit = git(repository, "rev-parse", "HEAD")[:8]
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        4,
        f"hint: run it by hand in a checkout of commit `{commit}`, or publish what is there with `--no-build`",
    )


def test_an_older_commit_is_refused_as_ever(repository: Path) -> None:
    assert sitepub(repository, "publish", "--ref", "HEAD", "-q").returncode == 0
    assert sitepub(repository, "publish", "--ref", "HEAD~1", "-q").returncode == 9
    assert sitepub(repository, "publish", "--ref", "HEAD~1", "-q", "--allow", "older").returncode == 0


def test_a_commit_of_another_branch_and_one_that_is_none_are_refused(repository: Path) -> None:
    git(repository, "switch", "-q", "-c", "side")
    (repository / "page.txt").write_text("three")
    git(repository, "commit", "-qam", "three")
    side = sitepub(repository, "publish", "--ref", "side")
    assert (side.returncode, "from branch `main` alone" in side.stderr) == (1, True)
    assert sitepub(repository, "publish", "--ref", "nowhere").returncode == 2
    assert sitepub(repository, "publish", "--ref=--upload-pack=x").returncode == 2
    assert not (repository / "_published").exists()


def test_submodules_and_pointers_are_refused_with_the_reason(repository: Path, tmp_path: Path) -> None:
    (repository / "movie.bin").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "pointer")
    pointer = sitepub(repository, "publish", "--ref", "HEAD")
    assert (pointer.returncode, "`web/movie.bin` is only a Git LFS pointer here" in pointer.stderr) == (1, True)
    git(repository, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(repository.parent), "sub")
    git(repository, "commit", "-q", "-m", "submodule")
    submodule = sitepub(repository, "publish", "--ref", "HEAD")
    assert (submodule.returncode, "`web/sub` is a submodule" in submodule.stderr) == (1, True)
