"""Who swaps the state beside a run that holds the lease takes it from nobody: what was owed is paid meanwhile."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from sitepub.collecting import collect
from sitepub.core.model import Commit, Key
from sitepub.core.settings import Retention
from sitepub.core.state import Lease, Pending, State, begin, recommit
from sitepub.core.state_text import decode_state
from sitepub.decision import Permits
from sitepub.edges import Edges
from sitepub.errors import HeldError
from sitepub.forgetting import forget
from sitepub.invalidating import send_owed
from sitepub.lease import LeaseKeeper
from sitepub.pipeline import publish
from tests.support.builders import RecordingCdn, World, commit, page_with_style, wish
from tests.support.turns import in_order

FIRST = page_with_style("one", "a{}")
SECOND = page_with_style("two", "b{}")
DAY = timedelta(days=1, seconds=1).total_seconds()
Hook = Callable[[str, Key], None]


def allow_all(_: Commit | None) -> None:
    return None


def start() -> World:
    """Two releases of which the first may go, and an invalidation that CloudFront did not accept."""
    world = World(cdn=RecordingCdn(is_down=True))
    publish(world.edges(), wish({**FIRST, "gone.html": b"gone"}), allow_all, Permits())
    world.clock.seconds += DAY
    publish(world.edges(), wish({**FIRST, "index.html": b"between"}), allow_all, Permits())
    return world


def state_of(world: World) -> State:
    return decode_state(world.bucket.objects[".sitepub/state.json"].body, where="state")


def pay(world: World) -> None:
    """Another run sends what is owed, or learns that nobody is to be told any more."""
    edges = world.edges(pid=2)
    send_owed(edges, edges.releases.read_state())


def at(world: World, number: int, does: Callable[[], None]) -> tuple[Hook, list[int]]:
    """Does it before the n-th request, once; the list counts requests."""
    seen: list[int] = []

    def hook(operation: str, key: Key) -> None:
        seen.append(1)
        if len(seen) == number:
            does()

    return hook, seen


def publish_second(edges: Edges) -> None:
    publish(edges, wish(SECOND), allow_all, Permits(), lock_timeout=0)


def collect_first(edges: Edges) -> None:
    collect(edges, Retention(releases=1, days=0))


def forget_gone(edges: Edges) -> None:
    forget(edges, ["gone.html"])


def recommit_live(world: World) -> None:
    """Another run, which had read the state before, has nothing to publish but its commit."""
    releases = world.edges(pid=2).releases
    snapshot = releases.read_state()
    releases.swap(snapshot, recommit(snapshot.state, commit("c0ffee"), nonce=releases.nonce()))


@pytest.mark.parametrize(
    ("run", "beside"),
    [(publish_second, pay), (publish_second, recommit_live), (collect_first, recommit_live), (forget_gone, recommit_live)],
)
def test_what_others_do_to_the_state_takes_no_lease(run: Callable[[Edges], None], beside: Callable[[World], None]) -> None:
    """At any request: as a publisher pays what it owes whose successor has begun meanwhile."""
    number, requests = 1, 2
    while number < requests:
        world = start()
        assert world.cdn is not None
        world.cdn.is_down = False
        hook, seen = at(world, number, lambda world=world: beside(world))  # type: ignore[misc]
        run(world.edges(before=hook))
        requests = len(seen)
        pay(world)
        state = state_of(world)
        assert (state.pending, state.collect, state.owed) == (None, None, ()), number
        number += 1
    assert number > 6


def test_another_runs_lease_is_respected() -> None:
    world = start()

    def take_over() -> None:
        world.gone.add(1)
        publish(world.edges(pid=2), wish({**SECOND, "index.html": b"theirs"}), allow_all, Permits(), lock_timeout=0)

    hook, _ = at(world, 9, take_over)
    with pytest.raises(HeldError) as caught:
        publish_second(world.edges(before=hook))
    assert caught.value.code == "lease-lost"
    assert world.site()["index.html"] == b"theirs"


def test_a_renewed_lease_counts_from_before_it_was_asked_for() -> None:
    """The answer may come late: the server has counted since."""
    world = World()
    publish(world.edges(), wish(FIRST), allow_all, Permits())
    releases = world.edges().releases
    snapshot = releases.read_state()
    lease = Lease("ours", None)
    release = replace(snapshot.state.releases[-1], seq=2)
    begun = releases.swap(snapshot, begin(snapshot.state, Pending(release, (), lease), nonce="n"))

    def late(operation: str, key: Key) -> None:
        if (operation, key) == ("put", "state.json"):
            world.clock.seconds += 20

    keeper = LeaseKeeper(world.edges(after=late).releases, world.clock, begun.snapshot, world.clock.elapsed())
    world.clock.seconds += 16
    keeper.check()
    world.clock.seconds += 6
    with pytest.raises(HeldError):
        keeper.check()


def test_a_gc_that_slept_past_its_lease_deletes_nothing_more() -> None:
    world = start()
    assert world.cdn is not None
    world.cdn.is_down = False
    world.clock.seconds += 3 * DAY
    publish(world.edges(), wish(SECOND), allow_all, Permits())
    world.clock.seconds += 3 * DAY
    deleted: list[Key] = []

    def sleep_after_the_first(operation: str, key: Key) -> None:
        if operation == "delete":
            deleted.append(key)
            world.clock.seconds += 120

    with in_order(random.Random(1)), pytest.raises(HeldError):
        collect(world.edges(after=sleep_after_the_first), Retention(releases=1, days=0))
    assert len(deleted) == 1
    assert len(collect(world.edges(pid=2), Retention(releases=1, days=0)).sweep.doomed) > 1
