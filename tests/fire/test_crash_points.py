"""A run whose machine is gone after its n-th request, for every n: visitors see nothing broken, and the next run of any kind makes it whole."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

from sitepub.errors import SitepubError
from tests.fire.actions import ACTIONS, Action
from tests.fire.ground import DAY, Ground, Reach
from tests.support.fault_proxy import Fault, end_after

CASES = [(name, follow) for name, action in ACTIONS.items() for follow in action.follow]
IDS = [f"{name}, then {follow}" for name, follow in CASES]

ONCE = Reach(attempts=1, is_harmed=True)
WAYS = (None, Fault.LOST)
"""The last request was answered, or its answer was lost."""

Break = Callable[[], Ground]
Tally = Callable[[str, int], None]


@pytest.mark.parametrize(("name", "follow"), CASES, ids=IDS)
def test_a_run_that_ends_anywhere(break_ground: Break, tally: Tally, name: str, follow: str) -> None:
    end_at_points(break_ground, tally, ACTIONS[name], follow, step=48, first=1 + CASES.index((name, follow)) % 24)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "follow"), CASES, ids=IDS)
def test_a_run_that_ends_at_every_request(break_ground: Break, tally: Tally, name: str, follow: str) -> None:
    end_at_points(break_ground, tally, ACTIONS[name], follow, step=1, first=1)


def end_at_points(break_ground: Break, tally: Tally, action: Action, follow: str, *, step: int, first: int) -> None:
    requests = count_requests(break_ground(), action)
    assert requests > 5
    stopped = 0
    for count, number in enumerate(range(first, requests + 1, step)):
        for last in WAYS if step == 1 else (WAYS[count % len(WAYS)],):
            ground = break_ground()
            action.prepare(ground)
            ground.script.begin(end_after(number, last=last))
            told = act(action, ground)
            # what is asked aside takes some requests more or less: the run may be over before, but then nothing has stopped it
            assert ground.script.faults or told is None, told
            stopped += bool(ground.script.faults)
            ground.bury()
            tally("visitor loads checked", ground.check_visitors())
            action.follow[follow][0](ground)
            action.check_end(ground, follow)
            tally("visitor loads checked", ground.check_visitors())
            tally("crash points tried", 1)
    assert stopped


def act(action: Action, ground: Ground) -> SitepubError | None:
    """What stopped the run, if anything did."""
    try:
        action.act(ground, ONCE)
    except SitepubError as error:
        return error
    return None


def count_requests(ground: Ground, action: Action) -> int:
    action.prepare(ground)
    ground.script.begin()
    action.act(ground, ONCE)
    return len(ground.script.seen)


def test_what_a_first_publish_tried_is_collected(break_ground: Break) -> None:
    """A few bytes that show what the server does, left by a run that ended just then."""
    left = set[str]()
    for number in range(2, 12):
        ground = break_ground()
        ground.script.begin(end_after(number))
        with suppress(SitepubError):
            ground.publish_with(ground.edges(ONCE), 1)
        ground.bury()
        ground.publish(1)
        left |= {there.key.partition("/")[0] for there in ground.edges().records.list()}
        ground.shift += DAY
        ground.collect(ground.edges())
        kept = {there.key.partition("/")[0] for there in ground.edges().records.list()}
        assert kept == {"state.json", "releases", "packs", "entries"}
    assert "probe" in left
