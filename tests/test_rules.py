"""Rules of the protocol (docs/design.md) that only a rare meeting shows: what may stand at a key, whose edit it is, who is asked."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from sitepub import evicting
from sitepub.aws.cloudfront import CloudFront
from sitepub.choosing import Chooser
from sitepub.collecting import collect
from sitepub.core.model import Commit, FileClass, HeaderSet, Key, ReleaseId
from sitepub.core.retention import choose_release
from sitepub.core.settings import BucketAddress, Invalidation, Retention, Target
from sitepub.core.state import Owed, Pending, State
from sitepub.errors import HeldError, RefusedError, StoppedError
from sitepub.interfaces import Anything
from sitepub.pipeline import Receipt, complete_pending, publish, rollback
from sitepub.wishes import Permits
from tests.support.builders import HTML, Piece, RecordingCdn, SilentProgress, World, digest_of, page_with_style, wish
from tests.support.fake_cdn import FakeCloudFront
from tests.support.web import at_once

FIRST = page_with_style("one", "a{}")
SECOND = page_with_style("two", "b{}")
GERMAN: HeaderSet = tuple(sorted((("Content-Language", "de"), *HTML)))
FRENCH: HeaderSet = tuple(sorted((("Content-Language", "fr"), *HTML)))
LARGE = b"l" * (1024 * 1024 + 1)
Hook = Callable[[str, Key], None]


def allow_all(_: Commit | None) -> None:
    return None


def run(world: World, pieces: dict[str, Piece | bytes], *, name: str = "a", pid: int = 1, **hooks: Hook) -> Receipt:
    return publish(world.edges(pid=pid, **hooks), wish(pieces, name=name), allow_all, Permits(), lock_timeout=5)


def edit(world: World, key: str, body: bytes = b"by hand") -> None:
    world.edges().store.put(Key(key), body, HTML, digest=digest_of(body), expect=Anything())


def once_before(operation: str, key: str, does: Callable[[], None]) -> Hook:
    left = [does]

    def hook(seen_operation: str, seen_key: Key) -> None:
        if (seen_operation, seen_key) == (operation, key) and left:
            left.pop()()

    return hook


def dying_at(operation: str, key: str) -> Hook:
    """From then on nothing is sent any more."""
    is_dead = False

    def hook(seen_operation: str, seen_key: Key) -> None:
        nonlocal is_dead
        is_dead = is_dead or (seen_operation, seen_key) == (operation, key)
        if is_dead:
            raise SystemExit

    return hook


def die(world: World, pieces: dict[str, Piece | bytes], operation: str, key: str, *, name: str = "a", pid: int = 7) -> None:
    with pytest.raises(SystemExit):
        run(world, pieces, name=name, pid=pid, before=dying_at(operation, key))
    world.gone.add(pid)


def pending_of(world: World) -> Pending:
    pending = world.edges().releases.read_state().state.pending
    assert pending is not None
    return pending


# ---- whose edit it is


def test_a_leaf_page_edited_by_hand_does_not_stop_the_front_page() -> None:
    world = World()
    run(world, FIRST)
    edit(world, "docs/index.html")
    with pytest.raises(RefusedError, match=r"`docs/index\.html`; all other keys"):
        run(world, {**SECOND, "docs/index.html": b"changed too"})
    assert (world.site()["index.html"], world.site()["docs/index.html"]) == (SECOND["index.html"], b"by hand")


@pytest.mark.parametrize("when", ["before the run", "at the very moment"])
def test_a_retired_page_edited_by_hand_is_left_alone_and_no_longer_ours(when: str) -> None:
    world = World()
    run(world, {**FIRST, "gone.html": b"gone"})
    hook = once_before("delete", "gone.html", lambda: edit(world, "gone.html"))
    if when == "before the run":
        edit(world, "gone.html")
    edges = world.edges(before=hook)
    publish(edges, wish(FIRST), allow_all, Permits())
    assert world.site()["gone.html"] == b"by hand"
    assert isinstance(edges.progress, SilentProgress)
    assert [note for note in edges.progress.notes if "`gone.html`" in note]
    assert "gone.html" not in edges.releases.read_record(edges.releases.read_state().state)


@pytest.mark.parametrize(("operation", "body"), [("copy", LARGE), ("put", b"small")])
def test_an_edit_by_hand_at_the_very_moment_of_a_write_is_not_lost(operation: str, body: bytes) -> None:
    world = World()
    run(world, {**FIRST, "paper.pdf": body})
    with pytest.raises(RefusedError, match=r"`paper\.pdf`"):
        run(world, {**FIRST, "paper.pdf": body + b"more"}, before=once_before(operation, "paper.pdf", lambda: edit(world, "paper.pdf")))
    assert world.site()["paper.pdf"] == b"by hand"


def test_an_edit_of_the_same_length_by_a_tool_that_leaves_no_digest_is_noticed() -> None:
    world = World()
    run(world, FIRST)
    before = world.bucket.objects["docs/index.html"]
    world.bucket.objects["docs/index.html"] = edited = replace(before, body=before.body.swapcase(), digest=None)
    with pytest.raises(RefusedError, match=r"`docs/index\.html`"):
        run(world, {**SECOND, "docs/index.html": b"changed too"})
    assert world.bucket.objects["docs/index.html"] == edited


# ---- what may stand there after a dead run


@pytest.mark.parametrize("is_conditional", [True, False])
def test_headers_that_a_dead_run_changed_are_seen_though_the_etag_is_the_same(is_conditional: bool) -> None:
    """The listing of a takeover can't tell them: an ETag says nothing of headers."""
    world = World(is_conditional=is_conditional)
    run(world, {**FIRST, "page.html": Piece(b"page", headers=HTML)})
    die(world, {**FIRST, "page.html": Piece(b"page", headers=GERMAN), "index.html": b"dead"}, "put", "index.html")
    assert world.bucket.objects["page.html"].headers == GERMAN
    run(world, {**FIRST, "page.html": Piece(b"page", headers=HTML), "index.html": b"other"})
    assert world.bucket.objects["page.html"].headers == HTML


