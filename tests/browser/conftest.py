"""One browser a worker, and sites beside what is published of them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.sites import Site
from tests.support.browser import run_chromium
from tests.support.web_server import BuiltTree, PublishedTree, WebServer, read_published, serve

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@dataclass(frozen=True, slots=True)
class Served:
    """One site, published from `root`, and one address at which either tree of it can be shown."""

    root: Path
    web: WebServer
    built: BuiltTree
    published: PublishedTree


@pytest.fixture(scope="session")
def browser(nets: Path) -> Iterator[Browser]:
    with run_chromium() as running:
        yield running


@pytest.fixture
def show(tmp_path: Path) -> Iterator[Callable[[Site], Served]]:
    """Builds, publishes and serves a site."""
    with ExitStack() as servers:
        yield lambda site: _show(tmp_path, site, servers)


def publish(root: Path) -> None:
    """Runs the command, as users do."""
    command = [sys.executable, "-m", "sitepub", "publish", "--json", "-q", "-C", str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["release"] is not None


def _show(root: Path, site: Site, servers: ExitStack) -> Served:
    (root / "built").mkdir()
    site.build(root / "built")
    target = f"{{store: 'file:published', url: '{site.mount}'}}"
    (root / "sitepub.yaml").write_text(f"source: built\ntargets: {{local: {target}}}\n{site.settings}")
    publish(root)
    built = BuiltTree(root / "built")
    return Served(root, servers.enter_context(serve(built, mount=site.mount)), built, read_published(root / "published"))
