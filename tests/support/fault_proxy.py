"""A proxy on loopback in front of a server: counts what passes and does to the n-th request what networks and servers do."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import SplitResult, urlsplit

HANG_SECONDS = 120.0
_NO_LINGER = struct.pack("ii", 1, 0)


class Fault(StrEnum):
    """What happens to a request. LOST, BROKEN, DONE_500 and SLOW let it reach the server first; all but CUT are seen by the client."""

    RESET = "the connection is reset before the request arrives"
    LOST = "the request is carried out, its answer is lost"
    BROKEN = "half of the answer's body arrives"
    SLOW_DOWN = "503 SlowDown"
    FAULT = "500 InternalError"
    DONE_500 = "500 InternalError, though it was carried out"
    CONFLICT = "409 ConditionalRequestConflict"
    HANG = "no answer, and nothing is carried out"
    SLOW = "carried out, no answer"
    HALF = "the connection is reset half-way through the request's body"


REFUSALS = {
    Fault.SLOW_DOWN: (503, "SlowDown"),
    Fault.FAULT: (500, "InternalError"),
    Fault.DONE_500: (500, "InternalError"),
    Fault.CONFLICT: (409, "ConditionalRequestConflict"),
}
_AFTER = frozenset((Fault.LOST, Fault.BROKEN, Fault.DONE_500, Fault.SLOW))
_CLOSING = frozenset((Fault.RESET, Fault.LOST, Fault.HALF))


@dataclass(slots=True)
class Seen:
    """One request as it came. `received`: bytes of its body; `status`: what the server behind answered, None where it was not asked."""

    number: int
    method: str
    path: str
    is_conditional: bool
    received: int = 0
    status: int | None = None
    fault: Fault | None = None

    @property
    def is_write(self) -> bool:
        return self.method in ("PUT", "POST", "DELETE")


Plan = Callable[[Seen], Fault | None]


def pass_all(seen: Seen) -> Fault | None:
    return None


@dataclass(slots=True)
class Script:
    """What is to happen, and what was seen; several proxies may share one count. Requests are numbered from 1."""

    plan: Plan = pass_all
    seen: list[Seen] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, plan: Plan = pass_all) -> None:
        with self._lock:
            self.plan, self.seen = plan, []

    def take(self, method: str, path: str, is_conditional: bool) -> Seen:
        with self._lock:
            seen = Seen(len(self.seen) + 1, method, path, is_conditional)
            self.seen.append(seen)
            seen.fault = self.plan(seen)
            return seen

    @property
    def faults(self) -> int:
        return sum(seen.fault is not None for seen in self.seen)

    @property
    def received(self) -> int:
        return sum(seen.received for seen in self.seen)


def once(number: int, fault: Fault) -> Plan:
    """The first request from the n-th on that this can happen to."""
    left = [fault]

    def plan(seen: Seen) -> Fault | None:
        fits = seen.number >= number and (fault is not Fault.CONFLICT or seen.is_conditional) and (fault is not Fault.HALF or seen.is_write)
        return left.pop() if left and fits else None

    return plan


def throttle(number: int, seconds: float) -> Plan:
    """From the n-th request on all are refused for so long."""
    began: list[float] = []

    def plan(seen: Seen) -> Fault | None:
        if seen.number >= number and not began:
            began.append(time.monotonic())
        return Fault.SLOW_DOWN if began and time.monotonic() - began[0] < seconds else None

    return plan


def end_after(number: int, *, last: Fault | None = None) -> Plan:
    """The client's machine is gone after its n-th request, which may have lost its answer."""
    return lambda seen: None if seen.number < number else last if seen.number == number else Fault.RESET


@dataclass(frozen=True, slots=True)
class FaultProxy:
    endpoint_url: str
    script: Script


