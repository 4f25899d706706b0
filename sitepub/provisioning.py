"""`up`: looks, plans, and makes what the plan says, one resource after the other. Each step finds again what an earlier run made."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from sitepub.aws.provision.access_control import ensure_access_control
from sitepub.aws.provision.api import Lacking
from sitepub.aws.provision.bucket import ensure_bucket, find_bucket, write_policy
from sitepub.aws.provision.distribution import change_distribution, make_distribution, read_distribution
from sitepub.aws.provision.edge_function import ensure_function
from sitepub.aws.provision.headers_policy import ensure_headers_policy
from sitepub.aws.provision.records import delete_records
from sitepub.aws.provision.survey import survey
from sitepub.core.provision.bucket_policy import is_same_policy, make_policy
from sitepub.core.provision.configs import Parts, find_differences
from sitepub.core.provision.domains import make_alias
from sitepub.core.provision.found import RECORDED, Found, FoundDistribution, Kind
from sitepub.core.provision.planning import Step, find_parts, missing_types, plan_up, uses_access_control, wanted_config
from sitepub.errors import ConfigurationError, RefusedError, StoppedError
from sitepub.provisioning_certificate import ensure_certificate, make_records, remove_certificate
from sitepub.provisioning_site import DISTRIBUTION_PAUSE, REFERENCE, Site, await_, read_provisioned, remember, remember_reference

_LOSSES = {
    Kind.ACCESS_CONTROL: "the distribution can't sign its requests to the bucket",
    Kind.FUNCTION: "folders have no pages, and redirects are pages",
    Kind.HEADERS: "no security headers, and visitors see `x-amz-meta-*`",
}
"""What a distribution does without, where the endpoint knows no such part."""


class Foreseen(Struct, frozen=True):
    """The plan, what it was made from, and what the state said."""

    steps: tuple[Step, ...]
    found: Found
    provisioned: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_nothing(self) -> bool:
        return not any(step.is_work for step in self.steps)


class Standing(Struct, frozen=True):
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
    reference = remember_reference(site)
    parts = _make_parts(site, found, warnings)
    certificate = ensure_certificate(site, found, reference)
    _tidy("records of old names", lambda: delete_records(site.api, found.old_records), warnings)
    distribution = _ensure_distribution(site, found, replace(parts, certificate=certificate), reference)
    remember(site, {RECORDED: distribution.id})
    _write_policy(site, distribution.arn)
    _make_records(site, found, distribution)
    for old in found.old_certificates:
        _tidy(f"the CNAMEs and the certificate of {', '.join(old.domains)}", lambda old=old: remove_certificate(site, old), warnings)  # type: ignore[misc]
    return Standing(_await_deployed(site, distribution), tuple(warnings))


def _tidy(what: str, remove: Callable[[], None], warnings: list[str]) -> None:
    """The least policy of `up` allows what the site needs, not what it needed once: the site does not wait for that."""
    try:
        remove()
    except ConfigurationError as error:
        if error.code != "access-denied":
            raise
        warnings.append(f"{what} are left: {error.message}")


# ---- the parts of a distribution


def _make_parts(site: Site, found: Found, warnings: list[str]) -> Parts:
    """Those that a distribution refers to; an endpoint that lacks one gets the distribution without it."""
    blueprint, wanted = site.blueprint, find_parts(site.blueprint, found)

    def make(kind: Kind, name: str | None, ensure: Callable[[], str]) -> str | None:
        return _make_part(site, found, kind, ensure, warnings) if name is not None or kind in found.lacks else None

    access_control = None
    if uses_access_control(blueprint, found.distribution):
        access_control = make(
            Kind.ACCESS_CONTROL, wanted.access_control, lambda: ensure_access_control(site.api, blueprint, found.access_control)
        )
    if blueprint.file is not None or blueprint.distribution is not None:
        return Parts(wanted.cache_policy, access_control)
    if wanted.cache_policy is None:
        warnings.append("this endpoint knows no cache policies: the distribution has the settings of old")
    return Parts(
        wanted.cache_policy,
        access_control,
        make(Kind.FUNCTION, wanted.function, lambda: ensure_function(site.api, blueprint, found.function)),
        make(Kind.HEADERS, wanted.headers_policy, lambda: ensure_headers_policy(site.api, blueprint, found.headers)),
    )


def _make_part(site: Site, found: Found, kind: Kind, ensure: Callable[[], str], warnings: list[str]) -> str | None:
    """Its id or ARN; None, with a warning, where the endpoint has no such thing."""
    try:
        if kind in found.lacks:
            raise Lacking(kind)
        site.progress.note(f"{kind} `{site.blueprint.name}`")
        return ensure()
    except Lacking:
        warnings.append(f"this endpoint knows no {kind}: {_LOSSES[kind]}")
        return None


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
    changed = read_distribution(site.api, blueprint, standing.id)
    if changed is None:
        raise StoppedError("distribution-gone", f"distribution `{standing.id}` was deleted meanwhile", "run it again to make another one")
    return changed


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
            make_records(site, zone, aliases, lambda record: record.leads_to(distribution.domain))


def _await_deployed(site: Site, distribution: FoundDistribution) -> FoundDistribution:
    latest = distribution

    def is_deployed() -> bool:
        nonlocal latest
        if latest.status != "Deployed":
            latest = read_distribution(site.api, site.blueprint, distribution.id) or latest
        return latest.status == "Deployed"

    await_(site, f"distribution `{distribution.id}` to be deployed to all edges (`{distribution.status}`)", is_deployed, DISTRIBUTION_PAUSE)
    return latest
