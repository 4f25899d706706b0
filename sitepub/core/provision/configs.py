"""What CloudFront is told: a distribution's config and the policy of its answers' headers, and what differs from what stands there. Pure.

Shapes: https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DistributionConfig.html and …/API_ResponseHeadersPolicyConfig.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from sitepub.core.edge import SECURITY_HEADERS
from sitepub.core.provision.blueprint import Blueprint
from sitepub.core.tags import TAG_HEADER

Config = Mapping[str, Any]

FUNCTION_RUNTIME = "cloudfront-js-2.0"
FUNCTION_EVENT = "viewer-request"
_WHOLE = ("ViewerCertificate",)
"""Fields of it exclude each other."""

ERROR_SECONDS = 10
"""How long edges keep that something is missing: as long as `cache.errors` says by default, and CloudFront too."""

HSTS_SECONDS = 31_536_000

REMOVED_HEADERS = (TAG_HEADER, "x-amz-meta-sitepub-digest", "x-amz-meta-sitepub-rare", "x-amz-server-side-encryption", "x-amz-version-id")
"""Each by its name: a policy knows no `*`."""

CACHE_POLICY = "Managed-CachingOptimized"
CACHE_POLICY_ID = "658327ea-f89d-4fab-a63d-7e88639e58f6"
"""Where the list of managed policies may not be seen."""


class Parts(Struct, frozen=True):
    """What a distribution refers to. None where the endpoint knows no such thing."""

    cache_policy: str | None = CACHE_POLICY_ID
    access_control: str | None = None
    function: str | None = None
    headers_policy: str | None = None
    certificate: str | None = None


def make_config(blueprint: Blueprint, parts: Parts) -> dict[str, Any]:
    """All of it but the CallerReference: our own defaults, or the user's file with what nobody can know before."""
    if blueprint.file is not None:
        return fill_in(blueprint, blueprint.file, parts)
    return {
        "Comment": blueprint.comment,
        "Enabled": True,
        "Aliases": _list(blueprint.domains),
        "DefaultRootObject": blueprint.root_object,
        "Origins": _list([_make_origin(blueprint, parts)]),
        "DefaultCacheBehavior": _make_behavior(blueprint, parts),
        "CustomErrorResponses": _list([_make_error(code, blueprint.error_page) for code in (403, 404)]),
        "CacheTagConfig": {"HeaderName": TAG_HEADER},
        "PriceClass": blueprint.price_class,
        "HttpVersion": "http2and3",
        "IsIPV6Enabled": True,
        "ViewerCertificate": _make_certificate(parts.certificate),
    }


def fill_in(blueprint: Blueprint, file: Config, parts: Parts) -> dict[str, Any]:
    """What the file says holds. The bucket's origin gets our access control where it names none; names and certificate of the site are put in
    where it has none."""
    config = {key: value for key, value in file.items() if key != "CallerReference"}
    origins = [_let_in(blueprint, origin, parts) for origin in file["Origins"]["Items"]]
    config["Origins"] = _list(origins)
    config.setdefault("Comment", blueprint.comment)
    if blueprint.domains and not (file.get("Aliases") or {}).get("Items"):
        config["Aliases"] = _list(blueprint.domains)
    if blueprint.domains and "ViewerCertificate" not in file:
        config["ViewerCertificate"] = _make_certificate(parts.certificate)
    return config


def is_own_origin(blueprint: Blueprint, origin: Config) -> bool:
    """Whether it is the bucket, in any of the ways in which its name is written."""
    host = str(origin.get("DomainName", "")).lower()
    return host.startswith(f"{blueprint.bucket}.s3") and host.endswith((".amazonaws.com", ".amazonaws.com.cn")) and "s3-website" not in host


def mend_foreign(blueprint: Blueprint, config: Config, parts: Parts) -> dict[str, Any]:
    """A distribution of the user's with the least that the site needs: a way into the bucket, its names, and a certificate for these."""
    wanted: dict[str, Any] = {}
    origins = config["Origins"]["Items"]
    mended = [_let_in(blueprint, origin, parts) for origin in origins]
    if mended != list(origins):
        wanted["Origins"] = _list(mended)
    names = (config.get("Aliases") or {}).get("Items") or []
    missing = [name for name in blueprint.domains if name not in names]
    if missing:
        wanted["Aliases"] = _list([*names, *missing])
        wanted["ViewerCertificate"] = _make_certificate(parts.certificate)
    return wanted


def make_headers_policy(blueprint: Blueprint) -> dict[str, Any]:
    """Security headers, unless the origin says otherwise; what S3 tells of itself and sitepub of its objects is taken away."""
    values = dict(SECURITY_HEADERS)
    return {
        "Name": blueprint.name,
        "Comment": blueprint.comment,
        "SecurityHeadersConfig": {
            "ReferrerPolicy": {"Override": False, "ReferrerPolicy": values["Referrer-Policy"]},
            "ContentTypeOptions": {"Override": True},
            "FrameOptions": {"Override": False, "FrameOption": values["X-Frame-Options"]},
            "StrictTransportSecurity": {"Override": False, "AccessControlMaxAgeSec": HSTS_SECONDS},
        },
        "RemoveHeadersConfig": _list([{"Header": name} for name in REMOVED_HEADERS]),
    }


