"""What a run goes on from: the last build, where it made what is live, and the files that hold other bytes since. What is needed of it is imported
where there is something to look at."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from msgspec import Struct

from sitepub.interfaces import Progress, Source, Workers
from sitepub.releases import Snapshot
from sitepub.request import Request
from sitepub.wiring import Sight

if TYPE_CHECKING:
    from sitepub.core.state import Release
    from sitepub.local.cache import Cache, KnownRun
    from sitepub.site_memory import Inputs
    from sitepub.site_patching import Patched
    from sitepub.site_rereading import Reread


class Earlier(Struct, frozen=True):
    """The last build, which made the live release, and what files hold whose `stat` is another one than it saw. They were read from `started` (ns) on."""

    run: KnownRun
    live: Release
    found: Reread
    started: int


def find_earlier(
    request: Request, source: Source, inputs: Inputs, snapshot: Snapshot, cache: Cache, executor: Workers | None
) -> Earlier | None:
    """None where the last build made something else, or other files are there than were."""
    from sitepub.site_memory import find_changed, remember_last

    live, started = snapshot.state.live_release, time.time_ns()
    last = remember_last(inputs, request.target, cache=cache)
    if last is None or live is None or live.manifest != last.run.manifest or snapshot.state.pending is not None:
        return None
    changed, run = find_changed(source, inputs, last), last.run
    del last  # a line a file
    if changed is None:
        return None
    from sitepub.site_rereading import reread

    found = reread(source, request.config, request.target, changed, cache=cache, executor=executor)
    return None if found is None else Earlier(run, live, found, started)


def remember_stats(request: Request, source: Source, inputs: Inputs, cache: Cache, earlier: Earlier) -> None:
    """So that the next run need not read the same files again."""
    from sitepub.site_memory import keep_run

    keep_run(cache, source, inputs, request.target, earlier.run, started=earlier.started, is_patchable=True)


def remember_unread(request: Request, cache: Cache, earlier: Earlier) -> None:
    """So that a build of the whole site need not read again what was found to be the same."""
    from sitepub.site_rereading import remember_same

    remember_same(request.config, request.target, earlier.found, cache=cache, started=earlier.started)


def patch(
    request: Request,
    source: Source,
    inputs: Inputs,
    sight: Sight,
    earlier: Earlier,
    cache: Cache,
    executor: Workers | None,
    progress: Progress,
    has_distribution: bool,
) -> Patched | None:
    """The last build, with what differs patched into it. None where the whole site must be built."""
    from sitepub.site_patching import patch_site

    return patch_site(
        source,
        request.config,
        request.target,
        sight.releases.read_document(earlier.live).manifest,
        earlier.found.differing,
        earlier.run,
        inputs,
        cache=cache,
        executor=executor,
        has_distribution=has_distribution,
        progress=progress,
    )
