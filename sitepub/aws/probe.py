"""A few bytes among the records, before a first publish, under a name that nobody else knows: what a server does with them tells what it is."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from msgspec import Struct

from sitepub.core.model import Digest, ETag, Key
from sitepub.errors import SitepubError
from sitepub.gathering import start_aside
from sitepub.interfaces import Absent, Anything, ConditionFailedError, Present, Store

_FOLDER: Final = "probe/"
_PLAIN: Final = (("Cache-Control", "private, no-store"), ("Content-Type", "text/plain; charset=utf-8"))


class Probe(Struct, frozen=True):
    """`etag` None: the server refused a condition that holds."""

    records: Store
    key: Key
    body: bytes
    etag: ETag | None

    def put(self, expect: Absent | Anything | Present) -> ETag:
        return _put(self.records, self.key, self.body, expect)


@contextmanager
def open_probe(records: Store) -> Iterator[Probe]:
    """Takes it away in the end, whatever happened."""
    key, body = Key(f"{_FOLDER}{secrets.token_hex(8)}"), secrets.token_hex(16).encode()
    try:
        yield Probe(records, key, body, _put_first(records, key, body))
    except BaseException:
        # whoever may not write may not delete either: the first failure says what is lacking
        with suppress(SitepubError):
            records.delete(key, expect=Anything())
        raise
    records.delete(key, expect=Anything())


def judges_conditions(probe: Probe) -> bool:
    """True where the server itself refuses what it should and accepts what it should."""
    if probe.etag is None:
        return False
    await_other = start_aside(lambda: _is_refused(probe, Present(ETag('"0"'))), is_awaited=True)
    try:
        is_refused = _is_refused(probe, Absent())
    finally:
        is_other_refused = await_other()
    if not is_refused or not is_other_refused:
        return False
    try:
        probe.put(Present(probe.etag))
    except ConditionFailedError:
        return False
    return True


def _put_first(records: Store, key: Key, body: bytes) -> ETag | None:
    """A refusal of a name that nobody else knows is the answer to our own second attempt (that to the first was lost), or nonsense."""
    try:
        return _put(records, key, body, Absent())
    except ConditionFailedError:
        found = records.head(key)
    if found is None:
        _put(records, key, body, Anything())
    return found.etag if found else None


def _is_refused(probe: Probe, expect: Absent | Present) -> bool:
    try:
        probe.put(expect)
    except ConditionFailedError:
        return True
    return False


def _put(records: Store, key: Key, body: bytes, expect: Absent | Anything | Present) -> ETag:
    return records.put(key, body, _PLAIN, digest=Digest(hashlib.sha256(body).hexdigest()), expect=expect)
