"""What `down` removes and what it leaves, each with its reason; or why it can't begin. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from sitepub.core.provision.blueprint import Blueprint
from sitepub.core.provision.bucket_policy import find_others, is_same_policy, take_out
from sitepub.core.provision.found import Found, FoundCertificate, FoundPart, Kind
from sitepub.core.provision.planning import Act, Step
from sitepub.errors import RefusedError, SitepubError, join_problems


class Contents(Struct, frozen=True):
    """Some of what the bucket holds. `site`: keys of the site and its releases, `foreign`: keys outside of the target's prefix. `is_locked`: it has
    Object Lock."""

    site: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    is_locked: bool = False


class Removal(Struct, frozen=True):
    """What was asked for. `keeps_bucket`, `deletes_content`: as the options say."""

    keeps_bucket: bool = False
    deletes_content: bool = False


def plan_down(blueprint: Blueprint, found: Found, contents: Contents, asked: Removal) -> tuple[Step, ...]:
    """In the order in which it is done. Raises one SitepubError for all that stands in the way: nothing has been removed yet."""
    problems = list(_find_problems(blueprint, found, contents, asked))
    if problems:
        raise join_problems(problems[0].code, [each.message for each in problems], type(problems[0]), problems[0].hint)
    return tuple(_choose_steps(blueprint, found, contents, asked))


def removes_bucket(found: Found, asked: Removal) -> bool:
    """Whether the bucket itself goes: only one of ours does."""
    return found.bucket is not None and found.bucket.is_ours and not asked.keeps_bucket


def _find_problems(blueprint: Blueprint, found: Found, contents: Contents, asked: Removal) -> Iterator[SitepubError]:
    distribution, name = found.distribution, f"s3://{blueprint.bucket}"
    if distribution is not None and distribution.is_ours and distribution.has_plan:
        message = f"distribution `{distribution.id}` has a flat-rate pricing plan, so it can't be deleted"
        yield RefusedError("pricing-plan", message, "cancel the plan in the console; it ends with the billing period, then run it again")
    if not removes_bucket(found, asked):
        return
    others = find_others(blueprint, found.bucket.policy if found.bucket else None)
    keeping = "`--keep-bucket` removes all but the bucket"
    if contents.foreign or others:
        what = (
            f"holds other keys too, such as `{contents.foreign[0]}`"
            if contents.foreign
            else f"has policy statements of others: {', '.join(others)}"
        )
        yield RefusedError("bucket-shared", f"`{name}` {what}", keeping)
    elif contents.is_locked:
        yield RefusedError("bucket-locked", f"`{name}` has Object Lock: what is locked can't be deleted", keeping)
    elif contents.site and not asked.deletes_content:
        message = f"`{name}` is not empty, it holds `{contents.site[0]}`" + (" and more" if len(contents.site) > 1 else "")
        yield RefusedError("bucket-not-empty", message, f"`--delete-content` deletes every version of everything in it; {keeping}")


def _choose_steps(blueprint: Blueprint, found: Found, contents: Contents, asked: Removal) -> Iterator[Step]:
    for record in found.records:
        yield Step(Act.DELETE, Kind.RECORD, f"{record.name} {record.type}", f"leads to the distribution, in zone `{record.zone.name}`")
    distribution = found.distribution
    if distribution is not None and distribution.is_ours:
        reason = "disabled first, then deleted: takes minutes" if distribution.is_enabled else "is disabled already"
        yield Step(Act.DELETE, Kind.DISTRIBUTION, distribution.id, reason)
    elif distribution is not None:
        yield Step(Act.LEAVE, Kind.DISTRIBUTION, distribution.id, "was not made by sitepub")
    for kind, part in ((Kind.FUNCTION, found.function), (Kind.HEADERS, found.headers), (Kind.ACCESS_CONTROL, found.access_control)):
        yield from _choose_part_step(kind, blueprint.name, part, is_used=distribution is not None and not distribution.is_ours)
    yield from _choose_bucket_steps(blueprint, found, contents, asked)
    for certificate in found.old_certificates:
        names = ", ".join(certificate.domains)
        if is_needed(found, certificate):
            yield Step(Act.LEAVE, Kind.CERTIFICATE, names, "your distribution uses it")
        else:
            yield Step(Act.DELETE, Kind.CERTIFICATE, names, "with the CNAMEs that were made for it")


def _choose_part_step(kind: Kind, name: str, part: FoundPart | None, *, is_used: bool) -> Iterator[Step]:
    if part is None:
        return
    if not part.is_ours:
        yield Step(Act.LEAVE, kind, name, "was not made by sitepub")
    elif is_used:
        yield Step(Act.LEAVE, kind, name, "your distribution may use it")
    else:
        yield Step(Act.DELETE, kind, name, "made by sitepub")


def _choose_bucket_steps(blueprint: Blueprint, found: Found, contents: Contents, asked: Removal) -> Iterator[Step]:
    if found.bucket is None:
        return
    name = f"s3://{blueprint.bucket}"
    if removes_bucket(found, asked):
        yield Step(
            Act.DELETE,
            Kind.BUCKET,
            name,
            "with every version of everything in it" if contents.site else "holds nothing but sitepub's state",
        )
        return
    if not is_same_policy(found.bucket.policy, take_out(blueprint, found.bucket.policy)) and not keeps_reader(found):
        yield Step(Act.CHANGE, Kind.POLICY, name, "the distribution may read no more")
    yield Step(Act.LEAVE, Kind.BUCKET, name, "`--keep-bucket`" if found.bucket.is_ours else "was not made by sitepub")


def keeps_reader(found: Found) -> bool:
    """A distribution of the user's goes on serving."""
    return found.distribution is not None and not found.distribution.is_ours


def is_needed(found: Found, certificate: FoundCertificate) -> bool:
    """By a distribution that stays."""
    used = (found.distribution.config.get("ViewerCertificate") or {}) if found.distribution is not None else {}
    return keeps_reader(found) and used.get("ACMCertificateArn") == certificate.arn
