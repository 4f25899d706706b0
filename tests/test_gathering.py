"""Many calls at once: every result, every failure, nothing drawn too early, nothing left running."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Iterator

import pytest

from sitepub.gathering import LEAST_LIMIT, MOST_LIMIT, Pace, run_all, run_each, start_all, start_aside


def test_results_come_in_order_of_arguments() -> None:
    def call(number: int) -> int:
        time.sleep((number % 3) / 1000)
        return -number

    assert run_all(call, range(100), workers=7) == [(number, -number) for number in range(100)]
    assert run_all(call, []) == []


def test_calls_that_answer_nothing_leave_nothing_behind() -> None:
    called: list[int] = []
    arguments = [{number} for number in range(100)]
    left = [weakref.ref(argument) for argument in arguments]

    def draw() -> Iterator[set[int]]:
        while arguments:
            yield arguments.pop()

    def call(argument: set[int]) -> None:
        called.extend(argument)
        # what other calls were given is gone once they have returned
        if len(called) == 90:
            alive.append(sum(ref() is not None for ref in left) - len(arguments))

    alive: list[int] = []
    run_each(call, draw(), workers=4)
    assert sorted(called) == list(range(100))
    assert alive and alive[0] <= 8


def test_a_failure_is_told_where_nothing_is_answered_too() -> None:
    def call(number: int) -> None:
        if number == 7:
            raise ValueError("it is 7")

    with pytest.raises(ValueError, match="it is 7"):
        run_each(call, range(100), workers=3)


def test_no_more_than_so_many_at_once_and_arguments_are_drawn_as_needed() -> None:
    running, most, drawn, ahead = 0, 0, 0, 0
    mutex, four_at_once = threading.Lock(), threading.Barrier(4)

    def numbers() -> Iterator[int]:
        nonlocal drawn
        for number in range(40):
            drawn += 1
            yield number

    def call(number: int) -> None:
        nonlocal running, most, ahead
        with mutex:
            running += 1
            most, ahead = max(most, running), max(ahead, drawn - number)
        four_at_once.wait(60)
        with mutex:
            running -= 1

    run_all(call, numbers(), workers=4)
    assert most == 4
    assert ahead <= 5


def test_all_failures_are_told_and_nothing_is_begun_after_the_first() -> None:
    begun: list[int] = []
    barrier = threading.Barrier(3)

    def call(number: int) -> None:
        begun.append(number)
        barrier.wait(10)
        raise ValueError(f"number {number}")

    with pytest.raises(ValueError, match="number 0") as caught:
        run_all(call, range(100), workers=3)
    assert sorted(caught.value.__notes__) == ["also: number 1", "also: number 2"]
    assert sorted(begun) == [0, 1, 2]


def test_what_fails_between_two_arguments_is_told_too() -> None:
    def numbers() -> Iterator[int]:
        yield from range(5)
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        run_all(lambda number: time.sleep(0.001), numbers(), workers=2)
    with pytest.raises(ValueError, match="no more"):
        run_all(lambda number: None, numbers(), workers=20)


def test_a_failure_while_an_argument_is_drawn_begins_nothing_more() -> None:
    begun: list[int] = []
    is_drawing, is_failing = threading.Event(), threading.Event()

    def numbers() -> Iterator[int]:
        yield 0
        is_drawing.set()
        assert is_failing.wait(10)
        time.sleep(0.05)
        yield from range(1, 100)

    def fail(number: int) -> None:
        begun.append(number)
        assert is_drawing.wait(10)
        is_failing.set()
        raise ValueError(f"number {number}")

    with pytest.raises(ValueError, match="number 0"):
        run_all(fail, numbers(), workers=2)
    assert begun == [0]


def test_an_interrupt_waits_for_what_is_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int] = []
    join = threading.Thread.join

    def interrupted(thread: threading.Thread, timeout: float | None = None) -> None:
        monkeypatch.setattr(threading.Thread, "join", join)
        raise KeyboardInterrupt

    def call(number: int) -> None:
        time.sleep(0.01)
        done.append(number)

    monkeypatch.setattr(threading.Thread, "join", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_all(call, range(1000), workers=3)
    assert 1 <= len(done) <= 9
    count = len(done)
    time.sleep(0.03)
    assert len(done) == count


def test_all_are_begun_and_what_is_under_way_is_waited_for() -> None:
    release, begun, most = threading.Event(), [], 0
    mutex, running = threading.Lock(), 0

    def call(number: int) -> int:
        nonlocal running, most
        with mutex:
            running += 1
            most = max(most, running)
        assert number < 7 or release.wait(10)
        with mutex:
            running -= 1
        return -number

    def numbers() -> Iterator[int]:
        for number in range(10):
            begun.append(number)
            yield number

    wait = start_all(call, numbers(), workers=3)
    assert begun == list(range(10))
    release.set()
    assert wait() == [(number, -number) for number in range(10)]
    assert most <= 3


def test_nothing_is_begun_after_a_failure() -> None:
    drawn: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(100):
            drawn.append(number)
            yield number

    def fail(number: int) -> None:
        raise ValueError(f"number {number}")

    with pytest.raises(ValueError, match="number 0"):
        start_all(fail, numbers(), workers=1)
    assert drawn == [0, 1]
    with pytest.raises(ValueError, match="number 0"):
        start_all(fail, range(2), workers=3)()


def test_what_is_started_aside_gives_its_result_or_its_failure() -> None:
    assert start_aside(lambda: 7)() == 7

    def fail() -> None:
        raise ValueError("x")

    waits = start_aside(fail, is_awaited=True)
    with pytest.raises(ValueError, match="x"):
        waits()


class Line:
    """On a clock of its own, and always with more to send: of the requests under way it answers one after the other, so many in a second as there are,
    but no more than `wide`."""

    def __init__(self, wide: int) -> None:
        self.wide, self.now = wide, 0.0
        self.pace = Pace(lambda: self.now)

    def carry(self, requests: int, *, refuses_above: int | None = None) -> None:
        for _ in range(requests):
            while self.pace._running < self.pace.limit:
                self.pace.__enter__()
            self.now += 1 / min(self.wide, self.pace._running)
            if refuses_above is not None and self.pace._running > refuses_above:
                self.pace.refuse()
            self.pace.__exit__()
            while self.pace._running >= self.pace.limit:
                self.pace.__exit__()


def test_more_requests_at_once_for_as_long_as_that_helps() -> None:
    wide, narrow = Line(1000), Line(20)
    wide.carry(4000)
    narrow.carry(4000)
    assert wide.pace.limit == MOST_LIMIT
    assert narrow.pace.limit <= 32
    assert narrow.pace.refusals == 0


def test_fewer_at_once_when_the_server_asks_for_it_and_never_none() -> None:
    line = Line(1000)
    line.carry(4000, refuses_above=40)
    assert line.pace.refusals >= 1
    assert 20 <= line.pace.limit <= 41
    for _ in range(20):
        line.pace.refuse()
    assert line.pace.limit == LEAST_LIMIT


def test_a_paced_run_keeps_to_its_limit() -> None:
    pace, mutex = Pace(), threading.Lock()
    pace.limit = 3
    running = most = 0

    def call(number: int) -> int:
        nonlocal running, most
        with mutex:
            running += 1
            most = max(most, running)
        time.sleep(0.002)
        with mutex:
            running -= 1
        return number

    assert run_all(call, range(5), pace=pace) == [(number, number) for number in range(5)]
    assert most <= 3


def test_one_can_look_whether_it_is_over() -> None:
    release = threading.Event()
    waits = start_aside(lambda: release.wait(30))
    assert not waits.is_over_within(0)
    assert not waits.is_over_within(0.01)
    release.set()
    assert waits.is_over_within(30)
    assert waits()
