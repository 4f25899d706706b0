"""Refusals of a server, as errors that users can act on: read from the exceptions of both clients, judged by AWS's word for them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from sitepub.aws.asked import AGAIN, Asked
from sitepub.errors import ConfigurationError, SitepubError, StoppedError

_STATUS: Final = re.compile(r"non-2xx status code: (\d{3})")
_CODE: Final = re.compile(r"<Code>([^<]*)</Code>")
_MESSAGE: Final = re.compile(r"<Message>([^<]*)</Message>")
_REGION: Final = re.compile(r"<Region>([^<]*)</Region>")
_ACTION: Final = re.compile(r"not authorized to perform:? (\w+:\w+)")


class Answer(Struct, frozen=True):
    """A server's refusal. `code` is AWS's word, empty where the answer has no body."""

    status: int
    code: str
    message: str = ""
    region: str = ""


def read_answer(failure: BaseException) -> Answer | None:
    """The server's answer inside a client's exception; None where there was none."""
    response = getattr(failure, "response", None)
    if isinstance(response, Mapping) and "Error" in response:
        return _read_boto_answer(response)
    status = _STATUS.search(text := str(failure))
    if status is not None:
        return Answer(int(status[1]), find_group(_CODE, text), find_group(_MESSAGE, text), find_group(_REGION, text))
    if "Received redirect without LOCATION" in text:
        return Answer(301, "PermanentRedirect")
    return None


def find_group(pattern: re.Pattern[str], text: str) -> str:
    """The first group of the first match; '' where there is none."""
    found = pattern.search(text)
    return found[1] if found else ""


def _read_boto_answer(response: Mapping[str, object]) -> Answer:
    error, metadata = response["Error"], response.get("ResponseMetadata")
    fields = error if isinstance(error, Mapping) else {}
    status = metadata.get("HTTPStatusCode", 0) if isinstance(metadata, Mapping) else 0
    headers = metadata.get("HTTPHeaders", {}) if isinstance(metadata, Mapping) else {}
    code = str(fields.get("Code", ""))
    region = fields.get("Region") or headers.get("x-amz-bucket-region") or ""
    # a HEAD has no body, so botocore gives the status as the code
    return Answer(int(status), "" if code.isdigit() else code, str(fields.get("Message", "")), str(region))


def explain_answer(answer: Answer, asked: Asked) -> SitepubError:
    """What a refusal means for people, with the way out: by its code, else by its status."""
    explain = _ANSWERS.get(answer.code)
    if explain is not None:
        return explain(answer, asked)
    if answer.code in THROTTLED or answer.status in (429, 503):
        return StoppedError("throttled", f"{asked.where}: the server asks for fewer requests ({_name(answer)})", AGAIN)
    if answer.status >= 500:
        return StoppedError("server-fault", f"{asked.where}: the server failed ({_name(answer)})", AGAIN)
    if answer.status in (401, 403):
        return _explain_denied(answer, asked)
    if answer.status == 301:
        return _explain_region(answer, asked)
    return StoppedError(
        "refused-by-server", f"{asked.where}: the server refused `{asked.action}` ({_name(answer)})", "see `sitepub doctor`"
    )


def _name(answer: Answer) -> str:
    return f"{answer.status} {answer.code}".strip()


THROTTLED: Final = frozenset(
    (
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "RequestThrottled",
    )
)
"""AWS's words, which differ by service, for too many requests."""


def _explain_denied(answer: Answer, asked: Asked) -> SitepubError:
    action = find_group(_ACTION, answer.message) or asked.action
    return ConfigurationError(
        "access-denied",
        f"{asked.where}: these credentials may not use `{action}`",
        "`sitepub policy` prints the policy that is needed; a bucket policy may deny too",
    )


def _explain_expired(answer: Answer, asked: Asked) -> SitepubError:
    return ConfigurationError("expired-credentials", f"{asked.where}: the credentials have expired", _how_to_renew(asked))


def _how_to_renew(asked: Asked) -> str:
    return f"get new ones, for example with `aws sso login{asked.profile_option}`; in CI, ask for a longer session"


def _explain_unknown_keys(answer: Answer, asked: Asked) -> SitepubError:
    return ConfigurationError(
        "unknown-credentials", f"{asked.where}: AWS does not know the access key", "look at `AWS_ACCESS_KEY_ID`, or name a `profile:`"
    )


def _explain_signature(answer: Answer, asked: Asked) -> SitepubError:
    return ConfigurationError(
        "wrong-signature",
        f"{asked.where}: the secret key does not fit the access key",
        "look at `AWS_SECRET_ACCESS_KEY`: a space or a line end at its edge is enough",
    )


def _explain_clock(answer: Answer, asked: Asked) -> SitepubError:
    return ConfigurationError(
        "wrong-clock", f"{asked.where}: this machine's clock differs too much from the server's", "set the clock, for example by NTP"
    )


def _explain_no_bucket(answer: Answer, asked: Asked) -> SitepubError:
    return ConfigurationError("no-bucket", f"there is no bucket `{asked.bucket}`", "create it, run `sitepub up`, or correct `store:`")


def _explain_bucket_name(answer: Answer, asked: Asked) -> SitepubError:
    return ConfigurationError("bad-bucket-name", f"`{asked.bucket}` can't be the name of a bucket", "correct `store:`")


def _explain_region(answer: Answer, asked: Asked) -> SitepubError:
    elsewhere = f"in `{answer.region}`, not in `{asked.region}`" if answer.region else f"not in `{asked.region}`"
    return ConfigurationError(
        "wrong-region", f"the bucket `{asked.bucket}` is {elsewhere}", f"set `region: {answer.region or '…'}` in the target"
    )


def _explain_upload(answer: Answer, asked: Asked) -> SitepubError:
    return StoppedError("upload-lost", f"{asked.where}: the upload in parts was given up meanwhile", AGAIN)


def _explain_time_out(answer: Answer, asked: Asked) -> SitepubError:
    return StoppedError("connection-lost", f"{asked.where}: the server waited in vain for the body", AGAIN)


def _explain_missing_body(answer: Answer, asked: Asked) -> SitepubError:
    return StoppedError("missing-body", f"{asked.where} is missing", "run `sitepub verify`")


_ANSWERS: Final[Mapping[str, Callable[[Answer, Asked], SitepubError]]] = {
    "AccessDenied": _explain_denied,
    "AccessDeniedException": _explain_denied,
    "AllAccessDisabled": _explain_denied,
    "AuthorizationHeaderMalformed": _explain_region,
    "IllegalLocationConstraintException": _explain_region,
    "PermanentRedirect": _explain_region,
    "TemporaryRedirect": _explain_region,
    "ExpiredToken": _explain_expired,
    "ExpiredTokenException": _explain_expired,
    "RequestExpired": _explain_expired,
    "TokenRefreshRequired": _explain_expired,
    "InvalidToken": _explain_expired,
    "InvalidAccessKeyId": _explain_unknown_keys,
    "InvalidClientTokenId": _explain_unknown_keys,
    "UnrecognizedClientException": _explain_unknown_keys,
    "SignatureDoesNotMatch": _explain_signature,
    "InvalidSignatureException": _explain_signature,
    "RequestTimeTooSkewed": _explain_clock,
    "NoSuchBucket": _explain_no_bucket,
    "InvalidBucketName": _explain_bucket_name,
    "NoSuchUpload": _explain_upload,
    "NoSuchKey": _explain_missing_body,
    "RequestTimeout": _explain_time_out,
}
