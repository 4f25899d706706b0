"""How soon a saved page is live: `sitepub watch` on a site of 10,000 files, to an S3 server on the same machine.

    .venv/bin/python benchmarks/watch.py [--files 10000] [--runs 10] [--write]

A page is written, and asked for at the server until it is the new one; what is told is the time from the end of the settling (0.2 s without a
change) on. Beside it, in turns, `s5cmd cp` and `aws s3 cp` bring the same page to a bucket of their own, told which one it is: the whole process.
`--write` puts the table into docs/performance.md.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import publish
from benchmarks.page import write_tables
from sitepub.local.watcher import SETTLE_SECONDS
from tests.support.servers import S3Server

PEERS = ("s5cmd", "aws")
LONGEST_SECONDS = 300.0


@contextmanager
def watching(site: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    command = [str(publish.OURS / "bin/sitepub"), "watch", "--no-color", "-C", str(site)]
    with (site / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            process.wait()


def wait_until(is_so: Callable[[], bool], process: subprocess.Popen[bytes], pause: float) -> float:
    """When it was so."""
    deadline = time.perf_counter() + LONGEST_SECONDS
    while not is_so():
        if process.poll() is not None or time.perf_counter() > deadline:
            sys.exit("`sitepub watch` has ended, or publishes nothing")
        time.sleep(pause)
    return time.perf_counter()


def holds(client: Any, bucket: str, key: str, text: str) -> bool:
    try:
        return text in client.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    except client.exceptions.NoSuchKey:
        return False


def measure(files: int, runs: int) -> dict[str, list[float]]:
    """Milliseconds."""
    site = publish.WORK / "watched"
    shutil.rmtree(site, ignore_errors=True)
    publish.make_site(site, files)
    pages = publish.list_pages(site)
    with publish.counting_server(publish.WORK / "seaweedfs") as (server, _):
        client, bucket, other = server.client(), server.make_bucket(), server.make_bucket()
        publish.configure_sitepub(site, bucket, server)
        own = {"SITEPUB_CACHE": str(site / "cache"), "GIT_CEILING_DIRECTORIES": str(publish.WORK)}
        environment = {**publish.clean_environment(), **server.environment, **own}
        found: dict[str, list[float]] = {tool: [] for tool in ("sitepub", *PEERS)}
        with watching(site, environment) as process:
            wait_until(lambda: b"published" in (site / "log").read_bytes(), process, 0.5)
            for run in range(runs + 1):
                page = pages[run * 7]
                key, text = page.relative_to(site / "public").as_posix(), f"<p>saved {run}</p>"
                time.sleep(1.0)
                body = page.read_text()
                page.write_text(f"{body}{text}\n")
                saved = time.perf_counter()
                live = wait_until(lambda: holds(client, bucket, key, text), process, 0.002)  # noqa: B023
                wait_until(lambda: (site / "log").read_bytes().count(b"published") > run + 1, process, 0.05)  # noqa: B023
                took = {"sitepub": 1000 * (live - saved - SETTLE_SECONDS)}
                took |= {peer: time_copy(peer, page, other, key, server, environment) for peer in PEERS}
                if not holds(client, other, key, text):
                    sys.exit(f"{other} holds an old {key}")
                if run:  # the first one is for connections and the like to be made
                    for tool, milliseconds in took.items():
                        found[tool].append(milliseconds)
                print(f"  run {run}: " + ", ".join(f"{tool} {ms:.0f} ms" for tool, ms in took.items()), file=sys.stderr, flush=True)
    shutil.rmtree(site)
    return found


def time_copy(peer: str, page: Path, bucket: str, key: str, server: S3Server, environment: dict[str, str]) -> float:
    program = [publish._peer(peer), "--endpoint-url", server.endpoint_url]
    quiet = ["s3", "cp", "--only-show-errors"] if peer == "aws" else ["cp"]
    started = time.perf_counter()
    subprocess.run([*program, *quiet, page, f"s3://{bucket}/{key}"], env=environment, check=True, stdout=subprocess.DEVNULL)
    return 1000 * (time.perf_counter() - started)


def render(found: dict[str, list[float]], files: int) -> str:
    names = {
        "sitepub": f"`sitepub watch`, {files:,} files, from the end of settling",
        "s5cmd": "`s5cmd cp` of that page",
        "aws": "`aws s3 cp` of that page",
    }
    lines = ["| from a saved page to it being live | ms, median | least | most |", "|---|---|---|---|"]
    for tool, times in found.items():
        lines.append(f"| {names[tool]} | {statistics.median(times):.0f} | {min(times):.0f} | {max(times):.0f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    options = parser.parse_args()
    publish.WORK.mkdir(exist_ok=True)
    publish.install(["sitepub", *PEERS])
    table = render(measure(options.files, options.runs), options.files)
    print(table)
    if options.write:
        versions = ", ".join(publish.PACKAGES[peer].replace("==", " ") for peer in PEERS)
        write_tables("watch.py", [table], f"{options.runs} runs; SeaweedFS on the same cores; {versions}")


if __name__ == "__main__":
    main()
