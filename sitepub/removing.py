"""`down`: names first, then the distribution, what it referred to, the bucket, the certificate. What is gone already is passed over."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from sitepub.aws.provision.access_control import find_access_control, remove_access_control
from sitepub.aws.provision.api import Lacking
from sitepub.aws.provision.bucket import delete_bucket, empty_bucket, find_bucket, has_object_lock, list_versions, write_policy
from sitepub.aws.provision.certificate import find_own_certificates
from sitepub.aws.provision.distribution import (
    change_distribution,
    delete_distribution,
    find_distribution,
    list_distributions,
    read_distribution,
)
from sitepub.aws.provision.edge_function import find_function, remove_function
from sitepub.aws.provision.headers_policy import find_headers_policy, remove_headers_policy
from sitepub.aws.provision.records import delete_records, find_records, list_zones
from sitepub.core.provision.bucket_policy import take_out
from sitepub.core.provision.domains import ADDRESS_TYPES, Record, Zone, choose_zone
from sitepub.core.provision.found import RECORDED, Found, FoundDistribution, FoundPart, Kind
from sitepub.core.provision.planning import Act, Step
from sitepub.core.provision.removal import Contents, Removal, is_needed, keeps_reader, plan_down, removes_bucket
from sitepub.interfaces import Anything
from sitepub.locking import FLAGS, LOCK_KEY
from sitepub.provisioning_certificate import remove_certificate
from sitepub.provisioning_site import DISTRIBUTION_PAUSE, REFERENCE, Site, await_, read_provisioned, remember
from sitepub.releases import STATE_KEY

OWN_RECORDS = (STATE_KEY, LOCK_KEY)
OWN_FOLDERS = (FLAGS, "releases/", "shards/", "records/", "packs/", "entries/")
"""What sitepub keeps under `state:`: nothing else is deleted there."""


class Farewell(Struct, frozen=True):
    """The plan, and what it was made from."""

    steps: tuple[Step, ...]
    found: Found
    contents: Contents
    asked: Removal

    @property
    def is_nothing(self) -> bool:
        return not any(step.is_work for step in self.steps)

    @property
    def deletes_content(self) -> bool:
        return bool(self.contents.site) and removes_bucket(self.found, self.asked)


def foresee_down(site: Site, asked: Removal) -> Farewell:
    """Reads only. Raises SitepubError where it can't begin."""
    found = _survey(site)
    contents = _look_into_bucket(site) if removes_bucket(found, asked) else Contents()
    return Farewell(plan_down(site.blueprint, found, contents, asked), found, contents, asked)


def take_down(site: Site, farewell: Farewell) -> None:
    """Each step may have been done by a run that stopped."""
    found, api, blueprint = farewell.found, site.api, site.blueprint
    if found.bucket is not None and found.distribution is not None and found.distribution.is_ours and read_provisioned(site):
        # an `up` after this makes another distribution, which needs a reference of its own
        remember(site, {REFERENCE: ""})
    delete_records(api, found.records)
    if found.distribution is not None and found.distribution.is_ours:
        _remove_distribution(site, found.distribution)
    doomed = {step.kind for step in farewell.steps if step.act is Act.DELETE}
    if Kind.FUNCTION in doomed:
        site.progress.note("edge function")
        remove_function(api, blueprint)
    if Kind.HEADERS in doomed and found.headers is not None:
        site.progress.note("headers policy")
        remove_headers_policy(api, found.headers)
    if Kind.ACCESS_CONTROL in doomed and found.access_control is not None:
        site.progress.note("access control")
        remove_access_control(api, found.access_control)
    if removes_bucket(found, farewell.asked):
        _remove_bucket(site)
    elif found.bucket is not None:
        _forget(site, found)
    for certificate in found.old_certificates:
        if not is_needed(found, certificate):
            remove_certificate(site, certificate)


# ---- what stands


