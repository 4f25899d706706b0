"""One way to do many calls at once: all results and all failures are gathered, none is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

A = TypeVar("A")
R = TypeVar("R")

WORKERS = 64
"""Concurrent requests to a store: what the round trip of a distant region needs; connections are opened only as needed."""


def run_all(call: Callable[[A], R], arguments: Iterable[A], *, workers: int = WORKERS) -> list[tuple[A, R]]:
    """Calls `call` with each argument, at most `workers` at once, and returns the pairs in the order of arguments.

    After a first failure nothing new is started; what is under way is awaited. Raises the failure of the earliest argument, with the others
    as its notes. Arguments are drawn as they are needed, so a generator of large bodies stays small.
    """
    from concurrent.futures import ThreadPoolExecutor  # a run with nothing to do has no use for it

    pairs: dict[int, tuple[A, R]] = {}
    failures: dict[int, BaseException] = {}
    numbered = enumerate(arguments)
    with ThreadPoolExecutor(max_workers=workers) as pool:
        running: dict[Future[R], tuple[int, A]] = {}
        try:
            while not failures and _start_some(pool, call, numbered, running, workers):
                _collect(running, pairs, failures)
            while running:
                _collect(running, pairs, failures)
        except BaseException:
            for future in running:
                future.cancel()
            raise
    if failures:
        raise _first_of(failures)
    return [pairs[number] for number in sorted(pairs)]


def _start_some(
    pool: ThreadPoolExecutor, call: Callable[[A], R], numbered: Iterator[tuple[int, A]], running: dict[Future[R], tuple[int, A]], limit: int
) -> bool:
    while len(running) < limit:
        drawn = next(numbered, None)
        if drawn is None:
            return bool(running)
        running[pool.submit(call, drawn[1])] = drawn
    return True


def _collect(running: dict[Future[R], tuple[int, A]], pairs: dict[int, tuple[A, R]], failures: dict[int, BaseException]) -> None:
    from concurrent.futures import FIRST_COMPLETED, wait

    for future in wait(running, return_when=FIRST_COMPLETED).done:
        number, argument = running.pop(future)
        failure = future.exception()
        if failure is None:
            pairs[number] = (argument, future.result())
        else:
            failures[number] = failure


def _first_of(failures: dict[int, BaseException]) -> BaseException:
    first, *others = [failures[number] for number in sorted(failures)]
    for other in others[:9]:
        first.add_note(f"also: {other}")
    if len(others) > 9:
        first.add_note(f"also: {len(others) - 9} more failures")
    return first


def start_aside(call: Callable[[], R], *, is_awaited: bool = False) -> Callable[[], R]:
    """Starts a call beside what else is to be done; what is returned waits for its result, or raises its failure. `is_awaited`: by the end of the
    process too, which may not pull Python away under a library that is at work in it."""
    results: list[R] = []
    failures: list[BaseException] = []

    def work() -> None:
        try:
            results.append(call())
        except BaseException as failure:
            failures.append(failure)

    # a daemon: who is interrupted does not wait for an answer that nobody needs any more
    thread = Thread(target=work, daemon=not is_awaited)
    thread.start()

    def wait_for_it() -> R:
        thread.join()
        if failures:
            raise failures[0]
        return results[0]

    return wait_for_it
