"""`sitepub adopt` of folders and buckets that others filled: what is right stays, what is replaced comes back by rollback, the rest is left alone."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Mapping
from typing import Any

import pytest

from tests.commands.conftest import Distribution
from tests.commands.spoiling import forget_copies, hand_of, head_of, run_on_terminal
from tests.commands.story import SITE, Story, reasons
from tests.support.servers import S3Server

NAME = re.compile(r"\.[0-9a-f]{12}\.")
ADOPTED: Mapping[str, bytes] = {
    **{name: body.encode() for name, body in SITE.items()},
    "about.html": b"<!doctype html><title>An older About</title>\n",
    "logs/today": b"nobody's business\n",
}


def fill(story: Story, files: Mapping[str, bytes] = ADOPTED) -> None:
    """As `aws s3 sync` does in a bucket: a guessed type, and no word on caching."""
    for name, body in files.items():
        hand_of(story).put(name, body)


def fill_with_types(server: S3Server, story: Story, control: str) -> None:
    """As s3deploy or hugo with matchers: types, and a year of caching for some."""
    named = dict(line.split(": ", 1) for line in story.target.splitlines())
    bucket, _, prefix = named["store"].removeprefix("s3://").partition("/")
    for name, body in ADOPTED.items():
        kind = mimetypes.guess_type(name)[0] or "binary/octet-stream"
        key = f"{prefix}/{name}" if prefix else name
        server.client().put_object(
            Bucket=bucket, Key=key, Body=body, ContentType=kind, CacheControl=control, Metadata={"mtime": "1700000000.5"}
        )


def without_names(account: Mapping[str, Any]) -> dict[str, str]:
    return {NAME.sub(".HASH.", key): reason for key, reason in reasons(account).items()}


def test_what_stands_there_comes_under_management(any_story: Story) -> None:
    fill(any_story)
    before = any_story.held()
    refused = any_story.json("publish", status=1)
    assert refused["error"]["code"] == "foreign-keys"
    assert any_story.held() == before

    dry = any_story.json("adopt", "--dry-run")
    assert "`--yes`" in any_story.run("adopt", status=2).err
    assert any_story.held() == before
    done = any_story.json("adopt", "--yes")
    assert (done["adopted"], done["foreign"]) == (6, ["logs/today"])
    assert without_names(done) == without_names(dry)
    assert {**done["summary"], "headers": 0, "unchanged": 0} == {"new": 2, "changed": 4, "headers": 0, "removed": 0, "unchanged": 0}

    site = any_story.site()
    assert site.pop("logs/today") == ADOPTED["logs/today"].decode()
    assert site["about.html"] == SITE["about.html"]
    assert "app." in site["index.html"] and NAME.search(site["index.html"])
    assert any_story.publish()["release"] is None
    assert any_story.json("verify", "--allow", "foreign")["findings"] == []
    assert any_story.json("adopt", "--yes", status=1)["error"]["code"] == "already-managed"


def test_rollback_brings_back_what_stood_there(any_story: Story) -> None:
    fill(any_story)
    any_story.run("adopt", "--yes")
    forget_copies(any_story)
    for name in SITE:
        (any_story.root / "public" / name).unlink()
    any_story.run("rollback")
    site = any_story.site()
    assert {name: site[name].encode() for name in ADOPTED} == dict(ADOPTED)
    assert any_story.json("verify", "--allow", "foreign")["findings"] == []


def test_bytes_that_are_right_are_not_sent_again(bucket_story: Story) -> None:
    picture = bytes(range(256)) * 4096 + b"more"
    bucket_story.write({"img/large.png": picture, "index.html": SITE["index.html"] + '<img src="img/large.png" alt="">\n'})
    fill(bucket_story, {**ADOPTED, "img/large.png": picture})
    dry = bucket_story.json("adopt", "--dry-run")
    done = bucket_story.json("adopt", "--yes")
    sent = {NAME.sub(".HASH.", change["key"]) for change in done["changes"] if change["action"] == "put"}
    assert sent == {"about.html", "app.HASH.css", "app.css", "docs/index.html", "index.html"}, "only what differs"
    assert without_names(done)["img/large.HASH.png"] == "copy: new"
    assert without_names(done)["robots.txt"].startswith("copy: headers changed: Cache-Control")
    assert done["upload"] == dry["upload"] and done["upload"]["bytes"] < 1000
    assert bucket_story.held()["img/large.png"] == picture
    assert (
        "immutable"
        in head_of(bucket_story, next(key for key in bucket_story.held() if NAME.search(key) and key.endswith(".png")))["CacheControl"]
    )


def test_headers_of_others_are_replaced_and_come_back_by_rollback(bucket_story: Story, seaweedfs: S3Server) -> None:
    fill_with_types(seaweedfs, bucket_story, "max-age=31536000")
    assert head_of(bucket_story, "robots.txt")["CacheControl"] == "max-age=31536000"
    bucket_story.run("adopt", "--yes")
    adopted = head_of(bucket_story, "robots.txt")
    assert (adopted["CacheControl"], adopted["ContentType"]) == ("public, max-age=0, must-revalidate", "text/plain; charset=utf-8")
    bucket_story.run("rollback")
    back = head_of(bucket_story, "robots.txt")
    assert (back["CacheControl"], back["ContentType"], back["Metadata"]["mtime"]) == ("max-age=31536000", "text/plain", "1700000000.5")
    assert bucket_story.json("verify", "--allow", "foreign")["findings"] == []


def test_a_target_that_is_right_already_is_taken_over_without_a_change(any_story: Story) -> None:
    """The records were lost or moved away, the site is as sitepub left it."""
    any_story.publish()
    site = any_story.site()
    for key in [key for key in any_story.held() if key.startswith(".sitepub/")]:
        hand_of(any_story).delete(key)
    forget_copies(any_story)
    done = any_story.json("adopt", "--yes")
    assert [change for change in done["changes"] if change["action"] == "put"] == []
    assert any_story.site() == site
    assert any_story.json("verify")["findings"] == []


def test_an_empty_target_is_for_publish(any_story: Story) -> None:
    hand_of(any_story).put("logs/today", b"foreign")
    assert any_story.json("adopt", "--yes", status=1)["error"]["code"] == "nothing-to-adopt"


def test_what_edges_hold_of_others_is_invalidated(cloud_story: Story, distribution: Distribution) -> None:
    fill(cloud_story)
    dry = cloud_story.json("adopt", "--dry-run")
    done = cloud_story.json("adopt", "--yes")
    items = ["/", "/about.html", "/app.css", "/docs/", "/docs/index.html", "/img/sky.svg", "/index.html", "/robots.txt"]
    assert dry["invalidation"]["items"] == items
    assert done["invalidation"]["items"] == items, "whatever others let edges keep, plain names too"
    assert distribution.invalidations() == [items]


STOPS = """
import os, sitepub.{module} as module
original = module.{name}
def stop(*arguments, **named):
    {before}
    os._exit(9)
