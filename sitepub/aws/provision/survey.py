"""Looks at all that `up` wants and says what stands there. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from sitepub.aws.provision.access_control import find_access_control
from sitepub.aws.provision.api import Api, Lacking
from sitepub.aws.provision.bucket import find_bucket
from sitepub.aws.provision.cache_policy import choose_cache_policy
from sitepub.aws.provision.certificate import find_certificates
from sitepub.aws.provision.distribution import find_distribution, list_distributions
from sitepub.aws.provision.edge_function import find_function
from sitepub.aws.provision.headers_policy import find_headers_policy
from sitepub.aws.provision.records import find_records, list_zones
from sitepub.core.provision.blueprint import Blueprint
from sitepub.core.provision.domains import Record, Zone, choose_zone
from sitepub.core.provision.found import RECORDED, Found, FoundDistribution, FoundPart, Kind
from sitepub.core.provision.planning import needs_certificate
from sitepub.errors import ConfigurationError


def survey(api: Api, blueprint: Blueprint, provisioned: Mapping[str, str]) -> Found:
    """`provisioned`: what the target's state says of itself, if there is one. Raises SitepubError where the account can't be looked at."""
    bucket = find_bucket(api, blueprint)
    if not blueprint.has_distribution:
        return Found(bucket=bucket)
    lacks: set[Kind] = set()
    parts = {
        kind: _look(api, kind, lacks, lambda find=find: find(api, blueprint))  # type: ignore[misc]
        for kind, find in ((Kind.ACCESS_CONTROL, find_access_control), (Kind.FUNCTION, find_function), (Kind.HEADERS, find_headers_policy))
    }
    summaries = list_distributions(api)
    distribution = find_distribution(api, blueprint, summaries, provisioned.get(RECORDED))
    zones = _find_zones(api, blueprint)
    chosen, old = find_certificates(api, blueprint) if needs_certificate(blueprint, distribution) else (None, ())
    return Found(
        bucket=bucket,
        access_control=parts[Kind.ACCESS_CONTROL],
        function=parts[Kind.FUNCTION],
        headers=parts[Kind.HEADERS],
        certificate=chosen,
        old_certificates=old,
        distribution=distribution,
        cache_policy=choose_cache_policy(api),
        zones=zones,
        records=_find_leading(api, zones),
        old_records=tuple(_find_old(api, blueprint, distribution)),
        taken={
            name: each["Id"] for each in summaries for name in (each.get("Aliases") or {}).get("Items") or () if name in blueprint.domains
        },
        lacks=frozenset(lacks),
    )


def _look(api: Api, kind: Kind, lacks: set[Kind], find: Callable[[], FoundPart | None]) -> FoundPart | None:
    """None where there is none, or the endpoint knows no such thing: then `kind` is put into `lacks`."""
    try:
        return find()
    except Lacking:
        lacks.add(kind)
        return None


def _find_zones(api: Api, blueprint: Blueprint) -> Mapping[str, Zone | None]:
    """For each domain, the public zone that holds it, or None. Raises ConfigurationError `no-zone` for a named one that is not there."""
    if not blueprint.domains or blueprint.zone == "none":
        return dict.fromkeys(blueprint.domains)
    zones = list_zones(api)
    if blueprint.zone is not None and not any(blueprint.zone.rstrip(".") in (zone.id, zone.name) for zone in zones):
        message = f"there is no public zone `{blueprint.zone}` in this account"
        raise ConfigurationError("no-zone", message, "correct `zone:`, or take it away to let the names decide")
    return {domain: choose_zone(domain, zones, blueprint.zone) for domain in blueprint.domains}


def _find_old(api: Api, blueprint: Blueprint, distribution: FoundDistribution | None) -> Iterator[Record]:
    """Of names that were the site's: they lead to a distribution that will not know them any more."""
    if distribution is None or not distribution.is_ours or blueprint.zone == "none":
        return
    names = (distribution.config.get("Aliases") or {}).get("Items") or ()
    old = [name for name in names if name not in blueprint.domains and blueprint.file is None]
    zones = list_zones(api) if old else ()
    for name in old:
        zone = choose_zone(name, zones, blueprint.zone)
        if zone is not None:
            yield from (record for record in find_records(api, zone, name) if record.leads_to(distribution.domain))


def _find_leading(api: Api, zones: Mapping[str, Zone | None]) -> tuple[Record, ...]:
    """What stands under the site's names already."""
    return tuple(record for domain, zone in zones.items() if zone is not None for record in find_records(api, zone, domain))
