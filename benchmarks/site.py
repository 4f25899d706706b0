"""Scan to rewrite of a large documentation package: files read, references found, names chosen, pages rewritten and checked, on one core and on
all; beside it, in the same run, the parse alone of the same pages by turbohtml (a C parser of HTML, which rewrites nothing).

    .venv/bin/python benchmarks/site.py [--runs 3] [FOLDER]

Without FOLDER it takes Debian's openjdk-17-doc (10,000 pages), which it unpacks into benchmarks/.work without installing it.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import turbohtml

from sitepub.commands.progress import NoProgress
from sitepub.core.settings import Config, FolderAddress, Links, Target
from sitepub.local.cache import open_cache
from sitepub.local.source import scan_source
from sitepub.site import build_site

WORK = Path(__file__).resolve().parent / ".work"
PACKAGE = "openjdk-17-doc"


def find_pages() -> Path:
    unpacked = WORK / PACKAGE
    if not unpacked.exists():
        unpacked.mkdir(parents=True)
        subprocess.run(["apt-get", "download", "-q", PACKAGE], cwd=unpacked, check=True)
        (archive,) = unpacked.glob("*.deb")
        subprocess.run(["dpkg-deb", "-x", archive, unpacked], check=True)
        archive.unlink()
        for path in unpacked.rglob("*"):
            if path.is_symlink() and not path.exists():
                path.unlink()  # into packages that are not here
    return next(path for path in unpacked.rglob("api") if path.is_dir() and not path.is_symlink())


def build(folder: Path, executor: Executor | None) -> int:
    """Returns how many pages and assets came out."""
    source = scan_source(folder, links=Links.FOLLOW)
    target = Target("t", FolderAddress(WORK / "out"))
    config = Config(WORK / "sitepub.yaml", folder, {"t": target})
    with closing(open_cache(None)) as cache:
        site = build_site(source, config, target, cache=cache, executor=executor, has_distribution=False, progress=NoProgress())
    return len(site.manifest)


def parse_alone(folder: Path) -> int:
    pages = list(folder.rglob("*.html"))
    for page in pages:
        turbohtml.parse(page.read_bytes().decode(errors="replace"))
    return len(pages)


def build_on_all(folder: Path) -> int:
    """With a pool of its own, which is waited for: only then its processor time is known."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        return build(folder, pool)


def measure(call: Callable[[Path], int], folder: Path) -> tuple[float, float]:
    """Seconds of wall and processor time, of all processes."""
    before, started = os.times(), time.perf_counter()
    call(folder)
    wall, after = time.perf_counter() - started, os.times()
    return wall, sum(after[:4]) - sum(before[:4])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3, help="each of all, in turn; the best of each counts")
    parser.add_argument("folder", type=Path, nargs="?")
    arguments = parser.parse_args()
    folder = arguments.folder or find_pages()
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    megabytes = sum(sizes) / 1e6
    print(f"{folder.name}: {len(sizes):,} files, {megabytes:.0f} MB; Python {platform.python_version()}, turbohtml {version('turbohtml')}")
    calls: dict[str, Callable[[Path], int]] = {
        "turbohtml, parse of the pages alone": parse_alone,
        "sitepub, scan to rewrite, one process": lambda folder: build(folder, None),
        f"sitepub, scan to rewrite, {os.cpu_count()} processes": build_on_all,
    }
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in calls}
    for _ in range(arguments.runs):
        for name, call in calls.items():
            found[name].append(measure(call, folder))
    parse = min(cpu for _, cpu in found["turbohtml, parse of the pages alone"])
    print(f"{'best of ' + str(arguments.runs):40}{'s wall':>8}{'MB/s':>7}{'s processor':>13}{'MB/s':>7}{'parses':>8}")
    for name, times in found.items():
        wall, cpu = min(wall for wall, _ in times), min(cpu for _, cpu in times)
        print(f"{name:40}{wall:8.2f}{megabytes / wall:7.1f}{cpu:13.2f}{megabytes / cpu:7.1f}{cpu / parse:8.2f}")
    print(f"peak memory of the main process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
