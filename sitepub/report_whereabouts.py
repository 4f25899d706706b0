"""A distribution as it stands just now, and all of an account, as text and JSON. Returns strings, prints nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from sitepub.core.whereabouts import Certificate, Leads, Listed, NamedAt, Ongoing, Whereabouts
from sitepub.report_json import to_json
from sitepub.report_words import count

SHOWN_DIFFERENCES = 10

_LEADS = {
    Leads.DISTRIBUTION: "leads to the distribution",
    Leads.ELSEWHERE: "leads elsewhere",
    Leads.NOWHERE: "leads nowhere: there is no such name",
    Leads.UNKNOWN: "can't be resolved just now",
}


def whereabouts_as_json(found: Whereabouts) -> dict[str, object]:
    return {
        "id": found.id,
        "domain": found.domain,
        "status": found.status,
        "enabled": found.is_enabled,
        "aliases": list(found.aliases),
        "invalidations_in_progress": None if found.ongoing is None else [_ongoing_as_json(each) for each in found.ongoing],
        "certificate": None if found.certificate is None else _certificate_as_json(found.certificate),
        "names": [{"name": each.name, "leads_to": each.leads.value, "found": list(each.found)} for each in found.names],
        "drift": None if found.drift is None else list(found.drift),
    }


def whereabouts_as_lines(found: Whereabouts, now: datetime) -> tuple[str, ...]:
    """`now` in UTC."""
    return tuple(_lines(found, now))


def distributions_as_json(target: str, listed: Sequence[Listed]) -> str:
    rows = [
        {
            "id": each.id,
            "domain": each.domain,
            "status": each.status,
            "enabled": each.is_enabled,
            "aliases": list(each.aliases),
            "comment": each.comment,
            "targets": list(each.targets),
        }
        for each in listed
    ]
    return to_json({"target": target, "distributions": rows})


def distributions_as_text(listed: Sequence[Listed]) -> str:
    if not listed:
        return "the account has no distribution"
    return "\n".join(_listed_line(each) for each in listed)


def _listed_line(listed: Listed) -> str:
    ours = f"  ({', '.join(listed.targets)})" if listed.targets else ""
    return f"{listed.id}  {_state(listed.status, is_enabled=listed.is_enabled)}  {', '.join((listed.domain, *listed.aliases))}{ours}"


def _lines(found: Whereabouts, now: datetime) -> Iterator[str]:
    state = _state(found.status, is_enabled=found.is_enabled)
    yield f"distribution: {found.id} {state}, {', '.join((found.domain, *found.aliases))}"
    for each in found.ongoing or ():
        paths = "" if each.paths is None else f" of {count(each.paths, 'path')}"
        yield f"invalidation in progress: {each.id}{paths}, since {_minute(each.created_at)}"
    if found.certificate is not None:
        yield _certificate_line(found.certificate, now)
    yield from (_name_line(each) for each in found.names)
    if found.drift:
        more = len(found.drift) - SHOWN_DIFFERENCES
        yield "differs from sitepub.yaml; `sitepub up` mends it:"
        yield from (f"  {each}" for each in found.drift[:SHOWN_DIFFERENCES])
        if more > 0:
            yield f"  and {more} more"
    elif found.drift is not None:
        yield "nothing differs from sitepub.yaml"


def _state(status: str, *, is_enabled: bool) -> str:
    return f"{status}{'' if is_enabled else ', disabled'}"


def _name_line(named: NamedAt) -> str:
    shown = f" ({', '.join(named.found)})" if named.found and named.leads is not Leads.DISTRIBUTION else ""
    return f"{named.name} {_LEADS[named.leads]}{shown}"


def _certificate_line(certificate: Certificate, now: datetime) -> str:
    if certificate.expires_at is None:
        return f"certificate: {certificate.status}"
    days = (certificate.expires_at - now).days
    when = f"expires in {days} day{'' if days == 1 else 's'}" if days >= 0 else "has expired"
    return f"certificate: {certificate.status}, {when} ({certificate.expires_at:%Y-%m-%d})"


def _ongoing_as_json(ongoing: Ongoing) -> dict[str, object]:
    return {"id": ongoing.id, "created_at": ongoing.created_at.isoformat(), "paths": ongoing.paths}


def _certificate_as_json(certificate: Certificate) -> dict[str, object]:
    expires = certificate.expires_at.isoformat() if certificate.expires_at else None
    return {"arn": certificate.arn, "status": certificate.status, "expires_at": expires}


def _minute(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC"
