"""One fault on the wire, at every request: the real clients' retries carry the run through, and what it leaves is what it would have left."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.fire.actions import ACTIONS, Action
from tests.fire.ground import Ground, Reach
from tests.fire.test_crash_points import count_requests
from tests.support.fault_proxy import Fault, once, throttle

WAITING = (Fault.HANG, Fault.SLOW)
PROMPT = [fault for fault in Fault if fault not in WAITING]

Break = Callable[[], Ground]
Tally = Callable[[str, int], None]


@pytest.mark.parametrize("name", ACTIONS)
def test_a_fault_now_and_then(break_ground: Break, tally: Tally, name: str) -> None:
    inject(break_ground, tally, ACTIONS[name], PROMPT, step=16 * len(PROMPT))


@pytest.mark.slow
@pytest.mark.parametrize("fault", PROMPT)
@pytest.mark.parametrize("name", ACTIONS)
def test_each_fault_at_every_request(break_ground: Break, tally: Tally, name: str, fault: Fault) -> None:
    inject(break_ground, tally, ACTIONS[name], [fault], step=1)


@pytest.mark.parametrize("fault", WAITING)
def test_a_server_that_does_not_answer_in_time(break_ground: Break, tally: Tally, fault: Fault) -> None:
    inject(break_ground, tally, ACTIONS["publish"], [fault], step=9, read_seconds=1)


@pytest.mark.slow
@pytest.mark.parametrize("fault", WAITING)
@pytest.mark.parametrize("name", ACTIONS)
def test_a_server_that_leaves_any_request_unanswered(break_ground: Break, tally: Tally, name: str, fault: Fault) -> None:
    inject(break_ground, tally, ACTIONS[name], [fault], step=1, read_seconds=1)


def inject(break_ground: Break, tally: Tally, action: Action, faults: list[Fault], *, step: int, read_seconds: float = 15) -> None:
    """Each fault at every `step`-th request, each beginning some requests later than the one before."""
    requests = count_requests(break_ground(), action)
    for number_of, fault in enumerate(faults):
        for number in range(1 + number_of * step // len(faults), requests + 1, step):
            ground = break_ground()
            # the answer to a large body may take minutes
            ground.is_large = fault not in WAITING
            action.prepare(ground)
            ground.script.begin(once(number, fault))
            action.act(ground, Reach(read_seconds=read_seconds, is_harmed=True))
            tally("faults injected", ground.script.faults)
            ground.bury()
            tally("visitor loads checked", ground.check_visitors())
            if action is ACTIONS["gc"]:
                action.follow["same"][0](ground)
            action.check_end(ground, "same")


@pytest.mark.parametrize("name", ACTIONS)
def test_throttling_for_a_while(break_ground: Break, tally: Tally, name: str) -> None:
    """A server that asks for patience gets it."""
    action = ACTIONS[name]
    ground = break_ground()
    action.prepare(ground)
    ground.script.begin(throttle(5, 2.0))
    action.act(ground, Reach(is_harmed=True))
    tally("faults injected", ground.script.faults)
    if action is ACTIONS["gc"]:
        action.follow["same"][0](ground)
    action.check_end(ground, "same")
