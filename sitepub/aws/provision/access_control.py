"""The origin access control: CloudFront signs its requests to the bucket. It can't be tagged: its name and description say whose it is."""

from __future__ import annotations

from typing import Any

from sitepub.aws.provision.api import Api, marker_of
from sitepub.aws.provision.named_parts import PartKind, ensure_part, remove_part
from sitepub.core.provision.blueprint import Blueprint
from sitepub.core.provision.configs import find_differences, make_access_control
from sitepub.core.provision.found import FoundPart

KIND = PartKind("origin_access_control", "OriginAccessControl")


def find_access_control(api: Api, blueprint: Blueprint) -> FoundPart | None:
    """The one with the blueprint's name, whoever made it."""

    def rows(answer: Any) -> tuple[Any, str | None]:
        found = answer["OriginAccessControlList"]
        return found.get("Items"), marker_of(found)

    for each in api.pages("cloudfront", "list_origin_access_controls", rows, "Marker"):
        if each["Name"] == blueprint.name:
            # a description that is empty is left out of some answers, never one of ours
            is_ours = each.get("Description") == blueprint.comment
            return FoundPart(each["Id"], is_ours, is_right=not find_differences(each, make_access_control(blueprint)))
    return None


def ensure_access_control(api: Api, blueprint: Blueprint, found: FoundPart | None) -> str:
    """Its id. Raises as ensure_part."""
    return ensure_part(api, KIND, make_access_control(blueprint), found, lambda: find_access_control(api, blueprint))


def remove_access_control(api: Api, found: FoundPart) -> None:
    """As remove_part."""
    remove_part(api, KIND, found)
