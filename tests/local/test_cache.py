"""The cache: what it may answer, when it may not, and that losing it is only slow."""

from __future__ import annotations

import os
import sqlite3
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from sitepub.core.model import Digest, SourcePath, Warning
from sitepub.core.settings import Redirect
from sitepub.interfaces import SourceFile
from sitepub.local.cache import KEPT_DAYS, KnownRewrite, KnownRun, LastRun, is_settled, open_cache
from sitepub.local.source import scan_source
from sitepub.site_memory import look_at_inputs, remember_site
from tests.support.building import build_tree, make_config, write_tree

SECOND = 1_000_000_000
NOW = 1_700_000_000 * SECOND
FILE = SourceFile(SourcePath("a\udce9.html"), 5, NOW - 10 * SECOND + 1, 2**64 - 1)
DIGEST = Digest("0" * 64)


def test_a_file_is_known_while_its_stat_is_the_same(tmp_path: Path) -> None:
    cache = open_cache(tmp_path / "c" / "cache.sqlite")
    cache.keep_file("x", FILE, "html", DIGEST, b"{}", read_at=NOW)
    cache.close()
    cache = open_cache(tmp_path / "c" / "cache.sqlite")
    known = cache.find_file("x", FILE, "html")
    assert known is not None
    assert (known.digest, known.survey, known.is_current) == (DIGEST, b"{}", True)
    assert cache.find_file("y", FILE, "html") is None
    assert cache.find_file("x", FILE, "css") is None
    for changed in (
        SourceFile(FILE.path, 6, FILE.mtime_ns, FILE.inode),
        SourceFile(FILE.path, 5, FILE.mtime_ns + 1, FILE.inode),
        SourceFile(FILE.path, 5, FILE.mtime_ns, 3),
    ):
        known = cache.find_file("x", changed, "html")
        assert known is not None
        assert not known.is_current
    cache.close()


@pytest.mark.parametrize(
    ("age", "is_trusted"),
    [
        (10 * SECOND, True),
        (3 * SECOND, True),
        (SECOND + 1, True),
        (50_000_001, False),
        (SECOND, False),
        (2 * SECOND, False),
        (-5 * SECOND, False),
    ],
)
def test_a_fresh_mtime_is_not_trusted(age: int, is_trusted: bool) -> None:
    """Whole seconds are a sign of coarse time stamps."""
    file = SourceFile(SourcePath("a"), 1, NOW - age, 1)
    assert is_settled(file, NOW) is is_trusted
    cache = open_cache(None)
    cache.keep_file("x", file, "", DIGEST, None, read_at=NOW)
    cache.flush()
    known = cache.find_file("x", file, "")
    assert known is not None
    assert known.is_current is is_trusted
    cache.close()


def test_rewrites_and_runs(tmp_path: Path) -> None:
    cache = open_cache(tmp_path / "cache.sqlite")
    rewrite = KnownRewrite(Digest("1" * 64), 7, b"[]")
    run = KnownRun(Digest("2" * 64), 3, (Warning("a", "b"),))
    cache.keep_rewrite("x", FILE.path, DIGEST, "e", rewrite)
    cache.keep_run("local", "f", run)
    cache.close()
    cache = open_cache(tmp_path / "cache.sqlite")
    assert cache.find_rewrite("x", FILE.path, DIGEST, "e") == rewrite
    assert cache.find_rewrite("x", FILE.path, DIGEST, "other") is None
    assert cache.find_run("local", "f") == run
    assert cache.find_run("local", "g") is None
    assert cache.find_run("production", "f") is None
    cache.close()


def test_the_last_run_is_kept_with_what_it_saw_and_a_damaged_list_says_nothing(tmp_path: Path) -> None:
    run = KnownRun(Digest("2" * 64), 3, ())
    stats = "a\0" + "1 2 3\n\udcff\0" + "1 2 3 fresh"
    with closing(open_cache(tmp_path / "cache.sqlite")) as cache:
        cache.keep_run("local", "", run, "settings", stats)
        cache.flush()
        assert cache.find_last("local", "settings") == LastRun(run, stats)
        assert cache.find_last("local", "others") is None
    with closing(sqlite3.connect(tmp_path / "cache.sqlite")) as base, base:
        base.execute("update runs set stats = ?", (b"spoilt",))
    with closing(open_cache(tmp_path / "cache.sqlite")) as cache:
        assert cache.find_last("local", "settings") == LastRun(run, "")


