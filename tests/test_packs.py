"""Bodies of earlier releases: few requests where many are wanted, and never more memory than a few stretches."""

from __future__ import annotations

import random
import resource
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from sitepub import pack_draft, packing
from sitepub.core.model import Artifact, BodyPlace, Digest
from sitepub.errors import ConfigurationError, StoppedError
from sitepub.gathering import start_aside
from sitepub.interfaces import Anything
from sitepub.pack_draft import PackDraft
from sitepub.packing import FRAMED_AT_ONCE, frame_all, send_packs
from sitepub.packs import AHEAD, HELD, Framed, KeptBodies, compress, compress_all, expand, large_body_key, pack_key
from tests.support.builders import artifact, digest_of
from tests.support.memory_store import MemoryStore


def keep(store: MemoryStore, bodies: list[bytes]) -> dict[Digest, BodyPlace]:
    """In one pack. Returns where each stands."""
    with PackDraft() as draft:
        send_packs(store, draft, draft.fill((digest_of(body), compress(body)) for body in bodies))()
        return dict(draft.places())


def test_each_pack_is_told_once_it_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    bodies = [random.Random(number).randbytes(400 + number) for number in range(20)]
    frames = [(digest_of(body), compress(body)) for body in bodies]
    monkeypatch.setattr(pack_draft, "FULL", 1000)
    store, drawn = MemoryStore(), 0

    def draw() -> Iterator[tuple[Digest, bytes]]:
        nonlocal drawn
        for frame in frames:
            drawn += 1
            yield frame

    with PackDraft() as draft:
        full = draft.fill(draw())
        first = next(full)
        assert drawn == 3
        assert draft.read_pack(first) == b"".join(frame for _, frame in frames[:3])
        send_packs(store, draft, [first, *full])()
        places = dict(draft.places())
        assert [draft.read(digest_of(body)) for body in bodies] == bodies
    assert len({place.pack for place in places.values()}) == len(store.objects) == 7
    assert len({id(place.pack) for place in places.values()}) == 7, "a name for each body would be most of what is known of it"
    assert [KeptBodies(store, places).read(digest_of(body)) for body in bodies] == bodies
    kept = KeptBodies(store, places)
    kept.foretell(places)
    assert [kept.read(digest_of(body)) for body in bodies] == bodies


@pytest.mark.parametrize(("sizes", "has_file"), [((400, 400), False), ((400, 600), True), ((1000,), True), ((400, 400, 400), True)])
def test_what_fills_no_pack_needs_no_file(sizes: tuple[int, ...], has_file: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pack_draft, "FULL", 1000)
    frames = [(Digest(str(number)), bytes([number]) * size) for number, size in enumerate(sizes)]
    with PackDraft(tmp_path) as draft:
        packs = list(draft.fill(frames))
        assert b"".join(map(draft.read_pack, packs)) == b"".join(frame for _, frame in frames)
        assert bool(list(tmp_path.iterdir())) is has_file
    assert not list(tmp_path.iterdir())


def read_in_vain(begin: Callable[[int], object]) -> Callable[[Artifact], bytes | Framed]:
    """Fails at the first of the third batch; every third is compressed already."""

    def read(artifact: Artifact) -> bytes | Framed:
        begin(artifact.size)
        if artifact.size == 2 * FRAMED_AT_ONCE:
            raise StoppedError("gone", "it is gone", "")
        body = bytes(artifact.size)
        return body if artifact.size % 3 else Framed(b"frame of %d" % artifact.size, body)

    return read


def frame_of(size: int) -> bytes:
    return compress(bytes(size)) if size % 3 else b"frame of %d" % size


def test_frames_come_in_order_and_the_next_bodies_are_read_while_these_are_taken() -> None:
    artifacts = [artifact("page", bytes(number)) for number in range(2 * FRAMED_AT_ONCE + 1)]
    next_read = threading.Semaphore(0)

    def begin(size: int) -> None:
        if size == 2 * FRAMED_AT_ONCE - 1:
            next_read.release()

    taken: list[bytes] = []
    with pytest.raises(StoppedError, match="it is gone"):
        for _, framed in frame_all(artifacts, read_in_vain(begin), workers=4):
            taken.append(framed)
            if len(taken) == 1:
                assert next_read.acquire(timeout=30)
    assert taken == [frame_of(number) for number in range(2 * FRAMED_AT_ONCE)]


