"""Which of the files whose `stat` changed hold other bytes than the last run saw. A generator writes every file anew, and nearly all as they were:
those are hashed, and no scanner is imported for them."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from sitepub.core.settings import Config, Target
from sitepub.interfaces import Source, SourceFile, Workers
from sitepub.local.batches import make_batches, run_batches
from sitepub.local.cache import Cache
from sitepub.local.digesting import DigestBatch, digest_batch
from sitepub.site_memory import digest_context, follows_links

AT_ONCE_BYTES = 64 * 1024 * 1024
"""Hashed in the time that other processes take to start."""
AT_ONCE_FILES = 8192
FIRST_FILES = 64
"""Enough to see whether most of them differ: then all are read to be scanned anyhow."""


class Reread(Struct, frozen=True):
    """`same`: files that were read, and hold what they held; `differing`: those that may not."""

    same: tuple[SourceFile, ...]
    differing: tuple[SourceFile, ...]


def reread(
    source: Source, config: Config, target: Target, changed: Sequence[SourceFile], *, cache: Cache, executor: Workers | None
) -> Reread | None:
    """None where one of `changed` was not known at all. Raises as `read_file`."""
    known = cache.find_current(digest_context(config, target, links=follows_links(config, target)), changed)
    if len(known) != len(changed):
        return None
    unknown = [file for file in changed if not known[file.path][1]]
    source.bring(unknown)
    same, differing = list[SourceFile](), list[SourceFile]()
    for some in (unknown[:FIRST_FILES], unknown[FIRST_FILES:]):
        if 2 * len(differing) > FIRST_FILES:
            differing += some
            break
        batches = make_batches(some, lambda file: file.size, most_bytes=AT_ONCE_BYTES, most_files=AT_ONCE_FILES)
        answers = run_batches(executor, digest_batch, (DigestBatch(source.root, batch) for batch in batches))
        others = {path for path, digest in answers if digest != known[path][0]}
        differing += [file for file in some if file.path in others]
        same += [file for file in some if file.path not in others]
    return Reread(tuple(same), tuple(differing))


def remember_same(config: Config, target: Target, found: Reread, *, cache: Cache, started: int) -> None:
    """So that a build of the whole site need not read them again. `started`: a time in ns before they were read."""
    cache.keep_stats(digest_context(config, target, links=follows_links(config, target)), found.same, read_at=started)
