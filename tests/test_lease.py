"""A run holds its lease as long as it says, writes nothing after it, and loses it to nobody who only pays what was owed meanwhile."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest
from msgspec.structs import replace

from sitepub.collecting import collect
from sitepub.core.model import Commit, Key
from sitepub.core.settings import Retention
from sitepub.core.state import Lease, Pending, State, begin, recommit
from sitepub.core.state_text import decode_state
from sitepub.decision import Permits
from sitepub.edges import Edges
from sitepub.errors import HeldError
from sitepub.forgetting import forget
from sitepub.interfaces import ConditionFailedError
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


def settled() -> World:
    """The same, but that nothing is owed, and that `gc` may take what was live long ago."""
    world = start()
    assert world.cdn is not None
    world.cdn.is_down = False
    world.clock.seconds += 3 * DAY
    publish(world.edges(), wish({**FIRST, "index.html": b"since"}), allow_all, Permits())
    world.clock.seconds += 3 * DAY
    return world


def after_nth(operation: str, key: str, number: int, does: Callable[[], None]) -> Hook:
    seen: list[int] = []

    def hook(seen_operation: str, seen_key: Key) -> None:
        if (seen_operation, seen_key) == (operation, key):
            seen.append(1)
            if len(seen) == number:
                does()

    return hook


@pytest.mark.parametrize("run", [publish_second, collect_first, forget_gone])
def test_a_lease_counts_from_before_it_was_asked_for(run: Callable[[Edges], None]) -> None:
    """By the server's clock it has run out when its answer comes."""
    world = settled()
    before = world.site()

    def sleep() -> None:
        world.clock.seconds += 61

    with pytest.raises(HeldError):
        run(world.edges(after=after_nth("put", "state.json", 1, sleep)))
    assert before.items() <= world.site().items()


@pytest.mark.parametrize("last", ["app.css", "docs/index.html", "index.html"])
def test_a_run_that_slept_past_its_lease_asks_for_no_write_any_more(last: str) -> None:
    """Not even to finish, or to give the lease back: where a store only looks before it writes, that could meet another run's state."""
    world = settled()
    written: list[str] = []

    def count(operation: str, key: Key) -> None:
        if operation in ("put", "copy", "delete"):
            written.append(key)

    def sleep() -> None:
        world.clock.seconds += 3600
        written.clear()

    with pytest.raises(HeldError):
        publish_second(world.edges(before=count, after=after_nth("put", last, 1, sleep)))
    assert written == []


def test_a_run_that_slept_over_its_look_at_what_a_dead_one_left_writes_nothing() -> None:
    """Where just that stands which the dead one's late write expects, it would be written once more."""
    world = settled()
    live = {**FIRST, "index.html": b"since"}
    with pytest.raises(SystemExit):
        publish(world.edges(pid=7, before=dying_at("put", "index.html")), wish({**live, "index.html": b"dead"}), allow_all, Permits())
    world.gone.add(7)
    before = world.bucket.objects["index.html"]

    def sleep() -> None:
        world.clock.seconds += 3600

    with pytest.raises(HeldError):
        publish(world.edges(after=after_nth("list", "", 1, sleep)), wish(live), allow_all, Permits())
    assert world.bucket.objects["index.html"] == before


def dying_at(operation: str, key: str) -> Hook:
    def hook(seen_operation: str, seen_key: Key) -> None:
        if (seen_operation, seen_key) == (operation, key):
            raise SystemExit

    return hook


@pytest.mark.parametrize("dies_at", ["", "index.html"], ids=["done", "at work"])
def test_who_was_taken_over_finishes_nothing(dies_at: str) -> None:
    """It comes to its last swap, and another release is pending there, or live by now."""
    world = settled()

    def take_over() -> None:
        world.gone.add(1)
        theirs = world.edges(pid=2, before=dying_at("put", dies_at))
        with suppress(SystemExit):
            publish(theirs, wish({**SECOND, "index.html": b"theirs"}), allow_all, Permits())

    with pytest.raises(HeldError) as caught:
        publish_second(world.edges(after=after_nth("put", "index.html", 1, take_over)))
    assert caught.value.code == "lease-lost"
    state = state_of(world)
    assert (state.pending is not None and len(state.pending.over) == 1) if dies_at else world.site()["index.html"] == b"theirs"


@pytest.mark.parametrize("swap", [1, 2], ids=["begin", "finish"])
def test_a_swap_whose_answer_was_lost_is_known_though_another_run_has_swapped_since(swap: int) -> None:
    world = settled()

    def swap_and_lose() -> None:
        recommit_live(world)
        raise ConditionFailedError(Key("state.json"))

    publish_second(world.edges(after=after_nth("put", "state.json", swap, swap_and_lose)))
    state = state_of(world)
    assert (state.pending, state.owed, len(state.releases)) == (None, (), 4)


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


@pytest.mark.parametrize("is_ours", [True, False], ids=["our own, whose answer was lost", "another run's"])
def test_a_refused_swap_is_ours_by_its_nonce_alone(is_ours: bool) -> None:
    """The other run wants the very same state, in its own name."""
    world = start()
    other, left = world.edges(pid=2).releases, [1]

    def first_attempt(operation: str, key: str) -> None:
        if (operation, key) == ("put", "state.json") and left:
            left.pop()
            assert other.swap(snapshot, wanted if is_ours else replace(wanted, nonce="another")).is_ours

    releases = world.edges(before=first_attempt).releases
    snapshot = releases.read_state()
    wanted = recommit(snapshot.state, commit("a"), nonce="ours")
    swap = releases.swap(snapshot, wanted)
    assert (swap.is_ours, left) == (is_ours, [])
    assert swap.snapshot == other.read_state()
