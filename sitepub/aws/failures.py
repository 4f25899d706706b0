"""What AWS, its clients and the network say when they fail, as errors that users can act on. Nothing secret is repeated."""

from __future__ import annotations

import re
from typing import Final

from sitepub.aws.asked import AGAIN, Asked
from sitepub.aws.failures_answers import Answer, explain_answer, read_answer
from sitepub.aws.failures_credentials import explain_client_failure, first_line
from sitepub.errors import ConfigurationError, SitepubError, StoppedError

__all__ = ["Answer", "Asked", "explain_failure", "read_answer"]

_URL: Final = re.compile(r"https?://[^\s\"']+")


def explain_failure(failure: BaseException, asked: Asked) -> SitepubError:
    """Never raises; what nobody knows is told in the client's own first line."""
    if isinstance(failure, SitepubError):
        return failure
    answer = read_answer(failure)
    if answer is not None:
        return explain_answer(answer, asked)
    return explain_client_failure(failure, asked) or _explain_connection(failure, asked)


def _explain_connection(failure: BaseException, asked: Asked) -> SitepubError:
    # a key or a host may be called anything
    text = _URL.sub("", f"{failure!r} {failure} {failure.__cause__ or ''}").lower()
    if any(word in text for word in ("certificate", "tls", "ssl")):
        return ConfigurationError(
            "tls-failure",
            f"{asked.where}: no trusted connection to the server",
            "a proxy or server with a certificate of its own: name its authority in `AWS_CA_BUNDLE`",
        )
    reason = next((reason for words, reason in _REASONS if any(word in text for word in words)), first_line(failure))
    if asked.is_first:
        return ConfigurationError("unreachable", f"{asked.where}: {reason}", "check the network, `endpoint_url` and `region`")
    return StoppedError("connection-lost", f"{asked.where}: {reason}", AGAIN)


_REASONS: Final = (
    (
        ("dns error", "name resolution", "failed to lookup", "nameresolution", "name or service not known"),
        "the server's name has no address",
    ),
    (("connection refused", "connectionrefused"), "the server refuses connections"),
    (("timed out", "timeout", "timedout"), "the server does not answer in time"),
    (
        (
            "connection reset",
            "connectionreset",
            "connection closed",
            "connection was closed",
            "incompletemessage",
            "incompletebody",
            "incompleteread",
            "brokenpipe",
            "broken pipe",
        ),
        "the connection broke off",
    ),
    (("unreachable", "endpointconnectionerror", "kind: connect"), "the server can't be reached"),
)
