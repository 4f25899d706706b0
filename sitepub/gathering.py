"""One way to do many calls at once: all results and all failures are gathered, none is lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partial
from threading import BoundedSemaphore, Condition, Lock, Thread
from typing import Generic, TypeVar

A = TypeVar("A")
R = TypeVar("R")

WORKERS = 64
"""Calls at once where nothing is paced: what the round trip of a distant region needs; connections are opened only as needed."""

FIRST_LIMIT, MOST_LIMIT, LEAST_LIMIT = 32, 128, 2
"""Few enough at first for a line that carries a megabit a second, where what is late would be sent again."""

GAIN = 1.1
"""What doubling the number of requests must bring to be worth it."""


class Pace:
    """How many requests to a store are under way at once: twice as many for as long as that helps, half as many when the server asks for it.
    One a target; safe from many threads."""

    def __init__(self, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._elapsed = elapsed
        self._free = Condition()
        self._running = 0
        self._done = 0
        self._since: float | None = None
        self._last_rate = 0.0
        self._may_double = True
        self.limit = FIRST_LIMIT
        self.refusals = 0

    def __enter__(self) -> None:
        with self._free:
            while self._running >= self.limit:
                self._free.wait()
            self._running += 1
            if self._since is None:
                self._since = self._elapsed()

    def __exit__(self, *_: object) -> None:
        with self._free:
            was_full = self._running >= self.limit
            self._running -= 1
            self._done += 1
            if self._done >= self.limit:
                self._look(was_full)
            self._free.notify()

    def refuse(self) -> None:
        """The server wants fewer (503 SlowDown)."""
        with self._free:
            self.refusals += 1
            self.limit = max(LEAST_LIMIT, self.limit // 2)
            self._may_double = False
            self._begin_again()

    def _look(self, is_full: bool) -> None:
        """At what the last so many requests took; only if there were always enough of them."""
        took = self._elapsed() - (self._since or 0.0)
        rate = self._done / took if took > 0 else 0.0
        before = self.limit
        if not is_full:
            pass
        elif self.refusals and not self._may_double:
            self.limit = min(MOST_LIMIT, self.limit + 1)
        elif self._may_double and rate > GAIN * self._last_rate:
            self._may_double = self.limit < MOST_LIMIT
            self.limit = min(MOST_LIMIT, 2 * self.limit)
            self._last_rate = rate
        elif self._may_double:
            # the last step up was for nothing
            self.limit = max(FIRST_LIMIT, self.limit // 2)
            self._may_double = False
        self._begin_again()
        if self.limit > before:
            self._free.notify_all()

    def _begin_again(self) -> None:
        self._done, self._since = 0, self._elapsed()


def run_all(call: Callable[[A], R], arguments: Iterable[A], *, workers: int = WORKERS, pace: Pace | None = None) -> list[tuple[A, R]]:
    """Calls `call` with each argument, at most `workers` at once, and returns the pairs in the order of arguments.

    After a first failure nothing new is started; what is under way is awaited. Raises the failure of the earliest argument, with the others
    as its notes. Arguments are drawn as they are needed, so a generator of large bodies stays small. `pace`: says how many instead of `workers`.
    """
    crew = _Crew(call, arguments)
    _run(crew, workers, pace)
    return [crew.pairs[number] for number in sorted(crew.pairs)]


def run_each(call: Callable[[A], None], arguments: Iterable[A], *, workers: int = WORKERS, pace: Pace | None = None) -> None:
    """As run_all, of calls that answer nothing: of a million it holds none."""
    _run(_Crew(call, arguments, keeps=False), workers, pace)


def _run(crew: _Crew[A, R], workers: int, pace: Pace | None) -> None:
    if pace is not None:
        crew.call, workers = _paced(crew.call, pace), MOST_LIMIT
    try:
        while len(crew.threads) < workers and (drawn := crew.draw()) is not None:
            crew.start(drawn)
        crew.join()
    except BaseException:
        crew.is_over = True
        crew.join()
        raise
    if crew.failures:
        raise _first_of(crew.failures)


def start_all(call: Callable[[A], R], arguments: Iterable[A], *, workers: int) -> Callable[[], list[tuple[A, R]]]:
    """As run_all, but arguments are drawn here, each once fewer than `workers` calls are under way, and what is under way in the end goes on: what is
    returned waits for it. A failure is raised there; here, where more was to be drawn."""
    slots = BoundedSemaphore(workers)
    begun: list[tuple[A, Callable[[], R]]] = []
    failed: list[A] = []

    def call_in_slot(argument: A) -> R:
        try:
            return call(argument)
        except BaseException:
            failed.append(argument)
            raise
        finally:
            slots.release()

    def wait() -> list[tuple[A, R]]:
        return [(argument, answer()) for argument, answer in begun]

    for argument in arguments:
        slots.acquire()
        if failed:
            wait()  # raises
        begun.append((argument, start_aside(partial(call_in_slot, argument), is_awaited=True)))
    return wait


def _paced(call: Callable[[A], R], pace: Pace) -> Callable[[A], R]:
    def wait_and_call(argument: A) -> R:
        with pace:
            return call(argument)

    return wait_and_call


class _Crew(Generic[A, R]):
    """Threads that draw the next argument for themselves: a future for each would cost more than many a call."""

    def __init__(self, call: Callable[[A], R], arguments: Iterable[A], *, keeps: bool = True) -> None:
        self.call = call
        self._keeps = keeps
        self._numbered = enumerate(arguments)
        self._mutex = Lock()
        self.is_over = False
        self.threads: list[Thread] = []
        self.pairs: dict[int, tuple[A, R]] = {}
        self.failures: dict[int, BaseException] = {}

    def draw(self) -> tuple[int, A] | None:
        """The next argument and its number; None once there are no more, or something failed."""
        with self._mutex:
            drawn = None if self.is_over else next(self._numbered, None)
            if drawn is None:
                self.is_over = True
            # a failure or an interrupt may have come while it was drawn
            return None if self.is_over else drawn

    def start(self, first: tuple[int, A]) -> None:
        thread = Thread(target=self._work, args=(first,))
        self.threads.append(thread)
        thread.start()

    def join(self) -> None:
        for thread in self.threads:
            thread.join()

    def _work(self, drawn: tuple[int, A] | None) -> None:
        number = -1
        try:
            while drawn is not None:
                number, argument = drawn
                answer = self.call(argument)
                if self._keeps:
                    self.pairs[number] = (argument, answer)
                number += 1  # what fails from here on is whatever gives the next argument
                drawn = self.draw()
        except BaseException as failure:
            self.is_over = True
            self.failures[number] = failure


def _first_of(failures: dict[int, BaseException]) -> BaseException:
    first, *others = [failures[number] for number in sorted(failures)]
    for other in others[:9]:
        first.add_note(f"also: {other}")
    if len(others) > 9:
        first.add_note(f"also: {len(others) - 9} more failures")
    return first


class Aside(Generic[R]):
    """A call beside what else is to be done. To call it waits for the result, or raises its failure."""

    def __init__(self, call: Callable[[], R], *, is_awaited: bool) -> None:
        self._call = call
        self._results: list[R] = []
        self._failures: list[BaseException] = []
        # a daemon: who is interrupted does not wait for an answer that nobody needs any more
        self._thread = Thread(target=self._work, daemon=not is_awaited)
        self._thread.start()

    def __call__(self) -> R:
        self._thread.join()
        if self._failures:
            raise self._failures[0]
        return self._results[0]

    def is_over_within(self, seconds: float) -> bool:
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _work(self) -> None:
        try:
            self._results.append(self._call())
        except BaseException as failure:
            self._failures.append(failure)


def start_aside(call: Callable[[], R], *, is_awaited: bool = False) -> Aside[R]:
    """`is_awaited`: by the end of the process too, which may not pull Python away under a library that is at work in it."""
    return Aside(call, is_awaited=is_awaited)
