"""How many invalidation paths the account used this month, as AWS counted them: all distributions, whoever sent them. Looks only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from sitepub.aws.failures import Asked, explain_failure, read_answer
from sitepub.aws.patience import Patience
from sitepub.core.ledger import Batch, Ledger, take_count, turn_page
from sitepub.errors import ConfigurationError
from sitepub.gathering import run_all
from sitepub.interfaces import Clock

_SECONDS: Final = 20.0
"""A count is only as good as it can be had: a lease, which some runs hold meanwhile, lasts three times as long."""

_WORKERS: Final = 8
"""CloudFront throttles those who ask much at once."""

_GONE: Final = frozenset(("NoSuchDistribution", "NoSuchInvalidation"))

Call = Callable[..., Any]


def count_month(
    client: Any, clock: Clock, known: Ledger | None = None, *, first: tuple[str, ...] = (), counted: Callable[..., Any] | None = None
) -> Ledger | None:
    """The ledger of the month, going on from what is `known` of it. None where these credentials may not see it. `first`: distributions that
    surely are there; `counted` makes one call."""
    now = clock.now()
    counter = _Counter(client, Patience(clock, _SECONDS), turn_page(known or Ledger(), now), counted or _call)
    try:
        distributions, listed = counter.look(first)
    except Exception as failure:
        explained = explain_failure(failure, Asked("cloudfront:ListInvalidations", "the account's invalidations"))
        if isinstance(explained, ConfigurationError) and explained.code == "access-denied":
            return None
        raise explained from failure
    return take_count(counter.known, distributions, listed, now)


def _call(call: Call, **parameters: object) -> Any:
    return call(**parameters)


class _Counter:
    def __init__(self, client: Any, patience: Patience, known: Ledger, counted: Callable[..., Any]) -> None:
        self.known = known
        self._client = client
        self._patience = patience
        self._counted = counted

    def look(self, first: tuple[str, ...]) -> tuple[list[str], dict[str, Batch]]:
        """All distributions, and what each was told since the last count. Those that are known are asked while all are listed."""
        asked: dict[str | None, list[Any]] = dict(run_all(self._look_at, [None, *sorted({*first, *self.known.sealed})], workers=_WORKERS))
        distributions = asked.pop(None)
        asked.update(run_all(self._look_at, [name for name in distributions if name not in asked], workers=_WORKERS))
        seen = {f"{name}/{each['Id']}": each["CreateTime"].timestamp() for name, found in asked.items() for each in found}
        new = [name for name in seen if name not in self.known.recent]
        return distributions, {name: Batch(seen[name], paths) for name, paths in run_all(self._count_paths, new, workers=_WORKERS)}

    def _look_at(self, distribution: str | None) -> list[Any]:
        return self._list_distributions() if distribution is None else list(self._list_since(distribution))

    def _list_distributions(self) -> list[Any]:
        return [distribution["Id"] for page in self._pages(self._client.list_distributions, "DistributionList") for distribution in page]

    def _list_since(self, distribution: str) -> Iterator[Mapping[str, Any]]:
        """AWS lists the newest first, others don't: reading ends early only where the order is seen to fall."""
        through = self.known.counted_through(distribution)
        is_sealed = distribution in self.known.sealed
        newest: float | None = None
        before: float | None = None
        is_falling = True
        try:
            for page in self._pages(self._client.list_invalidations, "InvalidationList", DistributionId=distribution):
                for invalidation in page:
                    created = invalidation["CreateTime"].timestamp()
                    is_falling = is_falling and (before is None or created <= before)
                    newest, before = newest or created, created
                    if created > through or (created == through and not is_sealed):
                        yield invalidation
                if is_falling and newest is not None and before is not None and before < through and before < newest:
                    return
        except Exception as failure:
            if not _is_gone(failure):
                raise

    def _count_paths(self, name: str) -> int:
        distribution, _, invalidation = name.partition("/")
        try:
            answer = self._ask(self._client.get_invalidation, DistributionId=distribution, Id=invalidation)
        except Exception as failure:
            if _is_gone(failure):
                return 0
            raise
        paths: int = answer["Invalidation"]["InvalidationBatch"]["Paths"]["Quantity"]
        return paths

    def _pages(self, call: Call, name: str, **parameters: str) -> Iterator[list[Mapping[str, Any]]]:
        while True:
            answer = self._ask(call, **parameters)[name]
            yield answer.get("Items") or []
            if not answer.get("IsTruncated") or not answer.get("NextMarker"):
                return
            parameters["Marker"] = answer["NextMarker"]

    def _ask(self, call: Call, **parameters: str) -> Any:
        return self._patience.call(lambda: self._counted(call, **parameters))


def _is_gone(failure: Exception) -> bool:
    """Deleted while it was looked at."""
    answer = read_answer(failure)
    return answer is not None and answer.code in _GONE
