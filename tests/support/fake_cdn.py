"""A fake CloudFront with a boto3 client's shape: clock, bill, limits, late completion, faults, CallerReference rules. Sources: the
Developer Guide (invalidation, quotas, cache tags) and botocore's service model."""

from __future__ import annotations

import itertools
import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError
from msgspec import Struct

from sitepub.interfaces import Clock

STATUSES = {
    "AccessDenied": 403,
    "BatchTooLarge": 413,
    "InconsistentQuantities": 400,
    "InvalidArgument": 400,
    "InvalidationBatchAlreadyExists": 400,
    "MissingBody": 400,
    "EntityNotFound": 404,
    "NoSuchDistribution": 404,
    "NoSuchCachePolicy": 404,
    "NoSuchInvalidation": 404,
    "ServiceUnavailable": 503,
    "Throttling": 400,
    "TooManyInvalidationsInProgress": 400,
}
FILES_IN_PROGRESS = 3000
WILDCARDS_IN_PROGRESS = 15
FREE_PATHS = 1000
USD_A_PATH = 0.005

# `~` and quotes come as InvalidArgument, in spite of the documentation
_PATH = re.compile(r"/(?:[A-Za-z0-9$_.+!(),;/?:@=&-]|%[0-9A-F]{2})*\*?")
_TAG = re.compile(r"#[!-+\--~]{1,256}")


class Sent(Struct):
    """An invalidation as CloudFront keeps it."""

    id: str
    distribution: str
    created: datetime
    completes: datetime
    reference: str
    items: tuple[str, ...]


