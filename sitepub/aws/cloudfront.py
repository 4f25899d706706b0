"""A CloudFront distribution: what it does, and invalidations that it accepts. What may pass is waited out, what can't is explained."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from msgspec.structs import replace

from sitepub.aws.failures import Asked, explain_failure, read_answer
from sitepub.aws.patience import Patience, is_passing, is_refused_for_now
from sitepub.core.ledger import Ledger
from sitepub.errors import ConfigurationError, SitepubError, StoppedError
from sitepub.interfaces import Clock, DistributionFacts, Submitted

OWN_FUNCTION: Final = "sitepub-"
"""Edge functions whose names start so map each page's URLs to one stored URL. Others may do anything: they are not relied on."""

ITEMS_AT_ONCE: Final = 3000
WILDCARDS_AT_ONCE: Final = 15
PATIENCE_SECONDS: Final = 300.0
_LOOKING_SECONDS: Final = 60.0
_SECONDS_BETWEEN_BATCHES: Final = 1.0
_LONGEST_REFERENCE: Final = 128
_SHORT_POLICIES: Final = frozenset(
    {
        "2e54312d-136d-493c-8eb9-b001f22f67d2",  # Amplify
        "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",  # CachingDisabled
        "658327ea-f89d-4fab-a63d-7e88639e58f6",  # CachingOptimized
        "b2884449-e4de-46a7-ac36-70bc7f1ddd6d",  # CachingOptimizedForUncompressedObjects
        "08627262-05a9-4f76-9ded-b50ca2e3a84f",  # Elemental-MediaPackage
        "83da9c7e-98b4-4e04-a168-04f0df8e2c65",  # UseOriginCacheControlHeaders
        "4cc15a8a-d715-48a4-82b8-cc0b614638fe",  # UseOriginCacheControlHeaders-QueryStrings
    }
)
"""AWS's own cache policies, whose minimum TTL is two seconds or less: they need not be read
(https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html)."""


class CloudFront:
    """`connect` makes the client when it is first needed. One invalidation of ours is several of CloudFront's where there are
    more items than it takes at once; then its id is theirs, joined by commas."""

    def __init__(
        self,
        distribution: str,
        connect: Callable[[], Any],
        clock: Clock,
        *,
        patience: Patience | None = None,
        profile: str | None = None,
    ) -> None:
        self._distribution = distribution
        self._connect = connect
        self._clock = clock
        self._patience = patience or Patience(clock, PATIENCE_SECONDS)
        self._profile = profile
        self._connected: Any = None
        self._requests = 0
        self._mutex = threading.Lock()
        self._facts: DistributionFacts | None = None

    @property
    def requests(self) -> int:
        return self._requests

    @property
    def distribution(self) -> str:
        return self._distribution

    def facts(self) -> DistributionFacts:
        """Asked once. Throttling is waited out, a missing network is not: nothing has been published yet."""
        if self._facts is not None:
            return self._facts
        is_first = self._connected is None
        try:
            client = self._client()
            looking = Patience(self._clock, _LOOKING_SECONDS)
            answer = looking.call(lambda: self._counted(client.get_distribution, Id=self._distribution), is_refused_for_now)
        except Exception as failure:
            raise self._explain(failure, "cloudfront:GetDistribution", is_first=is_first) from failure
        facts = read_facts(answer["Distribution"])
        if facts.least_seconds is None and facts.cache_policy not in _SHORT_POLICIES | {None}:
            facts = replace(facts, least_seconds=self._ask_least(client, looking, facts.cache_policy))
        self._facts = facts
        return facts

    def _ask_least(self, client: Any, looking: Patience, policy: str | None) -> int | None:
        """The minimum TTL of somebody's own cache policy; None where it can't be had: what edges keep is judged by headers alone then."""
        try:
            answer = looking.call(lambda: self._counted(client.get_cache_policy, Id=policy), is_refused_for_now)
        except Exception as failure:
            if read_answer(failure) is not None and not is_refused_for_now(failure):
                return None
            raise self._explain(failure, "cloudfront:GetCachePolicy") from failure
        return int(answer["CachePolicy"]["CachePolicyConfig"]["MinTTL"])

    def count_month(self, known: Ledger) -> Ledger | None:
        from sitepub.aws.quota import count_month

        is_first = self._connected is None
        try:
            client = self._client()
        except Exception as failure:
            raise self._explain(failure, "cloudfront:ListInvalidations", is_first=is_first) from failure
        return count_month(client, self._clock, known, first=(self._distribution,), counted=self._counted)

    def invalidate(self, items: tuple[str, ...], reference: str) -> Submitted:
        batches = tuple(split_batches(items))
        sent = list[Submitted]()
        for number, batch in enumerate(batches):
            if number:
                self._clock.sleep(_SECONDS_BETWEEN_BATCHES)
            sent.append(self._send(batch, reference if len(batches) == 1 else _derive(reference, str(number + 1))))
        return Submitted(",".join(each.id for each in sent), all(each.is_completed for each in sent))

    def is_completed(self, invalidation: str) -> bool:
        """False too where CloudFront does not say just now."""
        try:
            client = self._client()
            for each in invalidation.split(","):
                answer = self._counted(client.get_invalidation, DistributionId=self._distribution, Id=each)
                if not _is_completed(answer["Invalidation"]):
                    return False
        except Exception as failure:
            if is_passing(failure):
                return False
            raise self._explain(failure, "cloudfront:GetInvalidation") from failure
        return True

    def _send(self, items: tuple[str, ...], reference: str) -> Submitted:
        try:
            client = self._client()
            answer = self._patience.call(lambda: self._create(client, items, reference))
        except Exception as failure:
            raise self._explain_unsent(failure, len(items)) from failure
        created = answer["Invalidation"]
        return Submitted(created["Id"], _is_completed(created))

    def _create(self, client: Any, items: tuple[str, ...], reference: str) -> Any:
        try:
            return self._counted(client.create_invalidation, DistributionId=self._distribution, InvalidationBatch=_batch(items, reference))
        except Exception as failure:
            refusal = read_answer(failure)
            # botocore has no class for it
            if refusal is None or refusal.code != "InvalidationBatchAlreadyExists":
                raise
        own = _derive(reference, hashlib.sha256("\n".join(items).encode()).hexdigest()[:16])
        return self._counted(client.create_invalidation, DistributionId=self._distribution, InvalidationBatch=_batch(items, own))

    def _client(self) -> Any:
        with self._mutex:
            if self._connected is None:
                self._connected = self._connect()
            return self._connected

    def _counted(self, call: Callable[..., Any], **parameters: object) -> Any:
        with self._mutex:
            self._requests += 1
        return call(**parameters)

    def _explain(self, failure: Exception, action: str, *, is_first: bool = False) -> SitepubError:
        where = f"distribution `{self._distribution}`"
        answer = read_answer(failure)
        if answer is not None and answer.code == "NoSuchDistribution":
            hint = "correct `distribution:`, or use the credentials of its account; `distribution: none` publishes without one"
            return ConfigurationError("no-distribution", f"there is no {where} in this account", hint)
        return explain_failure(failure, Asked(action, where, profile=self._profile, is_first=is_first))

    def _explain_unsent(self, failure: Exception, count: int) -> SitepubError:
        explained = self._explain(failure, "cloudfront:CreateInvalidation")
        if isinstance(explained, ConfigurationError):
            return explained
        answer = read_answer(failure)
        reason = f"{answer.code}: {answer.message}".strip(": ") if answer is not None else explained.message
        paths = "1 path" if count == 1 else f"{count} paths"
        message = f"distribution `{self._distribution}` did not accept the invalidation of {paths}: {reason}"
        return StoppedError("invalidation-not-accepted", message, "`sitepub invalidate` or the next publish sends it")