@pytest.mark.parametrize("is_conditional", [True, False])
def test_headers_that_someone_changed_by_hand_are_noticed_in_a_takeover_too(is_conditional: bool) -> None:
    """Where only a look can tell, as the dead run changed nothing else. Nothing is written, least of all a digest beside other bytes."""
    world = World(is_conditional=is_conditional)
    run(world, {**FIRST, "page.html": Piece(b"page", headers=HTML)})
    die(world, {**FIRST, "page.html": Piece(b"page", headers=GERMAN)}, "put", "page.html")
    world.edges().store.put(Key("page.html"), b"page", FRENCH, digest=digest_of(b"page"), expect=Anything())
    before = world.bucket.objects["page.html"]
    with pytest.raises(RefusedError, match=r"`page\.html`"):
        run(world, {**FIRST, "page.html": Piece(b"new", headers=HTML), "index.html": b"new"})
    assert (world.bucket.objects["page.html"], world.site()["index.html"]) == (before, b"new")


def test_what_became_an_entry_before_it_was_retired_is_not_taken_for_what_pages_once_loaded() -> None:
    """Both linger, and the record's ETag is that of the later one."""
    world = World()
    module = Piece(b"module", FileClass.PINNED)
    run(world, {**FIRST, "m.js": module})
    run(world, {**FIRST, "m.js": b"download"})
    run(world, FIRST)
    assert world.site()["m.js"] == b"download"
    die(world, SECOND, "put", "index.html")
    run(world, {**FIRST, "m.js": module})
    assert world.site()["m.js"] == b"module"


def test_a_takeover_lists_once_and_asks_for_no_key_that_the_listing_tells() -> None:
    world = World()
    pages: dict[str, Piece | bytes] = {f"{number}.html": b"one %d" % number for number in range(20)}
    run(world, {**FIRST, **pages})
    changed: dict[str, Piece | bytes] = {f"{number}.html": b"two %d" % number for number in range(20)}
    with pytest.raises(SystemExit):
        run(world, {**FIRST, **changed}, pid=7, after=dying_at("put", "state.json"))
    world.gone.add(7)
    asked: list[str] = []
    run(world, {**FIRST, **changed}, before=lambda operation, key: asked.append(f"{operation} {key}"))
    assert asked.count("list ") == 1
    assert not [each for each in asked if each.startswith("head")]


