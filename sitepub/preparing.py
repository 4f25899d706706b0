"""From a request to a wish: build, scan, fingerprint, and what git says, while the target's state is read. Writes nothing to the target."""

from __future__ import annotations

import functools
import os
import sys
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from importlib import import_module
from itertools import accumulate
from operator import itemgetter
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from sitepub.core.model import Artifact, Commit, Key, SourcePath, Warning
from sitepub.core.partitions import partition_of_region
from sitepub.core.previews import build_environment, settle_for_preview
from sitepub.core.settings import BucketAddress, Config, FolderAddress, Tags
from sitepub.core.tags import OFFERED, TAG_HEADER
from sitepub.errors import RefusedError, SitepubError, join_problems
from sitepub.gathering import Aside, start_aside
from sitepub.history import History, foresee_history, read_history
from sitepub.interfaces import Body, Place, Progress, Source, SourceFile, Workers
from sitepub.releases import Snapshot
from sitepub.request import Request
from sitepub.wiring import Sight, cache_folder, find_distribution
from sitepub.wishes import Wish

if TYPE_CHECKING:
    from sitepub.local.cache import Cache
    from sitepub.local.executors import LateExecutor
    from sitepub.local.source import FolderSource
    from sitepub.site import Site
    from sitepub.site_bodies import Recipe
    from sitepub.site_memory import Inputs
    from sitepub.site_patching import Patched
    from sitepub.trying import Trial

PARALLEL_ABOVE = 8 * 1024 * 1024
"""Bytes of source below which a process pool costs more than it gives."""


DISTANT_SECONDS = 0.02
"""For an answer that is still awaited by then there is time to import something."""

AHEAD = (
    "sitepub.preparing_earlier",
    "sitepub.site_rereading",
    "zstandard",
    "sitepub.core.file_index",
    "sitepub.core.references.html",
    "sitepub.core.evidence",
    "sitepub.site_patching",
    "sitepub.core.document",
    "sitepub.core.plan",
    "sitepub.choosing",
    "sitepub.pipeline",
    "sitepub.publishing",
)
"""What a run imports that has something to do, in small steps."""


def _try_nothing(snapshot: Snapshot) -> None:
    return None


class Prepared(Struct, frozen=True):
    """A fingerprinted site, and the target's state as it was read meanwhile. `wish` None: `stat` alone says that the live release has just
    this content, of `unchanged` artifacts, and nothing was built. `trial`: of the target, where one was begun."""

    request: Request
    source: Source
    wish: Wish | None
    unchanged: int
    history: History
    snapshot: Snapshot
    warnings: tuple[Warning, ...]
    site: Site | None = None
    trial: Trial | None = None


def prepare(
    request: Request,
    sight: Sight,
    progress: Progress,
    *,
    may_patch: bool = False,
    try_target: Callable[[Snapshot], Trial | None] = _try_nothing,
) -> Prepared:
    """Builds, scans and fingerprints the source. What git forbids, and what the source lacks, stops it before the target is compared. `may_patch`:
    the whole site is not needed where a few pages changed. `try_target`: begins what may be found out of the target meanwhile."""
    # what fails meanwhile is told at once, not when a server answers at last
    read = start_aside(sight.releases.read_state, is_awaited=True)
    import sitepub.local.cache  # noqa: F401 - while the request is under way
    from sitepub.site_memory import look_at_inputs, remember_site

    history = request.history or _read_history(request)
    run_build(request, progress)
    progress.stage("scanning")
    source = scan(request)
    request, told = settle_host_files(request)
    _import_while_waiting(read)
    snapshot = read()
    has_distribution = find_distribution(request.target, snapshot.state) is not None
    warnings = (*history.warnings, *told)
    asked, request = request, settle_tags(request, sight, snapshot)
    with open_site_cache(request) as cache:
        inputs = look_at_inputs(source, request.config, request.target, has_distribution=has_distribution)
        known = remember_site(inputs, request.target, cache=cache)
        live = snapshot.state.live_release
        if known is not None and live is not None and live.manifest == known.manifest and snapshot.state.pending is None:
            return Prepared(asked, source, None, known.artifacts, history, snapshot, (*warnings, *known.warnings))
        from sitepub.preparing_earlier import find_earlier, patch, remember_stats, remember_unread

        source = recognise(request, source, history)
        with choose_executor(request.config, source) as executor, _trying(try_target, snapshot, executor) as trial:
            earlier = find_earlier(request, source, inputs, snapshot, cache, executor)
            if earlier is not None and not earlier.found.differing:
                remember_stats(request, source, inputs, cache, earlier)
                return Prepared(asked, source, None, earlier.run.artifacts, history, snapshot, (*warnings, *earlier.run.warnings))
            patched = (
                patch(request, source, inputs, sight, earlier, cache, executor, progress, has_distribution)
                if may_patch and earlier
                else None
            )
            if patched is not None:
                wish = _wish_for_patched(request, source, patched, history.commit, has_distribution, progress)
                return Prepared(asked, source, wish, 0, history, snapshot, (*warnings, *patched.warnings))
            if earlier is not None:
                remember_unread(request, cache, earlier)
            site, wish = build_wish(request, source, cache, executor, history.commit, has_distribution, progress, inputs)
    # what became of each file is much to hold for who only publishes it
    told = (*warnings, *site.warnings)
    return Prepared(asked, source, wish, 0, history, snapshot, told, None if may_patch else site, trial)


