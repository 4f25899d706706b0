"""`gc` on a store in memory: by reachability, in waves, stopped at every request, beside a publish."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from contextlib import suppress

import pytest
from msgspec.structs import replace

from sitepub.aws.cloudfront import CloudFront
from sitepub.choosing import Chooser
from sitepub.collecting import Collected, collect, foresee_collecting, foresee_sweep
from sitepub.core.cutting import Cutting
from sitepub.core.model import Artifact, FileClass, Key
from sitepub.core.plan import Shown
from sitepub.core.retention import choose_release
from sitepub.core.settings import BucketAddress, Invalidation, Retention, Target
from sitepub.core.state import State
from sitepub.core.state_text import decode_state
from sitepub.edges import Choosing
from sitepub.errors import HeldError, RefusedError
from sitepub.interfaces import Anything, ConditionFailedError
from sitepub.pipeline import publish, rollback
from tests.support.builders import (
    AMENDING,
    HTML,
    IN_SHARDS,
    WHOLE,
    ManualClock,
    Piece,
    RecordingCdn,
    World,
    die_after,
    digest_of,
    page_with_style,
    wish,
)
from tests.support.fake_cdn import FakeCloudFront
from tests.support.memory_store import MemoryStore
from tests.support.web import at_once
from tests.test_pipeline import FIRST, SECOND, THIRD, allow_all, bodies, check_nothing_is_broken, crash_at, die_at, roll_back, run

HELD = (("Cache-Control", "public, max-age=0, s-maxage=86400"), HTML[1])
NEWEST_ONLY = Retention(releases=1, days=0)
DAY = 24 * 3600


def world_with(*sites: dict[str, Piece | bytes], cdn: RecordingCdn | None = None, cutting: Cutting = WHOLE) -> World:
    """Each site published a day and a bit after the one before."""
    world = World(cdn=cdn, cutting=cutting)
    for site in sites:
        run(world, wish(site))
        world.clock.seconds += DAY + 60
    return world


def gc(world: World, *, pid: int = 1, before: object = None) -> Collected:
    return collect(world.edges(pid=pid, before=before), NEWEST_ONLY)


def hashed(site: dict[str, Piece | bytes]) -> set[str]:
    return {key for key, piece in site.items() if isinstance(piece, Piece) and piece.file_class is FileClass.ASSET}


def records(world: World, folder: str) -> set[str]:
    return {key for key in world.bucket.objects if key.startswith(f".sitepub/{folder}/")}


def test_what_no_kept_release_reaches_goes_and_the_live_site_stays() -> None:
    world = world_with(FIRST, SECOND)
    collected = gc(world)
    assert {doomed.key for doomed in collected.sweep.doomed if not doomed.is_record} == hashed(FIRST)
    assert world.site() == bodies(SECOND)
    assert len(records(world, "releases")) == 1
    assert len(records(world, "packs")) == 1
    run(world, wish(FIRST))
    assert {key: world.site()[key] for key in FIRST} == bodies(FIRST)


BUNDLED: dict[str, Piece | bytes] = {
    **page_with_style("three", "c{}"),
    "chunk.js": Piece(b"chunk", FileClass.FROZEN),
    "big.pdf": Piece(b"p" * (1024 * 1024 + 1), FileClass.ENTRY),
}


def stop_before_begin(world: World, number: int) -> bool:
    """A run that wants BUNDLED dies at its n-th write, counted from 0; False where it was about to begin by then."""
    writes = [0]

    def die(operation: str, key: str) -> None:
        if writes[0] < 0 or (operation in ("put", "copy") and (key == "state.json" or writes[0] == number)):
            writes[0] = writes[0] if key != "state.json" else -1
            raise SystemExit
        writes[0] += operation in ("put", "copy")

    with suppress(SystemExit):
        run(world, wish(BUNDLED), pid=7, before=die)
    return writes[0] == number


@pytest.mark.parametrize("sites", [(), (FIRST,)], ids=["first publish", "later publish"])
def test_what_a_run_left_that_never_began_is_collected(sites: tuple[dict[str, Piece | bytes], ...]) -> None:
    left: list[set[str]] = []
    is_stopped = True
    while is_stopped:
        world = world_with(*sites)
        is_stopped = stop_before_begin(world, len(left))
        left.append(set(world.site()))
        run(world, wish(SECOND))
        standing = set(world.site())
        gc(world)
        assert set(world.site()) >= standing - hashed(FIRST), "a run may still be at work on it"
        world.clock.seconds += 2 * DAY
        while gc(world).sweep.doomed:
            pass
        assert world.site() == bodies(SECOND), f"died at write {len(left)}"
        assert [len(records(world, folder)) for folder in ("releases", "packs", "entries")] == [1, 1, 0]
    assert [len(left), "chunk.js" in left[-1], hashed(BUNDLED) <= left[-1]] == [6, True, True]


def test_what_stood_under_a_name_that_a_run_wanted_which_never_began_is_left_alone() -> None:
    world = world_with(FIRST)
    (name,) = hashed(BUNDLED)
    put = world.edges().store.put
    put(Key(name), b"theirs", (), digest=digest_of(b"theirs"), expect=Anything())
    put(Key("chunk.js"), b"theirs too", (), digest=digest_of(b"theirs too"), expect=Anything())
    with pytest.raises(RefusedError) as caught:
        run(world, wish(BUNDLED))
    assert caught.value.code == "name-taken"
    world.clock.seconds += 2 * DAY
    assert set(gc(world).left) == {name, "chunk.js"}
    assert world.site() == {**bodies(FIRST), name: b"theirs", "chunk.js": b"theirs too"}


def test_a_second_run_has_nothing_to_do() -> None:
    world = world_with(FIRST, SECOND)
    gc(world)
    before = dict(world.bucket.objects)
    assert gc(world).sweep.doomed == ()
    assert world.bucket.objects == before


def test_a_release_that_left_less_than_a_day_ago_is_kept_whatever_retention_says() -> None:
    world = World()
    run(world, wish(FIRST))
    world.clock.seconds += 60
    run(world, wish(SECOND))
    assert gc(world).sweep.doomed == ()


def test_kept_releases_can_be_rolled_back_to_after_a_gc() -> None:
    world = world_with(FIRST, SECOND, THIRD)
    collect(world.edges(), Retention(releases=2, days=0))
    roll_back(world)
    assert {key: world.site()[key] for key in SECOND} == bodies(SECOND)


@pytest.mark.parametrize("cutting", [WHOLE, IN_SHARDS, AMENDING], ids=["whole", "in shards", "amended"])
def test_stable_keys_go_first_and_what_they_may_load_in_a_later_run(cutting: Cutting) -> None:
    pinned = {"index.html": b"1", "js/lib.js": Piece(b"lib", FileClass.PINNED), "x.111.png": Piece(b"png", FileClass.ASSET)}
    cdn = RecordingCdn()
    world = world_with(pinned, {"index.html": b"2"}, cdn=cdn, cutting=cutting)
    first = gc(world)
    assert [doomed.key for doomed in first.sweep.doomed if not doomed.is_record] == ["js/lib.js"]
    assert first.sweep.deferred == 1
    assert cdn.sent[-1][0] == ("/js/lib.js",)
    assert set(world.site()) == {"index.html", "x.111.png"}
    second = gc(world)
    assert [doomed.key for doomed in second.sweep.doomed if not doomed.is_record] == ["x.111.png"]
    assert set(world.site()) == {"index.html"}
    assert len(records(world, "releases")) == 1
    assert len(records(world, "shards")) == (0 if cutting is WHOLE else 1)


def test_what_a_key_loads_that_lingered_until_it_was_overwritten_stays_for_a_day() -> None:
    """Edges may have fetched it while it lingered, and pages that load it again are answered with that."""
    first = {"index.html": b"1", "js/mod.js": Piece(b"lib.1", FileClass.PINNED), "lib.111.js": Piece(b"1", FileClass.ASSET)}
    second = {"index.html": b"2"}
    third = {"index.html": b"3", "js/mod.js": Piece(b"lib.2", FileClass.PINNED), "lib.222.js": Piece(b"2", FileClass.ASSET)}
    world = world_with(first, second)
    run(world, wish(third))
    gc(world)
    assert "lib.111.js" in world.site()
    world.clock.seconds += DAY + 60
    gc(world)
    assert world.site().keys() == third.keys()


def test_what_someone_else_put_at_a_retired_key_is_left_alone() -> None:
    world = world_with({"index.html": b"1", "js/lib.js": Piece(b"lib", FileClass.PINNED)}, {"index.html": b"2"})
    world.edges().store.put(Key("js/lib.js"), b"theirs", (), digest=digest_of(b"theirs"), expect=Anything())
    world.edges().store.put(Key("foreign.txt"), b"x", (), digest=digest_of(b"x"), expect=Anything())
    assert gc(world).left == ("js/lib.js",)
    assert world.site() == {"index.html": b"2", "js/lib.js": b"theirs", "foreign.txt": b"x"}


def test_a_publish_at_work_holds_it_and_an_unfinished_one_stops_it() -> None:
    world = world_with(FIRST)
    crash_at(world, wish(SECOND), pid=7, operation="put", key="docs/index.html")
    with pytest.raises(HeldError):
        gc(world)
    world.gone.add(7)
    with pytest.raises(RefusedError) as caught:
        gc(world)
    assert caught.value.code == "pending-release"


def test_while_an_invalidation_is_owed_what_edges_may_show_stays_and_the_rest_goes() -> None:
    cdn = RecordingCdn()
    world = world_with(THIRD, cdn=cdn)
    run(world, wish(FIRST))
    world.clock.seconds += 2 * DAY
    cdn.is_down = True
    for site in (SECOND, {"index.html": b"last"}):
        run(world, wish(site))
        world.clock.seconds += 2 * DAY
    for _ in range(3):
        assert gc(world).invalidation.state == "owed"
        assert hashed(FIRST) | hashed(SECOND) <= set(world.site()), "pages that load them are still to be had"
        assert not hashed(THIRD) & set(world.site())
        assert len(decode_state(world.bucket.objects[".sitepub/state.json"].body, where="").releases) == 3
    cdn.is_down = False
    gc(world)
    world.clock.seconds += 2 * DAY
    while gc(world).sweep.doomed:
        pass
    assert set(world.site()) == {"index.html"}


def test_what_edges_may_load_under_a_stable_name_stays_until_its_eviction_is_sent() -> None:
    """The second wave waits for the invalidation of the first, not for its deletes alone."""
    cdn = RecordingCdn()
    world = world_with({**FIRST, "js/lib.js": Piece(b"lib", FileClass.PINNED)}, {"index.html": b"other"}, cdn=cdn)
    cdn.is_down = True
    first = gc(world)
    assert (first.invalidation.state, first.invalidation.items) == ("owed", ("/js/lib.js",))
    again = gc(world)
    assert (again.sweep.doomed, again.invalidation.state) == ((), "owed")
    assert again.sweep.deferred and hashed(FIRST) <= set(world.site())
    cdn.is_down = False
    gc(world)
    assert set(world.site()) == {"index.html"}


def test_what_a_gc_evicts_is_chosen_beside_all_that_edges_hold() -> None:
    """The account has four free paths, and may spend three of them now."""
    client = FakeCloudFront(ManualClock())
    cdn = CloudFront(client.add_distribution(), lambda: client, client.clock)
    modules = {f"{folder}/{name}.js": Piece(name.encode(), FileClass.PINNED, HELD) for folder in ("lib", "x") for name in "ab"}
    pages: dict[str, Piece | bytes] = {f"lib/{number}.html": Piece(b"page", headers=HELD) for number in range(5)}
    world = world_with({**pages, **modules}, pages)
    chooser = Chooser(Target("t", BucketAddress("memory")), Invalidation(free_paths=4), cdn, client.clock, aside=at_once)

    def choose(shown: tuple[Shown, ...], live: Mapping[Key, Artifact], state: State) -> Choosing:
        return at_once(lambda: chooser.choose(shown, live, state))

    edges = replace(world.edges(), cdn=cdn, choose=choose, count_month=chooser.count, rules=chooser.rules)
    before = dict(world.bucket.objects)
    foreseen = foresee_collecting(edges, NEWEST_ONLY).invalidation
    assert world.bucket.objects == before
    sent = collect(edges, NEWEST_ONLY).invalidation
    assert (sent.items, sent.collateral) == (foreseen.items, foreseen.collateral) == (("/lib/a.js", "/lib/b.js", "/x/*"), 0)
    assert sent.folds == (("/x/*", 2),)


def test_a_dry_run_writes_nothing() -> None:
    world = world_with(FIRST, SECOND)
    before = dict(world.bucket.objects)
    sweep = foresee_sweep(world.edges(), NEWEST_ONLY)
    assert sweep.doomed
    assert world.bucket.objects == before


def test_a_publish_that_planned_before_a_gc_starts_over() -> None:
    """Its stylesheet was there when it looked, and is gone when it begins."""
    world = world_with(FIRST, SECOND)
    is_collected = False

    def collect_meanwhile(operation: str, key: str) -> None:
        nonlocal is_collected
        if operation == "put" and key.startswith("releases/") and not is_collected:
            is_collected = True
            gc(world, pid=2)

    publish(world.edges(before=collect_meanwhile), wish(FIRST), allow_all, permits_none())
    assert is_collected
    assert {key: world.site()[key] for key in FIRST} == bodies(FIRST)
    check_nothing_is_broken(world)


def permits_none():  # type: ignore[no-untyped-def]
    from sitepub.decision import Permits

    return Permits()


def test_a_gc_that_planned_before_a_publish_starts_over() -> None:
    """The release that comes back needs what was about to go."""
    world = world_with(FIRST, SECOND)
    is_published = False

    def publish_meanwhile(operation: str, key: str) -> None:
        nonlocal is_published
        if operation == "put" and key == "state.json" and not is_published:
            is_published = True
            run(world, wish(FIRST), pid=2)

    gc(world, before=publish_meanwhile)
    assert is_published
    assert {key: world.site()[key] for key in FIRST} == bodies(FIRST)
    check_nothing_is_broken(world)


def test_a_gc_that_stops_at_any_request_leaves_a_site_that_works_and_the_next_one_finishes() -> None:
    def start() -> World:
        pinned = {**page_with_style("zero", "z{}"), "js/lib.js": Piece(b"lib", FileClass.PINNED)}
        return world_with(pinned, FIRST, SECOND, cdn=RecordingCdn())

    seen = 0

    def count(operation: str, key: str) -> None:
        nonlocal seen
        seen += 1

    gc(start(), before=count)
    assert seen > 8
    for number in range(seen):
        world = start()
        die = die_after(number)
        with pytest.raises(SystemExit):
            gc(world, pid=7, before=die)
        world.gone.add(7)
        check_nothing_is_broken(world)
        while gc(world).sweep.doomed:
            pass
        assert world.site() == bodies(SECOND), f"died at request {number}"
        state = decode_state(world.bucket.objects[".sitepub/state.json"].body, where="state")
        assert (state.collect, state.owed, len(state.releases)) == (None, (), 1)
        assert len(records(world, "releases")) == 1
        run(world, wish(FIRST))
        assert {key: world.site()[key] for key in FIRST} == bodies(FIRST)


def test_a_retired_key_that_someone_changed_does_not_hold_up_the_rest() -> None:
    loaded = {"index.html": b"1", "js/lib.js": Piece(b"lib", FileClass.PINNED), "x.111.png": Piece(b"png", FileClass.ASSET)}
    world = world_with(loaded, {"index.html": b"2"})
    world.edges().store.put(Key("js/lib.js"), b"theirs", (), digest=digest_of(b"theirs"), expect=Anything())
    assert gc(world).left == ("js/lib.js",)
    assert world.site() == {"index.html": b"2", "js/lib.js": b"theirs"}
    assert len(records(world, "releases")) == 1


def test_what_a_dead_gc_owes_is_sent_by_a_publish_that_has_nothing_to_do() -> None:
    cdn = RecordingCdn()
    world = world_with({"index.html": b"1", "js/lib.js": Piece(b"lib", FileClass.PINNED)}, {"index.html": b"2"}, cdn=cdn)
    is_dead = False

    def die(operation: str, key: str) -> None:
        nonlocal is_dead
        is_dead = is_dead or operation == "delete"
        if is_dead:
            raise SystemExit

    with pytest.raises(SystemExit):
        gc(world, pid=7, before=die)
    world.gone.add(7)
    run(world, wish({"index.html": b"2"}))
    assert cdn.sent[-1][0] == ("/js/lib.js",)
    state = decode_state(world.bucket.objects[".sitepub/state.json"].body, where="state")
    assert (state.collect, state.owed) == (None, ())


def test_what_became_an_entry_after_pages_loaded_it_is_collected_and_invalidated_in_the_end() -> None:
    cdn = RecordingCdn()
    loaded = {"index.html": b"1", "app.css": Piece(b"css", FileClass.ALIAS)}
    world = world_with(loaded, {"index.html": b"2", "app.css": b"css"}, {"index.html": b"3"}, cdn=cdn)
    assert set(world.site()) == {"index.html", "app.css"}
    gc(world)
    assert set(world.site()) == {"index.html"}
    assert cdn.sent[-1][0] == ("/app.css",)


def lingering(world: World) -> set[str]:
    releases = world.edges().releases
    live = releases.read_state().state.live_release
    assert live is not None
    return set(releases.read_document(live).lingering)


def test_what_lingered_is_forgotten_once_it_is_collected() -> None:
    loaded = {"index.html": b"1", "lib.js": Piece(b"lib", FileClass.PINNED), "chunk.js": Piece(b"chunk", FileClass.FROZEN)}
    world = world_with(loaded, {"index.html": b"2"})
    run(world, wish({"index.html": b"3"}))
    assert lingering(world) == {"lib.js", "chunk.js"}
    world.clock.seconds += 2 * DAY
    with pytest.raises(SystemExit):
        gc(world, pid=7, before=die_at("delete", "lib.js"))
    world.gone.add(7)
    run(world, wish({"index.html": b"4"}))
    assert lingering(world) == {"lib.js", "chunk.js"}, "one stands there still"
    world.clock.seconds += 2 * DAY
    while gc(world).sweep.doomed:
        pass
    run(world, wish({"index.html": b"5"}))
    assert lingering(world) == {"chunk.js"}, "browsers keep it for a year"
    run(world, wish({"index.html": b"6", "lib.js": Piece(b"lib two", FileClass.PINNED)}))
    run(world, wish({"index.html": b"7"}))
    assert lingering(world) == {"lib.js", "chunk.js"}


def test_a_gc_beside_another_one_starts_over() -> None:
    """The document of a release is gone when it is about to be read."""
    world = world_with(FIRST, SECOND)
    is_collected = False

    def collect_meanwhile(operation: str, key: str) -> None:
        nonlocal is_collected
        if operation == "read" and key.startswith("releases/") and not is_collected:
            is_collected = True
            gc(world, pid=2)

    assert gc(world, before=collect_meanwhile).sweep.doomed == ()
    assert is_collected
    assert world.site() == bodies(SECOND)


@pytest.mark.parametrize("cutting", [WHOLE, IN_SHARDS, AMENDING], ids=["whole", "in shards", "amended"])
def test_a_delete_of_a_dead_gc_that_comes_late_takes_nothing_away(monkeypatch: pytest.MonkeyPatch, cutting: Cutting) -> None:
    """The publish after it needs just what was about to go: files, packs, shards and large bodies under names that their content makes."""
    first = {**FIRST, "paper.pdf": b"p" * (1024 * 1024 + 1)}
    world = world_with(first, SECOND, cutting=cutting)
    late = die_in_gc(world, monkeypatch)
    run(world, wish(first))
    before = dict(world.bucket.objects)
    assert len(late) >= 4
    for one in late:
        with suppress(ConditionFailedError, SystemExit):
            one()
    lost = before.keys() - world.bucket.objects.keys()
    assert {key for key in lost if not key.startswith(".sitepub/releases/")} == set()
    roll_back(world)


def test_a_rollback_that_chose_before_such_a_gc_goes_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of that release stands still, but not for long."""
    world = world_with(FIRST, SECOND)
    snapshot = world.edges().releases.read_state()
    late = die_in_gc(world, monkeypatch)
    with pytest.raises(RefusedError) as caught:
        rollback(world.edges(), choose_release(snapshot.state, None), snapshot)
    assert caught.value.code == "release-collected"
    for one in late:
        with suppress(ConditionFailedError, SystemExit):
            one()
    assert world.site() == bodies(SECOND)