module.{name} = stop
from sitepub.cli import main
main()
"""


@pytest.mark.parametrize(
    ("module", "name", "before"),
    [
        ("adopting", "_keep_bodies", "pass"),
        ("adopting", "_keep_bodies", "original(*arguments, **named)"),
        ("adopting", "_keep_what_stands", "original(*arguments, **named)"),
        ("pipeline", "_begin", "pass"),
        ("pipeline", "promote", "pass"),
        ("pipeline", "_finish", "pass"),
    ],
)
@pytest.mark.parametrize("then", ["adopt", "publish"])
def test_an_adopt_that_died_anywhere_is_finished_by_the_next(story: Story, module: str, name: str, before: str, then: str) -> None:
    fill(story)
    story.run("adopt", "--yes", status=9, launcher=STOPS.format(module=module, name=name, before=before))
    begun = ".sitepub/state.json" in story.held()
    if then == "adopt" or not begun:
        story.run("adopt", "--yes")
    else:
        story.run("publish")
    assert story.site()["about.html"] == SITE["about.html"]
    assert story.json("verify", "--allow", "foreign")["findings"] == []
    story.run("rollback")
    assert {key: story.site()[key].encode() for key in ADOPTED} == dict(ADOPTED)


@pytest.mark.parametrize(("answer", "status"), [("yes", 0), ("no", 1)])
def test_adopt_shows_its_plan_and_asks(story: Story, answer: str, status: int) -> None:
    fill(story)
    before = story.held()
    done = run_on_terminal(story, "adopt", answer=answer)
    assert (done.status, "take it over?" in done.err, "`logs/today`" in done.err) == (status, True, True)
    assert "content changed" in done.err
    assert (story.held() == before) is (status == 1)
