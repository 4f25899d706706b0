"""Reads real files with each scanner and with the parser that judges it in the tests, in the same run: processor time, best of the runs, MB/s.

    .venv/bin/python benchmarks/scanners.py [--runs 3] [--megabytes 6] [HTML FOLDER] (default: what tests/get_sites got)

The parsers do what the scanner needs of them: build their tree and visit what may hold a URL. None of them tells where in the file it stands,
in bytes. tinycss2 is slow, so it gets every file once; acorn runs within one node process, which is warm from the second run on.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sitepub.core.references.css import scan_css
from sitepub.core.references.html import scan_html
from sitepub.core.references.javascript import scan_javascript

ROOT = Path(__file__).resolve().parent.parent
SITES = ROOT / "tests" / ".sites"
PACKAGES = Path(os.environ.get("SITEPUB_TEST_SITES") or SITES / "npm") / "node_modules"

ACORN = """
const { createRequire } = require("node:module");
const { readFileSync } = require("node:fs");
const { root, files, runs } = JSON.parse(readFileSync(0, "utf8"));
const load = createRequire(root + "/index.js");
const acorn = load("acorn"), walk = load("acorn-walk");
const texts = files.map((file) => readFileSync(file, "utf8"));
function read(text) {
  for (const sourceType of ["module", "script"]) {
    try {
      const tree = acorn.parse(text, { ecmaVersion: "latest", sourceType, allowHashBang: true });
      walk.full(tree, () => {});
      return;
    } catch {}
  }
}
let best = Infinity;
for (let run = 0; run < runs; run++) {
  const before = process.cpuUsage();
  texts.forEach(read);
  const spent = process.cpuUsage(before);
  best = Math.min(best, (spent.user + spent.system) / 1e6);
}
console.log(best);
"""


def main() -> None:
    """Measures, and prints a table."""
    arguments = _parse_arguments()
    budget = int(arguments.megabytes * 1e6)
    html = _pick(arguments.html, (".html",), budget)
    css = _pick(PACKAGES, (".css",), budget)
    javascript = _pick(PACKAGES, (".js", ".mjs"), budget)
    print(f"{'language':12}{'files':>7}{'MB':>7}{'sitepub':>10}{'peer':>10}{'ratio':>8}   peer")
    _report("HTML", html, scan_html, _time_with(_read_with_turbohtml), arguments.runs, "turbohtml")
    _report("CSS", css, scan_css, _time_with(_read_with_tinycss2), arguments.runs, "tinycss2")
    _report("JavaScript", javascript, scan_javascript, _time_acorn, arguments.runs, "acorn, in node")


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--megabytes", type=float, default=6, help="how much of each language to read")
    parser.add_argument("html", type=Path, nargs="?", default=SITES / "debian", help="a folder of pages")
    return parser.parse_args()


def _pick(folder: Path, endings: tuple[str, ...], budget: int) -> list[Path]:
    """Files spread evenly over the folder, up to the budget in bytes."""
    found = sorted(path for path in folder.rglob("*") if path.suffix in endings and path.is_file() and not path.is_symlink())
    step = max(1, round(sum(path.stat().st_size for path in found) / budget))
    return found[::step]


def _report(
    language: str,
    files: Sequence[Path],
    scan: Callable[[bytes], object],
    time_peer: Callable[[Sequence[Path], int], float | None],
    runs: int,
    peer: str,
) -> None:
    if not files:
        print(f"{language:12} no files: run tests/get_sites")
        return
    megabytes = sum(path.stat().st_size for path in files) / 1e6
    ours = megabytes / _time(scan, files, runs)
    seconds = time_peer(files, runs)
    theirs = f"{megabytes / seconds:10.1f}{ours * seconds / megabytes:7.1f}x" if seconds else f"{'-':>10}{'-':>8}"
    print(f"{language:12}{len(files):7}{megabytes:7.1f}{ours:10.1f}{theirs}   {peer}{'' if seconds else ' is not installed'}", flush=True)


def _time(read: Callable[[bytes], object], files: Sequence[Path], runs: int) -> float:
    bodies = [path.read_bytes() for path in files]
    return min(_time_once(read, bodies) for _ in range(runs))


def _time_once(read: Callable[[bytes], object], bodies: Sequence[bytes]) -> float:
    begin = time.process_time()
    for body in bodies:
        read(body)
    return time.process_time() - begin


def _time_with(read: Callable[[bytes], object]) -> Callable[[Sequence[Path], int], float | None]:
    def time_peer(files: Sequence[Path], runs: int) -> float | None:
        try:
            return _time(read, files, runs if read is _read_with_turbohtml else 1)
        except ImportError:
            return None

    return time_peer


def _read_with_turbohtml(body: bytes) -> int:
    import turbohtml

    document = turbohtml.parse(body.decode("utf-8", "replace"), source_locations=True)
    return sum(1 for element in document.select("[src],[href],[srcset],[poster],[style],[data]") if element.source_location is not None)


def _read_with_tinycss2(body: bytes) -> int:
    import tinycss2

    nodes = tinycss2.parse_component_value_list(body.decode("utf-8", "replace"), skip_comments=True)
    return sum(node.type == "url" for node in _walk(nodes))


def _walk(nodes: Sequence[Any]) -> Iterator[Any]:
    for node in nodes:
        yield node
        yield from _walk(getattr(node, "content", None) or getattr(node, "arguments", None) or ())


def _time_acorn(files: Sequence[Path], runs: int) -> float | None:
    node = shutil.which("node")
    if node is None or not (PACKAGES / "acorn").is_dir():
        return None
    task = json.dumps({"root": str(PACKAGES), "files": [str(path) for path in files], "runs": runs})
    return float(subprocess.run([node, "-e", ACORN], input=task, capture_output=True, text=True, check=True).stdout)


if __name__ == "__main__":
    main()
