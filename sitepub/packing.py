"""Packs go into the target while the next ones are filled."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from sitepub.core.model import Artifact, Digest, ETag, Key
from sitepub.gathering import run_all, start_all, start_aside
from sitepub.interfaces import Anything, Store
from sitepub.pack_draft import Pack, PackDraft
from sitepub.packs import pack_key
from sitepub.releases import PRIVATE_BYTES

SENT_AT_ONCE = 4
FRAMED_AT_ONCE = 128
"""Frames that wait in memory for their place in a pack, while as many are made."""

Arrived = Callable[[Key, Digest, ETag], object]
"""Told of each pack that the target has."""


def _ignore(*_: object) -> None:
    return None


def frame_all(
    artifacts: Sequence[Artifact], frame: Callable[[Artifact], bytes], *, workers: int | None = None
) -> Iterator[tuple[Digest, bytes]]:
    """Frames in the order of artifacts; the next ones are made while these are taken. `frame`: gives that of one, `workers` at once; None: as many as
    there are cores to compress on."""
    workers = workers or os.cpu_count() or 1

    def frame_batch(first: int) -> list[tuple[Artifact, bytes]]:
        return run_all(frame, artifacts[first : first + FRAMED_AT_ONCE], workers=workers)

    made = frame_batch(0)
    for first in range(FRAMED_AT_ONCE, len(artifacts) + FRAMED_AT_ONCE, FRAMED_AT_ONCE):
        coming = start_aside(partial(frame_batch, first), is_awaited=True) if first < len(artifacts) else None
        for artifact, framed in made:
            yield artifact.body, framed
        made = coming() if coming is not None else []


def send_packs(
    records: Store, draft: PackDraft, packs: Iterable[Pack], checked: Callable[[], object] = _ignore, then: Arrived = _ignore
) -> Callable[[], object]:
    """Draws the packs, and so fills the draft; what is returned waits for the last ones to arrive. `checked`: awaited before each."""

    def send(pack: Pack) -> None:
        checked()
        key = pack_key(pack.name)
        then(key, pack.digest, records.put(key, draft.read_pack(pack), PRIVATE_BYTES, digest=pack.digest, expect=Anything()))

    return start_all(send, packs, workers=SENT_AT_ONCE)
