"""What a run that writes needs of the world, as one value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, field

from sitepub.core.ledger import Ledger
from sitepub.core.model import Artifact, Key, Warning
from sitepub.core.settings import Invalidation
from sitepub.core.state import LEASE_SECONDS, Process, State
from sitepub.gathering import Pace
from sitepub.interfaces import Cdn, Clock, Progress, Store
from sitepub.releases import Releases

if TYPE_CHECKING:
    from sitepub.core.pacing import Month
    from sitepub.core.plan import Shown
    from sitepub.reserving import SharedLedger

CONDITIONS = "conditional_writes"
"""Kept in the state of a target whose server ignores conditions."""

ATTEMPTS = 8
"""Times that a run starts over because another one changed the state in between."""


class KeptLedger(Protocol):
    """A copy of the ledger on this machine."""

    def read(self) -> Ledger: ...

    def keep(self, ledger: Ledger) -> None: ...


class NoCopy:
    """Nothing is kept."""

    def read(self) -> Ledger:
        return Ledger()

    def keep(self, ledger: Ledger) -> None:
        return None


class InvalidationChoice(Struct, frozen=True):
    """What is to be invalidated once a release is live. `collateral`: weight of what is evicted without need; `ledger`: the month as it was
    counted for this (None: nobody asked); `folds`: URLs that changed for each wildcard or tag; `price` in USD; `reason`: why it is folded or owed;
    `facts`: what the state should keep of the distribution."""

    items: tuple[str, ...] = ()
    collateral: float = 0
    warnings: tuple[Warning, ...] = ()
    ledger: Ledger | None = None
    folds: tuple[tuple[str, int], ...] = ()
    price: float = 0.0
    reason: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


class Invalidated(Struct, frozen=True):
    """`state`: none | submitted | completed | owed. `used`: paths of this month, ours included (None: nobody asked); `foreseen`: those at its
    end, at this pace; `folds`: what a wildcard or tag stands for, in URLs that changed; `price` in USD, beyond the free paths."""

    items: tuple[str, ...] = ()
    collateral: float = 0
    state: str = "none"
    id: str | None = None
    reason: str = ""
    used: int | None = None
    foreseen: int | None = None
    folds: tuple[tuple[str, int], ...] = ()
    price: float = 0.0
    folded_because: str = ""


Choosing = Callable[[], InvalidationChoice]
"""Waits for a choice that was begun."""


def known_ledger(state: State) -> Ledger:
    """What the state itself knows of the month."""
    return state.ledger


def never_hold(month: Month) -> str:
    """What is owed is sent as soon as it may."""
    return ""


def never_bare() -> bool:
    """What stands in the store is not known."""
    return False


class Edges(Struct, frozen=True):
    """What a run needs of the world. `choose` is told what edges may show wrongly, all that they may hold, and the state; it begins to ask, and returns what waits
    for the choice. `count_month`: the month's ledger as far as it can be known; `rules`: what may be spent of it; `hold`: why nothing is sent just now; `shared`: where the account's publishers reserve paths. `records` is where sitepub's own things stand; `is_gone` says that a process surely ended;
    `before_first_write` may stop the run, and tells what the target's state should keep; `is_bare`: nothing at all stood in `store` when its state was read. `lease_seconds`: a multiple of what a request may take;
    `pace`: of all requests to `store`; `spool`: the folder for packs that are being made, None: the system's; `url_path`: of the site's root at its host;
    `expires_at`: until when what is published now may stay, '' where that is for ever."""

    store: Store
    records: Store
    releases: Releases
    cdn: Cdn | None
    choose: Callable[[tuple[Shown, ...], Mapping[Key, Artifact], State], Choosing]
    clock: Clock
    progress: Progress
    process: Process
    is_gone: Callable[[Process], bool]
    pace: Pace = field(default_factory=Pace)
    spool: Path | None = None
    before_first_write: Callable[[], Mapping[str, str]] = dict
    is_bare: Callable[[], bool] = never_bare
    lease_seconds: int = LEASE_SECONDS
    count_month: Callable[[State], Ledger] = known_ledger
    rules: Invalidation = Invalidation()
    url_path: str = "/"
    hold: Callable[[Month], str] = never_hold
    shared: SharedLedger | None = None
    expires_at: Callable[[], str] = str
