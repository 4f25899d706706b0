"""How many invalidation paths the account used this month, as AWS counted them: all distributions, whoever sent them. Looks only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, TypeVar

from sitepub.aws.failures import Asked, explain_failure, read_answer
from sitepub.aws.patience import Patience
from sitepub.core.ledger import Batch, Ledger, take_count, turn_page
from sitepub.errors import ConfigurationError, SitepubError
from sitepub.gathering import run_all
from sitepub.interfaces import Clock

_SECONDS: Final = 20.0
"""A count is only as good as it can be had: a lease, which some runs hold meanwhile, lasts three times as long."""

_WORKERS: Final = 8
"""CloudFront throttles those who ask much at once."""

TENANT: Final = "tenant:"
"""Before the id of a tenant of a multi-tenant distribution, which has invalidations of its own, where the ledger names who was told something."""

MOST_TENANTS: Final = 100
"""Each takes a request. Who has more would wait for minutes, and is told that they are not counted."""

_EVERYONE: Final = ""
_GONE: Final = frozenset(("NoSuchDistribution", "NoSuchInvalidation", "EntityNotFound"))

Call = Callable[..., Any]
R = TypeVar("R")


def count_month(
    client: Any, clock: Clock, known: Ledger | None = None, *, first: tuple[str, ...] = (), counted: Callable[..., Any] | None = None
) -> Ledger | None:
    """The ledger of the month, going on from what is `known` of it, with what could not be seen. None where these credentials may see nothing at
    all. `first`: distributions that surely are there; `counted` makes one call."""
    now = clock.now()
    counter = _Counter(client, Patience(clock, _SECONDS), turn_page(known or Ledger(), now), counted or _call)
    try:
        names, listed = counter.look(first)
    except Exception as failure:
        raise _explain(failure) from failure
    return None if names is None else take_count(counter.known, names, listed, now, unseen=tuple(sorted(counter.unseen)))


def _call(call: Call, **parameters: object) -> Any:
    return call(**parameters)


class _Counter:
    """`unseen`: what these credentials may not see, though it may have cost paths. Names are distributions, or tenants after `TENANT`."""

    def __init__(self, client: Any, patience: Patience, known: Ledger, counted: Callable[..., Any]) -> None:
        self.known = known
        self.unseen = set[str]()
        self._client = client
        self._patience = patience
        self._counted = counted

    def look(self, first: tuple[str, ...]) -> tuple[list[str] | None, dict[str, Batch]]:
        """All who answered, and what each was told since the last count. Those that are known are asked while all are listed. None: nobody did."""
        asked = dict(run_all(self._look_at, [_EVERYONE, *sorted({*first, *self.known.sealed})], workers=_WORKERS))
        everyone = asked.pop(_EVERYONE)
        names = sorted(asked) if everyone is None else everyone
        asked.update(run_all(self._look_at, [name for name in names if name not in asked], workers=_WORKERS))
        seen = {f"{name}/{each['Id']}": each["CreateTime"].timestamp() for name, found in asked.items() for each in found or ()}
        new = _find_new(seen, self.known.recent)
        counted = dict(run_all(self._count_paths, new, workers=_WORKERS))
        silent = {name for name, found in asked.items() if found is None}
        silent |= {_split(batch)[0] for batch, paths in counted.items() if paths is None}
        if silent and silent == asked.keys():
            return None, {}
        batches = {batch: Batch(seen[batch], paths) for batch, paths in counted.items() if paths is not None}
        return (None if everyone is None and not asked else [name for name in names if name not in silent]), batches

    def _look_at(self, name: str) -> list[Any] | None:
        """None where that may not be seen."""
        if name == _EVERYONE:
            return self._if_allowed("cloudfront:ListDistributions", lambda: list(self._find_everyone()))
        action = "cloudfront:ListInvalidationsForDistributionTenant" if name.startswith(TENANT) else "cloudfront:ListInvalidations"
        return self._if_allowed(action, lambda: list(self._list_since(name)))

    def _if_allowed(self, action: str, ask: Callable[[], R]) -> R | None:
        try:
            return ask()
        except Exception as failure:
            explained = _explain(failure)
            if not isinstance(explained, ConfigurationError) or explained.code != "access-denied":
                raise
        self.unseen.add(f"`{action}` is not allowed everywhere")
        return None

    def _find_everyone(self) -> Iterator[str]:
        has_tenants = False
        for page in self._pages(self._client.list_distributions, "DistributionList"):
            for distribution in page:
                has_tenants = has_tenants or distribution.get("ConnectionMode") == "tenant-only"
                yield distribution["Id"]
        if not has_tenants:
            return
        tenants = self._if_allowed("cloudfront:ListDistributionTenants", self._list_tenants) or []
        if len(tenants) > MOST_TENANTS:
            self.unseen.add(f"the {len(tenants):,} tenants of multi-tenant distributions are too many to be asked")
        else:
            yield from tenants

    def _list_tenants(self) -> list[str]:
        tenants = list[str]()
        marker: dict[str, str] = {}
        while True:
            answer = self._ask(self._client.list_distribution_tenants, **marker)
            tenants += [TENANT + tenant["Id"] for tenant in answer.get("DistributionTenantList") or ()]
            if not answer.get("NextMarker") or len(tenants) > MOST_TENANTS * 10:
                return tenants
            marker["Marker"] = answer["NextMarker"]

    def _list_since(self, distribution: str) -> Iterator[Mapping[str, Any]]:
        """AWS lists the newest first, others don't: reading ends early only where the order is seen to fall."""
        call, asked = self._client.list_invalidations, {"DistributionId": distribution}
        if distribution.startswith(TENANT):
            call, asked = self._client.list_invalidations_for_distribution_tenant, {"Id": distribution.removeprefix(TENANT)}
        through = self.known.counted_through(distribution)
        is_sealed = distribution in self.known.sealed
        newest: float | None = None
        before: float | None = None
        is_falling = True
        try:
            for page in self._pages(call, "InvalidationList", **asked):
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

    def _count_paths(self, batch: str) -> int | None:
        """None where that may not be seen."""
        name, invalidation = _split(batch)
        if name.startswith(TENANT):
            call, action = self._client.get_invalidation_for_distribution_tenant, "cloudfront:GetInvalidationForDistributionTenant"
            asked = {"DistributionTenantId": name.removeprefix(TENANT), "Id": invalidation}
        else:
            call, action = self._client.get_invalidation, "cloudfront:GetInvalidation"
            asked = {"DistributionId": name, "Id": invalidation}
        try:
            answer = self._if_allowed(action, lambda: self._ask(call, **asked))
        except Exception as failure:
            if _is_gone(failure):
                return 0
            raise
        return None if answer is None else int(answer["Invalidation"]["InvalidationBatch"]["Paths"]["Quantity"])

    def _pages(self, call: Call, name: str, **parameters: str) -> Iterator[list[Mapping[str, Any]]]:
        while True:
            answer = self._ask(call, **parameters)[name]
            yield answer.get("Items") or []
            if not answer.get("IsTruncated") or not answer.get("NextMarker"):
                return
            parameters["Marker"] = answer["NextMarker"]

    def _ask(self, call: Call, **parameters: str) -> Any:
        return self._patience.call(lambda: self._counted(call, **parameters))


def _split(batch: str) -> tuple[str, str]:
    name, _, invalidation = batch.partition("/")
    return name, invalidation


def _find_new(seen: Iterable[str], recent: Iterable[str]) -> list[str]:
    """Whether a multi-tenant distribution lists what its tenants were told is not documented: the same invalidation counts once."""
    known = {_split(batch)[1] for batch in recent}
    first: dict[str, str] = {}
    for batch in seen:
        if _split(batch)[1] not in known:
            first.setdefault(_split(batch)[1], batch)
    return list(first.values())


def _explain(failure: Exception) -> SitepubError:
    return explain_failure(failure, Asked("cloudfront:ListInvalidations", "the account's invalidations"))


def _is_gone(failure: Exception) -> bool:
    """Deleted while it was looked at."""
    answer = read_answer(failure)
    return answer is not None and answer.code in _GONE
