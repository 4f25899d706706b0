"""Who this process is, and whether another one is surely gone: so that a publisher that died on this machine need not be waited for."""

from __future__ import annotations

import os
from pathlib import Path

from msgspec.structs import replace

from sitepub.core.state import Process

_BOOT_ID = "/proc/sys/kernel/random/boot_id"
_DEAD_STATES = frozenset("ZX")


def this_process() -> Process:
    """Fields that the system does not tell (all but Linux tell no boot) are empty; then nothing can be sure."""
    pid = os.getpid()
    own = _read_stat("self")
    # a /proc of another PID namespace calls us by another number, and knows others by ours
    started = own[1] if own is not None and own[0] == str(pid) else ""
    return Process(os.uname().nodename, _read(_BOOT_ID), _read_link("/proc/self/ns/pid"), pid, started)


def is_surely_gone(process: Process) -> bool:
    """True only where `process` ran in this boot and PID namespace of this machine, and runs no more."""
    here = this_process()
    if not (here.boot_id and here.pid_namespace and here.started and process.started and process.pid > 0):
        return False
    if replace(process, pid=0, started="") != replace(here, pid=0, started=""):
        return False
    try:
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        pass  # there is one, of another user
    found = _read_stat(str(process.pid))
    # unreadable: not sure (/proc may hide what belongs to others)
    return found is not None and (found[1] != process.started or found[2] in _DEAD_STATES)


def _read_stat(pid: str) -> tuple[str, str, str] | None:
    """Number, start time in ticks since boot, and state (https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html)."""
    text = _read(f"/proc/{pid}/stat")
    # the name stands in parentheses and may hold any character, these too
    head, _, rest = text.rpartition(")")
    fields = rest.split()
    return (head.partition(" ")[0], fields[19], fields[0]) if len(fields) > 19 else None


def _read(path: str) -> str:
    try:
        return Path(path).read_text("utf-8", "replace").strip()
    except OSError:
        return ""


def _read_link(path: str) -> str:
    try:
        return str(Path(path).readlink())
    except OSError:
        return ""
