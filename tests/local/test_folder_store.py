"""What a folder does beyond the contract of stores: whole files, names, modes, links, a disk that says no."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sitepub.core.model import Key
from sitepub.errors import ConfigurationError, RefusedError, SitepubError, StoppedError
from sitepub.interfaces import Absent, Anything, Present
from sitepub.local.clock import SystemClock
from sitepub.local.folder_failures import explain_disk_failure, find_blocking_file
from sitepub.local.folder_store import FolderStore
from tests.contracts.test_store import HTML, body_of, count_winners, digest_of, put


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "published"


@pytest.fixture
def store(root: Path) -> FolderStore:
    return FolderStore(root)


def find_files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def fail(call: Callable[[], object], kind: type[SitepubError]) -> str:
    with pytest.raises(kind) as caught:
        call()
    assert caught.value.hint
    return caught.value.code


def test_files_stand_where_keys_say(store: FolderStore, root: Path) -> None:
    put(store, "docs/index.html", b"hello")
    assert (root / "docs/index.html").read_bytes() == b"hello"
    assert find_files(root) == ["docs/index.html"]


def test_a_reader_never_sees_half_a_file(store: FolderStore, root: Path) -> None:
    bodies = (b"a" * 3_000_000, b"b" * 2_000_000)
    put(store, "large", bodies[0])
    done = threading.Event()

    def write() -> None:
        for number in range(30):
            put(store, "large", bodies[number % 2])
        done.set()

    with ThreadPoolExecutor() as pool:
        writing = pool.submit(write)
        while not done.is_set() and not writing.done():
            assert (root / "large").read_bytes() in bodies
        writing.result()


def test_drafts_are_neither_listed_nor_left(store: FolderStore, root: Path) -> None:
    put(store, "a", b"x")
    draft = root / ".sitepub/tmp/draft"
    assert list(draft.parent.iterdir()) == []
    draft.write_bytes(b"half")
    assert [row.key for row in store.list()] == ["a"]
    assert list(store.list(".sitepub/")) == []


def test_records_have_a_store_of_their_own_in_the_folder(store: FolderStore, root: Path) -> None:
    records = FolderStore(root / ".sitepub")
    put(records, "state.json", b"{}")
    put(store, "a", b"x")
    draft = root / ".sitepub/tmp/draft"
    draft.write_bytes(b"half")
    assert [row.key for row in records.list()] == ["state.json"]
    assert [row.key for row in store.list()] == [".sitepub/state.json", "a"]
    assert find_files(root) == [".sitepub/state.json", ".sitepub/tmp/draft", "a"]


@pytest.mark.parametrize(
    ("path", "keeps_records", "is_synced"),
    [(".", False, False), ("site/.sitepub", False, True), ("records", True, True)],
    ids=["site", "records in the site", "records elsewhere"],
)
def test_records_are_on_the_disk_before_anybody_relies_on_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, keeps_records: bool, is_synced: bool
) -> None:
    """Only a power cut would tell, so the calls are counted: the file's, then its folder's."""
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    store = FolderStore(tmp_path / path, keeps_records=keeps_records)
    put(store, "state.json", b"{}")
    assert len(synced) == (2 if is_synced else 0)
    put(store, ".sitepub/state.json", b"{}")
    assert len(synced) == (4 if is_synced else 2)


def test_what_a_killed_process_left_is_taken_away_in_time(root: Path) -> None:
    folder = root / ".sitepub/tmp"
    folder.mkdir(parents=True)
    for name, age in (("abandoned", 7200), ("under way", 60)):
        (folder / name).write_bytes(b"half")
        os.utime(folder / name, (time.time() - age, time.time() - age))
    put(FolderStore(root), "a", b"x")
    assert [path.name for path in folder.iterdir()] == ["under way"]


def test_the_folder_may_vanish_under_way(store: FolderStore, root: Path) -> None:
    put(store, "a/b", b"x")
    subprocess.run(["rm", "-r", str(root)], check=True)
    put(store, "a/b", b"y", expect=Absent())
    assert body_of(store, "a/b") == b"y"


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o027, 0o640), (0o002, 0o664)])
def test_the_umask_decides_who_may_read(store: FolderStore, root: Path, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        for key, expect in (("new/a", Absent()), ("new/b", Anything())):
            put(store, key, b"x", expect=expect)
            assert (root / key).stat().st_mode & 0o777 == mode
        assert (root / "new").stat().st_mode & 0o777 == mode | (mode & 0o444) >> 2
    finally:
        os.umask(before)


@pytest.mark.parametrize("key", ["..", "../a", "a/../../b", "/etc/passwd", "", ".", "./a", "a//b", "a/", "a\x00b", "a\nb", "\x7f"])
def test_keys_that_are_no_paths_inside_are_refused(store: FolderStore, root: Path, key: str) -> None:
    calls: list[Callable[[], object]] = [
        lambda: put(store, key, b"x"),
        lambda: store.read(Key(key)),
        lambda: store.head(Key(key)),
        lambda: store.delete(Key(key), expect=Anything()),
        lambda: store.copy(store.place(Key(key)), Key("a"), HTML, digest=digest_of(b""), expect=Anything()),
    ]
    assert {fail(call, RefusedError) for call in calls} == {"bad-key"}
    assert not root.exists()


def test_no_link_leads_out(store: FolderStore, root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a").write_bytes(b"mine")
    root.mkdir()
    (root / "docs").symlink_to(outside)
    assert fail(lambda: put(store, "docs/b", b"x"), RefusedError) == "leaves-folder"
    assert fail(lambda: put(store, "docs/deep/b", b"x"), RefusedError) == "leaves-folder"
    assert fail(lambda: store.delete(Key("docs/a"), expect=Anything()), RefusedError) == "leaves-folder"
    assert find_files(outside) == ["a"]
    assert not (outside / "deep").exists()
    assert list(store.list()) == []


def test_a_link_is_replaced_not_followed(store: FolderStore, root: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").write_bytes(b"mine")
    root.mkdir()
    (root / "a").symlink_to(tmp_path / "mine")
    with pytest.raises(SitepubError):
        put(store, "a", b"x", expect=Absent())
    put(store, "a", b"x")
    assert (tmp_path / "mine").read_bytes() == b"mine"
    assert (root / "a").read_bytes() == b"x"


def test_the_folder_itself_may_be_a_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    root.symlink_to(tmp_path / "disk")
    put(FolderStore(root), "a/b", b"x")
    assert (tmp_path / "disk/a/b").read_bytes() == b"x"


def test_empty_folders_go_with_their_last_file(store: FolderStore, root: Path) -> None:
    for key in ("a/b/c/d", "a/b/e"):
        put(store, key, b"x")
    store.delete(Key("a/b/c/d"), expect=Anything())
    assert not (root / "a/b/c").exists() and (root / "a/b/e").exists()
    store.delete(Key("a/b/e"), expect=Anything())
    assert not (root / "a").exists() and root.exists()


def test_the_folder_itself_stays(root: Path) -> None:
    root.mkdir()
    (root / "a").write_bytes(b"x")
    FolderStore(root).delete(Key("a"), expect=Anything())
    assert root.exists()


def test_deletes_and_puts_in_one_folder_do_not_disturb_each_other(store: FolderStore) -> None:
    """A delete takes the empty folder away that a put beside it has just made."""

    def work(number: int) -> None:
        for _ in range(40):
            put(store, f"a/b/{number}", b"x", expect=Absent())
            store.delete(Key(f"a/b/{number}"), expect=Present(store.head(Key(f"a/b/{number}")).etag))  # type: ignore[union-attr]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert list(store.list()) == []


def test_a_folder_that_vanishes_while_it_is_looked_at_is_no_file(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, exists = root / "a", Path.exists
    folder.mkdir(parents=True)

    def exist_no_more(path: Path) -> bool:
        is_there = exists(path)
        if path == folder and is_there:
            path.rmdir()
        return is_there

    monkeypatch.setattr(Path, "exists", exist_no_more)
    assert find_blocking_file(folder) is None
    (root / "b").write_bytes(b"")
    assert find_blocking_file(root / "b/c") == root / "b"


def test_one_of_many_stores_creates(root: Path) -> None:
    """As many processes would: they share no lock."""
    for attempt in range(5):
        key = f"a{attempt}"
        assert count_winners(lambda number, key=key: put(FolderStore(root), key, b"%d" % number, expect=Absent())) == 1  # type: ignore[misc]


def test_a_file_where_a_folder_is_needed(store: FolderStore, root: Path) -> None:
    put(store, "docs", b"file")
    assert fail(lambda: put(store, "docs/index.html", b"x"), RefusedError) == "file-blocks-folder"
    assert find_files(root) == ["docs"]


@pytest.mark.parametrize("expect", [Absent(), Anything(), Present('"0"')], ids=["absent", "anything", "present"])  # type: ignore[arg-type]
def test_a_folder_where_a_file_is_needed(store: FolderStore, root: Path, expect: Absent | Anything | Present) -> None:
    put(store, "docs/index.html", b"x")
    assert fail(lambda: put(store, "docs", b"file", expect=expect), RefusedError) == "folder-blocks-file"
    assert find_files(root) == ["docs/index.html"]


def test_a_file_in_place_of_the_folder(root: Path) -> None:
    root.write_bytes(b"file")
    store = FolderStore(root)
    calls: list[Callable[[], object]] = [lambda: put(store, "a", b"x"), lambda: store.read(Key("a")), lambda: list(store.list())]
    assert {fail(call, ConfigurationError) for call in calls} == {"no-folder"}


def test_names_that_no_disk_takes(store: FolderStore) -> None:
    assert fail(lambda: put(store, "x" * 300, b"x"), ConfigurationError) == "name-too-long"


def test_a_full_disk_leaves_nothing_half_written(root: Path, tmp_path: Path) -> None:
    """The kernel's limit on the size of files stands for the end of the disk."""
    script = f"""
import hashlib, pathlib, resource, signal
from sitepub.errors import ConfigurationError
from sitepub.interfaces import Anything
from sitepub.local.folder_store import FolderStore
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
store, body = FolderStore(pathlib.Path({str(root)!r})), bytes(5_000_000)
try:
    store.put('a', body, (), digest=hashlib.sha256(body).hexdigest(), expect=Anything())
except ConfigurationError as error:
    print(error.code)
"""
    put(FolderStore(root), "a", b"old")
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert run.stdout.strip() == "disk-full", run.stderr
    assert find_files(root) == ["a"]
    assert (root / "a").read_bytes() == b"old"
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 1_000_000


