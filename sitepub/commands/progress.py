"""Progress on a terminal (bytes, files, stage), one quiet line a stage elsewhere, nothing with -q."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING

from sitepub.interfaces import Progress
from sitepub.library import Silence
from sitepub.report_words import count, duration, size

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live

DRAW_AFTER = 0.3
"""Seconds before anything is drawn: most runs are over by then."""


class NoProgress(Silence):
    """With `-q`: nobody is told."""

    def close(self) -> None:
        return None


class LineProgress(NoProgress):
    """For logs: a line when a stage begins that has files to work on, none while it goes on."""

    def stage(self, name: str, *, total_files: int | None = None, total_bytes: int | None = None) -> None:
        if total_files:
            moved = f", {size(total_bytes)}" if total_bytes else ""
            print(f"{name} {count(total_files, 'file')}{moved}", file=sys.stderr, flush=True)

    def note(self, message: str) -> None:
        print(message, file=sys.stderr, flush=True)


class TerminalProgress(NoProgress):
    """One line that is drawn over, gone when the command is done."""

    def __init__(self, *, color: bool) -> None:
        self._color = color
        self._mutex = threading.Lock()
        self._born = time.monotonic()
        self._name, self._started = "", self._born
        self._files, self._bytes = 0, 0
        self._total_files: int | None = None
        self._total_bytes: int | None = None
        self._drawn_at = 0.0
        self._live: Live | None = None
        self._console: Console | None = None

    def stage(self, name: str, *, total_files: int | None = None, total_bytes: int | None = None) -> None:
        with self._mutex:
            self._name, self._started = name, time.monotonic()
            self._files, self._bytes = 0, 0
            self._total_files, self._total_bytes = total_files, total_bytes
            self._draw()

    def advance(self, *, files: int = 0, bytes: int = 0) -> None:
        with self._mutex:
            self._files += files
            self._bytes += bytes
            self._draw()

    def note(self, message: str) -> None:
        with self._mutex:
            if self._console is not None:
                self._console.print(message, highlight=False, markup=False)
            else:
                print(message, file=sys.stderr, flush=True)

    def close(self) -> None:
        with self._mutex:
            if self._live is not None:
                self._live.stop()
                self._live = None

    def _draw(self) -> None:
        now = time.monotonic()
        if now - self._born < DRAW_AFTER or now - self._drawn_at < 0.08:
            return
        self._drawn_at = now
        if self._live is None:
            from rich.console import Console
            from rich.live import Live

            self._console = Console(stderr=True, no_color=not self._color)
            self._live = Live(console=self._console, transient=True, auto_refresh=False)
            self._live.start()
        from rich.text import Text

        self._live.update(
            Text(describe(self._name, self._files, self._total_files, self._bytes, self._total_bytes, now - self._started)), refresh=True
        )


def describe(name: str, files: int, total_files: int | None, bytes: int, total_bytes: int | None, seconds: float) -> str:
    """One line: stage, files, bytes, rate and, once it can be told, the time left."""
    if not files and not bytes:
        return f"{name} …"
    of_files = f"{files:,} of {count(total_files, 'file')}" if total_files else count(files, "file")
    of_bytes = f"{size(bytes)} of {size(total_bytes)}" if total_bytes else size(bytes)
    rate = bytes / seconds if seconds > 0.5 else 0
    left = f", {duration((total_bytes - bytes) / rate)} left" if rate and total_bytes and total_bytes > bytes else ""
    return f"{name}: {of_files}, {of_bytes}" + (f", {size(int(rate))}/s{left}" if rate else "")


class Closing:
    """Ends the drawing when a command leaves, however it leaves."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def __enter__(self) -> Progress:
        return self._progress

    def __exit__(self, *_: object) -> None:
        stop_drawing(self._progress)


def stop_drawing(progress: Progress) -> None:
    """Takes the drawn line away, until there is something new to draw: what is said then, or asked, would be written behind it."""
    if isinstance(progress, NoProgress):
        progress.close()


def choose_progress(*, quiet: bool, color: bool, is_terminal: bool) -> NoProgress:
    """A line that goes on on a terminal, a line a stage in a log."""
    if quiet:
        return NoProgress()
    return TerminalProgress(color=color) if is_terminal else LineProgress()
