"""How many invalidation paths the account used this month, as AWS counted them: all distributions, whoever sent them. Looks only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any, Final

from sitepub.aws.failures import Asked, explain_failure, read_answer
from sitepub.aws.patience import Patience
from sitepub.errors import ConfigurationError
from sitepub.interfaces import Clock

_SECONDS: Final = 60.0
_GONE: Final = frozenset(("NoSuchDistribution", "NoSuchInvalidation"))


def paths_used_this_month(client: Any, clock: Clock, cache: MutableMapping[str, int] | None = None) -> int | None:
    """None where these credentials may not see it. `cache`: what an invalidation held, by `distribution/id`; that never changes."""
    ledger = _Ledger(client, Patience(clock, _SECONDS), {} if cache is None else cache)
    try:
        return ledger.count_since(clock.now().astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0))
    except Exception as failure:
        explained = explain_failure(failure, Asked("cloudfront:ListInvalidations", "the account's invalidations"))
        if isinstance(explained, ConfigurationError) and explained.code == "access-denied":
            return None
        raise explained from failure


class _Ledger:
    def __init__(self, client: Any, patience: Patience, quantities: MutableMapping[str, int]) -> None:
        self._client = client
        self._patience = patience
        self._quantities = quantities

    def count_since(self, start: datetime) -> int:
        return sum(
            self._count_paths(distribution, invalidation["Id"])
            for distribution in self._list_distributions()
            for invalidation in self._list_since(distribution, start)
        )

    def _list_distributions(self) -> Iterator[str]:
        for page in self._pages(self._client.list_distributions, "DistributionList"):
            yield from (distribution["Id"] for distribution in page)

    def _list_since(self, distribution: str, start: datetime) -> Iterator[Mapping[str, Any]]:
        """AWS lists the newest first, others don't: reading ends early only where the order is seen to fall."""
        newest: datetime | None = None
        before: datetime | None = None
        is_falling = True
        try:
            for page in self._pages(self._client.list_invalidations, "InvalidationList", DistributionId=distribution):
                for invalidation in page:
                    created: datetime = invalidation["CreateTime"]
                    is_falling = is_falling and (before is None or created <= before)
                    newest, before = newest or created, created
                    if created >= start:
                        yield invalidation
                if is_falling and newest is not None and before is not None and before < start and before < newest:
                    return
        except Exception as failure:
            if not _is_gone(failure):
                raise

    def _count_paths(self, distribution: str, invalidation: str) -> int:
        key = f"{distribution}/{invalidation}"
        if key not in self._quantities:
            try:
                answer = self._patience.call(lambda: self._client.get_invalidation(DistributionId=distribution, Id=invalidation))
            except Exception as failure:
                if _is_gone(failure):
                    return 0
                raise
            self._quantities[key] = answer["Invalidation"]["InvalidationBatch"]["Paths"]["Quantity"]
        return self._quantities[key]

    def _pages(self, call: Callable[..., Any], name: str, **parameters: str) -> Iterator[list[Mapping[str, Any]]]:
        while True:
            answer = self._patience.call(lambda: call(**parameters))[name]
            yield answer.get("Items") or []
            if not answer.get("IsTruncated") or not answer.get("NextMarker"):
                return
            parameters["Marker"] = answer["NextMarker"]


def _is_gone(failure: Exception) -> bool:
    """Deleted while it was looked at."""
    answer = read_answer(failure)
    return answer is not None and answer.code in _GONE
