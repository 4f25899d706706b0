"""What git has to say about a publish: commits, branches, dirty trees, older commits."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.commands.story import Story


@pytest.fixture
def repository(story: Story) -> Story:
    (story.root / ".gitignore").write_text("out/\n")
    git(story, "init", "-q")
    commit(story, "first")
    return story


def git(story: Story, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=story.root, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(story: Story, subject: str) -> str:
    git(story, "add", "-A")
    git(story, "commit", "-q", "--allow-empty", "-m", subject)
    return git(story, "rev-parse", "HEAD")


def test_the_commit_is_told_and_kept(repository: Story) -> None:
    head = git(repository, "rev-parse", "HEAD")
    assert repository.json("plan")["commit"] == head
    assert repository.publish()["commit"] == head
    live = repository.json("status")
    assert (live["live"]["commit"], live["live"]["subject"], live["unpublished_commits"]) == (head, "first", [])
    assert repository.run("status").out.splitlines()[-1] == "every commit is published"

    repository.write({"about.html": "<p>second"})
    second = commit(repository, "second")
    unpublished = repository.json("status")["unpublished_commits"]
    assert [(each["id"], each["subject"]) for each in unpublished] == [(second, "second")]
    assert repository.run("status").out.splitlines()[-2:] == ["not yet published: 1 commit", f"  {second[:8]} second"]
    assert f"from commit {second[:8]} to there" in repository.run("publish").out


def test_where_only_the_commit_changed_it_alone_is_recorded(repository: Story) -> None:
    release = repository.publish()["release"]
    later = commit(repository, "nothing in it")
    before = {key: body for key, body in repository.held().items() if key != ".sitepub/state.json"}
    assert repository.json("plan")["requests"] == {"store": 1, "cdn": 0}
    done = repository.publish()
    assert (done["release"], done["commit"], done["changes"]) == (None, later, [])
    live = repository.json("status")["live"]
    assert (live["release"], live["commit"]) == (release, later)
    assert {key: body for key, body in repository.held().items() if key != ".sitepub/state.json"} == before
    assert repository.publish()["requests"] == {"store": 1, "cdn": 0}


def test_another_branch_is_refused(repository: Story) -> None:
    repository.configure(target="branch: main")
    commit(repository, "guarded")
    repository.publish()
    git(repository, "switch", "-q", "-c", "draft")
    repository.write({"about.html": "<p>draft"})
    commit(repository, "a draft")
    before = repository.held()
    told = repository.run("publish", status=1)
    assert told.err == (
        "error: `there` is published from branch `main` alone, and branch `draft` is checked out\n"
        "hint: `git switch main`, or correct `branch:` of the target\n"
    )
    assert repository.publish(status=1)["error"]["code"] == "wrong-branch"
    assert repository.held() == before


def test_a_plan_tells_what_git_would_refuse(repository: Story) -> None:
    """As continuous integration plans a pull request: a branch that main has gone past, checked out without a name."""
    repository.configure(target="branch: main")
    first = commit(repository, "guarded")
    repository.write({"robots.txt": "newer"})
    commit(repository, "main goes on")
    repository.publish()
    git(repository, "checkout", "-q", "--detach", first)
    repository.write({"about.html": "<p>draft"})
    draft = commit(repository, "a draft")
    before = repository.held()
    plan = repository.json("plan")
    refused = f"`there` is published from branch `main` alone, and no branch, but commit `{draft[:8]}` is checked out"
    assert (plan["warnings"], plan["commit"]) == ([f"{refused}; `publish` would be refused"], draft)
    assert {change["key"] for change in plan["changes"]} == {"about.html", "robots.txt"}
    assert repository.publish("--dry-run", status=1)["error"]["code"] == "wrong-branch"

    git(repository, "switch", "-q", "main")
    repository.write({"about.html": "<p>not committed"})
    plan = repository.json("plan")
    refused = "there are uncommitted changes to tracked files: what would be published is in no commit"
    assert (plan["warnings"], plan["summary"]["changed"]) == ([f"{refused}; `publish` would be refused"], 1)
    assert repository.held() == before


def test_a_branch_that_nothing_can_tell_is_warned_of(story: Story) -> None:
    """An image of the site, or an archive of it, has no history: its guard guards nothing, which nobody should learn too late."""
    story.configure(target="branch: main")
    told = f"`there` is published from branch `main` alone, but `{story.root}` is in no git repository: it guards nothing here"
    assert f"warning: {told}\n" in story.run("plan").err and story.publish()["warnings"] == [told]
    git(story, "init", "-q")
    assert story.publish("--dry-run")["warnings"] == [told.replace("is in no git repository", "has no commit yet")]
    story.configure()
    assert story.publish("--dry-run")["warnings"] == []


def test_a_dirty_tree_is_refused_where_a_branch_is_guarded(repository: Story) -> None:
    repository.configure(target="branch: main")
    commit(repository, "guarded")
    repository.write({"about.html": "<p>not committed"})
    told = repository.run("publish", status=1)
    assert told.err == (
        "error: there are uncommitted changes to tracked files: what would be published is in no commit\n"
        "hint: commit or stash them; `--allow dirty` publishes all the same\n"
    )
    assert repository.held() == {}
    assert repository.publish("--allow-dirty", "--dry-run")["summary"]["new"] == 8
    assert repository.publish("--allow", "dirty")["release"]

    repository.configure("build: 'true'\n", target="branch: main")
    commit(repository, "a build")
    repository.write({"about.html": "<p>built"})
    assert repository.publish()["release"], "what a build writes is no edit of anybody's"


def test_an_older_commit_does_not_replace_a_newer_one(repository: Story) -> None:
    old = git(repository, "rev-parse", "HEAD")
    repository.write({"about.html": "<p>newer"})
    new = commit(repository, "newer")
    repository.publish()
    git(repository, "checkout", "-q", old)
    before = repository.held()
    for command in ("publish", "plan"):
        told = repository.run(command, status=9)
        assert told.err.splitlines()[-2:] == [
            f"error: `{new[:8]}`, which is live, follows `{old[:8]}`",
            "hint: `git pull` and publish again; `--allow older` goes back all the same",
        ]
    assert repository.publish(status=9)["error"]["code"] == "newer-is-live"
    assert repository.held() == before
    assert repository.publish("--allow", "older")["release"]
    assert "newer" not in repository.site()["about.html"]


def test_histories_that_diverged_are_refused(repository: Story) -> None:
    git(repository, "switch", "-q", "-c", "other")
    repository.write({"about.html": "<p>other"})
    other = commit(repository, "other")
    repository.publish()
    git(repository, "switch", "-q", "main")
    repository.write({"about.html": "<p>main"})
    mine = commit(repository, "on main")
    before = repository.held()
    told = repository.run("publish", status=1)
    assert told.err.splitlines()[-2:] == [
        f"error: `{mine[:8]}` does not contain `{other[:8]}`, which is live",
        "hint: merge or rebase, and publish again; `--allow diverged` publishes it all the same",
    ]
    assert repository.held() == before
    assert repository.publish("--allow", "diverged")["release"]


def test_where_dates_decide_it_is_said(repository: Story, tmp_path: Path) -> None:
    """A shallow clone whose remote can't be reached; then the bare files, without any history."""
    repository.publish()
    live = git(repository, "rev-parse", "HEAD")[:8]
    repository.write({"about.html": "<p>second"})
    second = commit(repository, "second")[:8]
    git(repository, "clone", "-q", "--depth", "1", f"file://{repository.root}", str(tmp_path / "ci"))
    git(repository, "-C", str(tmp_path / "ci"), "remote", "set-url", "origin", str(tmp_path / "nowhere"))
    shutil.rmtree(repository.root / ".git")
    (tmp_path / "ci" / ".git").rename(repository.root / ".git")
    said = (
        f"`{second}` is not older than `{live}`, which is live; the history between them is not here and can't be fetched, so their "
        "committer dates decide"
    )
    assert repository.json("plan")["warnings"] == [said]
    assert repository.publish()["warnings"] == [said]
    (repository.root / ".git").rename(tmp_path / "ci" / ".git")
    repository.write({"about.html": "<p>third"})
    said = f"`{second}` is live, and the source is in no git repository: nothing tells whether it is newer"
    assert repository.json("plan")["warnings"] == [said]
    assert repository.publish()["warnings"] == [said]


def test_a_reference_points_to_what_is_live(repository: Story) -> None:
    first = git(repository, "rev-parse", "HEAD")
    repository.run("publish", "--dry-run")
    assert git(repository, "for-each-ref", "refs/sitepub") == ""
    repository.publish()
    assert git(repository, "rev-parse", "refs/sitepub/there") == first
    repository.write({"about.html": "<p>second"})
    second = commit(repository, "second")
    assert git(repository, "log", "--format=%s", "refs/sitepub/there..HEAD") == "second"
    repository.publish()
    assert git(repository, "rev-parse", "refs/sitepub/there") == second
    repository.run("rollback")
    assert git(repository, "rev-parse", "refs/sitepub/there") == first


def test_a_reference_that_can_not_be_set_is_told(repository: Story) -> None:
    git(repository, "update-ref", "refs/sitepub/there/in/the/way", "HEAD")
    done = repository.publish()
    assert any("`refs/sitepub/there` could not be set" in warning for warning in done["warnings"])
    assert done["release"] is not None
