"""What the page of `--html` shows beside the account: the files behind the changes that most pages load, with who refers to them. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sitepub.core.changes import Action, Change
from sitepub.errors import ConfigurationError
from sitepub.interfaces import Progress
from sitepub.preparing import Prepared, open_workplace, settle_host_files
from sitepub.report_account import Account
from sitepub.report_page import account_as_page
from sitepub.site_explaining import Story, explain_file
from sitepub.wiring import find_distribution

MOST_LOOKED_AT = 6
MOST_SHOWN = 3


def write_page(path: Path, account: Account, prepared: Prepared, progress: Progress) -> None:
    """Raises ConfigurationError `unwritable`."""
    text = account_as_page(account, find_stories(prepared, account.changes, progress))
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise ConfigurationError("unwritable", f"`{path}` can't be written: {error.strerror or error}") from None


def find_stories(prepared: Prepared, changes: Sequence[Change], progress: Progress) -> tuple[Story, ...]:
    """Of assets that are put: each new name of one is the reason why pages change that load it."""
    if prepared.site is None:
        return ()
    sources = dict.fromkeys(change.source for change in changes if change.kind == "asset" and change.action is Action.PUT and change.source)
    request, _ = settle_host_files(prepared.request)
    has_distribution = find_distribution(request.target, prepared.snapshot.state) is not None
    with open_workplace(request, prepared.source) as (cache, executor):
        stories = [
            explain_file(
                prepared.source,
                request.config,
                request.target,
                source,
                site=prepared.site,
                cache=cache,
                executor=executor,
                has_distribution=has_distribution,
                progress=progress,
                links=None,
            )
            for source in list(sources)[:MOST_LOOKED_AT]
        ]
    ordered = sorted(stories, key=lambda story: -len(story.referenced_by))
    return tuple(story for story in ordered if story.referenced_by or story.refers_to)[:MOST_SHOWN]
