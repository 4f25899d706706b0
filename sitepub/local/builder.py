"""Runs the user's `build:` command. The one place where text passes a shell: a shell command line is what the setting is."""

from __future__ import annotations

import codecs
import os
import selectors
import signal
import subprocess
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Protocol

from sitepub.errors import ConfigurationError

TAIL_BYTES = 64 * 1024
_CHUNK_BYTES = 16 * 1024
_QUIET_SECONDS = 0.2
_GRACE_SECONDS = 5.0

# The shell waits for a line before it begins. An interrupt may come while it is being started, before anyone could end it: then the pipe is
# closed without one, and nothing was begun.
_GATE = 'IFS= read -r REPLY || exit; exec </dev/null; eval "shift\n$1"'


class Output(Protocol):
    """Where talk goes: standard error, most often."""

    def write(self, text: str, /) -> object: ...

    def flush(self) -> object: ...


def run_build(command: str, folder: Path, *, environment: Mapping[str, str], output: Output, show: bool, place: str | None = None) -> None:
    """Runs `command` by `/bin/sh` in `folder` (`place`: where people can, if that is temporary), without input. What it prints goes to `output` as it comes if `show` is set, else its end alone and
    only if it fails: then a ConfigurationError `build-failed`. However this ends, nothing that the command started in its group goes on."""
    process = _start(command, folder, environment)
    tail = _Tail()
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    try:
        _open_gate(process)
        for chunk in _read_output(process):
            tail.add(chunk)
            if show:
                output.write(decoder.decode(chunk))
                output.flush()
        if show:
            output.write(decoder.decode(b"", final=True))
        status = process.wait()
    except BaseException:
        _end_group(process)
        raise
    finally:
        _pipe_of(process).close()
        _signal_group(process, signal.SIGTERM)
    if status != 0:
        if not show:
            output.write(tail.describe())
            output.flush()
        raise _describe_failure(command, place or f"`{folder}`", status)


def _start(command: str, folder: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    try:
        # A session of its own: a terminal's Ctrl-C reaches us alone, and we end the whole group in order.
        return subprocess.Popen(
            ["/bin/sh", "-c", _GATE, "/bin/sh", command],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        where = "look at the folder" if not folder.is_dir() else "look at `/bin/sh`"
        raise ConfigurationError("build-failed", f"`build:` can't be started in `{folder}`: {error.strerror or error}", where) from None


def _open_gate(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is None:
        raise AssertionError("the build was started without a gate")
    with suppress(BrokenPipeError), process.stdin as gate:
        gate.write(b"\n")


def _read_output(process: subprocess.Popen[bytes]) -> Iterator[bytes]:
    """Until the pipe's end. What the shell left in the background may keep the pipe open for ever, so once the shell is gone, silence ends
    it too, and patience does."""
    pipe = _pipe_of(process)
    last_moment = None
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while last_moment is None or time.monotonic() < last_moment:
            is_gone = process.poll() is not None
            if is_gone and last_moment is None:
                last_moment = time.monotonic() + _GRACE_SECONDS
            if selector.select(_QUIET_SECONDS):
                chunk = os.read(pipe.fileno(), _CHUNK_BYTES)
                if not chunk:
                    return
                yield chunk
            elif is_gone:
                return


def _pipe_of(process: subprocess.Popen[bytes]) -> IO[bytes]:
    if process.stdout is None:
        raise AssertionError("the build was started without a pipe")
    return process.stdout


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Asks, waits, ends. A second interrupt while waiting ends at once."""
    _signal_group(process, signal.SIGTERM)
    try:
        process.wait(_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    finally:
        _signal_group(process, signal.SIGKILL)
        process.wait()


def _signal_group(process: subprocess.Popen[bytes], signum: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signum)


class _Tail:
    """The end of an output, in bounded memory."""

    def __init__(self) -> None:
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._dropped = 0

    def add(self, chunk: bytes) -> None:
        self._chunks.append(chunk)
        self._size += len(chunk)
        while self._size - len(self._chunks[0]) >= TAIL_BYTES:
            dropped = len(self._chunks.popleft())
            self._size -= dropped
            self._dropped += dropped

    def describe(self) -> str:
        text = b"".join(self._chunks).decode("utf-8", "replace")
        if text and not text.endswith("\n"):
            text += "\n"
        return f"[the first {self._dropped:,} bytes are left out]\n{text}" if self._dropped else text


def _describe_failure(command: str, place: str, status: int) -> ConfigurationError:
    ended = f"was ended by {_name_signal(-status)}" if status < 0 else f"ended with exit status {status}"
    if status - 128 in signal.valid_signals():  # as shells tell of one; 255 is most often just a failure
        ended += f" ({_name_signal(status - 128)})"
    first, *more = command.splitlines()
    hint = f"run it by hand in {place}, or publish what is there with `--no-build`"
    if status == 127:
        hint = f"install what it calls, or add it to PATH; {hint}"
    return ConfigurationError("build-failed", f"`build:` {ended}: `{first}{' …' if more else ''}`", hint)


def _name_signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
