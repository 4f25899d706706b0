"""What a run did, or would do, with all that follows from its request and target alone: the same for plan, publish, adopt and rollback. Decides nothing."""

from __future__ import annotations

import time
from collections.abc import Sequence

from msgspec.structs import replace

from sitepub.core.changes import Change, Summary
from sitepub.core.cost import Requests
from sitepub.core.model import Commit, Warning
from sitepub.core.previews import expires_at
from sitepub.core.settings import FolderAddress, Target
from sitepub.core.state import State
from sitepub.edges import Invalidated
from sitepub.report_account import Account, PreviewPlace
from sitepub.request import Request
from sitepub.wiring import Sight, find_distribution


def account_for(
    request: Request,
    sight: Sight,
    state: State,
    *,
    commit: Commit | None,
    summary: Summary,
    changes: Sequence[Change],
    invalidation: Invalidated,
    requests: Requests,
    warnings: Sequence[Warning],
    started: float,
    is_dry_run: bool = False,
) -> Account:
    """`state`: as it was before the run; `started`: time.monotonic() at its beginning. The release, and until when a preview is kept, are what is
    expected; who knows better says so."""
    target = request.target
    return Account(
        target=target.name,
        store=sight.store.describe(),
        release=None,
        commit=commit,
        is_dry_run=is_dry_run,
        summary=summary,
        changes=changes,
        invalidation=invalidation,
        free_paths=request.config.invalidation.free_paths if find_distribution(target, state) is not None else None,
        requests=requests,
        warnings=warnings,
        seconds=time.monotonic() - started,
        is_free=isinstance(target.store, FolderAddress),
        preview=_place_preview(target, sight),
    )


def keep_until(account: Account, moment: str) -> Account:
    """The same account, of a preview with the moment until which it is kept."""
    return account if account.preview is None else replace(account, preview=replace(account.preview, expires_at=moment))


def _place_preview(target: Target, sight: Sight) -> PreviewPlace | None:
    preview = target.preview
    if preview is None:
        return None
    return PreviewPlace(preview.name, preview.of, target.url, expires_at(target, sight.clock.now()))
