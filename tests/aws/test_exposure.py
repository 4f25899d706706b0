"""Records that visitors can read stop a first publish, before anything worth reading is there."""

from __future__ import annotations

import functools
import http.server
import socketserver
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from sitepub.aws.exposure import check_hidden, visitor_addresses
from sitepub.aws.probe import open_probe
from sitepub.core.settings import BucketAddress
from sitepub.errors import ConfigurationError, ExitStatus
from sitepub.interfaces import Store
from sitepub.local.folder_store import FolderStore
from tests.support.servers import S3Server


def look(records: Store, addresses: Iterable[str]) -> None:
    with open_probe(records) as probe:
        check_hidden(probe, addresses)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        return None


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """A web server that serves the whole folder, records included."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=tmp_path)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


def test_records_that_a_web_server_shows_are_noticed_and_nothing_is_left(tmp_path: Path, site: str) -> None:
    records = FolderStore(tmp_path / ".sitepub")
    with pytest.raises(ConfigurationError) as caught:
        look(records, [f"{site}nowhere", f"{site}.sitepub/state.json"])
    assert (caught.value.code, caught.value.status) == ("records-are-public", ExitStatus.CONFIGURATION)
    assert f"`{site}.sitepub/`" in caught.value.message
    assert list(records.list()) == []


def test_an_address_that_refuses_or_does_not_answer_shows_nothing(tmp_path: Path, site: str) -> None:
    look(FolderStore(tmp_path / "elsewhere"), [f"{site}.sitepub/state.json", "http://127.0.0.1:1/x", "no address"])


class Wordless(socketserver.BaseRequestHandler):
    """Answers, but not in HTTP."""

    def handle(self) -> None:
        self.request.recv(4096)
        self.request.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")


def test_what_speaks_no_http_shows_nothing(tmp_path: Path) -> None:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Wordless) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            look(FolderStore(tmp_path / "records"), [f"http://127.0.0.1:{server.server_address[1]}/x"])
        finally:
            server.shutdown()
            thread.join()


def test_a_private_bucket_is_hidden(seaweedfs: S3Server) -> None:
    bucket = seaweedfs.make_bucket()
    store = seaweedfs.make_store(BucketAddress(bucket, ".sitepub"))
    address = BucketAddress(bucket, ".sitepub")
    look(store, visitor_addresses(address, endpoint_url=seaweedfs.endpoint_url, region="us-east-1", site_url=None))


def test_the_bucket_and_the_site_are_asked() -> None:
    records = BucketAddress("b", "site/.sitepub")
    assert visitor_addresses(records, endpoint_url=None, region="eu-central-1", site_url="https://www.example.com/docs/") == (
        "https://s3.eu-central-1.amazonaws.com/b/site/.sitepub/state.json",
        "https://www.example.com/docs/.sitepub/state.json",
    )
    assert visitor_addresses(BucketAddress("b"), endpoint_url=None, region="cn-north-1", site_url=None) == (
        "https://s3.cn-north-1.amazonaws.com.cn/b/state.json",
    )
    assert visitor_addresses(BucketAddress("b"), endpoint_url="http://s3.local:9000/", region="x", site_url=None) == (
        "http://s3.local:9000/b/state.json",
    )
