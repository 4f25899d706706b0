"""A command that goes on until it is ended: what it says, line by line, as it says it."""

from __future__ import annotations

import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

from tests.commands.story import Story

PATIENCE = 60.0
"""Seconds that a busy machine may take for one step."""


class Going:
    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.said: list[str] = []
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            self._threads.append(threading.Thread(target=self._listen, args=(stream,), daemon=True))
            self._threads[-1].start()

    def wait_for(self, text: str, seconds: float = PATIENCE) -> str:
        """The next line, on either stream, that holds `text`."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                line = self._lines.get(timeout=left)
            except queue.Empty:
                break
            self.said.append(line)
            if text in line:
                return line
        raise TimeoutError(f"it did not say `{text}`:\n" + "\n".join(self.said))

    def wait_until(self, holds: Callable[[], bool], seconds: float = PATIENCE) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                raise TimeoutError("it did not come to it:\n" + "\n".join([*self.said, *self._drain()]))
            time.sleep(0.05)

    def end(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        for thread in self._threads:
            thread.join(PATIENCE)

    def _listen(self, stream: IO[bytes]) -> None:
        with stream:
            for line in stream:
                self._lines.put(line.decode().rstrip("\n"))

    def _drain(self) -> list[str]:
        lines = []
        while not self._lines.empty():
            lines.append(self._lines.get())
        return lines


@contextmanager
def keep_going(story: Story, *words: str) -> Iterator[Going]:
    process = story.start(*words)
    going = Going(process)
    try:
        yield going
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        going.close()
