"""Packs that are being made: filled one after the other, from which they are sent and their bodies promoted. A first one that is not full stands in
memory, all others in a temporary file."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from msgspec import Struct

from sitepub.core.model import BodyPlace, Digest
from sitepub.errors import ConfigurationError
from sitepub.packs import expand

FULL = 8 * 1024 * 1024
"""Bytes from which on a pack is full: one goes up by one request, from memory, while the next one is filled."""

SPOOL_BUFFER = 1024 * 1024

HELD = 32 * 1024 * 1024
"""Bytes of bodies that are kept in memory as well until they are read once: to expand a body takes as long as to send it."""


class Pack(Struct, frozen=True):
    """A full pack of a draft: `size` bytes from `start` on in its file. Every body in it has its `name`."""

    name: str
    digest: Digest
    start: int
    size: int


class PackDraft:
    """Packs being made: promote reads its bodies from here, so what goes live is what was packed. `folder`: for the temporary file, None: the system's."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._first = bytearray()
        self._spool: IO[bytes] | None = None
        self._places: dict[Digest, BodyPlace] = {}
        self._starts: dict[str, int] = {}
        self._mutex = threading.Lock()
        self._held: dict[Digest, bytes] = {}
        self._room = HELD

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._spool is None:
            return
        try:
            self._spool.close()
        except OSError:
            # what a full disk did not take is written once more here; that it failed was told by whoever wrote it
            if error is None:
                raise
        finally:
            Path(self._spool.name).unlink(missing_ok=True)

    def fill(self, frames: Iterable[tuple[Digest, bytes]]) -> Iterator[Pack]:
        """Appends compressed bodies and tells of each pack once it is full, of the last one at the end. Raises ConfigurationError where the disk is full."""
        sha, start, lengths = hashlib.sha256(), 0, list[tuple[Digest, int]]()
        end = start
        for digest, frame in frames:
            self._write(frame)
            sha.update(frame)
            lengths.append((digest, len(frame)))
            end += len(frame)
            if end - start >= FULL:
                yield self._seal(sha.hexdigest(), start, lengths)
                sha, start, lengths = hashlib.sha256(), end, []
        if end > start:
            yield self._seal(sha.hexdigest(), start, lengths)

    def places(self) -> Mapping[Digest, BodyPlace]:
        """Where each body stands, of the packs that are full."""
        return self._places

    def read_pack(self, pack: Pack) -> bytes:
        return self._read(pack.start, pack.size)

    def hold(self, digest: Digest, body: bytes) -> None:
        """Of a body that goes into a pack, and has just this digest: keeps it for its first reader, if there is room. Safe from many threads."""
        with self._mutex:
            if len(body) <= self._room and digest not in self._held:
                self._held[digest] = body
                self._room -= len(body)

    def read(self, digest: Digest) -> bytes | None:
        """The body of this digest, if it is in here. Safe from many threads."""
        place = self._places.get(digest)
        if place is None:
            return None
        held = self._held.pop(digest, None)
        if held is not None:
            return held
        return expand(self._read(self._starts[place.pack] + place.offset, place.length), digest)

    def _read(self, at: int, length: int) -> bytes:
        return bytes(self._first[at : at + length]) if self._spool is None else os.pread(self._spool.fileno(), length, at)

    def _write(self, frame: bytes) -> None:
        # a pack that is full, and may be read from then on, is always in the file
        if self._spool is None and len(self._first) + len(frame) < FULL:
            self._first += frame
            return
        try:
            if self._spool is None:
                self._spool = _open_spool(self._folder)
                self._spool.write(self._first)
                self._first.clear()
            self._spool.write(frame)
        except OSError as error:
            raise _spool_failed(error) from error

    def _seal(self, digest: str, start: int, lengths: Iterable[tuple[Digest, int]]) -> Pack:
        """`lengths`: of the bodies' frames, in their order."""
        try:
            if self._spool is not None:
                self._spool.flush()
        except OSError as error:
            raise _spool_failed(error) from error
        name, offset = digest[:32], 0
        for body, length in lengths:
            self._places[body] = BodyPlace(name, offset, length)
            offset += length
        self._starts[name] = start
        return Pack(name, Digest(digest), start, offset)


def _open_spool(folder: Path | None) -> IO[bytes]:
    import tempfile

    # most bodies wait in its buffer: a thread that compresses hands the interpreter back at each write, and takes its time
    return tempfile.NamedTemporaryFile(prefix="sitepub-pack-", dir=folder, delete=False, buffering=SPOOL_BUFFER)


def _spool_failed(error: OSError) -> ConfigurationError:
    message = f"a temporary file can't be written: {error.strerror or error}"
    return ConfigurationError("no-temporary-space", message, "free some space, or set TMPDIR to a folder that has some")
