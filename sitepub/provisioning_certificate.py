"""The certificate's way: asked for, proved by CNAMEs in Route 53, waited for; and away again with the CNAMEs that were made for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sitepub.aws.provision.certificate import delete_certificate, find_near, mark_of, mark_record, read_certificate, request_certificate
from sitepub.aws.provision.records import create_records, delete_records, find_records, list_zones
from sitepub.core.provision.domains import Record, Zone, choose_zone, make_cname
from sitepub.core.provision.found import Found, FoundCertificate
from sitepub.core.provision.planning import needs_certificate
from sitepub.errors import RefusedError, StoppedError
from sitepub.provisioning_site import CERTIFICATE_PAUSE, Site, await_


def ensure_certificate(site: Site, found: Found, reference: str) -> str | None:
    """The ARN of one that is issued."""
    blueprint, api = site.blueprint, site.api
    if not needs_certificate(blueprint, found.distribution):
        return None
    if found.certificate is not None and found.certificate.status == "ISSUED":
        return found.certificate.arn
    arn = found.certificate.arn if found.certificate else request_certificate(api, blueprint, reference)
    proved: set[str] = set()
    told: set[str] = set()

    def is_issued() -> bool:
        certificate = read_certificate(api, blueprint, arn)
        if certificate is None or certificate.status not in ("PENDING_VALIDATION", "ISSUED"):
            status = f"`{certificate.status}` {certificate.reason}".strip() if certificate else "gone"
            raise StoppedError(
                "certificate-failed", f"the certificate of {', '.join(blueprint.domains)} is {status}", "run it again to ask for another"
            )
        # also where it is issued at once, by records that stand for another one: it is renewed by these
        _prove(site, certificate, proved, told)
        return certificate.status == "ISSUED"

    await_(site, f"the certificate of {', '.join(blueprint.domains)} to be issued", is_issued, CERTIFICATE_PAUSE)
    return arn


def _prove(site: Site, certificate: FoundCertificate, proved: set[str], told: set[str]) -> None:
    """Makes the CNAMEs that prove the domains, once ACM has told them; names those that nobody here can make."""
    missing = [(name, value) for name, value in certificate.records if name not in proved]
    zones = list_zones(site.api) if missing and site.blueprint.zone != "none" else ()
    for name, value in missing:
        zone = choose_zone(name, zones, site.blueprint.zone)
        if zone is None:
            if name not in told:
                site.progress.note(f"make this record where the DNS of `{name.partition('.')[2]}` is kept: {name} CNAME {value}")
                told.add(name)
            continue
        _prove_name(site, certificate, zone, name, value)
        proved.add(name)


def _prove_name(site: Site, certificate: FoundCertificate, zone: Zone, name: str, value: str) -> None:
    def is_right(record: Record) -> bool:
        return record.aim.rstrip(".") == value.rstrip(".")

    standing = find_records(site.api, zone, name, ("CNAME",))
    if not all(map(is_right, standing)):
        message = f"`{name}` has a CNAME of its own already, to `{standing[0].aim}`"
        raise RefusedError("foreign-record", message, "it must lead to what ACM asks for; delete it if nobody needs it, then run it again")
    if not standing:
        if mark_of(name) not in certificate.made:
            mark_record(site.api, certificate.arn, name, zone.id)
        make_records(site, zone, [make_cname(name, value)], is_right)


def make_records(site: Site, zone: Zone, wanted: list[Mapping[str, Any]], is_right: Callable[[Record], bool]) -> None:
    """All of one name. Refused is also a second attempt of ours whose first answer was lost, and what another run made meanwhile."""
    try:
        create_records(site.api, zone, wanted)
    except RefusedError:
        standing = find_records(site.api, zone, wanted[0]["Name"], [each["Type"] for each in wanted])
        if len(standing) != len(wanted) or not all(map(is_right, standing)):
            raise


def remove_certificate(site: Site, certificate: FoundCertificate) -> None:
    """Its CNAMEs go before it: once it is gone, nobody knows them. Another certificate for the same names needs the same ones."""
    site.progress.note(f"certificate of {', '.join(certificate.domains)}")
    _remove_proofs(site, certificate)
    delete_certificate(site.api, certificate.arn)


def _remove_proofs(site: Site, certificate: FoundCertificate) -> None:
    own = [(name, value) for name, value in certificate.records if mark_of(name) in certificate.made]
    if not own or site.blueprint.zone == "none":
        return
    zones = list_zones(site.api)
    needed = _needed_by_others(site, certificate)
    for name, value in own:
        zone = choose_zone(name, zones, site.blueprint.zone)
        if zone is not None and name not in needed:
            standing = find_records(site.api, zone, name, ("CNAME",))
            delete_records(site.api, [record for record in standing if record.aim.rstrip(".") == value.rstrip(".")])


def _needed_by_others(site: Site, certificate: FoundCertificate) -> frozenset[str]:
    """CNAMEs that prove another certificate too: it would not be renewed without them."""
    return frozenset(name for other in find_near(site.api, site.blueprint, certificate) for name, _ in other.records)
