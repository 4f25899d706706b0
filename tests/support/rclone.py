"""`rclone serve s3`: a real S3 server that ignores conditions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.servers import ACCESS_KEY, SECRET_KEY, S3Server, find_free_ports, find_tool, run_server


@contextmanager
def start_rclone(folder: Path) -> Iterator[S3Server]:
    (port,) = find_free_ports(1)
    (folder / "files").mkdir()
    url = f"http://127.0.0.1:{port}"
    options = ["--addr", f"127.0.0.1:{port}", "--auth-key", f"{ACCESS_KEY},{SECRET_KEY}", "--vfs-cache-mode", "off"]
    command = [str(find_tool("rclone")), "--config", str(folder / "none"), "serve", "s3", *options, str(folder / "files")]
    with run_server(command, url, folder / "log", {}) as process:
        yield S3Server("rclone", url, process)


@pytest.fixture(scope="session")
def rclone(nets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with start_rclone(tmp_path_factory.mktemp("rclone")) as server:
        yield server
