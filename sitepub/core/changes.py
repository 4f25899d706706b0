"""What a run changes at the site's keys, as people and scripts are told it."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from sitepub.core.model import Key, Kind, SourcePath


class Action(StrEnum):
    """What is done at a key. COPY: on the server, from another key."""

    PUT = "put"
    COPY = "copy"
    DELETE = "delete"


class Change(Struct, frozen=True, gc=False):
    """One key of the site and what happens to it, as JSON shows it. `bytes` of a delete is 0, its `source` None."""

    key: Key
    source: SourcePath | None
    kind: Kind
    action: Action
    reason: str
    bytes: int


class Summary(Struct, frozen=True):
    """Keys of the site, by what becomes of them."""

    new: int = 0
    changed: int = 0
    headers: int = 0
    removed: int = 0
    unchanged: int = 0
