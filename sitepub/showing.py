"""From sitepub.yaml to a site that is shown on this machine: built and fingerprinted as for its target, with what stands before the target. Writes nothing to it."""

from __future__ import annotations

from msgspec import Struct

from sitepub.core.edge import ERROR_PAGE, is_out_of_reach, make_edge_rules
from sitepub.core.enumeration import name_some
from sitepub.core.model import Key, Warning
from sitepub.core.reloading import Built
from sitepub.errors import SitepubError
from sitepub.interfaces import CdnReader, Progress, Source
from sitepub.local.watcher import Scope
from sitepub.preparing import build_wish, open_workplace, run_build, scan, settle_host_files
from sitepub.request import Request
from sitepub.serving import ServedSite, file_times
from sitepub.site import Site
from sitepub.wiring import Sight, cache_folder, find_distribution, folders_written
from sitepub.wishes import Wish


class Surroundings(Struct, frozen=True):
    """What stands before a target. `error_page`: its key, and the status that it is answered with."""

    has_distribution: bool
    error_page: tuple[Key, int] = (Key(ERROR_PAGE), 404)
    warnings: tuple[Warning, ...] = ()


def look_around(request: Request, sight: Sight) -> Surroundings:
    """A target that can't be asked just now does not keep its site from being looked at: then the configuration alone says what stands before it."""
    named = request.target.distribution not in (None, "none")
    try:
        state = sight.releases.read_state().state
        cdn = sight.cdn_of(state)
        page = _find_error_page(cdn, request.target.url_path) if cdn is not None else None
    except SitepubError as error:
        message = f"`{sight.store.describe()}` can't be asked, so headers and error page follow sitepub.yaml alone: {error.message}"
        return Surroundings(named, warnings=(Warning("target-not-asked", message),))
    return Surroundings(find_distribution(request.target, state) is not None, page or (Key(ERROR_PAGE), 404))


def build_shown(request: Request, around: Surroundings, progress: Progress) -> tuple[ServedSite, tuple[Warning, ...]]:
    """Builds, scans and fingerprints. Raises as a plan does."""
    run_build(request, progress)
    source = scan(request)
    request, told = settle_host_files(request)
    with open_workplace(request, source) as (cache, executor):
        site, wish = build_wish(request, source, cache, executor, None, around.has_distribution, progress)
    shown = show_site(request, around, source, site, wish)
    return shown, (*told, *site.warnings, *_tell_out_of_reach(shown))


def show_site(request: Request, around: Surroundings, source: Source, site: Site, wish: Wish) -> ServedSite:
    """`wish` was made from `site`."""
    stories = {path: story for path, story in site.files.items() if story.key is not None}
    return ServedSite(
        manifest=site.manifest,
        supply=wish.supply,
        built=Built(
            {path: story.digest for path, story in stories.items()}, {path: story.key for path, story in stories.items() if story.key}
        ),
        rules=make_edge_rules(request.config.redirects, url_path=request.target.url_path, url_style=request.target.url_style),
        times=file_times(source.files),
        error_page=around.error_page,
        is_distributed=around.has_distribution,
    )


def find_scope(request: Request) -> Scope:
    """What a new build or a new look at the site follows from: the sources where `watch:` names them, else the built site; and sitepub.yaml."""
    config = request.config
    if not builds_on_change(request):
        return Scope((config.source, config.path))
    written = (config.source, config.path.parent / ".git", cache_folder(config.path, request.environment), *folders_written(config))
    return Scope((*config.watch, config.path), written)


def builds_on_change(request: Request) -> bool:
    return request.build and request.config.build is not None and bool(request.config.watch)


def _find_error_page(cdn: CdnReader, url_path: str) -> tuple[Key, int] | None:
    """A distribution may answer what is missing with any page, and with any status but those of a server's own faults."""
    pages = cdn.facts().error_pages
    return next(((Key(path.removeprefix(url_path).lstrip("/")), status) for path, status in pages if status < 500), None)


def _tell_out_of_reach(shown: ServedSite) -> tuple[Warning, ...]:
    """One line, however many: a site may have a folder of such names."""
    keys = [key for key in shown.manifest.artifacts if is_out_of_reach(key, shown.rules)]
    if not keys:
        return ()
    message = (
        f"no URL leads to {name_some(keys, 1)}: a name without an ending is taken for a page; put it below `.well-known/`, or give it one"
    )
    return (Warning("out-of-reach", message),)
