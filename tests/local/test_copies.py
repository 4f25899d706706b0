"""Local copies of what the target holds: right or not there, and never more than there is room for."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

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


def test_the_oldest_make_room(tmp_path: Path) -> None:
    copies = LocalCopies(tmp_path, most_bytes=250)
    contents = [bytes([number]) * 100 for number in range(5)]
    for age, content in enumerate(contents):
        copies.keep(digest_of(content), content)
        os.utime(tmp_path / digest_of(content), (1000 + age, 1000 + age))
    assert [copies.read(digest_of(content)) is not None for content in contents] == [False, False, True, True, True]


def test_one_that_is_larger_than_all_room_is_kept_alone(tmp_path: Path) -> None:
    copies = LocalCopies(tmp_path, most_bytes=10)
    copies.keep(digest_of(b"small"), b"small")
    copies.keep(digest_of(b"x" * 500), b"x" * 500)
    assert copies.read(digest_of(b"x" * 500)) == b"x" * 500
    copies.keep(digest_of(b"other"), b"other")
    assert [path.name for path in tmp_path.iterdir()] == [digest_of(b"other")]


def test_a_folder_that_can_not_be_written_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    copies = LocalCopies(tmp_path / "file")
    copies.keep(digest_of(b"one"), b"one")
    assert copies.read(digest_of(b"one")) is None
