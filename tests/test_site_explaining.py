"""`explain`: the whole story of one file, with every line that refers to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sitepub.core.model import FileClass, Kind, SourcePath
from sitepub.core.settings import Redirect
from sitepub.errors import UsageError
from sitepub.local.cache import open_cache
from sitepub.site_explaining import Mention, Story, explain_file
from tests.support.builders import SilentProgress
from tests.support.building import build_tree, make_config

FILES = {
    "index.html": '\n<link rel=stylesheet href="css/app.css">\n<a href="css/app.css">source</a>',
    "css/app.css": "a{}\nb{background:url(../img/a.png)}\nc{background:url(../img/a.png)}",
    "img/a.png": b"a",
    "js/x.js": 'load("/img/a.png")',
    "data/app.json": '{"icons":[{"src":"/img/a.png"}]}',
    "m.html": "<link rel=manifest href=data/app.json>",
    "css/app.css.gz": b"gz",
}


def explain(root: Path, path: str) -> Story:
    config = make_config(root, redirects=(Redirect("/old/", "/new/"),))
    built = build_tree(root, FILES, config=config)
    return explain_file(
        built.source,
        config,
        config.targets["local"],
        path,
        site=built.site,
        cache=open_cache(None),
        executor=None,
        has_distribution=False,
        progress=SilentProgress(),
    )


def test_an_asset(tmp_path: Path) -> None:
    story = explain(tmp_path, "css/app.css")
    assert story.key is not None
    assert story.key.startswith("css/app.")
    assert (story.kind, story.has_alias) == (Kind.ASSET, True)
    assert story.reason == "`index.html` loads it (link href)"
    assert story.rule == "`cache.assets`"
    assert dict(story.headers)["Cache-Control"] == "public, max-age=31536000, immutable"
    assert story.referenced_by == (Mention(SourcePath("index.html"), 2, "link href"), Mention(SourcePath("index.html"), 3, "a href"))
    assert story.refers_to == (Mention(SourcePath("img/a.png"), 2, "css url"), Mention(SourcePath("img/a.png"), 3, "css url"))


def test_every_kind_of_referrer_is_named(tmp_path: Path) -> None:
    assert {(one.file, one.line, one.how) for one in explain(tmp_path, "img/a.png").referenced_by} == {
        ("css/app.css", 2, "css url"),
        ("css/app.css", 3, "css url"),
        ("js/x.js", 0, "string"),
        ("data/app.json", 1, "manifest icons src"),
    }


def test_a_key_and_a_url_lead_to_the_file(tmp_path: Path) -> None:
    key = explain(tmp_path, "img/a.png").key
    assert key is not None
    assert explain(tmp_path, key).path == "img/a.png"
    assert explain(tmp_path, "/").path == "index.html"
    assert explain(tmp_path, "./index.html").path == "index.html"


def test_a_redirect(tmp_path: Path) -> None:
    story = explain(tmp_path, "/old/")
    assert (story.file_class, story.kind, story.key) == (FileClass.REDIRECT, Kind.ENTRY, "old/index.html")
    assert "Cache-Control" in dict(story.headers)


def test_what_is_left_out_says_so(tmp_path: Path) -> None:
    story = explain(tmp_path, "css/app.css.gz")
    assert (story.key, story.kind) == (None, None)
    assert "compressed" in story.reason


def test_what_is_not_there_names_what_is_near(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        explain(tmp_path, "img/aa.png")
    assert caught.value.code == "no-such-file"
    assert "`img/a.png`" in caught.value.hint
