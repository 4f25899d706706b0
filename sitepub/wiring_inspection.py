"""What `doctor` asks of a target beyond what commands that only look need. Nothing in here changes anything."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from sitepub.core.ledger import Ledger
from sitepub.core.policy import Policy
from sitepub.core.policy_trial import Tried
from sitepub.core.settings import BucketAddress, Config, FolderAddress, Target
from sitepub.interfaces import Clock, Store
from sitepub.releases import PRIVATE_BYTES, Snapshot, release_key
from sitepub.wiring import Sight, needs_aws, open_session, open_target, record_urls, records_address

if TYPE_CHECKING:
    from sitepub.aws.session import AwsSession


class Inspection(Struct, frozen=True):
    """What `doctor` asks of a target beyond a Sight. Nothing in here changes anything. `may_write`: None where only writing could tell;
    `find_account`, `find_region`, `count_month` and `try_policy`: None where nobody says. `record_urls`: where a visitor might find the records."""

    check_account: Callable[[], None]
    find_account: Callable[[], str | None]
    region: Callable[[], str | None]
    find_region: Callable[[], str | None]
    may_write: Callable[[Snapshot], bool | None]
    count_month: Callable[[], Ledger | None]
    record_urls: Callable[[], tuple[str, ...]]
    try_policy: Callable[[Policy], Tried | None]


def inspect_target(config: Config, target: Target, environment: Mapping[str, str]) -> tuple[Sight, Inspection]:
    """Opens nothing on the network yet."""
    opened = open_target(config, target, environment)
    session = open_session(target) if needs_aws(target) else None
    return opened.sight, Inspection(
        check_account=opened.check_account,
        find_account=lambda: _find_account(target, session),
        region=lambda: session.region if session else None,
        find_region=lambda: _find_region(target, session),
        may_write=lambda snapshot: _may_write(target, opened.records, snapshot),
        count_month=lambda: _count_month(target, session, opened.clock),
        record_urls=lambda: record_urls(target, session),
        try_policy=lambda policy: _try_policy(target, session, policy),
    )


def _find_account(target: Target, session: AwsSession | None) -> str | None:
    """Servers of others know no accounts."""
    if session is None or (target.endpoint_url and not target.cdn_endpoint_url):
        return None
    from sitepub.aws.inspection import find_account

    return find_account(session, target.cdn_endpoint_url or target.endpoint_url)


def _find_region(target: Target, session: AwsSession | None) -> str | None:
    if session is None or not isinstance(target.store, BucketAddress):
        return None
    from sitepub.aws.inspection import find_region

    return find_region(session, target.store, target.endpoint_url)


def _may_write(target: Target, records: Store, snapshot: Snapshot) -> bool | None:
    address = records_address(target)
    if isinstance(address, FolderAddress):
        standing = next((folder for folder in (address.path, *address.path.parents) if folder.exists()), address.path)
        return os.access(standing, os.W_OK | os.X_OK)
    live = snapshot.state.live_release
    if live is None:
        return None
    from sitepub.aws.inspection import may_write_again

    return may_write_again(records, release_key(live.id), PRIVATE_BYTES)


def _count_month(target: Target, session: AwsSession | None, clock: Clock) -> Ledger | None:
    if session is None:
        return None
    from sitepub.aws.quota import count_month

    return count_month(session.cdn_client(target.cdn_endpoint_url), clock)


def _try_policy(target: Target, session: AwsSession | None, policy: Policy) -> Tried | None:
    """Servers of others have rules of their own; IAM's own endpoint may be named for them."""
    if session is None or ((target.endpoint_url or target.cdn_endpoint_url) and session.endpoint("iam") is None):
        return None
    from sitepub.aws.permissions import try_policy

    return try_policy(session, policy)
