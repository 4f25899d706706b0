"""Large sites on a store in memory, made large by a small limit: what is unchanged is neither sent nor read again, and nothing of it is lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from sitepub.core.cutting import Cutting
from sitepub.core.model import FileClass
from sitepub.core.retention import choose_release
from sitepub.core.state import State
from sitepub.core.state_text import decode_state
from sitepub.forgetting import forget
from sitepub.local.copies import LocalCopies
from sitepub.mending import mend, plan_cure
from sitepub.pipeline import rollback
from sitepub.releases import ReleaseReader
from sitepub.shards import shard_key
from sitepub.verifying import verify
from tests.support.builders import Piece, World, wish
from tests.support.memory_store import MemoryStore
from tests.test_collecting import gc
from tests.test_pipeline import roll_back, run
from tests.test_verifying import codes, look, request_of, sight_of

DAY = 24 * 3600
CUTTING = Cutting(above=100, whole=100, rows=16, amended=(0, 1))
AMENDING = Cutting(above=100, amended=(40, 1))
"""In one shard, until more rows differ than fit."""

CUTTINGS, CUTTING_IDS = (CUTTING, AMENDING), ("in shards", "amended")
PAGES = {f"page{number:03}.html": b"page %d" % number for number in range(300)}
EDITED = {**PAGES, "page123.html": b"edited"}


def world_with(*sites: Mapping[str, bytes], cutting: Cutting = CUTTING) -> World:
    world = World(cutting=cutting)
    for site in sites:
        run(world, wish(dict(site)))
        world.clock.seconds += DAY + 60
    return world


def shards(world: World) -> set[str]:
    return {key for key in world.bucket.objects if key.startswith(".sitepub/shards/")}


def documents(world: World) -> set[str]:
    return {key for key in world.bucket.objects if key.startswith(".sitepub/releases/")}


def state_of(world: World) -> State:
    return decode_state(world.bucket.objects[".sitepub/state.json"].body, where="state")


def records_of(world: World) -> MemoryStore:
    return MemoryStore(world.clock, bucket=world.bucket, prefix=".sitepub")


def test_one_changed_page_sends_one_shard_and_the_list_of_them() -> None:
    world = world_with(PAGES)
    puts: list[str] = []
    run(world, wish(dict(EDITED)), before=lambda operation, key: puts.append(key) if operation == "put" else None)
    folders = [key.partition("/")[0] for key in puts]
    assert folders.index("shards") < folders.index("releases")
    assert (sorted(folders[:3]), folders[3:]) == (["packs", "releases", "shards"], ["state.json", "page123.html", "state.json"])
    assert len(shards(world)) > 10
    assert len(world.bucket.objects[max(documents(world))].body) < 60 * len(shards(world))


def test_where_the_document_tells_it_itself_one_changed_page_sends_no_shard() -> None:
    world = world_with(PAGES, cutting=AMENDING)
    before = shards(world)
    assert len(before) == 1
    for number in range(3):
        known, puts = documents(world), list[str]()
        site = {**EDITED, f"page20{number}.html": b"edited too", f"new{number}.html": b"new"}
        site.update({f"new{earlier}.html": b"new" for earlier in range(number)})
        run(world, wish(site), before=lambda operation, key: puts.append(key) if operation == "put" else None)  # noqa: B023
        assert not [key for key in puts if key.startswith("shards/")]
        (document,) = documents(world) - known
        assert len(world.bucket.objects[document].body) < 1000
        assert world.site() == site
    assert shards(world) == before
    assert codes(look(world)) == []
    roll_back(world)
    assert "new2.html" not in world.site()
    assert codes(look(world)) == []


def test_once_more_differs_than_fits_and_where_a_page_is_gone_its_shard_is_stored_anew() -> None:
    many = {**PAGES, **{f"page{number:03}.html": b"other" for number in range(41)}}
    gone = {key: body for key, body in many.items() if key != "page299.html"}
    world = world_with(PAGES, cutting=AMENDING)
    for number, site in enumerate((many, gone), 2):
        run(world, wish(site))
        assert len(shards(world)) == number
        assert world.site() == site
    assert codes(look(world)) == []


@pytest.mark.parametrize("cutting", CUTTINGS, ids=CUTTING_IDS)
@pytest.mark.parametrize("is_amended", [False, True], ids=["as stored", "amended"])
def test_a_rollback_names_the_shards_of_the_release_that_it_goes_back_to(cutting: Cutting, is_amended: bool) -> None:
    other = {key: b"other " + body for key, body in PAGES.items()}
    world = world_with(*([PAGES, EDITED] if is_amended else [EDITED]), other, cutting=cutting)
    puts = list[str]()
    edges = world.edges(before=lambda operation, key: puts.append(key) if operation == "put" else None)
    snapshot = edges.releases.read_state()
    rollback(edges, choose_release(snapshot.state, None), snapshot)
    assert world.site() == EDITED
    assert puts
    assert not [key for key in puts if key.startswith("shards/")]
    assert codes(look(world)) == []


@pytest.mark.parametrize("cutting", CUTTINGS, ids=CUTTING_IDS)
def test_a_site_that_grows_past_the_limit_and_back_goes_on(cutting: Cutting) -> None:
    few, many = dict(list(PAGES.items())[:99]), dict(list(PAGES.items())[:108])
    world = world_with(few, many, few, cutting=cutting)
    assert world.site() == few
    roll_back(world)
    assert world.site() == many
    assert codes(look(world)) == []


def test_what_is_known_here_is_not_read_again(tmp_path: Path) -> None:
    world = world_with(PAGES)
    records = records_of(world)
    (first,) = state_of(world).releases
    ReleaseReader(records, LocalCopies(tmp_path)).read_document(first)
    run(world, wish(dict(EDITED)))
    second = state_of(world).releases[-1]
    before = records.requests
    document = ReleaseReader(records, LocalCopies(tmp_path)).read_document(second)
    assert document.manifest.artifacts.keys() == EDITED.keys()
    assert records.requests - before == 2


def test_what_releases_have_in_common_is_held_once() -> None:
    world = world_with(PAGES, EDITED)
    reader = ReleaseReader(records_of(world))
    first, second = (reader.read_document(release) for release in state_of(world).releases)
    shared = {shard.digest for shard in first.shards} & {shard.digest for shard in second.shards}
    assert len(shared) == len(first.shards) - 1
    assert first.manifest.artifacts["page000.html"] is second.manifest.artifacts["page000.html"]  # type: ignore[index]


def test_a_gc_takes_the_shards_that_no_kept_release_has() -> None:
    world = world_with(PAGES, EDITED, {**EDITED, "page200.html": b"edited too"})
    before = shards(world)
    gc(world)
    assert len(before - shards(world)) == 2
    assert codes(look(world)) == []
    assert world.site()["page200.html"] == b"edited too"


def test_what_a_run_left_that_never_began_is_collected_with_its_shards() -> None:
    world = world_with(PAGES)
    before = shards(world)

    def die(operation: str, key: str) -> None:
        if operation == "put" and key.startswith("packs/"):
            raise SystemExit

    with suppress(SystemExit):
        run(world, wish(dict(EDITED)), before=die)
    assert len(shards(world)) == len(before) + 1
    gc(world)
    assert len(shards(world)) == len(before) + 1, "a run may still be at work on it"
    world.clock.seconds += 2 * DAY
    gc(world)
    assert shards(world) == before


NEW = {**EDITED, "app.123.css": Piece(b"a{}", FileClass.ASSET)}


def die_before(operation: str, folder: str) -> Callable[[str, str], None]:
    def die(done: str, key: str) -> None:
        if done == operation and key.startswith(folder):
            raise SystemExit

    return die


def test_what_a_run_put_there_is_known_though_a_gc_has_taken_shards_that_it_counted_on() -> None:
    """The run was held up for days, and the `gc` had looked at what there is before the document was written."""
    world = world_with(PAGES, cutting=AMENDING)
    before, known = shards(world), documents(world)
    with suppress(SystemExit):
        run(world, wish(dict(NEW)), before=die_before("put", "state.json"))
    assert "app.123.css" in world.site()
    (late,) = documents(world) - known
    document = world.bucket.objects.pop(late)
    run(world, wish({key: b"other " + body for key, body in PAGES.items()}))
    world.clock.seconds += 3 * DAY
    gc(world)
    assert not before & shards(world)
    world.bucket.objects[late] = document
    gc(world)
    assert "app.123.css" not in world.site()
    assert late not in world.bucket.objects
    assert codes(look(world)) == []


def test_a_shard_whose_document_is_not_written_yet_is_left_for_a_day() -> None:
    world = world_with(PAGES)
    before = shards(world)
    with suppress(SystemExit):
        run(world, wish(dict(EDITED)), before=die_before("put", "releases/"))
    fresh = shards(world) - before
    assert len(fresh) == 1
    gc(world)
    assert fresh < shards(world)
    world.clock.seconds += DAY + 60
    gc(world)
    assert shards(world) == before


@pytest.mark.parametrize("at", ["releases/", "shards/"])
def test_a_gc_that_stops_while_it_deletes_leaves_no_document_that_can_not_be_read(at: str) -> None:
    world = world_with(PAGES, EDITED, PAGES)

    def die(operation: str, key: str) -> None:
        if operation == "delete" and key.startswith(at):
            raise SystemExit

    with suppress(SystemExit):
        gc(world, before=die)
    reader = ReleaseReader(records_of(world))
    assert len(reader.read_left(())) == len(documents(world))
    gc(world, pid=2)
    assert len(documents(world)) == 1
    assert len(shards(world)) == len(reader.read_document(state_of(world).releases[-1]).shards)


def test_rows_that_are_gone_are_found_and_come_back_from_local_copies(tmp_path: Path) -> None:
    world = world_with(PAGES)
    (release,) = state_of(world).releases
    copies = LocalCopies(tmp_path)
    kept = ReleaseReader(records_of(world), copies).read_document(release)
    world.bucket.objects.pop(f".sitepub/{shard_key(kept.shards[3].digest)}")
    assert codes(look(world)) == [("damaged-record", f".sitepub/releases/{release.id}")]
    edges = world.edges()
    edges.releases._copies = copies
    sight = sight_of(edges)
    request, audit = request_of(sight, tmp_path), verify(sight, edges.progress)
    assert kept.shards[3].digest in audit.findings[0].message
    mended = mend(request, edges, sight, audit, plan_cure(request, sight, audit, edges.progress), lambda: verify(sight, edges.progress))
    assert codes(mended.audit) == []
    assert codes(look(world)) == []


@pytest.mark.parametrize("cutting", CUTTINGS, ids=CUTTING_IDS)
@pytest.mark.parametrize("number", range(0, 30, 7))
def test_nothing_of_a_forgotten_path_stays_in_a_shard(number: int, cutting: Cutting) -> None:
    """Stopped somewhere first. It was edited while it was there: a shard has a row of it that the document tells otherwise."""
    secret, edited = ({**PAGES, "secret-name.html": body} for body in (b"secret", b"secret too"))
    world = world_with(secret, edited, PAGES, EDITED, cutting=cutting)
    requests = [0]

    def die(operation: str, key: str) -> None:
        requests[0] += 1
        if requests[0] == number:
            raise SystemExit

    with suppress(SystemExit):
        forget(world.edges(before=die), ["secret-name.html"])
    world.gone.add(1)
    world.clock.seconds += 3600
    forget(world.edges(pid=2), ["secret-name.html"])
    if number:
        gc(world, pid=3)
    reader = ReleaseReader(records_of(world))
    found = {release.id: reader.read_document(release) for release in state_of(world).releases}
    assert {f".sitepub/{shard_key(shard.digest)}" for document in found.values() for shard in document.shards} == shards(world)
    assert not any("secret-name.html" in document.manifest.artifacts for document in found.values())
    rows = {artifact.key for document in found.values() for shard in document.shards for artifact in shard.artifacts}
    assert "secret-name.html" not in rows
    assert codes(look(world)) == []
