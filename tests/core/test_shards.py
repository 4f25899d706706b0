"""A large manifest in shards: all rows come back, and what did not change is not stored again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sitepub.core.cutting import Cutting, cut
from sitepub.core.document import Document, Encoded, Retired, decode_document, encode_document, name_shards
from sitepub.core.manifest import make_manifest
from sitepub.core.model import BodyPlace, Digest, Key, Manifest, ReleaseId
from sitepub.core.shards import Shard, decode_shard
from sitepub.errors import ConfigurationError
from tests.support.builders import artifact

RECORDED = Path(__file__).resolve().parent.parent / "recorded/format-1/store/.sitepub/releases"
WHOLE, TINY = Cutting(), Cutting(above=0, whole=0, rows=4, amended=(0, 1))
AMENDING = Cutting(above=0, whole=0, rows=8, amended=(10, 1))

numbers = st.integers(0, 999)
some = st.sets(numbers, min_size=1, max_size=60)
names_of_any_kind = st.sets(st.text("ab/.é", min_size=1, max_size=6).map(Key), max_size=60)


def manifest_of(pages: Iterable[int], changed: int | None = None) -> Manifest:
    return make_manifest(artifact(f"{page}.html", b"changed" if page == changed else b"%d" % page) for page in pages)


def shards_of(names: Iterable[Key], rows: int = 4) -> list[tuple[Key, ...]]:
    in_order = sorted(names)
    return [tuple(in_order[first:end]) for first, end in cut(in_order, rows)]


@given(names_of_any_kind, st.sampled_from([1, 2, 4, 16, 1000]))
def test_all_shards_one_after_the_other_are_all_keys(names: set[Key], rows: int) -> None:
    shards = shards_of(names, rows)
    assert [key for shard in shards for key in shard] == sorted(names)
    assert all(shards)


@given(names_of_any_kind, st.text("ab/.é", min_size=1, max_size=6).map(Key))
def test_a_key_that_comes_or_goes_changes_two_shards_at_most(names: set[Key], key: Key) -> None:
    without, with_it = shards_of(names - {key}), shards_of(names | {key})
    assert len(set(without) - set(with_it)) <= 1
    assert len(set(with_it) - set(without)) <= 2


def test_shards_of_a_usual_site_are_about_as_long_as_they_should_be() -> None:
    names = [Key(f"f{number // 500}/page{number}.html") for number in range(60_000)]
    lengths = sorted(map(len, shards_of(names, WHOLE.rows)))
    assert 0.7 * WHOLE.rows < sum(lengths) / len(lengths) < 1.4 * WHOLE.rows
    assert lengths[-1] < 12 * WHOLE.rows


def read_back(encoded: Encoded, kept: Sequence[Shard] = ()) -> Document:
    held = {shard.digest: shard for shard in kept}
    fresh = {digest: decode_shard(stored, digest, where="shard") for digest, stored in encoded.fresh.items()}
    return decode_document(encoded.document, lambda digests: [{**held, **fresh}[digest] for digest in digests], where="release")


def document_of(manifest: Manifest, pack: str = "pack") -> Document:
    """The bodies of even pages in a pack; one key lingers."""
    pages = {int(key.removesuffix(".html")): made for key, made in manifest.artifacts.items()}
    bodies = {made.body: BodyPlace(pack, 10 * page, 10) for page, made in pages.items() if page % 2 == 0}
    lingering = {Key("old.js"): (artifact("old.js", b"old"),)}
    return Document(manifest, bodies, lingering, {Key("old.js"): Retired(3, ReleaseId("r"))})


@settings(deadline=None)
@given(some, st.sampled_from([WHOLE, TINY, AMENDING, Cutting(above=20, whole=40, rows=8)]))
def test_a_document_comes_back_as_it_was(pages: set[int], cutting: Cutting) -> None:
    document = document_of(manifest_of(pages))
    encoded = encode_document(document, cutting)
    assert replace(read_back(encoded), shards=()) == document
    assert bool(encoded.shards) is (len(pages) > cutting.above)
    assert name_shards(encoded.document, where="") == tuple(shard.digest for shard in encoded.shards)


@settings(deadline=None)
@given(some, numbers)
def test_one_changed_or_new_row_is_one_fresh_shard_or_two(pages: set[int], changed: int) -> None:
    before = document_of(manifest_of(pages))
    stored = encode_document(before, TINY)
    after = document_of(manifest_of(pages | {changed}, changed))
    encoded = encode_document(after, TINY, read_back(stored).shards)
    assert len(encoded.fresh) <= 2
    assert replace(read_back(encoded, stored.shards), shards=()) == after
    assert encoded.document == encode_document(after, TINY).document, "what is not encoded again has the same digest all the same"


def test_a_body_that_moved_to_another_pack_is_a_changed_row() -> None:
    manifest = manifest_of(range(50))
    before = encode_document(document_of(manifest), TINY)
    assert encode_document(document_of(manifest), TINY, before.shards).fresh == {}
    assert len(encode_document(document_of(manifest, "another"), TINY, before.shards).fresh) > 5


@pytest.mark.parametrize("path", sorted(RECORDED.iterdir()), ids=lambda path: path.name)
def test_a_document_below_the_limit_is_stored_as_ever(path: Path) -> None:
    stored = path.read_bytes()
    document = decode_document(stored, lambda digests: [], where="")
    assert document.shards == ()
    again = encode_document(document, WHOLE)
    assert zstandard.decompress(again.document) == zstandard.decompress(stored)
    assert again.fresh == {}


edits = st.lists(st.tuples(st.sets(numbers, max_size=14), st.sets(numbers, max_size=3)), max_size=5)


@settings(deadline=None)
@given(some, edits)
def test_documents_that_amend_come_back_one_after_the_other(pages: set[int], steps: list[tuple[set[int], set[int]]]) -> None:
    """Each with other and new pages, and some that are gone; the next goes on from what was stored of the last."""
    stored: list[Shard] = []
    encoded = encode_document(document_of(manifest_of(pages)), AMENDING)
    made = {page: b"%d" % page for page in pages}
    for number, (changed, gone) in enumerate(steps):
        made = {page: body for page, body in {**made, **dict.fromkeys(changed, b"changed %d" % number)}.items() if page not in gone}
        before = read_back(encoded, stored)
        stored += before.shards
        document = document_of(make_manifest(artifact(f"{page}.html", body) for page, body in made.items()))
        encoded = encode_document(document, AMENDING, before.shards)
        found = read_back(encoded, stored)
        assert replace(found, shards=()) == document
        assert name_shards(encoded.document, where="") == tuple(shard.digest for shard in encoded.shards)
        held = {artifact.key for shard in found.shards for artifact in shard.artifacts}
        assert held <= document.manifest.artifacts.keys(), "what is gone stays in no shard"
        assert not encoded.fresh or found.shards == encoded.shards


def test_a_few_changed_rows_are_told_by_the_document_itself() -> None:
    before = encode_document(document_of(manifest_of(range(2000))), WHOLE)
    assert len(before.fresh) == 1
    after = document_of(manifest_of(range(2001), 7))
    encoded = encode_document(after, WHOLE, before.shards)
    assert (encoded.fresh, encoded.shards) == ({}, before.shards)
    assert len(encoded.document) < 500 < len(before.fresh[before.shards[0].digest]) / 100
    assert replace(read_back(encoded, before.shards), shards=()) == after


def test_a_body_that_moved_to_another_pack_is_told_too() -> None:
    document = document_of(manifest_of(range(2000)))
    before = encode_document(document, WHOLE)
    moved = document.manifest.artifacts[Key("42.html")].body
    after = replace(document, bodies={**document.bodies, moved: BodyPlace("another", 0, 10)})
    encoded = encode_document(after, WHOLE, before.shards)
    assert encoded.fresh == {}
    assert replace(read_back(encoded, before.shards), shards=()) == after


@pytest.mark.parametrize(("differing", "rows", "may"), [(1024, 9000, True), (1025, 9000, False), (250, 2000, True), (251, 2000, False)])
def test_more_than_a_few_are_not(differing: int, rows: int, may: bool) -> None:
    assert WHOLE.may_amend(differing, rows) is may


def test_the_limit_is_that_of_the_format() -> None:
    """Other numbers, or another hash, would store every large site anew."""
    assert Cutting(above=500, whole=50_000, rows=512, amended=(1024, 8)) == WHOLE
    assert list(WHOLE.cut([Key(f"{number}.html") for number in range(50_000)])) == [(0, 50_000)]
    names = [Key(f"{number:03}.html") for number in range(200)]
    assert [first for first, _ in cut(names, 32)] == [0, 4, 35, 113, 166]


def test_what_is_no_shard_is_damaged() -> None:
    encoded = encode_document(document_of(manifest_of({1})), TINY)
    with pytest.raises(ConfigurationError, match="`here`"):
        decode_shard(encoded.document, Digest("0"), where="here")
