"""The removal of a whole preview on a store in memory: what it may not do beside others, in which order it deletes, and how it ends."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from sitepub import expiring
from sitepub.core.model import FileClass, Key
from sitepub.core.settings import BucketAddress, Target
from sitepub.errors import HeldError
from sitepub.expiring import Removed, Standing
from sitepub.interfaces import Anything
from tests.support.builders import CSS, Piece, RecordingCdn, SilentProgress, World, digest_of, wish
from tests.support.turns import in_order
from tests.test_pipeline import FIRST, SECOND, bodies, check_nothing_is_broken, crash_at, run

SITE: dict[str, Piece | bytes] = {**FIRST, "lib.js": Piece(b"lib", FileClass.PINNED, CSS), "paper.pdf": b"p" * (1024 * 1024 + 1)}
Hook = Callable[[str, Key], None]
Remove = Callable[..., Removed]


@pytest.fixture
def remove(monkeypatch: pytest.MonkeyPatch) -> Remove:
    def remove(world: World, *, pid: int = 1, **hooks: Hook) -> Removed:
        monkeypatch.setattr(expiring, "_edges", lambda standing, progress: world.edges(pid=pid, **hooks))
        standing = Standing(Target("t", BucketAddress("memory")), None, "")  # type: ignore[arg-type]
        return expiring.remove_preview(standing, SilentProgress())

    return remove


def published() -> World:
    world = World(cdn=RecordingCdn())
    for site in (SITE, SECOND):
        run(world, wish(site))
        world.clock.seconds += 60
    return world


def once(operation: str, key: str, number: int, does: Callable[[], object]) -> Hook:
    """At the n-th such request, to a key that begins so."""
    seen: list[Key] = []

    def hook(seen_operation: str, seen_key: Key) -> None:
        if seen_operation == operation and seen_key.startswith(key):
            seen.append(seen_key)
            if len(seen) == number:
                does()

    return hook


def test_nothing_of_it_is_left_but_what_is_of_nobody(remove: Remove) -> None:
    world = published()
    world.edges().store.put(Key("theirs.txt"), b"x", (), digest=digest_of(b"x"), expect=Anything())
    assert remove(world).left == ()
    assert set(world.bucket.objects) == {"theirs.txt"}
    assert world.cdn is not None
    assert set(world.cdn.sent[-1][0]) >= {"/index.html", "/docs/index.html"}


def test_one_that_is_being_published_is_not_removed(remove: Remove) -> None:
    world = published()
    crash_at(world, wish(SITE), pid=7, operation="put", key="docs/index.html")
    before = dict(world.bucket.objects)
    with pytest.raises(HeldError):
        remove(world)
    assert world.bucket.objects == before
    world.gone.add(7)
    remove(world)
    assert world.bucket.objects == {}


def test_a_removal_that_stops_anywhere_breaks_no_page_and_is_finished_by_the_next(remove: Remove) -> None:
    requests: list[str] = []
    remove(published(), before=lambda operation, key: requests.append(operation))
    for number in range(len(requests)):
        world, passed = published(), [0]

        def die(operation: str, key: Key, number: int = number, passed: list[int] = passed) -> None:
            passed[0] += 1
            if passed[0] > number:
                raise SystemExit

        with pytest.raises(SystemExit):
            remove(world, pid=7, before=die)
        world.gone.add(7)
        check_nothing_is_broken(world)
        remove(world)
        assert world.bucket.objects == {}, number


@pytest.mark.parametrize(("operation", "number"), [("put", 1), ("read", 2), ("delete", 1)], ids=["begun", "ended", "taken away"])
def test_one_that_is_published_meanwhile_stays_whole(remove: Remove, operation: str, number: int) -> None:
    """The state is swapped for the first delete and after the last; then it is read once more, and deleted."""
    world = published()
    published_at: list[float] = []

    def publish_again() -> None:
        published_at.append(world.clock.seconds)
        run(world, wish(SITE), pid=2)

    remove(world, before=once(operation, "state.json", number, publish_again))
    assert published_at
    if operation == "put":
        assert world.bucket.objects == {}, "planned anew, it takes that away too"
    else:
        assert {key: world.site()[key] for key in SITE} == bodies(SITE)
        assert run(world, wish(SITE)).release is None


@pytest.mark.parametrize(
    "after", [("put", "state.json"), ("delete", "docs/index.html"), ("delete", "releases/")], ids=["begun", "at pages", "at records"]
)
def test_one_that_slept_past_its_lease_deletes_nothing_more(remove: Remove, after: tuple[str, str]) -> None:
    world = published()
    deleted: list[str] = []

    def sleep() -> None:
        world.clock.seconds += 61
        deleted.clear()

    def count(operation: str, key: Key) -> None:
        if operation == "delete":
            deleted.append(key)

    with in_order(random.Random(1)), pytest.raises(HeldError):
        remove(world, before=count, after=once(*after, 1, sleep))
    assert deleted == []
    check_nothing_is_broken(world)
