"""Publish, rollback and `gc` stopped at each of their requests, in every way, with visitors at each; then another run makes all well."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from sitepub.errors import SitepubError
from tests.promises.programs import Player, Race, Run
from tests.support.small_sites import SmallSite
from tests.support.turns import in_order
from tests.support.web import DAY, DiedError, Fault, Web, small_is_large

BEFORE = SmallSite(module=1, bundled=1, old=1, large=1, odd=1, computes=True, style=3, picture=3, text=3)
FIRST = SmallSite(module=1, bundled=1, old=1, large=1, odd=1, computes=True)
SECOND = replace(FIRST, text=2, style=2, picture=2, module=2, library=2, old=2, large=2, odd=0)
THIRD = SmallSite(text=2, leaf=0, loads_style=False, module=2, loads_module=False, large=2, language=1)

RUNS: dict[str, Callable[[Web, Fault | None], object]] = {
    "publish": lambda web, fault: web.publish(THIRD, 4, fault=fault),
    "rollback": lambda web, fault: web.roll_back(fault=fault),
    "gc": lambda web, fault: web.gc(fault=fault),
}


def start() -> Player:
    """Four releases, of which a `gc` may collect the first. A module of the second lingers in the third, and the last one overwrites it."""
    player = Player(Web(chance=random.Random(1)), newest=4)
    player.web.publish(BEFORE, 0)
    player.web.pass_time(DAY + 60)
    player.web.publish(FIRST, 1)
    player.web.pass_time(DAY + 60)
    player.web.publish(replace(FIRST, text=2, module=0, style=2), 2)
    player.web.pass_time(2 * DAY)
    player.web.publish(SECOND, 3)
    player.web.pass_time(60)
    return player


def stop_at_each(run: str, kind: str, last: SmallSite, *, every: int = 1) -> int:
    """How many requests it was stopped at."""
    number = 0
    while True:
        with small_is_large(), in_order(random.Random(1)):
            player = start()
            requests = player.web.requests
            try:
                RUNS[run](player.web, Fault(kind, number))
            except (DiedError, SitepubError):
                player.web.bury()
            is_past_its_end = player.web.requests - requests <= number
            player.check_rest()
            player.finish(last, collects=number % 4 == 0)
        if is_past_its_end:
            return number
        number += every


@pytest.mark.parametrize("last", [SECOND, THIRD], ids=["before", "wanted"])
@pytest.mark.parametrize("kind", ["crash", "crash late", "edit"])
@pytest.mark.parametrize("run", RUNS)
def test_stopped_at_each_request(run: str, kind: str, last: SmallSite) -> None:
    assert stop_at_each(run, kind, last, every=2 if kind == "crash" else 3) > 8


BESIDE = {
    "publish": Run("publish", THIRD),
    "publish of what is collected": Run("publish", FIRST),
    "publish of what is live": Run("publish", SECOND),
    "older publish": Run("publish", FIRST, newness=-1),
    "rollback": Run("rollback"),
    "gc": Run("gc"),
    "invalidate": Run("invalidate"),
}


def race_at_each(first: str, second: str, *, every: int) -> int:
    """The first one sleeps before or after that request until the second one is done, be it by taking over, and wakes up then.
    Returns how often that was tried."""
    half, halves, tried = 0, 99, 0
    while half <= halves:
        with small_is_large(), in_order(random.Random(1)):
            player = start()
            before = player.web.requests
            player.race(Race((BESIDE[first], BESIDE[second]), ((0, half + 1), (1, 2000))))
            halves = min(halves, 2 * (player.web.requests - before))
            player.check_rest()
            player.finish(SECOND, collects=half % 4 == 0)
        half += every
        tried += 1
    return tried


FIRSTS = ["publish", "publish of what is collected", "rollback", "gc"]


@pytest.mark.parametrize("second", BESIDE)
@pytest.mark.parametrize("first", FIRSTS)
def test_another_run_at_each_request(first: str, second: str) -> None:
    race_at_each(first, second, every=5)


@pytest.mark.slow
@pytest.mark.parametrize("second", BESIDE)
@pytest.mark.parametrize("first", FIRSTS)
def test_another_run_before_and_after_each_request(first: str, second: str) -> None:
    race_at_each(first, second, every=1)


def stop_twice(last: SmallSite, *, every: int) -> None:
    """A publish dies, another one supersedes it and dies too: a third one knows what both may have left."""
    for one in range(12, 28, every):
        for two in range(8, 32, every):
            with small_is_large(), in_order(random.Random(1)):
                player = start()
                for site, number in ((THIRD, one), (FIRST, two)):
                    with pytest.raises((DiedError, SitepubError)):
                        player.newest += 1
                        player.web.publish(site, player.newest, fault=Fault("crash", number))
                        raise DiedError  # it was done before that request
                    player.web.bury()
                player.finish(last, collects=two % 4 == 0)


@pytest.mark.parametrize("last", [SECOND, replace(SECOND, text=1, module=0)], ids=["before", "another"])
def test_two_dead_runs_one_after_the_other(last: SmallSite) -> None:
    stop_twice(last, every=3)


@pytest.mark.slow
@pytest.mark.parametrize("last", [FIRST, SECOND, THIRD, replace(SECOND, text=1, module=0)], ids=["first", "before", "wanted", "another"])
def test_two_dead_runs_in_every_way(last: SmallSite) -> None:
    stop_twice(last, every=1)


@pytest.mark.slow
@pytest.mark.parametrize("last", [FIRST, SECOND, THIRD], ids=["first", "before", "wanted"])
@pytest.mark.parametrize("kind", ["crash", "crash late", "stop", "stop late", "lost", "freeze", "edit"])
@pytest.mark.parametrize("run", RUNS)
def test_every_way_to_stop_at_each_request(run: str, kind: str, last: SmallSite) -> None:
    assert stop_at_each(run, kind, last) > 8


def test_gc_after_an_invalidation_that_was_owed_for_days() -> None:
    """Edges show the old pages until it is completed, and these load what only their own release has."""
    with small_is_large(), in_order(random.Random(1)):
        web = Web(chance=random.Random(1))
        web.publish(FIRST, 0)
        web.client.denied = {"CreateInvalidation"}
        web.publish(SECOND, 1)
        web.pass_time(4 * DAY)
        web.client.denied = set()
        assert not web.gc().sweep.doomed
        web.pass_time(DAY + 60)
        assert web.gc().sweep.doomed
