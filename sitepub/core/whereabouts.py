"""A distribution as it stands just now, and whether the site's names lead to it. Pure."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from ipaddress import ip_address, ip_network

from msgspec import Struct


class Ongoing(Struct, frozen=True):
    """An invalidation in progress. `paths` None where nobody says."""

    id: str
    created_at: datetime
    paths: int | None


class Certificate(Struct, frozen=True):
    """The one that a distribution shows. `status` as ACM says it."""

    arn: str
    status: str
    expires_at: datetime | None


class Resolution(Struct, frozen=True):
    """What the DNS says of a name: the name at the end of its CNAMEs, and addresses."""

    canonical: str
    addresses: tuple[str, ...] = ()


class Leads(StrEnum):
    """Where a name leads. NOWHERE: there is no such name; UNKNOWN: nobody answered."""

    DISTRIBUTION = "distribution"
    ELSEWHERE = "elsewhere"
    NOWHERE = "nowhere"
    UNKNOWN = "unknown"


class NamedAt(Struct, frozen=True):
    """`found`: what the DNS says, for people."""

    name: str
    leads: Leads
    found: tuple[str, ...] = ()


class Listed(Struct, frozen=True):
    """A distribution of the account. `status`: `InProgress` or `Deployed`. `targets`: those of sitepub.yaml that name it."""

    id: str
    domain: str
    status: str
    is_enabled: bool
    aliases: tuple[str, ...] = ()
    comment: str = ""
    targets: tuple[str, ...] = ()


class Whereabouts(Struct, frozen=True):
    """`ongoing`, `certificate` and `drift`: None where they can't be told. `drift`: what differs from sitepub.yaml, in words."""

    id: str
    domain: str
    status: str
    is_enabled: bool
    aliases: tuple[str, ...] = ()
    ongoing: tuple[Ongoing, ...] | None = ()
    certificate: Certificate | None = None
    names: tuple[NamedAt, ...] = ()
    drift: tuple[str, ...] | None = None


def judge_name(name: str, found: Resolution | None, distribution: Resolution | None, *, is_known: bool = True) -> NamedAt:
    """`found` None: there is no such name, unless it is not `is_known`; `distribution` None: a resolver that does not know CloudFront's own name
    knows nothing. Edges have many addresses and answer with some: those of one network are as good as the same. A name that is one of the
    distribution's is served by no other, whichever edge it leads to."""
    if found is None:
        return NamedAt(name, Leads.NOWHERE if is_known and distribution is not None else Leads.UNKNOWN)
    shown = found.addresses if found.canonical == name else (found.canonical,)
    if distribution is None:
        return NamedAt(name, Leads.UNKNOWN, shown)
    is_there = found.canonical == distribution.canonical or not _networks(found).isdisjoint(_networks(distribution))
    return NamedAt(name, Leads.DISTRIBUTION if is_there else Leads.ELSEWHERE, shown)


def _networks(resolution: Resolution) -> frozenset[object]:
    return frozenset(
        ip_network((address, 24 if ip_address(address).version == 4 else 48), strict=False) for address in resolution.addresses
    )
