"""How cost grows with the size of a site: a run with nothing to do and one with a single changed page, to a folder.

    .venv/bin/python benchmarks/growth.py [--files 20000,200000] [--runs 3] [--write]

Small pages in folders of 500 that load one stylesheet. Each run is a process of sitepub as users have it; beside it, at the smallest size, in
turns, `rclone sync` (tuned: by size and time, 64 at once) brings the same folder to a folder of its own. After each changed page it is checked
that the target has it. Memory is the peak of the process; a file of it is what the largest site takes more than the smallest, for each file more.
`--files 20000,1000000` for a million. `--write` puts the table into docs/performance.md.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.page import write_tables
from benchmarks.publish import OURS, PACKAGES, PEERS, WORK, install

FOLDER_OF = 500
STAGES = ("first", "nothing to do", "one page")


@dataclass(frozen=True, slots=True)
class Taken:
    """`memory` in bytes; `requests` as sitepub counts them, of a peer None."""

    wall: float
    cpu: float
    memory: int
    requests: int | None


Figures = dict[tuple[int, str, str], list[Taken]]
"""By files, stage and tool."""


def make_site(site: Path, files: int) -> None:
    public = site / "public"
    public.mkdir(parents=True)
    (public / "style.css").write_text("body { margin: 0 }\n")
    for number in range(files - 1):
        path = page_of(site, number)
        if number % FOLDER_OF == 0:
            path.parent.mkdir()
        path.write_text(
            f'<!doctype html><title>{number}</title><link rel="stylesheet" href="../style.css">\n<p>page {number}, {number**3:x}</p>\n'
        )
    (site / "sitepub.yaml").write_text("source: public\nfingerprint: {aliases: never}\ntargets:\n  there:\n    store: file:published\n")
    time.sleep(0.1)


def page_of(site: Path, number: int) -> Path:
    return site / "public" / f"f{number // FOLDER_OF}" / f"page{number}.html"


def run(command: list[str | Path], site: Path) -> Taken:
    """Of one process, and the processes that it waited for."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH")}
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, stdout=output, env={**environment, "SITEPUB_CACHE": str(site / "cache"), "GIT_CEILING_DIRECTORIES": str(WORK)}
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"{command[0]} ended with {process.returncode}")
        requests = read_requests(output)
    return Taken(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, requests)


def read_requests(output: IO[bytes]) -> int | None:
    """Of the end alone: what a first publish tells of a large site would be in the memory of this process, and with it in that of each it starts."""
    length = output.seek(0, os.SEEK_END)
    output.seek(max(0, length - 4096))
    found = re.search(rb'"requests": {\s*"store": (\d+)', output.read())
    return int(found[1]) if found else None


def measure(site: Path, files: int, runs: int, *, has_peer: bool) -> Figures:
    commands: dict[str, tuple[list[str | Path], Path]] = {
        "sitepub": ([OURS / "bin/sitepub", "publish", "-q", "--json", "-C", site], site / "published")
    }
    if has_peer:
        tuned = ["--transfers", "64", "--checkers", "64", "-q"]
        commands["rclone"] = ([PEERS / "bin/rclone", "sync", site / "public", site / "copied", *tuned], site / "copied")
    figures: Figures = {}
    for stage in STAGES:
        for number in range(1 if stage == "first" else runs):
            if stage == "one page":
                edit(site, number)
            for tool, (command, target) in commands.items():
                taken = run(command, site)
                figures.setdefault((files, stage, tool), []).append(taken)
                print(f"  {files} files, {stage}: {tool} {taken.wall:.2f} s, {taken.cpu:.2f} s processor", file=sys.stderr, flush=True)
                if stage == "one page":
                    check(target, site, number)
    return figures


def edit(site: Path, number: int) -> None:
    with page_of(site, number).open("a") as page:
        page.write(f"<p>edited {number}</p>\n")
    time.sleep(0.3)  # a build ends before a publish begins


def check(target: Path, site: Path, number: int) -> None:
    """A publish that is wrong is no time."""
    if f"edited {number}" not in (target / page_of(site, number).relative_to(site / "public")).read_text():
        sys.exit(f"{target} holds an old page")


def render(figures: Figures, sizes: list[int]) -> str:
    lines = [
        "| | files | s wall (least–most) | s processor | requests | peak MB | times the wall of the smallest | rclone, s wall | s processor |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for stage in STAGES:
        for files in sizes:
            ours, peer = figures[files, stage, "sitepub"], figures.get((files, stage, "rclone"))
            walls, wall = [taken.wall for taken in ours], _wall(figures, files, stage)
            row = [
                stage,
                f"{files:,}",
                f"{wall:.2f} ({min(walls):.2f}–{max(walls):.2f})",
                f"{statistics.median(taken.cpu for taken in ours):.2f}",
                f"{max(taken.requests or 0 for taken in ours)}",
                f"{max(taken.memory for taken in ours) / 1e6:.0f}",
                "" if files == sizes[0] else f"{wall / _wall(figures, sizes[0], stage):.1f}",
                f"{statistics.median(taken.wall for taken in peer):.2f}" if peer else "",
                f"{statistics.median(taken.cpu for taken in peer):.2f}" if peer else "",
            ]
            lines.append("| " + " | ".join(row) + " |")
    return "\n".join([*lines, "", *(f"{_memory_of_a_file(figures, sizes, stage)}" for stage in STAGES if len(sizes) > 1)])


def _wall(figures: Figures, files: int, stage: str) -> float:
    return statistics.median(taken.wall for taken in figures[files, stage, "sitepub"])


def _memory_of_a_file(figures: Figures, sizes: list[int], stage: str) -> str:
    least, most = (max(taken.memory for taken in figures[files, stage, "sitepub"]) for files in (sizes[0], sizes[-1]))
    return f"- {stage}: {(most - least) / (sizes[-1] - sizes[0]):,.0f} bytes of memory for each file more"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", default="20000,200000")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    options = parser.parse_args()
    sizes = sorted(map(int, options.files.split(",")))
    WORK.mkdir(exist_ok=True)
    install(["sitepub", "rclone"])
    figures: Figures = {}
    for files in sizes:
        site = WORK / "growth"
        shutil.rmtree(site, ignore_errors=True)
        make_site(site, files)
        figures |= measure(site, files, options.runs, has_peer=files == sizes[0])
        shutil.rmtree(site)
    table = render(figures, sizes)
    print(table)
    if options.write:
        write_tables(
            "growth.py",
            [table],
            f"medians of {options.runs}, one first publish of each size; {PACKAGES['rclone'].replace('==', ' ')}",
            f"--files {options.files}",
        )


if __name__ == "__main__":
    main()
