"""What `up` creates, changes and leaves, each with its reason; or why it can't begin. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct

from sitepub.core.edge import ERROR_PAGE
from sitepub.core.edge_function import MOST_BYTES
from sitepub.core.enumeration import list_some, name_some
from sitepub.core.provision.blueprint import Blueprint
from sitepub.core.provision.bucket_policy import find_changes, make_policy
from sitepub.core.provision.configs import Parts, find_differences, is_own_origin, make_config, mend_foreign
from sitepub.core.provision.domains import ADDRESS_TYPES, covers
from sitepub.core.provision.found import Found, FoundDistribution, FoundPart, Kind
from sitepub.errors import ConfigurationError, RefusedError, SitepubError, join_problems


class Act(StrEnum):
    """What is done to a resource, by `up` and by `down`."""

    CREATE = "create"
    CHANGE = "change"
    LEAVE = "leave"
    DELETE = "delete"
    SKIP = "skip"


class Step(Struct, frozen=True):
    """One resource: what is done to it, and why. SKIP: the endpoint, or the account, can't."""

    act: Act
    kind: Kind
    name: str
    reason: str

    @property
    def is_work(self) -> bool:
        """Whether it takes a request that changes something."""
        return self.act in (Act.CREATE, Act.CHANGE, Act.DELETE)


NEW = "(new)"
"""Stands for what is not made yet."""


def plan_up(blueprint: Blueprint, found: Found) -> tuple[Step, ...]:
    """All of it, in order. Raises one SitepubError for all that stands in the way: nothing has been made yet."""
    problems = list(_find_problems(blueprint, found))
    if problems:
        raise join_problems(problems[0].code, [each.message for each in problems], type(problems[0]), problems[0].hint)
    return tuple(_choose_steps(blueprint, found))


def find_parts(blueprint: Blueprint, found: Found) -> Parts:
    """What the distribution will refer to; what is not there yet is NEW."""
    has_own = blueprint.file is None and blueprint.distribution is None

    def handle(part: FoundPart | None, kind: Kind, *, is_wanted: bool = True) -> str | None:
        if not is_wanted or kind in found.lacks:
            return None
        return part.handle if part else NEW

    wants_certificate = needs_certificate(blueprint, found.distribution)
    return Parts(
        cache_policy=found.cache_policy,
        access_control=handle(found.access_control, Kind.ACCESS_CONTROL),
        function=handle(found.function, Kind.FUNCTION, is_wanted=has_own),
        headers_policy=handle(found.headers, Kind.HEADERS, is_wanted=has_own),
        certificate=(found.certificate.arn if found.certificate else NEW) if wants_certificate else None,
    )


def needs_certificate(blueprint: Blueprint, distribution: FoundDistribution | None) -> bool:
    """A file may bring its own, and a distribution of the user's has one for the names that it has."""
    if not blueprint.domains or not blueprint.has_distribution or "ViewerCertificate" in (blueprint.file or {}):
        return False
    if distribution is not None and not distribution.is_ours:
        return "Aliases" in mend_foreign(blueprint, distribution.config, Parts())
    return True


def uses_access_control(blueprint: Blueprint, distribution: FoundDistribution | None) -> bool:
    """Whether the bucket's origin refers to ours: one in the user's distribution or file may have an access of its own."""
    if distribution is not None and not distribution.is_ours:
        return "Origins" in mend_foreign(blueprint, distribution.config, Parts(access_control=NEW))
    if blueprint.file is None:
        return True
    origins = make_config(blueprint, Parts(access_control=NEW))["Origins"]["Items"]
    return any(origin.get("OriginAccessControlId") == NEW for origin in origins)


def wanted_config(blueprint: Blueprint, distribution: FoundDistribution | None, parts: Parts) -> dict[str, object]:
    """What a distribution should say: all of ours, the least of another's."""
    if distribution is not None and not distribution.is_ours:
        return mend_foreign(blueprint, distribution.config, parts)
    return make_config(blueprint, parts)


