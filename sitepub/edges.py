"""What a run that writes needs of the world, as one value."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from sitepub.core.model import Key, Warning
from sitepub.core.plan import Shown
from sitepub.core.state import LEASE_SECONDS, Process
from sitepub.interfaces import Cdn, Clock, Progress, Store
from sitepub.releases import Releases

ATTEMPTS = 8
"""Times that a run starts over because another one changed the state in between."""


@dataclass(frozen=True, slots=True)
class InvalidationChoice:
    """What is to be invalidated once a release is live. `collateral`: weight of what is evicted without need."""

    items: tuple[str, ...] = ()
    collateral: float = 0
    warnings: tuple[Warning, ...] = ()


@dataclass(frozen=True, slots=True)
class Edges:
    """What a run needs of the world. `choose` is told what edges may show wrongly, and all keys that they may hold. `records` is where sitepub's own things stand; `is_gone` says that a process surely ended;
    `before_first_write` may stop the run, and tells what the target's state should keep. `lease_seconds`: a multiple of what a request may take."""

    store: Store
    records: Store
    releases: Releases
    cdn: Cdn | None
    choose: Callable[[tuple[Shown, ...], Collection[Key]], InvalidationChoice]
    clock: Clock
    progress: Progress
    process: Process
    is_gone: Callable[[Process], bool]
    spool: Path | None = None
    before_first_write: Callable[[], Mapping[str, str]] = dict
    lease_seconds: int = LEASE_SECONDS
