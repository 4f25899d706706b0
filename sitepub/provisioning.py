"""`up`: looks, plans, and makes what the plan says, one resource after the other. Each step finds again what an earlier run made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sitepub.aws.provision.access_control import ensure_access_control
from sitepub.aws.provision.api import Api, Lacking
from sitepub.aws.provision.bucket import ensure_bucket, find_bucket, write_policy
from sitepub.aws.provision.certificate import delete_certificate, mark_of, mark_record, read_certificate, request_certificate
from sitepub.aws.provision.distribution import change_distribution, make_distribution, read_distribution
from sitepub.aws.provision.edge_function import ensure_function
from sitepub.aws.provision.headers_policy import ensure_headers_policy
from sitepub.aws.provision.records import create_records, find_records, list_zones, make_cname
from sitepub.aws.provision.survey import survey
from sitepub.core.provision.blueprint import Blueprint
from sitepub.core.provision.bucket_policy import is_same_policy, make_policy
from sitepub.core.provision.configs import Parts, find_differences
from sitepub.core.provision.domains import Record, Zone, choose_zone, make_alias
from sitepub.core.provision.found import RECORDED, Found, FoundCertificate, FoundDistribution, Kind
from sitepub.core.provision.planning import Step, find_parts, missing_types, needs_certificate, plan_up, uses_access_control, wanted_config
from sitepub.core.state import State
from sitepub.errors import ConfigurationError, RefusedError, StoppedError
from sitepub.interfaces import Clock, Progress, Store
from sitepub.releases import Releases, Snapshot

REFERENCE = "reference"
"""In the state's `provisioned`: from what the distribution's CallerReference is made, so that two runs at once make one."""

CERTIFICATE_PAUSE = 10.0
DISTRIBUTION_PAUSE = 15.0
SWAPS = 20


@dataclass(frozen=True, slots=True)
class Site:
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


@dataclass(frozen=True, slots=True)
class Foreseen:
    """The plan, what it was made from, and what the state said."""

    steps: tuple[Step, ...]
    found: Found
    provisioned: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_nothing(self) -> bool:
        return not any(step.is_work for step in self.steps)


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands after `up`. `distribution` is None where none was wanted."""

    distribution: FoundDistribution | None
    warnings: tuple[str, ...] = ()


def foresee_up(site: Site) -> Foreseen:
    """Reads only. Raises SitepubError where it can't begin."""
    try:
        return _look(site)
    except RefusedError:
        # another run may have made what stands in the way, between two looks
        return _look(site)


def _look(site: Site) -> Foreseen:
    provisioned = read_provisioned(site)
    found = survey(site.api, site.blueprint, provisioned)
    return Foreseen(plan_up(site.blueprint, found), found, provisioned)


def raise_up(site: Site, foreseen: Foreseen) -> Standing:
    """Makes what is missing, in an order in which each finds what it refers to."""
    blueprint, found = site.blueprint, foreseen.found
    warnings = [f"the bucket: {words}, this server knows no such setting" for words in ensure_bucket(site.api, blueprint, found.bucket)]
    if not blueprint.has_distribution:
        _write_policy(site, None)
        return Standing(None, tuple(warnings))
    reference = _remember_reference(site)
    parts = _make_parts(site, found, warnings)
    certificate = _ensure_certificate(site, found, reference)
    distribution = _ensure_distribution(site, found, replace(parts, certificate=certificate), reference)
    remember(site, {RECORDED: distribution.id})
    _write_policy(site, distribution.arn)
    _make_records(site, found, distribution)
    for old in found.old_certificates:
        delete_certificate(site.api, old.arn)
    return Standing(_await_deployed(site, distribution), tuple(warnings))


# ---- the target's state


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


