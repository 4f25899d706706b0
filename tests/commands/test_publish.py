"""Publishing to a folder and to S3, from the command line: whole answers, and the second run that does nothing."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.commands.story import SITE, STYLE, Story, reasons

NAME = re.compile(r"\.[0-9a-f]{12}\.")
RELEASE = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}")


def hide_digests(text: str) -> str:
    return NAME.sub(".HASH.", text)


def first_changes() -> list[dict[str, object]]:
    """In byte order of their keys, aliases beside what they stand for."""
    hashed_style = STYLE.replace("sky.svg", "sky.ac6d9ed4cc30.svg")
    index = SITE["index.html"].replace("app.css", "app.0123456789ab.css").replace("sky.svg", "sky.0123456789ab.svg")
    docs = SITE["docs/index.html"].replace("app.css", "app.0123456789ab.css")
    rows = [
        ("about.html", "about.html", "entry", len(SITE["about.html"])),
        ("app.HASH.css", "app.css", "asset", len(hashed_style)),
        ("app.css", "app.css", "alias", len(hashed_style)),
        ("docs/index.html", "docs/index.html", "entry", len(docs)),
        ("img/sky.HASH.svg", "img/sky.svg", "asset", len(SITE["img/sky.svg"])),
        ("img/sky.svg", "img/sky.svg", "alias", len(SITE["img/sky.svg"])),
        ("index.html", "index.html", "entry", len(index)),
        ("robots.txt", "robots.txt", "entry", len(SITE["robots.txt"])),
    ]
    return [
        {"key": key, "source": source, "kind": kind, "action": "put", "reason": "new", "bytes": size} for key, source, kind, size in rows
    ]


def settled(account: dict[str, object]) -> dict[str, object]:
    """Without what differs between runs."""
    changes = [{**change, "key": hide_digests(change["key"])} for change in account["changes"]]  # type: ignore[attr-defined]
    rest = {name: value for name, value in account.items() if name not in ("release", "seconds", "requests", "cost")}
    return {**rest, "changes": changes}


def test_plan_and_publish_answer_with_the_whole_object(any_story: Story) -> None:
    plan = any_story.json("plan")
    assert any_story.held() == {}
    dry = any_story.publish("--dry-run")
    assert any_story.held() == {}
    done = any_story.publish()

    changes = first_changes()
    expected = {
        "target": "there",
        "commit": None,
        "dry_run": True,
        "summary": {"new": 8, "changed": 0, "headers": 0, "removed": 0, "unchanged": 0},
        "upload": {"objects": 8, "bytes": sum(change["bytes"] for change in changes)},  # type: ignore[misc]
        "changes": changes,
        "invalidation": {"items": [], "collateral": 0, "state": "none", "id": None, "used_this_month": None, "free_paths": None},
        "warnings": [],
    }
    assert settled(plan) == expected
    assert (plan["release"], type(plan["seconds"])) == (None, float)
    assert {**dry, "seconds": 0} == {**plan, "seconds": 0}
    assert settled(done) == {**expected, "dry_run": False}
    assert RELEASE.fullmatch(done["release"])
    assert set(done) == {*expected, "release", "requests", "cost", "seconds"}
    assert set(done["requests"]) == {"store", "cdn"} and done["requests"]["cdn"] == 0
    assert sorted(map(hide_digests, any_story.site())) == [change["key"] for change in changes]


def test_a_second_publish_reads_the_state_and_does_nothing_else(any_story: Story) -> None:
    any_story.publish()
    before = any_story.held()
    for path in (any_story.root / "public").rglob("*"):
        os.utime(path, (1, 1))
    again = any_story.publish()
    assert (again["release"], again["changes"], again["upload"]) == (None, [], {"objects": 0, "bytes": 0})
    assert again["summary"] == {"new": 0, "changed": 0, "headers": 0, "removed": 0, "unchanged": 8}
    assert again["requests"] == {"store": 1, "cdn": 0}
    assert any_story.held() == before


def test_plan_tells_by_its_exit_status_whether_there_is_something_to_publish(story: Story) -> None:
    assert story.json("plan", "--exit-code", status=7)["summary"]["new"] == 8
    story.publish()
    assert story.json("plan", "--exit-code")["summary"]["new"] == 0
    story.write({"about.html": "changed"})
    assert story.run("plan").status == 0
    assert story.run("plan", "--exit-code", "-q", status=7).out == ""


STYLED = {
    "app.HASH.css": "put: new",
    "app.css": "put: content changed",
    "docs/index.html": "put: content changed",
    "index.html": "put: content changed",
}
"""What follows from another stylesheet."""


def test_only_what_changed_is_published(any_story: Story) -> None:
    any_story.publish()
    first = any_story.site()

    any_story.write({"app.css": STYLE + "p {}\n"})
    plan, styled = any_story.json("plan"), any_story.publish()
    assert styled["requests"] == plan["requests"], "the plan foresees what publishing takes"
    assert {hide_digests(key): reason for key, reason in reasons(styled).items()} == STYLED
    assert styled["summary"] == {"new": 1, "changed": 3, "headers": 0, "removed": 0, "unchanged": 4}
    second = any_story.site()
    (old_style,) = [key for key in first if NAME.search(key) and key.endswith(".css")]
    (new_style,) = set(second) - set(first)
    assert second[old_style] == first[old_style], "pages of the earlier release go on finding it"
    assert new_style in second["index.html"] and new_style in second["docs/index.html"]

    any_story.write({"about.html": "<!doctype html><title>About us</title>\n"})
    assert reasons(any_story.publish()) == {"about.html": "put: content changed"}

    any_story.write({"img/sky.svg": '<svg xmlns="http://www.w3.org/2000/svg"><g/></svg>\n'})
    drawn = {hide_digests(key): reason for key, reason in reasons(any_story.publish()).items()}
    assert drawn == {**STYLED, "img/sky.HASH.svg": "put: new", "img/sky.svg": "put: content changed"}

    (any_story.root / "public/about.html").unlink()
    removed = any_story.publish()
    assert removed["changes"] == [
        {"key": "about.html", "source": None, "kind": "entry", "action": "delete", "reason": "no longer in the site", "bytes": 0}
    ]
    assert removed["upload"] == {"objects": 0, "bytes": 0}
    assert "about.html" not in any_story.site()
    assert any_story.publish()["release"] is None


def test_rules_and_redirects_are_changes_of_their_own(bucket_story: Story) -> None:
    bucket_story.publish()
    bucket_story.configure('headers:\n  - {match: robots.txt, set: {Cache-Control: "public, max-age=5"}}\n')
    ruled = bucket_story.publish()
    assert reasons(ruled) == {"robots.txt": "put: headers changed: Cache-Control"}
    assert ruled["summary"] == {"new": 0, "changed": 0, "headers": 1, "removed": 0, "unchanged": 7}
    bucket_story.configure("redirects:\n  - {from: /old/, to: /docs/}\n")
    moved = bucket_story.publish()
    assert reasons(moved) == {"old/index.html": "put: new", "robots.txt": "put: headers changed: Cache-Control"}
    first = moved["changes"][0]
    assert (first["key"], first["source"], first["kind"]) == ("old/index.html", None, "entry")
    assert "/docs/" in bucket_story.site()["old/index.html"]
    bucket_story.configure("redirects:\n  - {from: /old/, to: /about.html}\n")
    assert reasons(bucket_story.publish()) == {"old/index.html": "put: content changed"}


def test_status_tells_what_is_live(any_story: Story) -> None:
    invalidation = {"used_this_month": None, "free_paths": None}
    nothing = {"target": "there", "live": None, "pending": None, "owed": [], "invalidation": invalidation, "unpublished_commits": None}
    nothing |= {"distribution": None}
    assert any_story.json("status") == nothing
    release = any_story.publish()["release"]
    live = any_story.json("status")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", live["live"].pop("published_at"))
    assert live == {**nothing, "live": {"release": release, "commit": None, "subject": None, "entries": 4, "assets": 2}}


def test_the_same_source_gives_the_same_bytes_anywhere(any_story: Story, tmp_path_factory: pytest.TempPathFactory) -> None:
    any_story.publish()
    elsewhere = Story(tmp_path_factory.mktemp("elsewhere"))
    elsewhere.write(dict(reversed(SITE.items())))
    elsewhere.configure()
    elsewhere.publish()
    held = {path.relative_to(elsewhere.root / "out").as_posix() for path in (elsewhere.root / "out").rglob("*") if path.is_file()}
    assert {key for key in held if not key.startswith(".sitepub")} == set(any_story.site())


def test_two_targets_need_a_name_or_a_default(story: Story, tmp_path: Path) -> None:
    yaml = "source: public\ntargets:\n  one: {store: 'file:one'}\n  two: {store: 'file:two'}\n"
    (tmp_path / "sitepub.yaml").write_text(yaml)
    asked = story.run("publish", status=2)
    assert asked.err == "error: `sitepub.yaml` has several targets: `one`, `two`\nhint: name one with `--target`, or set `default_target`\n"
    assert story.publish("--target", "two")["target"] == "two"
    assert not (tmp_path / "one").exists()
    unknown = story.run("publish", "--target", "tow", status=2)
    assert unknown.err == "error: `sitepub.yaml` has no target `tow`\nhint: did you mean `two`?\n"
    (tmp_path / "sitepub.yaml").write_text(yaml + "default_target: one\n")
    assert story.publish()["target"] == "one"


def test_sitepub_yaml_is_found_above_and_anywhere_by_name(story: Story, tmp_path: Path) -> None:
    assert story.publish("-C", str(tmp_path / "public/docs"))["summary"]["new"] == 8
    (tmp_path / "other").mkdir()
    (tmp_path / "sitepub.yaml").rename(tmp_path / "other/site.yaml")
    (tmp_path / "other/site.yaml").write_text("source: ../public\ntargets: {there: {store: 'file:../out'}}\n")
    assert story.publish("--config", "other/site.yaml")["changes"] == []
    missing = story.run("publish", status=4)
    assert missing.err == f"error: no `sitepub.yaml` in `{tmp_path}` or above\nhint: `sitepub init` writes one\n"


def test_a_source_that_stat_alone_calls_live_settles_what_another_folder_left_unfinished(story: Story, tmp_path: Path) -> None:
    other = Story(tmp_path / "other", target=f"store: file:{tmp_path / 'out'}", held=story.held)
    other.write({**SITE, "about.html": "<p>from elsewhere"})
    other.configure()
    story.publish()
    stop = "import os, sitepub.pipeline as pipeline\npipeline.promote = lambda *given: os._exit(9)\nfrom sitepub.cli import main\nmain()\n"
    other.run("publish", status=9, launcher=stop)
    assert story.json("status")["pending"] is not None
    assert story.publish()["release"] is not None
    assert story.json("status")["pending"] is None
    assert story.site()["about.html"] == SITE["about.html"]
