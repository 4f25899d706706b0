"""From a target to what can be asked of its distribution just now. Decides nothing, changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from sitepub.core.partitions import GLOBAL_HOME
from sitepub.core.settings import Target
from sitepub.core.whereabouts import Certificate, Listed, Ongoing, Resolution
from sitepub.local.resolving import resolve_all


class DistributionSight(Struct, frozen=True):
    """Each asks when it is called, and raises SitepubError where nobody answers. `resolve`: names without an answer are left out."""

    list_all: Callable[[], tuple[Listed, ...]]
    list_ongoing: Callable[[str], tuple[Ongoing, ...]]
    read_certificate: Callable[[str], Certificate]
    resolve: Callable[[Iterable[str]], Mapping[str, Resolution | None]]


def look_at_distributions(target: Target) -> DistributionSight:
    """Opens nothing on the network yet."""
    from sitepub.aws import distributions
    from sitepub.aws.session import AwsSession

    session = AwsSession(profile=target.profile, region=target.region)

    def cdn() -> object:
        return session.cdn_client(target.cdn_endpoint_url)

    def acm() -> object:
        return session.client("acm", region=GLOBAL_HOME, endpoint_url=target.cdn_endpoint_url or session.endpoint("acm"))

    return DistributionSight(
        list_all=lambda: distributions.list_all(cdn),
        list_ongoing=lambda name: distributions.list_ongoing(cdn, name),
        read_certificate=lambda arn: distributions.read_certificate(acm, arn),
        resolve=resolve_all,
    )
