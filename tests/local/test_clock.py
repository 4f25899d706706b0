"""The machine's clocks: the time of day has a zone, and what elapses goes on while the machine sleeps."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from sitepub.local.clock import SystemClock

TELL = "import time; from sitepub.local.clock import SystemClock; print(SystemClock().elapsed() - time.monotonic())"


def test_now_is_the_time_of_day_in_utc() -> None:
    before = datetime.now(UTC)
    now = SystemClock().now()
    assert before <= now <= datetime.now(UTC)
    assert now.utcoffset() == timedelta(0)


def test_elapsed_counts_at_least_what_was_slept() -> None:
    clock = SystemClock()
    start = clock.elapsed()
    clock.sleep(0.02)
    assert clock.elapsed() - start >= 0.02


def test_elapsed_goes_on_while_the_machine_sleeps() -> None:
    """A time namespace in which the machine has slept for a day: only CLOCK_BOOTTIME counts it."""
    slept = ["unshare", "--user", "--map-root-user", "--time", "--boottime", "86400"]
    if shutil.which("unshare") is None or subprocess.run([*slept, "true"], capture_output=True).returncode != 0:
        pytest.skip("`unshare --time` makes no time namespace here")
    ran = subprocess.run([*slept, sys.executable, "-c", TELL], capture_output=True, text=True, check=True)
    assert float(ran.stdout) > 86000
