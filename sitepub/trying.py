"""What a target is, found out before anything is published to it. One that has no state is tried while the site is built, if nothing at all stands there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

from sitepub.choosing import LEAST, is_passing
from sitepub.core.tags import OFFERED, TAG_HEADER
from sitepub.edges import CONDITIONS
from sitepub.errors import SitepubError
from sitepub.gathering import start_aside
from sitepub.interfaces import Cdn, CdnReader
from sitepub.releases import Snapshot
from sitepub.wiring import Opened

SEEN_DISTRIBUTION = "seen_distribution"
"""Kept in the state: the distribution that a run has asked and found."""


class Trial:
    """Of a bucket without a state. Where something stands in it, whose it is must be known before the first write: nothing is tried until `check`."""

    def __init__(self, opened: Opened, snapshot: Snapshot) -> None:
        self.cdn: Cdn | None = opened.cdn_of(snapshot.state)
        self._check = make_check(opened, self.cdn, snapshot)
        self._bare = start_aside(lambda: not opened.store.may_hold(None), is_awaited=True)
        self._tried = start_aside(self._try, is_awaited=True)

    def is_bare(self) -> bool:
        """Waits for the listing."""
        return self._bare()

    def check(self) -> Mapping[str, str]:
        """Waits for what the trial has found, or finds it now; as make_check."""
        tried = self._tried()
        return self._check() if tried is None else tried

    def end(self) -> None:
        """Waits until what was put there to try it is gone again."""
        with suppress(SitepubError):
            self._tried()

    def _try(self) -> Mapping[str, str] | None:
        return self._check() if self._bare() else None


def make_check(opened: Opened, cdn: CdnReader | None, snapshot: Snapshot) -> Callable[[], Mapping[str, str]]:
    """What is asked once, before anything is written; a first publish also tries what the target is. Returns what its state should keep."""

    def check() -> Mapping[str, str]:
        opened.check_account()
        kept = _check_distribution(cdn, snapshot)
        if not snapshot.state.is_blank or opened.try_records():
            return kept
        opened.look_before_writing()
        return {**kept, CONDITIONS: "ignored"}

    return check


def _check_distribution(cdn: CdnReader | None, snapshot: Snapshot) -> Mapping[str, str]:
    """One that is not there stops the run before it writes; the one that was seen before is asked beside the uploads."""
    if cdn is None or snapshot.state.provisioned.get(SEEN_DISTRIBUTION) == cdn.distribution:
        return {}
    try:
        facts = cdn.facts()
    except SitepubError as error:
        if snapshot.state.is_blank or not is_passing(error):
            raise
        return {}
    offered = cdn.distribution if facts.tag_header == TAG_HEADER else ""
    return {SEEN_DISTRIBUTION: cdn.distribution, OFFERED: offered, LEAST: str(facts.least_seconds or 0)}
