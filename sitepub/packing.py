"""Packs go into the target while the next ones are filled."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence

from sitepub.core.model import Artifact, Digest, ETag, Key
from sitepub.gathering import run_all, start_all
from sitepub.interfaces import Anything, Store
from sitepub.pack_draft import Pack, PackDraft
from sitepub.packs import pack_key
from sitepub.releases import PRIVATE_BYTES

SENT_AT_ONCE = 4
FRAMED_AT_ONCE = 256
"""Frames that wait in memory for their place in a pack."""

Arrived = Callable[[Key, Digest, ETag], object]
"""Told of each pack that the target has."""


def _ignore(*_: object) -> None:
    return None


def frame_all(
    artifacts: Sequence[Artifact], frame: Callable[[Artifact], bytes], *, workers: int | None = None
) -> Iterator[tuple[Digest, bytes]]:
    """Frames in the order of artifacts. `frame`: gives that of one, `workers` at once; None: as many as there are cores to compress on."""
    workers = workers or os.cpu_count() or 1
    for first in range(0, len(artifacts), FRAMED_AT_ONCE):
        batch = artifacts[first : first + FRAMED_AT_ONCE]
        for artifact, framed in run_all(frame, batch, workers=workers):
            yield artifact.body, framed


def send_packs(
    records: Store, draft: PackDraft, packs: Iterable[Pack], checked: Callable[[], object] = _ignore, then: Arrived = _ignore
) -> Callable[[], object]:
    """Draws the packs, and so fills the draft; what is returned waits for the last ones to arrive. `checked`: awaited before each."""

    def send(pack: Pack) -> None:
        checked()
        key = pack_key(pack.name)
        then(key, pack.digest, records.put(key, draft.read_pack(pack), PRIVATE_BYTES, digest=pack.digest, expect=Anything()))

    return start_all(send, packs, workers=SENT_AT_ONCE)
