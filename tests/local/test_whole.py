"""Small files are there as a whole, or as they were."""

from __future__ import annotations

import resource
import threading
from pathlib import Path

import pytest

from sitepub.local.whole import write_whole


def test_it_is_for_this_user_alone_and_its_folder_is_made(tmp_path: Path) -> None:
    write_whole(tmp_path / "a/b/file", b"one")
    assert (tmp_path / "a/b/file").read_bytes() == b"one"
    assert (tmp_path / "a/b/file").stat().st_mode & 0o777 == 0o600


def test_a_reader_sees_one_or_the_other(tmp_path: Path) -> None:
    path, contents = tmp_path / "file", (b"a" * 100_000, b"b" * 100_000)
    write_whole(path, contents[0])
    is_over = threading.Event()

    def write() -> None:
        for number in range(300):
            write_whole(path, contents[number % 2])
        is_over.set()

    thread = threading.Thread(target=write)
    thread.start()
    seen = set()
    while not is_over.is_set():
        seen.add(path.read_bytes())
    thread.join()
    assert seen <= set(contents)
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_where_the_disk_is_full_what_was_there_stays(tmp_path: Path) -> None:
    write_whole(tmp_path / "file", b"one")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            write_whole(tmp_path / "file", b"x" * 5000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {"file": b"one"}