def _find_problems(blueprint: Blueprint, found: Found) -> Iterator[SitepubError]:
    for kind, part in ((Kind.ACCESS_CONTROL, found.access_control), (Kind.FUNCTION, found.function), (Kind.HEADERS, found.headers)):
        if part is not None and not part.is_ours:
            message = f"the {kind} `{blueprint.name}` is there already, and was not made by sitepub"
            yield RefusedError("foreign-resource", message, "rename or delete it, then run it again")
    yield from _find_distribution_problems(blueprint, found)
    for record in found.records:
        if found.distribution is None or not record.leads_to(found.distribution.domain):
            message = f"`{record.name}` has a record of its own already ({record.type}, to `{record.aim}`)"
            yield RefusedError(
                "foreign-record", message, "delete it in Route 53 once nobody needs it, or take the name out of `url:` and `domains:`"
            )
    own = found.distribution.id if found.distribution else ""
    for domain, other in found.taken.items():
        if other != own:
            yield RefusedError(
                "domain-taken",
                f"distribution `{other}` has the name `{domain}`",
                "take the name from it first, or name it in `distribution:`",
            )


def _find_distribution_problems(blueprint: Blueprint, found: Found) -> Iterator[SitepubError]:
    distribution = found.distribution
    if distribution is None:
        return
    if not any(is_own_origin(blueprint, each) for each in distribution.config["Origins"]["Items"]):
        message = f"distribution `{distribution.id}` has no origin that is the bucket `{blueprint.bucket}`"
        yield ConfigurationError(
            "other-origin", message, "add the bucket to its origins, or let `up` make a distribution: take `distribution:` away"
        )
        return
    uncovered = _find_uncovered(blueprint, distribution, found)
    if uncovered:
        message = f"distribution `{distribution.id}` has other names as well ({name_some(uncovered, 3)}), and the site's certificate does not cover them"
        yield RefusedError("other-names", message, "name a certificate that covers all of them in `certificate:`")
    differences = find_differences(distribution.config, wanted_config(blueprint, distribution, find_parts(blueprint, found)))
    if distribution.has_plan and differences:
        message = f"distribution `{distribution.id}` has a flat-rate pricing plan, so `up` does not change it; it would change {', '.join(differences)}"
        yield RefusedError("pricing-plan", message, "change it in the console, or cancel its plan")


def _find_uncovered(blueprint: Blueprint, distribution: FoundDistribution, found: Found) -> tuple[str, ...]:
    """Names of a user's distribution that would be left without a certificate, which CloudFront refuses."""
    if distribution.is_ours or not needs_certificate(blueprint, distribution):
        return ()
    names = (distribution.config.get("Aliases") or {}).get("Items") or ()
    covered = found.certificate.domains if found.certificate else blueprint.domains
    return tuple(name for name in names if not covers(covered, name))


def _choose_steps(blueprint: Blueprint, found: Found) -> Iterator[Step]:
    yield _choose_bucket_step(blueprint, found)
    if blueprint.has_distribution:
        yield from _choose_part_steps(blueprint, found)
        yield from _choose_certificate_steps(blueprint, found)
        yield _choose_distribution_step(blueprint, found)
        if blueprint.lacks_error_page and blueprint.file is None and blueprint.distribution is None:
            reason = f"the site has no `{ERROR_PAGE}`, so visitors of what is missing see CloudFront's own error"
            yield Step(Act.SKIP, Kind.DISTRIBUTION, "its page for errors", reason)
    elif blueprint.is_compatible:
        yield Step(
            Act.SKIP, Kind.DISTRIBUTION, "none", "this server has no CloudFront: no distribution, function, certificate and DNS record"
        )
    yield _choose_policy_step(blueprint, found)
    yield from _choose_record_steps(blueprint, found)
    yield from _choose_old_record_steps(found)


def _choose_bucket_step(blueprint: Blueprint, found: Found) -> Step:
    name = f"s3://{blueprint.bucket}"
    if found.bucket is None:
        return Step(Act.CREATE, Kind.BUCKET, name, f"private, encrypted, in {blueprint.region}")
    if not found.bucket.is_ours:
        return Step(Act.LEAVE, Kind.BUCKET, name, "was there before; only its policy is added to")
    return _judge(Kind.BUCKET, name, found.bucket.wrong)


def _choose_part_steps(blueprint: Blueprint, found: Found) -> Iterator[Step]:
    rows = [
        (
            Kind.ACCESS_CONTROL,
            found.access_control,
            uses_access_control(blueprint, found.distribution),
            "lets the distribution alone read the bucket",
        )
    ]
    if blueprint.file is None and blueprint.distribution is None:
        rows.append((Kind.FUNCTION, found.function, True, "folders' pages, clean URLs, redirects"))
        rows.append((Kind.HEADERS, found.headers, True, "security headers; takes `x-amz-meta-*` away"))
    for kind, part, is_wanted, purpose in rows:
        if kind in found.lacks:
            yield Step(Act.SKIP, kind, blueprint.name, "the endpoint knows no such thing")
        elif is_wanted and part is None:
            yield Step(Act.CREATE, kind, blueprint.name, purpose)
        elif is_wanted and part is not None:
            yield _judge(kind, blueprint.name, () if part.is_right else ("not what sitepub.yaml says",))
        if kind is Kind.FUNCTION and blueprint.left_out and kind not in found.lacks:
            yield _tell_left_out(blueprint)


