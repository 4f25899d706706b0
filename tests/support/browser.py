"""A headless Chromium that reaches nothing but loopback: Debian's, driven by Playwright, with a fresh profile for each page."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.support.nets import DEAD_PROXY

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = "/usr/bin/chromium"
SWITCHES = (
    "--headless",
    "--no-sandbox",  # tests may run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--proxy-server={DEAD_PROXY}",  # all that is not loopback goes there, and fails
    "--enable-unsafe-swiftshader",  # WebGL without a graphics card
)
WIDTH, HEIGHT = 1000, 800
PATIENCE = 30_000
"""Milliseconds that a busy machine may take for one step."""


@contextmanager
def run_chromium() -> Iterator[Browser]:
    """Skips the test, by name, where Chromium or Playwright is missing."""
    playwright = pytest.importorskip("playwright.sync_api", reason="`playwright` is not installed")
    if shutil.which(CHROMIUM) is None:
        pytest.skip("`chromium` is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=list(SWITCHES), env=None)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def open_page(browser: Browser) -> Iterator[Page]:
    """An empty page with an empty cache, of one size, that plays no transitions."""
    context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, reduced_motion="reduce", locale="en-GB", timezone_id="UTC")
    context.set_default_timeout(PATIENCE)
    try:
        yield context.new_page()
    finally:
        context.close()
