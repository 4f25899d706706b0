"""What earlier runs learnt about the source, in one SQLite file: it may be deleted at any time, and a broken one is made anew.

A file is taken as unchanged if size, mtime and inode are, by the rule of git's index: an mtime so fresh that the file could have changed
again within the same tick is not trusted (https://git-scm.com/docs/racy-git).
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from msgspec import Struct

from sitepub.core.model import Digest, SourcePath, Warning
from sitepub.interfaces import SourceFile

FORMAT = 4
TICK_NS = 100_000_000
"""No clock of a file system with fine time stamps is coarser than a tenth of a second."""
COARSE_TICK_NS = 2_000_000_000
"""Whole seconds are kept by file systems that count in ones or twos."""
PATIENCE = 10.0
"""Seconds to wait for another run that writes."""
DAY_NS = 86_400_000_000_000
KEPT_DAYS = 30
"""How long answers are kept for settings that no run has."""
_FLUSH_AT = 2000
_ASKED_BY_NAME = 900
"""Values in a question; the oldest SQLite takes 999 (https://www.sqlite.org/limits.html)."""
_TABLES = """
create table if not exists files (
    context text not null, path blob not null, size integer not null, mtime_ns integer not null, inode text not null,
    language text not null, digest text not null, survey blob, git text not null, primary key (context, path)
) without rowid;
create table if not exists rewritten (
    context text not null, path blob not null, source text not null, edits text not null, digest text not null, size integer not null,
    packed blob, primary key (context, path)
) without rowid;
create table if not exists contexts (context text primary key, paths text not null, used integer not null) without rowid;
create table if not exists runs (
    name text primary key, fingerprint text not null, manifest text not null, artifacts integer not null, warnings text not null,
    settings text not null, stats blob
) without rowid;
"""


class KnownFile(Struct, frozen=True):
    """`is_current`: `stat`, or git's id of its bytes, says that the file is still the one whose digest this is."""

    digest: Digest
    survey: bytes | None
    is_current: bool


class KnownRewrite(Struct, frozen=True):
    """`edits`: all of them, packed, where more followed from those asked for."""

    digest: Digest
    size: int
    edits: bytes | None


class KnownRun(Struct, frozen=True):
    """The outcome of a whole run."""

    manifest: Digest
    artifacts: int
    warnings: tuple[Warning, ...]


class LastRun(Struct, frozen=True):
    """The last whole run, and the `stat` of each file that it saw, a line a file. `stats` of one that can't be gone on from is empty."""

    run: KnownRun
    stats: str


class Cache:
    """Made by `open_cache`. Never fails for its own sake: what can't be read is unknown, what can't be written is lost."""

    __slots__ = ("_base", "_broken", "_filled", "_path", "_rows")

    def __init__(self, base: sqlite3.Connection, path: Path | None) -> None:
        self._base = base
        self._path = path
        self._broken = False
        self._rows: dict[str, list[tuple[object, ...]]] = {}
        # the first run asks for every file: an empty table need not be asked
        self._filled = {table for (table,) in self._ask("select name from sqlite_schema where type = 'table'") if self._has_rows(table)}

    def find_file(self, context: str, file: SourceFile, language: str) -> KnownFile | None:
        """`context`: a digest of all that surveys depend on beside the file."""
        row = self._find(
            "files",
            "select size, mtime_ns, inode, digest, survey, git from files where context = ? and path = ? and language = ?",
            (context, os.fsencode(file.path), language),
        )
        if row is None:
            return None
        digest, survey, git = row[3:6]
        return KnownFile(Digest(digest), survey, _is_current(file, row[0:3], git))

    def find_files(self, context: str, files: Sequence[SourceFile], languages: Sequence[str]) -> list[KnownFile | None]:
        """As `find_file`, of many files: few questions for all of them."""
        paths = [os.fsencode(file.path) for file in files]
        columns = "path, language, size, mtime_ns, inode, digest, survey, git"
        known = {row[0]: row for row in self._ask_for("files", columns, context, paths)}
        found: list[KnownFile | None] = []
        for path, file, language in zip(paths, files, languages):
            row = known.get(path)
            if row is None or row[1] != language:
                found.append(None)
            else:
                found.append(KnownFile(Digest(row[5]), row[6], _is_current(file, row[2:5], row[7])))
        return found

    def find_current(self, context: str, files: Sequence[SourceFile]) -> Mapping[SourcePath, tuple[Digest, bool]]:
        """What is known of these files whatever was looked for in them: the digest, and whether it is current, as of KnownFile. Files of
        which nothing is known are left out."""
        wanted = {os.fsencode(file.path): file for file in files}
        rows = self._ask_for("files", "path, size, mtime_ns, inode, digest, git", context, list(wanted))
        return {wanted[row[0]].path: (Digest(row[4]), _is_current(wanted[row[0]], row[1:4], row[5])) for row in rows if row[0] in wanted}

    def find_rewrites(self, context: str, asked: Sequence[tuple[SourcePath, Digest, str]]) -> list[KnownRewrite | None]:
        """As `find_rewrite`, of many files: (path, source, edits) of each."""
        paths = [os.fsencode(path) for path, _, _ in asked]
        columns = "path, source, edits, digest, size, packed"
        known = {row[0:3]: row for row in self._ask_for("rewritten", columns, context, paths)}
        found = [known.get((path, source, edits)) for path, (_, source, edits) in zip(paths, asked)]
        return [None if row is None else KnownRewrite(Digest(row[3]), row[4], row[5]) for row in found]

    def keep_file(self, context: str, file: SourceFile, language: str, digest: Digest, survey: bytes | None, *, read_at: int) -> None:
        """`read_at`: a time in ns before the file was read. A file too fresh by then is kept for its content alone."""
        row = (context, os.fsencode(file.path), *_stat_to_keep(file, read_at), language, digest, survey, _git_to_keep(file, read_at))
        self._keep("files", row)

    def keep_stats(self, context: str, files: Iterable[SourceFile], *, read_at: int) -> None:
        """Of files that hold what they are known to have held. `read_at`: as in keep_file."""
        self.flush()
        update = "update files set size = ?, mtime_ns = ?, inode = ?, git = ? where context = ? and path = ?"
        rows = ((*_stat_to_keep(file, read_at), _git_to_keep(file, read_at), context, os.fsencode(file.path)) for file in files)
        self._change(update, list(rows))

    def find_rewrite(self, context: str, path: SourcePath, source: Digest, edits: str) -> KnownRewrite | None:
        """`edits`: a digest of all that the outcome depends on beside the source."""
        row = self._find(
            "rewritten",
            "select digest, size, packed from rewritten where context = ? and path = ? and source = ? and edits = ?",
            (context, os.fsencode(path), source, edits),
        )
        return None if row is None else KnownRewrite(Digest(row[0]), row[1], row[2])

    def keep_rewrite(self, context: str, path: SourcePath, source: Digest, edits: str, known: KnownRewrite) -> None:
        row = (context, os.fsencode(path), source, edits, known.digest, known.size, known.edits)
        self._keep("rewritten", row)

    def find_run(self, name: str, fingerprint: str) -> KnownRun | None:
        row = self._find("runs", "select manifest, artifacts, warnings from runs where name = ? and fingerprint = ?", (name, fingerprint))
        return None if row is None else _read_run(*row)

    def find_last(self, name: str, settings: str) -> LastRun | None:
        """The last run with these settings that can be gone on from, whatever its files were."""
        columns = "manifest, artifacts, warnings, stats"
        row = self._find("runs", f"select {columns} from runs where name = ? and settings = ? and stats is not null", (name, settings))
        return None if row is None else LastRun(_read_run(*row[:3]), _expand(row[3]))

    def keep_run(self, name: str, fingerprint: str, run: KnownRun, settings: str = "", stats: str = "") -> None:
        """`fingerprint`: of all that it saw, empty where a file was too fresh to be sure. `stats`: as of LastRun."""
        warnings = json.dumps([[warning.code, warning.message, warning.subject] for warning in run.warnings])
        seen = _compress(stats) if stats else None
        self._keep("runs", (name, fingerprint, run.manifest, run.artifacts, warnings, settings, seen))

    def prune(self, context: str, paths: Sequence[SourcePath], *, day: int) -> None:
        """Forgets files that are gone, and contexts that no run had for a month; `day` counts days. Rows are looked at only where the
        last run had other paths."""
        digest = hashlib.sha256(b"\0".join(map(os.fsencode, paths))).hexdigest()
        last = self._find("contexts", "select paths, used from contexts where context = ?", (context,))
        if last == (digest, day):
            return
        if last is not None and last[0] != digest:
            self._forget_gone(context, frozenset(map(os.fsencode, paths)))
        self._keep("contexts", (context, digest, day))
        # what was kept just now is not yet written: there this run still has the day of the last one
        for row in self._ask("select context from contexts where used < ? and context <> ?", (day - KEPT_DAYS, context)):
            for table in ("files", "rewritten", "contexts"):
                self._change(f"delete from {table} where context = ?", [row])

    def flush(self) -> None:
        """Writes what was kept, in one short transaction."""
        kept, self._rows = self._rows, {}
        with self._forgiving(), self._base:
            for table, rows in kept.items():
                places = ", ".join("?" * len(rows[0]))
                self._base.executemany(f"insert or replace into {table} values ({places})", rows)
        self._filled |= kept.keys()

    def close(self) -> None:
        self.flush()
        with self._forgiving():
            self._base.close()
        if self._broken and self._path is not None:
            with suppress(OSError):
                self._path.unlink()

    def _find(self, table: str, query: str, values: tuple[object, ...]) -> tuple[Any, ...] | None:
        found = self._ask(query, values) if table in self._filled else ()
        return found[0] if found else None

    def _ask_for(self, table: str, columns: str, context: str, paths: Sequence[bytes]) -> Sequence[tuple[Any, ...]]:
        """Rows of these paths, and maybe of others between them: a few paths may stand far from each other, many are most of a site, and a range is
        read in half the time."""
        if table not in self._filled or not paths:
            return ()
        question = f"select {columns} from {table} where context = ? and path"
        if len(paths) > _ASKED_BY_NAME:
            return self._ask(f"{question} between ? and ?", (context, min(paths), max(paths)))
        return self._ask(f"{question} in ({', '.join('?' * len(paths))})", (context, *paths))

    def _has_rows(self, table: str) -> bool:
        return bool(self._ask(f"select 1 from {table} limit 1"))

    def _ask(self, query: str, values: tuple[object, ...] = ()) -> Sequence[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []
        with self._forgiving():
            found.extend(self._base.execute(query, values))
        return found

    def _keep(self, table: str, row: tuple[object, ...]) -> None:
        rows = self._rows.setdefault(table, [])
        rows.append(row)
        if len(rows) >= _FLUSH_AT:
            self.flush()

    def _forget_gone(self, context: str, there: Collection[bytes]) -> None:
        for table in ("files", "rewritten"):
            paths = self._ask(f"select path from {table} where context = ?", (context,))
            self._change(f"delete from {table} where context = ? and path = ?", [(context, path) for (path,) in paths if path not in there])

    def _change(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        with self._forgiving(), self._base:
            self._base.executemany(statement, rows)

    @contextmanager
    def _forgiving(self) -> Iterator[None]:
        """A cache that another run holds for long is done without; a damaged one goes at the end."""
        try:
            yield
        except sqlite3.OperationalError:
            pass
        except sqlite3.Error:
            self._broken = True


def _compress(text: str) -> bytes:
    """SQLite holds a value once more while it writes it."""
    import zstandard

    return zstandard.ZstdCompressor(level=1, write_content_size=True).compress(text.encode("utf-8", "surrogateescape"))


def _expand(stored: bytes) -> str:
    """Empty where it is damaged."""
    import zstandard

    try:
        return zstandard.ZstdDecompressor().decompress(stored).decode("utf-8", "surrogateescape")
    except zstandard.ZstdError:
        return ""


def _read_run(manifest: str, artifacts: int, warnings: str) -> KnownRun:
    return KnownRun(Digest(manifest), artifacts, tuple(Warning(*words) for words in json.loads(warnings)))


def _is_current(file: SourceFile, stat: tuple[object, ...], git: str) -> bool:
    """By git's id of its bytes where both are known, else by `stat`."""
    if file.blob and git:
        return file.blob == git
    return not file.is_lent and stat == (file.size, file.mtime_ns, str(file.inode))


def _stat_to_keep(file: SourceFile, read_at: int) -> tuple[int, int, str]:
    """What a later `stat` must be like: never, where the file was too fresh, or is lent."""
    return file.size, file.mtime_ns if is_settled(file, read_at) and not file.is_lent else -1, str(file.inode)


def _git_to_keep(file: SourceFile, read_at: int) -> str:
    return file.blob if is_settled(file, read_at) else ""


def is_settled(file: SourceFile, read_at: int) -> bool:
    """Whether a change after `read_at` would show in the file's mtime."""
    tick = COARSE_TICK_NS if file.mtime_ns % 1_000_000_000 == 0 else TICK_NS
    return file.mtime_ns + tick < read_at


def open_cache(path: Path | None, *, patience: float = PATIENCE) -> Cache:
    """None: in memory, for one run. What is no cache of this format is replaced."""
    if path is not None:
        with suppress(sqlite3.Error, OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                return Cache(_connect(path, patience), path)
            except sqlite3.OperationalError:
                pass  # another run holds it
            except sqlite3.Error:
                path.unlink()
                return Cache(_connect(path, patience), path)
    return Cache(_connect(None, patience), None)


def _connect(path: Path | None, patience: float) -> sqlite3.Connection:
    """Raises sqlite3.DatabaseError where the file is no database, and for a database of another format."""
    base = sqlite3.connect(path or ":memory:", timeout=patience, check_same_thread=False)
    try:
        base.execute("pragma synchronous = off")  # it may be lost, and a torn one is noticed
        (found,) = base.execute("pragma user_version").fetchone()
        if found not in (0, FORMAT):
            raise sqlite3.DatabaseError("another format")
        if found == 0:
            with base:
                base.executescript(f"begin immediate; {_TABLES} pragma user_version = {FORMAT}; commit;")
    except BaseException:
        base.close()
        raise
    return base
