"""A site that comes from Netlify or Cloudflare Pages: its `_redirects` and `_headers` are followed and not published."""

from __future__ import annotations

import json

from tests.commands.story import Story


def test_they_are_followed_and_not_published(story: Story) -> None:
    story.write(
        {"_redirects": "/old/ /docs/\n/moved /about.html 302\n/blog/* /news/:splat\n", "_headers": "/robots.txt\n  Content-Language: en\n"}
    )
    told = story.publish()
    keys = {change["key"] for change in told["changes"]}
    assert {"old/index.html", "moved"} <= keys
    assert not keys & {"_redirects", "_headers"}
    assert told["warnings"] == ["`_redirects` line 3: `/blog/*` stands for many paths, and a redirect stands at one: write a line for each"]
    assert 'url=/docs/"' in (story.root / "out/old/index.html").read_text()
    explained = story.json("explain", "robots.txt")
    assert explained["headers"]["Content-Language"] == "en"
    assert explained["rule"].endswith("then line 1 of `_headers`")
    assert story.json("explain", "_headers")["key"] is None
    assert "its lines are settings" in story.run("explain", "_headers").out
    assert story.publish()["release"] is None, "with nothing changed there is nothing to do"


def test_a_changed_line_is_a_change_of_the_site(story: Story) -> None:
    story.write({"_redirects": "/old/ /docs/\n"})
    story.publish()
    story.write({"_redirects": "/old/ /about.html\n"})
    assert [change["key"] for change in story.publish()["changes"]] == ["old/index.html"]
    (story.root / "public/_redirects").unlink()
    assert [(change["key"], change["action"]) for change in story.publish()["changes"]] == [("old/index.html", "delete")]


def test_sitepub_yaml_has_the_last_word(story: Story) -> None:
    path = story.root / "sitepub.yaml"
    settings = "headers: [{match: robots.txt, set: {Content-Language: de}}]\nredirects: [{from: /old/, to: /about.html}]\n"
    path.write_text(path.read_text() + settings)
    story.write({"_redirects": "/old/ /docs/\n", "_headers": "/*\n  Content-Language: en\n"})
    story.publish()
    assert "/about.html" in (story.root / "out/old/index.html").read_text()
    assert json.loads(story.run("explain", "robots.txt", "--json").out)["headers"]["Content-Language"] == "de"
    assert story.json("explain", "about.html")["headers"]["Content-Language"] == "en"


def test_a_changed_comment_changes_nothing(story: Story) -> None:
    story.write({"_redirects": "/old/ /docs/\n", "_headers": "# nothing\n"})
    story.publish()
    story.write({"_redirects": "# why\n/old/ /docs/\n", "_headers": "# nothing at all\n", "robots.txt": "User-agent: x\n"})
    assert [change["key"] for change in story.publish()["changes"]] == ["robots.txt"]
    story.write({"about.html": "<p>other", "_headers": "# nothing at last\n"})
    assert [change["key"] for change in story.publish()["changes"]] == ["about.html"]
    assert not (story.root / "out/_redirects").exists() and not (story.root / "out/_headers").exists()


def test_no_line_stops_a_publish(story: Story) -> None:
    redirects = "/.sitepub/state.json /\n/caf%E9/ /\n/there //example.org/\n/twice /a//b\n"
    story.write({"_redirects": redirects, "_headers": f"/{'x' * 300}\n  Expires: 0\n"})
    told = story.publish()
    assert told["warnings"] == [
        "`_redirects` line 1: `/.sitepub/state.json` has the name of sitepub's own records",
        "`_redirects` line 2: `/caf%E9/` is no UTF-8 once its escapes are undone, and no key can hold it",
        f"`_headers` line 1: `/{'x' * 300}` is no file of the site",
    ]
    assert 'url=https://example.org/"' in (story.root / "out/there").read_text()
    assert 'url=/a//b"' in (story.root / "out/twice").read_text()
