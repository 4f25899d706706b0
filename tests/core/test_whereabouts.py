"""Whether a name leads to a distribution, from what the DNS says of both."""

from __future__ import annotations

import pytest

from sitepub.core.whereabouts import Leads, NamedAt, Resolution, judge_name

EDGES = Resolution("d1.cloudfront.net", ("13.33.88.4", "13.33.88.9", "2600:9000:21f3:ac00:1::1"))


@pytest.mark.parametrize(
    ("found", "leads"),
    [
        pytest.param(Resolution("d1.cloudfront.net", ("99.86.1.1",)), Leads.DISTRIBUTION, id="a CNAME, whatever edge answers"),
        pytest.param(Resolution("www.a.example", ("13.33.88.9",)), Leads.DISTRIBUTION, id="an alias record, the same address"),
        pytest.param(Resolution("www.a.example", ("13.33.88.200",)), Leads.DISTRIBUTION, id="another address of the same edge"),
        pytest.param(Resolution("www.a.example", ("2600:9000:21f3:1400:5::7",)), Leads.DISTRIBUTION, id="IPv6 of the same edge"),
        pytest.param(Resolution("www.a.example", ("192.0.2.1",)), Leads.ELSEWHERE, id="an old server"),
        pytest.param(Resolution("d2.cloudfront.net", ("192.0.2.1",)), Leads.ELSEWHERE, id="another distribution"),
        pytest.param(None, Leads.NOWHERE, id="no such name"),
    ],
)
def test_where_a_name_leads(found: Resolution | None, leads: Leads) -> None:
    assert judge_name("www.a.example", found, EDGES).leads is leads


def test_what_was_not_answered_is_unknown() -> None:
    assert judge_name("www.a.example", None, EDGES, is_known=False) == NamedAt("www.a.example", Leads.UNKNOWN)
    assert judge_name("www.a.example", Resolution("www.a.example", ("192.0.2.1",)), None).leads is Leads.UNKNOWN
    assert judge_name("www.a.example", None, None).leads is Leads.UNKNOWN, "without a network no name is found"


def test_what_was_found_is_told() -> None:
    assert judge_name("www.a.example", Resolution("www.a.example", ("192.0.2.1",)), EDGES).found == ("192.0.2.1",)
    assert judge_name("www.a.example", Resolution("old.b.example", ("192.0.2.1",)), EDGES).found == ("old.b.example",)
