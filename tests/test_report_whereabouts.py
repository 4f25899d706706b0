"""How a distribution is told of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sitepub.core.whereabouts import Certificate, Leads, Listed, NamedAt, Ongoing, Whereabouts
from sitepub.report import distributions_as_text, whereabouts_as_lines
from sitepub.report_whereabouts import whereabouts_as_json

NOW = datetime(2026, 11, 5, 12, tzinfo=UTC)
FOUND = Whereabouts("E1", "d1.cloudfront.net", "Deployed", True, ("www.a.example",))


def test_a_quiet_distribution_is_one_line() -> None:
    assert whereabouts_as_lines(FOUND, NOW) == ("distribution: E1 Deployed, d1.cloudfront.net, www.a.example",)


def test_all_that_is_to_be_told() -> None:
    found = Whereabouts(
        "E1",
        "d1.cloudfront.net",
        "InProgress",
        False,
        ongoing=(Ongoing("I1", NOW - timedelta(minutes=3), 12),),
        certificate=Certificate("arn", "ISSUED", NOW + timedelta(days=20, hours=1)),
        names=(NamedAt("www.a.example", Leads.DISTRIBUTION, ("d1",)), NamedAt("a.example", Leads.ELSEWHERE, ("192.0.2.1",))),
        drift=("distribution E1: Aliases",),
    )
    assert whereabouts_as_lines(found, NOW) == (
        "distribution: E1 InProgress, disabled, d1.cloudfront.net",
        "invalidation in progress: I1 of 12 paths, since 2026-11-05 11:57 UTC",
        "certificate: ISSUED, expires in 20 days (2026-11-25)",
        "www.a.example leads to the distribution",
        "a.example leads elsewhere (192.0.2.1)",
        "differs from sitepub.yaml; `sitepub up` mends it:",
        "  distribution E1: Aliases",
    )


@pytest.mark.parametrize(
    ("drift", "line"),
    [((), "nothing differs from sitepub.yaml"), (tuple(map(str, range(12))), "  and 2 more"), (None, "distribution: E1 Deployed")],
)
def test_what_differs(drift: tuple[str, ...] | None, line: str) -> None:
    found = Whereabouts("E1", "d1.cloudfront.net", "Deployed", True, drift=drift)
    assert whereabouts_as_lines(found, NOW)[-1].startswith(line)
    assert whereabouts_as_json(found)["drift"] == (None if drift is None else list(drift))


def test_a_certificate_that_has_expired() -> None:
    found = Whereabouts("E1", "d", "Deployed", True, certificate=Certificate("arn", "EXPIRED", NOW - timedelta(hours=1)))
    assert whereabouts_as_lines(found, NOW)[-1] == "certificate: EXPIRED, has expired (2026-11-05)"


def test_all_of_an_account() -> None:
    listed = [Listed("E1", "d1", "Deployed", True, ("a.example",), targets=("production",)), Listed("E2", "d2", "InProgress", False)]
    assert distributions_as_text(listed) == "E1  Deployed  d1, a.example  (production)\nE2  InProgress, disabled  d2"
    assert distributions_as_text([]) == "the account has no distribution"
