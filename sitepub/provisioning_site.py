"""What `up` and `down` work on, what they keep in the target's state, and how they wait."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from sitepub.aws.provision.api import Api
from sitepub.core.provision.blueprint import Blueprint
from sitepub.core.state import State
from sitepub.errors import ConfigurationError, StoppedError
from sitepub.interfaces import Clock, Progress, Store
from sitepub.releases import Releases, Snapshot

REFERENCE = "reference"
"""In the state's `provisioned`: from what the distribution's CallerReference is made, so that two runs at once make one."""

CERTIFICATE_PAUSE = 10.0
DISTRIBUTION_PAUSE = 15.0
SWAPS = 20


class Site(Struct, frozen=True):
    """What `up` and `down` work on. `wait_seconds`: how long they wait for AWS, each time. `has_own_records`: the records stand in the site's
    own bucket."""

    blueprint: Blueprint
    api: Api
    releases: Releases
    clock: Clock
    progress: Progress
    wait_seconds: float = 3600.0
    records: Store | None = None
    has_own_records: bool = True


def read_provisioned(site: Site) -> Mapping[str, str]:
    """Nothing where there is no bucket yet."""
    return _read_state(site).state.provisioned


def remember(site: Site, facts: Mapping[str, str]) -> Mapping[str, str]:
    """What `facts` say, unless they are known already. An empty value takes one away. Returns what the state then says."""
    for _ in range(SWAPS):
        snapshot = _read_state(site)
        known = snapshot.state.provisioned
        wanted = {key: value for key, value in {**known, **facts}.items() if value}
        if wanted == known:
            return known
        swap = site.releases.swap(snapshot, replace(snapshot.state, provisioned=wanted, nonce=site.releases.nonce()))
        if swap.is_ours:
            return wanted
    raise StoppedError("state-moves", "the target's state is written by others all the time", "run it again to finish")


def _read_state(site: Site) -> Snapshot:
    try:
        return site.releases.read_state()
    except ConfigurationError as error:
        if error.code != "no-bucket" or not site.has_own_records:
            raise
        return Snapshot(State(), None)


def remember_reference(site: Site) -> str:
    """Chosen once: the first run to write it decides."""
    for _ in range(SWAPS):
        snapshot = _read_state(site)
        if REFERENCE in snapshot.state.provisioned:
            return snapshot.state.provisioned[REFERENCE]
        chosen = site.releases.nonce()
        provisioned = {**snapshot.state.provisioned, REFERENCE: chosen}
        if site.releases.swap(snapshot, replace(snapshot.state, provisioned=provisioned, nonce=site.releases.nonce())).is_ours:
            return chosen
    raise StoppedError("state-moves", "the target's state is written by others all the time", "run it again to finish")


def await_(site: Site, what: str, is_done: Callable[[], bool], pause: float) -> None:
    """Says what it waits for, once; a run that leaves is taken up again by the next one. Raises StoppedError `still-waiting`."""
    started = site.clock.elapsed()
    if is_done():
        return
    site.progress.note(f"waiting for {what}")
    site.progress.stage(f"waiting for {what}")
    while True:
        left = started + site.wait_seconds - site.clock.elapsed()
        if left <= 0:
            raise StoppedError(
                "still-waiting", f"not waited any longer for {what}", "run it again to go on; `--wait-timeout` says for how long"
            )
        site.clock.sleep(min(pause, left))
        if is_done():
            return
