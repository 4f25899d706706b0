"""The distribution: found by the state's record or by its tag, made once, changed by reading and writing all of it, disabled, deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sitepub.aws.provision.api import Api, Lacking, Refused, marker_of
from sitepub.core.provision.blueprint import TAG, Blueprint
from sitepub.core.provision.configs import is_own_origin, overlay
from sitepub.core.provision.found import FoundDistribution
from sitepub.errors import ConfigurationError, RefusedError, SitepubError, StoppedError

_MISSING = ("NoSuchDistribution",)
_TRIES = 4
_LOOKS = 6
_LOOK_PAUSE = 5.0
_PLAN_SECONDS = 5.0


def list_distributions(api: Api) -> tuple[Mapping[str, Any], ...]:
    """Summaries of all that the account has."""

    def rows(answer: Any) -> tuple[Any, str | None]:
        found = answer["DistributionList"]
        return found.get("Items"), marker_of(found) if found.get("IsTruncated") else None

    return tuple(api.pages("cloudfront", "list_distributions", rows, "Marker"))


def find_distribution(
    api: Api, blueprint: Blueprint, summaries: tuple[Mapping[str, Any], ...], recorded: str | None
) -> FoundDistribution | None:
    """The one that sitepub.yaml names, else the recorded one, else one with our tag among those that read from the bucket."""
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


def read_distribution(api: Api, blueprint: Blueprint, name: str, *, asks_for_plan: bool = False) -> FoundDistribution | None:
    """`asks_for_plan`: it is wanted whether a pricing plan holds it."""
    try:
        found = api.ask("cloudfront", "get_distribution", Id=name, expected=_MISSING)["Distribution"]
        tags = (
            api.ask("cloudfront", "list_tags_for_resource", Resource=found["ARN"], expected=(*_MISSING, "NoSuchResource"))["Tags"].get(
                "Items"
            )
            or []
        )
    except Refused:
        return None
    is_ours = {"Key": TAG, "Value": blueprint.name} in [{"Key": each["Key"], "Value": each.get("Value", "")} for each in tags]
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
    """`reference`: a second call with it makes no second one. Where the first call's answer was lost, the distribution is found by its tag."""
    wanted = {**config, "CallerReference": reference}
    tags = {"Items": [{"Key": TAG, "Value": blueprint.name}]}
    try:
        answer = api.ask(
            "cloudfront",
            "create_distribution_with_tags",
            DistributionConfigWithTags={"DistributionConfig": wanted, "Tags": tags},
            expected=("DistributionAlreadyExists", "CNAMEAlreadyExists"),
            passing=("InvalidViewerCertificate",) if api.is_aws else (),
        )
        name = str(answer["Distribution"]["Id"])
    except Refused as refusal:
        if refusal.code == "CNAMEAlreadyExists":
            raise _explain_taken(blueprint) from refusal
        found = _find_own(api, blueprint)
        if found is None:
            raise StoppedError(
                "reference-taken", f"another distribution was made with the reference `{reference}`", "run it again"
            ) from refusal
        return found
    found = read_distribution(api, blueprint, name)
    if found is None:
        raise StoppedError("not-there-yet", f"distribution `{name}` can't be read yet", "run it again to go on")
    return found


def _find_own(api: Api, blueprint: Blueprint) -> FoundDistribution | None:
    """A list may lag behind."""
    for _ in range(_LOOKS):
        found = find_distribution(api, blueprint, list_distributions(api), None)
        if found is not None:
            return found
        api.clock.sleep(_LOOK_PAUSE)
    return None


def change_distribution(api: Api, name: str, wanted: Mapping[str, Any]) -> None:
    """Fields that nobody wants otherwise stay; one who changed it meanwhile is not overwritten."""
    for _ in range(_TRIES):
        standing = api.ask("cloudfront", "get_distribution_config", Id=name, expected=_MISSING)
        config = overlay(standing["DistributionConfig"], wanted)
        try:
            api.ask(
                "cloudfront",
                "update_distribution",
                Id=name,
                IfMatch=standing["ETag"],
                DistributionConfig=config,
                expected=("PreconditionFailed", "InvalidIfMatchVersion", "CNAMEAlreadyExists"),
            )
            return
        except Refused as refusal:
            if refusal.code == "CNAMEAlreadyExists":
                names = (wanted.get("Aliases") or {}).get("Items") or ()
                raise RefusedError(
                    "domain-taken", f"another distribution has one of the names {', '.join(names)}", _TAKEN_HINT
                ) from refusal
    raise StoppedError("changes-all-the-time", f"distribution `{name}` is changed by others at the same time", "run it again to go on")


def delete_distribution(api: Api, name: str) -> bool:
    """False where it is not yet ready for it: still enabled somewhere."""
    for _ in range(_TRIES):
        try:
            standing = api.ask("cloudfront", "get_distribution_config", Id=name, expected=_MISSING)
        except Refused:
            return True
        try:
            api.ask(
                "cloudfront",
                "delete_distribution",
                Id=name,
                IfMatch=standing["ETag"],
                expected=(*_MISSING, "DistributionNotDisabled", "ResourceInUse", "PreconditionFailed", "InvalidIfMatchVersion"),
            )
            return True
        except Refused as refusal:
            if "pricing plan" in refusal.message:
                raise explain_plan(name) from refusal
            if refusal.code in _MISSING:
                return True
            if refusal.code in ("DistributionNotDisabled", "ResourceInUse"):
                return False
    return False


def explain_plan(name: str) -> SitepubError:
    message = f"distribution `{name}` has a flat-rate pricing plan, so it can't be deleted"
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


_TAKEN_HINT = "take the name from it first (`aws cloudfront list-conflicting-aliases` finds it), or name it in `distribution:`"


def _explain_taken(blueprint: Blueprint) -> SitepubError:
    return RefusedError("domain-taken", f"another distribution has one of the names {', '.join(blueprint.domains)}", _TAKEN_HINT)
