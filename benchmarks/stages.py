"""Where the time of a run goes, beside what no program could do without: one table of stages, one of limits, of the same minute.

    .venv/bin/python benchmarks/stages.py [--files 2000] [--runs 3] [--write]

Publishes the site of publish.py to SeaweedFS on the same machine, stage by stage as there, with a clock around what the run is made of. The clock
imports all of sitepub before it starts, so start-up is told too high for a run with nothing to do, which imports less. The limits are an interpreter
that does nothing, one `stat` a file, SHA-256 of all bytes, and the pages' bodies put by 64 threads of obstore that do nothing else.
`--write` puts the tables into docs/performance.md.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial, wraps
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

STAGES = {
    "scan": ("preparing.scan",),
    "survey": ("site.survey_site", "preparing_earlier.find_earlier"),
    "rewrite": ("site.rewrite_site", "preparing_earlier.patch"),
    "compare": ("pipeline.decide",),
    "pack": ("uploading._send_packs",),
    "upload": ("uploading._write_release", "uploading.run_all"),
    "promote": ("pipeline.promote",),
    "records": ("pipeline._begin", "pipeline._finish"),
}
"""What a column is made of: functions, by the module that calls them."""

RUNS = ("first", "nothing to do", "one page", "rebuilt", "stylesheet")
PUTS_AT_ONCE = 64


def run_with_clock(answer: Path, arguments: list[str]) -> None:
    """One run of sitepub in this process; writes the seconds of each stage, of start-up, and of all."""
    spent: dict[str, float] = defaultdict(float)

    def timed(call: Callable[..., Any], stage: str) -> Callable[..., Any]:
        @wraps(call)
        def wrapped(*given: object, **named: object) -> object:
            started = time.perf_counter()
            try:
                return call(*given, **named)
            finally:
                spent[stage] += time.perf_counter() - started

        return wrapped

    for stage, names in STAGES.items():
        for name in names:
            module, _, function = name.rpartition(".")
            found = importlib.import_module(f"sitepub.{module}")
            setattr(found, function, timed(getattr(found, function), stage))
    cli = importlib.import_module("sitepub.cli")
    spent["start-up"] = time.time() - float(os.environ["STARTED"])
    status = cli.run(arguments)
    answer.write_text(json.dumps({**spent, "all": time.time() - float(os.environ["STARTED"])}))
    sys.exit(status)


def put_pages(site: Path, bucket: str, endpoint: str) -> None:
    """Runs where obstore is; prints the seconds that the pages took."""
    obstore = importlib.import_module("obstore")
    keys = {name: os.environ[f"AWS_{name.upper()}"] for name in ("access_key_id", "secret_access_key")}
    store = importlib.import_module("obstore.store").S3Store(
        bucket, endpoint=endpoint, region="us-east-1", client_options={"allow_http": True}, **keys
    )
    bodies = {path.name: path.read_bytes() for path in (site / "public").rglob("*.html")}
    started = time.perf_counter()
    with ThreadPoolExecutor(PUTS_AT_ONCE) as pool:
        list(pool.map(lambda name: obstore.put(store, f"bare/{name}", bodies[name], mode="create", use_multipart=False), bodies))
    print(time.perf_counter() - started)


def take_limits(site: Path, bucket: str, endpoint: str, environment: dict[str, str]) -> dict[str, float]:
    from benchmarks import publish

    python = str(publish.OURS / "bin/python")
    taken: dict[str, float] = {}
    started = time.perf_counter()
    subprocess.run([python, "-c", "pass"], env=environment, check=True)
    taken["an interpreter that does nothing"] = time.perf_counter() - started
    started, files, folders = time.perf_counter(), [], [str(site / "public")]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir():
                    folders.append(entry.path)
                else:
                    entry.stat(follow_symlinks=False)
                    files.append(entry.path)
    taken["one `stat` a file"] = time.perf_counter() - started
    bodies = [Path(path).read_bytes() for path in files]
    started = time.perf_counter()
    for body in bodies:
        hashlib.sha256(body).digest()
    taken["SHA-256 of all bytes, one thread"] = time.perf_counter() - started
    command = [python, __file__, "--put", str(site), bucket, endpoint]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    taken["puts of the pages and nothing else"] = float(done.stdout)
    return taken


def measure(files: int, runs: int) -> tuple[list[dict[str, dict[str, float]]], list[dict[str, float]]]:
    """For each run the seconds of each stage by what was done, and the limits."""
    from benchmarks import publish

    rows, limits = [], []
    with publish.counting_server(publish.WORK / "seaweedfs") as (server, _):
        for number in range(runs):
            site, bucket = publish.WORK / "sites" / f"stages-{number}", server.make_bucket()
            shutil.rmtree(site, ignore_errors=True)
            publish.make_site(site, files)
            publish.configure_sitepub(site, bucket, server)
            own = {"SITEPUB_CACHE": str(site / "cache"), "GIT_CEILING_DIRECTORIES": str(publish.WORK)}
            environment = {**publish.clean_environment(), **server.environment, **own}
            taken: dict[str, dict[str, float]] = {}
            for what in RUNS:
                publish.edit(site, what, number, is_ours=True)
                answer = site / "stages.json"
                command = [str(publish.OURS / "bin/python"), __file__, "--clock", str(answer), "publish", "-q", "-C", str(site)]
                subprocess.run(command, env={**environment, "STARTED": str(time.time())}, check=True)
                taken[what] = json.loads(answer.read_text())
            rows.append(taken)
            limits.append(take_limits(site, bucket, server.endpoint_url, environment))
            shutil.rmtree(site)
    return rows, limits


def render(files: int, rows: list[dict[str, dict[str, float]]], limits: list[dict[str, float]]) -> list[str]:
    columns = ["start-up", *STAGES]
    lines = [f"| seconds, {files:,} files | all | {' | '.join(columns)} | rest |", "|---|" + "---|" * (len(columns) + 2)]
    for what in RUNS:
        of = partial(_median, [taken[what] for taken in rows])
        rest = max(0.0, of("all") - sum(map(of, columns)))
        lines.append(
            f"| {what} | {of('all'):.2f} | {' | '.join(f'{of(column):.2f}' if of(column) else '' for column in columns)} | {rest:.2f} |"
        )
    bare = ["| limit | s |", "|---|---|", *(f"| {name} | {_median(limits, name):.3f} |" for name in limits[0])]
    return ["\n".join(lines), "\n".join(bare)]


def _median(taken: list[dict[str, float]], column: str) -> float:
    return statistics.median(each.get(column, 0.0) for each in taken)


def main() -> None:
    if sys.argv[1:2] == ["--clock"]:
        run_with_clock(Path(sys.argv[2]), sys.argv[3:])
    if sys.argv[1:2] == ["--put"]:
        put_pages(Path(sys.argv[2]), sys.argv[3], sys.argv[4])
        return
    from benchmarks import publish
    from benchmarks.page import write_tables

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    options = parser.parse_args()
    publish.WORK.mkdir(exist_ok=True)
    publish.install(["sitepub"])
    tables = render(options.files, *measure(options.files, options.runs))
    print("\n\n".join(tables))
    if options.write:
        write_tables("stages.py", tables, f"medians of {options.runs}; SeaweedFS on the same cores")


if __name__ == "__main__":
    main()
