"""Verify and repair against a store in memory: every damage, every request that may fail, and another run in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from sitepub.core.audit import Mismatch, Trouble
from sitepub.core.model import Commit, FileClass, Key
from sitepub.core.settings import Config, FolderAddress, Target
from sitepub.core.state_text import decode_state
from sitepub.decision import Permits, Wish
from sitepub.edges import Edges
from sitepub.errors import HeldError, RefusedError, SitepubError
from sitepub.interfaces import Anything
from sitepub.local.ledger_copy import LedgerCopy
from sitepub.mending import Mended, mend, plan_cure
from sitepub.packs import KeptBodies
from sitepub.pipeline import publish
from sitepub.request import Request
from sitepub.verifying import Audit, verify
from sitepub.wiring import Sight
from tests.support.builders import CSS, Piece, RecordingCdn, World, die_after, digest_of, page_with_style, wish

SITE: dict[str, Piece | bytes] = {
    **page_with_style("one", "a{}"),
    "lib.js": Piece(b"lib", FileClass.PINNED),
    "big.pdf": Piece(b"p" * (1024 * 1024 + 1), FileClass.ENTRY),
    "main.js": Piece(b"bundle", FileClass.FROZEN, CSS),
}
NO_LEDGER = LedgerCopy(Path("/nonexistent/ledger.json"))
STYLE = next(key for key in SITE if key.startswith("app."))
Hook = Callable[[str, str], None]


def allow_all(_: Commit | None) -> None:
    return None


def run(world: World, wanted: Wish, **hooks: object) -> None:
    publish(world.edges(**hooks), wanted, allow_all, Permits(), lock_timeout=5)  # type: ignore[arg-type]


def start() -> World:
    world = World(cdn=RecordingCdn())
    run(world, wish(SITE))
    return world


def sight_of(edges: Edges) -> Sight:
    target = Target("there", FolderAddress(Path("/nonexistent")), distribution="E1TEST" if edges.cdn else None)
    return Sight(target, edges.store, edges.records, edges.releases, edges.clock, lambda state: edges.cdn, NO_LEDGER)


def request_of(sight: Sight, tmp_path: Path) -> Request:
    config = Config(tmp_path / "sitepub.yaml", tmp_path / "missing", {"there": sight.target})
    return Request(config, sight.target, {"SITEPUB_CACHE": str(tmp_path / "cache")})


def look(world: World) -> Audit:
    edges = world.edges()
    return verify(sight_of(edges), edges.progress)


def repair(world: World, tmp_path: Path, **hooks: object) -> Mended:
    edges = world.edges(**hooks)  # type: ignore[arg-type]
    sight = sight_of(edges)
    audit = verify(sight, edges.progress)
    request = request_of(sight, tmp_path)
    return mend(request, edges, sight, audit, plan_cure(request, sight, audit, edges.progress), lambda: verify(sight, edges.progress))


def codes(audit: Audit) -> list[tuple[str, str]]:
    return [(finding.code, finding.key) for finding in audit.findings]


def objects_of(world: World, start: str) -> list[str]:
    return [key for key in world.bucket.objects if key.startswith(start)]


def overwrite(world: World, key: str, body: bytes, headers: object = ()) -> None:
    """As another tool does: no digest beside it."""
    found = world.bucket.objects.get(key) or next(iter(world.bucket.objects.values()))
    world.bucket.objects[key] = replace(found, body=body, digest=None, headers=headers)  # type: ignore[arg-type]


def strip_headers(world: World, key: str) -> None:
    overwrite(world, key, world.bucket.objects[key].body)


DAMAGES: dict[str, tuple[Callable[[World], object], list[tuple[str, str]]]] = {
    "a page is changed": (lambda world: overwrite(world, "index.html", b"hand"), [(Trouble.CHANGED, "index.html")]),
    "a page is changed to as many bytes": (
        lambda world: overwrite(world, "index.html", world.bucket.objects["index.html"].body[::-1]),
        [(Trouble.CHANGED, "index.html")],
    ),
    "a page is missing": (lambda world: world.bucket.objects.pop("docs/index.html"), [(Trouble.MISSING, "docs/index.html")]),
    "a large file is missing": (lambda world: world.bucket.objects.pop("big.pdf"), [(Trouble.MISSING, "big.pdf")]),
    "a pinned module is missing": (lambda world: world.bucket.objects.pop("lib.js"), [(Trouble.MISSING, "lib.js")]),
    "a hashed file is missing": (lambda world: world.bucket.objects.pop(STYLE), [(Trouble.MISSING, STYLE)]),
    "a hashed file is changed": (lambda world: overwrite(world, STYLE, b"hand"), [(Trouble.CHANGED, STYLE)]),
    "a plain name is missing": (lambda world: world.bucket.objects.pop("app.css"), [(Trouble.MISSING, "app.css")]),
    "a page lost its headers": (lambda world: strip_headers(world, "index.html"), [(Trouble.WRONG_HEADERS, "index.html")]),
    "a hashed file lost its headers": (lambda world: strip_headers(world, STYLE), [(Trouble.WRONG_HEADERS, STYLE)]),
    "a bundler's file lost its headers": (lambda world: strip_headers(world, "main.js"), [(Trouble.WRONG_HEADERS, "main.js")]),
    "a large file lost its headers": (lambda world: strip_headers(world, "big.pdf"), [(Trouble.WRONG_HEADERS, "big.pdf")]),
    "the pack is gone": (
        lambda world: [world.bucket.objects.pop(key) for key in objects_of(world, ".sitepub/packs/")],
        [(Trouble.MISSING_BODY, key) for key in ("docs/index.html", "index.html", "lib.js")],
    ),
    "the pack is another's": (
        lambda world: [overwrite(world, key, b"hand") for key in objects_of(world, ".sitepub/packs/")],
        [(Trouble.MISSING_BODY, key) for key in ("docs/index.html", "index.html", "lib.js")],
    ),
    "the large body is gone": (
        lambda world: [world.bucket.objects.pop(key) for key in objects_of(world, ".sitepub/entries/")],
        [(Trouble.MISSING_BODY, "big.pdf")],
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_each_damage_is_found_and_mended_from_the_target_alone(name: str, tmp_path: Path) -> None:
    world = start()
    before = {key: (found.body, found.headers) for key, found in world.bucket.objects.items() if not key.startswith(".sitepub/")}
    spoil, expected = DAMAGES[name]
    spoil(world)
    assert codes(look(world)) == expected
    mended = repair(world, tmp_path)
    assert codes(mended.audit) == []
    assert sorted((finding.code, finding.key) for finding in mended.repaired) == sorted(expected)
    assert codes(look(world)) == []
    after = {key: (found.body, found.headers) for key, found in world.bucket.objects.items() if not key.startswith(".sitepub/")}
    assert after == before


def leave_release_half_way(world: World) -> None:
    """A run that was to change a module died as it was about to."""

    def die(operation: str, key: str) -> None:
        if operation == "put" and key == "lib.js":
            raise SystemExit

    with pytest.raises(SystemExit):
        run(world, wish({**SITE, "lib.js": Piece(b"newer", FileClass.PINNED)}), pid=7, before=die)
    world.gone.add(7)


def test_nothing_is_written_or_sent_where_nothing_is_wrong(tmp_path: Path) -> None:
    world = start()
    seen: list[str] = []
    repair(world, tmp_path, before=lambda operation, key: seen.append(operation))
    assert not {"put", "copy", "delete"} & set(seen)
    assert world.cdn is not None and world.cdn.sent == []


def test_only_what_is_wrong_is_written(tmp_path: Path) -> None:
    world = start()
    overwrite(world, "index.html", b"hand")
    seen: list[str] = []
    repair(world, tmp_path, before=lambda operation, key: seen.append(key) if operation in ("put", "copy", "delete") else None)
    assert {key for key in seen if not key.startswith(("state.json", "releases/"))} == {"index.html"}


def test_visitors_of_what_was_wrong_get_an_invalidation(tmp_path: Path) -> None:
    world = start()
    overwrite(world, "index.html", b"hand")
    del world.bucket.objects["docs/index.html"]
    strip_headers(world, "lib.js")
    mended = repair(world, tmp_path)
    assert world.cdn is not None
    assert [items for items, _ in world.cdn.sent] == [("/docs/index.html", "/index.html", "/lib.js")]
    assert mended.invalidation.items == ("/docs/index.html", "/index.html", "/lib.js")


def test_a_plain_name_and_its_hashed_file_that_are_both_gone_need_a_source(tmp_path: Path) -> None:
    world = start()
    for key in (STYLE, "app.css"):
        del world.bucket.objects[key]
    mended = repair(world, tmp_path)
    assert codes(mended.audit) == [(Trouble.MISSING, STYLE), (Trouble.MISSING, "app.css")]
    assert mended.release is None, "nothing can be mended, so nothing is made live"


def test_a_body_whose_pack_is_lost_is_read_where_it_stands_by_itself(tmp_path: Path) -> None:
    world = start()
    body = world.bucket.objects["index.html"].body
    for key in objects_of(world, ".sitepub/packs/"):
        del world.bucket.objects[key]
    document = look(world).document
    assert document is not None
    kept = KeptBodies(world.edges().records, document.bodies)
    with pytest.raises(SitepubError):
        kept.read(digest_of(body))
    repair(world, tmp_path)
    assert kept.read(digest_of(body)) == body


def test_the_record_of_etags_is_made_anew(tmp_path: Path) -> None:
    world = World()
    many: dict[str, Piece | bytes] = {f"{number:03}.html": b"%d" % number for number in range(520)}
    run(world, wish(many))
    (record,) = objects_of(world, ".sitepub/records/")
    del world.bucket.objects[record]
    assert codes(look(world)) == [(Trouble.DAMAGED_RECORD, record)]
    repair(world, tmp_path)
    assert codes(look(world)) == []
    seen: list[str] = []
    run(world, wish({**many, "007.html": b"changed"}), before=lambda operation, key: seen.append(operation))
    assert "head" not in seen, "the next publish knows each ETag again"


def test_a_hashed_file_of_an_earlier_release_is_missed_for_its_open_pages_and_for_rollback() -> None:
    world = start()
    run(world, wish({key: piece for key, piece in {**SITE, **page_with_style("two", "b{}")}.items() if key != STYLE}))
    del world.bucket.objects[STYLE]
    (finding,) = look(world).findings
    assert (finding.code, finding.key) == (Trouble.MISSING_BODY, STYLE)


def test_what_earlier_releases_left_behind_is_not_foreign() -> None:
    world = start()
    run(world, wish(page_with_style("two", "b{}")))
    assert {STYLE, "lib.js", "main.js"} <= set(world.site())
    assert codes(look(world)) == []


def test_a_release_made_live_meanwhile_is_not_undone(tmp_path: Path) -> None:
    """The look and the repair are two things: between them another run may publish."""
    world = start()
    overwrite(world, "index.html", b"hand")
    edges = world.edges()
    sight = sight_of(edges)
    audit = verify(sight, edges.progress)
    request = request_of(sight, tmp_path)
    cure = plan_cure(request, sight, audit, edges.progress)
    newer = {**SITE, "lib.js": Piece(b"newer", FileClass.PINNED)}
    run(world, wish(newer))
    with pytest.raises(HeldError) as caught:
        mend(request, edges, sight, audit, cure, lambda: verify(sight, edges.progress))
    assert caught.value.code == "target-moved"
    assert world.site()["lib.js"] == b"newer"


def test_what_was_changed_once_more_since_the_look_is_left_alone(tmp_path: Path) -> None:
    """Only what was found, and shown to whoever agreed, is overwritten."""
    world = start()
    overwrite(world, "index.html", b"hand")
    del world.bucket.objects["docs/index.html"]
    edges = world.edges()
    sight = sight_of(edges)
    audit = verify(sight, edges.progress)
    request = request_of(sight, tmp_path)
    cure = plan_cure(request, sight, audit, edges.progress)
    overwrite(world, "index.html", b"another hand")
    overwrite(world, "docs/index.html", b"a hand")
    with pytest.raises(RefusedError) as caught:
        mend(request, edges, sight, audit, cure, lambda: verify(sight, edges.progress))
    assert caught.value.code == "edited-by-hand"
    assert (world.site()["index.html"], world.site()["docs/index.html"]) == (b"another hand", b"a hand")


def test_a_release_begun_meanwhile_by_a_run_that_died_is_not_undone(tmp_path: Path) -> None:
    world = start()
    overwrite(world, "index.html", b"hand")
    edges = world.edges()
    sight = sight_of(edges)
    audit = verify(sight, edges.progress)
    request = request_of(sight, tmp_path)
    cure = plan_cure(request, sight, audit, edges.progress)
    leave_release_half_way(world)
    with pytest.raises(HeldError):
        mend(request, edges, sight, audit, cure, lambda: verify(sight, edges.progress))
    state = decode_state(world.bucket.objects[".sitepub/state.json"].body, where="state")
    assert state.pending is not None


@pytest.mark.parametrize("loses_answer", [False, True], ids=["request never arrives", "answer is lost"])
def test_a_repair_that_dies_at_any_request_is_finished_by_the_next(loses_answer: bool, tmp_path: Path) -> None:
    def spoiled() -> World:
        world = start()
        overwrite(world, "index.html", b"hand")
        strip_headers(world, "lib.js")
        del world.bucket.objects[STYLE]
        for key in objects_of(world, ".sitepub/entries/"):
            del world.bucket.objects[key]
        return world

    hook = "after" if loses_answer else "before"
    counter = die_after(10**9)
    repair(spoiled(), tmp_path, **{hook: counter})
    right = start().site()
    assert counter.seen > 30
    stopped = 0
    for number in range(counter.seen):
        world = spoiled()
        death = die_after(number)
        try:
            repair(world, tmp_path, pid=7, **{hook: death})
        except (SystemExit, SitepubError):
            stopped += 1
        else:
            assert death.seen <= number, "two threads may ask for the same at once, or one of them for both: a request more or less"
        world.gone.add(7)
        mended = repair(world, tmp_path)
        assert codes(mended.audit) == [], f"died at request {number}"
        assert world.site() == right
        state = decode_state(world.bucket.objects[".sitepub/state.json"].body, where="state")
        assert (state.pending, state.owed) == (None, ())
        assert world.cdn is not None
        assert {item for items, _ in world.cdn.sent for item in items} >= {"/index.html", "/lib.js"}, f"died at request {number}"
    assert stopped > counter.seen - 3


def test_a_release_that_a_repair_finishes_is_told_with_its_invalidation(tmp_path: Path) -> None:
    world = start()
    leave_release_half_way(world)
    mended = repair(world, tmp_path)
    assert mended.release == mended.audit.snapshot.state.live is not None
    assert (mended.invalidation.items, mended.invalidation.state) == (("/lib.js",), "submitted")


class Counted(tuple[Mismatch, ...]):
    """Counts how often somebody goes through all of it."""

    walks = 0

    def __iter__(self) -> Iterator[Mismatch]:
        Counted.walks += 1
        return super().__iter__()


def test_a_cure_is_planned_in_linear_time(tmp_path: Path) -> None:
    world = start()
    for key in world.site():
        strip_headers(world, key)
    audit = look(world)
    assert len(audit.mismatches) == len(world.site())
    sight = sight_of(world.edges())
    counted = replace(audit, mismatches=Counted(audit.mismatches))
    cure = plan_cure(request_of(sight, tmp_path), sight, counted, world.edges().progress)
    assert cure.mends.keys() == set(world.site())
    assert Counted.walks < 4


def test_the_live_manifest_is_left_as_it_was(tmp_path: Path) -> None:
    world = start()
    before = look(world)
    overwrite(world, "index.html", b"hand")
    mended = repair(world, tmp_path)
    assert before.document is not None and mended.audit.document is not None
    assert mended.audit.document.manifest == before.document.manifest
    live = mended.audit.snapshot.state.live_release
    assert live is not None and live.origin == before.snapshot.state.live
    assert Key("index.html") in mended.audit.document.manifest.artifacts


def test_what_a_run_left_that_never_began_is_not_foreign() -> None:
    world = start()
    is_dead = False

    def die(operation: str, key: str) -> None:
        nonlocal is_dead
        is_dead = is_dead or (operation, key) == ("put", "state.json")
        if is_dead:
            raise SystemExit

    with pytest.raises(SystemExit):
        run(world, wish({**SITE, "other.js": Piece(b"other", FileClass.FROZEN, CSS)}), before=die)
    assert "other.js" in world.site()
    assert codes(look(world)) == []
    world.edges().store.put(Key("theirs.js"), b"", (), digest=digest_of(b""), expect=Anything())
    assert codes(look(world)) == [(Trouble.FOREIGN, "theirs.js")]
