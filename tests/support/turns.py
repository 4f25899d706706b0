"""Several runs at once, of which one at a time goes on by half a request: what happens depends on the order that is asked for, and on nothing else."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any
from unittest import mock


class _OrderlyPool:
    """Stands for a thread pool: its tasks are done in the calling thread, one after the other, in an order given by chance."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.waiting: list[tuple[Future[Any], Callable[..., Any], tuple[Any, ...]]] = []

    def __enter__(self) -> _OrderlyPool:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def submit(self, call: Callable[..., Any], *arguments: Any) -> Future[Any]:
        future = _Awaited(self)
        self.waiting.append((future, call, arguments))
        return future

    def go_on(self) -> None:
        """Does one of the waiting tasks."""
        future, call, arguments = self.waiting.pop(self.chance.randrange(len(self.waiting)))
        if not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(call(*arguments))
        except BaseException as error:
            future.set_exception(error)


class _Awaited(Future[Any]):
    def __init__(self, pool: _OrderlyPool) -> None:
        super().__init__()
        self.pool = pool


class _Done:
    def __init__(self, done: set[Future[Any]]) -> None:
        self.done = done


def _wait(futures: Any, return_when: str = "") -> _Done:
    while not (done := {future for future in futures if future.done()}):
        next(iter(futures)).pool.go_on()
    return _Done(done)


@contextmanager
def in_order(chance: random.Random) -> Iterator[None]:
    """`run_all` works in one thread while this lasts."""
    with (
        mock.patch("concurrent.futures.ThreadPoolExecutor", lambda max_workers: _OrderlyPool(chance)),
        mock.patch("concurrent.futures.wait", _wait),
    ):
        yield


class Actor:
    """A run in a thread of its own that stops before and after each request until it is its turn."""

    def __init__(self, name: str, act: Callable[[Actor], object]) -> None:
        self.name = name
        self.outcome: BaseException | object = None
        self.is_done = False
        self._act = act
        self._turn = threading.Semaphore(0)
        self._back = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._live, name=name, daemon=True)
        self._thread.start()

    def go_on(self) -> None:
        """Lets it go on until it is about to make a request, or has made it, or has come to its end."""
        if not self.is_done:
            self._turn.release()
            self._back.acquire()

    def pause(self) -> None:
        """Called by the run itself."""
        self._back.release()
        self._turn.acquire()

    def _live(self) -> None:
        self._turn.acquire()
        try:
            self.outcome = self._act(self)
        except BaseException as error:
            self.outcome = error
        self.is_done = True
        self._back.release()
