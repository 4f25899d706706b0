"""A built site on disk as a Source: scanned, checked, and read without being fooled by a build that still runs. Decides nothing but that."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from operator import itemgetter
from pathlib import Path

from msgspec import Struct

from sitepub.core.model import Digest, Warning
from sitepub.core.paths import KEY_OPENING, check_paths, is_harmless_key, show_path
from sitepub.core.patterns import compile_patterns
from sitepub.core.settings import Links
from sitepub.errors import ConfigurationError, RefusedError, join_problems
from sitepub.interfaces import SourceFile
from sitepub.local.tree import Choice, Tree, call_secret, describe_reason, source_changed, walk_tree

NAMED_AT_ONCE = 50
"""Problems in one error; a whole node_modules would scroll them away."""

_CHUNK_BYTES = 1024 * 1024
_LEFT_OUT_ANYWAY = "**/.DS_Store"


class FolderSource(Struct, frozen=True):
    """Implements Source. `root` is a real path; `files` are in byte order."""

    root: Path
    files: tuple[SourceFile, ...]
    warnings: tuple[Warning, ...] = ()

    def bring(self, files: Iterable[SourceFile]) -> None:
        """They are here."""


def scan_source(
    root: Path,
    *,
    ignore: Sequence[str] = (),
    allow: Sequence[str] = (),
    links: Links = Links.REFUSE,
    store_is_folder: bool = False,
) -> FolderSource:
    """Raises ConfigurationError `no-source`, `empty-source`, `unreadable-source` or `source-changed`, and RefusedError `bad-names`,
    `link-leaves-source` or `looks-like-secret`: all problems of a kind at once."""
    real = _find_root(root)
    choice = _choose(ignore, allow, links)
    tree = walk_tree(str(real), choice)
    _stop_at_unreadable(tree)
    path_of = itemgetter(0)
    files = sorted(tree.files, key=path_of)
    checked = check_paths(list(map(path_of, files)), allow=choice.allow, store_is_folder=store_is_folder)
    secrets = [*tree.secrets, *(call_secret(path) for path in checked.secrets if not _is_harmless(real, path))]
    _refuse(checked.problems, sorted(tree.leaving), sorted(secrets))
    if not files:
        message = f"`{root}` holds nothing to publish"
        raise ConfigurationError("empty-source", message, "run the build, or let `source` name the folder that it writes to")
    return FolderSource(real, tuple(files), checked.warnings)


def read_file(root: Path, file: SourceFile) -> bytes:
    """The file as it was scanned. Raises ConfigurationError `source-changed` where it is not that any more, or `unreadable-source`."""
    descriptor = _open(root, file)
    try:
        before = _stat_as_scanned(descriptor, file)
        # one byte more than expected shows that it grew
        body = _read(descriptor, file.size + 1)
        if len(body) != file.size:
            raise source_changed(file.path)
        _stop_if_changed(descriptor, file, before)
    except OSError as error:
        raise _unreadable(file, error) from None
    finally:
        os.close(descriptor)
    return body


def digest_file(root: Path, file: SourceFile) -> Digest:
    """SHA-256 of a file that may be larger than memory, with the checks of `read_file`."""
    sha, length = hashlib.sha256(), 0
    buffer = bytearray(min(_CHUNK_BYTES, file.size + 1))
    view = memoryview(buffer)
    descriptor = _open(root, file)
    try:
        before = _stat_as_scanned(descriptor, file)
        while count := os.readv(descriptor, [view]):
            sha.update(view[:count])
            length += count
            if length > file.size:
                break
        if length != file.size:
            raise source_changed(file.path)
        _stop_if_changed(descriptor, file, before)
    except OSError as error:
        raise _unreadable(file, error) from None
    finally:
        os.close(descriptor)
    return Digest(sha.hexdigest())


def _find_root(root: Path) -> Path:
    try:
        real = Path(os.path.realpath(root, strict=True))
    except OSError:
        real = None
    if real is None or not real.is_dir():
        what = "is not there" if real is None else "is not a folder"
        raise ConfigurationError("no-source", f"`{root}` {what}", "run the build, or let `source` name the folder that it writes to")
    return real


def _choose(ignore: Sequence[str], allow: Sequence[str], links: Links) -> Choice:
    # Dot-files are left out without patterns, and patterns cost an import.
    lines = ignore if allow else [line for line in ignore if line != _LEFT_OUT_ANYWAY]
    return Choice(compile_patterns(lines), compile_patterns(allow), links)


class _Refusal(Struct, frozen=True):
    """One kind of reason to refuse a source."""

    code: str
    problems: Sequence[str]
    hint: str


def _stop_at_unreadable(tree: Tree) -> None:
    if tree.problems:
        problems = _shorten(sorted(tree.problems))
        raise join_problems("unreadable-source", problems, ConfigurationError, "mend them, or name them in `ignore:`")


def _refuse(names: Sequence[str], leaving: Sequence[str], secrets: Sequence[str]) -> None:
    """All that refuses a source, in one error, which has the code of the first kind."""
    kinds = (
        _Refusal("looks-like-secret", secrets, "take them out of the source: `ignore:` leaves them out, `allow:` publishes them"),
        _Refusal("link-leaves-source", leaving, "`links: follow` publishes what such links lead to"),
        _Refusal("bad-names", names, "rename such files, or name them in `ignore:`"),
    )
    found = [kind for kind in kinds if kind.problems]
    if found:
        problems = [problem for kind in found for problem in _shorten(kind.problems)]
        raise join_problems(found[0].code, problems, RefusedError, "; ".join(kind.hint for kind in found))


def _shorten(problems: Sequence[str]) -> list[str]:
    if len(problems) <= NAMED_AT_ONCE:
        return list(problems)
    return [*problems[:NAMED_AT_ONCE], f"and {len(problems) - NAMED_AT_ONCE:,} more of this kind"]


def _is_harmless(root: Path, path: str) -> bool:
    """Looks into the few files whose name alone does not tell."""
    if not path.lower().endswith(".key"):
        return False
    with suppress(OSError), (root / path).open("rb") as file:
        return is_harmless_key(path, file.read(KEY_OPENING))
    return False


def _open(root: Path, file: SourceFile) -> int:
    """A descriptor, without waiting: a pipe may stand there by now."""
    try:
        return os.open(f"{root}/{file.path}", os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        raise source_changed(file.path) from None
    except OSError as error:
        raise _unreadable(file, error) from None


def _stat_as_scanned(descriptor: int, file: SourceFile) -> os.stat_result:
    found = os.fstat(descriptor)
    if file.is_lent:
        # what was laid in its place has the time of the scan, what git wrote over it has not
        if found.st_mtime_ns == file.mtime_ns or found.st_size != file.size:
            raise source_changed(file.path)
        return found
    if (found.st_size, found.st_mtime_ns, found.st_ino) != (file.size, file.mtime_ns, file.inode):
        raise source_changed(file.path)
    return found


def _stop_if_changed(descriptor: int, file: SourceFile, before: os.stat_result) -> None:
    """What was read counts only if nobody wrote meanwhile."""
    after = os.fstat(descriptor)
    if (after.st_size, after.st_mtime_ns, after.st_ctime_ns) != (before.st_size, before.st_mtime_ns, before.st_ctime_ns):
        raise source_changed(file.path)


def _read(descriptor: int, length: int) -> bytes:
    """Up to `length` bytes, of which the last is not expected; one read may give less."""
    first = os.read(descriptor, length)
    if not first or len(first) >= length - 1:
        return first
    parts, left = [first], length - len(first)
    while left and (part := os.read(descriptor, left)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _unreadable(file: SourceFile, error: OSError) -> ConfigurationError:
    message = f"`{show_path(file.path)}` can't be read: {describe_reason(error)}"
    return ConfigurationError("unreadable-source", message, "mend it, or name it in `ignore:`")
