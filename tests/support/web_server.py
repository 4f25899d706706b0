"""A web server on loopback that shows a built folder as it is, or what stands in a folder target as a bucket behind a CDN would."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from sitepub.core.media_types import media_type_of
from sitepub.core.model import WEBSITE_REDIRECT, Artifact, FileClass, HeaderSet, Key
from sitepub.local.folder_store import FolderStore
from sitepub.releases import ReleaseReader

INDEX = "index.html"
NOT_FOUND = "404.html"


class Tree(Protocol):
    """What is served: files by their path from the root, without a leading `/`."""

    def find(self, path: str) -> tuple[Path, HeaderSet] | None: ...

    def source_of(self, path: str) -> str:
        """The path as built of what is served at `path`; `path` itself where nothing is."""
        ...

    @property
    def inserts(self) -> frozenset[str]:
        """What was put into names: dot and digest."""
        ...


@dataclass(frozen=True, slots=True)
class BuiltTree:
    """A folder as it was built."""

    root: Path

    def find(self, path: str) -> tuple[Path, HeaderSet] | None:
        file = self.root / path
        if not path or ".." in path.split("/") or not file.is_file():
            return None
        return file, (("Content-Type", media_type_of(path)),)

    def source_of(self, path: str) -> str:
        return path

    @property
    def inserts(self) -> frozenset[str]:
        return frozenset()


@dataclass(frozen=True)
class PublishedTree:
    """What the manifests of a folder target name and still stands there, with the headers that they give, and nothing else."""

    root: Path
    artifacts: Mapping[Key, Artifact]

    def find(self, path: str) -> tuple[Path, HeaderSet] | None:
        artifact = self.artifacts.get(Key(path))
        if artifact is None or not (self.root / path).is_file():
            return None
        return self.root / path, tuple(pair for pair in artifact.headers if pair[0] != WEBSITE_REDIRECT)

    def source_of(self, path: str) -> str:
        artifact = self.artifacts.get(Key(path))
        return artifact.source if artifact is not None and artifact.source is not None else path

    @cached_property
    def inserts(self) -> frozenset[str]:
        hashed = (artifact for artifact in self.artifacts.values() if artifact.file_class is FileClass.ASSET)
        return frozenset(artifact.key[: artifact.key.rfind(".")][(artifact.source or "").rfind(".") :] for artifact in hashed)


def read_published(root: Path, earlier: PublishedTree | None = None) -> PublishedTree:
    """What is live in a folder target, by its own records, and what an earlier release left there."""
    reader = ReleaseReader(FolderStore(root / ".sitepub", keeps_records=True))
    live = reader.read_state().state.live_release
    assert live is not None, f"nothing is live in {root}"
    left = earlier.artifacts if earlier is not None else {}
    return PublishedTree(root, {**left, **reader.read_document(live).manifest.artifacts})


@dataclass(frozen=True, slots=True)
class Answered:
    """One request as it was answered. `path` is decoded, without its leading `/`."""

    path: str
    status: int


@dataclass(slots=True)
class WebServer:
    """`tree` is exchanged while it runs, as a publish does: the origin stays the same. `mount`: the path below which it stands; nothing
    stands beside it."""

    origin: str
    tree: Tree
    mount: str = "/"
    log: list[Answered] = field(default_factory=list)

    def answer(self, path: str) -> tuple[int, HeaderSet, bytes]:
        decoded = unquote(urlsplit(path).path).removeprefix("/")
        status, headers, body = self._choose(decoded)
        self.log.append(Answered(decoded, status))
        return status, headers, body

    def _choose(self, decoded: str) -> tuple[int, HeaderSet, bytes]:
        mount = self.mount.removeprefix("/")
        if not decoded.startswith(mount):
            return 404, (("Content-Type", "text/plain; charset=utf-8"),), b"not found"
        path = decoded.removeprefix(mount)
        wanted = path + INDEX if path == "" or path.endswith("/") else path
        found = self.tree.find(wanted)
        if found is not None:
            return 200, found[1], found[0].read_bytes()
        if not path.endswith("/") and self.tree.find(f"{path}/{INDEX}") is not None:
            return 302, (("Location", f"{self.mount}{path}/"),), b""
        missing = self.tree.find(NOT_FOUND)
        if missing is None:
            return 404, (("Content-Type", "text/plain; charset=utf-8"),), b"not found"
        return 404, missing[1], missing[0].read_bytes()


@contextmanager
def serve(tree: Tree, *, mount: str = "/") -> Iterator[WebServer]:
    """On a free port of 127.0.0.1, until the block is left."""
    listening = _Listener(("127.0.0.1", 0), _Handler)
    listening.web = WebServer(f"http://127.0.0.1:{listening.server_address[1]}", tree, mount)
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield listening.web
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a browser keeps its connections open
    request_queue_size = 64
    web: WebServer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Listener

    def do_GET(self) -> None:
        status, headers, body = self.server.web.answer(self.path)
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        return None