def test_what_two_dead_runs_left_is_known_by_the_one_that_completes_the_second() -> None:
    """Of the first there is nothing in the second's manifest; its page is deleted all the same."""
    world = World()
    run(world, FIRST)
    die(world, {**FIRST, "first.html": b"first", "index.html": b"7"}, "put", "index.html", pid=7)
    assert "first.html" in world.site()
    second: dict[str, Piece | bytes] = {**FIRST, "second.html": b"second", "index.html": b"8"}
    die(world, second, "put", "index.html", pid=8)
    assert len(pending_of(world).over) == 1
    die(world, second, "put", "index.html", pid=9)
    assert len(pending_of(world).over) == 1
    run(world, second)
    assert set(world.site()) == set(second)


def test_what_three_dead_runs_left_is_known_by_the_one_that_supersedes_the_third() -> None:
    world = World()
    run(world, FIRST)
    for pid in (7, 8, 9):
        die(world, {**FIRST, f"of-{pid}.html": b"x", "index.html": b"%d" % pid}, "put", "index.html", pid=pid)
    assert len(pending_of(world).over) == 2
    assert {"of-7.html", "of-8.html", "of-9.html"} < set(world.site())
    run(world, SECOND)
    assert {key for key in world.site() if key.endswith(".html")} == {key for key in SECOND if key.endswith(".html")}


# ---- who is asked, and who waits


def older_than(name: str) -> Callable[[Commit | None], None]:
    def judge(theirs: Commit | None) -> None:
        if theirs is not None and theirs.id[0] > name:
            raise HeldError("newer-is-live", "a newer release is live")

    return judge


def begin_rollback(world: World, pid: int) -> None:
    """To the newest release, from an older one that is live; it dies at its first page."""
    edges = world.edges(pid=pid, before=dying_at("put", "docs/index.html"))
    snapshot = edges.releases.read_state()
    with pytest.raises(SystemExit):
        rollback(
            edges,
            choose_release(snapshot.state, next(one.id for one in snapshot.state.releases if one.commit and one.commit.id[0] == "c")),
            snapshot,
        )
    world.gone.add(pid)


def world_gone_back() -> World:
    world = World()
    run(world, {**FIRST, "docs/index.html": b"a"}, name="a")
    world.clock.seconds += 1
    run(world, {**FIRST, "docs/index.html": b"c"}, name="c")
    world.clock.seconds += 1
    edges = world.edges()
    snapshot = edges.releases.read_state()
    rollback(edges, choose_release(snapshot.state, None), snapshot)
    world.clock.seconds += 1
    begin_rollback(world, 7)
    return world


def test_what_a_person_asked_for_by_name_makes_no_commit_older() -> None:
    """Release `a` is live by a rollback, one to `c` died: `b` is newer than what is live."""
    world = world_gone_back()
    assert pending_of(world).asked
    publish(world.edges(), wish({**FIRST, "docs/index.html": b"b"}, name="b"), older_than("b"), Permits(), lock_timeout=0)
    assert world.site()["docs/index.html"] == b"b"


def test_a_dead_rollback_that_is_completed_stays_one_that_was_asked_for() -> None:
    world = world_gone_back()
    edges = world.edges(pid=8, before=dying_at("put", "docs/index.html"))
    with pytest.raises(SystemExit):
        complete_pending(edges, pending_of(world))
    assert pending_of(world).asked


def test_an_older_run_does_not_wait_for_a_newer_one_that_is_at_work() -> None:
    world = World()
    run(world, FIRST, name="a")
    with pytest.raises(SystemExit):
        run(world, SECOND, name="c", pid=7, before=dying_at("put", "docs/index.html"))
    before = world.clock.seconds
    with pytest.raises(HeldError) as caught:
        publish(world.edges(), wish({**FIRST, "docs/index.html": b"b"}, name="b"), older_than("b"), Permits(), lock_timeout=600)
    assert (caught.value.code, world.clock.seconds) == ("newer-is-live", before)


