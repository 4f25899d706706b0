"""The nets that every test works over, and the servers that some ask for."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.forks import forks
from tests.support.nets import clear_environment, refuse_network
from tests.support.rclone import rclone
from tests.support.servers import ministack, ministack_server, moto_server, seaweedfs

__all__ = ["forks", "ministack", "ministack_server", "moto_server", "rclone", "seaweedfs"]

refuse_network()

# a shell that starts the tests in the background ignores Ctrl-C for them and for all that they start
signal.signal(signal.SIGINT, signal.default_int_handler)

_numbers = itertools.count()
_no_skips = os.environ.get("SITEPUB_NO_SKIPS", "")  # read before the environment is cleared for the tests


@pytest.fixture(scope="session", autouse=True)
def nets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """For session-scoped fixtures, and for what they start. Gives the folder of all homes."""
    homes = tmp_path_factory.mktemp("homes")
    with _empty_home(homes / "session"):
        yield homes


@pytest.fixture(autouse=True)
def home(nets: Path) -> Iterator[Path]:
    """An empty home for each test, so that no cache of an earlier one is seen."""
    path = nets / str(next(_numbers))
    with _empty_home(path):
        yield path


@contextmanager
def _empty_home(path: Path) -> Iterator[None]:
    before = dict(os.environ)
    clear_environment(os.environ, path)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where all tools are installed (SITEPUB_NO_SKIPS), a test that is skipped has not shown what it should."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and _no_skips:
        report.outcome = "failed"
        report.longrepr = f"skipped, though nothing may be: {report.longrepr}"
    return report
