"""Checks of `doctor` on what visitors need before they reach the distribution: its certificate, and names that lead to it. They only look."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sitepub.checkup_remarks import Patient, Remark, Severity, fine
from sitepub.core.whereabouts import Certificate, Leads, NamedAt, Whereabouts
from sitepub.looking_distribution import look_at_distribution

RENEWED_BEFORE = timedelta(days=45)
"""ACM renews 60 days ahead, by the CNAME that proved the name once: https://docs.aws.amazon.com/acm/latest/userguide/managed-renewal.html"""


def check_whereabouts(patient: Patient) -> Iterable[Remark]:
    if patient.facts is None or patient.snapshot is None:
        return
    found = look_at_distribution(patient.request.target, patient.sight.cdn_of(patient.snapshot.state), None).whereabouts
    if found is not None:
        yield from judge_whereabouts(found, patient.sight.clock.now())


def judge_whereabouts(found: Whereabouts, now: datetime) -> Iterable[Remark]:
    """`now` in UTC."""
    if found.certificate is not None:
        yield _judge_certificate(found.certificate, now)
    for named in found.names:
        yield _judge_name(named, found)


def _judge_certificate(certificate: Certificate, now: datetime) -> Remark:
    if certificate.status != "ISSUED":
        message = f"the certificate `{certificate.arn}` is not issued but `{certificate.status}`"
        return Remark("certificate-not-issued", Severity.PROBLEM, message, "`sitepub up` asks for one that is proved by DNS")
    if certificate.expires_at is not None and certificate.expires_at - now < RENEWED_BEFORE:
        message = f"the certificate `{certificate.arn}` expires on {certificate.expires_at:%Y-%m-%d} and was not renewed"
        return Remark(
            "certificate-expires", Severity.PROBLEM, message, "let the CNAME stand in the DNS that ACM asked for, `sitepub up` shows it"
        )
    return fine(
        "certificate",
        f"the certificate is issued until {certificate.expires_at:%Y-%m-%d}" if certificate.expires_at else "the certificate is issued",
    )


def _judge_name(named: NamedAt, found: Whereabouts) -> Remark:
    if named.leads is Leads.DISTRIBUTION:
        return fine("name", f"`{named.name}` leads to the distribution")
    if named.leads is Leads.UNKNOWN:
        return fine("name", f"where `{named.name}` leads can't be resolved just now")
    where = (
        "nowhere: there is no such name"
        if named.leads is Leads.NOWHERE
        else f"to {', '.join(named.found)}, not to distribution `{found.id}`"
    )
    hint = f"let it lead to `{found.domain}` (ALIAS, ANAME or CNAME); `sitepub up` does that in Route 53"
    return Remark("name-leads-elsewhere", Severity.NOTE, f"`{named.name}` leads {where}", hint)
