"""`sitepub watch` as a process: what it publishes, what it says, what it survives."""

from __future__ import annotations

import json
import random
import shutil
import signal
from pathlib import Path

import pytest

from tests.commands.conftest import Distribution
from tests.commands.going import Going, keep_going
from tests.commands.story import Story, hold_folder


def shown(story: Story, key: str) -> str:
    return story.held().get(key, b"").decode()


def test_it_publishes_at_once_and_after_each_change(any_story: Story) -> None:
    with keep_going(any_story, "watch") as going:
        going.wait_for("watching `public`; Ctrl-C ends it")
        going.wait_for("published ")
        assert "Front" in shown(any_story, "index.html")
        any_story.write({"about.html": "<title>Second</title>"})
        line = going.wait_for("published ")
        assert "about.html" in line and "1 changed" in line
        assert shown(any_story, "about.html") == "<title>Second</title>"
        (any_story.root / "public/about.html").unlink()
        assert "1 removed" in going.wait_for("published ")
        assert going.end() == 130
    assert any_story.json("status")["pending"] is None


def test_the_same_bytes_again_are_no_publish(story: Story) -> None:
    with keep_going(story, "watch") as going:
        going.wait_for("published ")
        before = story.json("releases")["releases"]
        for path in (story.root / "public").rglob("*.html"):
            path.write_bytes(path.read_bytes())
        story.write({"robots.txt": "User-agent: x\n"})
        assert "1 changed" in going.wait_for("published ")
        assert len(story.json("releases")["releases"]) == len(before) + 1


def test_a_burst_is_one_publish(story: Story) -> None:
    with keep_going(story, "watch", "--json") as going:
        going.wait_for('"release"')
        story.write({f"many/{number}.html": f"<p>{number}" for number in range(200)})
        account = json.loads(going.wait_for('"release"'))
        assert account["summary"]["new"] == 200


def test_mistakes_are_told_once_and_end_nothing(story: Story) -> None:
    with keep_going(story, "watch") as going:
        going.wait_for("published ")
        story.write({"key.pem": "secret"})
        going.wait_for("looks like a secret")
        story.write({"about.html": "<title>Second</title>"})
        (story.root / "public/key.pem").unlink()
        going.wait_for("published ")
        assert "Second" in shown(story, "about.html")
        assert sum("looks like a secret" in line for line in going.said) == 1


def test_the_configuration_may_change(story: Story) -> None:
    with keep_going(story, "watch") as going:
        going.wait_for("published ")
        story.configure("sorce: x\n")
        going.wait_for("unknown key `sorce`")
        story.configure("headers:\n  - {match: about.html, set: {Cache-Control: no-store}}\nignore: [robots.txt]\n")
        going.wait_for("published ")
        assert "robots.txt" not in story.site()


def test_an_output_folder_that_is_deleted_and_made_again(story: Story) -> None:
    """As generators do that clean up first. Nothing is taken off the site meanwhile, and nothing is said."""
    public, kept = story.root / "public", story.root / "kept"
    shutil.copytree(public, kept)
    with keep_going(story, "watch") as going:
        going.wait_for("published ")
        for title in ("Second", "Third"):
            shutil.rmtree(public)
            shutil.copytree(kept, public)
            story.write({"about.html": f"<title>{title}</title>"})
            assert "about.html" in going.wait_for("published ")
            assert "docs/index.html" in story.site()
        assert not [line for line in going.said if "error" in line]


def test_a_file_that_is_emptied_first_is_waited_for(story: Story) -> None:
    with keep_going(story, "watch", "--json") as going:
        going.wait_for('"release"')
        about = story.root / "public/about.html"
        with about.open("wb") as file:
            file.flush()
            import time

            time.sleep(0.6)
            file.write(b"<title>Written late</title>")
        account = json.loads(going.wait_for('"release"'))
        assert [change["bytes"] for change in account["changes"]] == [len(b"<title>Written late</title>")]


def test_a_build_runs_when_its_sources_change(story: Story) -> None:
    story.write({"page.txt": "one", "ignored/.keep": ""}, folder="content")
    story.configure("build: mkdir -p public && cp content/page.txt public/page.txt\nwatch: [content]\n")
    with keep_going(story, "watch") as going:
        going.wait_for("published ")
        assert shown(story, "page.txt") == "one"
        story.write({"page.txt": "two"}, folder="content")
        assert "page.txt" in going.wait_for("published ")
        (story.root / "content/page.txt").unlink()
        going.wait_for("build")
        story.write({"page.txt": "three"}, folder="content")
        going.wait_for("published ")
        assert shown(story, "page.txt") == "three"


