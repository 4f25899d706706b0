"""What hooks did when nobody looked: a log that stays small, and the last run of each target."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from msgspec import Struct
from msgspec.structs import asdict

MOST_BYTES = 256 * 1024
"""After a run, only so much of the log's end is kept."""


class Run(Struct, frozen=True):
    """`status` None: it has not ended, or its machine went down. Times are ISO 8601, UTC."""

    target: str
    commit: str
    started: str
    ended: str | None = None
    status: int | None = None


def keep_run(records: Path, run: Run) -> None:
    path = records / f"{run.target}.json"
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(run)))
    fresh.replace(path)


def find_run(records: Path, target: str) -> Run | None:
    with suppress(OSError, ValueError, TypeError):
        return Run(**json.loads((records / f"{target}.json").read_text()))
    return None


def forget_pushed(records: Path, target: str, commit: str) -> None:
    """Takes away the script's own note that this commit was pushed; one of another commit stays."""
    path = records / f"{target}.pushed"
    with suppress(OSError):
        if path.read_text() == commit:
            path.unlink()


def log_path(records: Path, target: str) -> Path:
    return records / f"{target}.log"


def trim(path: Path) -> None:
    """Cuts at a line."""
    body = path.read_bytes()
    if len(body) > MOST_BYTES:
        path.write_bytes(body[-MOST_BYTES:].partition(b"\n")[2])


def read_end(path: Path, lines: int) -> list[str]:
    try:
        return path.read_text("utf-8", "replace").splitlines()[-lines:]
    except OSError:
        return []