def make_access_control(blueprint: Blueprint) -> dict[str, Any]:
    """By which the distribution signs its requests to the bucket."""
    return {
        "Name": blueprint.name,
        "Description": blueprint.comment,
        "SigningProtocol": "sigv4",
        "SigningBehavior": "always",
        "OriginAccessControlOriginType": "s3",
    }


def find_differences(standing: Config, wanted: Config, path: str = "") -> tuple[str, ...]:
    """The names of wanted fields that stand otherwise, as `DefaultCacheBehavior.Compress`. What nobody wants may stand as it likes."""
    return tuple(_walk_differences(standing, wanted, path))


def overlay(standing: Config, wanted: Config) -> dict[str, Any]:
    """`standing` with the wanted fields: an update sends the whole config, and what we know nothing of stays."""
    merged = dict(standing)
    for key, value in wanted.items():
        before = standing.get(key)
        if key in _WHOLE or _is_empty_list(value):
            merged[key] = value
        elif isinstance(value, Mapping) and isinstance(before, Mapping):
            merged[key] = overlay(before, value)
        elif key == "Items" and isinstance(before, Sequence) and value and isinstance(value[0], Mapping):
            merged[key] = [overlay(_counterpart(before, each), each) for each in value]
        else:
            merged[key] = value
    return merged


def _walk_differences(standing: Config, wanted: Config, path: str) -> Iterator[str]:
    for key, value in wanted.items():
        name = f"{path}.{key}" if path and key != "Items" else path if key == "Items" else key
        before = standing.get(key)
        if _is_empty_list(value):
            if isinstance(before, Mapping) and before.get("Items"):
                yield name
        elif isinstance(value, Mapping):
            yield from _walk_differences(before if isinstance(before, Mapping) else {}, value, name)
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            found = before if isinstance(before, Sequence) else []
            if len(found) != len(value):
                yield name
            else:
                for each in value:
                    yield from _walk_differences(_counterpart(found, each), each, name)
        elif key != "Quantity" and not _is_same(before, value):
            yield name


def _is_empty_list(value: object) -> bool:
    """As CloudFront writes one."""
    return isinstance(value, Mapping) and value.get("Quantity") == 0 and not value.get("Items")


def _is_same(before: object, value: object) -> bool:
    """What is empty may be missing."""
    if isinstance(value, list):
        return sorted(map(str, before if isinstance(before, Sequence) else [])) == sorted(map(str, value))
    return before == value or (not before and not value)


def _counterpart(rows: Sequence[Config], wanted: Config) -> Config:
    for key in ("Id", "ErrorCode", "EventType", "Header", "PathPattern"):
        if key in wanted:
            return next((row for row in rows if row.get(key) == wanted[key]), {})
    return {}


def _list(items: Sequence[Any]) -> dict[str, Any]:
    """As CloudFront writes lists; an empty one has no `Items`."""
    return {"Quantity": len(items), "Items": list(items)} if items else {"Quantity": 0}


def _make_origin(blueprint: Blueprint, parts: Parts) -> dict[str, Any]:
    origin = {
        "Id": "sitepub",
        "DomainName": blueprint.origin_domain,
        "OriginPath": blueprint.origin_path,
        "S3OriginConfig": {"OriginAccessIdentity": ""},
    }
    return _let_in(blueprint, origin, parts)


def _let_in(blueprint: Blueprint, origin: Config, parts: Parts) -> dict[str, Any]:
    """An origin with an access of its own keeps it."""
    has_access = origin.get("OriginAccessControlId") or (origin.get("S3OriginConfig") or {}).get("OriginAccessIdentity")
    if has_access or parts.access_control is None or not is_own_origin(blueprint, origin):
        return dict(origin)
    return {**origin, "OriginAccessControlId": parts.access_control}


def _make_behavior(blueprint: Blueprint, parts: Parts) -> dict[str, Any]:
    methods = ["GET", "HEAD"]
    behavior: dict[str, Any] = {
        "TargetOriginId": "sitepub",
        "ViewerProtocolPolicy": "redirect-to-https",
        "AllowedMethods": {**_list(methods), "CachedMethods": _list(methods)},
        "Compress": True,
    }
    if parts.cache_policy is not None:
        behavior["CachePolicyId"] = parts.cache_policy
    else:
        # as old as CloudFront itself; every endpoint has it
        behavior |= {"ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}}, "MinTTL": 0}
    if parts.headers_policy is not None:
        behavior["ResponseHeadersPolicyId"] = parts.headers_policy
    if parts.function is not None:
        behavior["FunctionAssociations"] = _list([{"EventType": FUNCTION_EVENT, "FunctionARN": parts.function}])
    return behavior


def _make_error(code: int, page: str) -> dict[str, Any]:
    """Without leave to list S3 answers 403 for a key that is missing."""
    return {"ErrorCode": code, "ResponsePagePath": page, "ResponseCode": "404", "ErrorCachingMinTTL": ERROR_SECONDS}


def _make_certificate(arn: str | None) -> dict[str, Any]:
    if arn is None:
        return {"CloudFrontDefaultCertificate": True}
    return {"ACMCertificateArn": arn, "SSLSupportMethod": "sni-only", "MinimumProtocolVersion": "TLSv1.2_2021"}
