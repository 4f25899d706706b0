"""`distribution_config:`: the user's own configuration of a distribution, checked before anything is made."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sitepub.core.provision.blueprint import Blueprint
from sitepub.core.provision.configs import is_own_origin
from sitepub.core.provision.domains import covers
from sitepub.errors import ConfigurationError, join_problems

_WRAPPERS = ("DistributionConfig", "DistributionConfigWithTags")
_HINT = "`aws cloudfront get-distribution-config` prints one that works"


def read_distribution_file(path: Path) -> Mapping[str, Any]:
    """The config, its lists counted. Raises ConfigurationError `bad-distribution-config` for text that is no configuration."""
    try:
        document = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigurationError("bad-distribution-config", f"`{path.name}` can't be read: {error.strerror}", _HINT) from None
    except ValueError as error:
        raise ConfigurationError("bad-distribution-config", f"`{path.name}` is no JSON: {error}", _HINT) from None
    while isinstance(document, dict) and (inner := next((word for word in _WRAPPERS if word in document), None)):
        document = document[inner]
    if not isinstance(document, dict):
        raise ConfigurationError("bad-distribution-config", f"`{path.name}` must hold an object", _HINT)
    counted: dict[str, Any] = _count(document)
    return counted


def check_distribution_file(blueprint: Blueprint, file: Mapping[str, Any], name: str) -> None:
    """Everything that can be known here, all of it at once."""
    problems = list(_shape_problems(file)) or [*_origin_problems(blueprint, file), *_name_problems(blueprint, file)]
    if problems:
        raise join_problems("bad-distribution-config", [f"`{name}`: {each}" for each in problems], ConfigurationError, _HINT)


def _count(value: Any) -> Any:
    """A list's `Quantity` follows from its `Items`."""
    if isinstance(value, list):
        return [_count(each) for each in value]
    if not isinstance(value, dict):
        return value
    counted = {key: _count(each) for key, each in value.items()}
    if isinstance(counted.get("Items"), list):
        counted["Quantity"] = len(counted["Items"])
    return counted


def _shape_problems(file: Mapping[str, Any]) -> Iterator[str]:
    """As AWS's own model of the call sees it."""
    import botocore.session
    from botocore.validate import ParamValidator

    model = botocore.session.get_session().get_service_model("cloudfront")
    shape = model.shape_for("DistributionConfig")
    report = ParamValidator().validate({"CallerReference": "", "Comment": "", "Enabled": True, **file}, shape)
    if report.has_errors():
        yield from report.generate_report().splitlines()


def _origin_problems(blueprint: Blueprint, file: Mapping[str, Any]) -> Iterator[str]:
    origins = file["Origins"].get("Items") or []
    names = [each["Id"] for each in origins]
    groups = [each["Id"] for each in (file.get("OriginGroups") or {}).get("Items") or ()]
    if not any(is_own_origin(blueprint, each) for each in origins):
        yield f"none of its origins is the bucket: write `{blueprint.origin_domain}` as the `DomainName` of one"
    behaviors = [("DefaultCacheBehavior", file["DefaultCacheBehavior"])]
    behaviors += [(f"CacheBehaviors {each.get('PathPattern')}", each) for each in (file.get("CacheBehaviors") or {}).get("Items") or ()]
    for where, behavior in behaviors:
        if behavior["TargetOriginId"] not in (*names, *groups):
            yield f"{where} goes to the origin `{behavior['TargetOriginId']}`, which is not there"
        if "CachePolicyId" not in behavior and "ForwardedValues" not in behavior:
            yield f"{where} has no `CachePolicyId`"
    if file.get("Staging"):
        yield "`Staging` makes a distribution that no name leads to"


def _name_problems(blueprint: Blueprint, file: Mapping[str, Any]) -> Iterator[str]:
    names = (file.get("Aliases") or {}).get("Items") or []
    certificate = file.get("ViewerCertificate")
    arn = (certificate or {}).get("ACMCertificateArn", "")
    missing = [domain for domain in blueprint.domains if names and not covers(names, domain)]
    if missing:
        yield f"`Aliases` lacks {', '.join(missing)}, of `url:` and `domains:`"
    if arn and ":us-east-1:" not in arn:
        yield "`ViewerCertificate` names a certificate outside of us-east-1"
    if (names or blueprint.domains) and certificate is not None and not (arn or certificate.get("IAMCertificateId")):
        yield "`ViewerCertificate` must name a certificate for the names in `Aliases`; leave it out, and `up` brings one"
