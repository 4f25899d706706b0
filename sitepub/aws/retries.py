"""How long the clients go on with one request: until it is answered, but no attempt begins so late that it outlives a lease.

obstore repeats no conditional put and no delete whose connection broke; boto3 counts attempts alone, and each may wait for its answer.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

from sitepub.aws.failures import read_answer
from sitepub.aws.patience import is_refused_for_now

R = TypeVar("R")

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 4.0
_BROKEN: Final = re.compile(r"HttpError \{\s*kind: (?:Connect|Request|Timeout|Interrupted|Body|Decode)\b")
_LATE: Final = re.compile(r"HttpError \{\s*kind: Timeout\b")
_UNTRUSTED: Final = re.compile(r"certificate|tls|ssl", re.IGNORECASE)
_SEEN_BY_VISITORS: Final = ("PutObject", "CopyObject", "DeleteObject", "CompleteMultipartUpload")
_STARTED: Final = "sitepub_started"
_FAILURE: Final = "sitepub_failure"


def repeat(call: Callable[[], R], *, attempts: int, seconds: float, refused: Callable[[], None] = lambda: None) -> R:
    """For obstore, whose own retries are off. A write whose answer was lost may be refused the second time: whoever asked reads it back."""
    started = _elapsed()
    pause = _FIRST_PAUSE
    for left in reversed(range(attempts)):
        try:
            return call()
        except Exception as failure:
            if _asks_for_less(failure):
                refused()
            if not left or not _may_pass(failure):
                raise
            time.sleep(_vary(pause))
            if _elapsed() - started > seconds:
                raise
        pause = min(_LONGEST_PAUSE, pause * 2)
    raise ValueError("no attempt at all")


def end_retries(client: Any, seconds: float) -> None:
    """For boto3: no attempt of a write begins later than `seconds` after the first; what the last one met with is raised."""

    def note(request_dict: dict[str, Any], response: Any, caught_exception: Exception | None, **_: object) -> None:
        request_dict["context"][_FAILURE] = caught_exception or response

    def check(request: Any, operation_name: str, **_: object) -> None:
        context = request.context
        started = context.setdefault(_STARTED, _elapsed())
        if _elapsed() - started > seconds and _FAILURE in context:
            raise _as_exception(context[_FAILURE], operation_name)

    for operation in _SEEN_BY_VISITORS:
        client.meta.events.register_first(f"needs-retry.s3.{operation}", note)
        client.meta.events.register_first(f"request-created.s3.{operation}", check)


def _asks_for_less(failure: Exception) -> bool:
    """A slow line that carries too many bodies at once answers none of them in time."""
    answer = read_answer(failure)
    return answer.status in (429, 503) if answer is not None else _LATE.search(f"{failure}") is not None


def _may_pass(failure: Exception) -> bool:
    if read_answer(failure) is not None:
        return is_refused_for_now(failure)
    text = f"{failure}"
    return _BROKEN.search(text) is not None and _UNTRUSTED.search(re.sub(r"https?://\S+", "", text)) is None


def _vary(pause: float) -> float:
    import random  # takes milliseconds, and most runs wait for nothing

    return pause * random.uniform(0.5, 1)


def _as_exception(failure: Any, operation: str) -> Exception:
    from botocore.exceptions import ClientError

    return failure if isinstance(failure, Exception) else ClientError(failure[1], operation)


def _elapsed() -> float:
    """Goes on while the machine sleeps, as the lease does."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
