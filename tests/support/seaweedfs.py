"""SeaweedFS: a real S3 server, with conditional writes, checksums and signatures, in one process."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.servers import ACCESS_KEY, SECRET_KEY, S3Server, find_free_ports, find_tool, run_server

_SERVICES = ("master", "filer", "volume", "s3", "admin")


@contextmanager
def start_seaweedfs(folder: Path, *, metrics_port: int | None = None) -> Iterator[S3Server]:
    numbers = iter(find_free_ports(2 * len(_SERVICES)))
    ports = {name: (next(numbers), next(numbers)) for name in _SERVICES}
    (folder / "files").mkdir()
    command = [
        str(find_tool("weed")),
        "mini",
        f"-dir={folder / 'files'}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-master.telemetry=false",
        "-webdav=false",
        "-admin.ui=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-volume.max=4000",
        *((f"-metricsPort={metrics_port}",) if metrics_port else ()),
        *(f"-{name}.port={http}" for name, (http, _) in ports.items()),
        *(f"-{name}.port.grpc={grpc}" for name, (_, grpc) in ports.items()),
    ]
    url = f"http://127.0.0.1:{ports['s3'][0]}"
    keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
    with run_server(command, url, folder / "log", keys) as process:
        server = S3Server("seaweedfs", url, process)
        _wait_until_writing(server)
        yield server


def _wait_until_writing(server: S3Server) -> None:
    """It listens before its first volume is there."""
    bucket = server.make_bucket()
    for _ in range(100):
        try:
            server.client().put_object(Bucket=bucket, Key="ready", Body=b"ready")
            return
        except Exception:
            time.sleep(0.1)
    raise RuntimeError("SeaweedFS takes no bodies")