class _Handler(BaseHTTPRequestHandler):
    """Passes one client's requests on, but for what the script says."""

    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    behind: http.client.HTTPConnection | None = None

    def handle(self) -> None:
        with suppress(ConnectionError, TimeoutError):
            super().handle()

    def finish(self) -> None:
        if self.behind is not None:
            self.behind.close()
        with suppress(OSError):
            super().finish()

    def answer(self) -> None:
        is_conditional = any(name.lower() in ("if-match", "if-none-match") for name in self.headers)
        seen = self.server.script.take(self.command, self.path, is_conditional)
        size = int(self.headers.get("Content-Length") or 0)
        if seen.fault is Fault.HALF:
            size //= 2
        body = self.rfile.read(size)
        seen.received = len(body)
        if seen.fault in _CLOSING and seen.fault not in _AFTER:
            self.reset()
        elif seen.fault is None or seen.fault in _AFTER:
            self.forward(seen, body)
        else:
            self.refuse(seen.fault)

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = answer

    def forward(self, seen: Seen, body: bytes) -> None:
        answer, content = self.ask(body)
        seen.status = answer.status
        if seen.fault is Fault.LOST:
            self.reset()
        elif seen.fault in (Fault.DONE_500, Fault.SLOW):
            self.refuse(seen.fault)
        else:
            self.pass_on(answer, content, is_broken=seen.fault is Fault.BROKEN)

    def ask(self, body: bytes) -> tuple[http.client.HTTPResponse, bytes]:
        """What a busy server breaks off by itself is asked again: whoever tries nothing twice is to meet with the script's faults alone."""
        try:
            return self.ask_once(body)
        except (http.client.HTTPException, ConnectionError):
            if self.command == "POST" or self.behind is None:  # the others may be asked twice (RFC 9110, 9.2.2)
                raise
            self.behind.close()
            return self.ask_once(body)

    def ask_once(self, body: bytes) -> tuple[http.client.HTTPResponse, bytes]:
        if self.behind is None:
            self.behind = http.client.HTTPConnection(self.server.upstream.hostname or "", self.server.upstream.port, timeout=60)
        self.behind.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            self.behind.putheader(name, value)
        self.behind.endheaders(body or None)
        answer = self.behind.getresponse()
        return answer, answer.read()

    def pass_on(self, answer: http.client.HTTPResponse, content: bytes, *, is_broken: bool) -> None:
        # only what the server said, its Date too: the client judges leases by it
        self.send_response_only(answer.status, answer.reason)
        length = answer.headers.get("Content-Length") if self.command == "HEAD" else str(len(content))
        for name, value in answer.headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        if answer.status not in (204, 304):
            self.send_header("Content-Length", length or "0")
        if is_broken and not content:
            # of an answer without a body half of the head
            self._headers_buffer = self._headers_buffer[: len(self._headers_buffer) // 2]
            self.wfile.write(b"".join(self._headers_buffer))
            self.reset()
            return
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if is_broken else content)
        if is_broken:
            self.reset()

    def refuse(self, fault: Fault) -> None:
        if fault in (Fault.HANG, Fault.SLOW):
            self.wait_for_client()
            return
        status, code = REFUSALS[fault]
        body = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>No.</Message></Error>".encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/xml")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def wait_for_client(self) -> None:
        """Until it gives up."""
        self.close_connection = True
        self.connection.settimeout(0.05)
        deadline = time.monotonic() + HANG_SECONDS
        while time.monotonic() < deadline and not self.server.closing.is_set():
            try:
                if not self.connection.recv(1):
                    return
            except TimeoutError:
                continue
            except OSError:
                return

    def reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.connection.close()

    def log_message(self, *_: object) -> None:
        return


class _Server(ThreadingHTTPServer):
    """`closing`: nobody is kept waiting any more."""

    request_queue_size = 256
    daemon_threads = True

    def __init__(self, upstream: SplitResult, script: Script) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = upstream
        self.script = script
        self.closing = threading.Event()

    def handle_error(self, *_: object) -> None:
        """A client that goes away is what the tests are about."""


@contextmanager
def run_proxy(upstream_url: str, script: Script) -> Iterator[FaultProxy]:
    """Nothing of a request is changed: the client signs for the proxy's address, and the server is told that very Host."""
    with _Server(urlsplit(upstream_url), script) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield FaultProxy(f"http://127.0.0.1:{listening.server_port}", script)
        finally:
            listening.closing.set()
            listening.shutdown()
            thread.join()
