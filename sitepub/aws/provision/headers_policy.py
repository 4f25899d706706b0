"""The response headers policy: security headers, and none of S3's metadata. Its name and comment say whose it is."""

from __future__ import annotations

from typing import Any

from sitepub.aws.provision.api import Api, Refused, marker_of
from sitepub.core.provision.blueprint import Blueprint
from sitepub.core.provision.configs import find_differences, make_headers_policy, overlay
from sitepub.core.provision.found import FoundPart


def find_headers_policy(api: Api, blueprint: Blueprint) -> FoundPart | None:
    def rows(answer: Any) -> tuple[Any, str | None]:
        found = answer["ResponseHeadersPolicyList"]
        return found.get("Items"), marker_of(found)

    for each in api.pages("cloudfront", "list_response_headers_policies", rows, "Marker", Type="custom"):
        policy = each["ResponseHeadersPolicy"]
        config = policy["ResponseHeadersPolicyConfig"]
        if config["Name"] == blueprint.name:
            is_ours = config.get("Comment") == blueprint.comment
            return FoundPart(policy["Id"], is_ours, is_right=not find_differences(config, make_headers_policy(blueprint)))
    return None


def ensure_headers_policy(api: Api, blueprint: Blueprint, found: FoundPart | None) -> str:
    """Its id."""
    wanted = make_headers_policy(blueprint)
    if found is None:
        try:
            answer = api.ask(
                "cloudfront",
                "create_response_headers_policy",
                ResponseHeadersPolicyConfig=wanted,
                expected=("ResponseHeadersPolicyAlreadyExists",),
            )
            return str(answer["ResponseHeadersPolicy"]["Id"])
        except Refused:
            found = find_headers_policy(api, blueprint)
            if found is None:
                raise
    if not found.is_right:
        standing = api.ask("cloudfront", "get_response_headers_policy_config", Id=found.handle)
        config = overlay(standing["ResponseHeadersPolicyConfig"], wanted)
        api.ask(
            "cloudfront", "update_response_headers_policy", Id=found.handle, IfMatch=standing["ETag"], ResponseHeadersPolicyConfig=config
        )
    return found.handle


def remove_headers_policy(api: Api, found: FoundPart) -> None:
    """A distribution that was just deleted may count for a while."""
    missing = ("NoSuchResponseHeadersPolicy",)
    try:
        standing = api.ask("cloudfront", "get_response_headers_policy", Id=found.handle, expected=missing)
        api.ask(
            "cloudfront",
            "delete_response_headers_policy",
            Id=found.handle,
            IfMatch=standing["ETag"],
            expected=missing,
            passing=("ResponseHeadersPolicyInUse",),
        )
    except Refused:
        return


def find_cache_policy(api: Api, name: str) -> str | None:
    """The id of one of AWS's own, by its name: ids may change."""

    def rows(answer: Any) -> tuple[Any, str | None]:
        return answer["CachePolicyList"].get("Items"), marker_of(answer["CachePolicyList"])

    for each in api.pages("cloudfront", "list_cache_policies", rows, "Marker", Type="managed"):
        if each["CachePolicy"]["CachePolicyConfig"]["Name"] == name:
            return str(each["CachePolicy"]["Id"])
    return None
