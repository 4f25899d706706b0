"""How long a release remembers what lingers."""

from __future__ import annotations

from sitepub.core.document import Document, Retired
from sitepub.core.lingering import find_retired, without_swept
from sitepub.core.manifest import make_manifest
from sitepub.core.model import Digest, FileClass, Key, ReleaseId
from sitepub.core.state import Lease, Pending, Release, State
from tests.support.builders import artifact

LIB, CHUNK = Key("lib.js"), Key("chunk.js")
STOOD = {LIB: (artifact("lib.js", b"lib", FileClass.PINNED),), CHUNK: (artifact("chunk.js", b"chunk", FileClass.FROZEN),)}


def release(seq: int, *, year: int = 2026, over: tuple[ReleaseId, ...] = ()) -> Release:
    name = ReleaseId(f"{year}0{seq}01T000000Z-00000000")
    return Release(name, seq, Digest("m"), Digest("d"), None, f"{year}-0{seq}-01T00:00:00Z", 1, 1, over)


ONE, TWO, THREE, FOUR = (release(seq) for seq in range(1, 5))


def remembered(state: State, live: Release) -> set[Key]:
    retired = dict.fromkeys(STOOD, Retired(ONE.seq, ONE.id))
    return set(without_swept(Document(make_manifest(()), {}, STOOD, retired), state, live).lingering)


def test_what_a_gc_took_is_forgotten_but_for_bundlers_files() -> None:
    assert remembered(State(releases=(TWO, THREE), is_swept=True), THREE) == {CHUNK}


def test_bundlers_files_are_forgotten_once_no_browser_keeps_them() -> None:
    assert remembered(State(releases=(TWO, release(3, year=2028)), is_swept=True), release(3, year=2028)) == set()


def test_nothing_is_forgotten_that_may_still_stand() -> None:
    assert remembered(State(releases=(TWO, THREE)), THREE) == {LIB, CHUNK}, "no `gc` has come to its end"
    assert remembered(State(releases=(ONE, THREE), is_swept=True), THREE) == {LIB, CHUNK}, "its release is kept"
    assert remembered(State(releases=(release(2, over=(ONE.id,)), THREE), is_swept=True), THREE) == {LIB, CHUNK}, "a kept one superseded it"
    pending = Pending(FOUR, (), Lease("t", None), (ONE,))
    assert remembered(State(releases=(TWO, THREE), pending=pending, is_swept=True), THREE) == {LIB, CHUNK}, "it may be half promoted"
    unknown = Document(make_manifest(()), {}, STOOD)
    assert without_swept(unknown, State(releases=(TWO,), is_swept=True), TWO) == unknown


def test_the_last_release_that_has_it_counts() -> None:
    manifest = make_manifest(stood[0] for stood in STOOD.values())
    as_entry = make_manifest([artifact("lib.js", b"lib")])
    before = {LIB: Retired(ONE.seq, ONE.id), Key("gone.js"): Retired(ONE.seq, ONE.id)}
    found = find_retired([LIB, CHUNK], before, [(THREE, manifest), (TWO, as_entry)])
    assert found == {LIB: Retired(THREE.seq, THREE.id), CHUNK: Retired(THREE.seq, THREE.id)}
    assert find_retired([LIB], before, [(TWO, as_entry)]) == {LIB: Retired(ONE.seq, ONE.id)}
