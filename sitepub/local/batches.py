"""Map over files, through any `concurrent.futures.Executor` or in this process: batches large enough to be worth the hand-over.

All failures of all batches are gathered; results come in no particular order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Generic, TypeVar

from msgspec import Struct

from sitepub.errors import SitepubError, StoppedError, join_problems
from sitepub.interfaces import Workers

if TYPE_CHECKING:
    from concurrent.futures import Future

BATCH_BYTES = 4 * 1024 * 1024
BATCH_FILES = 1024
FILE_BYTES = 4096
"""What a file costs beside its own bytes, in bytes that take as long."""

IN_FLIGHT = 64
"""Batches handed over but not yet answered: enough for any number of cores here, few enough to stay small."""

J = TypeVar("J")
R = TypeVar("R")
B = TypeVar("B")


class Failure(Struct, frozen=True):
    """An error on its way between processes, taken apart: exceptions do not travel well."""

    error: type[SitepubError]
    code: str
    message: str
    hint: str


class Answer(Struct, Generic[R], frozen=True):
    rows: tuple[R, ...]
    failures: tuple[Failure, ...] = ()


def answer_all(call: Callable[[J], R], jobs: Iterable[J]) -> Answer[R]:
    """One batch, where it runs: no failure hides another."""
    rows, failures = [], []
    for job in jobs:
        try:
            rows.append(call(job))
        except SitepubError as error:
            failures.append(Failure(type(error), error.code, error.message, error.hint))
    return Answer(tuple(rows), tuple(failures))


def make_batches(
    jobs: Iterable[J], size_of: Callable[[J], int], *, most_bytes: int | None = None, most_files: int | None = None
) -> Iterator[tuple[J, ...]]:
    most_bytes, most_files = most_bytes or BATCH_BYTES, most_files or BATCH_FILES
    batch: list[J] = []
    size = 0
    for job in jobs:
        batch.append(job)
        size += size_of(job) + FILE_BYTES
        if size >= most_bytes or len(batch) >= most_files:
            yield tuple(batch)
            batch, size = [], 0
    if batch:
        yield tuple(batch)


def run_batches(executor: Workers | None, call: Callable[[B], Answer[R]], batches: Iterable[B]) -> Iterator[R]:
    """Rows of all batches. Raises once everything has been tried: one error for all failures of the first one's kind."""
    failures: list[Failure] = []
    batches = iter(batches)
    first = list(islice(batches, 2))
    # a single batch is done here before others have begun
    answers = map(call, chain(first, batches)) if executor is None or len(first) < 2 else _run_on(executor, call, chain(first, batches))
    for answer in answers:
        failures.extend(answer.failures)
        yield from answer.rows
    if failures:
        raise _join(failures)


def _run_on(executor: Workers, call: Callable[[B], Answer[R]], batches: Iterable[B]) -> Iterator[Answer[R]]:
    from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, wait

    running: set[Future[Answer[R]]] = set()
    try:
        for batch in batches:
            running.add(executor.submit(call, batch))
            if len(running) >= IN_FLIGHT:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
    except BrokenExecutor as error:
        message = "a process that read or rewrote files was ended from outside, most likely as memory was short"
        raise StoppedError(
            "worker-killed", message, "set `executor: threads`, which takes less, and run it again; nothing was written"
        ) from error
    finally:
        for future in running:
            future.cancel()


def _join(failures: list[Failure]) -> SitepubError:
    failures.sort(key=lambda failure: failure.message)
    first = failures[0]
    alike = [failure.message for failure in failures if failure.code == first.code]
    return join_problems(first.code, alike, first.error, first.hint)
