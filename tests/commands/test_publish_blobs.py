"""A built site that is committed: git's object ids say what need not be read. Reads are counted, by an audit of every file that is opened."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.commands.story import Story

COUNTING = """
import json, os, sys
opened = []
def listen(event, words):
    if event == "open" and isinstance(words[0], (str, bytes)) and not words[2] & (os.O_WRONLY | os.O_RDWR | os.O_DIRECTORY):
        opened.append(os.fsdecode(words[0]))
sys.addaudithook(listen)
from sitepub.cli import main
sys.argv = ["sitepub", *sys.argv[1:]]
try:
    main()
finally:
    with open(os.environ["OPENED"], "w") as file:
        json.dump(opened, file)
"""


def git(story: Story, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=story.root, check=True, capture_output=True, text=True).stdout.strip()


def settle(story: Story) -> None:
    """What was written a moment ago could change again within the tick of a clock: neither git nor sitepub takes its `stat` for known."""
    for path in (story.root / "public").rglob("*"):
        if path.is_file():
            os.utime(path, (path.stat().st_mtime - 10, path.stat().st_mtime - 10))


def commit(story: Story, message: str) -> str:
    settle(story)
    git(story, "add", "-A")
    git(story, "commit", "-q", "-m", message)
    return git(story, "rev-parse", "HEAD")


def publish(story: Story, *words: str) -> tuple[Any, list[str]]:
    """The account, and the files of the built site that were read for it."""
    told = story.root / "opened.json"
    account = story.publish(*words, launcher=COUNTING, environment={"OPENED": str(told)})
    opened = json.loads(told.read_text())
    told.unlink()
    known = git(story, "ls-files", "public").split("\n")
    return account, sorted({path for name in opened for path in known if name.endswith(f"/{path}") or name == path})


@pytest.fixture
def tracked(story: Story) -> Story:
    story.write({f"img/{number}.svg": f"<svg xmlns='http://www.w3.org/2000/svg' id='a{number}'/>" for number in range(20)})
    (story.root / ".gitignore").write_text("out\nopened.json\n")
    git(story, "init", "-q", "-b", "main")
    commit(story, "one")
    return story


def test_what_a_commit_had_before_is_not_read_again(tracked: Story) -> None:
    _, read = publish(tracked, "--ref", "HEAD")
    assert len(read) == 26
    standing = dict(tracked.held())
    tracked.write({"about.html": "<!doctype html><title>About us</title>"})
    commit(tracked, "two")
    account, read = publish(tracked, "--ref", "HEAD")
    assert read == ["public/about.html"] and [change["key"] for change in account["changes"]] == ["about.html"]
    assert tracked.site()["about.html"] == "<!doctype html><title>About us</title>"
    assert {key for key, body in tracked.held().items() if standing.get(key) == body} >= {key for key in standing if key[0] != "."} - {
        "about.html"
    }
    commit_of_one = git(tracked, "rev-parse", "HEAD~1")
    account, read = publish(tracked, "--ref", commit_of_one, "--allow", "older")
    assert read == ["public/about.html"] and account["summary"]["changed"] == 1
    assert publish(tracked, "--ref", commit_of_one)[1] == []


def test_a_page_whose_stylesheet_changed_is_read_and_nothing_else(tracked: Story) -> None:
    publish(tracked, "--ref", "HEAD")
    tracked.write({"app.css": "body { color: red }"})
    commit(tracked, "red")
    account, read = publish(tracked, "--ref", "HEAD")
    assert read == ["public/app.css", "public/docs/index.html", "public/index.html"], "both pages name it"
    assert account["summary"]["changed"] == 3
    fresh = tracked.root / "fresh"
    tracked.target = f"store: file:{fresh}"
    tracked.configure()
    tracked.publish("--no-build")
    made = {
        path.relative_to(fresh).as_posix(): path.read_bytes()
        for path in fresh.rglob("*")
        if path.is_file() and ".sitepub" not in path.parts
    }
    for key, body in made.items():
        assert tracked.held()[key] == body, key


def test_a_fresh_checkout_with_a_cache_is_not_read_again(tracked: Story) -> None:
    """As in continuous integration: every time and inode is another one."""
    publish(tracked)
    for path in sorted((tracked.root / "public").rglob("*")):
        if path.is_file():
            body = path.read_bytes()
            path.unlink()
            path.write_bytes(body)
            os.utime(path, (1_600_000_000, 1_600_000_000))
    git(tracked, "update-index", "--refresh")
    account, read = publish(tracked)
    assert (read, account["release"]) == ([], None)
    (tracked.root / "public/about.html").write_text("edited, and in no commit")
    account, read = publish(tracked, "--allow", "dirty")
    assert read == ["public/about.html"] and tracked.site()["about.html"] == "edited, and in no commit"


def test_what_git_converts_is_read_as_it_comes_out(tracked: Story) -> None:
    publish(tracked, "--ref", "HEAD")
    (tracked.root / ".gitattributes").write_text("*.txt eol=crlf\n*.html ident\n")
    tracked.write({"robots.txt": "User-agent: *\nAllow: /\n", "about.html": "<title>$Id$</title>"})
    commit(tracked, "converted")
    _, read = publish(tracked, "--ref", "HEAD")
    assert {"public/robots.txt", "public/about.html"} <= set(read) and not [path for path in read if path.endswith(".svg")]
    site = tracked.site()
    assert site["robots.txt"] == "User-agent: *\r\nAllow: /\r\n" and "$Id: " in site["about.html"]


def test_files_that_were_told_to_look_unchanged_are_read(tracked: Story) -> None:
    publish(tracked)
    git(tracked, "update-index", "--assume-unchanged", "public/about.html")
    Path(tracked.root / "public/about.html").write_text("<p>unseen by git")
    publish(tracked)
    assert tracked.site()["about.html"] == "<p>unseen by git"