def _tell_left_out(blueprint: Blueprint) -> Step:
    what = name_some(blueprint.left_out, 1)
    reason = f"{what}: no room in a function's {MOST_BYTES:,} bytes, so a page redirects there instead, without the status"
    return Step(Act.SKIP, Kind.FUNCTION, f"{len(blueprint.left_out):,} of its redirects", reason)


def _choose_certificate_steps(blueprint: Blueprint, found: Found) -> Iterator[Step]:
    if not needs_certificate(blueprint, found.distribution):
        return
    certificate = found.certificate
    names = ", ".join(blueprint.domains)
    if certificate is None:
        yield Step(Act.CREATE, Kind.CERTIFICATE, names, "in us-east-1, proved by DNS")
    elif certificate.status == "ISSUED":
        yield Step(Act.LEAVE, Kind.CERTIFICATE, names, "is issued" if certificate.is_ours else f"`{certificate.arn}` covers it")
    else:
        yield Step(Act.CHANGE, Kind.CERTIFICATE, names, "is not issued yet")
    for old in found.old_certificates:
        yield Step(Act.DELETE, Kind.CERTIFICATE, ", ".join(old.domains), "no longer covers the site, or failed")


def _choose_distribution_step(blueprint: Blueprint, found: Found) -> Step:
    distribution = found.distribution
    if distribution is None:
        reason = "HTTP/2 and 3, compression, cache tags, error page, IPv6" if blueprint.file is None else "as `distribution_config:` says"
        return Step(Act.CREATE, Kind.DISTRIBUTION, ", ".join(blueprint.domains) or blueprint.name, reason)
    wanted = wanted_config(blueprint, distribution, find_parts(blueprint, found))
    return _judge(Kind.DISTRIBUTION, distribution.id, find_differences(distribution.config, wanted))


def _choose_policy_step(blueprint: Blueprint, found: Found) -> Step:
    name = f"s3://{blueprint.bucket}"
    if blueprint.is_compatible:
        return Step(Act.SKIP, Kind.POLICY, name, "other servers' policies are their own; check that visitors can't read `.sitepub/`")
    standing = found.bucket.policy if found.bucket else None
    arn = found.distribution.arn if found.distribution else NEW if blueprint.has_distribution else None
    wanted = make_policy(blueprint, standing, arn, is_ours=found.bucket is None or found.bucket.is_ours)
    if standing is None:
        who = "the distribution alone may read, " if blueprint.has_distribution else ""
        return Step(Act.CREATE, Kind.POLICY, name, f"{who}nobody `.sitepub/`")
    return _judge(Kind.POLICY, name, find_changes(standing, wanted))


def _choose_record_steps(blueprint: Blueprint, found: Found) -> Iterator[Step]:
    for domain in blueprint.domains:
        zone = found.zones.get(domain)
        if zone is None:
            why = "`zone: none`" if blueprint.zone == "none" else "no public zone of this account holds it"
            yield Step(Act.SKIP, Kind.RECORD, domain, f"{why}: let it lead to the distribution's own name yourself")
            continue
        missing = missing_types(found, domain)
        for kind in missing:
            yield Step(Act.CREATE, Kind.RECORD, f"{domain} {kind}", f"leads to the distribution, in zone `{zone.name}`")
        for kind in ADDRESS_TYPES:
            if kind not in missing:
                yield Step(Act.LEAVE, Kind.RECORD, f"{domain} {kind}", "leads to the distribution")


def _choose_old_record_steps(found: Found) -> Iterator[Step]:
    for record in found.old_records:
        yield Step(Act.DELETE, Kind.RECORD, f"{record.name} {record.type}", "is no longer a name of the site")


def missing_types(found: Found, domain: str) -> tuple[str, ...]:
    """Types of the address records that the domain still needs."""
    there = {record.type for record in found.records if record.name == domain}
    return tuple(kind for kind in ADDRESS_TYPES if kind not in there)


def _judge(kind: Kind, name: str, wrong: tuple[str, ...]) -> Step:
    if not wrong:
        return Step(Act.LEAVE, kind, name, "as it should be")
    return Step(Act.CHANGE, kind, name, list_some(wrong, 6))
