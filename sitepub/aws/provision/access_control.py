"""The origin access control: CloudFront signs its requests to the bucket. It can't be tagged: its name and description say whose it is."""

from __future__ import annotations

from typing import Any

from sitepub.aws.provision.api import Api, Refused, marker_of
from sitepub.core.provision.blueprint import Blueprint
from sitepub.core.provision.configs import find_differences, make_access_control, overlay
from sitepub.core.provision.found import FoundPart

_IN_USE = ("OriginAccessControlInUse",)


def find_access_control(api: Api, blueprint: Blueprint) -> FoundPart | None:
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
    """Its id."""
    wanted = make_access_control(blueprint)
    if found is None:
        try:
            answer = api.ask(
                "cloudfront",
                "create_origin_access_control",
                OriginAccessControlConfig=wanted,
                expected=("OriginAccessControlAlreadyExists",),
            )
            return str(answer["OriginAccessControl"]["Id"])
        except Refused:
            found = find_access_control(api, blueprint)
            if found is None:
                raise
    if not found.is_right:
        standing = api.ask("cloudfront", "get_origin_access_control_config", Id=found.handle)
        config = overlay(standing["OriginAccessControlConfig"], wanted)
        api.ask("cloudfront", "update_origin_access_control", Id=found.handle, IfMatch=standing["ETag"], OriginAccessControlConfig=config)
    return found.handle


def remove_access_control(api: Api, found: FoundPart) -> None:
    """A distribution that was just deleted may count for a while."""
    try:
        standing = api.ask("cloudfront", "get_origin_access_control", Id=found.handle, expected=("NoSuchOriginAccessControl",))
        api.ask(
            "cloudfront",
            "delete_origin_access_control",
            Id=found.handle,
            IfMatch=standing["ETag"],
            expected=("NoSuchOriginAccessControl",),
            passing=_IN_USE,
        )
    except Refused:
        return