def test_a_publish_waits_for_a_gc_at_work() -> None:
    world = three_releases()
    with pytest.raises(SystemExit):
        collect(world.edges(pid=7, before=dying_at_the_first_delete()), Retention(releases=1, days=0))
    with pytest.raises(HeldError, match="a `gc` is at work"):
        publish(world.edges(), wish(SECOND), allow_all, Permits(), lock_timeout=5)
    publish(world.edges(), wish(SECOND), allow_all, Permits(), lock_timeout=120)
    assert {key: world.site()[key] for key in SECOND if key.endswith(".html")} == {
        key: body for key, body in SECOND.items() if key.endswith(".html")
    }


def dying_at_the_first_delete() -> Hook:
    """From then on nothing is sent any more."""
    is_dead = False

    def hook(operation: str, key: Key) -> None:
        nonlocal is_dead
        is_dead = is_dead or operation == "delete"
        if is_dead:
            raise SystemExit

    return hook


def test_an_invalidation_by_hand_waits_for_who_is_at_work() -> None:
    """Its swap of the state would begin the other's lease anew."""
    world = World(cdn=RecordingCdn())
    run(world, FIRST)
    with pytest.raises(SystemExit):
        run(world, SECOND, pid=7, before=dying_at("put", "index.html"))
    client = FakeCloudFront(world.clock)
    cdn = CloudFront(client.add_distribution(), lambda: client, world.clock)
    chooser = Chooser(Target("t", BucketAddress("memory")), Invalidation(), cdn, world.clock, aside=at_once)

    def owe(patience: float) -> State:
        edges = world.edges(pid=2)
        return evicting._owe(edges, chooser, ["/a"], edges.releases.read_state(), patience)[0].state

    before = pending_of(world)
    with pytest.raises(HeldError):
        owe(5)
    assert owe(120).owed == (Owed(before.release.seq + 1, ("/a",)),)
    assert world.clock.seconds > 60


def test_of_two_first_publishers_the_second_starts_over() -> None:
    """Each has found no state."""
    world = World()
    run(world, SECOND, before=once_before("put", "state.json", lambda: run(world, FIRST, pid=2) and None))
    state = world.edges().releases.read_state().state
    assert (len(state.releases), world.site()["index.html"]) == (2, SECOND["index.html"])


def test_a_commit_is_not_recorded_over_another_release() -> None:
    """It had nothing to publish; until it says so, something else is live."""
    world = World()
    run(world, FIRST, name="a")
    run(world, FIRST, name="b", before=once_before("put", "state.json", lambda: run(world, SECOND, name="c", pid=2) and None))
    live = world.edges().releases.read_state().state.live_release
    assert live is not None and live.commit is not None
    assert live.commit.id[0] == "c"


def test_a_run_whose_live_release_is_collected_under_its_eyes_starts_over() -> None:
    world = World()
    first = run(world, FIRST).release

    def publish_and_collect() -> None:
        run(world, SECOND, pid=2)
        world.clock.seconds += 3 * 86400
        collect(world.edges(pid=2), Retention(releases=1, days=0))

    third: dict[str, Piece | bytes] = {"index.html": b"third"}
    run(world, third, before=once_before("read", f"releases/{first}", publish_and_collect))
    assert {key: body for key, body in world.site().items() if key.endswith(".html")} == third


# ---- what was lost


def test_a_release_whose_document_is_another_one_is_not_trusted() -> None:
    world = World()
    first, second = run(world, FIRST).release, run(world, SECOND).release
    objects = world.bucket.objects
    objects[f".sitepub/releases/{second}"] = objects[f".sitepub/releases/{first}"]
    before = dict(objects)
    with pytest.raises(StoppedError, match="not what the state says"):
        run(world, {"index.html": b"third"})
    assert objects == before