@contextmanager
def _trying(begin: Callable[[Snapshot], Trial | None], snapshot: Snapshot, executor: LateExecutor | None) -> Iterator[Trial | None]:
    """A trial beside what is done in here; where that fails, it is over before anybody is told."""
    if executor is not None and snapshot.state.is_blank:
        # what is forked beside a thread at work may wait for ever for what that thread held
        executor.fork()
    trial = begin(snapshot)
    try:
        yield trial
    except BaseException:
        if trial is not None:
            trial.end()
        raise


def _import_while_waiting(read: Aside[Snapshot]) -> None:
    """A run that has nothing to do imports none of it, unless the target is so far away that it costs nothing."""
    names = iter(AHEAD)
    seconds = DISTANT_SECONDS
    while not read.is_over_within(seconds) and (name := next(names, None)):
        import_module(name)
        seconds = 0


def _read_history(request: Request) -> History:
    if request.is_plan:
        return foresee_history(request.config, request.target)
    return read_history(request.config, request.target, request.permits)


def settle_host_files(request: Request) -> tuple[Request, tuple[Warning, ...]]:
    """The same request with what `_redirects` and `_headers` of the built site add to sitepub.yaml, and what of them can't be done here."""
    from sitepub.local.host_files import join_host_files

    config, warnings = join_host_files(request.config, request.target)
    return replace(request, config=settle_for_preview(config, request.target)), warnings


def settle_tags(request: Request, sight: Sight, snapshot: Snapshot) -> Request:
    """The same request, `invalidation.tags` settled for its target: `auto` is what the state remembers of the distribution. Before a first
    publish it is asked; a later one learns of a change when it invalidates, and the one after it follows."""
    tags, distribution = request.config.invalidation.tags, find_distribution(request.target, snapshot.state)
    has_tags = isinstance(request.target.store, BucketAddress) and partition_of_region(request.target.region).has_tags
    is_on = distribution is not None and has_tags and tags is not Tags.NEVER
    if is_on and tags is Tags.AUTO:
        is_on = snapshot.state.provisioned.get(OFFERED) == distribution if not snapshot.state.is_blank else _offers_tags(sight, snapshot)
    settled = replace(request.config.invalidation, tags=Tags.ALWAYS if is_on else Tags.NEVER)
    return replace(request, config=replace(request.config, invalidation=settled))


def _offers_tags(sight: Sight, snapshot: Snapshot) -> bool:
    """What is wrong with the distribution is told before the first write."""
    cdn = sight.cdn_of(snapshot.state)
    try:
        return cdn is not None and cdn.facts().tag_header == TAG_HEADER
    except SitepubError:
        return False


def build_wish(
    request: Request,
    source: Source,
    cache: Cache,
    executor: Workers | None,
    commit: Commit | None,
    has_distribution: bool,
    progress: Progress,
    inputs: Inputs | None = None,
) -> tuple[Site, Wish]:
    """The fingerprinted site, and all that a decision needs of it. `inputs`: as they were looked at already."""
    from sitepub.site import build_site

    site = build_site(
        source,
        request.config,
        request.target,
        cache=cache,
        executor=executor,
        has_distribution=has_distribution,
        progress=progress,
        inputs=inputs,
    )
    _refuse_leaving(site, request)
    return site, Wish(site.manifest, _supplier(source, site.recipes), commit, site.frozen_as_entries, digest=site.digest)


def _refuse_leaving(site: Site, request: Request) -> None:
    """What leads from a preview to the site itself would show that instead."""
    if site.leaving and not request.permits.broken:
        hint = "let `build:` use SITEPUB_URL, write relative references, or give previews hosts of their own with `previews.url`; `--allow broken` publishes all the same"
        raise join_problems("prefix-breaks", list(site.leaving), RefusedError, hint)


