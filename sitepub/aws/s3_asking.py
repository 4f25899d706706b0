"""Asks a bucket one thing at a time: counts it, repeats what S3 wants repeated, and turns every failure into an error of ours."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar

from sitepub.aws.failures import Answer, Asked, explain_failure, read_answer
from sitepub.core.model import Key
from sitepub.core.settings import BucketAddress
from sitepub.errors import SitepubError
from sitepub.interfaces import ConditionFailedError

R = TypeVar("R")

_CONFLICT_ATTEMPTS: Final = 5
_FIRST_PAUSE: Final = 0.05
_DEFECTS: Final = (AssertionError, AttributeError, LookupError, TypeError)


class Asking:
    """`requests` counts what was asked, not how often a client repeated it. `describe` fills in region and profile."""

    def __init__(
        self, address: BucketAddress, describe: Callable[[Asked], Asked], find_credential_failure: Callable[[], BaseException | None]
    ) -> None:
        self._address = address
        self._describe = describe
        self._find_credential_failure = find_credential_failure
        self._lock = threading.Lock()
        self._has_answered = False
        self.has_seen_bucket = False
        self.requests = 0

    def count(self) -> None:
        with self._lock:
            self.requests += 1

    def ask(self, action: str, key: str, call: Callable[[], R]) -> R | None:
        """One request; None where nothing stands at the key."""
        self.count()
        return self.try_all(action, key, call)

    def write(self, action: str, key: str, call: Callable[[], R]) -> R:
        """One request; raises ConditionFailedError, also where the version that was expected is missing altogether."""
        result = self.ask(action, key, call)
        if result is None:
            raise ConditionFailedError(Key(key))
        return result

    def try_all(self, action: str, key: str, call: Callable[[], R]) -> R | None:
        """Like `ask`, uncounted: for calls that count their own requests."""
        for attempt in range(_CONFLICT_ATTEMPTS):
            try:
                result = call()
            except _DEFECTS:
                raise
            except Exception as failure:
                answer = read_answer(failure)
                if _is_conflict(answer) and attempt < _CONFLICT_ATTEMPTS - 1:
                    _pause(attempt)
                    continue
                self._judge(failure, answer, action, key)
                return None
            self._has_answered = self.has_seen_bucket = True
            return result
        raise AssertionError

    def _judge(self, failure: Exception, answer: Answer | None, action: str, key: str) -> None:
        """Returns where something is merely missing."""
        if answer is not None:
            self._has_answered = True
            if answer.status == 412 or _is_conflict(answer):
                raise ConditionFailedError(Key(key)) from None
            if answer.status == 404 and answer.code in ("", "NoSuchKey"):
                return
        raise self.explain(failure, action, key) from failure

    def explain(self, failure: Exception, action: str, key: str) -> SitepubError:
        where = f"`{self._address}{'/' if key else ''}{key}`"
        asked = self._describe(Asked(action, where, self._address.bucket, is_first=not self._has_answered))
        return explain_failure(self._find_credential_failure() or failure, asked)


def _pause(attempt: int) -> None:
    import random

    time.sleep(_FIRST_PAUSE * 2**attempt * random.uniform(0.5, 1))


def _is_conflict(answer: Answer | None) -> bool:
    """Two conditional writes at once: S3 asks for another try (409 ConditionalRequestConflict)."""
    return answer is not None and answer.status == 409