def split_batches(items: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Each batch within what CloudFront takes at once."""
    wildcards = [item for item in items if item.endswith("*")]
    others = [item for item in items if not item.endswith("*")]
    while wildcards or others:
        starred, wildcards = wildcards[:WILDCARDS_AT_ONCE], wildcards[WILDCARDS_AT_ONCE:]
        room = ITEMS_AT_ONCE - len(starred)
        yield tuple(sorted((*starred, *others[:room])))
        others = others[room:]


def read_facts(distribution: Mapping[str, Any]) -> DistributionFacts:
    """From the answer of GetDistribution."""
    config = distribution["DistributionConfig"]
    return DistributionFacts(
        id=distribution["Id"],
        domain=distribution["DomainName"],
        status=distribution["Status"],
        aliases=tuple(_items(config, "Aliases")),
        default_root_object=config.get("DefaultRootObject") or "",
        has_function=any(map(_is_own_function, _items(config.get("DefaultCacheBehavior", {}), "FunctionAssociations"))),
        tag_header=(config.get("CacheTagConfig") or {}).get("HeaderName") or None,
        error_pages=tuple(sorted({page for each in _items(config, "CustomErrorResponses") for page in _error_page(each)})),
        is_enabled=bool(config.get("Enabled", True)),
        origins=tuple(origin["DomainName"] for origin in _items(config, "Origins")),
        least_seconds=config.get("DefaultCacheBehavior", {}).get("MinTTL"),
        cache_policy=config.get("DefaultCacheBehavior", {}).get("CachePolicyId") or None,
        certificate=(config.get("ViewerCertificate") or {}).get("ACMCertificateArn") or None,
    )


def _is_own_function(association: Mapping[str, str]) -> bool:
    name = association["FunctionARN"].rpartition("/")[2]
    return association["EventType"] == "viewer-request" and name.startswith(OWN_FUNCTION)


def _error_page(response: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    if response.get("ResponsePagePath"):
        yield response["ResponsePagePath"], int(response.get("ResponseCode") or response["ErrorCode"])


def _items(holder: Mapping[str, Any], name: str) -> list[Any]:
    return (holder.get(name) or {}).get("Items") or []


def _batch(items: tuple[str, ...], reference: str) -> Mapping[str, object]:
    return {"Paths": {"Quantity": len(items), "Items": list(items)}, "CallerReference": reference}


def _derive(reference: str, ending: str) -> str:
    return f"{reference[: _LONGEST_REFERENCE - len(ending) - 1]}-{ending}"


def _is_completed(invalidation: Mapping[str, Any]) -> bool:
    """Emulators write it in upper case."""
    return str(invalidation["Status"]).lower() == "completed"
