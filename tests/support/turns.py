"""Several runs at once, of which one at a time goes on by half a request: what happens depends on the order that is asked for, and on nothing else."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from sitepub import gathering


class _OrderlyCrew(gathering._Crew[Any, Any]):
    """As many calls are begun as there would be threads; they are done in the calling thread, one after the other, in an order given by chance."""

    def __init__(self, chance: random.Random, call: Callable[[Any], Any], arguments: Iterable[Any], *, keeps: bool = True) -> None:
        super().__init__(call, arguments, keeps=keeps)
        self.chance = chance
        self.begun: list[tuple[int, Any]] = []

    def start(self, first: tuple[int, Any]) -> None:
        self.threads.append(threading.current_thread())
        self.begun.append(first)

    def join(self) -> None:
        while self.begun:
            number, argument = self.begun.pop(self.chance.randrange(len(self.begun)))
            try:
                answer = self.call(argument)
                if self._keeps:
                    self.pairs[number] = (argument, answer)
            except BaseException as failure:
                self.is_over, self.failures[number] = True, failure
                continue
            drawn = self.draw()
            if drawn is not None:
                self.begun.append(drawn)


@contextmanager
def in_order(chance: random.Random) -> Iterator[None]:
    """`run_all` works in one thread while this lasts."""
    with mock.patch("sitepub.gathering._Crew", lambda *given, **named: _OrderlyCrew(chance, *given, **named)):
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
