"""From a Config to the real edges: stores, records, distribution. The only file that knows every edge; it decides nothing."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from sitepub.core.settings import BucketAddress, Config, FolderAddress, StoreAddress, Target
from sitepub.core.state import State
from sitepub.edges import KeptLedger, NoCopy
from sitepub.gathering import Pace, start_aside
from sitepub.interfaces import Cdn, CdnReader, Clock, Store, StoreReader
from sitepub.local.clock import SystemClock
from sitepub.local.copies import LocalCopies
from sitepub.local.ledger_copy import LedgerCopy
from sitepub.releases import ReleaseReader, Releases

if TYPE_CHECKING:
    from sitepub.aws.session import AwsSession
    from sitepub.reserving import SharedLedger, SharedLedgerReader

RECORDS = ".sitepub"


class Sight(Struct, frozen=True):
    """A target's edges for those who only look: nothing in here can write. `cdn_of`: the distribution as the configuration or the state
    names it, opened only when it is needed; `ledger`: what this machine remembers of the month; `shared`: what the account's publishers tell each other of it."""

    target: Target
    store: StoreReader
    records: StoreReader
    releases: ReleaseReader
    clock: Clock
    cdn_of: Callable[[State], CdnReader | None]
    ledger: KeptLedger = NoCopy()
    shared: SharedLedgerReader | None = None

    @property
    def requests(self) -> int:
        return self.store.requests + self.records.requests + (self.shared.requests if self.shared else 0)


class Opened(Struct, frozen=True):
    """A target's edges for those who write. `check_account` raises where it is not the account that sitepub.yaml names, `try_records` where
    visitors can read the records, and tells whether the server judges conditions; `look_before_writing` makes the stores look themselves where it does not."""

    target: Target
    store: Store
    records: Store
    releases: Releases
    clock: Clock
    cdn_of: Callable[[State], Cdn | None]
    check_account: Callable[[], None]
    try_records: Callable[[], bool]
    look_before_writing: Callable[[], None]
    ledger: KeptLedger = NoCopy()
    shared: SharedLedger | None = None
    pace: Pace = field(default_factory=Pace)

    @property
    def sight(self) -> Sight:
        return Sight(self.target, self.store, self.records, self.releases, self.clock, self.cdn_of, self.ledger, self.shared)


def look_at_target(config: Config, target: Target, environment: Mapping[str, str]) -> Sight:
    """For commands that write nothing."""
    return open_target(config, target, environment).sight


def open_target(config: Config, target: Target, environment: Mapping[str, str]) -> Opened:
    """Opens nothing on the network yet: that is left to the first request."""
    clock = SystemClock()
    pace = Pace()
    session = open_session(target, pace) if needs_aws(target) else None
    store = _open_store(target.store, target, session, clock, is_records=False)
    records = _open_store(records_address(target), target, session, clock, is_records=True)
    copies = LocalCopies(cache_folder(config.path, environment) / "releases" / target.name)
    return Opened(
        target=target,
        store=store,
        records=records,
        releases=Releases(records, clock, lambda: os.urandom(8).hex(), copies),
        clock=clock,
        cdn_of=lambda state: _open_cdn(target, state, session, clock),
        check_account=lambda: _check_account(target, session),
        try_records=lambda: _try_records(target, session, records),
        look_before_writing=lambda: _look_before_writing(store, records),
        pace=pace,
        ledger=LedgerCopy(cache_folder(config.path, environment) / "ledger" / f"{target.name}.json"),
        shared=_open_shared(target, session, clock),
    )


def records_address(target: Target) -> StoreAddress:
    """`state:`, or `.sitepub/` in the store."""
    return target.state or _inside(target.store, RECORDS)


def cache_folder(config: Path, environment: Mapping[str, str]) -> Path:
    """Where what was learnt about the site of this sitepub.yaml is kept. May be deleted at any time (XDG Base Directory Specification)."""
    home = environment.get("SITEPUB_CACHE") or environment.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    name = hashlib.sha256(str(config).encode()).hexdigest()[:16]
    return Path(home) / "sitepub" / name


def folders_written(config: Config) -> tuple[Path, ...]:
    """Folders on this machine that a publish writes to."""
    addresses = [address for target in config.targets.values() for address in (target.store, target.state)]
    return tuple(address.path for address in addresses if isinstance(address, FolderAddress))


