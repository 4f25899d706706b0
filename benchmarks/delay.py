"""A network namespace whose loopback has a round trip: nfqdelay.c holds every packet for half of it, as `tc netem` does where the kernel has it.

TCP's handshakes, slow start and acknowledgements take their time, as on a real line. Needs root, gcc, ip and iptables.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SOURCE = Path(__file__).resolve().parent / "nfqdelay.c"
# on the way in: what waits on the way out counts as unsent, and TCP would send no more than a few packets at a time
_RULE = ("-A", "INPUT", "-i", "lo", "-p", "tcp", "-j", "NFQUEUE", "--queue-num", "7")
_TABLES = ("iptables-legacy", "iptables")
"""Kernels without nf_tables know the older one alone."""

_MTU = "1500"


@contextmanager
def delayed_namespace(work: Path, milliseconds: int) -> Iterator[list[str]]:
    """Yields what a command is prefixed with to run in there."""
    tables = next((found for name in _TABLES if (found := shutil.which(name))), None)
    if os.geteuid() != 0 or tables is None or not (shutil.which("gcc") and shutil.which("ip")):
        sys.exit("a delay needs root, gcc, ip and iptables; without them leave `--delay` out")
    program, name = work / "nfqdelay", f"sitepub-delay-{os.getpid()}"
    subprocess.run(["gcc", "-O2", "-w", "-o", program, _SOURCE], check=True)
    enter = ["ip", "netns", "exec", name]
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        subprocess.run([*enter, "ip", "link", "set", "lo", "up", "mtu", _MTU], check=True)
        holding = subprocess.Popen([*enter, program, "7", str(milliseconds * 500)], stderr=subprocess.PIPE, text=True)
        try:
            if holding.stderr is None or "ready" not in holding.stderr.readline():
                sys.exit("the delay line did not start")
            subprocess.run([*enter, tables, *_RULE], check=True)
            yield enter
        finally:
            holding.kill()
            holding.wait()
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)