def _remember_reference(site: Site) -> str:
    """Chosen once: the first run to write it decides."""
    known = read_provisioned(site).get(REFERENCE)
    if known:
        return known
    for _ in range(SWAPS):
        snapshot = _read_state(site)
        if REFERENCE in snapshot.state.provisioned:
            return snapshot.state.provisioned[REFERENCE]
        chosen = site.releases.nonce()
        provisioned = {**snapshot.state.provisioned, REFERENCE: chosen}
        if site.releases.swap(snapshot, replace(snapshot.state, provisioned=provisioned, nonce=site.releases.nonce())).is_ours:
            return chosen
    raise StoppedError("state-moves", "the target's state is written by others all the time", "run it again to finish")


# ---- the parts of a distribution


def _make_parts(site: Site, found: Found, warnings: list[str]) -> Parts:
    """Those that a distribution refers to; an endpoint that lacks one gets the distribution without it."""
    blueprint, wanted = site.blueprint, find_parts(site.blueprint, found)

    def ensure(kind: Kind, handle: str | None, make: Callable[[], str], *, loses: str) -> str | None:
        if handle is None and kind not in found.lacks:
            return None
        try:
            if kind in found.lacks:
                raise Lacking(kind)
            site.progress.note(f"{kind} `{blueprint.name}`")
            return make()
        except Lacking:
            warnings.append(f"this endpoint knows no {kind}: {loses}")
            return None

    access_control = None
    if uses_access_control(blueprint, found.distribution):
        access_control = ensure(
            Kind.ACCESS_CONTROL,
            wanted.access_control,
            lambda: ensure_access_control(site.api, blueprint, found.access_control),
            loses="the distribution can't sign its requests to the bucket",
        )
    if blueprint.file is not None or blueprint.distribution is not None:
        return Parts(wanted.cache_policy, access_control)
    if wanted.cache_policy is None:
        warnings.append("this endpoint knows no cache policies: the distribution has the settings of old")
    return Parts(
        wanted.cache_policy,
        access_control,
        ensure(
            Kind.FUNCTION,
            wanted.function,
            lambda: ensure_function(site.api, blueprint, found.function),
            loses="folders have no pages, and redirects are pages",
        ),
        ensure(
            Kind.HEADERS,
            wanted.headers_policy,
            lambda: ensure_headers_policy(site.api, blueprint, found.headers),
            loses="no security headers, and visitors see `x-amz-meta-*`",
        ),
    )


# ---- certificate


def _ensure_certificate(site: Site, found: Found, reference: str) -> str | None:
    """The ARN of one that is issued."""
    blueprint, api = site.blueprint, site.api
    if not needs_certificate(blueprint, found.distribution):
        return None
    if found.certificate is not None and found.certificate.status == "ISSUED":
        return found.certificate.arn
    arn = found.certificate.arn if found.certificate else request_certificate(api, blueprint, reference)
    proved: set[str] = set()
    told: set[str] = set()

    def is_issued() -> bool:
        certificate = read_certificate(api, blueprint, arn)
        if certificate is None or certificate.status not in ("PENDING_VALIDATION", "ISSUED"):
            status = f"`{certificate.status}` {certificate.reason}".strip() if certificate else "gone"
            raise StoppedError(
                "certificate-failed", f"the certificate of {', '.join(blueprint.domains)} is {status}", "run it again to ask for another"
            )
        # also where it is issued at once, by records that stand for another one: it is renewed by these
        _prove(site, certificate, proved, told)
        return certificate.status == "ISSUED"

    await_(site, f"the certificate of {', '.join(blueprint.domains)} to be issued", is_issued, CERTIFICATE_PAUSE)
    return arn


def _prove(site: Site, certificate: FoundCertificate, proved: set[str], told: set[str]) -> None:
    """Makes the CNAMEs that prove the domains, once ACM has told them; names those that nobody here can make."""
    missing = [(name, value) for name, value in certificate.records if name not in proved]
    zones = list_zones(site.api) if missing and site.blueprint.zone != "none" else ()
    for name, value in missing:
        zone = choose_zone(name, zones, site.blueprint.zone)
        if zone is None:
            if name not in told:
                site.progress.note(f"make this record where the DNS of `{name.partition('.')[2]}` is kept: {name} CNAME {value}")
                told.add(name)
            continue
        _prove_name(site, certificate, zone, name, value)
        proved.add(name)


