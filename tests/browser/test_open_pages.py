"""A page that someone has open goes on working when the site is published again; a browser of ours reaches nothing but loopback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import Served, publish
from tests.browser.sites import Site
from tests.support.browser import open_page
from tests.support.web_server import read_published

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

PAGE = "<!doctype html><title>v1</title><button id=more>more</button><p></p><script type=module src=app.js></script>"
APP = (
    "more.onclick = async () => { document.querySelector('p').textContent = (await import('./late.js')).word }; document.body.id = 'ready'"
)


def write_first(folder: Path) -> None:
    (folder / "index.html").write_text(PAGE)
    (folder / "app.js").write_text(APP)
    (folder / "late.js").write_text("export { word } from './word.js'")
    (folder / "word.js").write_text("export const word = 'first'")


def test_a_page_loaded_before_a_publish_still_loads_its_own_late_modules(show: Callable[[Site], Served], browser: Browser) -> None:
    served = show(Site(write_first, ()))
    served.web.tree = served.published
    with open_page(browser) as before, open_page(browser) as after:
        before.goto(served.web.origin)
        before.wait_for_selector("#ready")

        (served.root / "built" / "word.js").write_text("export const word = 'second'")
        publish(served.root)
        served.web.tree = read_published(served.root / "published", served.published)

        after.goto(served.web.origin)
        for tab, word in ((before, "first"), (after, "second")):
            tab.click("#ready #more")
            tab.wait_for_function("document.querySelector('p').textContent")
            assert tab.inner_text("p") == word


def test_the_browser_reaches_loopback_only(show: Callable[[Site], Served], browser: Browser) -> None:
    served = show(Site(write_first, ()))
    failures: list[str | None] = []
    with open_page(browser) as tab:
        tab.on("requestfailed", lambda request: failures.append(request.failure))
        tab.goto(served.web.origin)
        for url in ("https://example.com/", "http://192.0.2.1/", "http://[2001:db8::1]/"):
            assert "Failed to fetch" in tab.evaluate("(url) => fetch(url, { mode: 'no-cors' }).then(() => 'reached', String)", url)
        assert failures == ["net::ERR_PROXY_CONNECTION_FAILED"] * 3
        assert tab.evaluate("() => fetch('/app.js').then((answer) => answer.status)") == 200
