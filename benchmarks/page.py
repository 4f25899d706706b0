"""Writes what a benchmark printed into docs/performance.md, between the marks that name it, under the command that printed it."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

_PAGE = Path(__file__).resolve().parent.parent / "docs/performance.md"


def write_tables(script: str, tables: list[str], about: str, part: str = "") -> None:
    """`script`: its name in this folder; `about`: what the figures are of, beside date, machine and Python; `part`: which of its tables these are, where
    one run for all of them would take too long."""
    command = " ".join([".venv/bin/python", f"benchmarks/{script}", *sys.argv[1:]])
    machine = f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end"
    head = f"```console\n$ {command}\n```\n\n{datetime.now(UTC):%Y-%m-%d}, {about}; {machine}; Python {sys.version.split()[0]}."
    mark = f"benchmarks/{script} {part}".strip()
    begin, end = f"<!-- begin: {mark} -->", f"<!-- end: {mark} -->"
    text = _PAGE.read_text()
    before, after = text[: text.index(begin) + len(begin)], text[text.index(end) :]
    _PAGE.write_text("\n\n".join([before, head, *(table.strip() for table in tables), after]))