def test_a_dry_run_writes_nothing(story: Story) -> None:
    with keep_going(story, "watch", "--dry-run") as going:
        going.wait_for("would publish ")
        story.write({"about.html": "<title>Second</title>"})
        going.wait_for("would publish ")
    assert not story.held()


def test_what_is_wrong_from_the_start_ends_it(story: Story) -> None:
    story.configure("sorce: x\n")
    assert "unknown key" in story.run("watch", status=4).err


def test_a_target_that_is_away_is_tried_again(bucket_story: Story) -> None:
    target = bucket_story.target
    with keep_going(bucket_story, "watch") as going:
        going.wait_for("published ")
        bucket_story.target = target.replace("endpoint_url: http://127.0.0.1:", "endpoint_url: http://127.0.0.1:1")
        bucket_story.environment = {**bucket_story.environment, "AWS_MAX_ATTEMPTS": "1"}
        bucket_story.configure("ignore: [robots.txt]\n")
        going.wait_for("error")
        bucket_story.target = target
        bucket_story.configure("ignore: [robots.txt]\n")
        going.wait_for("published ")
        assert "robots.txt" not in bucket_story.site()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_when_it_is_told_to(story: Story, number: int) -> None:
    with keep_going(story, "watch") as going:
        going.wait_for("published ")
        assert going.end(number) == 130


EDITS = 12
MANY_EDITS = pytest.param(200, 2000, marks=pytest.mark.slow, id="2,000 files")


@pytest.mark.parametrize(("edits", "files"), [pytest.param(EDITS, 100, id="100 files"), MANY_EDITS])
def test_random_edits_end_as_a_fresh_publish(story: Story, tmp_path: Path, edits: int, files: int) -> None:
    chance = random.Random(7)
    story.write({f"p/{number}/index.html": page(number, chance) for number in range(files)})
    with keep_going(story, "watch") as going:
        going.wait_for("published ")
        for _ in range(edits):
            edit(story, chance, files)
            if chance.random() < 0.5:
                settle(going)
        story.write({"last.html": "<p>last"})
        going.wait_until(lambda: "last.html" in story.held())
        settle(going)
        assert going.end() == 130
    fresh = tmp_path / "fresh"
    (tmp_path / "fresh.yaml").write_text(f"source: public\ntargets: {{there: {{store: 'file:{fresh}'}}}}\n")
    story.run("publish", "--config", "fresh.yaml")
    wanted = {key: body for key, body in hold_folder(fresh)().items() if not key.startswith(".sitepub/")}
    found = {key: body for key, body in story.held().items() if not key.startswith(".sitepub/")}
    assert {key: found.get(key) for key in wanted} == wanted
    live = story.json("plan")
    assert live["changes"] == []


def settle(going: Going) -> None:
    import time

    time.sleep(0.5)


def page(number: int, chance: random.Random) -> str:
    return f'<!doctype html><link rel="stylesheet" href="/app.css"><p>{number} {chance.random()}<a href="../{number + 1}/">next</a>'


def edit(story: Story, chance: random.Random, files: int) -> None:
    public = story.root / "public"
    path = f"p/{chance.randrange(files)}/index.html"
    kind = chance.choice(("write", "replace", "delete", "style", "folder", "all"))
    if kind == "write":
        story.write({path: page(1, chance)})
    elif kind == "replace":
        story.write({"p/new.tmp~": page(2, chance)})
        (public / "p/new.tmp~").replace(public / "about.html")
    elif kind == "delete":
        (public / path).unlink(missing_ok=True)
    elif kind == "style":
        story.write({"app.css": f"body {{ margin: {chance.randrange(99)}px; background: url(img/sky.svg) }}"})
    elif kind == "folder":
        shutil.rmtree(public / path.rpartition("/")[0], ignore_errors=True)
    else:
        for file in sorted(public.rglob("*.html")):
            file.write_bytes(file.read_bytes())


def test_behind_a_distribution_the_month_s_paths_are_kept(cloud_story: Story, distribution: Distribution) -> None:
    cloud_story.configure("invalidation: {free_paths: 50}\n")
    with keep_going(cloud_story, "watch") as going:
        going.wait_for("published ")
        cloud_story.write({"about.html": "<title>Second</title>"})
        assert "1 path (/about.html), 1 of 50 this month" in going.wait_for("published ")
        cloud_story.write({"about.html": "<title>Third</title>"})
        assert "is owed: held back to keep to the month's 50 free paths" in going.wait_for("published ")
    assert cloud_story.json("status")["owed"] == ["/about.html"]
    assert len(distribution.invalidations()) == 1
    cloud_story.run("invalidate")
    assert cloud_story.json("status")["owed"] == []