@pytest.mark.parametrize(
    ("number", "code", "kind"),
    [
        (errno.ENOSPC, "disk-full", ConfigurationError),
        (errno.EDQUOT, "disk-full", ConfigurationError),
        (errno.EROFS, "folder-forbidden", ConfigurationError),
        (errno.EIO, "disk-fault", StoppedError),
        (errno.ESTALE, "disk-fault", StoppedError),
    ],
)
def test_what_a_disk_says(number: int, code: str, kind: type[SitepubError]) -> None:
    error = explain_disk_failure(OSError(number, os.strerror(number)), Key("a.html"), "file:/x")
    assert (error.code, type(error)) == (code, kind)
    assert "`a.html`" in error.message and error.hint


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """One that everybody may enter, as pytest's are not."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def call_as_nobody(call: Callable[[], str]) -> str:
    """root may do everything, so a child gives that up."""
    if os.geteuid() != 0:
        return call()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgid(65534)
            os.setuid(65534)
            os.write(writing, call().encode())
        except BaseException as failure:
            os.write(writing, repr(failure).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        said = answer.read()
    os.waitpid(child, 0)
    return said


def test_a_folder_that_may_not_be_written(open_folder: Path) -> None:
    (open_folder / "published").mkdir(mode=0o555)

    def try_to_put() -> str:
        try:
            put(FolderStore(open_folder / "published"), "a", b"x")
        except SitepubError as error:
            return f"{type(error).__name__} {error.code}"
        return "written"

    assert call_as_nobody(try_to_put) == "ConfigurationError folder-forbidden"


def test_a_file_that_may_not_be_read(open_folder: Path) -> None:
    (open_folder / "a").write_bytes(b"x")
    (open_folder / "a").chmod(0)

    def try_to_read() -> str:
        try:
            FolderStore(open_folder).read(Key("a"))
        except SitepubError as error:
            return f"{type(error).__name__} {error.code}"
        return "read"

    assert call_as_nobody(try_to_read) == "ConfigurationError folder-forbidden"


def test_an_etag_is_of_the_bytes_alone(store: FolderStore, root: Path) -> None:
    etag = put(store, "a", b"x")
    os.utime(root / "a", (0, 0))
    head = store.head(Key("a"))
    assert head is not None and head.etag == etag
    (root / "a").write_bytes(b"by hand")
    assert [row.etag for row in store.list()] != [etag]


def test_names_that_are_no_text_are_not_keys(store: FolderStore, root: Path) -> None:
    put(store, "a", b"x")
    Path(os.fsdecode(os.fsencode(root) + b"/\xff")).touch()
    assert [row.key for row in store.list()] == ["a"]


def test_age_is_told_by_the_clock(root: Path) -> None:
    class Noon:
        def now(self) -> datetime:
            return datetime(2026, 11, 23, 12, tzinfo=UTC)

        def elapsed(self) -> float:
            return 0

        def sleep(self, seconds: float) -> None: ...

    store = FolderStore(root, Noon())
    put(store, "a", b"x")
    os.utime(root / "a", (Noon().now().timestamp() - 90, Noon().now().timestamp() - 90))
    assert store.age(Key("a")) == 90
    os.utime(root / "a", (Noon().now().timestamp() + 5, Noon().now().timestamp() + 5))
    assert store.age(Key("a")) == 0


def test_a_file_may_go_while_its_age_is_asked_for(root: Path) -> None:
    """As a lock does that another process gives back."""

    class Releasing(SystemClock):
        def now(self) -> datetime:
            (root / "a").unlink(missing_ok=True)
            return super().now()

    store = FolderStore(root, Releasing())
    put(store, "a", b"x")
    assert store.age(Key("a")) is not None
    assert store.age(Key("a")) is None


def test_copies_come_from_other_folders(store: FolderStore, tmp_path: Path) -> None:
    other = FolderStore(tmp_path / "records")
    put(other, ".sitepub/entries/1", b"x")
    store.copy(other.place(Key(".sitepub/entries/1")), Key("a"), HTML, digest=digest_of(b"x"), expect=Absent())
    assert body_of(store, "a") == b"x"


def test_a_copy_that_is_not_what_it_should_be_is_thrown_away(store: FolderStore, root: Path) -> None:
    put(store, "from", b"x")
    with pytest.raises(StoppedError):
        store.copy(store.place(Key("from")), Key("to"), HTML, digest=digest_of(b"y"), expect=Absent())
    assert find_files(root) == ["from"]


def test_a_stored_folder_is_told_as_written(store: FolderStore, root: Path) -> None:
    assert store.describe() == f"file:{root}"
    assert store.is_conditional is False
