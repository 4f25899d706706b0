"""Distributions of an account, invalidations in progress and certificates, of an emulator and of a client that gives what none does."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sitepub.aws.distributions import list_all, list_ongoing, read_certificate
from sitepub.core.whereabouts import Ongoing
from sitepub.errors import SitepubError
from tests.commands.conftest import Distribution, distribution
from tests.support.servers import S3Server

__all__ = ["distribution"]
NOW = datetime(2026, 11, 5, 12, tzinfo=UTC)


@dataclass
class Client:
    """`rows`: id, status and age in minutes; `size`: rows of a page; `read`: pages that were asked for."""

    rows: list[tuple[str, str, int]]
    size: int = 2
    read: list[str] = field(default_factory=list)

    def list_invalidations(self, DistributionId: str, Marker: str = "0") -> Any:
        self.read.append(Marker)
        start = int(Marker)
        page = self.rows[start : start + self.size]
        items = [{"Id": name, "Status": status, "CreateTime": NOW - timedelta(minutes=age)} for name, status, age in page]
        more = start + self.size < len(self.rows)
        return {"InvalidationList": {"Items": items, "IsTruncated": more, **({"NextMarker": str(start + self.size)} if more else {})}}

    def get_invalidation(self, DistributionId: str, Id: str) -> Any:
        return {"Invalidation": {"InvalidationBatch": {"Paths": {"Quantity": len(Id)}}}}


def ongoing(client: Client) -> list[str]:
    return [each.id for each in list_ongoing(lambda: client, "E1")]


def test_what_is_in_progress_with_its_paths() -> None:
    client = Client([("I2", "InProgress", 1), ("I111", "Completed", 9)])
    assert list_ongoing(lambda: client, "E1") == (Ongoing("I2", NOW - timedelta(minutes=1), 2),)


def test_reading_ends_where_all_that_is_older_is_done() -> None:
    rows = [("I1", "InProgress", 1), ("I2", "Completed", 2), ("I3", "Completed", 3), ("I4", "Completed", 4), ("I5", "Completed", 5)]
    client = Client(rows)
    assert ongoing(client) == ["I1"]
    assert client.read == ["0", "2"]


def test_those_that_list_the_oldest_first_are_read_to_the_end() -> None:
    rows = [("I5", "COMPLETED", 5), ("I4", "COMPLETED", 4), ("I3", "COMPLETED", 3), ("I2", "InProgress", 2), ("I1", "InProgress", 1)]
    assert ongoing(Client(rows)) == ["I1", "I2"], "the newest first"


def test_all_of_an_account(moto_server: S3Server, distribution: Distribution) -> None:
    found = {each.id: each for each in list_all(lambda: moto_server.client("cloudfront"))}[distribution.id]
    assert found.domain.endswith(".cloudfront.net") and found.is_enabled and found.status in ("InProgress", "Deployed")


def test_a_certificate(moto_server: S3Server) -> None:
    client = moto_server.client("acm")
    arn = client.request_certificate(DomainName="www.a.example", ValidationMethod="DNS")["CertificateArn"]
    found = read_certificate(lambda: client, arn)
    assert found.arn == arn and found.status in ("PENDING_VALIDATION", "ISSUED")  # moto needs no proof
    client.delete_certificate(CertificateArn=arn)
    with pytest.raises(SitepubError, match="the certificate"):
        read_certificate(lambda: client, arn)