def _wish_for_patched(
    request: Request, source: Source, patched: Patched, commit: Commit | None, has_distribution: bool, progress: Progress
) -> Wish:
    """Bodies of what did not change are hardly ever asked for: only where the target has lost them, and then the whole site is built."""
    from sitepub.site_bodies import supply_body

    changed = {file.path: file for file in source.files if Key(file.path) in patched.recipes}
    mutex = threading.Lock()

    @functools.cache
    def build() -> Wish:
        with open_site_cache(request) as cache:
            return build_wish(request, source, cache, None, commit, has_distribution, progress)[1]

    def supply(artifact: Artifact) -> Body | Place:
        recipe = patched.recipes.get(artifact.key)
        if recipe is None or recipe.source is None:
            with mutex:  # many threads may ask at once, and one build is enough
                whole = build()
            return whole.supply(artifact)
        return supply_body(source, changed[recipe.source], recipe, artifact)

    return Wish(patched.manifest, supply, commit, digest=patched.digest)


def run_build(request: Request, progress: Progress) -> None:
    """`build:`, unless it is not asked for, told where its outcome will stand. Raises where it fails."""
    if not request.build or request.config.build is None:
        return
    from sitepub.local import builder

    progress.note(f"building: {request.config.build}")
    folder = request.folder or request.config.path.parent
    environment = {**request.environment, **build_environment(request.target)}
    builder.run_build(
        request.config.build, folder, environment=environment, output=sys.stderr, show=request.show_build, place=_place_of_build(request)
    )


def _place_of_build(request: Request) -> str | None:
    """Where to try it by hand: what a commit was exported to is gone by then."""
    commit = request.history.commit if request.history else None
    return f"a checkout of commit `{commit.id[:8]}`" if commit is not None else None


def scan(request: Request) -> FolderSource:
    from sitepub.local.source import scan_source

    config = request.config
    is_folder = isinstance(request.target.store, FolderAddress)
    found = scan_source(config.source, ignore=config.ignore, allow=config.allow, links=config.links, store_is_folder=is_folder)
    if request.lent is None:
        return found
    from sitepub.local.lending import borrow

    return borrow(found, request.lent)


def recognise(request: Request, source: FolderSource, history: History) -> FolderSource:
    """The source with git's ids of what is committed as it was built: what is known by them need not be read, whatever `stat` says."""
    if request.lent is not None or history.repository is None or (request.build and request.config.build is not None):
        return source
    from sitepub.local.lending import with_blobs

    return with_blobs(source, history.repository.find_blobs(source.root))


@contextmanager
def open_site_cache(request: Request) -> Iterator[Cache]:
    """What builds of this configuration's site remember of its files."""
    from sitepub.local.cache import open_cache

    with closing(open_cache(cache_folder(request.config.path, request.environment) / "site.sqlite")) as cache:
        yield cache


@contextmanager
def open_workplace(request: Request, source: Source) -> Iterator[tuple[Cache, Workers | None]]:
    """What a build works with: what earlier ones remember, and who does the work."""
    with open_site_cache(request) as cache, choose_executor(request.config, source) as executor:
        yield cache, executor


@contextmanager
def choose_executor(config: Config, source: Source) -> Iterator[LateExecutor | None]:
    """The one that `executor:` names for a large site; none but this process for a small one."""
    is_local = not config.executor.startswith("dask:")
    if is_local and ((os.cpu_count() or 1) < 2 or not _is_large(source)):
        yield None
        return
    from sitepub.local.executors import open_executor

    with open_executor(config.executor) as executor:
        yield executor


def _is_large(source: Source) -> bool:
    return any(size >= PARALLEL_ABOVE for size in accumulate(file.size for file in source.files))


def _find_file(source: Source, path: SourcePath) -> SourceFile:
    """They stand in order, and a table of a million would be fifty megabytes more."""
    return source.files[bisect_left(source.files, path, key=itemgetter(0))]


def _supplier(source: Source, recipes: Mapping[Key, Recipe]) -> Callable[[Artifact], Body | Place]:
    """Bodies of a site's artifacts, made again from the source as they are asked for."""
    from sitepub.site_bodies import supply_body

    def supply(artifact: Artifact) -> Body | Place:
        recipe = recipes[artifact.key]
        return supply_body(source, _find_file(source, recipe.source) if recipe.source is not None else None, recipe, artifact)

    return supply