def die_in_gc(world: World, monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], None]]:
    """A `gc` dies whose deletes are all under way still."""
    late: list[Callable[[], None]] = []
    delete = MemoryStore.delete
    monkeypatch.setattr(MemoryStore, "delete", lambda store, key, *, expect: late.append(lambda: delete(store, key, expect=expect)))
    swaps = itertools.count()

    def die(operation: str, key: str) -> None:
        if (operation, key) == ("put", "state.json") and next(swaps):
            raise SystemExit

    with pytest.raises(SystemExit):
        gc(world, pid=7, before=die)
    monkeypatch.undo()
    world.gone.add(7)
    return late


def test_what_a_superseded_release_showed_is_kept_with_the_one_that_superseded_it() -> None:
    """Edges may show its pages until the invalidation is completed."""
    world = world_with(FIRST)
    crash_at(world, wish(SECOND), pid=7, operation="put", key="index.html")
    world.gone.add(7)
    world.clock.seconds += 2 * DAY
    run(world, wish(FIRST))
    gc(world)
    assert hashed(SECOND) <= set(world.site())
    world.clock.seconds += 2 * DAY
    run(world, wish({"index.html": b"other"}))
    world.clock.seconds += 2 * DAY
    while gc(world).sweep.doomed:
        pass
    assert world.site() == {"index.html": b"other"}


def test_each_invalidation_has_a_reference_of_its_own() -> None:
    """CloudFront takes a second one under the same reference for the first one sent again."""
    cdn = RecordingCdn()
    world = world_with({"index.html": b"1", "js/lib.js": Piece(b"lib", FileClass.PINNED)}, {"index.html": b"2"}, cdn=cdn)
    gc(world)
    references = [reference for _, reference in cdn.sent]
    assert len(set(references)) == len(references) == 2
