"""The response headers policy: security headers, and none of S3's metadata. Its name and comment say whose it is."""

from __future__ import annotations

from typing import Any

from sitepub.aws.provision.api import Api, marker_of
from sitepub.aws.provision.named_parts import PartKind, ensure_part, remove_part
from sitepub.core.provision.blueprint import Blueprint
from sitepub.core.provision.configs import find_differences, make_headers_policy
from sitepub.core.provision.found import FoundPart

KIND = PartKind("response_headers_policy", "ResponseHeadersPolicy")


def find_headers_policy(api: Api, blueprint: Blueprint) -> FoundPart | None:
    """The one with the blueprint's name, whoever made it."""

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
    """Its id. Raises as ensure_part."""
    return ensure_part(api, KIND, make_headers_policy(blueprint), found, lambda: find_headers_policy(api, blueprint))


def remove_headers_policy(api: Api, found: FoundPart) -> None:
    """As remove_part."""
    remove_part(api, KIND, found)
