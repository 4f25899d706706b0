"""Looks again, and publishes again, whenever what a site is made from has changed and settled. What goes wrong is told and ends nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from sitepub.core.model import Warning
from sitepub.core.pacing import Month, hold_back
from sitepub.errors import DefectError, HeldError, SitepubError, StoppedError
from sitepub.interfaces import Progress, SourceFile
from sitepub.local.watcher import Scope, Watcher
from sitepub.preparing import Prepared, prepare
from sitepub.publishing import carry_out, foresee
from sitepub.report_account import Account
from sitepub.request import Request
from sitepub.showing import builds_on_change, find_scope
from sitepub.wiring import Opened, open_target

AGAIN_SECONDS = (2.0, 5.0, 15.0, 30.0, 60.0)
"""Waits before what stopped is tried again: nobody else will."""

HALF_DONE = ("no-source", "empty-source", "source-shrank", "source-changed", "file-changed")
"""What a site looks like while a generator is writing it."""

RIPE_SECONDS = 1.0
"""An empty file that is younger is being written."""


class Turn(Struct, frozen=True):
    """What follows from one look: what to wait for, and seconds after which to look again though nothing changed."""

    scope: Scope
    again: float | None = None


def keep_up(watcher: Watcher, look: Callable[[], Turn], *, at_once: bool = False) -> None:
    """Until it is interrupted while it waits; what interrupts a look goes on from here. `at_once`: looks before anything has changed."""
    again: float | None = 0.0 if at_once else None
    while True:
        try:
            has_changed = watcher.wait(again)
        except KeyboardInterrupt:
            return
        if has_changed or again is not None:
            turn = look()
            watcher.watch(turn.scope)
            again = turn.again


class Looker:
    """Calls `look` for each request as sitepub.yaml says just now; what it raises is told by `tell`, once as long as it is the same."""

    def __init__(self, read: Callable[[], Request], look: Callable[[Request], float | None], tell: Callable[[SitepubError], None]) -> None:
        self._read = read
        self._look = look
        self._tell = tell
        self._scope: Scope | None = None
        self._failures = 0
        self._told = ""

    def __call__(self) -> Turn:
        try:
            request = self._read()
            self._scope = find_scope(request)
            again = self._look(request)
        except SitepubError as error:
            return Turn(self._known_scope(error), self._take(error))
        except Exception as error:
            defect = DefectError("defect", f"{type(error).__name__}: {error}", "this is a defect of sitepub: please report it")
            return Turn(self._known_scope(defect), self._take(defect))
        self._failures, self._told = 0, ""
        return Turn(self._scope, again)

    def _take(self, error: SitepubError) -> float | None:
        self._failures += 1
        if error.code in HALF_DONE and self._failures == 1:
            return AGAIN_SECONDS[0]
        if error.message != self._told:
            self._tell(error)
            self._told = error.message
        passes = isinstance(error, StoppedError | HeldError) or error.code in HALF_DONE
        return AGAIN_SECONDS[min(self._failures, len(AGAIN_SECONDS)) - 1] if passes else None

    def _known_scope(self, error: SitepubError) -> Scope:
        """Before the first look, there is nothing to go on with."""
        if self._scope is None:
            raise error
        return self._scope


class Publisher:
    """One publish a look. `told`: what to say of each; `shown`: of each site that was fingerprinted, before it is published.
    `may_patch`: nobody is shown the whole site."""

    def __init__(
        self,
        progress: Callable[[], Progress],
        told: Callable[[Account], None],
        shown: Callable[[Prepared], None],
        *,
        lock_timeout: float,
        dry_run: bool = False,
        has_built: bool = False,
        may_patch: bool = False,
    ) -> None:
        self._progress = progress
        self._told = told
        self._shown = shown
        self._lock_timeout = lock_timeout
        self._dry_run = dry_run
        self._may_patch = may_patch
        self._opened: tuple[Request, Opened] | None = None
        self._sent: list[float] = []
        self._builds_next = not has_built

    def __call__(self, request: Request) -> float | None:
        started = time.monotonic()
        builds = request.build and (self._builds_next or builds_on_change(request))
        self._builds_next = False
        opened = self._open(request)
        progress = self._progress()
        prepared = prepare(replace(request, build=builds), opened.sight, progress, may_patch=self._may_patch)
        if is_unripe(prepared.source.files, time.time()):
            return RIPE_SECONDS
        self._shown(prepared)
        if self._dry_run:
            account = foresee(prepared, opened.sight, started=started)
        else:
            account = carry_out(prepared, opened, progress, lock_timeout=self._lock_timeout, wait=False, started=started, hold=self._hold)
        if account.invalidation.id is not None:
            self._sent.append(time.monotonic())
        self._told(account)
        return AGAIN_SECONDS[-1] if account.invalidation.state == "owed" else None

    def _hold(self, month: Month) -> str:
        return hold_back(month, self._sent, time.monotonic())

    def _open(self, request: Request) -> Opened:
        """Connections are kept as long as the configuration is the same."""
        if self._opened is None or self._opened[0].config != request.config or self._opened[0].target != request.target:
            self._opened = (request, open_target(request.config, request.target, request.environment))
        return self._opened[1]


def is_unripe(files: Sequence[SourceFile], now: float) -> bool:
    """Whether a file was emptied just now: it is about to be written."""
    return any(file.size == 0 and 0 <= now - file.mtime_ns / 1e9 < RIPE_SECONDS for file in files)


class Remembered:
    """Warnings that were told once are not told again."""

    def __init__(self) -> None:
        self._known: frozenset[str] = frozenset()

    def find_new(self, warnings: Sequence[Warning]) -> tuple[Warning, ...]:
        new = tuple(warning for warning in warnings if warning.message not in self._known)
        self._known = frozenset(warning.message for warning in warnings)
        return new