def _prove_name(site: Site, certificate: FoundCertificate, zone: Zone, name: str, value: str) -> None:
    def is_right(record: Record) -> bool:
        return record.aim.rstrip(".") == value.rstrip(".")

    standing = find_records(site.api, zone, name, ("CNAME",))
    if not all(map(is_right, standing)):
        message = f"`{name}` has a CNAME of its own already, to `{standing[0].aim}`"
        raise RefusedError("foreign-record", message, "it must lead to what ACM asks for; delete it if nobody needs it, then run it again")
    if not standing:
        if mark_of(name) not in certificate.made:
            mark_record(site.api, certificate.arn, name, zone.id)
        _create_records(site, zone, [make_cname(name, value)], is_right)


# ---- distribution, policy, records


def _ensure_distribution(site: Site, found: Found, parts: Parts, reference: str) -> FoundDistribution:
    blueprint, standing = site.blueprint, found.distribution
    if standing is None:
        site.progress.note("distribution")
        config = wanted_config(blueprint, None, parts)
        standing = _make_distribution(site, config, reference)
    wanted = wanted_config(blueprint, standing, parts)
    if not find_differences(standing.config, wanted):
        return standing
    site.progress.note(f"distribution `{standing.id}`")
    change_distribution(site.api, standing.id, wanted)
    return read_distribution(site.api, blueprint, standing.id) or standing


def _make_distribution(site: Site, config: Mapping[str, object], reference: str) -> FoundDistribution:
    try:
        return make_distribution(site.api, site.blueprint, config, f"{site.blueprint.name}-{reference}")
    except StoppedError as error:
        if error.code == "reference-taken":
            # one that was made with it and deleted by hand: the next run takes another
            remember(site, {REFERENCE: ""})
        raise


def _write_policy(site: Site, distribution_arn: str | None) -> None:
    """Over the policy as it stands now: others may have written to it meanwhile."""
    blueprint = site.blueprint
    bucket = find_bucket(site.api, blueprint)
    if bucket is None or blueprint.is_compatible:
        return
    wanted = make_policy(blueprint, bucket.policy, distribution_arn, is_ours=bucket.is_ours)
    if not is_same_policy(bucket.policy, wanted):
        write_policy(site.api, blueprint, wanted)


def _make_records(site: Site, found: Found, distribution: FoundDistribution) -> None:
    for domain in site.blueprint.domains:
        zone = found.zones.get(domain)
        missing = missing_types(found, domain)
        if zone is None:
            site.progress.note(f"let `{domain}` lead to `{distribution.domain}` where its DNS is kept (ALIAS, ANAME or CNAME)")
        elif missing:
            aliases = [make_alias(domain, kind, distribution.domain) for kind in missing]
            _create_records(site, zone, aliases, lambda record: record.leads_to(distribution.domain))


def _create_records(site: Site, zone: Zone, wanted: list[Mapping[str, Any]], is_right: Callable[[Record], bool]) -> None:
    """All of one name. Refused is also a second attempt of ours whose first answer was lost, and what another run made meanwhile."""
    try:
        create_records(site.api, zone, wanted)
    except RefusedError:
        standing = find_records(site.api, zone, wanted[0]["Name"], [each["Type"] for each in wanted])
        if len(standing) != len(wanted) or not all(map(is_right, standing)):
            raise


def _await_deployed(site: Site, distribution: FoundDistribution) -> FoundDistribution:
    latest = distribution

    def is_deployed() -> bool:
        nonlocal latest
        if latest.status != "Deployed":
            latest = read_distribution(site.api, site.blueprint, distribution.id) or latest
        return latest.status == "Deployed"

    await_(site, f"distribution `{distribution.id}` to be deployed to all edges (`{distribution.status}`)", is_deployed, DISTRIBUTION_PAUSE)
    return latest


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
