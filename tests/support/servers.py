"""S3 servers on loopback, one of each for a test process, and fresh buckets in them."""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import subprocess
import sysconfig
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sitepub.aws.s3 import S3Store
from sitepub.aws.session import AwsSession
from sitepub.core.settings import BucketAddress

if TYPE_CHECKING:
    from tests.support.ministack_server import MiniStack

ACCESS_KEY = "sitepubtest"
SECRET_KEY = "sitepubsecret"
ENVIRONMENT = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY, "AWS_REGION": "us-east-1"}
_START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class S3Server:
    """Where it listens. `environment` is what a client process needs."""

    name: str
    endpoint_url: str
    process: subprocess.Popen[bytes]
    shared_session: AwsSession = field(default_factory=lambda: AwsSession(environment=ENVIRONMENT))
    _own_session: AwsSession = field(default_factory=lambda: AwsSession(environment=ENVIRONMENT))
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _bucket_numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def environment(self) -> dict[str, str]:
        return dict(ENVIRONMENT)

    def session(self, **changes: str) -> AwsSession:
        """Of another client, with an environment of its own."""
        return AwsSession(environment={**self.environment, **changes})

    def client(self, service: str = "s3") -> Any:
        """A plain one: stores read listings their own way, and what they register on their clients must not reach it."""
        return self._own_session.client(service, endpoint_url=self.endpoint_url)

    def make_bucket(self) -> str:
        """A fresh one, empty."""
        bucket = f"test-{os.getpid()}-{next(self._bucket_numbers)}"
        self.client().create_bucket(Bucket=bucket)
        return bucket

    def make_address(self) -> BucketAddress:
        """A fresh prefix of a bucket that tests share: in SeaweedFS a bucket of one's own costs half a second."""
        bucket = f"shared-{os.getpid()}"
        if (number := next(self._numbers)) == 0:
            self.client().create_bucket(Bucket=bucket)
        return BucketAddress(bucket, f"place-{number}")

    def make_store(self, address: BucketAddress | None = None, **options: Any) -> S3Store:
        """On a fresh prefix, if no address is given."""
        return S3Store(address or self.make_address(), self.shared_session, endpoint_url=self.endpoint_url, **options)


def find_tool(name: str) -> Path:
    """Beside this Python or on the path; a test that needs a missing one is skipped by its name."""
    beside = Path(sysconfig.get_path("scripts")) / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        pytest.skip(f"`{name}` is not installed")
    return Path(found)


def find_free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [opened.getsockname()[1] for opened in sockets]
    for opened in sockets:
        opened.close()
    return ports


@contextmanager
def run_server(command: list[str], url: str, log: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Yields when it answers; ends exactly the process that was started here."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, **environment}, cwd=log.parent)
    try:
        _wait_until_answering(process, url, log)
        yield process
    finally:
        # nothing of what it holds is wanted: no need to wait for an orderly end
        process.kill()
        process.wait()


def _wait_until_answering(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except urllib.error.HTTPError as answer:
            answer.close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"{process.args!r} did not start:\n{log.read_text(errors='replace')[-2000:]}")


@pytest.fixture(scope="session")
def seaweedfs(nets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    from tests.support.seaweedfs import start_seaweedfs

    with start_seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as server:
        yield server


@pytest.fixture(scope="session")
def moto_server(nets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    from tests.support.moto_server import start_moto

    with start_moto(tmp_path_factory.mktemp("moto")) as server:
        yield server


@pytest.fixture(scope="session")
def ministack_server(nets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MiniStack]:
    from tests.support.ministack_server import start_ministack

    with start_ministack(tmp_path_factory.mktemp("ministack")) as server:
        yield server


@pytest.fixture
def ministack(ministack_server: MiniStack) -> MiniStack:
    """With an account that owns nothing."""
    ministack_server.reset()
    return ministack_server
