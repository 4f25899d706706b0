"""Full disks, for real: a file system of a few hundred kilobytes under the target, the spool or the cache."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.story import SITE, Story
from tests.commands.test_bad_source import without_progress


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("`mount` of a small tmpfs is not allowed")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(story: Story, name: str = "photo.jpg") -> None:
    story.write({name: os.urandom(300_000), "index.html": f"{SITE['index.html']}<img src='/{name}'>"})


def test_a_full_target_stops_and_visitors_see_the_earlier_release(story: Story, small_disk: Path) -> None:
    story.target = f"store: file:{small_disk}/out"
    story.held = lambda: {
        path.relative_to(small_disk / "out").as_posix(): path.read_bytes() for path in (small_disk / "out").rglob("*") if path.is_file()
    }
    story.configure()
    story.publish()
    before = story.site()
    fill(story)
    told = story.run("publish", "--json", status=4)
    (photo,) = re.findall(r"photo\.[0-9a-f]{12}\.jpg", told.err)
    assert without_progress(told.err) == (
        f"error: no space left for `{photo}` in `file:{small_disk}/out`\nhint: make room, then publish again\n"
    )
    assert told.json["error"]["code"] == "disk-full"
    assert story.site() == before
    (story.root / "public/photo.jpg").unlink()
    assert story.publish()["release"]


def test_a_full_spool_stops_before_anything_is_begun(bucket_story: Story, small_disk: Path) -> None:
    bucket_story.publish()
    before = bucket_story.site()
    # what fills no pack is never written to a disk
    for number in range(120):
        bucket_story.write({f"page-{number}.html": f"<p>{os.urandom(80_000).hex()}"})
    told = bucket_story.run("publish", "--json", status=4, environment={"TMPDIR": str(small_disk)})
    assert without_progress(told.err) == (
        "error: a temporary file can't be written: No space left on device\nhint: free some space, or set TMPDIR to a folder that has some\n"
    )
    assert told.json["error"]["code"] == "no-temporary-space"
    assert bucket_story.site() == before
    assert bucket_story.publish()["release"]


def test_a_full_cache_costs_time_and_nothing_else(story: Story, small_disk: Path) -> None:
    (small_disk / "filler").write_bytes(bytes(200_000))
    environment = {"SITEPUB_CACHE": str(small_disk)}
    for number in range(400):
        story.write({f"page-{number}.html": f"<p>{number}<a href=/{number}.html>{'x' * 200}</a>"})
    done = story.publish(environment=environment)
    assert done["release"]
    assert story.publish(environment=environment)["release"] is None
