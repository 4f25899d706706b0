"""Packs go into the target while the next ones are filled."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from sitepub.core.model import Artifact, Digest, ETag, Key
from sitepub.gathering import Aside, run_all, start_all, start_aside
from sitepub.interfaces import Anything, Store
from sitepub.local.batches import make_batches
from sitepub.pack_draft import Pack, PackDraft
from sitepub.packs import Framed, compress_all, pack_key
from sitepub.releases import PRIVATE_BYTES

SENT_AT_ONCE = 4
FRAMED_AT_ONCE = 128
FRAMED_BYTES = 8 * 1024 * 1024
"""Bodies that are read while as many are compressed."""

A = TypeVar("A")
R = TypeVar("R")

Arrived = Callable[[Key, Digest, ETag], object]
"""Told of each pack that the target has."""


def _ignore(*_: object) -> None:
    return None


def frame_all(
    artifacts: Iterable[Artifact], read: Callable[[Artifact], bytes | Framed], *, workers: int | None = None
) -> Iterator[tuple[Digest, bytes]]:
    """Frames in the order of artifacts; the next bodies are read while these are compressed and taken. `read`: gives one, `workers` at once (None: as
    many as there are cores), or one that is compressed already."""
    workers = workers or os.cpu_count() or 1

    def read_batch(batch: Sequence[Artifact]) -> list[tuple[Artifact, bytes | Framed]]:
        return run_all(read, batch, workers=workers)

    batches = make_batches(artifacts, lambda artifact: artifact.size, most_bytes=FRAMED_BYTES, most_files=FRAMED_AT_ONCE)
    for found in _read_ahead(read_batch, batches):
        compressed = iter(compress_all(body for _, body in found if isinstance(body, bytes)))
        for artifact, body in found:
            yield artifact.body, next(compressed) if isinstance(body, bytes) else body.frame


def _read_ahead(call: Callable[[A], R], arguments: Iterable[A]) -> Iterator[R]:
    """What `call` answers, in order; each is asked while the one before it is used."""
    coming: Aside[R] | None = None
    for argument in arguments:
        ready = () if coming is None else (coming(),)
        coming = start_aside(partial(call, argument), is_awaited=True)
        yield from ready
    if coming is not None:
        yield coming()


def send_packs(
    records: Store, draft: PackDraft, packs: Iterable[Pack], checked: Callable[[], object] = _ignore, then: Arrived = _ignore
) -> Callable[[], object]:
    """Draws the packs, and so fills the draft; what is returned waits for the last ones to arrive. `checked`: awaited before each."""

    def send(pack: Pack) -> None:
        checked()
        key = pack_key(pack.name)
        then(key, pack.digest, records.put(key, draft.read_pack(pack), PRIVATE_BYTES, digest=pack.digest, expect=Anything()))

    return start_all(send, packs, workers=SENT_AT_ONCE)
