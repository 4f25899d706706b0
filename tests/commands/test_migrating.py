"""The pages of docs/migrate, performed on a bucket that stands as the old tool would have left it."""

from __future__ import annotations

import gzip
import mimetypes
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.commands.story import REPOSITORY, Story, hold_bucket
from tests.support.console import Typed, perform, read_page
from tests.support.servers import S3Server

PAGES = sorted((REPOSITORY / "docs/migrate").glob("[!i]*.md"))
EXAMPLE = REPOSITORY / "examples/site/public"
NOT_THEIRS = "archive/2019.zip"
"""A file in the bucket that no tool made."""

Options = Mapping[str, Any]


def as_synced(name: str, body: bytes) -> Options:
    """`aws s3 sync`: a guessed type, no word on caching."""
    return {"Body": body, "ContentType": guess(name)}


def as_hugo(name: str, body: bytes) -> Options:
    """With a matcher that compresses texts and lets stylesheets stay for a year."""
    if name.endswith((".html", ".css")):
        body = gzip.compress(body, mtime=0)
        return {"Body": body, "ContentType": guess(name), "ContentEncoding": "gzip", "CacheControl": "max-age=31536000"}
    return as_synced(name, body)


def as_s3deploy(name: str, body: bytes) -> Options:
    return {**as_synced(name, body), "CacheControl": "max-age=31536000, no-transform, public"}


def as_s3_website(name: str, body: bytes) -> Options:
    """Types from a look into the file: what a stylesheet is it does not know."""
    return {**as_synced(name, body), "ContentType": "text/plain; charset=utf-8", "CacheControl": "max-age=300"}


LEFT: Mapping[str, Callable[[str, bytes], Options]] = {
    "aws-s3-sync": as_synced,
    "hugo-deploy": as_hugo,
    "s3deploy": as_s3deploy,
    "s3-website": as_s3_website,
}


def guess(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "binary/octet-stream"


@pytest.fixture
def place(tmp_path: Path, seaweedfs: S3Server) -> tuple[Story, Callable[[str], str]]:
    """A folder with the built site under each name that a page gives it, a bucket, and what names that bucket instead of a page's."""
    for folder in ("public", "_site", "dist"):
        shutil.copytree(EXAMPLE, tmp_path / folder)
    program = tmp_path / "bin/sitepub"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m sitepub "$@"\n')
    program.chmod(0o755)
    address = seaweedfs.make_address()
    store = f"s3://{address.bucket}/{address.prefix}"
    story = Story(
        tmp_path,
        environment={**seaweedfs.environment, "PATH": f"{program.parent}:{os.environ['PATH']}"},
        held=hold_bucket(seaweedfs.client(), address.bucket, f"{address.prefix}/"),
    )

    def name(text: str) -> str:
        for shown, real in (
            ("s3://www-example-com", store),
            ("region: eu-central-1\n", f"region: us-east-1\n    endpoint_url: {seaweedfs.endpoint_url}\n"),
            ("url: https://www.example.com/\n", "url: http://127.0.0.1:9/\n"),
            ("build: hugo --minify\n", 'build: "true"\n'),
            ("build: npm run build\n", 'build: "true"\n'),
        ):
            text = text.replace(shown, real)
        return text

    return story, name


def fill(server: S3Server, store: str, left: Callable[[str, bytes], Options]) -> dict[str, bytes]:
    """What was stored, by key."""
    bucket, _, prefix = store.removeprefix("s3://").partition("/")
    files = {path.relative_to(EXAMPLE).as_posix(): path.read_bytes() for path in EXAMPLE.rglob("*") if path.is_file()}
    stored = {name: left(name, body) for name, body in {**files, NOT_THEIRS: b"old"}.items()}
    for name, options in stored.items():
        server.client().put_object(Bucket=bucket, Key=f"{prefix}/{name}", **options)
    return {name: options["Body"] for name, options in stored.items()}


@pytest.mark.parametrize("tool", sorted(LEFT))
def test_a_filled_bucket_is_taken_over(tool: str, place: tuple[Story, Callable[[str], str]], seaweedfs: S3Server) -> None:
    story, name = place
    before = fill(seaweedfs, name("s3://www-example-com"), LEFT[tool])
    page = name((REPOSITORY / f"docs/migrate/{tool}.md").read_text("utf-8"))
    write_settings(page, story)
    planned = story.json("adopt", "--dry-run", "--no-build")
    perform(page, story.root, story.whole_environment())
    after = story.held()
    sent = {change["key"] for change in planned["changes"] if change["action"] == "put" and change["source"]}
    assert [key for key in sent if after[key] in before.values()] == [], "nothing is uploaded whose bytes are there"
    assert planned["upload"]["objects"] < len(planned["changes"])
    assert after[NOT_THEIRS] == before[NOT_THEIRS]
    assert story.json("verify", "--allow", "foreign")["findings"] == []


@pytest.mark.parametrize("tool", ["netlify", "github-pages"])
def test_an_empty_bucket_is_published_to(tool: str, place: tuple[Story, Callable[[str], str]]) -> None:
    story, name = place
    story.write({"CNAME": "www.example.com\n"}, folder="_site")
    for command in ("git init --quiet -b main", "git remote add origin https://github.com/example/site.git"):
        subprocess.run(command.split(), cwd=story.root, check=True)
    perform(name((REPOSITORY / f"docs/migrate/{tool}.md").read_text("utf-8")), story.root, story.whole_environment())
    held = story.site()
    assert "notes/index.html" in held and "CNAME" not in held
    assert ("journal" in held) is (tool == "netlify"), "a redirect of its old host"


def test_the_warning_that_a_page_shows_is_given(place: tuple[Story, Callable[[str], str]]) -> None:
    story, name = place
    page = name((REPOSITORY / "docs/migrate/netlify.md").read_text("utf-8"))
    (warning,) = re.findall(r"^warning: .*$", page, re.MULTILINE)
    for step in read_page(page):
        if not isinstance(step, Typed):
            (story.root / step.name).write_text(step.content, "utf-8")
    assert warning in story.run("plan", "--no-build").err.splitlines()


def test_every_page_is_performed() -> None:
    assert {page.stem for page in PAGES} == {*LEFT, "netlify", "github-pages"}
    assert all(any(isinstance(step, Typed) for step in read_page(page.read_text("utf-8"))) for page in PAGES)


def write_settings(page: str, story: Story) -> None:
    for step in read_page(page):
        if not isinstance(step, Typed) and step.name == "sitepub.yaml":
            (story.root / "sitepub.yaml").write_text(step.content, "utf-8")
