"""Previews as users have them: published beside the site, found by `gc` when their days are over, refused where they would show the site itself."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.commands.story import SITE, Story, hold_folder

RELATIVE = {**SITE, "docs/index.html": '<!doctype html><title>Docs</title><link rel="stylesheet" href="../app.css">\n'}
URL = "url: https://www.example.com/"


@pytest.fixture
def site(any_story: Story) -> Story:
    any_story.write(RELATIVE)
    any_story.configure(target=URL)
    return any_story


def state_of(story: Story, name: str) -> str:
    return f"previews/{name}/.sitepub/state.json"


def let_expire(story: Story, name: str) -> None:
    """Only a folder's state can be written by hand."""
    path = story.root / "out" / state_of(story, name)
    state = json.loads(path.read_text())
    path.write_text(json.dumps({**state, "expires_at": "2001-01-01T00:00:00Z"}))


def test_a_preview_stands_beside_the_site(site: Story) -> None:
    site.publish()
    before = site.site()
    told = site.publish("--preview", "pr-12")
    assert told["target"] == "there" and told["preview"]["name"] == "pr-12"
    assert told["preview"]["url"] == "https://www.example.com/previews/pr-12/"
    left = datetime.fromisoformat(told["preview"]["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=13, hours=23) < left <= timedelta(days=14)
    after = {key: body for key, body in site.held().items() if not key.startswith(".sitepub/")}
    beside = {key.removeprefix("previews/pr-12/") for key in after if key.startswith("previews/pr-12/") and "/.sitepub/" not in key}
    assert beside == set(before), "the same site, in its own folder"
    assert {key: body.decode() for key, body in after.items() if not key.startswith("previews/")} == before, "and the site as it was"
    assert site.json("verify")["findings"] == []
    assert site.json("verify", "--target", "there@pr-12")["findings"] == []
    assert site.json("status", "--target", "there@pr-12")["expires_at"] == told["preview"]["expires_at"]
    again = site.publish("--preview", "pr-12")
    assert (again["release"], again["requests"]["store"]) == (None, 1)


def test_a_preview_is_removed_by_name(site: Story) -> None:
    site.publish()
    before = dict(site.held())
    site.publish("--preview", "pr-12")
    site.publish("--preview", "other")
    assert site.json("gc", "--preview", "pr-12", "--dry-run")["previews"][0]["deleted"]
    removed = site.json("gc", "--preview", "pr-12", "--yes")["previews"][0]
    assert removed["preview"] == "pr-12" and "index.html" in removed["deleted"]
    assert not any("pr-12" in key for key in site.held())
    site.json("gc", "--preview", "other", "--yes")
    assert dict(site.held()) == before
    assert "there is no preview `other`" in site.run("gc", "--preview", "other", "--yes").out


def test_gc_removes_what_is_over_and_nothing_else(story: Story) -> None:
    story.write(RELATIVE)
    story.publish()
    for name in ("old", "young"):
        story.publish("--preview", name)
    let_expire(story, "old")
    kept = {key for key in story.held() if "/old/" not in key}
    theirs = story.root / "out/previews/old/theirs.txt"
    theirs.write_text("of nobody")
    changed = story.root / "out/previews/old/about.html"
    changed.write_text("edited by hand")
    assert story.json("gc", "--dry-run")["previews"][0]["preview"] == "old"
    assert theirs.exists() and (story.root / "out/previews/old/index.html").exists()
    story.run("gc", status=2)
    told = story.json("gc", "--yes")
    assert [(each["preview"], each["left"]) for each in told["previews"]] == [("old", ["about.html"])]
    assert set(story.held()) == kept | {"previews/old/theirs.txt", "previews/old/about.html"}


def test_a_publish_puts_the_end_off(story: Story) -> None:
    story.write(RELATIVE)
    story.publish("--preview", "x")
    let_expire(story, "x")
    again = story.publish("--preview", "x")
    assert again["release"] is None and again["preview"]["expires_at"] > f"{datetime.now(UTC):%Y-%m-%d}"
    assert story.json("gc", "--yes")["previews"] == []


def test_a_removal_that_broke_off_is_finished(story: Story) -> None:
    story.write(RELATIVE)
    story.publish("--preview", "x")
    before = dict(story.held())
    let_expire(story, "x")
    launcher = (
        "import os, sys\nfrom sitepub.local.folder_store import FolderStore\nreal = FolderStore.delete\ncalls = []\n"
        "def delete(self, key, **rest):\n    calls.append(key)\n    if len(calls) == 3: os._exit(9)\n    return real(self, key, **rest)\n"
        "FolderStore.delete = delete\nfrom sitepub.cli import main\nsys.argv = ['sitepub', *sys.argv[1:]]\nmain()\n"
    )
    story.run("gc", "--yes", status=9, launcher=launcher)
    assert 0 < len([key for key in story.held() if not key.endswith(".json")]) < len(before)
    assert story.json("gc", "--yes")["previews"][0]["preview"] == "x"
    assert dict(story.held()) == {}


def test_what_leads_past_the_preview_is_refused_with_its_place(story: Story) -> None:
    story.configure(target=URL + "\ndomains: [www.example.com]")
    page = """<!doctype html><title>A</title>
<link rel="canonical" href="/about.html">
<a href="https://www.example.com/docs/">on purpose</a>
<a href="/docs/">docs</a><a href="/nowhere/">gone</a>
<script src="https://www.example.com/app.js"></script>
<script>fetch("/robots.txt")</script>"""
    story.write(
        {"404.html": '<a href="/">home</a>', "about.html": page, "app.js": "1", "app.css": "body { background: url(/img/sky.svg) }"}
    )
    refused = story.json("publish", "--preview", "x", status=1)["error"]
    assert refused["code"] == "prefix-breaks"
    told = refused["message"].split("\n")[1:]
    assert [line.split(", which")[0].strip() for line in told] == [
        "`about.html` line 4 links to `/docs/` (a href)",
        "`about.html` line 5 loads `https://www.example.com/app.js` (script src)",
        "`app.css` line 1 loads `/img/sky.svg` (css url)",
        "`docs/index.html` line 1 loads `/app.css` (link href)",
    ]
    assert not (story.root / "out").exists()
    allowed = story.publish("--preview", "x", "--allow", "broken")
    assert any("`about.html` names `/robots.txt`" in warning for warning in allowed["warnings"])
    assert len([warning for warning in allowed["warnings"] if "past the preview" in warning]) == 6
    story.publish()


def test_on_a_host_of_its_own_nothing_leads_past_it(story: Story) -> None:
    story.configure("previews: {url: 'https://{name}.example.dev/'}\n", target=URL)
    told = story.publish("--preview", "pr-1")
    assert told["preview"]["url"] == "https://pr-1.example.dev/"
    assert not any("past the preview" in warning for warning in told["warnings"])
    assert 'href="/app.' in (story.root / "out/previews/pr-1/docs/index.html").read_text()


def test_a_build_is_told_where_its_outcome_will_stand(story: Story) -> None:
    build = 'build: echo "$SITEPUB_TARGET $SITEPUB_URL <$SITEPUB_PREVIEW>" >public/told.txt\n'
    story.write(RELATIVE)
    story.configure(build, target=URL)
    story.publish()
    assert story.site()["told.txt"] == "there https://www.example.com/ <>\n"
    story.publish("--preview", "pr-1")
    told = (story.root / "out/previews/pr-1/told.txt").read_text()
    assert told == "there https://www.example.com/previews/pr-1/ <pr-1>\n"


def test_previews_in_a_target_of_their_own_from_any_branch(story: Story, tmp_path: Path) -> None:
    def git(*words: str) -> None:
        subprocess.run(["git", *words], cwd=story.root, check=True, capture_output=True)

    (story.root / "sitepub.yaml").write_text(
        "source: public\nheaders: [{match: '*.html', set: {Cache-Control: 's-maxage=9', Content-Language: de}}]\n"
        "redirects: [{from: /docs/old/, to: /docs/about.html}]\ndefault_target: there\ntargets:\n"
        "  there: {store: 'file:out', branch: main, url: /docs/}\n  apart: {store: 'file:apart', state: 'file:records'}\n"
        "previews: {target: apart, prefix: /, days: 3}\ncache: {entries: 'public, s-maxage=99'}\n"
    )
    story.write(RELATIVE)
    (story.root / ".gitignore").write_text("out\napart\nrecords\n")
    git("init", "-q", "-b", "main")
    git("add", "-A")
    git("commit", "-q", "-m", "one")
    story.publish()
    git("switch", "-q", "-c", "draft")
    git("commit", "-q", "--amend", "-m", "other")
    story.json("publish", status=1)
    plan = story.json("plan", "--preview", "draft")
    told = story.publish("--preview", "draft")
    assert plan["summary"] == told["summary"] and told["preview"]["url"] == "/draft/"
    git("commit", "-q", "--amend", "-m", "rebased")
    story.publish("--preview", "draft")
    held = hold_folder(tmp_path / "apart")()
    assert "draft/index.html" in held and not any(".sitepub" in key for key in held)
    assert b'url=/draft/about.html"' in held["draft/old/index.html"]
    assert "draft/state.json" in hold_folder(tmp_path / "records")()
    explained = story.json("explain", "index.html", "--target", "there@draft")["headers"]
    assert explained["Cache-Control"] == "public, max-age=0, must-revalidate" and explained["Content-Language"] == "de"
    assert subprocess.run(["git", "for-each-ref", "refs/sitepub"], cwd=story.root, capture_output=True, text=True).stdout.count("\n") == 1
    story.json("gc", "--preview", "draft", "--yes")
    assert (hold_folder(tmp_path / "apart")(), hold_folder(tmp_path / "records")()) == ({}, {})


def test_names_that_are_none(story: Story) -> None:
    told = story.json("publish", "--preview", "Feature/Über_x", status=2)["error"]
    assert told["code"] == "bad-preview-name" and told["hint"] == "write it as `feature-ber-x`"
    assert story.json("publish", "--target", "there@a", "--preview", "b", status=2)["error"]["code"] == "preview-of-preview"


@pytest.mark.parametrize("command", ["up", "down"])
def test_nothing_is_set_up_or_taken_down_for_a_preview(story: Story, command: str) -> None:
    """Its bucket is the site's."""
    story.target = "store: s3://www-example-com\nregion: eu-central-1\naccount: '123456789012'"
    story.configure(target=URL)
    environment = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
    told = story.json(command, "--target", "there@x", "--yes", status=2, environment=environment)["error"]
    assert told["code"] == "preview-stands-in-a-site"
