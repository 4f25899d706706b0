"""One visitor's connection, which stays open between requests (RFC 9112 §9.3). Werkzeug's own handler closes each after one answer."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

from werkzeug.serving import WSGIRequestHandler

IDLE_SECONDS = 60.0
"""A connection that is silent for so long is closed, and so is one that takes nothing for so long."""

_BODILESS = (204, 304)

Headers = Sequence[tuple[str, str]]


class Connection(WSGIRequestHandler):
    """Answers GET and HEAD; what brings a body is answered and closed, for nobody reads it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # an answer is two writes, and the second would wait for the first to be acknowledged
    timeout = IDLE_SECONDS

    def run_wsgi(self) -> None:
        self.close_connection |= "Transfer-Encoding" in self.headers or self.headers.get("Content-Length", "0") != "0"
        begun: list[tuple[str, Headers]] = []

        def begin(status: str, headers: Headers, exc_info: object = None) -> Any:
            begun[:] = [(status, headers)]
            return self.wfile.write

        self.environ = self.make_environ()
        parts = self.server.app(self.environ, begin)
        try:
            status, headers = begun[0]
            self._answer(status, headers, parts)
        finally:
            close = getattr(parts, "close", None)
            if close is not None:
                close()

    def _answer(self, status: str, headers: Headers, parts: Iterable[bytes]) -> None:
        code, _, phrase = status.partition(" ")
        length = next((int(value) for name, value in headers if name.lower() == "content-length"), None)
        has_body = self.command != "HEAD" and int(code) not in _BODILESS
        is_chunked = has_body and length is None and self.request_version == "HTTP/1.1"
        self.close_connection |= has_body and length is None and not is_chunked
        self.send_response(int(code), phrase)
        for name, value in headers:
            self.send_header(name, value)
        if is_chunked:
            self.send_header("Transfer-Encoding", "chunked")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if has_body:
            sent = self._send(parts, is_chunked=is_chunked)
            # a file that was cut short meanwhile: only the end of the connection can say so
            self.close_connection |= length not in (None, sent)

    def _send(self, parts: Iterable[bytes], *, is_chunked: bool) -> int:
        sent = 0
        for part in filter(None, parts):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part) if is_chunked else part)
            sent += len(part)
        if is_chunked:
            self.wfile.write(b"0\r\n\r\n")
        return sent

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        return None

    def log(self, type: str, message: str, *words: Any) -> None:
        """Only what is told: a connection that fell silent is nothing to tell."""


class LoggedConnection(Connection):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        print(f"{code} {self.requestline}", file=sys.stderr, flush=True)
