"""A publisher that died here is known to be gone; of any other nothing is sure."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from sitepub.core.state import Process
from sitepub.local.process import is_surely_gone, this_process

pytestmark = pytest.mark.skipif(not Path("/proc/self/ns/pid").is_symlink(), reason="this system has no /proc")

TELL = "from sitepub.local.process import this_process as t; p=t(); print(p.pid, p.started, flush=True); input()"


@pytest.fixture
def other() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", TELL]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def identity_of(process: subprocess.Popen[str]) -> Process:
    assert process.stdout is not None
    pid, started = process.stdout.readline().split()
    return replace(this_process(), pid=int(pid), started=started)


def wait_for_state(pid: int, state: str) -> None:
    while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != state:
        time.sleep(0.01)


def test_this_process_is_known_and_alive() -> None:
    here = this_process()
    assert here.pid == os.getpid()
    assert here.boot_id and here.pid_namespace and here.started and here.host
    assert not is_surely_gone(here)
    assert this_process() == here


def test_another_process_is_alive_then_gone(other: subprocess.Popen[str]) -> None:
    identity = identity_of(other)
    assert not is_surely_gone(identity)
    other.kill()
    other.wait()
    assert is_surely_gone(identity)


def test_a_dead_process_that_nobody_waited_for_is_gone(other: subprocess.Popen[str]) -> None:
    identity = identity_of(other)
    other.kill()
    wait_for_state(other.pid, "Z")
    assert is_surely_gone(identity)


def test_a_stopped_process_is_not_gone(other: subprocess.Popen[str]) -> None:
    identity = identity_of(other)
    other.send_signal(signal.SIGSTOP)
    wait_for_state(other.pid, "T")
    assert not is_surely_gone(identity)


def test_a_number_that_was_given_again_is_another_process(other: subprocess.Popen[str]) -> None:
    identity = identity_of(other)
    assert is_surely_gone(replace(identity, started="1"))


@pytest.mark.parametrize("field", ["host", "boot_id", "pid_namespace"])
def test_nothing_is_sure_of_another_machine(other: subprocess.Popen[str], field: str) -> None:
    identity = identity_of(other)
    other.kill()
    other.wait()
    assert not is_surely_gone(replace(identity, **{field: "another"}))  # type: ignore[arg-type]
    assert is_surely_gone(identity)


def test_nothing_is_sure_where_the_start_was_not_told(other: subprocess.Popen[str]) -> None:
    identity = identity_of(other)
    other.kill()
    other.wait()
    assert not is_surely_gone(replace(identity, started=""))


def test_a_name_full_of_parentheses_does_not_hide_the_start(tmp_path: Path) -> None:
    program = tmp_path / "a) Z 1 (b"
    program.symlink_to("/bin/sleep")
    with subprocess.Popen([program, "60"]) as process:
        try:
            while ") Z 1 (" not in Path(f"/proc/{process.pid}/stat").read_text():
                time.sleep(0.01)
            started = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[19]
            assert not is_surely_gone(replace(this_process(), pid=process.pid, started=started))
        finally:
            process.kill()
