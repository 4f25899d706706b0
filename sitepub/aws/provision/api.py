"""One way to ask AWS for anything that `up` and `down` need: what passes is waited out, what was expected is a Refused, the rest is explained."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any, Final

from msgspec import Struct

from sitepub.aws.failures import Answer, Asked, explain_failure, read_answer
from sitepub.aws.patience import Patience, is_passing
from sitepub.errors import ConfigurationError, SitepubError
from sitepub.interfaces import Clock

_SECONDS: Final = 120.0
"""For so long a call is repeated whose refusal passes."""

_UNKNOWN_CODES: Final = frozenset(
    ("", "NotImplemented", "NotImplementedException", "UnknownOperationException", "InvalidAction", "MethodNotAllowed", "Unknown")
)
"""How servers of others say that they know no such call."""

_UNFIT_CODES: Final = frozenset(("InvalidArgument", "ValidationException", "InvalidChangeBatch", "MalformedPolicy"))
"""Answers whose message says which of the settings does not do."""

_TOO_MANY: Final = ("TooMany", "LimitExceeded")
"""What codes of quotas that are used up begin with."""

_ACTIONS: Final = {
    "cloudfront:CreateDistributionWithTags": "cloudfront:CreateDistribution",
    "pricing-plan-manager:ListSubscriptions": "pricingplanmanager:ListSubscriptions",
    "s3:GetObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:DeleteObjects": "s3:DeleteObjectVersion",
    "s3:ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
}
"""Calls whose action has another name, as the services' own references say:
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html"""


class Refused(Exception):
    """An answer that the caller counts on. Never leaves the call's own function: people are told of a SitepubError."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.code)
        self.code = answer.code
        self.message = answer.message
        self.status = answer.status
        self.region = answer.region


class Lacking(Exception):
    """The endpoint is not AWS's own, and does not know the call."""


class Api(Struct, frozen=True):
    """`connect`: from a service's name to its client. `is_aws`: AWS itself, which lacks nothing. `where`: what people call the server."""

    connect: Callable[[str], Any]
    clock: Clock
    is_aws: bool
    where: str
    profile: str | None = None
    region: str = ""

    def ask(
        self,
        service: str,
        operation: str,
        *,
        expected: Collection[str] = (),
        passing: Collection[str] = (),
        seconds: float = _SECONDS,
        **parameters: Any,
    ) -> Any:
        """What the client answers. Raises Refused for an `expected` code, Lacking, or a SitepubError. `passing`: codes of what takes its time at AWS
        itself, and is tried again for `seconds`."""

        def passes(failure: Exception) -> bool:
            answer = read_answer(failure)
            if answer is not None and answer.code in passing:
                return True
            return not self._is_lacking(answer) and is_passing(failure)

        try:
            client = self.connect(service)
            return Patience(self.clock, seconds).call(lambda: getattr(client, operation)(**parameters), passes)
        except Exception as failure:
            answer = read_answer(failure)
            if answer is not None and answer.code in expected:
                raise Refused(answer) from failure
            if self._is_lacking(answer):
                raise Lacking(f"{service}.{operation}") from failure
            raise self._explain(failure, answer, name_action(service, operation)) from failure

    def pages(
        self, service: str, operation: str, rows: Callable[[Any], tuple[Any, str | None]], marker: str, **parameters: Any
    ) -> Iterator[Any]:
        """All rows of a list. `rows`: the page's own, and the marker of the next one, which goes into the parameter `marker`."""
        following: str | None = None
        while True:
            more: dict[str, Any] = {marker: following} if following else {}
            found, following = rows(self.ask(service, operation, **parameters, **more))
            yield from found or ()
            if not following:
                return

    def _is_lacking(self, answer: Answer | None) -> bool:
        return not self.is_aws and answer is not None and answer.code in _UNKNOWN_CODES and answer.status in (400, 404, 405, 500, 501)

    def _explain(self, failure: Exception, answer: Answer | None, action: str) -> SitepubError:
        if answer is not None and answer.code.startswith(_TOO_MANY) and answer.status == 400:
            hint = "remove what is no longer needed, or ask AWS for a higher quota"
            return ConfigurationError("quota-reached", f"{self.where}: the account has no room for more ({answer.code})", hint)
        if answer is not None and answer.code in _UNFIT_CODES and answer.message:
            hint = "look at the message; where it speaks of your own file or names, correct them"
            return ConfigurationError("refused-settings", f"{self.where}: AWS refused `{action}`: {answer.message}", hint)
        return explain_failure(failure, Asked(action, self.where, region=self.region, profile=self.profile))


def name_action(service: str, operation: str) -> str:
    """The IAM action of a client's method."""
    word = f"{service}:{''.join(part.capitalize() for part in operation.split('_'))}"
    return _ACTIONS.get(word, word)


def marker_of(answer: Any) -> str | None:
    """What leads to the next page of CloudFront's lists; None on the last one."""
    return answer.get("NextMarker") or None
