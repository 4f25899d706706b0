"""Bodies of entries in the target: packs of zstd frames, written once, read by ranges; large bodies stand by themselves."""

from __future__ import annotations

import functools
import hashlib
import threading
from collections import Counter
from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from sitepub.core.model import BodyPlace, Digest, Key
from sitepub.core.stretches import Stretch, join_places
from sitepub.errors import StoppedError
from sitepub.gathering import start_aside
from sitepub.interfaces import Body, StoreReader

LEVEL = 2
"""Of zstd: 3 makes pages a thirtieth smaller and takes a third longer."""

HELD = 16
"""Stretches of packs in memory at once, so many megabytes each as core/stretches.py says."""
AHEAD = 8
"""Of these so many are read while the one before them is used."""


class Framed(Struct, frozen=True):
    """A body, and the frame of a pack that holds it."""

    frame: bytes
    body: bytes


def pack_key(pack: str) -> Key:
    return Key(f"packs/{pack}")


def large_body_key(digest: Digest) -> Key:
    return Key(f"entries/{digest}")


class _Compressors(threading.local):
    """One a thread: neither is safe from two, and to make one takes as long as a page."""

    def __init__(self) -> None:
        import zstandard

        self.compressor = zstandard.ZstdCompressor(level=LEVEL, write_content_size=True)
        self.decompressor = zstandard.ZstdDecompressor()


@functools.cache
def _compressors() -> _Compressors:
    return _Compressors()


def compress(body: bytes) -> bytes:
    """One zstd frame, as every body in a pack is."""
    return _compressors().compressor.compress(body)


def compress_all(bodies: Iterable[bytes]) -> list[bytes]:
    """As `compress` each, on all cores: threads of Python would take turns at the interpreter for what is between."""
    given: list[bytes | bytearray | memoryview] = [*bodies]
    if len(given) < 2 or not any(given):
        return [compress(bytes(body)) for body in given]
    made = _compressors().compressor.multi_compress_to_buffer(given, threads=-1)
    return [made[number].tobytes() for number in range(len(made))]


def expand(frame: bytes, digest: Digest) -> bytes:
    """Raises StoppedError where the frame does not hold the body of that digest."""
    import zstandard

    try:
        body = _compressors().decompressor.decompress(frame)
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
        """All of these will be asked for, in this order, so neighbours are read together. Not while another thread reads."""
        self._frames = _Frames(self._records, join_places([self._places[body] for body in bodies if body in self._places]))

    def read(self, digest: Digest) -> Body:
        """Raises StoppedError where the target has lost the body."""
        try:
            framed = self.read_framed(digest)
        except StoppedError as lost:
            return self._read_alone(digest, lost)
        return self._read_alone(digest, None) if framed is None else framed.body

    def read_framed(self, digest: Digest) -> Framed | None:
        """None for a body that is in no pack. Raises StoppedError where it should be in one, and that is lost or damaged."""
        place = self._places.get(digest)
        if place is None:
            return None
        try:
            frame = self._frames.read(place)
            body = expand(frame, digest)
        except StoppedError:
            self.found.pop(digest, None)
            raise
        self.found[digest] = place
        return Framed(frame, body)

    def _read_alone(self, digest: Digest, lost: StoppedError | None) -> Body:
        """A body that stands by itself: too large for a pack, or put there by a repair because its pack was lost."""
        stored = self._records.read(large_body_key(digest))
        if stored is None or hashlib.sha256(stored.body).hexdigest() != digest:
            raise lost or _damaged(digest)
        return stored.body


class _Held(Struct):
    """A stretch that one thread reads, and others wait for."""

    mutex: threading.Lock = field(default_factory=threading.Lock)
    content: bytes | None = None


class _Frames:
    """Frames of packs. What is joined is read once and held until all of it was asked for, as far as there is room, and the next ones meanwhile; what is
    asked for after that is read alone. `stretches` in the order of use: packs have names that say nothing of it."""

    def __init__(self, records: StoreReader, stretches: Mapping[BodyPlace, Stretch]) -> None:
        self._records = records
        self._stretches = stretches
        following = list(dict.fromkeys(stretches.values()))
        self._following = {stretch: following[n + 1 : n + 1 + AHEAD] for n, stretch in enumerate(following)}
        self._unused = Counter(stretches.values())
        self._mutex = threading.Lock()
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
        frame = self._fill(held, stretch)[start : start + place.length]
        self._let_go_of_used(stretch)
        return frame

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

    def _let_go_of_used(self, stretch: Stretch) -> None:
        """It makes room once all of it was asked for: others would have to, of which a page is wanted now and then."""
        with self._mutex:
            self._unused[stretch] -= 1
            if not self._unused[stretch]:
                self._held.pop(stretch, None)
                self._over.add(stretch)

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


def _damaged(digest: Digest) -> StoppedError:
    message = f"the target has lost a body that it should keep (sha256 {digest[:12]}…)"
    return StoppedError("kept-body-lost", message, "publish the commit again from its sources; `sitepub verify` tells what else is missing")
