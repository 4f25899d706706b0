"""What `status` shows: the state of a target beside what git has here. Reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from msgspec import Struct, field

from sitepub.core.model import Warning
from sitepub.core.pacing import foresee_month, read_month
from sitepub.core.provision.found import RECORDED
from sitepub.core.state import State
from sitepub.core.whereabouts import Whereabouts
from sitepub.gathering import start_aside
from sitepub.interfaces import CdnReader, Progress
from sitepub.local.git import find_repository
from sitepub.looking_distribution import find_drift, look_at_distribution
from sitepub.publishing import make_chooser
from sitepub.report_status import Quota
from sitepub.request import Request, read_request
from sitepub.wiring import Sight, look_at_target


class Seen(Struct, frozen=True):
    """`unpublished` None where git does not tell, `distribution` where there is none or it can't be asked; `now` in UTC."""

    target: str
    store: str
    state: State
    unpublished: Sequence[Mapping[str, str]] | None
    quota: Quota
    distribution: Whereabouts | None = None
    now: datetime = datetime.min
    warnings: tuple[Warning, ...] = field(default=())


def look(folder: Path, config: Path | None, target: str | None, environment: Mapping[str, str], progress: Progress | None = None) -> Seen:
    """Without `progress` nobody waits for what `up` would change."""
    request = read_request(folder, config, target, environment)
    sight = look_at_target(request.config, request.target, environment)
    state = sight.releases.read_state().state
    cdn = sight.cdn_of(state)
    is_ours = cdn is not None and state.provisioned.get(RECORDED) == cdn.distribution
    drift = partial(find_drift, request, environment, progress) if is_ours and progress is not None else None
    glance = start_aside(lambda: look_at_distribution(request.target, cdn, drift))
    quota, unpublished = _look_at_quota(request, sight, cdn, state), _find_unpublished(request, state)
    found = glance()
    return Seen(
        request.target.name,
        sight.store.describe(),
        state,
        unpublished,
        quota,
        found.whereabouts,
        sight.clock.now(),
        found.warnings,
    )


def _look_at_quota(request: Request, sight: Sight, cdn: CdnReader | None, state: State) -> Quota:
    """Whoever asks for the status wants to know what AWS counts now."""
    if cdn is None:
        return Quota()
    chooser = make_chooser(request.target, request.config.invalidation, sight, cdn)
    ledger = chooser.count(state)
    month = read_month(ledger, chooser.rules.free_paths, sight.clock.now())
    return Quota(month.used, month.free, foresee_month(month), ledger.counted_at is not None, ledger.unseen)


def _find_unpublished(request: Request, state: State) -> Sequence[Mapping[str, str]] | None:
    live = state.live_release
    repository = find_repository(request.config.path.parent)
    head = repository.head(request.config.source) if repository else None
    if repository is None or head is None or live is None or live.commit is None:
        return None
    between = repository.commits_between(live.commit.id, head.id)
    return None if between is None else [{"id": commit.id, "subject": commit.subject, "author": commit.author} for commit in between]
