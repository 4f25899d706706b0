"""The cache policy, one of AWS's own. Looked up, never made."""

from __future__ import annotations

from typing import Any

from sitepub.aws.provision.api import Api, Lacking, marker_of
from sitepub.core.provision.configs import CACHE_POLICY, CACHE_POLICY_ID
from sitepub.errors import SitepubError


def choose_cache_policy(api: Api) -> str | None:
    """The id of CACHE_POLICY; None for an endpoint without policies. Where the list may not be seen, the id that the documentation gives."""
    try:
        return find_cache_policy(api, CACHE_POLICY) or CACHE_POLICY_ID
    except Lacking:
        return None
    except SitepubError as error:
        if error.code == "access-denied":
            return CACHE_POLICY_ID
        raise


def find_cache_policy(api: Api, name: str) -> str | None:
    """The id of a managed one by its name: ids may change."""

    def rows(answer: Any) -> tuple[Any, str | None]:
        return answer["CachePolicyList"].get("Items"), marker_of(answer["CachePolicyList"])

    for each in api.pages("cloudfront", "list_cache_policies", rows, "Marker", Type="managed"):
        if each["CachePolicy"]["CachePolicyConfig"]["Name"] == name:
            return str(each["CachePolicy"]["Id"])
    return None
