"""Bodies of entries in the target: packs of zstd frames, written once, read by ranges; large bodies stand by themselves."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import IO, Self

from sitepub.core.model import BodyPlace, Digest, Key
from sitepub.core.stretches import Stretch, join_places
from sitepub.errors import ConfigurationError, StoppedError
from sitepub.gathering import start_aside
from sitepub.interfaces import Body, FileBody, StoreReader

LEVEL = 3

IN_ONE = 32 * 1024 * 1024
"""Packs up to so many bytes are put by one request."""

HELD = 8
"""Stretches of packs in memory at once, so many megabytes each as core/stretches.py says."""
AHEAD = 3
"""Of these so many are read while the one before them is used."""


def pack_key(pack: str) -> Key:
    return Key(f"packs/{pack}")


def large_body_key(digest: Digest) -> Key:
    return Key(f"entries/{digest}")


class PackDraft:
    """A pack being made, spooled to a temporary file: promote reads its bodies from here, so what goes live is what was packed."""

    def __init__(self, folder: Path | None = None) -> None:
        self._file: IO[bytes] = _open_spool(folder)
        self._frames: dict[Digest, tuple[int, int]] = {}
        self._sha = hashlib.sha256()
        self._size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()
        Path(self._file.name).unlink(missing_ok=True)

    def add(self, frames: Iterable[tuple[Digest, bytes]]) -> None:
        """Appends compressed bodies; raises ConfigurationError where the disk is full."""
        try:
            for digest, frame in frames:
                self._file.write(frame)
                self._sha.update(frame)
                self._frames[digest] = (self._size, len(frame))
                self._size += len(frame)
            self._file.flush()
        except OSError as error:
            raise _spool_failed(error) from error

    @property
    def is_empty(self) -> bool:
        return not self._frames

    @property
    def name(self) -> str:
        return self._sha.hexdigest()[:32]

    def places(self) -> Mapping[Digest, BodyPlace]:
        return {digest: BodyPlace(self.name, offset, length) for digest, (offset, length) in self._frames.items()}

    def as_body(self) -> Body:
        """All of it; in memory where one request takes it, as an upload in parts takes three at least and a client of its own."""
        if self._size <= IN_ONE:
            return os.pread(self._file.fileno(), self._size, 0)
        return FileBody(Path(self._file.name), self._size, self.digest)

    @property
    def digest(self) -> Digest:
        return Digest(self._sha.hexdigest())

    def read(self, digest: Digest) -> bytes | None:
        """The body of this digest, if it is in here. Safe from many threads."""
        if digest not in self._frames:
            return None
        offset, length = self._frames[digest]
        return expand(os.pread(self._file.fileno(), length, offset), digest)


def compress(body: bytes) -> bytes:
    """One zstd frame, as every body in a pack is."""
    import zstandard

    return zstandard.ZstdCompressor(level=LEVEL, write_content_size=True).compress(body)


def expand(frame: bytes, digest: Digest) -> bytes:
    """Raises StoppedError where the frame does not hold the body of that digest."""
    import zstandard

    try:
        body = zstandard.ZstdDecompressor().decompress(frame)
    except zstandard.ZstdError as error:
        raise _damaged(digest) from error
    if hashlib.sha256(body).hexdigest() != digest:
        raise _damaged(digest)
    return body


class KeptBodies:
    """Bodies of earlier releases, as the target keeps them."""

    def __init__(self, records: StoreReader, places: Mapping[Digest, BodyPlace]) -> None:
        self._records = records
        self._places = places
        self._frames = _Frames(records, {})
        self.found: dict[Digest, BodyPlace] = {}
        """Where bodies that were read stand, as far as in packs."""

    def foretell(self, bodies: Iterable[Digest]) -> None:
        """All of these will be asked for, so neighbours are read together. Not while another thread reads."""
        self._frames = _Frames(self._records, join_places(self._places[body] for body in bodies if body in self._places))

    def read(self, digest: Digest) -> Body:
        """Raises StoppedError where the target has lost the body."""
        place = self._places.get(digest)
        if place is not None:
            try:
                body = expand(self._frames.read(place), digest)
            except StoppedError as lost:
                self.found.pop(digest, None)
                return self._read_alone(digest, lost)
            self.found[digest] = place
            return body
        return self._read_alone(digest, None)

    def _read_alone(self, digest: Digest, lost: StoppedError | None) -> Body:
        """A body that stands by itself: too large for a pack, or put there by a repair because its pack was lost."""
        stored = self._records.read(large_body_key(digest))
        if stored is None or hashlib.sha256(stored.body).hexdigest() != digest:
            raise lost or _damaged(digest)
        return stored.body


@dataclass(slots=True)
class _Held:
    """A stretch that one thread reads, and others wait for."""

    mutex: Lock = field(default_factory=Lock)
    content: bytes | None = None


class _Frames:
    """Frames of packs. What is joined is read once and held, the last few stretches of it, and the next ones meanwhile; what is asked for after
    that is read alone."""

    def __init__(self, records: StoreReader, stretches: Mapping[BodyPlace, Stretch]) -> None:
        self._records = records
        self._stretches = stretches
        following = list(dict.fromkeys(stretches.values()))
        self._following = {stretch: following[n + 1 : n + 1 + AHEAD] for n, stretch in enumerate(following)}
        self._mutex = Lock()
        self._held: dict[Stretch, _Held] = {}
        self._over: set[Stretch] = set()

    def read(self, place: BodyPlace) -> bytes:
        stretch = self._stretches.get(place)
        held = self._hold(stretch) if stretch is not None else None
        if stretch is None or held is None:
            return self._records.read_range(pack_key(place.pack), place.offset, place.length)
        for following in self._following.pop(stretch, ()):
            self._read_ahead(following)
        start = place.offset - stretch.offset
        return self._fill(held, stretch)[start : start + place.length]

    def _read_ahead(self, stretch: Stretch) -> None:
        """A failure is told to whoever asks for it."""
        with self._mutex:
            is_known = stretch in self._held or stretch in self._over
        held = None if is_known else self._hold(stretch)
        if held is not None:
            start_aside(lambda: self._fill(held, stretch))

    def _fill(self, held: _Held, stretch: Stretch) -> bytes:
        with held.mutex:
            if held.content is None:
                held.content = self._records.read_range(pack_key(stretch.pack), stretch.offset, stretch.length)
            return held.content

    def _hold(self, stretch: Stretch) -> _Held | None:
        """None for one that had to make room."""
        with self._mutex:
            if stretch in self._over:
                return None
            held = self._held.pop(stretch, None) or _Held()
            if len(self._held) == HELD:
                oldest = next(iter(self._held))
                self._over.add(oldest)
                del self._held[oldest]
            self._held[stretch] = held  # at the end: the last one asked for
            return held


def _open_spool(folder: Path | None) -> IO[bytes]:
    try:
        return tempfile.NamedTemporaryFile(prefix="sitepub-pack-", dir=folder, delete=False)
    except OSError as error:
        raise _spool_failed(error) from error


def _spool_failed(error: OSError) -> ConfigurationError:
    message = f"a temporary file can't be written: {error.strerror or error}"
    return ConfigurationError("no-temporary-space", message, "free some space, or set TMPDIR to a folder that has some")


def _damaged(digest: Digest) -> StoppedError:
    message = f"the target has lost a body that it should keep (sha256 {digest[:12]}…)"
    return StoppedError("kept-body-lost", message, "publish the commit again from its sources; `sitepub verify` tells what else is missing")
