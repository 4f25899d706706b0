"""What a visitor gets of a web server: bytes as sent and as decoded, redirects, connections that end, servers that are not there."""

from __future__ import annotations

import gzip
import hashlib
import socket
import threading
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sitepub.core.model import Digest
from sitepub.core.served import Served, Visit
from sitepub.visiting import Visitor, seconds_apart
from tests.support.builders import artifact, digest_of

BODY = b"page " * 100_000


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.asked.append((self.client_address[1], self.path, self.headers["Accept-Encoding"]))  # type: ignore[attr-defined]
        status, headers, body = ANSWERS.get(self.path, (404, {}, b"nothing"))
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        if self.path in ("/closing", "/cut"):
            # as a server that gives up idle connections: it says nothing of it
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        return None


ANSWERS: Mapping[str, tuple[int, Mapping[str, str], bytes]] = {
    "/page": (200, {"Cache-Control": "no-cache"}, BODY),
    "/gzip": (200, {"Content-Encoding": "gzip"}, gzip.compress(BODY)),
    "/deflate": (200, {"Content-Encoding": "deflate"}, zlib.compress(BODY)),
    "/liar": (200, {"Content-Encoding": "gzip"}, BODY),
    "/moved": (301, {"Location": "/there/"}, b""),
    "/there/": (302, {"Location": "../page"}, b""),
    "/circle": (301, {"Location": "/circle"}, b""),
    "/closing": (200, {}, b"closing"),
    "/short": (200, {"Content-Length": "100"}, b"short"),
    "/cut": (200, {"Content-Length": "100"}, b"cut"),
}


@contextmanager
def serving() -> Iterator[tuple[str, list[tuple[int, str, str]]]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads, server.block_on_close = True, False
    server.asked = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", server.asked  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def visiting() -> Iterator[Visitor]:
    visitor = Visitor(seconds=5)
    try:
        yield visitor
    finally:
        visitor.close()


def visit(path: str, *, follows: bool = True) -> Served:
    with serving() as (origin, _), visiting() as visitor:
        return visitor.visit(origin + path, follows=follows)


@pytest.mark.parametrize("path", ["/page", "/gzip", "/deflate", "/moved", "/liar"])
def test_the_bytes_of_a_page_are_found_however_they_come(path: str) -> None:
    served = visit(path)
    assert (served.status, digest_of(BODY) in served.digests) == (200, True)


def test_a_stored_encoding_counts_as_sent_too() -> None:
    stored = Digest(hashlib.sha256(ANSWERS["/gzip"][2]).hexdigest())
    assert visit("/gzip").digests == (stored, digest_of(BODY))


def test_redirects_are_followed_to_their_end_or_told() -> None:
    assert visit("/moved", follows=False).location == "/there/"
    circle = visit("/circle")
    assert circle.failure == "it redirects in a circle"


def test_headers_are_told_by_lower_case_name() -> None:
    served = visit("/page")
    assert served.headers is not None and served.headers["cache-control"] == "no-cache"


def test_a_connection_is_kept_and_made_anew_where_the_server_closed_it() -> None:
    with serving() as (origin, asked), visiting() as visitor:
        for path in ("/page", "/page", "/closing", "/page"):
            assert visitor.visit(origin + path).status == 200
    ports = [port for port, _, _ in asked]
    assert ports[0] == ports[1] == ports[2] != ports[3]


@pytest.mark.parametrize("path", ["/short", "/cut"])
def test_an_answer_that_breaks_off_is_a_failure_and_the_next_question_gets_its_own_answer(path: str) -> None:
    with serving() as (origin, _):
        visitor = Visitor(seconds=1)
        try:
            broken = visitor.visit(origin + path)
            assert (broken.status, broken.failure != "") == (0, True)
            assert digest_of(BODY) in visitor.visit(origin + "/page").digests
        finally:
            visitor.close()


def test_a_server_that_is_not_there_is_an_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with visiting() as visitor:
        served = visitor.visit(f"http://127.0.0.1:{port}/page")
        assert (served.status, served.failure) == (0, "no answer (Connection refused)")
        assert visitor.visit("ftp://127.0.0.1/page").failure.startswith("no answer")


def test_many_are_asked_for_at_once_in_order() -> None:
    with serving() as (origin, asked):
        paths = ["/page", "/gzip", "/nothing"] * 20
        answers = Visitor(seconds=5).visit_all([Visit(origin + path, artifact("page", BODY)) for path in paths])
    assert [answer.status for answer in answers] == [200, 200, 404] * 20
    assert sorted(path for _, path, _ in asked) == sorted(paths)
    assert {encoding for _, _, encoding in asked} == {"gzip"}


def test_clocks_are_compared() -> None:
    served = Served(200, headers={"date": "Mon, 23 Nov 2026 18:00:00 GMT"})
    assert seconds_apart(served, 1795456800 - 60) == 60
    assert seconds_apart(Served(0), 0) is None
    assert seconds_apart(Served(200, headers={"date": "yesterday"}), 0) is None
