"""Waits out what passes by itself: throttling, server faults, broken connections, too many invalidations in progress."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from sitepub.aws.failures import read_answer
from sitepub.aws.failures_answers import THROTTLED
from sitepub.interfaces import Clock

R = TypeVar("R")

_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 30.0
_PASSING_CODES: Final = THROTTLED | {"TooManyInvalidationsInProgress", "PriorRequestNotComplete", "RequestTimeout"}

# botocore's, by name: it is not imported for them
_BROKEN_CONNECTIONS: Final = frozenset(("HTTPClientError", "ConnectionError", "IncompleteReadError"))


class Patience:
    """Repeats a call for so many seconds; each pause is twice the last, shortened by chance. The client's own few retries come first."""

    def __init__(self, clock: Clock, seconds: float, *, chance: Callable[[], float] | None = None) -> None:
        self._clock = clock
        self._seconds = seconds
        self._chance = chance or _draw

    def call(self, ask: Callable[[], R], passes: Callable[[Exception], bool] | None = None) -> R:
        """Raises what does not pass (`is_passing`, if nothing else is said) at once, what does not pass in time at last."""
        started = self._clock.elapsed()
        pause = _FIRST_PAUSE
        while True:
            try:
                return ask()
            except Exception as failure:
                left = started + self._seconds - self._clock.elapsed()
                if not (passes or is_passing)(failure) or left <= 0:
                    raise
            self._clock.sleep(min(left, pause * (0.5 + self._chance() / 2)))
            pause = min(_LONGEST_PAUSE, pause * 2)


def _draw() -> float:
    import random  # takes milliseconds, and most runs wait for nothing

    return random.random()


def is_passing(failure: Exception) -> bool:
    """Whether the same call may be answered later."""
    names = {kind.__name__ for kind in type(failure).__mro__}
    return is_refused_for_now(failure) or (not names.isdisjoint(_BROKEN_CONNECTIONS) and "SSLError" not in names)


def is_refused_for_now(failure: Exception) -> bool:
    """Whether the server itself answered so."""
    answer = read_answer(failure)
    return answer is not None and (answer.code in _PASSING_CODES or answer.status == 429 or answer.status >= 500)
