"""Scan to rewrite of a large documentation package: files read, references found, names chosen, pages rewritten and checked, on one core and on
all; beside it, in the same run, the parse alone of the same pages by turbohtml (a C parser of HTML, which rewrites nothing).

    .venv/bin/python benchmarks/site.py [FOLDER]

Without FOLDER it takes Debian's openjdk-17-doc (10,000 pages), which it unpacks into benchmarks/.work without installing it.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import closing, nullcontext
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


def measure(name: str, megabytes: float, call: Callable[[], int]) -> None:
    before, started = os.times(), time.perf_counter()
    count = call()
    wall, after = time.perf_counter() - started, os.times()
    cpu = after.user + after.system + after.children_user + after.children_system
    cpu -= before.user + before.system + before.children_user + before.children_system
    print(f"{name:38} {wall:6.2f} s wall {cpu:6.2f} s processor {megabytes / wall:7.1f} MB/s  ({count:,})")


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else find_pages()
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    megabytes = sum(sizes) / 1e6
    print(f"{folder}: {len(sizes):,} files, {megabytes:.0f} MB")
    measure("turbohtml, parse of the pages alone", megabytes, lambda: parse_alone(folder))
    measure("sitepub, scan to rewrite, one process", megabytes, lambda: build(folder, None))
    workers = os.cpu_count() or 1
    with ProcessPoolExecutor(workers) if workers > 1 else nullcontext() as pool:
        measure(f"sitepub, scan to rewrite, {workers} processes", megabytes, lambda: build(folder, pool))
    print(f"peak memory of the main process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
