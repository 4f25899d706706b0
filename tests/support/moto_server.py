"""moto as a server: STS, CloudFront and what SeaweedFS lacks of S3; it checks neither signatures nor checksums."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.servers import S3Server, find_free_ports, find_tool, run_server


@contextmanager
def start_moto(folder: Path) -> Iterator[S3Server]:
    (port,) = find_free_ports(1)
    url = f"http://127.0.0.1:{port}"
    command = [str(find_tool("moto_server")), "-H", "127.0.0.1", "-p", str(port)]
    # a certificate is issued when it is asked for, not a minute later
    with run_server(command, f"{url}/moto-api/", folder / "log", {"MOTO_ACM_VALIDATION_WAIT": "0"}) as process:
        yield S3Server("moto", url, process)
