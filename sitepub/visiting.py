"""Asks for URLs as a visitor does: without credentials, with what browsers accept, following redirects. Reads only."""

from __future__ import annotations

import hashlib
import http.client
import threading
import zlib
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit

from msgspec import Struct
from msgspec.structs import replace

from sitepub.core.model import Digest
from sitepub.core.served import Served, Visit
from sitepub.gathering import run_all

SECONDS = 15
VISITORS = 16
"""Questions to a site at once: what a browser or two ask of it."""

REDIRECTS = 5
_CHUNK_BYTES = 256 * 1024
_MOVED = (301, 302, 303, 307, 308)
_ENCODINGS = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


class _Answer(Struct, frozen=True):
    status: int
    headers: Mapping[str, str]
    digests: tuple[Digest, ...]


class Visitor:
    """Keeps a connection a thread and host. Methods may be called from many threads."""

    def __init__(self, *, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._own = threading.local()
        self._mutex = threading.Lock()
        self._opened: list[http.client.HTTPConnection] = []

    def visit_all(self, visits: Sequence[Visit]) -> list[Served]:
        try:
            return [served for _, served in run_all(lambda visit: self.visit(visit.url, follows=visit.follows), visits, workers=VISITORS)]
        finally:
            self.close()

    def visit(self, url: str, *, follows: bool = True) -> Served:
        """Never raises: what went wrong is the answer."""
        try:
            for _ in range(REDIRECTS):
                answer = self._ask(url)
                location = answer.headers.get("location", "") if answer.status in _MOVED else ""
                if not location or not follows:
                    return Served(answer.status, answer.digests, answer.headers, location)
                url = urljoin(url, location)
            return replace(Served(answer.status, answer.digests, answer.headers), failure="it redirects in a circle")
        except (OSError, http.client.HTTPException, ValueError) as failure:
            return Served(0, failure=_explain(failure))

    def close(self) -> None:
        with self._mutex:
            opened, self._opened = self._opened, []
        for connection in opened:
            connection.close()

    def _ask(self, url: str) -> _Answer:
        parts = urlsplit(url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        host = (parts.scheme, parts.netloc)
        connections: dict[tuple[str, str], http.client.HTTPConnection] | None = getattr(self._own, "connections", None)
        if connections is None:
            connections = self._own.connections = {}
        is_kept = host in connections
        if not is_kept:
            connections[host] = self._connect(*host)
        try:
            return self._get(connections[host], path)
        except (http.client.RemoteDisconnected, ConnectionError):
            # a connection that was kept may have been closed by the server meanwhile
            if not is_kept:
                raise
            return self._get(connections[host], path)

    def _connect(self, scheme: str, host: str) -> http.client.HTTPConnection:
        if scheme not in ("http", "https"):
            raise ValueError(f"`{scheme}:` is no address of a web site")
        make = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
        connection = make(host, timeout=self._seconds)
        with self._mutex:
            self._opened.append(connection)
        return connection

    def _get(self, connection: http.client.HTTPConnection, path: str) -> _Answer:
        try:
            connection.request("GET", path, headers={"Accept-Encoding": "gzip", "Accept": "*/*", "User-Agent": "sitepub"})
            return _read(connection.getresponse())
        except BaseException:
            # what is left of a broken answer is not the next one
            connection.close()
            raise


def _read(answer: http.client.HTTPResponse) -> _Answer:
    headers = {name.lower(): value for name, value in answer.getheaders()}
    decoder = _make_decoder(headers.get("content-encoding", ""))
    sent, decoded = hashlib.sha256(), hashlib.sha256()
    size, announced = 0, answer.length
    while chunk := answer.read(_CHUNK_BYTES):
        sent.update(chunk)
        size += len(chunk)
        if decoder is not None:
            try:
                decoded.update(decoder.decompress(chunk))
            except zlib.error:
                decoder = None
    if announced is not None and size < announced:
        raise http.client.IncompleteRead(b"", announced - size)
    digests = (Digest(sent.hexdigest()), *((Digest(decoded.hexdigest()),) if decoder is not None else ()))
    return _Answer(answer.status, headers, digests)


def seconds_apart(served: Served, now_seconds: float) -> float | None:
    """How much the server's clock is ahead of ours; None where it does not say."""
    date = (served.headers or {}).get("date")
    try:
        return None if date is None else parsedate_to_datetime(date).timestamp() - now_seconds
    except ValueError:
        return None


def _make_decoder(encoding: str) -> zlib._Decompress | None:
    bits = _ENCODINGS.get(encoding.strip().lower())
    return None if bits is None else zlib.decompressobj(bits)


def _explain(failure: Exception) -> str:
    reason = getattr(failure, "strerror", None) or str(failure) or type(failure).__name__
    return f"no answer ({reason})"
