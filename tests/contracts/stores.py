"""The stores that the contract judges, and what each lacks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from sitepub.core.model import HeaderSet
from sitepub.core.settings import BucketAddress
from sitepub.interfaces import Store
from sitepub.local.folder_store import FolderStore
from tests.support.memory_store import MemoryBucket, MemoryStore
from tests.support.servers import S3Server


@dataclass(frozen=True, slots=True)
class Abilities:
    """What an implementation, or the server behind it, can do. The store must be right in the rest all the same."""

    keeps_headers: bool = True
    keeps_redirects: bool = True
    keeps_backslashes: bool = True
    keeps_file_beside_folder: bool = True
    judges_copies: bool = True
    renews_parts: bool = True
    refuses_missing_bucket: bool = True
    judges_writes: bool = True
    judges_at_once: bool = True
    keeps_expires: bool = True
    replaces_in_copies: bool = True

    def kept(self, headers: HeaderSet) -> HeaderSet:
        """What it keeps of these."""
        if not self.keeps_headers:
            return ()
        return tuple(pair for pair in headers if self.keeps_expires or pair[0] != "Expires")


ABILITIES = {
    "memory": Abilities(),
    # a folder has no headers, no bucket, and one thing under one name
    "folder": Abilities(keeps_headers=False, keeps_redirects=False, keeps_file_beside_folder=False, refuses_missing_bucket=False),
    # SeaweedFS 4.48 drops x-amz-website-redirect-location, turns `\` into `/`, makes a bucket for the first put into it, and gives the copy of
    # an upload in parts its ETag
    "seaweedfs": Abilities(keeps_redirects=False, keeps_backslashes=False, refuses_missing_bucket=False, renews_parts=False),
    # moto 5.2 ignores If-Match and If-None-Match of CopyObject; of PutObject it looks first and writes then, from many threads without a lock, so
    # that two of sixteen may both create a key
    "moto": Abilities(judges_copies=False, judges_at_once=False),
    # `rclone serve s3` 1.75 ignores all conditions, so the store looks before it writes; its files are those of a disk; it drops Expires, and a
    # copy keeps those headers of what was copied that it is not given
    "rclone": Abilities(
        keeps_file_beside_folder=False,
        judges_copies=False,
        judges_writes=False,
        keeps_expires=False,
        replaces_in_copies=False,
    ),
}


@dataclass(frozen=True, slots=True)
class Case:
    """`store` is empty; `open` opens the same place again, as another client would; `missing` has no bucket."""

    name: str
    abilities: Abilities
    store: Store
    open: Callable[[], Store]
    missing: Callable[[], Store]


def make_case(name: str, request: pytest.FixtureRequest) -> Case:
    open_store, missing = _OPENERS[name](request)
    return Case(name, ABILITIES[name], open_store(), open_store, missing)


def _open_memory(request: pytest.FixtureRequest) -> tuple[Callable[[], Store], Callable[[], Store]]:
    bucket = MemoryBucket()
    return lambda: MemoryStore(bucket=bucket, prefix="site"), lambda: MemoryStore(bucket=MemoryBucket(is_missing=True))


def _open_folder(request: pytest.FixtureRequest) -> tuple[Callable[[], Store], Callable[[], Store]]:
    folder: Path = request.getfixturevalue("tmp_path")
    return lambda: FolderStore(folder / "published"), lambda: FolderStore(folder / "missing")


def _open_seaweedfs(request: pytest.FixtureRequest) -> tuple[Callable[[], Store], Callable[[], Store]]:
    return _open_server(request.getfixturevalue("seaweedfs"))


def _open_moto(request: pytest.FixtureRequest) -> tuple[Callable[[], Store], Callable[[], Store]]:
    return _open_server(request.getfixturevalue("moto_server"))


def _open_rclone(request: pytest.FixtureRequest) -> tuple[Callable[[], Store], Callable[[], Store]]:
    server: S3Server = request.getfixturevalue("rclone")
    address = server.make_address()

    def open_store(place: BucketAddress = address) -> Store:
        store = server.make_store(place)
        store.look_before_writing()
        return store

    return open_store, lambda: open_store(BucketAddress(f"missing-{address.prefix}"))


def _open_server(server: S3Server) -> tuple[Callable[[], Store], Callable[[], Store]]:
    address = server.make_address()
    return lambda: server.make_store(address), lambda: server.make_store(BucketAddress(f"missing-{address.prefix}"))


_OPENERS = {"memory": _open_memory, "folder": _open_folder, "seaweedfs": _open_seaweedfs, "moto": _open_moto, "rclone": _open_rclone}