def _survey(site: Site) -> Found:
    blueprint, api = site.blueprint, site.api
    bucket = find_bucket(api, blueprint)
    if not blueprint.has_distribution:
        return Found(bucket=bucket)
    recorded = read_provisioned(site).get(RECORDED) if bucket is not None else None
    distribution = _find_distribution(site, recorded)
    own = distribution is not None and distribution.is_ours
    zones = list_zones(api) if blueprint.domains and blueprint.zone != "none" and own else ()
    return Found(
        bucket=bucket,
        access_control=_find_part(site, Kind.ACCESS_CONTROL),
        function=_find_part(site, Kind.FUNCTION),
        headers=_find_part(site, Kind.HEADERS),
        old_certificates=find_own_certificates(api, blueprint),
        distribution=distribution,
        records=tuple(_find_leading(site, distribution, zones)) if distribution is not None and own else (),
    )


def _find_distribution(site: Site, recorded: str | None) -> FoundDistribution | None:
    """A named one that is gone is no mistake here."""
    named = site.blueprint.distribution
    if named is not None:
        return read_distribution(site.api, site.blueprint, named, asks_for_plan=True)
    return find_distribution(site.api, site.blueprint, list_distributions(site.api), recorded)


def _find_part(site: Site, kind: Kind) -> FoundPart | None:
    find = {Kind.ACCESS_CONTROL: find_access_control, Kind.FUNCTION: find_function, Kind.HEADERS: find_headers_policy}[kind]
    try:
        return find(site.api, site.blueprint)
    except Lacking:
        return None


def _find_leading(site: Site, distribution: FoundDistribution, zones: tuple[Zone, ...]) -> Iterable[Record]:
    """For the names that the distribution has, and those that sitepub.yaml says now."""
    names = (distribution.config.get("Aliases") or {}).get("Items") or ()
    for name in dict.fromkeys((*names, *site.blueprint.domains)):
        zone = choose_zone(name, zones, site.blueprint.zone)
        if zone is not None:
            standing = find_records(site.api, zone, name, ADDRESS_TYPES)
            yield from (record for record in standing if record.leads_to(distribution.domain))


def _look_into_bucket(site: Site) -> Contents:
    """A page of its keys says enough."""
    blueprint = site.blueprint
    folder = f"{blueprint.prefix}/" if blueprint.prefix else ""
    keys = [each["Key"] for each in list_versions(site.api, blueprint.bucket)]
    content = [key for key in keys if key != f"{folder}.sitepub/{STATE_KEY}"]
    foreign = tuple(key for key in content if not key.startswith(folder))
    return Contents(tuple(key for key in content if key.startswith(folder)), foreign, has_object_lock(site.api, blueprint.bucket))


# ---- taking it away


def _remove_distribution(site: Site, distribution: FoundDistribution) -> None:
    name = distribution.id
    if distribution.is_enabled:
        site.progress.note(f"disabling distribution `{name}`")
        change_distribution(site.api, name, {"Enabled": False})

    def is_deleted() -> bool:
        latest = read_distribution(site.api, site.blueprint, name)
        if latest is None:
            return True
        return latest.status == "Deployed" and delete_distribution(site.api, name)

    await_(site, f"distribution `{name}` to be disabled at all edges, then deleted", is_deleted, DISTRIBUTION_PAUSE)


def _remove_bucket(site: Site) -> None:
    """Records are the site's state: from here on all is found by name and tag. The bucket goes last: without it nobody would look for records elsewhere."""
    site.progress.note(f"bucket `s3://{site.blueprint.bucket}`")
    site.progress.stage("deleting", total_files=None)
    for gone in empty_bucket(site.api, site.blueprint.bucket):
        site.progress.advance(files=gone)
    if not site.has_own_records and site.records is not None:
        for there in list(site.records.list()):
            if there.key in OWN_RECORDS or there.key.startswith(OWN_FOLDERS):
                site.records.delete(there.key, expect=Anything())
    delete_bucket(site.api, site.blueprint.bucket)


def _forget(site: Site, found: Found) -> None:
    """The bucket stays: nothing may read it through what is gone, and its state names it no more."""
    if not keeps_reader(found):
        policy = found.bucket.policy if found.bucket else None
        left = take_out(site.blueprint, policy)
        if policy is not None and left != policy:
            write_policy(site.api, site.blueprint, left)
    if read_provisioned(site):
        remember(site, {RECORDED: "", REFERENCE: ""})
