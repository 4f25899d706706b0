"""Adopt against a store in memory: an adopt that dies at any request, and others that write meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from sitepub.adopting import Adoption, adopt, plan_adoption
from sitepub.core.model import FileClass, HeaderSet, Key
from sitepub.core.retention import choose_release
from sitepub.core.settings import Config, FolderAddress, Target
from sitepub.core.state_text import decode_state
from sitepub.decision import Permits
from sitepub.errors import HeldError, RefusedError, SitepubError, StoppedError
from sitepub.history import History
from sitepub.interfaces import Anything, ConditionFailedError, SourceFile
from sitepub.local.ledger_copy import LedgerCopy
from sitepub.local.source import FolderSource
from sitepub.pipeline import rollback
from sitepub.preparing import Prepared
from sitepub.request import Request
from sitepub.wiring import Opened
from tests.support.builders import CSS, Piece, RecordingCdn, World, die_after, digest_of, page_with_style, wish

PICTURE = b"picture" * 1000
SITE: dict[str, Piece | bytes] = {
    **page_with_style("new", "a{}"),
    "sky.0123456789ab.png": Piece(PICTURE, FileClass.ASSET, CSS, "sky.png"),
    "sky.png": Piece(PICTURE, FileClass.ALIAS, CSS, "sky.png"),
    "lib.js": Piece(b"lib", FileClass.PINNED),
    "main.js": Piece(b"bundle", FileClass.FROZEN, CSS),
    "big.pdf": Piece(b"p" * (1024 * 1024 + 1)),
    "download.bin": PICTURE,  # a page to be, whose bytes stand at a plain name
}
THEIRS: HeaderSet = (("Content-Type", "binary/octet-stream"),)
STOOD: dict[str, bytes] = {
    "index.html": b"<link href=app.css>old",
    "docs/index.html": b"<link href=../app.css>leaf",
    "app.css": b"a{}",
    "sky.png": PICTURE,
    "lib.js": b"lib",
    "main.js": b"older bundle",
    "big.pdf": b"q" * (1024 * 1024 + 2),
}
FOREIGN = {"logs/today": b"foreign"}


def filled() -> World:
    world = World(cdn=RecordingCdn())
    store = world.edges().store
    for key, body in {**STOOD, **FOREIGN}.items():
        store.put(Key(key), body, THEIRS, digest=digest_of(body), expect=Anything())
        # others write no digest beside it
        world.bucket.objects[key] = replace(world.bucket.objects[key], digest=None)
    return world


def open_world(world: World, **hooks: object) -> Opened:
    edges = world.edges(**hooks)  # type: ignore[arg-type]
    target = Target("there", FolderAddress(Path("/nonexistent")), distribution="E1TEST")
    nothing: Callable[[], None] = lambda: None  # noqa: E731
    return Opened(
        target=target,
        store=edges.store,
        records=edges.records,
        releases=edges.releases,
        clock=edges.clock,
        cdn_of=lambda state: world.cdn,
        check_account=nothing,
        try_records=lambda: True,
        look_before_writing=nothing,
        ledger=LedgerCopy(Path("/nonexistent/ledger.json")),
    )


def prepare(opened: Opened) -> Prepared:
    config = Config(Path("/nonexistent/sitepub.yaml"), Path("/nonexistent/public"), {"there": opened.target})
    request = Request(config, opened.target, {})
    paths = sorted({str(artifact.source) for artifact in wish(SITE).manifest.artifacts.values()})
    source = FolderSource(Path("/nonexistent/public"), tuple(SourceFile(path, 0, 0, 0) for path in paths))  # type: ignore[arg-type]
    return Prepared(request, source, wish(SITE), 0, History(None, None, None, Permits()), opened.releases.read_state(), ())


def plan(world: World, opened: Opened) -> Adoption:
    return plan_adoption(prepare(opened), opened.sight, world.edges().progress, started=0)


def run(world: World, **hooks: object) -> None:
    opened = open_world(world, **hooks)
    adopt(plan(world, opened), opened, world.edges().progress, lock_timeout=5, wait=False, started=0)


def stands(world: World) -> dict[str, bytes]:
    return {key: found.body for key, found in world.bucket.objects.items() if not key.startswith(".sitepub/")}


def bodies() -> dict[str, bytes]:
    return {key: piece.body if isinstance(piece, Piece) else piece for key, piece in SITE.items()}


def check_adopted(world: World, why: str = "") -> None:
    assert {key: stands(world).get(key) for key in SITE} == bodies(), why
    assert stands(world)["logs/today"] == b"foreign", why
    state = decode_state(world.bucket.objects[".sitepub/state.json"].body, where="state")
    assert (state.pending, state.owed) == (None, ()), why
    edges = world.edges()
    snapshot = edges.releases.read_state()
    rollback(edges, choose_release(snapshot.state, None), snapshot)
    assert {key: stands(world)[key] for key in STOOD} == STOOD, why
    assert all(world.bucket.objects[key].headers == THEIRS for key in STOOD), why


def test_what_stood_there_is_replaced_and_can_be_brought_back() -> None:
    world = filled()
    run(world)
    check_adopted(world)


def test_bodies_that_stand_there_are_copied_and_the_rest_is_put() -> None:
    world = filled()
    puts: list[str] = []
    run(
        world,
        before=lambda operation, key: (
            puts.append(key) if operation == "put" and not key.startswith(("packs/", "releases/", "state")) else None
        ),
    )
    style = next(key for key in SITE if key.startswith("app."))
    # the plain stylesheet has the right bytes, so the hashed one is a copy of it; the large file goes into the records once; the picture is
    # in this release's pack for the download that it is too, and is put from there
    assert style in stands(world) and style not in puts
    assert sorted(puts) == sorted(
        [f"entries/{digest_of(b'p' * (1024 * 1024 + 1))}", "docs/index.html", "download.bin", "index.html", "main.js", "sky.png"]
    )


def test_the_plan_foresees_what_is_done() -> None:
    world = filled()
    opened = open_world(world)
    planned = plan(world, opened)
    done = adopt(planned, opened, world.edges().progress, lock_timeout=5, wait=False, started=0)
    assert done.changes == planned.account.changes
    assert done.summary == planned.account.summary
    assert planned.foreign == ("logs/today",)


def test_every_page_and_plain_name_that_changes_is_invalidated() -> None:
    world = filled()
    run(world)
    assert world.cdn is not None
    (sent,) = [items for items, _ in world.cdn.sent]
    assert sent == tuple(sorted(["/", "/docs/", *(f"/{key}" for key in STOOD)]))


def test_a_second_adopt_is_refused() -> None:
    world = filled()
    run(world)
    with pytest.raises(RefusedError) as caught:
        run(world)
    assert caught.value.code == "already-managed"


def test_what_changes_while_it_is_looked_at_stops_the_run_before_anything_is_kept() -> None:
    world = filled()
    opened = open_world(world)
    planned = plan(world, opened)
    changed = replace(world.bucket.objects["index.html"], body=b"changed meanwhile")
    world.bucket.objects["index.html"] = changed
    with pytest.raises(StoppedError) as caught:
        adopt(planned, opened, world.edges().progress, lock_timeout=5, wait=False, started=0)
    assert caught.value.code == "target-moves"
    assert ".sitepub/state.json" not in world.bucket.objects


def test_another_run_that_was_faster_is_respected() -> None:
    world = filled()
    opened = open_world(world)
    planned = plan(world, opened)

    def die(operation: str, key: str) -> None:
        if (operation, key) == ("put", "state.json"):
            raise SystemExit

    with pytest.raises(SystemExit):
        run(world, after=die)
    before = stands(world)
    with pytest.raises(HeldError) as caught:
        adopt(planned, opened, world.edges().progress, lock_timeout=5, wait=False, started=0)
    assert caught.value.code == "target-moved"
    assert stands(world) == before


@pytest.mark.parametrize("loses_answer", [False, True], ids=["request never arrives", "answer is lost"])
def test_an_adopt_that_dies_at_any_request_is_finished_by_the_next(loses_answer: bool) -> None:
    hook = "after" if loses_answer else "before"
    seen = 0

    def count(operation: str, key: str) -> None:
        nonlocal seen
        seen += 1

    run(filled(), **{hook: count})
    assert seen > 30
    for number in range(seen):
        world = filled()
        die = die_after(number)
        with pytest.raises((SystemExit, SitepubError)):
            run(world, **{hook: die})
        world.clock.seconds += 120
        try:
            run(world)
        except RefusedError as error:
            # it was over but for its last answers: what is left is for any run that writes
            assert error.code == "already-managed"
            edges = world.edges()
            from sitepub.pipeline import send_owed

            send_owed(edges, edges.releases.read_state())
        check_adopted(world, f"died at request {number}")


def test_an_adopt_whose_answer_was_lost_knows_its_own_state_by_its_nonce() -> None:
    """The client asks again, and is refused by what it wrote itself."""
    world = filled()
    lost: list[str] = []

    def lose_first(operation: str, key: str) -> None:
        if (operation, key) == ("put", "state.json") and not lost:
            lost.append(key)
            raise ConditionFailedError(Key(key))

    run(world, after=lose_first)
    check_adopted(world)
