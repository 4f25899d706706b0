"""Walks a built site: which of its files are to be published, and what stands in the way. Reads folders and `stat`s, never a file."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from msgspec import Struct, field

from sitepub.core.model import SourcePath
from sitepub.core.paths import looks_like_secret, show_path
from sitepub.core.patterns import Patterns
from sitepub.core.settings import Links
from sitepub.errors import ConfigurationError
from sitepub.interfaces import SourceFile

WELL_KNOWN = ".well-known"
"""The one dot-name that is part of a site (RFC 8615)."""

_HISTORY = frozenset((".git", ".hg", ".svn"))
_EVERYBODY_READS = 0o444
_PLAIN_FILE = stat.S_IFREG | _EVERYBODY_READS
_PLAIN_BITS = 0o170000 | _EVERYBODY_READS  # the bits of its kind (https://man7.org/linux/man-pages/man7/inode.7.html), and who may read it


class Choice(Struct, frozen=True):
    """What of a folder belongs to the site. `ignore` has the last word."""

    ignore: Patterns
    allow: Patterns
    links: Links

    @property
    def prunes(self) -> bool:
        """Whether an ignored folder is ignored with all that it holds: `!` may take something back."""
        return not any(line.startswith("!") for line in self.ignore.lines)


class Tree(Struct, frozen=True):
    """What a walk found, unsorted. `secrets`: dot-files and targets of links that look like one; `leaving`: links that leave the folder."""

    files: list[SourceFile] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    leaving: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)


class _Leg(Struct, frozen=True):
    """A part of the way from the root to a folder that no link interrupts, as real paths: all folders from `base` to `end` are open."""

    base: str
    end: str

    def holds(self, folder: str) -> bool:
        return _is_within(folder, self.base) and _is_within(self.end, folder)


class _Folder(Struct, frozen=True):
    """A folder still to be read. `above`: its path and a slash. `base` and `legs`: the way that links led to it."""

    above: str
    base: str
    below_base: str
    legs: tuple[_Leg, ...] = ()
    is_hidden: bool = False

    @property
    def real(self) -> str:
        return f"{self.base}/{self.below_base}".rstrip("/")

    def inner(self, name: str, *, is_hidden: bool) -> _Folder:
        return _Folder(f"{self.above}{name}/", self.base, f"{self.below_base}{name}/", self.legs, is_hidden)


def walk_tree(root: str, choice: Choice) -> Tree:
    """`root` is a real path. Raises ConfigurationError `source-changed` where files vanish under our eyes."""
    tree = Tree()
    walk = _Walk(root, choice, tree)
    # a list of our own, not recursion: a path may be deeper than Python's stack
    while walk.folders:
        walk.read(walk.folders.pop())
    return tree


class _Walk:
    __slots__ = ("choice", "folders", "prunes", "root", "tree")

    def __init__(self, root: str, choice: Choice, tree: Tree) -> None:
        self.root = root
        self.choice = choice
        self.tree = tree
        self.prunes = choice.prunes
        self.folders = [_Folder("", root, "")]

    def read(self, folder: _Folder) -> None:
        is_plain = not folder.is_hidden and not self.choice.ignore.lines
        try:
            with os.scandir(f"{self.root}/{folder.above}") as scan:
                for entry in _take_plain(scan, folder.above, self.tree.files.append) if is_plain else scan:
                    self._meet(entry, folder)
        except FileNotFoundError:
            raise source_changed(folder.above.rstrip("/") or ".") from None
        except OSError as error:
            self._complain(folder.above.rstrip("/") or ".", error)

    def _meet(self, entry: os.DirEntry[str], folder: _Folder) -> None:
        name = entry.name
        path = folder.above + name
        is_folder = entry.is_dir(follow_symlinks=False)
        if self.choice.ignore.lines and self._is_ignored(path, is_folder=is_folder):
            return
        is_hidden = folder.is_hidden or (name[0] == "." and name != WELL_KNOWN)
        if is_hidden and not self._is_shown(path, name, folder, is_folder=is_folder):
            return
        if is_folder:
            self.folders.append(folder.inner(name, is_hidden=is_hidden))
        elif entry.is_symlink():
            self._follow(path, folder)
        else:
            try:
                self._take(path, entry.stat(follow_symlinks=False))
            except FileNotFoundError:
                raise source_changed(path) from None
            except OSError as error:
                self._complain(path, error)

    def _is_ignored(self, path: str, *, is_folder: bool) -> bool:
        if not is_folder:
            return self.choice.ignore.matches(path)
        return self.prunes and self.choice.ignore.matches(f"{path}/")

    def _is_shown(self, path: str, name: str, folder: _Folder, *, is_folder: bool) -> bool:
        """A dot-name is left out, unless `allow` brings it back; one that looks like a secret is not passed over in silence."""
        allow = self.choice.allow
        if allow.matches(path):
            return True
        if name in _HISTORY:
            return False
        if not folder.is_hidden and looks_like_secret(path):
            self.tree.secrets.append(call_secret(path))
            return False
        return is_folder and bool(allow.lines)

    def _take(self, path: str, seen: os.stat_result) -> None:
        mode = seen.st_mode
        if not stat.S_ISREG(mode):
            self.tree.problems.append(f"`{show_path(path)}` is {_name_kind(mode)}, not a file")
        elif mode & _EVERYBODY_READS != _EVERYBODY_READS and not os.access(f"{self.root}/{path}", os.R_OK):
            self.tree.problems.append(f"`{show_path(path)}` can't be read: permission denied")
        else:
            self.tree.files.append(SourceFile(SourcePath(path), seen.st_size, seen.st_mtime_ns, seen.st_ino))

    def _follow(self, path: str, folder: _Folder) -> None:
        link = f"{self.root}/{path}"
        try:
            real = os.path.realpath(link, strict=True)
            seen = Path(real).stat()
        except OSError as error:
            self.tree.problems.append(f"`{show_path(path)}` is a link that leads nowhere: {describe_reason(error)}")
            return
        is_inside = _is_within(real, self.root)
        if not is_inside and self.choice.links is Links.REFUSE:
            self.tree.leaving.append(f"`{show_path(path)}` leads out of the source, to `{show_path(real)}`")
            return
        if looks_like_secret(real.removeprefix(f"{self.root}/")) and not self.choice.allow.matches(path):
            self.tree.secrets.append(f"`{show_path(path)}` leads to `{show_path(real)}`, which looks like a secret")
            return
        if stat.S_ISDIR(seen.st_mode):
            self._follow_folder(path, real, folder)
        else:
            self._take(path, seen)

    def _follow_folder(self, path: str, real: str, folder: _Folder) -> None:
        legs = (*folder.legs, _Leg(folder.base, folder.real))
        if any(leg.holds(real) for leg in legs):
            self.tree.problems.append(f"`{show_path(path)}` is a link that leads in a circle, to `{show_path(real)}`")
        else:
            self.folders.append(_Folder(f"{path}/", real, "", legs, folder.is_hidden))

    def _complain(self, path: str, error: OSError) -> None:
        self.tree.problems.append(f"`{show_path(path)}` can't be read: {describe_reason(error)}")


def _take_plain(scan: Iterable[os.DirEntry[str]], above: str, take: Callable[[SourceFile], None]) -> Iterator[os.DirEntry[str]]:
    """The short way of nearly every file, of which there may be a million: in one loop, and `stat` is most of it. Yields what wants a closer look."""
    for entry in scan:
        name = entry.name
        if name[0] != "." and entry.is_file(follow_symlinks=False):
            try:
                seen = entry.stat(follow_symlinks=False)
            except OSError:
                yield entry
                continue
            if seen.st_mode & _PLAIN_BITS == _PLAIN_FILE:
                take(SourceFile(SourcePath(above + name), seen.st_size, seen.st_mtime_ns, seen.st_ino))
                continue
        yield entry


def source_changed(path: str) -> ConfigurationError:
    message = f"`{show_path(path)}` changed while it was being read"
    return ConfigurationError("source-changed", message, "wait for the build to finish, then run it again")


def call_secret(path: str) -> str:
    return f"`{show_path(path)}` looks like a secret"


def _is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def describe_reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _name_kind(mode: int) -> str:
    if stat.S_ISFIFO(mode):
        return "a pipe"
    return "a socket" if stat.S_ISSOCK(mode) else "a device"
