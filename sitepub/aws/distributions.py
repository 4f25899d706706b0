"""What CloudFront and ACM say of distributions at this moment: all of the account, invalidations in progress, a certificate. Looks only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from sitepub.aws.failures import Asked, explain_failure
from sitepub.core.whereabouts import Certificate, Listed, Ongoing

R = TypeVar("R")

_DONE = "completed"


def list_all(connect: Callable[[], Any]) -> tuple[Listed, ...]:
    """Raises SitepubError where these credentials may not see them."""
    return _explained("cloudfront:ListDistributions", "the account's distributions", lambda: tuple(_list_all(connect())))


def list_ongoing(connect: Callable[[], Any], distribution: str) -> tuple[Ongoing, ...]:
    """The newest first. Raises SitepubError."""
    where = f"the invalidations of `{distribution}`"
    found = _explained("cloudfront:ListInvalidations", where, lambda: tuple(_list_ongoing(connect(), distribution)))
    return tuple(sorted(found, key=lambda ongoing: ongoing.created_at, reverse=True))


def read_certificate(connect: Callable[[], Any], arn: str) -> Certificate:
    """Raises SitepubError."""
    found = _explained(
        "acm:DescribeCertificate", f"the certificate `{arn}`", lambda: connect().describe_certificate(CertificateArn=arn)["Certificate"]
    )
    return Certificate(arn, str(found.get("Status", "")), found.get("NotAfter"))


def _explained(action: str, where: str, call: Callable[[], R]) -> R:
    try:
        return call()
    except Exception as failure:
        raise explain_failure(failure, Asked(action, where)) from failure


def _list_all(client: Any) -> Iterator[Listed]:
    for page in _pages(client.list_distributions, "DistributionList"):
        for each in page:
            aliases = tuple((each.get("Aliases") or {}).get("Items") or ())
            yield Listed(
                each["Id"], each["DomainName"], each["Status"], bool(each.get("Enabled", True)), aliases, each.get("Comment") or ""
            )


def _list_ongoing(client: Any, distribution: str) -> Iterator[Ongoing]:
    """AWS lists the newest first, others don't: it ends at a page without any where the order is seen to fall."""
    for page in _pages(client.list_invalidations, "InvalidationList", DistributionId=distribution):
        going_on = [each for each in page if each["Status"].lower() != _DONE]
        for each in going_on:
            yield Ongoing(each["Id"], each["CreateTime"], _count_paths(client, distribution, each["Id"]))
        if page and not going_on and page[0]["CreateTime"] > page[-1]["CreateTime"]:
            return


def _count_paths(client: Any, distribution: str, invalidation: str) -> int:
    answer = client.get_invalidation(DistributionId=distribution, Id=invalidation)
    paths: int = answer["Invalidation"]["InvalidationBatch"]["Paths"]["Quantity"]
    return paths


def _pages(call: Callable[..., Any], name: str, **parameters: str) -> Iterator[list[Mapping[str, Any]]]:
    while True:
        answer = call(**parameters)[name]
        yield answer.get("Items") or []
        if not answer.get("IsTruncated") or not answer.get("NextMarker"):
            return
        parameters["Marker"] = answer["NextMarker"]
