"""Route 53: public zones, and the records of single names in them. Nothing that stands is ever overwritten, deletes repeat what stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sitepub.aws.provision.api import Api, Refused
from sitepub.core.provision.domains import Record, Zone
from sitepub.errors import RefusedError

_LEADING = ("A", "AAAA", "CNAME")
"""Types by which a name leads somewhere."""

_CHANGED = ("InvalidChangeBatch",)
"""How Route 53 says that other records stand there than the change takes for granted."""

_PENDING = ("PriorRequestNotComplete",)


def list_zones(api: Api) -> tuple[Zone, ...]:
    """Public ones alone: an alias of a private one can't lead to CloudFront."""

    def rows(answer: Any) -> tuple[Any, str | None]:
        return answer.get("HostedZones"), answer.get("NextMarker") if answer.get("IsTruncated") else None

    found = api.pages("route53", "list_hosted_zones", rows, "Marker")
    return tuple(
        Zone(each["Id"].rpartition("/")[2], _plain(each["Name"])) for each in found if not (each.get("Config") or {}).get("PrivateZone")
    )


def find_records(api: Api, zone: Zone, name: str, types: Iterable[str] = _LEADING) -> tuple[Record, ...]:
    """What stands under one name. Route 53 lists from that name on: all of its records are on the first page."""
    answer = api.ask("route53", "list_resource_record_sets", HostedZoneId=zone.id, StartRecordName=name, MaxItems="100")
    rows = answer.get("ResourceRecordSets") or ()
    return tuple(Record(zone, name, each["Type"], each) for each in rows if _plain(each["Name"]) == name.lower() and each["Type"] in types)


def create_records(api: Api, zone: Zone, sets: Iterable[Mapping[str, Any]]) -> None:
    """All or none. Raises RefusedError `foreign-record` where one stands by now."""
    _change(api, zone, [{"Action": "CREATE", "ResourceRecordSet": dict(each)} for each in sets])


def delete_records(api: Api, records: Iterable[Record]) -> None:
    """One that is gone, or another by now, is left alone."""
    for record in records:
        try:
            _change(api, record.zone, [{"Action": "DELETE", "ResourceRecordSet": dict(record.raw)}])
        except RefusedError:
            continue


def _change(api: Api, zone: Zone, changes: list[Mapping[str, Any]]) -> None:
    """All or none. Raises RefusedError `foreign-record`."""
    try:
        api.ask(
            "route53",
            "change_resource_record_sets",
            HostedZoneId=zone.id,
            ChangeBatch={"Comment": "sitepub", "Changes": changes},
            expected=_CHANGED,
            passing=_PENDING,
        )
    except Refused as refusal:
        names = ", ".join(dict.fromkeys(f"`{each['ResourceRecordSet']['Name']}`" for each in changes))
        message = f"Route 53 does not take the records of {names} in zone `{zone.name}`: {refusal.message}"
        raise RefusedError("foreign-record", message, "look at the zone; run it again once the names are free") from refusal


def _plain(name: str) -> str:
    """As people write it: Route 53 ends names with a dot, and has `*` as an octal number."""
    return name.rstrip(".").lower().replace("\\052", "*")
