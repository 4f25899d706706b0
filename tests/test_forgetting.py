"""`gc --forget` on a store in memory: nothing of a path stays anywhere, everything else can still be had back."""

from __future__ import annotations

import pytest
import zstandard

from sitepub.core.model import FileClass, Key
from sitepub.core.state import State
from sitepub.core.state_text import decode_state
from sitepub.errors import HeldError, RefusedError
from sitepub.forgetting import foresee_all, foresee_forgetting, forget
from tests.support.builders import CSS, Piece, RecordingCdn, World, die_after, wish
from tests.test_pipeline import bodies, roll_back, run

SECRET = b"the password is swordfish"
LARGE_SECRET = SECRET * 50_000

WITH: dict[str, Piece | bytes] = {
    "index.html": b"one",
    "about.html": b"about",
    "secret.html": SECRET,
    "big.pdf": Piece(LARGE_SECRET, FileClass.ENTRY, CSS),
    "js/secret.js": Piece(SECRET + b"js", FileClass.PINNED),
    "secret.abc.css": Piece(SECRET + b"css", FileClass.ASSET, CSS, "secret.css"),
    "secret.css": Piece(SECRET + b"css", FileClass.ALIAS, CSS),
}
WITHOUT: dict[str, Piece | bytes] = {"index.html": b"two", "about.html": b"about"}
PATHS = ("secret.html", "big.pdf", "js/secret.js", "secret.css")


def world_that_has_published_both() -> World:
    world = World(cdn=RecordingCdn())
    for site in ({"index.html": b"zero"}, WITH, WITHOUT):
        run(world, wish(site))
        world.clock.seconds += 60
    return world


def holds_secret(world: World) -> list[str]:
    """Keys whose bytes, or whose frames' bytes, hold the secret."""
    return [key for key, found in world.bucket.objects.items() if b"swordfish" in found.body or b"swordfish" in expand_all(found.body)]


def expand_all(body: bytes) -> bytes:
    expanded = b""
    try:
        while body.startswith(zstandard.FRAME_HEADER):
            reader = zstandard.ZstdDecompressor().decompressobj()
            expanded += reader.decompress(body)
            body = reader.unused_data
    except zstandard.ZstdError:
        pass
    return expanded


def state_of(world: World) -> State:
    return decode_state(world.bucket.objects[".sitepub/state.json"].body, where="state")


def test_nothing_of_a_forgotten_path_stays_anywhere() -> None:
    world = world_that_has_published_both()
    assert holds_secret(world)
    before = dict(world.bucket.objects)
    foreseen = foresee_all(world.edges(), PATHS)
    assert world.bucket.objects == before
    forgotten = forget(world.edges(), PATHS)
    assert holds_secret(world) == []
    assert not [key for key in world.bucket.objects if "secret" in key]
    assert world.site() == bodies(WITHOUT)
    assert forgotten.left == ()
    assert world.cdn is not None
    assert world.cdn.sent[-1][0] == ("/big.pdf", "/js/secret.js", "/secret.abc.css", "/secret.html") == foreseen.invalidation.items


def test_everything_else_can_still_be_had_back() -> None:
    world = world_that_has_published_both()
    forget(world.edges(), PATHS)
    assert [release.entries for release in state_of(world).releases] == [1, 2, 2]
    roll_back(world)
    assert world.site() == {"index.html": b"one", "about.html": b"about"}
    world.clock.seconds += 60
    roll_back(world)
    assert world.site() == {"index.html": b"zero"}


def test_a_body_that_another_path_has_too_stays_for_it() -> None:
    world = World()
    for site in ({"index.html": b"1", "a.html": b"same", "b.html": b"same"}, {"index.html": b"2"}):
        run(world, wish(site))
        world.clock.seconds += 60
    forget(world.edges(), ["a.html"])
    roll_back(world)
    assert world.site() == {"index.html": b"1", "b.html": b"same"}


def test_what_is_still_live_must_be_published_away_first() -> None:
    world = World()
    run(world, wish(WITH))
    before = dict(world.bucket.objects)
    with pytest.raises(RefusedError) as caught:
        forget(world.edges(), PATHS)
    assert caught.value.code == "still-live"
    assert world.bucket.objects == before


def test_a_path_that_was_never_published_is_nothing_to_forget() -> None:
    world = world_that_has_published_both()
    before = dict(world.bucket.objects)
    assert forget(world.edges(), ["never.html"]).forgetting.is_nothing
    assert foresee_forgetting(world.edges(), PATHS).site
    assert world.bucket.objects == before


@pytest.mark.parametrize(
    "after",
    [("put", "state.json", 1), ("put", "packs/", 1), ("put", "state.json", 2), ("head", "secret.html", 1)],
    ids=["begun", "packs written", "renamed", "keys deleted"],
)
def test_a_run_that_slept_past_its_lease_writes_and_deletes_nothing_more(after: tuple[str, str, int]) -> None:
    world = world_that_has_published_both()
    seen: list[Key] = []
    done: list[Key] = []

    def count(operation: str, key: Key) -> None:
        if operation in ("put", "copy", "delete"):
            done.append(key)

    def sleep(operation: str, key: Key) -> None:
        if operation == after[0] and key.startswith(after[1]):
            seen.append(key)
            if len(seen) == after[2]:
                world.clock.seconds += 61
                done.clear()

    with pytest.raises(HeldError):
        forget(world.edges(before=count, after=sleep), PATHS)
    assert done == []


def test_a_run_that_stops_at_any_request_loses_no_release_and_the_next_one_forgets() -> None:
    seen = 0

    def count(operation: str, key: str) -> None:
        nonlocal seen
        seen += 1

    forget(world_that_has_published_both().edges(before=count), PATHS)
    assert seen > 15
    for number in range(seen):
        world = world_that_has_published_both()
        die = die_after(number)
        with pytest.raises(SystemExit):
            forget(world.edges(pid=7, before=die), PATHS)
        world.gone.add(7)
        assert {key: world.site()[key] for key in WITHOUT} == bodies(WITHOUT)
        forget(world.edges(), PATHS)
        run(world, wish(WITHOUT))
        assert holds_secret(world) == [], f"died at request {number}"
        assert (state_of(world).collect, state_of(world).owed) == (None, ())
        world.clock.seconds += 60
        roll_back(world)
        assert Key("secret.html") not in world.site()
        assert world.site()["index.html"] == b"one"
