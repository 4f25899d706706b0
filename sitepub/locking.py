"""The lock of a target's state, where its store only looks before it writes: held for the time of one swap."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from sitepub.core.model import Digest, HeaderSet, Key
from sitepub.errors import StoppedError
from sitepub.interfaces import Absent, Anything, Clock, ConditionFailedError, Store

LOCK_KEY: Final = Key("lock")
FLAGS: Final = "locks/"
LOCK_SECONDS: Final = 60
"""The age from which on a lock is a dead run's."""

LOCK_PAUSE: Final = 0.2
LOCK_TRIES: Final = LOCK_SECONDS * 5
_EMPTY: Final = Digest(hashlib.sha256(b"").hexdigest())


class StateLock:
    """Of the state in `store`, whose own objects have `headers`. `nonce` makes a fresh random word for each flag."""

    def __init__(self, store: Store, clock: Clock, nonce: Callable[[], str], headers: HeaderSet) -> None:
        self._store = store
        self._clock = clock
        self._nonce = nonce
        self._headers = headers

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Raises StoppedError `locked` where another process holds it for too long."""
        lock = self._lock_by_flag() if self._store.keeps_headers else self._lock_by_file()
        try:
            yield
        finally:
            self._store.delete(lock, expect=Anything())

    def _lock_by_file(self) -> Key:
        """In a folder: one file, which is created exclusively."""
        for _ in range(LOCK_TRIES):
            try:
                self._store.put(LOCK_KEY, b"", self._headers, digest=_EMPTY, expect=Absent())
                return LOCK_KEY
            except ConditionFailedError:
                if not self._break_lock(LOCK_KEY):
                    self._clock.sleep(LOCK_PAUSE)
        raise self._locked(LOCK_KEY)

    def _lock_by_flag(self) -> Key:
        """On a server that ignores conditions nothing is created exclusively: each shows a flag, then looks for others, and goes on only where
        its own is alone. Of several, all but the first by name take theirs down again."""
        flag = Key(f"{FLAGS}{self._nonce()}")
        for _ in range(LOCK_TRIES):
            if not self._find_flags() and self._show_flag(flag):
                return flag
            self._clock.sleep(LOCK_PAUSE)
        raise self._locked(Key(FLAGS))

    def _show_flag(self, flag: Key) -> bool:
        """True once it is alone. Never left behind otherwise, and never so old that others might take it for a dead one's."""
        shown_at = self._clock.elapsed()
        self._store.put(flag, b"", self._headers, digest=_EMPTY, expect=Anything())
        while self._clock.elapsed() - shown_at < LOCK_SECONDS / 3:
            shown = self._find_flags()
            if shown == [flag]:
                return True
            if min(shown, default="") < flag:
                break
            self._clock.sleep(LOCK_PAUSE / 4)
        self._store.delete(flag, expect=Anything())
        return False

    def _find_flags(self) -> list[Key]:
        return [there.key for there in self._store.list(FLAGS) if not self._break_lock(there.key)]

    def _break_lock(self, key: Key) -> bool:
        """A lock is held for the time of one write; one that is older was left by a process that died in between. True where it is gone."""
        age = self._store.age(key)
        if age is not None and age > LOCK_SECONDS:
            self._store.delete(key, expect=Anything())
            return True
        return age is None

    def _locked(self, key: Key) -> StoppedError:
        where = f"{self._store.describe().rstrip('/')}/{key}"
        return StoppedError("locked", f"`{where}` is held by another process", "delete it if no other sitepub runs")
