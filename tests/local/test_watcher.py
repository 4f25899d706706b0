"""What a watcher notices, on a real file system."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from watchdog.observers.api import ObservedWatch

from sitepub.local.clock import SystemClock
from sitepub.local.watcher import Scope, Watcher

LONG = 20.0
"""More than any notice takes on a busy machine."""

SHORT = 0.5


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "public"
    (folder / "docs").mkdir(parents=True)
    (folder / "index.html").write_text("one")
    (folder / "docs/index.html").write_text("one")
    return folder


@pytest.fixture
def watcher(site: Path) -> Iterator[Watcher]:
    with Watcher(Scope((site,), (site / "left-out",)), SystemClock(), settle=0.1) as started:
        yield started


def replace(path: Path) -> None:
    """As many editors save."""
    fresh = path.with_suffix(".tmp~")
    fresh.write_text("two")
    fresh.replace(path)


CHANGES: dict[str, Callable[[Path], object]] = {
    "a file is written": lambda site: (site / "index.html").write_text("two"),
    "a file in a folder": lambda site: (site / "docs/index.html").write_text("two"),
    "a file is renamed onto another": lambda site: replace(site / "index.html"),
    "a file is deleted": lambda site: (site / "index.html").unlink(),
    "a new folder": lambda site: (site / "new").mkdir(),
    "a folder is moved away": lambda site: (site / "docs").rename(site.parent / "elsewhere"),
    "the whole is deleted": shutil.rmtree,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_changes_are_noticed(site: Path, watcher: Watcher, change: Callable[[Path], object]) -> None:
    change(site)
    assert watcher.wait(LONG)
    assert not watcher.wait(SHORT)


def test_reading_is_no_change(site: Path, watcher: Watcher) -> None:
    assert [path.read_text() for path in site.rglob("*.html")] == ["one", "one"]
    assert not watcher.wait(SHORT)


def test_what_is_left_out_is_no_change(site: Path, watcher: Watcher) -> None:
    (site / "left-out").mkdir()
    (site / "left-out/x").write_text("x")
    (site.parent / "beside").write_text("x")
    assert not watcher.wait(SHORT)


def test_a_file_in_a_new_folder_is_noticed(site: Path, watcher: Watcher) -> None:
    (site / "a/b").mkdir(parents=True)
    assert watcher.wait(LONG)
    (site / "a/b/index.html").write_text("new")
    assert watcher.wait(LONG)


def test_a_folder_that_was_deleted_and_made_again(site: Path, watcher: Watcher) -> None:
    shutil.rmtree(site)
    assert watcher.wait(LONG)
    site.mkdir()
    (site / "index.html").write_text("two")
    assert watcher.wait(LONG)
    while watcher.wait(SHORT):
        pass
    (site / "index.html").write_text("three")
    assert watcher.wait(LONG)


def test_a_folder_that_another_one_replaced(site: Path, watcher: Watcher) -> None:
    fresh = site.with_name("fresh")
    fresh.mkdir()
    site.rename(site.with_name("old"))
    fresh.rename(site)
    assert watcher.wait(LONG)
    while watcher.wait(SHORT):
        pass
    (site / "index.html").write_text("two")
    assert watcher.wait(LONG)


def test_a_root_that_is_not_there_yet(tmp_path: Path) -> None:
    site = tmp_path / "made/later"
    with Watcher(Scope((site,)), SystemClock(), settle=0.1) as watcher:
        (tmp_path / "beside").write_text("x")
        assert not watcher.wait(SHORT)
        site.mkdir(parents=True)
        assert watcher.wait(LONG)
        while watcher.wait(SHORT):
            pass
        (site / "index.html").write_text("one")
        assert watcher.wait(LONG)


def test_a_folder_that_goes_before_it_can_be_watched(site: Path, watcher: Watcher, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a build does that makes its output anew: there is no way to see a folder and watch it at once."""
    schedule = watcher._schedule
    missed: list[Path] = []

    def go_first(path: Path) -> ObservedWatch:
        if path == site and not missed:
            missed.append(path)
            shutil.rmtree(site)
        return schedule(path)

    monkeypatch.setattr(watcher, "_schedule", go_first)
    shutil.rmtree(site)
    site.mkdir()
    assert watcher.wait(LONG)
    assert missed == [site]
    site.mkdir()
    assert watcher.wait(LONG)
    while watcher.wait(SHORT):
        pass
    (site / "index.html").write_text("three")
    assert watcher.wait(LONG)


def test_a_root_that_is_a_file(tmp_path: Path) -> None:
    file = tmp_path / "sitepub.yaml"
    file.write_text("a")
    with Watcher(Scope((file,)), SystemClock(), settle=0.1) as watcher:
        (tmp_path / "other.yaml").write_text("x")
        assert not watcher.wait(SHORT)
        replace(file)
        assert watcher.wait(LONG)


def test_a_burst_is_one_change(site: Path) -> None:
    with Watcher(Scope((site,)), SystemClock(), settle=1.0) as watcher:
        writing = threading.Thread(target=write_slowly, args=(site,))
        writing.start()
        assert watcher.wait(LONG)
        assert not writing.is_alive(), "told before the burst was over"
        assert not watcher.wait(SHORT)


def write_slowly(site: Path) -> None:
    for number in range(8):
        (site / f"{number}.html").write_text("x")
        time.sleep(0.1)


def test_a_burst_without_end_is_told_at_last(site: Path) -> None:
    stopped = threading.Event()

    def write() -> None:
        while not stopped.wait(0.05):
            (site / "log.txt").write_text("x")

    with Watcher(Scope((site,)), SystemClock(), settle=1.0, longest=2.0) as watcher:
        writing = threading.Thread(target=write)
        writing.start()
        try:
            assert watcher.wait(LONG)
        finally:
            stopped.set()
            writing.join()


def test_where_no_watches_are_left_folders_are_listed(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno

    from watchdog.observers.inotify import InotifyObserver

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "inotify watch limit reached")

    monkeypatch.setattr(InotifyObserver, "schedule", refuse)
    with Watcher(Scope((site,)), SystemClock(), settle=0.1) as watcher:
        assert watcher.polls
        (site / "index.html").write_text("two")
        assert watcher.wait(LONG)


def test_where_watches_run_out_later_folders_are_listed_from_then_on(site: Path, watcher: Watcher, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno

    from watchdog.observers.inotify import InotifyObserver

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "inotify watch limit reached")

    monkeypatch.setattr(InotifyObserver, "schedule", refuse)
    shutil.rmtree(site)
    site.mkdir()
    assert watcher.wait(LONG)
    assert watcher.polls
    (site / "index.html").write_text("two")
    assert watcher.wait(LONG)
