"""The site on this machine as its target would answer: names, headers, redirects, error page, ranges, conditions, compression. Writes nothing.

A WSGI application (PEP 3333); what HTTP says about ranges and conditions is Werkzeug's (RFC 9110).
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.http import parse_accept_header
from werkzeug.wrappers import Request, Response
from werkzeug.wsgi import FileWrapper

from sitepub.core.edge import COMPRESSED_BYTES, ERROR_PAGE, SECURITY_HEADERS, EdgeRules, Moved, find_key, is_compressed, locate, route
from sitepub.core.model import WEBSITE_REDIRECT, Artifact, FileClass, Key, Manifest, SourcePath
from sitepub.core.reloading import Built
from sitepub.errors import SitepubError
from sitepub.interfaces import Body, FileBody, Place, SourceFile
from sitepub.serving_live import LiveReload

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_METHODS = ("GET", "HEAD")
_GZIP_LEVEL = 6
_BROTLI_QUALITY = 5
ENCODINGS = ("br", "gzip")
"""What a distribution compresses with, the preferred one first."""


class ServedSite(Struct, frozen=True):
    """A built site with all that decides how it answers. `supply` gives an artifact's body; `error_page`: its key, and the status that it is
    answered with; `is_distributed`: a distribution stands before the store."""

    manifest: Manifest
    supply: Callable[[Artifact], Body | Place]
    built: Built
    rules: EdgeRules
    times: Mapping[SourcePath, datetime]
    error_page: tuple[Key, int] = (Key(ERROR_PAGE), 404)
    is_distributed: bool = False


class LocalSite:
    """Answers from the site as it was built last; `show` puts another one in its place. With `live`, pages load again when it does."""

    def __init__(self, shown: ServedSite, live: LiveReload | None = None) -> None:
        self._shown = shown
        self._live = live

    @property
    def shown(self) -> ServedSite:
        return self._shown

    def show(self, built: ServedSite) -> None:
        before, self._shown = self._shown, built
        if self._live is not None:
            self._live.tell(before.built, built.built, built.rules.url_path)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        return self._answer(request)(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if request.method not in _METHODS:
            return _say(403, "Only GET and HEAD are answered.")
        path = _raw_path(request)
        own = self._live.answer(path) if self._live is not None else None
        if own is not None:
            return own
        shown = self._shown
        rules = shown.rules
        routed = route(path, rules)
        if isinstance(routed, Moved):
            return _move(routed, request.query_string.decode("latin-1"))
        return self._answer_key(request, shown, find_key(routed, rules.url_path), path)

    def _answer_key(self, request: Request, shown: ServedSite, key: str | None, path: str) -> Response:
        artifacts = shown.manifest.artifacts
        artifact, status = (artifacts.get(Key(key)) if key is not None else None), 200
        if artifact is None:
            page, status = shown.error_page
            artifact = artifacts.get(page)
        if artifact is None:
            return _answer_missing(path)
        try:
            body = shown.supply(artifact)
        except SitepubError as error:
            # it changed on disk, and is about to be built again
            return _say(503, f"{error.message}\n{error.hint}", ("Retry-After", "1"))
        return self._respond(request, shown, artifact, body, status)

    def _respond(self, request: Request, shown: ServedSite, artifact: Artifact, body: Body | Place, status: int) -> Response:
        headers = self._choose_headers(shown, artifact)
        if self._live is not None:
            body = self._live.inject(body, headers.get("Content-Type", ""))
        is_weak = False
        encoding = _choose_encoding(request, headers, len(body)) if isinstance(body, bytes) and status == 200 else None
        if encoding is not None and isinstance(body, bytes):
            body, is_weak = _compress(body, encoding), True
            headers |= {"Content-Encoding": encoding, "Vary": "Accept-Encoding"}
        size = len(body) if isinstance(body, bytes) else artifact.size
        response = Response(_iterate(body), status=status, headers=headers, direct_passthrough=True)
        response.content_length = size
        if status != 200:
            return response
        response.set_etag(artifact.body[:32], weak=is_weak)
        response.last_modified = shown.times.get(artifact.source or SourcePath(""))
        try:
            response.make_conditional(request, accept_ranges=True, complete_length=size)
        except RequestedRangeNotSatisfiable:
            response.close()
            return _say(416, "There is no such part of it.", ("Content-Range", f"bytes */{size}"))
        del response.headers["Date"]  # the server sends it
        return response

    def _choose_headers(self, shown: ServedSite, artifact: Artifact) -> dict[str, str]:
        headers = {name: value for name, value in artifact.headers if name != WEBSITE_REDIRECT}
        if shown.is_distributed:
            headers |= dict(SECURITY_HEADERS)
        if self._live is not None and artifact.file_class is not FileClass.ASSET:
            headers["Cache-Control"] = "no-cache"
        return headers


def _raw_path(request: Request) -> str:
    """As the browser sent it: WSGI's own path is decoded already. Bytes come as Latin-1 (PEP 3333)."""
    raw: str = request.environ.get("REQUEST_URI") or request.environ.get("RAW_URI") or request.path
    path = raw.partition("?")[0].encode("latin-1", "replace").decode("utf-8", "surrogateescape")
    return path if path.startswith("/") else "/"


def _iterate(body: Body | Place) -> Iterable[bytes]:
    if isinstance(body, bytes):
        return (body,)
    if isinstance(body, FileBody):
        return FileWrapper(body.path.open("rb"))
    raise ValueError("a local site has its bodies here")


def _choose_encoding(request: Request, headers: Mapping[str, str], size: int) -> str | None:
    """As a distribution compresses: neither a part nor what is encoded already, and with Brotli where the visitor takes both."""
    if request.range is not None or "Content-Encoding" in headers or size not in COMPRESSED_BYTES:
        return None
    accepted: Any = parse_accept_header(request.headers.get("Accept-Encoding"))
    taken = (encoding for encoding in ENCODINGS if accepted[encoding] > 0)
    return next(taken, None) if is_compressed(headers.get("Content-Type", "")) else None


def _compress(body: bytes, encoding: str) -> bytes:
    if encoding == "gzip":
        return gzip.compress(body, _GZIP_LEVEL, mtime=0)
    import brotli

    packed: bytes = brotli.compress(body, quality=_BROTLI_QUALITY)
    return packed


def _move(moved: Moved, query: str) -> Response:
    response = Response("", status=moved.status, headers={"Location": locate(moved, query), "Cache-Control": "no-cache"})
    response.autocorrect_location_header = False
    return response


def _answer_missing(path: str) -> Response:
    return _say(404, f"There is no {path}, and the site has no {ERROR_PAGE}.")


def _say(status: int, message: str, *headers: tuple[str, str]) -> Response:
    return Response(
        f"{message}\n", status=status, headers=[("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store"), *headers]
    )


def file_times(files: Iterable[SourceFile]) -> Mapping[SourcePath, datetime]:
    return {file.path: datetime.fromtimestamp(file.mtime_ns // 1_000_000_000, UTC) for file in files}
