"""The protocol of a publish, run on a store in memory: order, repetition, crashes at every request, owed invalidations."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
import zstandard
from msgspec.structs import replace

from sitepub import packing
from sitepub.collecting import collect
from sitepub.core.model import Commit, FileClass, Key
from sitepub.core.retention import choose_release
from sitepub.core.settings import Retention
from sitepub.core.state_text import decode_state
from sitepub.decision import Permits, Wish
from sitepub.edges import Edges, InvalidationChoice
from sitepub.errors import HeldError, RefusedError, SitepubError
from sitepub.interfaces import Anything, ConditionFailedError, Present
from sitepub.invalidating import Invalidated, foresee_invalidation, send_owed
from sitepub.packs import compress_all, large_body_key
from sitepub.pipeline import Receipt, publish, rollback
from tests.support.builders import (
    CSS,
    Piece,
    RecordingCdn,
    SilentProgress,
    World,
    artifact,
    commit,
    die_after,
    digest_of,
    page_with_style,
    wish,
)
from tests.support.memory_store import MemoryStore


def allow_all(_: Commit | None) -> None:
    return None


def run(world: World, wanted: Wish, *, pid: int = 1, permits: Permits | None = None, **hooks: object) -> Receipt:
    return publish(world.edges(pid=pid, **hooks), wanted, allow_all, permits or Permits(), lock_timeout=5)


def bodies(pieces: dict[str, Piece | bytes]) -> dict[str, bytes]:
    return {key: piece.body if isinstance(piece, Piece) else piece for key, piece in pieces.items()}


FIRST = page_with_style("one", "a{}")
SECOND = page_with_style("two", "b{}")


def test_a_first_publish_puts_the_whole_site_there() -> None:
    world = World()
    receipt = run(world, wish(FIRST))
    assert world.site() == bodies(FIRST)
    assert receipt.release == f"20261123T180000Z-{receipt.decision.digest[:8]}"


def test_publishing_again_reads_the_state_and_nothing_else() -> None:
    world = World()
    run(world, wish(FIRST))
    edges = world.edges()
    receipt = publish(edges, wish(FIRST), allow_all, Permits())
    assert (receipt.release, edges.store.requests, edges.records.requests) == (None, 0, 1)


@pytest.mark.parametrize("page", ["docs/index.html", "docs/new.html"])
def test_one_changed_page_costs_six_requests(page: str) -> None:
    world = World()
    run(world, wish(FIRST))
    seen: list[tuple[str, str]] = []
    changed = {**FIRST, page: b"changed"}
    edges = world.edges(before=lambda operation, key: seen.append((operation, key)))
    publish(edges, wish(changed), allow_all, Permits())
    kinds = [(operation, key.split("/")[0]) for operation, key in seen]
    # the release's document is read once; a local copy spares that
    assert sorted(kinds[2:4]) == [("put", "packs"), ("put", "releases")]
    assert [*kinds[:2], *kinds[4:]] == [
        ("read", "state.json"),
        ("read", "releases"),
        ("put", "state.json"),
        ("put", "docs"),
        ("put", "state.json"),
    ]


def test_assets_are_there_before_the_pages_and_the_front_page_comes_last() -> None:
    world = World()
    seen: list[str] = []
    run(world, wish(FIRST), before=lambda operation, key: seen.append(key) if operation == "put" else None)
    site = [key for key in seen if not key.startswith(("packs", "releases", "state"))]
    assert site[0].startswith("app.")
    assert site[0] != "app.css"
    assert site[1:] == ["app.css", "docs/index.html", "index.html"]


def test_only_the_commit_changed_so_only_the_state_is_swapped() -> None:
    world = World()
    run(world, wish(FIRST, name="aaa"))
    edges = world.edges()
    receipt = publish(edges, wish(FIRST, name="bbb"), allow_all, Permits())
    assert (receipt.release, edges.store.requests, edges.records.requests) == (None, 0, 2)
    state = decode_state(world.bucket.objects[".sitepub/state.json"].body, where="state")
    assert state.live_release is not None
    assert state.live_release.commit is not None
    assert state.live_release.commit.id.startswith("bbb")


def test_a_key_that_no_manifest_names_is_never_touched() -> None:
    world = World()
    edges = world.edges()
    edges.store.put(Key("foreign.txt"), b"mine", (), digest=digest_of(b"mine"), expect=Anything())
    run(world, wish(FIRST))
    run(world, wish(SECOND))
    assert world.site()["foreign.txt"] == b"mine"


def test_foreign_bytes_under_our_keys_stop_the_first_publish_before_any_write() -> None:
    world = World()
    world.edges().store.put(Key("index.html"), b"theirs", (), digest=digest_of(b"theirs"), expect=Anything())
    before = dict(world.bucket.objects)
    with pytest.raises(RefusedError) as caught:
        run(world, wish(FIRST))
    assert caught.value.code == "foreign-keys"
    assert "`index.html`" in caught.value.message
    assert world.bucket.objects == before
    run(world, wish(FIRST), permits=Permits(foreign=True))
    assert world.site() == bodies(FIRST)


def test_equal_bytes_that_stood_there_only_take_our_headers() -> None:
    world = World()
    body = bodies(FIRST)["index.html"]
    world.edges().store.put(Key("index.html"), body, (("Content-Type", "binary/octet-stream"),), digest=digest_of(body), expect=Anything())
    run(world, wish(FIRST))
    assert dict(world.bucket.objects["index.html"].headers)["Content-Type"] == "text/html; charset=utf-8"


def test_a_page_edited_by_hand_is_named_and_does_not_stop_the_others() -> None:
    world = World()
    run(world, wish(FIRST))
    world.edges().store.put(Key("index.html"), b"by hand", (), digest=digest_of(b"by hand"), expect=Anything())
    with pytest.raises(RefusedError) as caught:
        run(world, wish(SECOND))
    assert caught.value.code == "edited-by-hand"
    assert "`index.html`" in caught.value.message
    assert world.site()["index.html"] == b"by hand"
    assert world.site()["docs/index.html"] == bodies(SECOND)["docs/index.html"]
    run(world, wish(SECOND), permits=Permits(foreign=True))
    assert {key: world.site()[key] for key in SECOND} == bodies(SECOND)


def test_a_source_that_shrank_is_refused_before_any_write() -> None:
    world = World()
    many: dict[str, Piece | bytes] = {f"{n}.html": b"x" for n in range(60)}
    few: dict[str, Piece | bytes] = {f"{n}.html": b"x" for n in range(30)}
    run(world, wish(many))
    before = dict(world.bucket.objects)
    with pytest.raises(RefusedError) as caught:
        run(world, wish(few))
    assert caught.value.code == "source-shrank"
    assert world.bucket.objects == before
    run(world, wish(few), permits=Permits(shrink=True))
    assert set(world.site()) == set(few)


def test_what_is_invalidated_is_owed_until_it_was_sent() -> None:
    world = World(cdn=RecordingCdn())
    assert world.cdn is not None
    run(world, wish(FIRST))
    assert world.cdn.sent == []
    world.cdn.is_down = True
    receipt = run(world, wish(SECOND))
    assert (receipt.invalidation.state, receipt.invalidation.items) == ("owed", ("/docs/index.html", "/index.html"))
    world.cdn.is_down = False
    again = run(world, wish(SECOND))
    assert (again.release, again.invalidation.state) == (None, "submitted")
    assert [items for items, _ in world.cdn.sent] == [("/docs/index.html", "/index.html")]
    assert run(world, wish(SECOND)).invalidation.state == "none"


def test_an_invalidation_has_the_same_reference_whoever_sends_it_again() -> None:
    world = World(cdn=RecordingCdn())
    assert world.cdn is not None
    run(world, wish(FIRST))
    stopped = False

    def lose_the_swap_after_sending(operation: str, key: str) -> None:
        nonlocal stopped
        if operation == "put" and key == "state.json" and world.cdn and world.cdn.sent:
            stopped = True
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(world, wish(SECOND), before=lose_the_swap_after_sending)
    assert stopped
    run(world, wish(SECOND))
    assert len(world.cdn.sent) == 2
    assert len(set(world.cdn.sent)) == 1


def test_a_live_run_is_waited_for_and_a_dead_one_taken_over() -> None:
    world = World()
    run(world, wish(FIRST))
    crash_at(world, wish(SECOND), pid=7, operation="put", key="docs/index.html")
    with pytest.raises(HeldError) as caught:
        run(world, wish(SECOND))
    assert caught.value.code == "held"
    world.gone.add(7)
    run(world, wish(SECOND))
    assert {key: world.site()[key] for key in SECOND} == bodies(SECOND)


def test_a_lease_ends_by_the_servers_clock() -> None:
    world = World()
    run(world, wish(FIRST))
    crash_at(world, wish(SECOND), pid=7, operation="put", key="docs/index.html")
    publish(world.edges(), wish(SECOND), allow_all, Permits(), lock_timeout=120)
    assert world.clock.seconds > 60
    assert {key: world.site()[key] for key in SECOND} == bodies(SECOND)


def test_a_run_that_slept_past_its_lease_writes_nothing_more() -> None:
    world = World()
    run(world, wish(FIRST))

    def sleep_long(operation: str, key: str) -> None:
        if operation == "put" and key == "docs/index.html":
            world.clock.seconds += 3600

    with pytest.raises(HeldError):
        run(world, wish(SECOND), after=sleep_long)
    assert world.site()["index.html"] == bodies(FIRST)["index.html"]


def test_an_older_run_completes_a_dead_newer_release_and_stops() -> None:
    world = World()
    run(world, wish(FIRST, name="a"))
    crash_at(world, wish(SECOND, name="c"), pid=7, operation="put", key="docs/index.html")
    world.gone.add(7)

    def judge(theirs: Commit | None) -> None:
        if theirs is not None and theirs.id[0] > "b":
            raise HeldError("newer-is-live", "a newer release is live")

    with pytest.raises(HeldError):
        publish(world.edges(), wish(page_with_style("b", "b2{}"), name="b"), judge, Permits())
    assert {key: world.site()[key] for key in SECOND} == bodies(SECOND)


def crash_at(world: World, wanted: Wish, *, pid: int, operation: str, key: str) -> None:
    """A run that dies as `kill -9` makes it die: nothing of it runs afterwards."""
    with pytest.raises(SystemExit):
        run(world, wanted, pid=pid, before=die_at(operation, key))


def die_at(operation: str, key: str) -> Callable[[str, str], None]:
    dead = False

    def die(seen_operation: str, seen_key: str) -> None:
        nonlocal dead
        dead = dead or (seen_operation == operation and seen_key == key)
        if dead:
            raise SystemExit

    return die


def count_requests(start: Callable[[], World], wanted: Wish) -> int:
    edges = start().edges()
    seen = 0

    def count(operation: str, key: str) -> None:
        nonlocal seen
        seen += 1

    run(start(), wanted, before=count)
    assert edges is not None
    return seen


def world_with_first() -> World:
    world = World(cdn=RecordingCdn())
    run(world, wish(FIRST))
    return world


THIRD: dict[str, Piece | bytes] = {
    "index.html": b"<script src=js/lib.js>third",
    "js/lib.js": Piece(b"lib", FileClass.PINNED),
    "big.pdf": Piece(b"p" * (1024 * 1024 + 1), FileClass.ENTRY, CSS),
}


@pytest.mark.parametrize("loses_answer", [False, True], ids=["request never arrives", "answer is lost"])
@pytest.mark.parametrize("then", [SECOND, THIRD], ids=["same release", "another release"])
def test_a_crash_at_every_request_is_mended_by_publishing_again(then: dict[str, Piece | bytes], loses_answer: bool) -> None:
    """Whatever request a run dies at, the next publish leaves exactly its own release, nothing pending, nothing owed."""
    total = count_requests(world_with_first, wish(SECOND))
    assert total > 8
    for number in range(total):
        world = world_with_first()
        die = die_after(number)
        with pytest.raises((SystemExit, SitepubError)):
            run(world, wish(SECOND), pid=7, **{"after" if loses_answer else "before": die})
        world.gone.add(7)
        check_nothing_is_broken(world)
        run(world, wish(then))
        assert {key: world.site()[key] for key in then} == bodies(then), f"died at request {number}"
        gone = {key for key in ("docs/index.html", "big.pdf") if key not in then}
        assert not gone & set(world.site())
        state = decode_state(world.bucket.objects[".sitepub/state.json"].body, where="state")
        assert (state.pending, state.owed) == (None, ())


def check_nothing_is_broken(world: World) -> None:
    """Every page that is there finds the stylesheet that it loads."""
    site = world.site()
    for key, body in site.items():
        if key.endswith(".html") and b"href=" in body:
            style = body.split(b"href=")[1].split(b">")[0].decode().removeprefix("../")
            assert style in site, f"{key} loads {style}"


def test_a_store_without_conditional_writes_gets_the_lock_file_way() -> None:
    world = World(is_conditional=False)
    run(world, wish(FIRST))
    run(world, wish(SECOND))
    assert {key: world.site()[key] for key in SECOND} == bodies(SECOND)
    assert ".sitepub/lock" not in world.bucket.objects


def roll_back(world: World, name: str | None = None) -> Receipt:
    edges = world.edges()
    snapshot = edges.releases.read_state()
    return rollback(edges, choose_release(snapshot.state, name), snapshot)


@pytest.mark.parametrize("dead", ["publish", "rollback"])
def test_a_rollback_over_a_dead_run_needs_no_body_of_a_frozen_file_that_still_stands(dead: str) -> None:
    """No pack keeps frozen bodies: one that stands is taken as it is."""
    world = World()
    frozen = {**FIRST, "chunk-5A2B.js": Piece(b"chunk", FileClass.FROZEN, CSS)}
    run(world, wish(frozen))
    if dead == "publish":
        crash_at(world, wish(SECOND), pid=2, operation="put", key="index.html")
    else:
        run(world, wish(SECOND))
        snapshot = world.edges().releases.read_state()
        edges = world.edges(pid=2, before=die_at("put", "index.html"))
        with pytest.raises(SystemExit):
            rollback(edges, snapshot.state.releases[0], snapshot)
    world.gone.add(2)
    snapshot = world.edges().releases.read_state()
    rollback(world.edges(pid=3), snapshot.state.releases[0], snapshot)
    assert world.site() == {**world.site(), **bodies(frozen)}


@pytest.mark.parametrize("key", ["index.html", "app.css", "feed.xml"])
def test_a_write_of_a_dead_run_that_comes_late_fits_nothing_any_more(key: str) -> None:
    """The run that takes over brings back what stood before: under its old ETag, the late write would be taken."""
    world = World()
    feed = {"feed.xml": Piece(b"<rss>", headers=CSS)}
    run(world, wish({**FIRST, **feed}))
    standing = {found: world.edges().store.head(Key(found)) for found in ("index.html", "app.css", "feed.xml")}
    crash_at(world, wish({**SECOND, "feed.xml": b"<rss>"}), pid=2, operation="put", key="index.html")
    world.gone.add(2)
    roll_back(world)
    late = world.edges().store
    expected = standing[key]
    assert expected is not None
    with pytest.raises(ConditionFailedError):
        late.put(Key(key), b"late", (), digest=digest_of(b"late"), expect=Present(expected.etag))
    with pytest.raises(ConditionFailedError):
        late.delete(Key(key), expect=Present(expected.etag))
    assert world.site() == {**world.site(), **bodies(FIRST), "feed.xml": b"<rss>"}
    assert run(world, wish(SECOND)).release
    assert world.site() == {**world.site(), **bodies(SECOND)}


def test_a_rollback_needs_nothing_but_the_target_and_again_goes_further_back() -> None:
    world = World(cdn=RecordingCdn())
    assert world.cdn is not None
    sites = [FIRST, SECOND, THIRD]
    ids = []
    for number, site in enumerate(sites):
        receipt = run(world, wish(site, name=f"{number}"))
        ids.append(receipt.release)
        world.clock.seconds += 60
    back = roll_back(world)
    assert {key: world.site()[key] for key in SECOND} == bodies(SECOND)
    assert "big.pdf" not in world.site()
    assert world.cdn.sent[-1][0] == ("/big.pdf", "/index.html")
    state = decode_state(world.bucket.objects[".sitepub/state.json"].body, where="state")
    assert state.live == back.release
    assert state.live_release is not None
    assert (state.live_release.origin, state.live_release.commit) == (ids[1], commit("1"))
    world.clock.seconds += 60
    roll_back(world)
    assert {key: world.site()[key] for key in FIRST} == bodies(FIRST)
    world.clock.seconds += 60
    roll_back(world, ids[2])
    assert {key: world.site()[key] for key in THIRD} == bodies(THIRD)


def test_a_rollback_of_many_pages_reads_their_pack_at_once_and_compresses_none(monkeypatch: pytest.MonkeyPatch) -> None:
    world, compressed = World(), list[bytes]()

    def compress_told(bodies: Iterable[bytes]) -> list[bytes]:
        given = [*bodies]
        compressed.extend(given)
        return compress_all(given)

    monkeypatch.setattr(packing, "compress_all", compress_told)
    for word in (b"one", b"two"):
        run(world, wish({f"{number:03}.html": b"%s %d" % (word, number) for number in range(300)}))
        world.clock.seconds += 60
    reads: list[str] = []
    edges = world.edges(before=lambda operation, key: reads.append(key) if operation == "read_range" else None)
    snapshot = edges.releases.read_state()
    assert len(compressed) == 600
    rollback(edges, choose_release(snapshot.state, None), snapshot)
    assert world.site()["123.html"] == b"one 123"
    assert len(reads) == 1
    assert len(compressed) == 600, "a pack has the frame of each already"


def test_a_rollback_puts_all_bodies_into_packs_anew_where_a_pack_has_lost_one() -> None:
    world = World()
    for word in (b"one", b"two"):
        run(world, wish({f"{number:03}.html": b"%s %d" % (word, number) for number in range(9)}))
        world.clock.seconds += 60
    (pack,) = [key for key, found in world.bucket.objects.items() if "/packs/" in key and b"one" in expand_all(found.body)]
    stored = world.bucket.objects[pack]
    world.bucket.objects[pack] = replace(stored, body=stored.body[:-1] + b"?", digest=None)
    world.bucket.objects[f".sitepub/{large_body_key(digest_of(b'one 8'))}"] = replace(stored, body=b"one 8", digest=digest_of(b"one 8"))
    roll_back(world)
    assert world.site() == {f"{number:03}.html": b"one %d" % number for number in range(9)}
    run(world, wish({"000.html": b"three"}), permits=Permits(shrink=True))
    roll_back(world)
    assert world.site()["008.html"] == b"one 8"


def expand_all(pack: bytes) -> bytes:
    """What all frames of a pack hold, one after the other."""
    with zstandard.ZstdDecompressor().stream_reader(pack, read_across_frames=True) as reader:
        return reader.read()


def test_a_rollback_keeps_no_body_twice() -> None:
    """The pack of the release that it goes back to has them, and stays as long as a release names it."""
    world = world_with_first()
    world.clock.seconds += 2 * 86400
    run(world, wish(SECOND))
    world.clock.seconds += 2 * 86400
    written: list[str] = []
    edges = world.edges(before=lambda operation, key: written.append(key) if operation == "put" else None)
    snapshot = edges.releases.read_state()
    rollback(edges, choose_release(snapshot.state, None), snapshot)
    assert not [key for key in written if key.startswith("packs/")]
    world.clock.seconds += 2 * 86400
    collect(world.edges(), Retention(releases=1, days=0))
    assert len({key for key in world.bucket.objects if "/packs/" in key}) == 1
    run(world, wish(SECOND))
    roll_back(world)
    assert {key: world.site()[key] for key in FIRST} == bodies(FIRST)


def test_a_rollback_to_what_is_live_changes_nothing() -> None:
    world = world_with_first()
    assert roll_back(world, "2026").release is None


def test_a_crash_at_every_request_of_a_rollback_is_mended_by_rolling_back_again() -> None:
    def start() -> World:
        world = world_with_first()
        world.clock.seconds += 60
        run(world, wish(SECOND))
        world.clock.seconds += 60
        return world

    seen = 0

    def count(operation: str, key: str) -> None:
        nonlocal seen
        seen += 1

    counted = start()
    edges = counted.edges(before=count)
    snapshot = edges.releases.read_state()
    rollback(edges, choose_release(snapshot.state, None), snapshot)
    for number in range(1, seen):
        world = start()
        die = die_after(number)
        dying = world.edges(pid=7, before=die)
        first = dying.releases.read_state()
        with pytest.raises(SystemExit):
            rollback(dying, choose_release(first.state, None), first)
        world.gone.add(7)
        check_nothing_is_broken(world)
        run(world, wish(SECOND))
        assert {key: world.site()[key] for key in SECOND} == bodies(SECOND), f"died at request {number}"
        state = decode_state(world.bucket.objects[".sitepub/state.json"].body, where="state")
        assert (state.pending, state.owed) == (None, ())


def test_a_frozen_file_that_changed_can_be_had_back_and_is_never_cached_for_ever_again() -> None:
    frozen, name = FileClass.FROZEN, "_astro/a.Bx12.js"
    one: dict[str, Piece | bytes] = {"index.html": b"1", name: Piece(b"one", frozen, CSS)}
    two: dict[str, Piece | bytes] = {"index.html": b"2", name: Piece(b"two", frozen, CSS)}
    world = World()
    run(world, wish(one))
    world.clock.seconds += 60
    as_entry = artifact(name, b"two")
    wanted = wish(two)
    run(world, Wish(wanted.manifest, wanted.supply, frozen_as_entries={as_entry.key: as_entry}))
    assert world.bucket.objects[name].headers == as_entry.headers
    world.clock.seconds += 60
    roll_back(world)
    assert world.site()[name] == b"one"
    assert world.bucket.objects[name].headers == as_entry.headers


def test_in_a_folder_a_page_makes_way_for_a_folder_of_its_name_and_back() -> None:
    world = World()
    flat: dict[str, Piece | bytes] = {"index.html": b"1", "about": b"a page"}
    deep: dict[str, Piece | bytes] = {"index.html": b"1", "about/index.html": b"a page"}
    for site in (flat, deep, flat):
        edges = world.edges()
        order: list[tuple[str, str]] = []
        edges = replace(
            edges, store=MemoryStore(world.clock, lambda *seen, order=order: order.append(seen), bucket=world.bucket, keeps_headers=False)
        )
        publish(edges, wish(site), allow_all, Permits())
        assert world.site() == bodies(site)
        deletes = [number for number, (operation, _) in enumerate(order) if operation == "delete"]
        puts = [number for number, (operation, key) in enumerate(order) if operation == "put" and key.startswith("about")]
        assert all(delete < put for delete in deletes for put in puts)


def test_a_key_that_pages_of_earlier_releases_load_is_left_to_gc_even_as_an_entry() -> None:
    """Pinned, then an entry that nobody loads, then gone: pages of the first release are still open."""
    world = World(cdn=RecordingCdn())
    run(world, wish({"index.html": b"<script src=lib.js>", "lib.js": Piece(b"lib", FileClass.PINNED)}))
    run(world, wish({"index.html": b"2", "lib.js": b"lib"}))
    run(world, wish({"index.html": b"3", "lib.js": b"lib two"}))
    run(world, wish({"index.html": b"4"}))
    assert world.site() == {"index.html": b"4", "lib.js": b"lib two"}
    run(world, wish({"index.html": b"5", "lib.js": b"lib three"}))
    assert world.site() == {"index.html": b"5", "lib.js": b"lib three"}


def test_what_stands_at_a_new_bundled_file_is_overwritten_where_that_is_allowed() -> None:
    world = World()
    run(world, wish({"index.html": b"1"}))
    world.edges().store.put(Key("chunk.js"), b"theirs", (), digest=digest_of(b"theirs"), expect=Anything())
    bundled = wish({"index.html": b"2", "chunk.js": Piece(b"ours", FileClass.FROZEN)})
    with pytest.raises(RefusedError):
        run(world, bundled)
    run(world, bundled, permits=Permits(foreign=True))
    assert world.site()["chunk.js"] == b"ours"


@pytest.mark.parametrize("is_first", [True, False])
def test_a_bundled_file_of_a_run_that_never_began_makes_way_for_another_of_its_name(is_first: bool) -> None:
    world = World()
    if not is_first:
        run(world, wish({"index.html": b"1"}))
    crash_at(world, wish({"index.html": b"2", "chunk.js": Piece(b"two", FileClass.FROZEN)}), pid=7, operation="put", key="state.json")
    assert world.site()["chunk.js"] == b"two"
    third = wish({"index.html": b"3", "chunk.js": Piece(b"three", FileClass.FROZEN)})
    as_entry = artifact("chunk.js", b"three", FileClass.PINNED)
    world.clock.seconds += 60
    run(world, replace(third, frozen_as_entries={Key("chunk.js"): as_entry}))
    assert world.site() == {"index.html": b"3", "chunk.js": b"three"}
    assert world.bucket.objects["chunk.js"].headers == as_entry.headers, "somebody may have asked for it"


@pytest.mark.parametrize("is_first", [True, False])
def test_a_foreign_file_under_a_bundlers_name_is_not_taken_for_what_a_dead_run_left(is_first: bool) -> None:
    world = World()
    if not is_first:
        run(world, wish({"index.html": b"1"}))
    bundled = wish({"index.html": b"2", "chunk.js": Piece(b"two", FileClass.FROZEN)})
    crash_at(world, bundled, pid=7, operation="put", key="state.json")
    world.edges().store.put(Key("chunk.js"), b"theirs", (), digest=digest_of(b"theirs"), expect=Anything())
    before = dict(world.site())
    with pytest.raises(RefusedError) as caught:
        run(world, bundled)
    assert caught.value.code == ("foreign-keys" if is_first else "name-taken")
    assert world.site() == before


def test_a_bundled_file_that_was_retired_and_overwritten_comes_back_with_a_rollback() -> None:
    world = World()
    first = run(world, wish({"index.html": b"1", "chunk.js": Piece(b"one", FileClass.FROZEN)})).release
    world.clock.seconds += 60
    run(world, wish({"index.html": b"2"}))
    world.clock.seconds += 60
    third = wish({"index.html": b"3", "chunk.js": Piece(b"three", FileClass.FROZEN)})
    run(world, replace(third, frozen_as_entries={Key("chunk.js"): artifact("chunk.js", b"three", FileClass.PINNED)}))
    assert world.bucket.objects["chunk.js"].headers == artifact("chunk.js", b"").headers
    world.clock.seconds += 60
    roll_back(world, first)
    assert world.site() == {"index.html": b"1", "chunk.js": b"one"}
    assert world.bucket.objects["chunk.js"].headers == artifact("chunk.js", b"").headers


def test_a_dead_release_that_a_newer_commit_completes_is_of_that_commit() -> None:
    world = World()
    run(world, wish(FIRST, name="a"))
    crash_at(world, wish(SECOND, name="b"), pid=7, operation="put", key="docs/index.html")
    world.gone.add(7)
    run(world, wish(SECOND, name="c"))
    live = decode_state(world.bucket.objects[".sitepub/state.json"].body, where="state").live_release
    assert live is not None
    assert live.commit == commit("c")


def test_a_commit_is_recorded_though_another_run_swaps_the_state_meanwhile() -> None:
    world = World(cdn=RecordingCdn(is_down=True))
    run(world, wish(SECOND, name="a"))
    run(world, wish(FIRST, name="b"))
    assert world.cdn is not None
    world.cdn.is_down = False
    is_sent = False

    def send_meanwhile(operation: str, key: str) -> None:
        nonlocal is_sent
        if operation == "put" and not is_sent:
            is_sent = True
            edges = world.edges(pid=2)
            send_owed(edges, edges.releases.read_state())

    run(world, wish(FIRST, name="c"), before=send_meanwhile)
    live = decode_state(world.bucket.objects[".sitepub/state.json"].body, where="state").live_release
    assert live is not None
    assert live.commit == commit("c")


def test_rolling_back_twice_within_a_second_comes_to_an_end() -> None:
    world = World()
    run(world, wish(FIRST))
    run(world, wish(SECOND))
    roll_back(world)
    with pytest.raises(RefusedError) as caught:
        roll_back(world)
    assert caught.value.code == "no-earlier-release"


def test_only_what_was_sent_is_taken_off_what_is_owed() -> None:
    world = World(cdn=RecordingCdn(is_down=True))
    assert world.cdn is not None
    run(world, wish(FIRST))
    run(world, wish(SECOND))
    world.cdn.is_down = False
    is_published = False

    def publish_meanwhile(operation: str, key: str) -> None:
        nonlocal is_published
        if operation == "put" and not is_published and world.cdn is not None:
            is_published = world.cdn.is_down = True
            run(world, wish({**SECOND, "docs/index.html": b"changed"}), pid=2)

    edges = world.edges(before=publish_meanwhile)
    send_owed(edges, edges.releases.read_state())
    state = decode_state(world.bucket.objects[".sitepub/state.json"].body, where="state")
    assert [owed.items for owed in state.owed] == [("/docs/index.html",)]


def notes_of(edges: Edges) -> list[str]:
    assert isinstance(edges.progress, SilentProgress)
    return edges.progress.notes


def test_what_is_owed_to_a_distribution_that_was_taken_away_is_let_go_and_told() -> None:
    world = World(cdn=RecordingCdn(is_down=True))
    run(world, wish(FIRST))
    assert run(world, wish(SECOND)).invalidation.state == "owed"
    world.cdn = None
    edges = world.edges()
    state = edges.releases.read_state().state
    assert foresee_invalidation(edges.cdn, InvalidationChoice(), state, edges.rules, edges.clock.now()) == Invalidated()
    receipt = publish(edges, wish(SECOND), allow_all, Permits())
    assert receipt.invalidation == Invalidated()
    assert notes_of(edges) == [
        "the target has no distribution any more: the invalidation of `/docs/index.html`, `/index.html`, which was owed, is let go"
    ]
    assert edges.releases.read_state().state.owed == ()
    again = world.edges()
    publish(again, wish(FIRST), allow_all, Permits())
    assert notes_of(again) == []


def test_a_rollback_to_a_release_that_a_gc_takes_away_meanwhile_says_so() -> None:
    world = World()
    first = run(world, wish(FIRST)).release
    run(world, wish(SECOND))
    world.clock.seconds += 3 * 86400
    is_collected = False

    def collect_meanwhile(operation: str, key: str) -> None:
        nonlocal is_collected
        if (operation, key) == ("head", next(iter(wish(FIRST).manifest.artifacts))) and not is_collected:
            is_collected = True
            collect(world.edges(pid=2), Retention(releases=1, days=0))

    edges = world.edges(before=collect_meanwhile)
    snapshot = edges.releases.read_state()
    with pytest.raises(RefusedError) as caught:
        rollback(edges, choose_release(snapshot.state, first), snapshot)
    assert is_collected
    assert (caught.value.code, caught.value.message) == ("release-collected", f"release {first} was collected by a `gc` meanwhile")
    assert world.site() == bodies(SECOND)


@pytest.mark.parametrize("second", [SECOND, FIRST], ids=["completed", "superseded"])
def test_what_a_dead_run_would_have_owed_is_owed_by_who_takes_over(second: dict[str, Piece | bytes]) -> None:
    """It knew of an error page that answers with 200, which asks for `/*`; the next run can't ask the distribution just now."""
    world = World(cdn=RecordingCdn())
    assert world.cdn is not None
    run(world, wish(FIRST))
    everything = replace(world.edges(pid=7, before=die_at("put", "index.html")), choose=lambda *_: lambda: InvalidationChoice(("/*",)))
    with pytest.raises(SystemExit):
        publish(everything, wish(SECOND), allow_all, Permits())
    world.gone.add(7)
    run(world, wish(second))
    assert "/*" in world.cdn.sent[-1][0]
    assert len(world.cdn.sent) == 1


