"""The distribution: found by the state's record or by its tag, made once, changed by reading and writing all of it, disabled, deleted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sitepub.aws.provision.api import Api, Lacking, Refused, marker_of
from sitepub.core.provision.blueprint import TAG, Blueprint
from sitepub.core.provision.configs import is_own_origin, overlay
from sitepub.core.provision.found import FoundDistribution
from sitepub.errors import ConfigurationError, RefusedError, SitepubError, StoppedError

_MISSING = ("NoSuchDistribution",)
_CHANGED = ("PreconditionFailed", "InvalidIfMatchVersion")
"""How CloudFront says that the ETag is not the latest."""

_TRIES = 4
"""Times that it is read anew where someone else has changed it meanwhile."""

_LOOKS = 6
_LOOK_PAUSE = 5.0
"""Seconds between looks for one that was made and is not listed yet."""

_PLAN_SECONDS = 5.0
"""For so long the pricing plans are asked for: the answer is worth little."""

_TAKEN_HINT = "take the name from it first (`aws cloudfront list-conflicting-aliases` finds it), or name it in `distribution:`"


def list_distributions(api: Api) -> tuple[Mapping[str, Any], ...]:
    """Summaries of all that the account has, as ListDistributions gives them."""

    def rows(answer: Any) -> tuple[Any, str | None]:
        found = answer["DistributionList"]
        return found.get("Items"), marker_of(found) if found.get("IsTruncated") else None

    return tuple(api.pages("cloudfront", "list_distributions", rows, "Marker"))


def find_distribution(
    api: Api, blueprint: Blueprint, summaries: tuple[Mapping[str, Any], ...], recorded: str | None
) -> FoundDistribution | None:
    """The one that sitepub.yaml names, else the recorded one, else one with our tag among those that read from the bucket. `recorded`: an id.
    Raises ConfigurationError `no-distribution` where the named one is not there."""
    if blueprint.distribution is not None:
        found = read_distribution(api, blueprint, blueprint.distribution, asks_for_plan=True)
        if found is None:
            hint = "correct `distribution:`, or take it away and let `up` make one"
            raise ConfigurationError("no-distribution", f"there is no distribution `{blueprint.distribution}` in this account", hint)
        return found
    candidates = [each["Id"] for each in summaries if any(is_own_origin(blueprint, origin) for origin in each["Origins"].get("Items", ()))]
    for candidate in dict.fromkeys([*([recorded] if recorded else []), *candidates]):
        found = read_distribution(api, blueprint, candidate, asks_for_plan=True)
        if found is not None and found.is_ours:
            return found
    return None


def read_distribution(api: Api, blueprint: Blueprint, distribution_id: str, *, asks_for_plan: bool = False) -> FoundDistribution | None:
    """None where there is none. `asks_for_plan`: it is wanted whether a pricing plan holds it."""
    try:
        found = api.ask("cloudfront", "get_distribution", Id=distribution_id, expected=_MISSING)["Distribution"]
        tags = api.ask("cloudfront", "list_tags_for_resource", Resource=found["ARN"], expected=(*_MISSING, "NoSuchResource"))["Tags"]
    except Refused:
        return None
    is_ours = any((each["Key"], each.get("Value")) == (TAG, blueprint.name) for each in tags.get("Items") or ())
    return FoundDistribution(
        id=found["Id"],
        arn=found["ARN"],
        domain=found["DomainName"],
        status=found["Status"],
        config=found["DistributionConfig"],
        is_ours=is_ours,
        has_plan=asks_for_plan and _has_plan(api, found["ARN"]),
    )


def make_distribution(api: Api, blueprint: Blueprint, config: Mapping[str, Any], reference: str) -> FoundDistribution:
    """`reference`: a second call with it makes no second one. Where the first call's answer was lost, the distribution is found by its tag. Raises
    RefusedError `domain-taken`; StoppedError `reference-taken` where one of that reference is not ours, `not-there-yet`."""
    wanted = {**config, "CallerReference": reference}
    tags = {"Items": [{"Key": TAG, "Value": blueprint.name}]}
    try:
        answer = api.ask(
            "cloudfront",
            "create_distribution_with_tags",
            DistributionConfigWithTags={"DistributionConfig": wanted, "Tags": tags},
            expected=("DistributionAlreadyExists", "CNAMEAlreadyExists"),
            passing=_passing(api),
        )
        made = str(answer["Distribution"]["Id"])
    except Refused as refusal:
        if refusal.code == "CNAMEAlreadyExists":
            raise _explain_taken(blueprint.domains) from refusal
        found = _find_own(api, blueprint)
        if found is None:
            raise StoppedError(
                "reference-taken", f"another distribution was made with the reference `{reference}`", "run it again"
            ) from refusal
        return found
    found = read_distribution(api, blueprint, made)
    if found is None:
        raise StoppedError("not-there-yet", f"distribution `{made}` can't be read yet", "run it again to go on")
    return found


def _passing(api: Api) -> tuple[str, ...]:
    """A certificate that was issued a moment ago is not known to CloudFront at once."""
    return ("InvalidViewerCertificate",) if api.is_aws else ()


def _find_own(api: Api, blueprint: Blueprint) -> FoundDistribution | None:
    """A list may lag behind."""
    for _ in range(_LOOKS):
        found = find_distribution(api, blueprint, list_distributions(api), None)
        if found is not None:
            return found
        api.clock.sleep(_LOOK_PAUSE)
    return None


def change_distribution(api: Api, distribution_id: str, wanted: Mapping[str, Any]) -> None:
    """Fields that nobody wants otherwise stay; one who changed it meanwhile is not overwritten; one that is gone is passed over. Raises RefusedError
    `domain-taken`, StoppedError `changes-all-the-time`."""
    for _ in range(_TRIES):
        try:
            standing = api.ask("cloudfront", "get_distribution_config", Id=distribution_id, expected=_MISSING)
            api.ask(
                "cloudfront",
                "update_distribution",
                Id=distribution_id,
                IfMatch=standing["ETag"],
                DistributionConfig=overlay(standing["DistributionConfig"], wanted),
                expected=(*_MISSING, *_CHANGED, "CNAMEAlreadyExists"),
                passing=_passing(api),
            )
            return
        except Refused as refusal:
            if refusal.code in _MISSING:
                return
            if refusal.code == "CNAMEAlreadyExists":
                raise _explain_taken((wanted.get("Aliases") or {}).get("Items") or ()) from refusal
    message = f"distribution `{distribution_id}` is changed by others at the same time"
    raise StoppedError("changes-all-the-time", message, "run it again to go on")


def delete_distribution(api: Api, distribution_id: str) -> bool:
    """Whether it is gone; False where it is not yet ready for that, still enabled somewhere. Raises RefusedError `pricing-plan`."""
    for _ in range(_TRIES):
        try:
            standing = api.ask("cloudfront", "get_distribution_config", Id=distribution_id, expected=_MISSING)
            api.ask(
                "cloudfront",
                "delete_distribution",
                Id=distribution_id,
                IfMatch=standing["ETag"],
                expected=(*_MISSING, *_CHANGED, "DistributionNotDisabled", "ResourceInUse"),
            )
            return True
        except Refused as refusal:
            if "pricing plan" in refusal.message:
                raise explain_plan(distribution_id) from refusal
            if refusal.code in _MISSING:
                return True
            if refusal.code not in _CHANGED:
                return False
    return False


def explain_plan(distribution_id: str) -> SitepubError:
    """That it can't be deleted while a pricing plan holds it."""
    message = f"distribution `{distribution_id}` has a flat-rate pricing plan, so it can't be deleted"
    return RefusedError("pricing-plan", message, "cancel the plan in the console; it ends with the billing period, then run it again")


def _has_plan(api: Api, arn: str) -> bool:
    """Where nobody may ask, or knows, the answers to changes tell."""
    if not api.is_aws:
        return False
    try:
        listed = api.pages("pricing-plan-manager", "list_subscriptions", _plan_rows, "nextToken", seconds=_PLAN_SECONDS)
        return any(arn in each["resourceArns"] and str(each["status"]).upper() not in ("CANCELLED", "CANCELED") for each in listed)
    except (SitepubError, Refused, Lacking):
        return False


def _plan_rows(page: Any) -> tuple[Any, str | None]:
    return page["subscriptionSummaries"], page.get("nextToken")


def _explain_taken(domains: Iterable[str]) -> SitepubError:
    return RefusedError("domain-taken", f"another distribution has one of the names {', '.join(domains)}", _TAKEN_HINT)
