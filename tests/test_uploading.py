"""What is put before anybody refers to it: nothing that arrived is sent again, and what stands there is taken for what it is."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from sitepub.collecting import collect
from sitepub.core.model import Artifact, FileClass, Key
from sitepub.core.settings import Retention
from sitepub.errors import StoppedError
from sitepub.interfaces import Anything, Body, Place
from sitepub.packs import compress
from sitepub.wishes import Permits
from tests.support.builders import CSS, HTML, Piece, World, artifact, digest_of, wish
from tests.test_pipeline import FIRST, SECOND, bodies, crash_at, die_at, roll_back, run

LARGE = b"l" * (1024 * 1024 + 1)
PICTURES: dict[str, Piece | bytes] = {
    f"img/{number}.{digest_of(b'%d' % number)[:12]}.png": Piece(b"%d" % number, FileClass.ASSET, CSS) for number in range(20)
}
DAY = 86400


def name_of(site: dict[str, Piece | bytes]) -> str:
    """Of its stylesheet."""
    return next(key for key, piece in site.items() if isinstance(piece, Piece) and piece.file_class is FileClass.ASSET)


def leave_gc_half_way() -> World:
    """SECOND is live; a `gc` died as it was about to delete the stylesheet of FIRST."""
    world = World()
    for site in (FIRST, SECOND):
        run(world, wish(site))
        world.clock.seconds += DAY + 60
    with pytest.raises(SystemExit):
        collect(world.edges(pid=7, before=die_at("delete", name_of(FIRST))), Retention(releases=1, days=0))
    world.gone.add(7)
    return world


def sends(world: World, site: dict[str, Piece | bytes]) -> list[str]:
    """Keys that a publish puts or copies, in order."""
    sent: list[str] = []
    run(world, wish(site), before=lambda operation, key: sent.append(key) if operation in ("put", "copy") else None)
    return sent


@pytest.mark.parametrize(
    ("more", "folder"),
    [
        (PICTURES, "img/"),
        ({"film.0123456789ab.mp4": Piece(LARGE, FileClass.ASSET, CSS)}, "film."),
        ({"paper.pdf": LARGE}, "entries/"),
    ],
    ids=["many files", "a large one", "a large body"],
)
def test_what_arrived_is_not_sent_again(more: dict[str, Piece | bytes], folder: str) -> None:
    world = World()
    run(world, wish(FIRST))
    crash_at(world, wish({**SECOND, **more}), pid=7, operation="put", key="state.json")
    arrived = [key for key in world.bucket.objects if key.removeprefix(".sitepub/").startswith(folder)]
    assert len(arrived) == len(more)
    assert not [key for key in sends(world, {**SECOND, **more}) if key.startswith(folder)]


def test_the_same_bytes_under_other_headers_take_ours() -> None:
    world = World()
    run(world, wish(FIRST))
    name = name_of(SECOND)
    body = SECOND[name].body  # type: ignore[union-attr]
    world.edges().store.put(Key(name), body, HTML, digest=digest_of(body), expect=Anything())
    run(world, wish(SECOND))
    assert (world.site()[name], world.bucket.objects[name].headers) == (body, CSS)


def test_what_is_recorded_is_what_stands_there_though_another_run_was_faster() -> None:
    """Both write a file anew which a dead `gc` may be about to delete."""
    world, name = leave_gc_half_way(), name_of(FIRST)
    left = [1]

    def another(operation: str, key: str) -> None:
        if (operation, key) == ("copy", name) and left:
            left.pop()
            world.bucket.objects[name] = replace(world.bucket.objects[name], is_in_parts=True)

    run(world, wish(FIRST), before=another)
    assert not left
    releases = world.edges().releases
    assert releases.read_record(releases.read_state().state)[Key(name)] == world.bucket.objects[name].etag


@pytest.mark.parametrize("lost", ["asset", "pack"])
def test_what_a_dead_gc_deletes_at_the_last_moment_is_sent_again(lost: str) -> None:
    """Its delete arrives between the look at what stands there and the copy that would have saved it; a pack takes one more run."""
    world, name = leave_gc_half_way(), name_of(FIRST)
    left = [1]

    def delete_late(operation: str, key: str) -> None:
        if operation == "copy" and (key == name if lost == "asset" else key.startswith("packs/")) and left:
            left.pop()
            del world.bucket.objects[key if lost == "asset" else f".sitepub/{key}"]

    if lost == "pack":
        with pytest.raises(StoppedError) as caught:
            run(world, wish(FIRST), before=delete_late)
        assert caught.value.code == "target-moves"
        run(world, wish(FIRST))
    else:
        run(world, wish(FIRST), before=delete_late)
    assert not left
    assert {key: world.site()[key] for key in FIRST} == bodies(FIRST)
    world.clock.seconds += 60
    run(world, wish(SECOND))
    roll_back(world)
    assert {key: world.site()[key] for key in FIRST} == bodies(FIRST)


def test_a_dead_release_is_completed_with_what_it_sent() -> None:
    world = World()
    run(world, wish(FIRST))
    crash_at(world, wish(SECOND), pid=7, operation="put", key="docs/index.html")
    world.gone.add(7)
    assert sends(world, SECOND) == ["state.json", "docs/index.html", "index.html", "state.json"]


def test_a_body_is_sent_once_and_found_by_every_release_that_has_it() -> None:
    world = World()
    site: dict[str, Piece | bytes] = {"a.html": b"a", "b.html": b"b", "paper.pdf": LARGE}
    run(world, wish(site))
    for number, key in enumerate(["a.html", "b.html"]):
        world.clock.seconds += 60
        packs = {key for key in world.bucket.objects if "/packs/" in key}
        site[key] = b"changed %d" % number
        # beside the document that names it
        assert any(key.startswith("packs/") for key in sends(world, site)[:2])
        (pack,) = {key for key in world.bucket.objects if "/packs/" in key} - packs
        assert world.bucket.objects[pack].body == compress(site[key])
    roll_back(world)
    assert world.site() == {"a.html": b"changed 0", "b.html": b"b", "paper.pdf": LARGE}


def test_what_goes_live_is_what_was_kept_though_the_source_changes_meanwhile() -> None:
    asked: list[str] = []
    site = wish({"index.html": b"one", "paper.pdf": LARGE})

    def supply(wanted: Artifact) -> Body | Place:
        asked.append(wanted.key)
        return site.supply(wanted)

    world = World()
    run(world, replace(site, supply=supply))
    assert sorted(asked) == ["index.html", "paper.pdf"]


def test_few_large_bodies_are_held_at_once() -> None:
    """Each may be as large as memory bears; here are more of them."""
    site = wish({f"{number}.pdf": LARGE + bytes([number]) for number in range(12)})
    held, most = set[str](), 0

    def supply(wanted: Artifact) -> Body | Place:
        nonlocal most
        held.add(f"entries/{wanted.body}")
        most = max(most, len(held))
        return site.supply(wanted)

    world = World()
    run(world, replace(site, supply=supply), after=lambda operation, key: held.discard(key) if operation == "put" else None)
    assert (most <= 4, len([key for key in world.bucket.objects if "/entries/" in key])) == (True, 12)


def test_what_someone_put_in_place_of_a_bundled_file_is_not_kept_as_that_file() -> None:
    world = World()
    run(world, wish({"index.html": b"1", "chunk.js": Piece(b"one", FileClass.FROZEN)}))
    world.edges().store.put(Key("chunk.js"), b"by hand", (), digest=digest_of(b"by hand"), expect=Anything())
    third = wish({"index.html": b"3", "chunk.js": Piece(b"three", FileClass.FROZEN)})
    as_entry = artifact("chunk.js", b"three", FileClass.PINNED)
    run(world, replace(third, frozen_as_entries={as_entry.key: as_entry}), permits=Permits(foreign=True))
    assert world.site()["chunk.js"] == b"three"
    kept = {key.rpartition("/")[2]: found.body for key, found in world.bucket.objects.items() if "/entries/" in key}
    assert {name: digest_of(body) for name, body in kept.items()} == {name: name for name in kept}