def settle_region(target: Target) -> Target:
    """The same target with the region that requests go to, whoever names it."""
    return replace(target, region=open_session(target).region) if needs_aws(target) else target


def find_distribution(target: Target, state: State) -> str | None:
    """The one that sitepub.yaml names; else the one that `up` recorded; `none` is none."""
    if target.distribution == "none":
        return None
    return target.distribution or state.provisioned.get("distribution")


def needs_aws(target: Target) -> bool:
    addresses = (target.store, target.state, target.ledger)
    return any(isinstance(address, BucketAddress) for address in addresses) or target.distribution not in (None, "none")


def open_session(target: Target, pace: Pace | None = None) -> AwsSession:
    from sitepub.aws.session import AwsSession

    return AwsSession(profile=target.profile, region=target.region, refused=pace.refuse if pace else lambda: None)


def _open_store(address: StoreAddress, target: Target, session: AwsSession | None, clock: Clock, *, is_records: bool) -> Store:
    if isinstance(address, FolderAddress):
        from sitepub.local.folder_store import FolderStore

        return FolderStore(address.path, clock, keeps_records=is_records)
    from sitepub.aws.s3 import S3Store

    if session is None:
        raise ValueError("a bucket without a session")
    return S3Store(address, session, endpoint_url=target.endpoint_url)


def _open_shared(target: Target, session: AwsSession | None, clock: Clock) -> SharedLedger | None:
    if target.ledger is None:
        return None
    from sitepub.reserving import SharedLedger

    store = _open_store(target.ledger, target, session, clock, is_records=True)
    return SharedLedger(store, clock, lambda: os.urandom(8).hex())


def _inside(address: StoreAddress, folder: str) -> StoreAddress:
    if isinstance(address, FolderAddress):
        return FolderAddress(address.path / folder)
    return BucketAddress(address.bucket, f"{address.prefix}/{folder}" if address.prefix else folder)


def _open_cdn(target: Target, state: State, session: AwsSession | None, clock: Clock) -> Cdn | None:
    distribution = find_distribution(target, state)
    if distribution is None:
        return None
    from sitepub.aws.cloudfront import CloudFront

    used = session or open_session(target)
    return CloudFront(
        distribution,
        lambda: used.cdn_client(target.cdn_endpoint_url),
        clock,
        profile=target.profile,
    )


def _check_account(target: Target, session: AwsSession | None) -> None:
    if target.account is None or session is None or not isinstance(target.store, BucketAddress):
        return
    from sitepub.aws.s3_checks import check_account

    endpoint = target.endpoint_url
    check_account(target.account, session, target.store, endpoint_url=endpoint, sts_endpoint_url=target.cdn_endpoint_url or endpoint)


def _try_records(target: Target, session: AwsSession | None, records: Store) -> bool:
    """AWS judges conditions, other servers are tried. A folder has its own way, and is its web server's business."""
    if not isinstance(records_address(target), BucketAddress):
        return True
    from sitepub.aws.exposure import check_hidden
    from sitepub.aws.probe import judges_conditions, open_probe

    with open_probe(records) as probe:
        await_hidden = start_aside(lambda: check_hidden(probe, record_urls(target, session)), is_awaited=True)
        is_judge = not isinstance(target.store, BucketAddress) or not target.endpoint_url or judges_conditions(probe)
        await_hidden()
        return is_judge


def record_urls(target: Target, session: AwsSession | None) -> tuple[str, ...]:
    """Each names some key among the records."""
    address = records_address(target)
    site_url = target.url if target.state is None and target.url.startswith("http") else None
    if session is None or not isinstance(address, BucketAddress):
        return (f"{site_url.rstrip('/')}/{RECORDS}/state.json",) if site_url else ()
    from sitepub.aws.exposure import visitor_addresses

    endpoint = target.endpoint_url or session.endpoint("s3")
    return visitor_addresses(address, endpoint_url=endpoint, region=session.region, site_url=site_url)


def _look_before_writing(*stores: Store) -> None:
    from sitepub.aws.s3 import S3Store

    for store in stores:
        if isinstance(store, S3Store):
            store.look_before_writing()