@pytest.mark.parametrize("number", [0, 1, 3, FRAMED_AT_ONCE, FRAMED_AT_ONCE + 1])
def test_every_frame_comes_once(number: int) -> None:
    artifacts = [artifact("page", bytes(each)) for each in range(number)]
    assert [framed for _, framed in frame_all(artifacts, read_in_vain(lambda _: None))] == [frame_of(each) for each in range(number)]


def test_large_bodies_are_not_read_by_the_hundred(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "FRAMED_BYTES", 100_000)
    artifacts = [artifact("page", bytes(50_000 + number)) for number in range(40)]
    read: list[int] = []
    frames = frame_all(artifacts, read_in_vain(read.append))
    next(frames)
    frames.close()  # type: ignore[attr-defined]
    assert len(read) <= 4


@pytest.mark.parametrize("bodies", [[], [b""], [b"", b""], [b"one"], [b"", b"one"], [b"one", b"", b"two" * 1000]])
def test_what_is_compressed_together_is_compressed_as_each_alone(bodies: list[bytes]) -> None:
    assert compress_all(bodies) == [compress(body) for body in bodies]


def test_bodies_are_held_for_their_first_reader_as_long_as_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    bodies = [b"%d" % number * 100 for number in range(3)]
    expanded: list[Digest] = []
    monkeypatch.setattr(pack_draft, "HELD", 250)
    monkeypatch.setattr(pack_draft, "expand", lambda frame, digest: expanded.append(digest) or expand(frame, digest))
    with PackDraft() as draft:
        for body in (*bodies, bodies[0]):
            draft.hold(digest_of(body), body)
        assert draft.read(digest_of(bodies[0])) is None, "it is in no pack"
        list(draft.fill((digest_of(body), compress(body)) for body in bodies))
        assert [draft.read(digest_of(body)) for body in bodies] == bodies
        assert expanded == [digest_of(bodies[2])], "there was room for two"
        assert [draft.read(digest_of(body)) for body in bodies] == bodies
        assert len(expanded) == 4, "one that is wanted again comes from its pack"


def test_no_pack_is_sent_before_the_target_is_checked() -> None:
    store, frames = MemoryStore(), [(digest_of(b"page"), compress(b"page"))]

    def refuse() -> None:
        raise ConfigurationError("records-are-public", "everyone can read them", "hide them")

    with PackDraft() as draft, pytest.raises(ConfigurationError):
        send_packs(store, draft, draft.fill(frames), refuse)()
    assert not store.objects