@dataclass(slots=True)
class FakeCloudFront:
    """`faults`: raised by the next calls, one each (None lets one through); an exception stands for a connection that broke before the
    call arrived, with `is_answer_lost` after it. `denied`: operations that these credentials may not use, each alone or with a distribution or tenant
    after a space. `before`: called with each operation as it arrives."""

    clock: Clock
    seconds_to_complete: float = 20
    page_size: int = 100
    faults: deque[str | Exception | None] = field(default_factory=deque)
    is_answer_lost: bool = False
    denied: set[str] = field(default_factory=set)
    before: Callable[[str], None] = lambda operation: None
    calls: list[str] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    tenants: dict[str, str] = field(default_factory=dict)
    cache_policies: dict[str, int] = field(default_factory=dict)  # id -> MinTTL
    _configs: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    # ---- what AWS's side sees

    def add_distribution(self, config: Mapping[str, Any] | None = None) -> str:
        name = f"E{next(self._numbers):013d}"
        self._configs[name] = config or {}
        return name

    def add_tenant(self, distribution: str) -> str:
        """A tenant of a multi-tenant distribution, whose config says `ConnectionMode: tenant-only`."""
        name = f"dt_{next(self._numbers):013d}"
        self.tenants[name] = distribution
        return name

    def count_paths(self) -> int:
        """The bill of this month, in paths, over all distributions."""
        month = self.clock.now().strftime("%Y-%m")
        return sum(len(each.items) for each in self.sent if each.created.strftime("%Y-%m") == month)

    def bill_usd(self) -> float:
        return max(0, self.count_paths() - FREE_PATHS) * USD_A_PATH

    # ---- what a client sees

    def get_distribution(self, *, Id: str) -> dict[str, Any]:
        self._begin("GetDistribution")
        config = self._config(Id, "GetDistribution")
        return {
            "Distribution": {"Id": Id, "DomainName": f"{Id.lower()}.cloudfront.net", "Status": "Deployed", "DistributionConfig": config}
        }

    def get_cache_policy(self, *, Id: str) -> dict[str, Any]:
        self._begin("GetCachePolicy")
        if Id not in self.cache_policies:
            raise refusal("NoSuchCachePolicy", "GetCachePolicy")
        return {"CachePolicy": {"Id": Id, "CachePolicyConfig": {"Name": Id, "MinTTL": self.cache_policies[Id]}}}

    def list_distributions(self, *, Marker: str = "", MaxItems: str = "100") -> dict[str, Any]:
        self._begin("ListDistributions")
        rows = [{"Id": name, "ConnectionMode": config.get("ConnectionMode", "direct")} for name, config in self._configs.items()]
        return {"DistributionList": self._page(rows, Marker, int(MaxItems))}

    def create_invalidation(self, *, DistributionId: str, InvalidationBatch: Mapping[str, Any]) -> dict[str, Any]:
        operation = "CreateInvalidation"
        fault = self._begin(operation, DistributionId)
        return self._create(DistributionId, self._config(DistributionId, operation), InvalidationBatch, operation, fault)

    def create_invalidation_for_distribution_tenant(self, *, Id: str, InvalidationBatch: Mapping[str, Any]) -> dict[str, Any]:
        operation = "CreateInvalidationForDistributionTenant"
        fault = self._begin(operation, Id)
        return self._create(Id, self._tenant(Id, operation), InvalidationBatch, operation, fault)

    def _create(
        self, name: str, config: Mapping[str, Any], InvalidationBatch: Mapping[str, Any], operation: str, fault: Exception | None
    ) -> dict[str, Any]:
        reference, items = InvalidationBatch["CallerReference"], tuple(InvalidationBatch["Paths"].get("Items", ()))
        if InvalidationBatch["Paths"]["Quantity"] != len(items):
            raise refusal("InconsistentQuantities", operation)
        self._check_items(items, config, operation)
        known = next((each for each in self.sent if (each.distribution, each.reference) == (name, reference)), None)
        if known is not None and sorted(known.items) != sorted(items):
            raise refusal("InvalidationBatchAlreadyExists", operation)
        if known is None:
            self._check_limits(name, items, operation)
            now = self.clock.now()
            completes = now + timedelta(seconds=self.seconds_to_complete)
            known = Sent(f"I{next(self._numbers):013d}", name, now, completes, reference, items)
            self.sent.append(known)
        if fault is not None:
            raise fault
        return {"Location": f"https://cloudfront/{known.id}", "Invalidation": self._describe(known)}

    def get_invalidation(self, *, DistributionId: str, Id: str) -> dict[str, Any]:
        self._begin("GetInvalidation", DistributionId)
        self._config(DistributionId, "GetInvalidation")
        return self._get(DistributionId, Id, "GetInvalidation")

    def get_invalidation_for_distribution_tenant(self, *, DistributionTenantId: str, Id: str) -> dict[str, Any]:
        operation = "GetInvalidationForDistributionTenant"
        self._begin(operation, DistributionTenantId)
        self._tenant(DistributionTenantId, operation)
        return self._get(DistributionTenantId, Id, operation)

    def list_invalidations(self, *, DistributionId: str, Marker: str = "", MaxItems: str = "100") -> dict[str, Any]:
        """Newest first; without the paths, as in AWS."""
        self._begin("ListInvalidations", DistributionId)
        self._config(DistributionId, "ListInvalidations")
        return self._list(DistributionId, Marker, int(MaxItems))

    def list_invalidations_for_distribution_tenant(self, *, Id: str, Marker: str = "", MaxItems: int = 100) -> dict[str, Any]:
        operation = "ListInvalidationsForDistributionTenant"
        self._begin(operation, Id)
        self._tenant(Id, operation)
        return self._list(Id, Marker, MaxItems)

    def list_distribution_tenants(self, *, Marker: str = "", MaxItems: int = 100) -> dict[str, Any]:
        self._begin("ListDistributionTenants")
        page = self._page([{"Id": name, "DistributionId": owner} for name, owner in self.tenants.items()], Marker, MaxItems)
        found: dict[str, Any] = {"DistributionTenantList": page.get("Items", [])}
        return {**found, "NextMarker": page["NextMarker"]} if page["IsTruncated"] else found

    # ---- within

    def _begin(self, operation: str, resource: str = "") -> Exception | None:
        """Raises what is planned for this call; returns it where it is to be raised after the work is done."""
        self.before(operation)
        self.calls.append(operation)
        if not self.denied.isdisjoint((operation, f"{operation} {resource}")):
            raise refusal("AccessDenied", operation)
        fault = self.faults.popleft() if self.faults else None
        if fault is None:
            return None
        error = refusal(fault, operation) if isinstance(fault, str) else fault
        if self.is_answer_lost and operation.startswith("CreateInvalidation"):
            return error
        raise error

    def _config(self, distribution: str, operation: str) -> Mapping[str, Any]:
        if distribution not in self._configs:
            raise refusal("NoSuchDistribution", operation)
        return self._configs[distribution]

    def _tenant(self, name: str, operation: str) -> Mapping[str, Any]:
        """The config of its distribution."""
        if name not in self.tenants:
            raise refusal("EntityNotFound", operation)
        return self._configs[self.tenants[name]]

    def _get(self, name: str, invalidation: str, operation: str) -> dict[str, Any]:
        found = next((each for each in self.sent if (each.distribution, each.id) == (name, invalidation)), None)
        if found is None:
            raise refusal("NoSuchInvalidation", operation)
        return {"Invalidation": self._describe(found)}

    def _list(self, name: str, marker: str, most: int) -> dict[str, Any]:
        found = [each for each in reversed(self.sent) if each.distribution == name]
        rows = [{"Id": each.id, "CreateTime": each.created, "Status": self._status(each)} for each in found]
        return {"InvalidationList": self._page(rows, marker, most)}

    def _check_items(self, items: tuple[str, ...], config: Mapping[str, Any], operation: str) -> None:
        if not items:
            raise refusal("InvalidArgument", operation)
        if len(items) > FILES_IN_PROGRESS:
            raise refusal("BatchTooLarge", operation)
        has_tags = bool(config.get("CacheTagConfig"))
        for item in items:
            is_tag = has_tags and _TAG.fullmatch(item)
            if not is_tag and (len(item) > 4000 or not _PATH.fullmatch(item)):
                raise refusal("InvalidArgument", operation, f"Your request contains one or more invalid invalidation paths: {item}")

    def _check_limits(self, distribution: str, items: tuple[str, ...], operation: str) -> None:
        busy = [
            item for each in self.sent if each.distribution == distribution and self._status(each) == "InProgress" for item in each.items
        ]
        both = (*busy, *items)
        wildcards = sum(item.endswith("*") for item in both)
        if wildcards > WILDCARDS_IN_PROGRESS or len(both) - wildcards > FILES_IN_PROGRESS:
            raise refusal("TooManyInvalidationsInProgress", operation)

    def _status(self, sent: Sent) -> str:
        return "Completed" if self.clock.now() >= sent.completes else "InProgress"

    def _describe(self, sent: Sent) -> dict[str, Any]:
        paths = {"Quantity": len(sent.items), "Items": list(sent.items)}
        batch = {"CallerReference": sent.reference, "Paths": paths}
        return {"Id": sent.id, "Status": self._status(sent), "CreateTime": sent.created, "InvalidationBatch": batch}

    def _page(self, rows: list[dict[str, Any]], marker: str, most: int) -> dict[str, Any]:
        start = 1 + next(index for index, row in enumerate(rows) if row["Id"] == marker) if marker else 0
        page = rows[start : start + min(most, self.page_size)]
        is_truncated = start + len(page) < len(rows)
        found: dict[str, Any] = {"Quantity": len(page), "IsTruncated": is_truncated, "Marker": marker, "MaxItems": most}
        if page:
            found["Items"] = page
        if is_truncated:
            found["NextMarker"] = page[-1]["Id"]
        return found


def refusal(code: str, operation: str, message: str = "refused") -> ClientError:
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": STATUSES[code]}}
    return ClientError(response, operation)  # type: ignore[arg-type, unused-ignore]
