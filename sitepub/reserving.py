"""The ledger that all publishers of one account share, where `ledger:` names one: read, and changed by compare-and-swap. Decides nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final

from sitepub.core.ledger import Ledger
from sitepub.core.model import Digest, ETag, HeaderSet, Key
from sitepub.core.reserving import Shared, decode_shared, encode_shared
from sitepub.errors import StoppedError
from sitepub.interfaces import Absent, Clock, ConditionFailedError, Present, Store, StoreReader

KEY: Final = Key("ledger.json")
TRIES: Final = 60
PAUSE: Final = 0.2
"""Seconds between two tries."""

_HEADERS: HeaderSet = (("Cache-Control", "private, no-store"), ("Content-Type", "application/json"))


class SharedLedgerReader:
    """For those who only look."""

    def __init__(self, store: StoreReader) -> None:
        self._store = store

    @property
    def requests(self) -> int:
        return self._store.requests

    def describe(self) -> str:
        return f"{self._store.describe().rstrip('/')}/{KEY}"

    def read(self) -> Ledger:
        return self._read()[0].ledger

    def _read(self) -> tuple[Shared, ETag | None]:
        stored = self._store.read(KEY)
        return (Shared(), None) if stored is None else (decode_shared(stored.body, where=self.describe()), stored.etag)


class SharedLedger(SharedLedgerReader):
    """`nonce` makes a fresh random word for each change."""

    def __init__(self, store: Store, clock: Clock, nonce: Callable[[], str]) -> None:
        super().__init__(store)
        self._writes = store
        self._clock = clock
        self.nonce = nonce

    def change(self, step: Callable[[Shared], Shared | None]) -> None:
        """Swaps in what `step` makes of what stands there, which it may be asked several times; None changes nothing. Raises StoppedError where
        others are always faster."""
        for _ in range(TRIES):
            shared, etag = self._read()
            wanted = step(shared)
            if wanted is None or self._swap(wanted, etag):
                return
            self._clock.sleep(PAUSE)
        raise StoppedError("ledger-busy", f"other publishers keep changing `{self.describe()}`", "run it again")

    def _swap(self, wanted: Shared, etag: ETag | None) -> bool:
        """A refused swap whose nonce stands there is our own retried write, whose first answer was lost."""
        body = encode_shared(wanted)
        digest = Digest(hashlib.sha256(body).hexdigest())
        try:
            self._writes.put(KEY, body, _HEADERS, digest=digest, expect=Absent() if etag is None else Present(etag))
        except ConditionFailedError:
            return self._read()[0].nonce == wanted.nonce
        return True