@contextmanager
def files_of(most: int) -> Iterator[None]:
    """No file of this process may grow beyond so many bytes: what a full disk is, without a file system of its own."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_told_as_one_and_keeps_no_spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pack_draft, "FULL", 12_000)
    frames = [(Digest(str(number)), b"x" * 5000) for number in range(4)]
    with files_of(1000), pytest.raises(ConfigurationError, match="a temporary file can't be written"), PackDraft(tmp_path) as draft:
        list(draft.fill(frames))
    assert not list(tmp_path.iterdir())


def test_neighbours_that_are_foretold_are_one_request() -> None:
    store = MemoryStore()
    bodies = [b"page %d" % number for number in range(200)]
    kept = KeptBodies(store, keep(store, bodies))
    kept.foretell(map(digest_of, bodies))
    before = store.requests
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(kept.read, map(digest_of, bodies))) == bodies
    assert store.requests - before == 1


def test_stretches_of_many_packs_are_read_once_each_in_the_order_of_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pack_draft, "FULL", 4000)
    store = MemoryStore()
    bodies = [random.Random(number).randbytes(1000) for number in range(200)]
    places = keep(store, bodies)
    packs = len({place.pack for place in places.values()})
    assert packs == 50
    kept = KeptBodies(store, places)
    kept.foretell(map(digest_of, bodies))
    before = store.requests
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(kept.read, map(digest_of, bodies))) == bodies
    assert store.requests - before == packs


def test_what_was_used_makes_room_for_what_is_used_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of a site in order, some of which later releases brought."""
    monkeypatch.setattr(pack_draft, "FULL", 4000)
    store = MemoryStore()
    first = [random.Random(number).randbytes(1000) for number in range(400)]
    later = [[b"%d of %d" % (number, release) for number in range(20)] for release in range(HELD - AHEAD - 2)]
    places = keep(store, first)
    packs = len({place.pack for place in places.values()})
    for bodies in later:
        places |= keep(store, bodies)
    order = [
        body for number, page in enumerate(first) for body in ([page] if number % 20 else [page, *(some[number // 20] for some in later)])
    ]
    kept = KeptBodies(store, places)
    kept.foretell(map(digest_of, order))
    before = store.requests
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(kept.read, map(digest_of, order))) == order
    assert store.requests - before == packs + len(later)


def test_nothing_more_is_read_than_was_foretold() -> None:
    store = MemoryStore()
    bodies = [b"page %d" % number for number in range(9)]
    kept = KeptBodies(store, keep(store, bodies))
    kept.foretell([digest_of(bodies[4])])
    before = store.requests
    assert [kept.read(digest_of(body)) for body in bodies] == bodies
    assert store.requests - before == 9


def test_a_stretch_that_made_room_is_not_read_again() -> None:
    """Pages of many packs, in turns: the worst order there is."""
    store = MemoryStore()
    packs = [[b"%d of %d" % (number, pack) for number in range(3)] for pack in range(HELD + 2)]
    places = {digest: place for pack in packs for digest, place in keep(store, pack).items()}
    kept = KeptBodies(store, places)
    kept.foretell(places)
    turns = [pack[number] for number in range(3) for pack in packs]
    before = store.requests
    assert [kept.read(digest_of(body)) for body in turns] == turns
    made_room = len(packs) - HELD
    # what is read ahead takes the place of something that is asked for once more
    assert 0 <= store.requests - before - len(packs) - 2 * made_room <= 2 * AHEAD
    assert not kept._frames._held, "all of it was asked for"


def test_the_next_stretches_are_read_while_one_is_used() -> None:
    """A round trip for each would be most of a rollback to a distant region."""
    started, release = threading.Semaphore(0), threading.Event()

    def wait(operation: str, key: str) -> None:
        if operation == "read_range":
            started.release()
            assert release.wait(30)

    store = MemoryStore()
    packs = [[b"%d of %d" % (number, pack) for number in range(3)] for pack in range(AHEAD + 3)]
    places = {digest: place for pack in packs for digest, place in keep(store, pack).items()}
    store.before = wait
    kept = KeptBodies(store, places)
    kept.foretell(places)
    first = min(places, key=lambda digest: (places[digest].pack, places[digest].offset))
    reading = start_aside(lambda: kept.read(first))
    assert all(started.acquire(timeout=30) for _ in range(1 + AHEAD))
    assert not started.acquire(timeout=0.05)
    release.set()
    assert digest_of(reading()) == first


def test_a_body_is_found_where_its_pack_is_lost_or_damaged() -> None:
    store = MemoryStore()
    bodies = [b"page %d" % number for number in range(3)]
    places = keep(store, bodies)
    (key,) = store.objects
    store.put(large_body_key(digest_of(bodies[1])), bodies[1], (), digest=digest_of(bodies[1]), expect=Anything())
    for damaged in (store.objects[key].body[:-20], None):
        if damaged is None:
            del store.objects[key]
        else:
            store.put(pack_key(places[digest_of(bodies[0])].pack), damaged, (), digest=digest_of(damaged), expect=Anything())
        kept = KeptBodies(store, places)
        kept.foretell(map(digest_of, bodies))
        with pytest.raises(StoppedError):
            kept.read(digest_of(bodies[2]))
        assert kept.read(digest_of(bodies[1])) == bodies[1]
