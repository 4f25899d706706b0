"""What every Store owes the pipeline, asked of each implementation."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sitepub.core.model import WEBSITE_REDIRECT, Digest, ETag, HeaderSet, Key
from sitepub.errors import ConfigurationError, SitepubError, StoppedError
from sitepub.interfaces import Absent, Anything, ConditionFailedError, Expectation, FileBody, Present, Store
from tests.contracts.stores import ABILITIES, Case, make_case

HTML: HeaderSet = (("Cache-Control", "public, max-age=0"), ("Content-Type", "text/html; charset=utf-8"))
ALL_HEADERS: HeaderSet = (
    ("Cache-Control", "public, max-age=31536000, immutable"),
    ("Content-Disposition", 'attachment; filename="a b.pdf"'),
    ("Content-Encoding", "identity"),
    ("Content-Language", "de"),
    ("Content-Type", "application/pdf"),
    ("Expires", "Thu, 01 Jan 2032 00:00:00 GMT"),
    ("x-amz-meta-cache-tag", "k1,k2,all"),
)
ODD_KEYS = (
    "a b.html",
    "a+b%20c#d?e&f=g.html",
    "%zz",
    "a%2Fb",
    "~user/~x",
    "é.html",
    "e\u0301.html",
    "日本/語.html",
    "😀.png",
    'it\'s "quoted" <b>&amp;.html',
    "[x]{y}^`|:;@!$,=()*",
    ".well-known/security.txt",
    "a..b",
    "...",
    "-",
    "c1\x85control",
    "/".join(["x" * 99] * 10),
)
THREADS = 16


def digest_of(body: bytes) -> Digest:
    return Digest(hashlib.sha256(body).hexdigest())


def put(store: Store, key: str, body: bytes, headers: HeaderSet = HTML, expect: Expectation | None = None) -> ETag:
    return store.put(Key(key), body, headers, digest=digest_of(body), expect=expect or Anything())


def body_of(store: Store, key: str) -> bytes | None:
    found = store.read(Key(key))
    return None if found is None else found.body


def is_refused(call: Callable[[], object]) -> bool:
    try:
        call()
    except ConditionFailedError:
        return True
    return False


def count_winners(call: Callable[[int], object]) -> int:
    """Calls it from all threads at once; the others must have been refused."""
    barrier = threading.Barrier(THREADS)

    def race(number: int) -> bool:
        barrier.wait()
        return not is_refused(lambda: call(number))

    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(race, range(THREADS)))


@pytest.fixture(params=ABILITIES)
def case(request: pytest.FixtureRequest) -> Case:
    return make_case(request.param, request)


@pytest.fixture
def store(case: Case) -> Store:
    return case.store


@pytest.fixture
def judging(case: Case) -> Store:
    """One that decides at the write itself: where the store has to look before, only a lock keeps two of them apart."""
    if not case.abilities.judges_writes:
        pytest.xfail("the server ignores conditions")
    if not case.abilities.judges_at_once:
        pytest.xfail("the server looks first and writes then: two at once may both be right")
    return case.store


def test_what_was_put_is_read_by_everybody(case: Case) -> None:
    etag = put(case.store, "docs/index.html", b"hello")
    found = case.open().read(Key("docs/index.html"))
    assert found is not None
    assert (found.body, found.etag) == (b"hello", etag)
    assert etag.startswith('"') and etag.endswith('"')


def test_an_empty_body_is_a_body(store: Store) -> None:
    put(store, ".nojekyll", b"")
    assert body_of(store, ".nojekyll") == b""
    head = store.head(Key(".nojekyll"))
    assert head is not None and head.size == 0


def test_what_is_missing_is_none(store: Store) -> None:
    put(store, "a/b", b"x")
    for key in ("missing", "a", "a/b/c", "a/c"):
        assert store.read(Key(key)) is None
        assert store.head(Key(key)) is None
        assert store.age(Key(key)) is None


def test_a_missing_body_stops_a_ranged_read(store: Store) -> None:
    with pytest.raises(StoppedError):
        store.read_range(Key("missing"), 0, 4)


def test_ranges_are_read(store: Store) -> None:
    put(store, "pack", bytes(range(100)))
    assert store.read_range(Key("pack"), 10, 5) == bytes(range(10, 15))
    assert store.read_range(Key("pack"), 0, 100) == bytes(range(100))
    assert store.read_range(Key("pack"), 90, 50) == bytes(range(90, 100))
    assert store.read_range(Key("pack"), 100, 5) == b""
    assert store.read_range(Key("pack"), 3, 0) == b""


def test_head_tells_size_etag_and_digest(store: Store) -> None:
    etag = put(store, "a.html", b"hello")
    head = store.head(Key("a.html"))
    assert head is not None
    assert (head.size, head.etag, head.digest) == (5, etag, digest_of(b"hello"))


@pytest.mark.parametrize("headers", [HTML, ALL_HEADERS], ids=["few", "all"])
def test_headers_are_kept(case: Case, headers: HeaderSet) -> None:
    put(case.store, "a.pdf", b"hello", headers)
    head = case.store.head(Key("a.pdf"))
    assert head is not None
    assert head.headers == case.abilities.kept(headers)
    assert head.digest == digest_of(b"hello")
    assert case.store.keeps_headers is case.abilities.keeps_headers


def test_another_put_replaces_all_headers(case: Case) -> None:
    put(case.store, "a", b"hello", ALL_HEADERS)
    put(case.store, "a", b"hello", HTML)
    head = case.store.head(Key("a"))
    assert head is not None and head.headers == (HTML if case.abilities.keeps_headers else ())


def test_a_website_redirect_is_kept(case: Case) -> None:
    headers: HeaderSet = (*HTML, (WEBSITE_REDIRECT, "/new/"))
    put(case.store, "old/index.html", b"moved", headers)
    head = case.store.head(Key("old/index.html"))
    assert head is not None and head.digest == digest_of(b"moved")
    if case.abilities.keeps_redirects:
        assert head.headers == headers
    assert body_of(case.store, "old/index.html") == b"moved"


def test_encoded_bodies_are_not_decoded(store: Store) -> None:
    import gzip

    body = gzip.compress(b"hello" * 100)
    put(store, "a.svgz", body, (("Content-Encoding", "gzip"), ("Content-Type", "image/svg+xml")))
    assert body_of(store, "a.svgz") == body


@pytest.mark.parametrize("key", ODD_KEYS)
def test_odd_keys_go_all_the_way(case: Case, key: str) -> None:
    put(case.store, key, b"odd")
    assert body_of(case.open(), key) == b"odd"
    assert case.store.head(Key(key)) is not None
    assert case.store.read_range(Key(key), 0, 2) == b"od"
    assert [row.key for row in case.store.list()] == [key]
    case.store.copy(case.store.place(Key(key)), Key("copy/" + key), HTML, digest=digest_of(b"odd"), expect=Absent())
    assert body_of(case.store, "copy/" + key) == b"odd"
    case.store.delete(Key(key), expect=Anything())
    assert [row.key for row in case.store.list()] == ["copy/" + key]


def test_a_backslash_is_no_slash(case: Case) -> None:
    put(case.store, "a\\b", b"odd")
    assert [row.key for row in case.store.list()] == ["a\\b" if case.abilities.keeps_backslashes else "a/b"]
    assert body_of(case.store, "a\\b") == b"odd"


def test_a_file_beside_a_folder_of_its_name(case: Case) -> None:
    put(case.store, "docs", b"file")
    if case.abilities.keeps_file_beside_folder:
        put(case.store, "docs/index.html", b"page")
        assert [row.key for row in case.store.list()] == ["docs", "docs/index.html"]
    else:
        with pytest.raises(SitepubError, match="is a file" if case.name == "folder" else "500 InternalError"):
            put(case.store, "docs/index.html", b"page")
    assert body_of(case.store, "docs") == b"file"


def test_absent_writes_only_where_nothing_stands(store: Store) -> None:
    put(store, "a", b"first", expect=Absent())
    assert is_refused(lambda: put(store, "a", b"second", expect=Absent()))
    assert body_of(store, "a") == b"first"


def test_present_writes_only_over_this_version(store: Store) -> None:
    first = put(store, "a", b"first")
    second = put(store, "a", b"second", expect=Present(first))
    assert is_refused(lambda: put(store, "a", b"third", expect=Present(first)))
    assert body_of(store, "a") == b"second"
    assert second != first


def test_present_is_refused_where_nothing_stands(store: Store) -> None:
    etag = put(store, "a", b"first")
    assert is_refused(lambda: put(store, "b", b"second", expect=Present(etag)))
    assert store.read(Key("b")) is None


@pytest.mark.parametrize("headers", [HTML, ALL_HEADERS], ids=["few", "all"])
def test_one_of_many_creates(judging: Store, headers: HeaderSet) -> None:
    for attempt in range(2):
        winners = count_winners(lambda number, attempt=attempt: put(judging, f"a{attempt}", b"%d" % number, headers, Absent()))  # type: ignore[misc]
        assert winners == 1


def test_one_of_many_swaps(judging: Store) -> None:
    etag = put(judging, "a", b"start")
    for attempt in range(2):
        bodies = [b"%d %d" % (attempt, number) for number in range(THREADS)]
        assert count_winners(lambda number, etag=etag, bodies=bodies: put(judging, "a", bodies[number], expect=Present(etag))) == 1  # type: ignore[misc]
        found = judging.read(Key("a"))
        assert found is not None and found.body in bodies
        etag = found.etag


def test_no_swap_is_lost(judging: Store) -> None:
    """Sixteen counters over one object, each counting by compare-and-swap."""
    put(judging, "counter", b"0")

    def count(_: int) -> None:
        for _ in range(3):
            while True:
                found = judging.read(Key("counter"))
                assert found is not None
                if not is_refused(lambda found=found: put(judging, "counter", b"%d" % (int(found.body) + 1), expect=Present(found.etag))):  # type: ignore[misc]
                    break

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(count, range(THREADS)))
    assert body_of(judging, "counter") == b"%d" % (3 * THREADS)


def write_large(folder: Path, size: int) -> FileBody:
    body = bytes(range(256)) * (size // 256)
    path = folder / "large.bin"
    path.write_bytes(body)
    return FileBody(path, len(body), digest_of(body))


@pytest.mark.parametrize("size", [256, 8 * 1024 * 1024, 20 * 1024 * 1024], ids=["small", "one part", "three parts"])
def test_files_are_bodies_too(case: Case, tmp_path: Path, size: int) -> None:
    body = write_large(tmp_path, size)
    case.store.put(Key("video.mp4"), body, ALL_HEADERS, digest=body.digest, expect=Absent())
    found = case.store.read(Key("video.mp4"))
    head = case.store.head(Key("video.mp4"))
    assert found is not None and head is not None
    assert digest_of(found.body) == body.digest
    assert (head.size, head.digest, head.etag) == (size, body.digest, found.etag)
    assert head.headers == case.abilities.kept(ALL_HEADERS)
    assert [(row.size, row.etag) for row in case.store.list()] == [(size, found.etag)]


@pytest.mark.parametrize("size", [256, 20 * 1024 * 1024], ids=["small", "three parts"])
def test_a_file_that_is_not_what_it_was_leaves_nothing(store: Store, tmp_path: Path, size: int) -> None:
    body = write_large(tmp_path, size)
    other = digest_of(b"as it was scanned")
    with pytest.raises(StoppedError):
        store.put(Key("video.mp4"), FileBody(body.path, size, other), HTML, digest=other, expect=Absent())
    assert store.read(Key("video.mp4")) is None
    assert list(store.list()) == []


@pytest.mark.parametrize("size", [256, 20 * 1024 * 1024], ids=["small", "three parts"])
def test_a_file_obeys_expectations(store: Store, tmp_path: Path, size: int) -> None:
    body = write_large(tmp_path, size)
    etag = put(store, "video.mp4", b"old")
    for expect in (Absent(), Present(ETag('"0"'))):
        with pytest.raises(ConditionFailedError):
            store.put(Key("video.mp4"), body, HTML, digest=body.digest, expect=expect)
    assert body_of(store, "video.mp4") == b"old"
    store.put(Key("video.mp4"), body, HTML, digest=body.digest, expect=Present(etag))
    head = store.head(Key("video.mp4"))
    assert head is not None and head.digest == body.digest


def test_a_copy_has_the_body_and_headers_of_its_own(case: Case) -> None:
    put(case.store, "css/app.123.css", b"a{}", ALL_HEADERS)
    etag = case.store.copy(case.store.place(Key("css/app.123.css")), Key("css/app.css"), HTML, digest=digest_of(b"a{}"), expect=Absent())
    head = case.store.head(Key("css/app.css"))
    assert head is not None
    assert (head.etag, head.digest) == (etag, digest_of(b"a{}"))
    if case.abilities.replaces_in_copies:
        assert head.headers == case.abilities.kept(HTML)
    assert body_of(case.store, "css/app.css") == b"a{}"


def test_a_copy_to_itself_changes_its_headers(case: Case) -> None:
    etag = put(case.store, "a", b"a{}", HTML)
    case.store.copy(case.store.place(Key("a")), Key("a"), ALL_HEADERS, digest=digest_of(b"a{}"), expect=Present(etag))
    head = case.store.head(Key("a"))
    assert head is not None and body_of(case.store, "a") == b"a{}"
    if case.abilities.replaces_in_copies:
        assert head.headers == case.abilities.kept(ALL_HEADERS)


def test_a_copy_to_itself_outdates_what_others_expect(case: Case) -> None:
    """Bytes that are the same would have the same ETag; a run that was taken over may have a write under way that expects it."""
    if not case.store.is_conditional:
        return
    place, digest = case.store.place(Key("a")), digest_of(b"a{}")
    before = put(case.store, "a", b"a{}", HTML)
    for _ in range(2 if case.abilities.renews_parts else 1):
        after = case.store.copy(place, Key("a"), HTML, digest=digest, expect=Present(before))
        assert after != before
        assert is_refused(lambda: case.store.put(Key("a"), b"late", HTML, digest=digest_of(b"late"), expect=Present(before)))  # noqa: B023
        assert is_refused(lambda: case.store.delete(Key("a"), expect=Present(before)))  # noqa: B023
        assert is_refused(lambda: case.store.copy(place, Key("a"), HTML, digest=digest, expect=Present(before)))  # noqa: B023
        head = case.store.head(Key("a"))
        assert head is not None and (head.etag, head.headers, head.digest) == (after, HTML, digest)
        assert body_of(case.store, "a") == b"a{}"
        before = after
    empty = put(case.store, "empty", b"", HTML)
    case.store.copy(case.store.place(Key("empty")), Key("empty"), HTML, digest=digest_of(b""), expect=Present(empty))
    assert body_of(case.store, "empty") == b""


def test_a_copy_obeys_expectations(store: Store) -> None:
    put(store, "from", b"new")
    etag = put(store, "to", b"old")

    def copy(key: str, expect: Expectation) -> ETag:
        return store.copy(store.place(Key("from")), Key(key), HTML, digest=digest_of(b"new"), expect=expect)

    assert is_refused(lambda: copy("to", Absent()))
    assert is_refused(lambda: copy("to", Present(ETag('"0"'))))
    assert is_refused(lambda: copy("missing", Present(etag)))
    assert body_of(store, "to") == b"old"
    assert store.read(Key("missing")) is None
    copy("to", Present(etag))
    copy("third", Absent())
    copy("third", Anything())
    assert body_of(store, "to") == body_of(store, "third") == b"new"


def test_one_of_many_copies(case: Case) -> None:
    """Where the server ignores conditions of copies they are looked up before, which keeps two of them apart only by luck."""
    put(case.store, "from", b"new")
    place = case.store.place(Key("from"))
    winners = count_winners(lambda _: case.store.copy(place, Key("to"), HTML, digest=digest_of(b"new"), expect=Absent()))
    assert winners == 1 or (winners > 1 and not case.abilities.judges_copies)
    assert body_of(case.store, "to") == b"new"


def test_a_copy_of_nothing_stops(store: Store) -> None:
    with pytest.raises(StoppedError):
        store.copy(store.place(Key("missing")), Key("a"), HTML, digest=digest_of(b""), expect=Anything())
    assert store.read(Key("a")) is None


def test_deleting_twice_is_fine(store: Store) -> None:
    etag = put(store, "docs/a", b"x")
    for expect in (Anything(), Present(etag), Absent()):
        store.delete(Key("docs/a"), expect=expect)
        assert store.read(Key("docs/a")) is None
    store.delete(Key("docs/a/below"), expect=Anything())


def test_a_delete_obeys_expectations(store: Store) -> None:
    old = put(store, "a", b"old")
    new = put(store, "a", b"new")
    assert is_refused(lambda: store.delete(Key("a"), expect=Present(old)))
    assert is_refused(lambda: store.delete(Key("a"), expect=Absent()))
    assert body_of(store, "a") == b"new"
    store.delete(Key("a"), expect=Present(new))
    assert store.read(Key("a")) is None


def test_keys_are_listed_in_byte_order(store: Store) -> None:
    keys = ["a-b", "a.b", "a/b", "a/b.c", "aé", "a0", "A", "z/y/x", "z/y.x", "😀", "\uffee"]
    for key in keys:
        put(store, key, key.encode())
    assert [row.key for row in store.list()] == sorted(keys, key=str.encode)
    assert [row.size for row in store.list()] == [len(key.encode()) for key in sorted(keys, key=str.encode)]


def test_keys_that_may_stand_there_are_not_overlooked(store: Store) -> None:
    assert not store.may_hold([Key("a")])
    assert not store.may_hold(None)
    put(store, "a b/é.html", b"")
    assert store.may_hold(None)
    put(store, "x", b"x")
    assert not store.may_hold([])
    assert not store.may_hold([Key("a"), Key("a b"), Key("x/y"), Key("xx")])
    assert store.may_hold([Key("a"), Key("x")])
    assert store.may_hold({Key("a b/é.html"): None}.keys())


@pytest.mark.parametrize("key", ODD_KEYS)
def test_odd_keys_are_not_overlooked(case: Case, key: str) -> None:
    put(case.store, key, b"1")
    assert case.store.may_hold([Key(key)])


def test_a_prefix_is_any_start_of_a_key(store: Store) -> None:
    for key in ("css/a", "css/b", "cssx", "c", "d/css/a"):
        put(store, key, b"")
    assert [row.key for row in store.list("css")] == ["css/a", "css/b", "cssx"]
    assert [row.key for row in store.list("css/")] == ["css/a", "css/b"]
    assert [row.key for row in store.list("css/b")] == ["css/b"]
    assert list(store.list("e")) == []


def test_listed_etags_are_those_of_puts(store: Store) -> None:
    etags = {key: put(store, key, key.encode()) for key in ("a", "b/c")}
    assert {row.key: row.etag for row in store.list()} == etags


def test_more_keys_than_fit_a_page(store: Store) -> None:
    keys = [f"{number % 7}/{number:04}" for number in range(1005)]
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda key: put(store, key, b""), keys))
    before = store.requests
    assert [row.key for row in store.list()] == sorted(keys)
    assert store.requests - before == (1 if store.describe().startswith("file:") else 2)
    assert len(list(store.list("3/"))) == len([key for key in keys if key.startswith("3/")])


def test_age_counts_from_the_last_change(store: Store) -> None:
    put(store, "a", b"x")
    age = store.age(Key("a"))
    assert age is not None and 0 <= age < 60


@pytest.mark.parametrize("expect", [Anything(), Absent()], ids=["anything", "absent"])
def test_each_request_is_counted_from_any_thread(case: Case, expect: Expectation) -> None:
    store = case.store

    def work(number: int) -> None:
        put(store, f"{number}", b"x", expect=expect)
        store.read(Key(f"{number}"))
        store.head(Key(f"{number}"))

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, range(200)))
    looks = not case.abilities.judges_writes and isinstance(expect, Absent)
    assert 600 < store.requests <= 1000 if looks else store.requests == 600


def test_a_missing_bucket_is_said_to_be_missing(case: Case) -> None:
    store = case.missing()
    if case.abilities.refuses_missing_bucket:
        with pytest.raises(ConfigurationError, match="no bucket"):
            put(store, "a", b"x")
    else:
        put(store, "a", b"x")
        assert body_of(store, "a") == b"x"


@pytest.mark.parametrize("look", ["read", "head", "list", "age"])
def test_looking_into_a_missing_bucket_tells_so(case: Case, look: str) -> None:
    if case.name == "folder":
        assert list(case.missing().list()) == []
        return
    calls: dict[str, Callable[[Store], object]] = {
        "read": lambda store: store.read(Key("a")),
        "head": lambda store: store.head(Key("a")),
        "list": lambda store: list(store.list()),
        "age": lambda store: store.age(Key("a")),
    }
    with pytest.raises(ConfigurationError, match="no bucket") as caught:
        calls[look](case.missing())
    assert caught.value.code == "no-bucket"
