"""Host names: which zone holds one, which certificate covers one, which records lead it to a distribution. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from sitepub.errors import ConfigurationError

CLOUDFRONT_ZONE = "Z2FDTNDATAQYW2"
"""The zone of every distribution's name: https://docs.aws.amazon.com/Route53/latest/APIReference/API_AliasTarget.html"""

ADDRESS_TYPES = ("A", "AAAA")

PROOF_SECONDS = 300
"""How long resolvers keep the CNAME that proves a name to ACM."""


class Zone(Struct, frozen=True):
    """A public hosted zone of Route 53. `name` has no dot at its end."""

    id: str
    name: str


class Record(Struct, frozen=True):
    """A record set as Route 53 gives it, and in which zone. `name` has no dot at its end."""

    zone: Zone
    name: str
    type: str
    raw: Mapping[str, Any]

    @property
    def aim(self) -> str:
        """Where it leads, for people: an alias' name, or its values."""
        alias = self.raw.get("AliasTarget")
        if alias:
            return str(alias["DNSName"]).rstrip(".")
        return ", ".join(each["Value"] for each in self.raw.get("ResourceRecords", ()))

    def leads_to(self, distribution_domain: str) -> bool:
        """Whether it is an alias of the distribution's name; a CNAME is not counted."""
        alias = self.raw.get("AliasTarget")
        return bool(alias) and self.aim.lower().removeprefix("dualstack.") == distribution_domain.lower()


def choose_zone(domain: str, zones: Iterable[Zone], wanted: str | None) -> Zone | None:
    """The one with the longest name that holds the domain; `wanted` (an id or a name) leaves no other. None where there is none."""
    if wanted == "none":
        return None
    holding = [zone for zone in zones if domain == zone.name or domain.endswith(f".{zone.name}")]
    if wanted is not None:
        holding = [zone for zone in holding if wanted.rstrip(".") in (zone.id, zone.name)]
    longest = max((len(zone.name) for zone in holding), default=0)
    best = [zone for zone in holding if len(zone.name) == longest]
    if len(best) > 1:
        names = ", ".join(f"`{zone.id}`" for zone in best)
        message = f"several public zones are called `{best[0].name}`: {names}"
        raise ConfigurationError("ambiguous-zone", message, "name one of them in `zone:` of the target")
    return best[0] if best else None


def covers(names: Iterable[str], domain: str) -> bool:
    """Whether a certificate for `names` is one for the domain; `*` stands for one label."""
    return any(name.lower() == domain or (name.startswith("*.") and name[2:].lower() == domain.partition(".")[2]) for name in names)


def make_alias(domain: str, kind: str, distribution_domain: str) -> Mapping[str, Any]:
    """A record set of type `kind` (`A`, `AAAA`), as Route 53 takes it."""
    target = {"HostedZoneId": CLOUDFRONT_ZONE, "DNSName": distribution_domain, "EvaluateTargetHealth": False}
    return {"Name": domain, "Type": kind, "AliasTarget": target}


def make_cname(name: str, value: str) -> Mapping[str, Any]:
    """A record set that proves a name, as Route 53 takes it."""
    return {"Name": name, "Type": "CNAME", "TTL": PROOF_SECONDS, "ResourceRecords": [{"Value": value}]}