@pytest.mark.parametrize("body", [b"this is no database" * 100, b"", b"SQLite format 3\0" + b"\xff" * 4000])
def test_what_is_no_cache_is_replaced(body: bytes, tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    path.write_bytes(body)
    for _ in range(2):
        cache = open_cache(path)
        cache.keep_file("x", FILE, "html", DIGEST, None, read_at=NOW)
        cache.close()
    cache = open_cache(path)
    assert cache.find_file("x", FILE, "html") is not None
    cache.close()


def test_one_of_another_format_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    base = sqlite3.connect(path)
    base.execute("create table files (something)")
    base.execute("pragma user_version = 99")
    base.close()
    cache = open_cache(path)
    cache.keep_file("x", FILE, "html", DIGEST, None, read_at=NOW)
    cache.flush()
    assert cache.find_file("x", FILE, "html") is not None
    cache.close()


def test_one_that_is_damaged_in_the_middle_goes_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    cache = open_cache(path)
    for number in range(3000):
        file = SourceFile(SourcePath(f"{number}.html"), 1, 1, 1)
        cache.keep_file("x", file, "html", DIGEST, b"{}" * 50, read_at=NOW)
    cache.close()
    with path.open("r+b") as opened:
        opened.seek(8192)
        opened.write(b"\xff" * 200_000)
    cache = open_cache(path)
    for number in range(3000):
        cache.find_file("x", SourceFile(SourcePath(f"{number}.html"), 1, 1, 1), "html")
    cache.close()
    assert not path.exists()


def test_one_that_another_run_holds_is_done_without(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    open_cache(path).close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("begin exclusive")
    cache = open_cache(path, patience=0.05)
    cache.keep_file("x", FILE, "html", DIGEST, None, read_at=NOW)
    cache.close()
    other.execute("rollback")
    other.close()
    assert path.exists()


def _write_many(path: Path) -> int:
    cache = open_cache(path)
    for number in range(500):
        cache.keep_file("x", SourceFile(SourcePath(f"{number}"), 1, 1, 1), "", DIGEST, b"{}", read_at=NOW)
        cache.flush()
    cache.close()
    return os.getpid()


def test_runs_at_the_same_time_do_not_hurt_each_other(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    with ProcessPoolExecutor(3) as pool:
        list(pool.map(_write_many, [path] * 3))
    cache = open_cache(path)
    assert all(cache.find_file("x", SourceFile(SourcePath(f"{number}"), 1, 1, 1), "") for number in range(500))
    cache.close()


class TestPruning:
    def open(self, path: Path, context: str, names: str, *, day: int) -> None:
        """As a run does with files of these names."""
        cache = open_cache(path)
        paths = tuple(SourcePath(name) for name in names)
        for one in paths:
            cache.keep_file(context, SourceFile(one, 1, 1, 1), "", DIGEST, None, read_at=NOW)
            cache.keep_rewrite(context, one, DIGEST, "e", KnownRewrite(DIGEST, 1, None))
        cache.prune(context, paths, day=day)
        cache.close()

    def rows(self, path: Path) -> set[str]:
        base = sqlite3.connect(path)
        found = [base.execute(f"select context || path from {table}").fetchall() for table in ("files", "rewritten")]
        base.close()
        assert sorted(found[0]) == sorted(found[1])
        return {row for (row,) in found[0]}

    def test_rows_of_deleted_files_go_with_the_next_run_and_only_those_of_its_settings(self, tmp_path: Path) -> None:
        path = tmp_path / "cache.sqlite"
        self.open(path, "x", "abc", day=1)
        self.open(path, "y", "ab", day=1)
        self.open(path, "x", "ad", day=1)
        assert self.rows(path) == {"xa", "xd", "ya", "yb"}

    def test_settings_that_no_run_had_for_a_month_are_forgotten(self, tmp_path: Path) -> None:
        path = tmp_path / "cache.sqlite"
        self.open(path, "x", "a", day=1)
        self.open(path, "y", "a", day=1)
        self.open(path, "x", "a", day=1 + KEPT_DAYS)
        assert self.rows(path) == {"xa", "ya"}
        self.open(path, "x", "a", day=2 + KEPT_DAYS)
        assert self.rows(path) == {"xa"}

    def test_a_run_after_a_month_of_none_forgets_nothing_of_its_own(self, tmp_path: Path) -> None:
        """It finds what it needs, so it keeps none of it anew."""
        path = tmp_path / "cache.sqlite"
        self.open(path, "x", "a", day=1)
        cache = open_cache(path)
        cache.prune("x", (SourcePath("a"),), day=2 + KEPT_DAYS)
        cache.close()
        assert self.rows(path) == {"xa"}

    def test_a_build_prunes(self, tmp_path: Path) -> None:
        path = tmp_path / "cache.sqlite"
        for files in ({"a.html": "a", "b.html": "b"}, {}):
            cache = open_cache(path)
            build_tree(tmp_path / "site", files, cache=cache)
            cache.close()
            (tmp_path / "site" / "b.html").unlink(missing_ok=True)
        base = sqlite3.connect(path)
        assert base.execute("select path from files").fetchall() == [(b"a.html",)]
        base.close()


class TestRuns:
    """A run with nothing changed reads no file."""

    FILES = {"index.html": "<img src=a.png>", "a.png": b"a"}  # noqa: RUF012

    def test_a_second_run_remembers_the_first(self, tmp_path: Path) -> None:
        root, config = tmp_path / "site", make_config(tmp_path / "site")
        cache = open_cache(None)
        built = build_tree(root, self.FILES, cache=cache, config=config)
        from sitepub.core.manifest import digest_manifest

        source, target = scan_source(root), config.targets["local"]
        known = remember_site(look_at_inputs(source, config, target, has_distribution=False), target, cache=cache)
        assert known == KnownRun(digest_manifest(built.site.manifest), 3, ())
        assert remember_site(look_at_inputs(source, config, target, has_distribution=True), target, cache=cache) is None
        other = make_config(root, exclude=("a.png",))
        assert remember_site(look_at_inputs(source, other, target, has_distribution=False), target, cache=cache) is None
        redirected = make_config(root, redirects=(Redirect("/old/", "/new/"),))
        assert remember_site(look_at_inputs(source, redirected, target, has_distribution=False), target, cache=cache) is None
        write_tree(root, {".vite/manifest.json": "{}"})
        assert remember_site(look_at_inputs(scan_source(root), config, target, has_distribution=False), target, cache=cache) is None
        (root / ".vite/manifest.json").unlink()
        assert remember_site(look_at_inputs(scan_source(root), config, target, has_distribution=False), target, cache=cache) is not None
        write_tree(root, {"a.png": b"b"}, mtime=1_600_000_001)
        assert remember_site(look_at_inputs(scan_source(root), config, target, has_distribution=False), target, cache=cache) is None
        cache.close()

    def test_a_run_over_fresh_files_is_not_remembered(self, tmp_path: Path) -> None:
        cache, config = open_cache(None), make_config(tmp_path)
        write_tree(tmp_path, self.FILES, mtime=int(time.time()))
        build_tree(tmp_path, cache=cache, config=config)
        source = scan_source(tmp_path)
        assert (
            remember_site(
                look_at_inputs(source, config, config.targets["local"], has_distribution=False), config.targets["local"], cache=cache
            )
            is None
        )
        cache.close()

    def test_nothing_is_read_again_that_stat_says_is_the_same(self, tmp_path: Path) -> None:
        cache = open_cache(None)
        write_tree(tmp_path, {**self.FILES, "b.html": "<p>x"})
        first = build_tree(tmp_path, cache=cache)
        (tmp_path / "b.html").write_bytes(b"<p>y")
        os.utime(tmp_path / "b.html", (1_600_000_000, 1_600_000_000))
        second = build_tree_without_bodies(tmp_path, cache)
        assert second == {key: artifact.body for key, artifact in first.site.manifest.artifacts.items()}
        cache.close()

    def test_a_changed_file_and_what_loads_it_are_made_again(self, tmp_path: Path) -> None:
        cache = open_cache(None)
        build_tree(tmp_path, self.FILES, cache=cache)
        write_tree(tmp_path, {"a.png": b"other"}, mtime=1_600_000_001)
        cached = build_tree(tmp_path, cache=cache)
        assert cached.bodies == build_tree(tmp_path).bodies
        cache.close()

    def test_touched_files_are_read_but_not_scanned_again(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        cache = open_cache(None)
        first = build_tree(tmp_path, self.FILES, cache=cache)
        write_tree(tmp_path, self.FILES, mtime=1_650_000_000)

        def refuse(*arguments: object, **settings: object) -> None:
            raise AssertionError("scanned again")

        monkeypatch.setattr("sitepub.local.surveying.scan", refuse)
        assert build_tree(tmp_path, cache=cache).bodies == first.bodies
        cache.close()


def build_tree_without_bodies(root: Path, cache: object) -> dict[str, str]:
    from sitepub.local.cache import Cache
    from sitepub.site import build_site
    from tests.support.builders import SilentProgress

    assert isinstance(cache, Cache)
    config = make_config(root)
    source = scan_source(root)
    site = build_site(
        source, config, config.targets["local"], cache=cache, executor=None, has_distribution=False, progress=SilentProgress()
    )
    return {key: artifact.body for key, artifact in site.manifest.artifacts.items()}


@pytest.mark.parametrize("limit", [0, 900], ids=["as a range", "by name"])
def test_files_are_found_however_they_are_asked_for(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sitepub.local.cache._ASKED_BY_NAME", limit)
    cache = open_cache(None)
    files = [FILE._replace(path=SourcePath(f"{number}.html")) for number in range(9)]
    assert cache.find_files("x", files, ["html"] * 9) == [None] * 9, "an empty table is not asked"
    for number, file in enumerate(files):
        cache.keep_file("x", file, "html", Digest(f"d{number}"), b"", read_at=time.time_ns())
        cache.keep_rewrite("x", file.path, Digest(f"d{number}"), "e", KnownRewrite(Digest(f"r{number}"), number, None))
    cache.flush()
    some = [files[7], files[1]]
    assert [known and known.digest for known in cache.find_files("x", some, ["html", "css"])] == ["d7", None]
    assert {path: digest for path, (digest, _) in cache.find_current("x", some).items()} == {"7.html": "d7", "1.html": "d1"}
    asked = [(files[7].path, Digest("d7"), "e"), (files[1].path, Digest("d0"), "e")]
    assert [known and known.size for known in cache.find_rewrites("x", asked)] == [7, None]
    assert (cache.find_files("x", [], []), dict(cache.find_current("y", some)), cache.find_rewrites("x", [])) == ([], {}, [])
    cache.close()