@pytest.mark.parametrize("lost", ["app.", ".sitepub/packs/"])
def test_a_rollback_to_a_release_that_lost_something_breaks_no_page(lost: str) -> None:
    world = World()
    first = run(world, FIRST).release
    theirs = {key for key in world.bucket.objects if key.startswith(lost) and key != "app.css"}
    world.clock.seconds += 60
    run(world, SECOND)
    for key in theirs:
        del world.bucket.objects[key]
    before = dict(world.site())
    edges = world.edges()
    snapshot = edges.releases.read_state()
    with pytest.raises(StoppedError) as caught:
        rollback(edges, choose_release(snapshot.state, first), snapshot)
    assert caught.value.code in ("kept-body-lost", "missing-body")
    assert {key: body for key, body in world.site().items() if key.endswith(".html")} == {
        key: body for key, body in before.items() if key.endswith(".html")
    }


# ---- gc


def test_an_edit_by_hand_at_the_very_moment_of_a_delete_is_not_lost() -> None:
    world = World()
    run(world, {"index.html": b"1", "lib.js": Piece(b"lib", FileClass.PINNED)})
    world.clock.seconds += 3 * 86400
    run(world, {"index.html": b"2"})
    world.clock.seconds += 3 * 86400
    hook = once_before("delete", "lib.js", lambda: edit(world, "lib.js"))
    assert collect(world.edges(before=hook), Retention(releases=1, days=0)).left == ("lib.js",)
    assert world.site()["lib.js"] == b"by hand"


def test_a_gc_keeps_the_live_record_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sitepub.releases.RECORD_INLINE_LIMIT", 0)
    world = three_releases()
    assert len([key for key in everything(world) if "/records/" in key]) == 3
    collect_all(world)
    base = world.edges().releases.read_state().state.record.base
    assert [key for key in everything(world) if "/records/" in key] == [f".sitepub/records/{base}"]
    run(world, FIRST)


def test_a_gc_undoes_nothing_that_was_published_since_it_planned() -> None:
    world = three_releases()
    published: list[ReleaseId | None] = []
    hook = once_before("list", "", lambda: published.append(run(world, SECOND, pid=2).release))
    collect(world.edges(before=hook), Retention(releases=2, days=0))
    state = world.edges().releases.read_state().state
    assert [state.live] == published
    assert len(state.releases) == 2
    assert {key for key in world.site() if key in SECOND} == set(SECOND)


def three_releases() -> World:
    """Days apart, each with a stylesheet of its own."""
    world = World()
    for number in range(3):
        run(world, {**page_with_style("x", f"a{{margin:{number}px}}"), "index.html": b"%d" % number})
        world.clock.seconds += 3 * 86400
    return world


def collect_all(world: World) -> int:
    """How many runs had something to delete."""
    for number in range(20):
        if not collect(world.edges(), Retention(releases=1, days=0)).sweep.doomed:
            return number
    raise AssertionError("no end")


def everything(world: World) -> set[str]:
    """Without the state's own, and what is named by the second."""
    return {key for key in world.bucket.objects if key != ".sitepub/state.json"}


def test_a_gc_that_dies_anywhere_leaves_nothing_that_nobody_knows_of() -> None:
    """What names the rest goes last."""
    world = three_releases()
    collect_all(world)
    wanted, deletes, number = everything(world), 1, 0
    while number < deletes:
        world, seen = three_releases(), 0

        def hook(operation: str, key: Key, number: int = number) -> None:
            nonlocal seen
            seen += operation == "delete"
            if seen > number:
                raise SystemExit

        with pytest.raises(SystemExit):
            collect(world.edges(pid=7, before=hook), Retention(releases=1, days=0))
        world.gone.add(7)
        collect_all(world)
        assert everything(world) == wanted, number
        deletes, number = 6, number + 1


def test_a_gc_that_may_delete_little_at_a_time_comes_to_the_same_end(monkeypatch: pytest.MonkeyPatch) -> None:
    world = three_releases()
    assert collect_all(world) == 1
    wanted = everything(world)
    monkeypatch.setattr("sitepub.collecting.MOST_DELETES", 1)
    world = three_releases()
    collect(world.edges(), Retention(releases=1, days=0))
    assert not world.edges().releases.read_state().state.is_swept
    assert collect_all(world) > 3
    assert world.edges().releases.read_state().state.is_swept
    assert everything(world) == wanted
