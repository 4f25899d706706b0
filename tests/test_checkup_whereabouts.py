"""What `doctor` says of certificate and names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sitepub.checkup_remarks import Severity
from sitepub.checkup_whereabouts import judge_whereabouts
from sitepub.core.whereabouts import Certificate, Leads, NamedAt, Whereabouts

NOW = datetime(2026, 11, 5, 12, tzinfo=UTC)


def judge(certificate: Certificate | None = None, *names: NamedAt) -> list[tuple[str, Severity]]:
    found = Whereabouts("E1", "d1.cloudfront.net", "Deployed", True, certificate=certificate, names=names)
    return [(remark.code, remark.severity) for remark in judge_whereabouts(found, NOW)]


@pytest.mark.parametrize(
    ("status", "days", "code", "severity"),
    [
        ("ISSUED", 300, "certificate", Severity.OK),
        ("ISSUED", 46, "certificate", Severity.OK),
        ("ISSUED", 44, "certificate-expires", Severity.PROBLEM),
        ("ISSUED", None, "certificate", Severity.OK),
        ("VALIDATION_TIMED_OUT", None, "certificate-not-issued", Severity.PROBLEM),
        ("EXPIRED", -1, "certificate-not-issued", Severity.PROBLEM),
    ],
)
def test_a_certificate(status: str, days: int | None, code: str, severity: Severity) -> None:
    expires = None if days is None else NOW + timedelta(days=days)
    assert judge(Certificate("arn", status, expires)) == [(code, severity)]


@pytest.mark.parametrize(
    ("leads", "code", "severity"),
    [
        (Leads.DISTRIBUTION, "name", Severity.OK),
        (Leads.UNKNOWN, "name", Severity.OK),
        (Leads.ELSEWHERE, "name-leads-elsewhere", Severity.NOTE),
        (Leads.NOWHERE, "name-leads-elsewhere", Severity.NOTE),
    ],
)
def test_a_name(leads: Leads, code: str, severity: Severity) -> None:
    assert judge(None, NamedAt("www.a.example", leads, ("192.0.2.1",))) == [(code, severity)]


def test_a_quiet_distribution_needs_no_word() -> None:
    assert judge() == []