def test_a_bundled_file_that_got_other_headers_comes_back_with_a_rollback() -> None:
    world = World()
    first = run(world, wish({"index.html": b"1", "chunk.js": Piece(b"chunk", FileClass.FROZEN, CSS)})).release
    world.clock.seconds += 60
    run(world, wish({"index.html": b"2", "chunk.js": Piece(b"chunk", FileClass.FROZEN)}))
    world.clock.seconds += 60
    roll_back(world, first)
    assert world.site() == {"index.html": b"1", "chunk.js": b"chunk"}
    assert world.bucket.objects["chunk.js"].headers == CSS


@pytest.mark.parametrize("swap", ["begin", "finish", "take off"])
def test_a_swap_whose_answer_was_lost_is_known_by_its_nonce(swap: str) -> None:
    """The client asks again, and is refused by what it wrote itself."""
    world = World(cdn=RecordingCdn())
    run(world, wish(FIRST))
    swaps = 0

    def lose(operation: str, key: str) -> None:
        nonlocal swaps
        if (operation, key) == ("put", "state.json"):
            swaps += 1
            if swaps == 1 + ["begin", "finish", "take off"].index(swap):
                raise ConditionFailedError(Key(key))

    run(world, wish(SECOND), after=lose)
    state = decode_state(world.bucket.objects[".sitepub/state.json"].body, where="state")
    assert (swaps, state.seq, len(state.releases), state.pending, state.owed) == (3, 2, 2, None, ())


def test_a_dead_release_that_changed_no_page_is_not_left_pending() -> None:
    world = World()
    run(world, wish(FIRST))

    def die(operation: str, key: str) -> None:
        if (operation, key) == ("put", "state.json"):
            raise SystemExit

    with pytest.raises(SystemExit):
        run(world, wish({**FIRST, "x.0123456789ab.png": Piece(b"png", FileClass.ASSET)}), pid=7, after=die)
    world.gone.add(7)
    run(world, wish(FIRST))
    state = decode_state(world.bucket.objects[".sitepub/state.json"].body, where="state")
    assert (state.pending, len(state.releases)) == (None, 2)
