"""A server on loopback that answers what it is told to: refusals that no emulator gives, lost connections, a certificate nobody trusts."""

from __future__ import annotations

import ssl
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from sitepub.aws.s3 import S3Store
from sitepub.aws.session import AwsSession
from sitepub.core.settings import BucketAddress
from tests.support.servers import ENVIRONMENT, find_tool

XML = "<?xml version='1.0' encoding='UTF-8'?>"


@dataclass(frozen=True, slots=True)
class Canned:
    """`status` 0 closes the connection instead of answering."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


FINE = Canned(200, "", {"ETag": '"e"', "Last-Modified": formatdate(0, usegmt=True), "Content-Length": "0"})


def refuse(status: int, code: str, message: str = "No.", more: str = "", **headers: str) -> Canned:
    """As S3 does."""
    return Canned(status, f"{XML}<Error><Code>{code}</Code><Message>{message}</Message>{more}<RequestId>R</RequestId></Error>", headers)


@dataclass(frozen=True, slots=True)
class Received:
    method: str
    path: str
    headers: Mapping[str, str]


@dataclass(slots=True)
class CannedServer:
    """Gives `answers` one after the other, the last one for ever."""

    endpoint_url: str
    answers: list[Canned]
    received: list[Received] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def make_store(self, attempts: int = 1, **environment: str) -> S3Store:
        session = AwsSession(environment={**ENVIRONMENT, **environment}, attempts=attempts)
        return S3Store(BucketAddress("bucket"), session, endpoint_url=self.endpoint_url, attempts=attempts)

    def take(self, received: Received) -> Canned:
        with self.lock:
            self.received.append(received)
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def run_canned(*answers: Canned, certificate: Path | None = None) -> Iterator[CannedServer]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            canned = server.take(Received(self.command, self.path, {name.lower(): value for name, value in self.headers.items()}))
            if canned.status == 0:
                self.close_connection = True
                return
            body = b"" if self.command == "HEAD" else canned.body.encode()
            self.send_response(canned.status)
            for name, value in {"Content-Length": str(len(body)), **canned.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = answer

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            listening.socket = context.wrap_socket(listening.socket, server_side=True)
            scheme = "https"
        server = CannedServer(f"{scheme}://127.0.0.1:{listening.server_port}", list(answers))
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join()


def make_certificate(folder: Path) -> Path:
    """Signed by itself."""
    path = folder / "certificate.pem"
    request = [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        "key.pem",
        "-out",
        "only.pem",
        "-days",
        "2",
        "-subj",
        "/CN=127.0.0.1",
    ]
    extensions = ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"]
    subprocess.run([str(find_tool("openssl")), *request, *extensions], check=True, capture_output=True, cwd=folder)
    path.write_bytes((folder / "key.pem").read_bytes() + (folder / "only.pem").read_bytes())
    return path
