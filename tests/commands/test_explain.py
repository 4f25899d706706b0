"""`sitepub explain`, as a process, on the example site."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).resolve().parent.parent.parent / "examples" / "site"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    shutil.copytree(EXAMPLE, tmp_path / "site", ignore=shutil.ignore_patterns("_published"))
    return tmp_path / "site"


def sitepub(site: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "sitepub", *words, "-C", str(site)], capture_output=True, text=True, check=False)


def test_an_assets_story_has_key_rule_headers_referrers_and_fate(site: Path) -> None:
    done = sitepub(site, "explain", "img/waves.svg", "--json")
    assert done.returncode == 0, done.stderr
    story = json.loads(done.stdout)
    assert (story["path"], story["kind"], story["class"]) == ("img/waves.svg", "asset", "asset")
    assert story["key"].startswith("img/waves.")
    assert story["headers"]["Cache-Control"] == "public, max-age=31536000, immutable"
    assert story["rule"] == "`cache.assets`"
    assert story["referenced_by"] == [{"file": "css/site.css", "line": 15, "as": "css url"}]
    assert story["refers_to"] == []
    assert story["publish"] == {story["key"]: "put: new", "img/waves.svg": "put: new"}


def test_a_page_is_an_entry_that_is_linked_to_and_loads(site: Path) -> None:
    assert sitepub(site, "publish", "-q").returncode == 0
    story = json.loads(sitepub(site, "explain", "notes/index.html", "--json").stdout)
    assert (story["key"], story["kind"], story["publish"]) == ("notes/index.html", "entry", {"notes/index.html": "unchanged"})
    assert {"file": "index.html", "line": 17, "as": "a href"} in story["referenced_by"]
    assert {"file": "css/site.css", "line": 7, "as": "link href"} in story["refers_to"]


def test_a_key_and_a_redirect_are_explained_too(site: Path) -> None:
    key = json.loads(sitepub(site, "explain", "js/main.js", "--json").stdout)["key"]
    assert json.loads(sitepub(site, "explain", key, "--json").stdout)["path"] == "js/main.js"
    redirect = json.loads(sitepub(site, "explain", "/journal/", "--json").stdout)
    assert (redirect["class"], redirect["kind"], redirect["path"]) == ("redirect", "entry", "journal/index.html")


def test_what_is_not_in_the_site_is_a_usage_error_with_the_nearest_name(site: Path) -> None:
    done = sitepub(site, "explain", "css/sit.css")
    assert done.returncode == 2
    assert done.stderr == "error: `css/sit.css` is not in the site\nhint: `css/site.css` is\n"


def test_explain_writes_nothing(site: Path) -> None:
    sitepub(site, "explain", "index.html")
    assert not (site / "_published").exists()
