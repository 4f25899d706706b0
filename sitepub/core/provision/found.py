"""What stands in AWS of all that `up` wants, as values. `is_ours`: it has our tag, or what can't be tagged our name and comment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct, field

from sitepub.core.provision.domains import Record, Zone

RECORDED = "distribution"
"""In the state's `provisioned`: the id of the distribution that `up` made or took."""


class Kind(StrEnum):
    """In the order in which `up` makes them."""

    BUCKET = "bucket"
    ACCESS_CONTROL = "access control"
    FUNCTION = "edge function"
    HEADERS = "headers policy"
    CERTIFICATE = "certificate"
    DISTRIBUTION = "distribution"
    POLICY = "bucket policy"
    RECORD = "DNS record"


class FoundBucket(Struct, frozen=True):
    """`wrong`: what of a bucket of ours is not as it should be, in words. `policy`: as it stands, None where there is
    none."""

    is_ours: bool
    policy: Mapping[str, Any] | None = None
    wrong: tuple[str, ...] = ()


class FoundPart(Struct, frozen=True):
    """An access control, an edge function or a headers policy. `handle`: the id or ARN that a distribution refers to. `is_right`: nothing has
    to be changed."""

    handle: str
    is_ours: bool
    is_right: bool = True


class FoundCertificate(Struct, frozen=True):
    """`status` as ACM says it. `records`: name and value of the CNAMEs that prove its domains, one a name; empty while ACM has none yet.
    `made`: marks of the CNAMEs that are ours."""

    arn: str
    status: str
    is_ours: bool
    domains: tuple[str, ...]
    records: tuple[tuple[str, str], ...] = ()
    made: frozenset[str] = frozenset()
    expires_at: datetime | None = None
    reason: str = ""


class FoundDistribution(Struct, frozen=True):
    """`status`: `InProgress` or `Deployed`. `has_plan`: a flat-rate pricing plan holds it."""

    id: str
    arn: str
    domain: str
    status: str
    config: Mapping[str, Any]
    is_ours: bool
    has_plan: bool = False

    @property
    def is_enabled(self) -> bool:
        return bool(self.config.get("Enabled", True))


class Found(Struct, frozen=True):
    """`zones`: for each domain, the one that holds it, or None. `records`: those of the site's domains that lead somewhere, `old_records`
    those of names that are a distribution's of ours and no longer the site's. `taken`: domains that another distribution of the account has,
    with its id. `lacks`: what the endpoint knows nothing of."""

    bucket: FoundBucket | None = None
    access_control: FoundPart | None = None
    function: FoundPart | None = None
    headers: FoundPart | None = None
    certificate: FoundCertificate | None = None
    old_certificates: tuple[FoundCertificate, ...] = ()
    distribution: FoundDistribution | None = None
    cache_policy: str | None = None
    zones: Mapping[str, Zone | None] = field(default_factory=dict)
    records: tuple[Record, ...] = ()
    old_records: tuple[Record, ...] = ()
    taken: Mapping[str, str] = field(default_factory=dict)
    lacks: frozenset[Kind] = frozenset()
