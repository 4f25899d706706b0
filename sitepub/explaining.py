"""What `explain` tells: one file's story in the source, beside what a publish would do with it now. Reads only."""

from __future__ import annotations

from sitepub.decision import decide
from sitepub.interfaces import Progress
from sitepub.preparing import build_wish, open_workplace, scan, settle_host_files, settle_tags
from sitepub.report_story import Explained
from sitepub.request import Request
from sitepub.site_explaining import explain_file
from sitepub.wiring import Sight, find_distribution


def explain(request: Request, sight: Sight, path: str, progress: Progress) -> Explained:
    """Looks at the source as it is, without building it. Raises UsageError where the site has no such file."""
    source = scan(request)
    request, _ = settle_host_files(request)
    snapshot = sight.releases.read_state()
    has_distribution = find_distribution(request.target, snapshot.state) is not None
    request = settle_tags(request, sight, snapshot)
    with open_workplace(request, source) as (cache, executor):
        site, wish = build_wish(request, source, cache, executor, None, has_distribution, progress)
        story = explain_file(
            source,
            request.config,
            request.target,
            path,
            site=site,
            cache=cache,
            executor=executor,
            has_distribution=has_distribution,
            progress=progress,
        )
    changes = {change.key: change for change in decide(sight.store, sight.releases, snapshot, wish, request.permits).plan.changes}
    keys = [key for key, artifact in site.manifest.artifacts.items() if (artifact.source or key) == story.path]
    fates = [(key, f"{changes[key].action}: {changes[key].reason}" if key in changes else "unchanged") for key in keys]
    return Explained(story, tuple(fates))
