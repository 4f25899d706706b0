"""Two targets of one account publish at the same moment in the month's last free paths, without a shared ledger and with one.

    python benchmarks/two_targets.py [--rounds 5]

Real processes, S3 and CloudFront of moto's server. Each publish needs 29 paths, 40 are free. Prints a line for each round: paths used in all, and how many
each of the two sent.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.contracts.test_cdn import create_on_emulator
from tests.support.moto_server import start_moto
from tests.support.servers import ENVIRONMENT

FREE = 40
FILES = 60


@dataclass(frozen=True, slots=True)
class Cloud:
    endpoint_url: str
    s3: Any
    cloudfront: Any

    def make_bucket(self) -> str:
        name = f"b{uuid.uuid4().hex[:12]}"
        self.s3.create_bucket(Bucket=name)
        return name

    def distributions(self) -> list[str]:
        return [each["Id"] for each in self.cloudfront.list_distributions()["DistributionList"].get("Items", [])]

    def forget_distributions(self) -> None:
        for name in self.distributions():
            self.cloudfront.delete_distribution(Id=name, IfMatch="x")


@contextmanager
def start_cloud() -> Iterator[Cloud]:
    with tempfile.TemporaryDirectory() as folder, start_moto(Path(folder)) as server:
        yield Cloud(server.endpoint_url, server.client("s3"), server.client("cloudfront"))


def make_site(cloud: Cloud, folder: Path, ledger: str | None) -> None:
    folder.mkdir()
    target = {
        "store": f"s3://{cloud.make_bucket()}",
        "endpoint_url": cloud.endpoint_url,
        "cdn_endpoint_url": cloud.endpoint_url,
        "distribution": create_on_emulator(cloud.cloudfront),
        **({"ledger": f"s3://{ledger}/paths"} if ledger else {}),
    }
    config = {"version": 1, "source": "public", "invalidation": {"free_paths": FREE, "tags": "never"}, "targets": {"t": target}}
    (folder / "sitepub.yaml").write_text(json.dumps(config))


def write(folder: Path, version: int) -> None:
    """Every second file changes with the version, so that nothing can be folded without need."""
    for number in range(FILES):
        place = folder / "public" / str(number % 7) / f"{number}.html"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"<p>{number} {version if number % 2 else 0}")


def publish(folders: list[Path], environment: Mapping[str, str]) -> list[int]:
    """Both at once. Returns how many paths each sent."""
    command = [str(Path(sys.executable).parent / "sitepub"), "publish", "--json"]
    running = [
        subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) for folder in folders
    ]
    told = [json.loads(process.communicate()[0]) for process in running]
    return [0 if each["invalidation"]["state"] == "owed" else len(each["invalidation"]["items"]) for each in told]


def measure(cloud: Cloud, *, is_shared: bool) -> list[int]:
    cloud.forget_distributions()
    ledger = cloud.make_bucket() if is_shared else None
    with tempfile.TemporaryDirectory() as scratch:
        environment = {**os.environ, **ENVIRONMENT, "HOME": scratch, "XDG_CACHE_HOME": scratch}
        folders = [Path(scratch, name) for name in ("one", "other")]
        for folder in folders:
            make_site(cloud, folder, ledger)
            write(folder, 1)
        publish(folders, environment)
        for folder in folders:
            write(folder, 2)
        return publish(folders, environment)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with start_cloud() as cloud:
        for is_shared in (False, True):
            for _ in range(rounds):
                sent = measure(cloud, is_shared=is_shared)
                print("with a ledger:" if is_shared else "without one:", f"{sum(sent)} of {FREE} free paths, {sent}", flush=True)


if __name__ == "__main__":
    main()
