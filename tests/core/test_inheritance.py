"""What another tool left, as a first release; ETags of bodies that were put at once or in parts."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sitepub.core.changes import Action, Change
from sitepub.core.inheritance import Inherited, choose_keys, find_packed, find_same, is_copied, is_etag_of, make_first_release, tell_copies
from sitepub.core.manifest import make_manifest
from sitepub.core.model import ETag, FileClass, HeaderSet, Key, Kind, SourcePath
from tests.support.builders import CSS, artifact, digest_of

MEGABYTE = 1024 * 1024
THEIRS: HeaderSet = (("Content-Type", "text/css"),)
WANTED = make_manifest(
    [
        artifact("index.html", b"page"),
        artifact("app.0123.css", b"style", FileClass.ASSET, CSS, "app.css"),
        artifact("app.css", b"style", FileClass.ALIAS, CSS, "app.css"),
        artifact("lib.js", b"lib", FileClass.PINNED, CSS),
        artifact("main.js", b"bundle", FileClass.FROZEN, CSS),
    ]
)


def stands(key: str, body: bytes) -> Inherited:
    return Inherited(Key(key), len(body), ETag('"e"'), digest_of(body), THEIRS)


@pytest.mark.parametrize(
    ("key", "body", "expected"),
    [
        ("index.html", b"page", FileClass.ENTRY),
        ("index.html", b"old", FileClass.ENTRY),
        ("app.css", b"style", FileClass.PINNED),
        ("app.css", b"old", FileClass.PINNED),
        ("lib.js", b"lib", FileClass.PINNED),
        ("main.js", b"bundle", FileClass.FROZEN),
        ("main.js", b"old", FileClass.PINNED),
        ("app.0123.css", b"style", FileClass.ASSET),
        ("app.0123.css", b"old", None),
        ("never-published.css", b"x", FileClass.PINNED),
    ],
)
def test_what_stands_at_a_key_becomes_an_artifact(key: str, body: bytes, expected: FileClass | None) -> None:
    first = make_first_release([stands(key, body)], WANTED, keeps_headers=True).artifacts
    assert ({name: found.file_class for name, found in first.items()}) == ({key: expected} if expected else {})
    assert all((found.body, found.headers) == (digest_of(body), THEIRS) for found in first.values())


def test_a_folder_keeps_no_headers_so_equal_bytes_are_right_as_they_are() -> None:
    first = make_first_release([stands("index.html", b"page")], WANTED, keeps_headers=False)
    assert first.artifacts[Key("index.html")] == WANTED.artifacts[Key("index.html")]


def test_what_others_left_is_invalidated_as_a_page_when_it_changes() -> None:
    """A plain name of ours lives for a minute, theirs for who knows how long."""
    first = make_first_release([stands("app.css", b"style")], WANTED, keeps_headers=True)
    assert first.artifacts[Key("app.css")].kind is Kind.ENTRY


def test_only_keys_that_the_source_has_are_taken() -> None:
    taken, foreign = choose_keys([Key("a.css"), Key("app.0123.css"), Key("logs/x"), Key("index.html")], WANTED, {SourcePath("a.css")})
    assert (taken, foreign) == (["a.css", "app.0123.css", "index.html"], ["logs/x"])


def test_bodies_are_copied_only_from_keys_that_keep_them() -> None:
    first = make_first_release([stands("app.css", b"style"), stands("index.html", b"old")], WANTED, keeps_headers=True)
    same = find_same(first, WANTED)
    assert same == {digest_of(b"style"): "app.css"}
    put = Change(Key("app.0123.css"), SourcePath("app.css"), Kind.ASSET, Action.PUT, "new", 5)
    page = Change(Key("index.html"), SourcePath("index.html"), Kind.ENTRY, Action.PUT, "content changed", 4)
    assert [change.action for change in tell_copies([put, page], WANTED, same, {})] == [Action.COPY, Action.PUT]


def test_what_is_a_page_or_is_to_be_is_packed_and_the_rest_copied_on_the_server() -> None:
    large = b"x" * (MEGABYTE + 1)
    wanted = make_manifest([*WANTED.artifacts.values(), artifact("a.pdf", large)])
    standing = [stands("index.html", b"old"), stands("app.css", b"style"), stands("lib.js", b"lib"), stands("main.js", b"bundle")]
    first = make_first_release([*standing, stands("a.pdf", large)], wanted, keeps_headers=True)
    assert sorted(found.key for found in find_packed(first, wanted).values()) == ["index.html", "lib.js"]


def test_a_small_entry_is_copied_only_where_its_body_is_packed_already() -> None:
    """Else the publish reads it for its own pack, and a copy is nothing that could be read."""
    small, large = artifact("a.html", b"x"), artifact("b.pdf", b"x" * (MEGABYTE + 1))
    assert is_copied(small, {small.body}, {small.body})
    assert not is_copied(small, {small.body}, {})
    assert not is_copied(small, {}, {small.body})
    assert is_copied(large, {large.body}, {})
    assert is_copied(artifact("a.css", b"x", FileClass.ALIAS), {small.body}, {})


def s3_etag(body: bytes, part: int | None) -> ETag:
    """As S3 makes it."""
    if part is None:
        return ETag(f'"{hashlib.md5(body).hexdigest()}"')
    digests = [hashlib.md5(body[start : start + part]).digest() for start in range(0, len(body), part)]
    return ETag(f'"{hashlib.md5(b"".join(digests)).hexdigest()}-{len(digests)}"')


@given(st.binary(max_size=200), st.integers(min_value=1, max_value=50))
def test_the_etag_of_a_body_put_at_once_is_recognised(body: bytes, step: int) -> None:
    chunks = [body[start : start + step] for start in range(0, len(body), step)]
    assert is_etag_of(s3_etag(body, None), len(body), chunks)
    assert not is_etag_of(s3_etag(body + b"x", None), len(body), chunks)


@pytest.mark.parametrize("part", [5, 8, 16])
@pytest.mark.parametrize("size", [8 * MEGABYTE, 16 * MEGABYTE, 17 * MEGABYTE + 3])
def test_the_etag_of_a_body_put_in_parts_is_recognised(part: int, size: int) -> None:
    body = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    chunks = [body[start : start + 700_001] for start in range(0, size, 700_001)]
    assert is_etag_of(s3_etag(body, part * MEGABYTE), size, chunks)
    assert not is_etag_of(s3_etag(body[::-1], part * MEGABYTE), size, chunks)


@pytest.mark.parametrize("etag", ['"abc"', '"abc-x"', '"d41d8cd98f00b204e9800998ecf8427e-9999"', ""])
def test_any_other_etag_says_nothing(etag: str) -> None:
    assert not is_etag_of(ETag(etag), 4, [b"page"])
