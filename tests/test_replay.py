"""The replay of a history of builds: what it counts, on a small repository of its own."""

from __future__ import annotations

import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks.replay import count_evicted, fold_by_levels, read_builds, replay

BUILDS = (
    {"index.html": "<link rel=stylesheet href=app.css>front", "docs/index.html": "docs", "app.css": "a {}", "old.html": "old"},
    {"index.html": "<link rel=stylesheet href=app.css>front", "docs/index.html": "docs 2", "app.css": "a {}", "old.html": "old"},
    {"index.html": "<link rel=stylesheet href=app.css>front", "docs/index.html": "docs 2", "app.css": "b {}", "new.html": "new"},
)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    def git(*words: str) -> None:
        subprocess.run(["git", "-C", str(tmp_path), "-c", "user.name=A", "-c", "user.email=a@example.com", *words], check=True)

    git("init", "-q", "-b", "gh-pages")
    for number, files in enumerate(BUILDS):
        for path in tmp_path.glob("*.html"):
            path.unlink()
        for name, text in files.items():
            place = tmp_path / name
            place.parent.mkdir(exist_ok=True)
            place.write_text(text)
        git("add", "-A")
        git("commit", "-qm", f"build {number}")
    return tmp_path


def test_a_history_is_replayed_build_by_build(clone: Path) -> None:
    used, builds = replay(clone, "gh-pages", 10, 1000)
    assert [build.changed for build in builds] == [(), ("docs/index.html",), ("app.css",)]
    assert builds[2].deleted == ("old.html",)
    assert {name: sum(one.by_month.values()) for name, one in used.items()} == {
        # the third build: the front page loads a stylesheet of another name, under two URLs, and a page is gone
        "sitepub": 2 + 3,
        # the second one sends everything once, because tags are switched on
        "sitepub with tags": 1 + 2,
        "every changed path": 2 + 2,
        "`/*`": 2,
        "s3deploy's rule": 1 + 2,
    }
    assert [one.stale for one in used.values()] == [0, 0, None, None, None]


def test_builds_are_never_at_the_same_time(clone: Path) -> None:
    times = [build.at for build in read_builds(clone, "gh-pages", 10)]
    assert [later - earlier >= 120 for earlier, later in pairwise(times)] == [True, True]


@pytest.mark.parametrize(
    ("paths", "items"),
    [
        ([f"blog/post-{n}/index.html" for n in range(9)], ["/blog/*"]),
        ([f"docs/v1/guide/p{n}.html" for n in range(9)], ["/docs/v1/*"]),
        (["index.html"], ["/"]),
        ([f"p{n}.html" for n in range(9)], ["/*"]),
        (["a.html", "b/index.html"], ["/a.html", "/b/"]),
    ],
)
def test_the_other_tool_s_rule_is_as_it_was_seen_to_work(paths: list[str], items: list[str]) -> None:
    assert fold_by_levels(paths) == items


def test_what_items_evict_is_counted() -> None:
    assert count_evicted(["/a", "/b/*"], ["/a", "/b/1", "/b/2", "/c"]) == 3
    assert count_evicted(["/a"], ["/a/b"]) == 0
