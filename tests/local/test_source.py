"""A built site is scanned whole or refused with all that is wrong, and what is read is what was scanned."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import chdir, contextmanager
from pathlib import Path

import pytest

from sitepub.core.patterns import compile_patterns
from sitepub.core.settings import Links
from sitepub.errors import ConfigurationError, ExitStatus, RefusedError, SitepubError
from sitepub.interfaces import Source, SourceFile
from sitepub.local.source import FolderSource, digest_file, read_file, scan_source
from sitepub.local.tree import Choice, walk_tree

DEFAULT_IGNORE = ("**/.DS_Store",)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "public"
    folder.mkdir()
    return folder


def write(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(path.encode("utf-8", "surrogateescape"))


def scan(root: Path, *, ignore: Sequence[str] = DEFAULT_IGNORE, allow: Sequence[str] = (), follow: bool = False) -> FolderSource:
    return scan_source(root, ignore=ignore, allow=allow, links=Links.FOLLOW if follow else Links.REFUSE)


def paths(source: Source) -> list[str]:
    return [file.path for file in source.files]


def problems(error: SitepubError) -> list[str]:
    lines = error.message.splitlines()
    return [line.strip() for line in lines[1:]] if len(lines) > 1 else lines


def refusal(root: Path, code: str, **options: object) -> list[str]:
    with pytest.raises(RefusedError) as caught:
        scan(root, **options)  # type: ignore[arg-type]
    assert (caught.value.code, caught.value.status) == (code, ExitStatus.REFUSED)
    return problems(caught.value)


def unreadable(root: Path, **options: object) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        scan(root, **options)  # type: ignore[arg-type]
    assert (caught.value.code, caught.value.status) == ("unreadable-source", ExitStatus.CONFIGURATION)
    return problems(caught.value)


# ---- what is found


def test_files_are_in_byte_order_with_what_stat_says(root: Path) -> None:
    write(root, "z.html", "a/b.html", "a.html", "a-b.html", "é.html", "日.html", "𝄞.html", "B.html")
    source = scan(root)
    assert paths(source) == sorted(paths(source), key=str.encode)
    assert paths(source) == ["B.html", "a-b.html", "a.html", "a/b.html", "z.html", "é.html", "日.html", "𝄞.html"]
    seen = (root / "a/b.html").stat()
    assert source.files[3] == SourceFile(source.files[3].path, seen.st_size, seen.st_mtime_ns, seen.st_ino)
    assert source.root == root.resolve()


def test_a_relative_root_and_one_behind_a_link(root: Path) -> None:
    write(root, "index.html")
    with chdir(root.parent):
        assert scan(Path("public")).root == root.resolve()
    (root.parent / "current").symlink_to("public")
    source = scan(root.parent / "current")
    assert (source.root, paths(source)) == (root.resolve(), ["index.html"])


def test_dot_files_are_left_out_but_well_known(root: Path) -> None:
    write(
        root, "index.html", ".well-known/security.txt", "docs/.well-known/x", ".nojekyll", ".github/a.yml", "a/.DS_Store", "a/.git/config"
    )
    write(root, ".well-known/.hidden", ".DS_Store", ".git/config", ".sitepub/state.json")
    assert paths(scan(root)) == [".well-known/security.txt", "docs/.well-known/x", "index.html"]
    assert paths(scan(root, ignore=[])) == paths(scan(root))


def test_allowed_dot_files_are_published(root: Path) -> None:
    write(root, "index.html", ".nojekyll", ".htaccess", ".config/a/b.txt", ".config/c.txt", ".env", ".git/config", ".DS_Store")
    assert paths(scan(root, allow=[".nojekyll", ".env", ".config/a/**"])) == [".config/a/b.txt", ".env", ".nojekyll", "index.html"]


def test_what_is_ignored_is_not_allowed(root: Path) -> None:
    write(root, "index.html", ".DS_Store", ".x")
    assert paths(scan(root, allow=[".*"])) == [".x", "index.html"]
    assert paths(scan(root, allow=[".*"], ignore=[])) == [".DS_Store", ".x", "index.html"]


def test_ignored_files_and_folders(root: Path) -> None:
    write(
        root,
        "index.html",
        "a.map",
        "js/b.map",
        "drafts/a.html",
        "docs/drafts/b.html",
        "docs/c.html",
        "node_modules/.env",
        "node_modules/x.pem",
    )
    ignore = ["*.map", "drafts/", "/node_modules"]
    assert paths(scan(root, ignore=ignore)) == ["docs/c.html", "index.html"]


@pytest.mark.parametrize(
    ("ignore", "left"),
    [
        (["a/*", "!a/keep.html", "b/"], ["a/keep.html", "index.html"]),
        (["a/**", "!a/keep.html", "b"], ["a/keep.html", "index.html"]),
        (["*.html", "!index.html"], ["index.html"]),
    ],
)
def test_an_exclamation_mark_takes_back_what_was_ignored(root: Path, ignore: list[str], left: list[str]) -> None:
    write(root, "index.html", "a/x.html", "a/keep.html", "b/x.html")
    assert paths(scan(root, ignore=ignore)) == left


def test_a_tree_deeper_than_the_stack_is_refused_by_name_not_by_a_crash(root: Path) -> None:
    write(root, "index.html")
    with chdir(root):
        for _ in range(1500):
            Path("d").mkdir()
            os.chdir("d")
        Path("f").touch()
        try:
            (problem,) = refusal(root, "bad-names")
        finally:
            Path("f").unlink()
            for _ in range(1500):
                os.chdir("..")
                Path("d").rmdir()
    assert "3,001 bytes long" in problem


# ---- nothing to publish


def test_a_missing_source(root: Path) -> None:
    with pytest.raises(ConfigurationError, match="nowhere` is not there") as caught:
        scan(root / "nowhere")
    assert caught.value.code == "no-source"
    assert "run the build" in caught.value.hint


def test_a_source_that_is_a_file(root: Path) -> None:
    write(root, "index.html")
    with pytest.raises(ConfigurationError, match="is not a folder") as caught:
        scan(root / "index.html")
    assert caught.value.code == "no-source"


@pytest.mark.parametrize("left_out", [(), (".nojekyll", "a/.gitkeep"), ("x.map",)])
def test_an_empty_source(root: Path, left_out: tuple[str, ...]) -> None:
    write(root, *left_out)
    (root / "folder").mkdir()
    with pytest.raises(ConfigurationError) as caught:
        scan(root, ignore=["*.map"])
    assert caught.value.code == "empty-source"


# ---- names and secrets


def test_names_that_look_like_secrets_stop_all_at_once(root: Path) -> None:
    write(root, "index.html", ".env", "a/.env.local", "keys/server.pem", "id_rsa", "x/.ssh/config", ".npmrc")
    said = [".env", ".npmrc", "a/.env.local", "id_rsa", "keys/server.pem", "x/.ssh"]
    assert refusal(root, "looks-like-secret") == [f"`{path}` looks like a secret" for path in said]


def test_secrets_are_published_only_where_allowed(root: Path) -> None:
    write(root, "index.html", "keys/server.pem", "keys/other.pem", ".env")
    assert refusal(root, "looks-like-secret", allow=["keys/server.pem"]) == [
        "`.env` looks like a secret",
        "`keys/other.pem` looks like a secret",
    ]
    assert paths(scan(root, allow=["*.pem"], ignore=[".env"])) == ["index.html", "keys/other.pem", "keys/server.pem"]


def test_a_key_file_is_judged_by_how_it_begins(root: Path) -> None:
    write(root, "index.html")
    (root / "talk.key").write_bytes(b"PK\x03\x04 slides")
    (root / "archive.key").write_bytes(b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n")
    (root / "tls.key").write_bytes(b"-----BEGIN PRIVATE KEY-----\n")
    (root / "empty.key").write_bytes(b"")
    assert refusal(root, "looks-like-secret") == ["`empty.key` looks like a secret", "`tls.key` looks like a secret"]
    assert paths(scan(root, ignore=["tls.key", "empty.key"])) == ["archive.key", "index.html", "talk.key"]


def test_names_that_can_not_be_published(root: Path) -> None:
    write(root, "index.html", "a\nb.html", "caf\udce9.html")
    assert refusal(root, "bad-names") == ["`a\\nb.html` holds a control character", "`caf\\xe9.html` is not UTF-8"]


def test_collisions_depend_on_the_store(root: Path) -> None:
    write(root, "IMG.png", "img.png")
    with pytest.raises(RefusedError, match="differ only by case"):
        scan_source(root, store_is_folder=True)
    assert [warning.code for warning in scan_source(root).warnings] == ["colliding-names"]


def test_all_that_is_refused_is_told_at_once(root: Path) -> None:
    write(root, "index.html", "a\x01", "x.pem")
    (root / "out").symlink_to("/etc")
    told = refusal(root, "looks-like-secret")
    assert told == ["`x.pem` looks like a secret", "`out` leads out of the source, to `/etc`", "`a\\x01` holds a control character"]


def test_fifty_are_named_and_the_rest_counted(root: Path) -> None:
    write(root, *(f"{number}.pem" for number in range(120)))
    told = refusal(root, "looks-like-secret")
    assert len(told) == 51 and told[-1] == "and 70 more of this kind"


# ---- links


def test_links_inside_the_source_are_files(root: Path) -> None:
    write(root, "index.html", "v2/a.html", "v2/deep/b.html")
    (root / "latest").symlink_to("v2")
    (root / "home.html").symlink_to("index.html")
    (root / "v2/up.html").symlink_to("../index.html")
    source = scan(root)
    assert paths(source) == [
        *("home.html", "index.html", "latest/a.html", "latest/deep/b.html", "latest/up.html"),
        *("v2/a.html", "v2/deep/b.html", "v2/up.html"),
    ]
    by_path = {file.path: file for file in source.files}
    assert by_path["home.html"].inode == (root / "index.html").stat().st_ino  # type: ignore[index]
    assert read_file(source.root, by_path["latest/a.html"]) == b"v2/a.html"  # type: ignore[index]


def test_links_that_leave_the_source_are_refused_all_at_once(root: Path) -> None:
    write(root, "index.html")
    write(root.parent, "outside/a.html", "public-2/b.html")
    (root / "one").symlink_to(root.parent / "outside")
    (root / "two.html").symlink_to("../outside/a.html")
    (root / "three").symlink_to("../public-2")
    outside = root.parent.resolve() / "outside"
    said = [
        f"`one` leads out of the source, to `{outside}`",
        f"`three` leads out of the source, to `{root.parent.resolve()}/public-2`",
        f"`two.html` leads out of the source, to `{outside}/a.html`",
    ]
    assert refusal(root, "link-leaves-source") == said
    assert paths(scan(root, follow=True)) == ["index.html", "one/a.html", "three/b.html", "two.html"]


def test_a_link_does_not_disguise_a_secret(root: Path) -> None:
    write(root, "index.html", ".env", ".git/config")
    write(root.parent, "outside/id_rsa")
    (root / "settings.txt").symlink_to(".env")
    (root / "repository").symlink_to(".git")
    (root / "me.txt").symlink_to("../outside/id_rsa")
    real = root.resolve()
    assert refusal(root, "looks-like-secret", ignore=[".env"], follow=True) == [
        f"`me.txt` leads to `{real.parent}/outside/id_rsa`, which looks like a secret",
        f"`repository` leads to `{real}/.git`, which looks like a secret",
        f"`settings.txt` leads to `{real}/.env`, which looks like a secret",
    ]
    assert paths(scan(root, ignore=[".env", "repository", "me.txt"], allow=["settings.txt"])) == ["index.html", "settings.txt"]


@pytest.mark.parametrize("follow", [True, False], ids=["follow", "refuse"])
def test_links_in_a_circle_end(root: Path, follow: bool) -> None:
    write(root, "index.html", "a/b/c.html", "x/y.html")
    (root / "a/b/up").symlink_to("..")
    (root / "self").symlink_to("self")
    (root / "a/top").symlink_to(root)
    (root / "x/there").symlink_to("../a/b")
    (root / "a/b/back").symlink_to("../../x")
    told = unreadable(root, follow=follow)
    assert "`self` is a link that leads nowhere: too many levels of symbolic links" in told
    assert any(line.startswith("`a/b/up` is a link that leads in a circle") for line in told)
    assert any(line.startswith("`a/top` is a link that leads in a circle") for line in told)
    assert any(line.startswith("`x/there/back` is a link that leads in a circle") for line in told)
    assert any(line.startswith("`a/b/back/there` is a link that leads in a circle") for line in told)


def test_a_link_out_to_a_folder_that_holds_the_source_ends(root: Path) -> None:
    write(root, "index.html")
    (root / "above").symlink_to("..")
    (problem,) = unreadable(root, follow=True)
    assert problem.startswith("`above/public/above` is a link that leads in a circle")


def test_two_links_to_one_folder_are_no_circle(root: Path) -> None:
    write(root, "index.html", "v/a.html", "w/x")
    (root / "one").symlink_to("v")
    (root / "w/two").symlink_to("../v")
    assert paths(scan(root)) == ["index.html", "one/a.html", "v/a.html", "w/two/a.html", "w/x"]


# ---- what can't be read


def test_what_is_no_file_is_told_all_at_once(root: Path) -> None:
    write(root, "index.html")
    os.mkfifo(root / "pipe")
    (root / "broken").symlink_to("nowhere")
    (root / "null").symlink_to("/dev/null")
    with socket.socket(socket.AF_UNIX) as listener, chdir(root):
        listener.bind("socket")
        assert unreadable(root, follow=True) == [
            "`broken` is a link that leads nowhere: no such file or directory",
            "`null` is a device, not a file",
            "`pipe` is a pipe, not a file",
            "`socket` is a socket, not a file",
        ]
        assert paths(scan(root, ignore=["pipe", "broken", "null", "socket"])) == ["index.html"]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Under a path that every account may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="sitepub-test-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_files_and_folders_without_permission_are_told_all_at_once(open_folder: Path) -> None:
    write(open_folder, "index.html", "a/closed.html", "locked/x.html", "docs/owner-only.html", "mine.html")
    (open_folder / "a/closed.html").chmod(0o000)
    (open_folder / "docs/owner-only.html").chmod(0o200)
    (open_folder / "mine.html").chmod(0o044)
    give_to_nobody(open_folder / "mine.html")
    with locked(open_folder / "locked"):
        told = as_nobody(lambda: "\n".join(unreadable(open_folder)))
    assert told.splitlines() == [
        "`a/closed.html` can't be read: permission denied",
        "`docs/owner-only.html` can't be read: permission denied",
        "`locked` can't be read: permission denied",
        "`mine.html` can't be read: permission denied",
    ]


def test_ignored_folders_are_not_read(open_folder: Path) -> None:
    write(open_folder, "index.html", "locked/x.html", ".hidden/x.html")
    with locked(open_folder / "locked"), locked(open_folder / ".hidden"):
        for ignore in (["locked"], ["locked/"], ["/l*"]):
            assert as_nobody(lambda ignore=ignore: " ".join(paths(scan(open_folder, ignore=ignore)))) == "index.html"  # type: ignore[misc]


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    folder.chmod(0o000)
    try:
        yield
    finally:
        folder.chmod(0o755)


def give_to_nobody(path: Path) -> None:
    if os.geteuid() == 0:
        os.chown(path, 65534, 65534)


def test_a_file_that_lost_its_permission_since(open_folder: Path) -> None:
    write(open_folder, "index.html")
    (file,) = scan(open_folder).files
    (open_folder / "index.html").chmod(0o000)

    def read() -> str:
        with pytest.raises(ConfigurationError) as caught:
            read_file(open_folder, file)
        return f"{caught.value.code}: {caught.value.message}"

    assert as_nobody(read) == "unreadable-source: `index.html` can't be read: permission denied"


def as_nobody(tell: Callable[[], str]) -> str:
    """What `tell` gives in a process without root's power to read everything."""
    if os.geteuid() != 0:
        return tell()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
            os.write(writer, tell().encode())
        except BaseException as error:
            os.write(writer, repr(error).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.read().decode()
    os.waitpid(child, 0)
    return said


# ---- changes while reading


def only(root: Path) -> SourceFile:
    (file,) = scan(root).files
    return file


@pytest.mark.parametrize("size", [0, 1, 1024 * 1024, 3 * 1024 * 1024 + 17])
def test_a_file_is_read_and_digested_whole(root: Path, size: int) -> None:
    body = os.urandom(size)
    (root / "a.bin").write_bytes(body)
    file = only(root)
    assert read_file(root, file) == body
    assert digest_file(root, file) == hashlib.sha256(body).hexdigest()


def changed(root: Path, file: SourceFile) -> None:
    for read in (read_file, digest_file):
        with pytest.raises(ConfigurationError) as caught:
            read(root, file)
        assert (caught.value.code, caught.value.status) == ("source-changed", ExitStatus.CONFIGURATION)
        assert caught.value.message == f"`{file.path}` changed while it was being read"
        assert "wait for the build" in caught.value.hint


def test_a_file_that_grew(root: Path) -> None:
    write(root, "index.html")
    file = only(root)
    with (root / "index.html").open("ab") as stream:
        stream.write(b"more")
    changed(root, file)


def test_a_file_of_the_same_size_written_later(root: Path) -> None:
    write(root, "index.html")
    file = only(root)
    (root / "index.html").write_bytes(b"index.HTML")
    os.utime(root / "index.html", ns=(0, file.mtime_ns + 1))
    changed(root, file)


def test_a_file_replaced_by_another_of_the_same_time_and_size(root: Path) -> None:
    write(root, "index.html")
    file = only(root)
    (root / "new").write_bytes(b"index.HTML")
    os.utime(root / "new", ns=(0, file.mtime_ns))
    (root / "new").rename(root / "index.html")
    changed(root, file)


def test_a_file_that_vanished(root: Path) -> None:
    write(root, "docs/index.html")
    file = only(root)
    (root / "docs/index.html").unlink()
    changed(root, file)
    (root / "docs").rmdir()
    write(root, "docs")
    changed(root, file)


def test_a_file_replaced_by_a_pipe_does_not_hang(root: Path) -> None:
    write(root, "index.html")
    file = only(root)
    (root / "index.html").unlink()
    os.mkfifo(root / "index.html")
    changed(root, file)


@pytest.mark.parametrize("edit", [b"x" * 4096, b"y" * 100], ids=["same size", "shorter"])
def test_a_file_that_changes_between_two_reads(root: Path, edit: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read is a mixture of two versions: the check afterwards tells."""
    (root / "a.bin").write_bytes(b"a" * 4096)
    file = only(root)
    read, readv = os.read, os.readv

    def read_and_edit(descriptor: int, length: int) -> bytes:
        body = read(descriptor, length)
        (root / "a.bin").write_bytes(edit)
        return body

    def readv_and_edit(descriptor: int, buffers: Sequence[memoryview]) -> int:
        count = readv(descriptor, buffers)
        (root / "a.bin").write_bytes(edit)
        return count

    monkeypatch.setattr(os, "read", read_and_edit)
    monkeypatch.setattr(os, "readv", readv_and_edit)
    changed(root, file)


def test_short_reads_are_put_together(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "a.bin").write_bytes(bytes(range(256)))
    file = only(root)
    read = os.read
    monkeypatch.setattr(os, "read", lambda descriptor, length: read(descriptor, min(length, 100)))
    assert read_file(root, file) == bytes(range(256))


def test_a_folder_that_vanishes_during_the_scan(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(root, "a/index.html")
    scandir = os.scandir

    @contextmanager
    def scan_and_remove(path: str) -> Iterator[list[os.DirEntry[str]]]:
        with scandir(path) as found:
            yield list(found)
        (root / "a/index.html").unlink(missing_ok=True)
        (root / "a").rmdir()

    monkeypatch.setattr(os, "scandir", scan_and_remove)
    with pytest.raises(ConfigurationError, match="`a` changed") as caught:
        scan(root)
    assert caught.value.code == "source-changed"


def test_a_source_that_vanishes_before_the_scan_is_named(root: Path) -> None:
    root.rmdir()
    with pytest.raises(ConfigurationError, match=r"`\.` changed while it was being read"):
        walk_tree(str(root), Choice(compile_patterns(()), compile_patterns(()), Links.REFUSE))


def test_a_digest_that_does_not_hold_the_file_in_memory(root: Path) -> None:
    """A gigabyte of holes, digested by a process that may not have a quarter of it."""
    with (root / "video.bin").open("wb") as file:
        file.truncate(1 << 30)
    program = (
        "import resource, sys; from pathlib import Path; from sitepub.local.source import *\n"
        "resource.setrlimit(resource.RLIMIT_AS, (256 << 20, 256 << 20))\n"
        "root = Path(sys.argv[1]); source = scan_source(root); print(digest_file(root, source.files[0]))"
    )
    ran = subprocess.run([sys.executable, "-c", program, root], capture_output=True, text=True)
    assert ran.stdout.strip() == "49bc20df15e412a64472421e13fe86ff1c5165e18b2afccf160d4dc19fe68a14", ran.stderr


@pytest.mark.parametrize("length", [0, 7])
def test_a_read_that_ends_early_is_a_change(root: Path, monkeypatch: pytest.MonkeyPatch, length: int) -> None:
    """As where a file is emptied and filled again within one tick of the disk's clock: `stat` sees nothing."""
    write(root, "index.html")
    file = only(root)
    bodies, lengths = [b"x" * length, b""], [length, 0]
    monkeypatch.setattr(os, "read", lambda descriptor, size: bodies.pop(0))
    monkeypatch.setattr(os, "readv", lambda descriptor, buffers: lengths.pop(0))
    changed(root, file)
