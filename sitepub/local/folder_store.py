"""A folder as a Store. Files appear whole under their names; expectations are looked up before the write, safely among the threads of
one process only. Records survive a power cut; what one takes from the rest is found by `verify`."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import threading
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from sitepub.core.model import Digest, ETag, HeaderSet, Key
from sitepub.errors import ConfigurationError, DefectError, RefusedError
from sitepub.interfaces import Absent, Body, Clock, ConditionFailedError, Expectation, Head, Listed, Place, Present, Stored
from sitepub.local.clock import SystemClock
from sitepub.local.folder_failures import explain_blocked_folder, explain_disk_failures, explain_missing, find_blocking_file
from sitepub.local.folder_files import hash_file, read_checked, remove_abandoned_drafts, sync_folder, write_draft
from sitepub.local.folder_keys import RECORDS, check_key, choose_drafts, find_keys

_LOCKS: Final = 64
_WITHOUT_HARD_LINKS: Final = frozenset((errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK))
_ATTEMPTS: Final = 64


class FolderStore:
    """`file:PATH`. The folder is made by the first write. Headers are not kept: they live in the manifest alone."""

    def __init__(self, path: Path, clock: Clock | None = None, *, keeps_records: bool = False) -> None:
        """`keeps_records` where records stand in a place of their own; under `.sitepub/` that is seen."""
        self._root = path.absolute()
        self._drafts = self._root / choose_drafts(self._root)
        self._keeps_records = keeps_records
        self._clock = clock or SystemClock()
        self._requests = 0
        self._count_lock = threading.Lock()
        self._locks = tuple(threading.Lock() for _ in range(_LOCKS))
        self._known_folders: set[Path] = set()

    @property
    def requests(self) -> int:
        return self._requests

    @property
    def keeps_headers(self) -> bool:
        return False

    @property
    def is_conditional(self) -> bool:
        return False

    def describe(self) -> str:
        return f"file:{self._root}"

    def place(self, key: Key) -> Place:
        return Place(str(self._root), key)

    def read(self, key: Key) -> Stored | None:
        self._count()
        with explain_disk_failures(key, self.describe()):
            try:
                body = self._find(key).read_bytes()
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                self._check_root()
                return None
            return Stored(body, _make_etag(hashlib.sha256(body).hexdigest()))

    def read_range(self, key: Key, start: int, length: int) -> bytes:
        self._count()
        with explain_disk_failures(key, self.describe()):
            try:
                with self._find(key).open("rb") as file:
                    file.seek(start)
                    return file.read(length)
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                raise explain_missing(key, self.describe()) from None

    def head(self, key: Key) -> Head | None:
        self._count()
        with explain_disk_failures(key, self.describe()):
            found = hash_file(self._find(key))
            if found is None:
                self._check_root()
                return None
            digest, size = found
            return Head(size, _make_etag(digest), Digest(digest), ())

    def may_hold(self, keys: Collection[Key] | None) -> bool:
        return any(keys is None or there.key in keys for there in self.list())

    def list(self, prefix: str = "") -> Iterator[Listed]:
        self._count()
        with explain_disk_failures(Key(prefix), self.describe()):
            self._check_root()
            for key, entry in find_keys(self._root, prefix):
                found = hash_file(Path(entry.path))
                if found is not None:
                    yield Listed(key, found[1], _make_etag(found[0]))

    def age(self, key: Key) -> float | None:
        self._count()
        with explain_disk_failures(key, self.describe()):
            try:
                found = self._find(key).stat()
            except (FileNotFoundError, NotADirectoryError):
                found = None
            if found is None or not stat.S_ISREG(found.st_mode):
                self._check_root()
                return None
            return max(0.0, self._clock.now().timestamp() - found.st_mtime)

    def put(self, key: Key, body: Body, headers: HeaderSet, *, digest: Digest, expect: Expectation) -> ETag:
        self._count()
        with explain_disk_failures(key, self.describe()):
            path = self._find(key)
            if isinstance(body, bytes):
                if hashlib.sha256(body).hexdigest() != digest:
                    raise DefectError("wrong-digest", f"`{key}` does not have the digest that it is written with")
                return self._write(key, path, iter((body,)), digest, expect)
            return self._write(key, path, read_checked(body.path, digest), digest, expect)

    def copy(self, place: Place, key: Key, headers: HeaderSet, *, digest: Digest, expect: Expectation) -> ETag:
        self._count()
        with explain_disk_failures(key, self.describe()):
            check_key(place.full_key)
            origin = Path(place.container) / place.full_key
            path = self._find(key)
            if not origin.is_file():
                raise explain_missing(Key(place.full_key), f"file:{place.container}")
            return self._write(key, path, read_checked(origin, digest), digest, expect)

    def delete(self, key: Key, *, expect: Expectation) -> None:
        self._count()
        with explain_disk_failures(key, self.describe()):
            path = self._find(key)
            self._check_inside(path.parent)
            with self._lock(key):
                found = hash_file(path)
                if found is None:
                    return
                if expect == Absent() or (isinstance(expect, Present) and expect.etag != _make_etag(found[0])):
                    raise ConditionFailedError(key)
                path.unlink(missing_ok=True)
            self._remove_empty_folders(path.parent)

    def _count(self) -> None:
        with self._count_lock:
            self._requests += 1

    def _lock(self, key: Key) -> threading.Lock:
        return self._locks[hash(key) % _LOCKS]

    def _find(self, key: Key) -> Path:
        check_key(key)
        return self._root / key

    def _check_root(self) -> None:
        """Nothing stands in a folder that is not there yet; a file in its place is a mistake worth telling at once."""
        if not self._root.is_dir() and self._root.exists():
            raise ConfigurationError("no-folder", f"`{self.describe()}` is a file", "name a folder in `store:`")

    def _write(self, key: Key, path: Path, chunks: Iterator[bytes], digest: Digest, expect: Expectation) -> ETag:
        if isinstance(expect, Absent) and path.is_file():
            raise ConditionFailedError(key)
        is_record = self._keeps_records or RECORDS in path.parts
        draft = write_draft(self._make_drafts_folder(), chunks, is_durable=is_record)
        try:
            with self._lock(key):
                self._place_in_folder(draft, path, key, expect)
        finally:
            draft.unlink(missing_ok=True)
        if is_record:
            sync_folder(path.parent)
        return _make_etag(digest)

    def _place_in_folder(self, draft: Path, path: Path, key: Key, expect: Expectation) -> None:
        """A delete beside us may take an empty folder away between its making and its use."""
        for attempt in range(_ATTEMPTS):
            try:
                self._make_folder(path.parent)
                self._place(draft, path, key, expect)
            except FileNotFoundError:
                self._known_folders.discard(path.parent)
                if attempt == _ATTEMPTS - 1:
                    raise
            else:
                return

    def _place(self, draft: Path, path: Path, key: Key, expect: Expectation) -> None:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if isinstance(expect, Absent):
            if self._link(draft, path, key):
                return
        elif isinstance(expect, Present):
            found = hash_file(path)
            if found is None or _make_etag(found[0]) != expect.etag:
                raise ConditionFailedError(key)
        draft.replace(path)

    def _link(self, draft: Path, path: Path, key: Key) -> bool:
        """A hard link never replaces, whoever else writes; False on a disk that has none."""
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            raise ConditionFailedError(key) from None
        except OSError as failure:
            if failure.errno not in _WITHOUT_HARD_LINKS:
                raise
            if os.path.lexists(path):
                raise ConditionFailedError(key) from None
            return False
        return True

    def _make_drafts_folder(self) -> Path:
        folder = self._drafts
        if not folder.is_dir():
            self._known_folders.clear()
        if folder not in self._known_folders:
            self._make_folder(folder)
            remove_abandoned_drafts(folder)
        return folder

    def _make_folder(self, folder: Path) -> None:
        if folder in self._known_folders:
            return
        self._check_inside(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            self._check_root()
            blocking = find_blocking_file(folder)
            if blocking is None:
                raise FileNotFoundError(errno.ENOENT, "taken away meanwhile", str(folder)) from None
            raise explain_blocked_folder(blocking, self.describe()) from None
        self._known_folders.add(folder)

    def _check_inside(self, folder: Path) -> None:
        """No link on the way leads out of the root."""
        if folder in self._known_folders or folder.resolve().is_relative_to(self._root.resolve()):
            return
        raise RefusedError(
            "leaves-folder", f"`{folder}` leads out of `{self.describe()}` through a link", "remove the link, or name its end in `store:`"
        )

    def _remove_empty_folders(self, folder: Path) -> None:
        while folder != self._root and folder.is_relative_to(self._root):
            self._known_folders.discard(folder)
            try:
                folder.rmdir()
            except OSError:
                return
            folder = folder.parent


def _make_etag(digest: str) -> ETag:
    return ETag(f'"{digest}"')
