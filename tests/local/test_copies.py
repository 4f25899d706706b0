"""Local copies of what the target holds: right or not there, and never more than there is room for."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from sitepub.core.model import Digest
from sitepub.local.copies import LocalCopies


def digest_of(content: bytes) -> Digest:
    return Digest(hashlib.sha256(content).hexdigest())


def test_a_copy_is_read_again_until_it_is_damaged(tmp_path: Path) -> None:
    copies = LocalCopies(tmp_path / "copies")
    digest = digest_of(b"one")
    assert copies.read(digest) is None
    copies.keep(digest, b"one")
    assert copies.read(digest) == b"one"
    (tmp_path / "copies" / digest).write_bytes(b"two")
    assert copies.read(digest) is None


def keep(folder: Path, *contents: bytes, most_bytes: int) -> None:
    """Each in a run of its own."""
    for content in contents:
        LocalCopies(folder, most_bytes=most_bytes).keep(digest_of(content), content)


def held(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_what_was_used_longest_ago_makes_room(tmp_path: Path) -> None:
    contents = [bytes([number]) * 100 for number in range(5)]
    keep(tmp_path, *contents[:4], most_bytes=1000)
    for age, content in enumerate(contents[:4]):
        os.utime(tmp_path / digest_of(content), (1000 + age, 1000 + age))
    LocalCopies(tmp_path).read(digest_of(contents[1]))
    keep(tmp_path, contents[4], most_bytes=250)
    assert held(tmp_path) == {digest_of(contents[1]), digest_of(contents[3]), digest_of(contents[4])}


def test_one_that_is_larger_than_all_room_is_kept_alone(tmp_path: Path) -> None:
    keep(tmp_path, b"small", b"x" * 500, most_bytes=10)
    assert held(tmp_path) == {digest_of(b"small"), digest_of(b"x" * 500)}
    keep(tmp_path, b"other", most_bytes=4)
    assert held(tmp_path) == {digest_of(b"other")}


def test_what_a_run_has_used_is_not_taken_from_the_next(tmp_path: Path) -> None:
    """A large site has more than there is room for, in shards that hardly change: taking the oldest of them would take what is needed again."""
    shards = [bytes([number]) * 100 for number in range(9)]
    copies = LocalCopies(tmp_path, most_bytes=250)
    for shard in shards:
        copies.keep(digest_of(shard), shard)
    another = LocalCopies(tmp_path, most_bytes=250)
    assert [another.read(digest_of(shard)) for shard in shards] == shards
    another.keep(digest_of(b"y"), b"y")
    assert held(tmp_path) == {digest_of(b"y"), *map(digest_of, shards)}


def test_room_is_not_measured_for_each_of_many_small_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[Path] = []
    looking = Path.iterdir
    monkeypatch.setattr(Path, "iterdir", lambda path: looks.append(path) or looking(path))
    copies = LocalCopies(tmp_path, most_bytes=16_000)
    for number in range(100):
        copies.keep(digest_of(b"%d" % number), b"%d" % number)
    assert len(looks) == 1
    copies.keep(digest_of(b"x" * 1000), b"x" * 1000)
    assert len(looks) == 2


def test_a_folder_that_can_not_be_written_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    copies = LocalCopies(tmp_path / "file")
    copies.keep(digest_of(b"one"), b"one")
    assert copies.read(digest_of(b"one")) is None
