"""`serve --live` and `watch --serve` in a browser: a page and a stylesheet are edited, and seen changed without a manual reload."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.commands.going import keep_going
from tests.commands.story import Story, hold_folder
from tests.support.browser import open_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PAGE = '<!doctype html><title>Live</title><link rel="stylesheet" href="css/app.css"><h1>one</h1><input id="kept"><script>window.runs = 1</script>'


@pytest.fixture
def story(tmp_path: Path) -> Story:
    made = Story(tmp_path, held=hold_folder(tmp_path / "out"))
    made.write(
        {"favicon.ico": "", "index.html": PAGE, "css/app.css": "@import 'base.css'; p {}", "css/base.css": "h1 { color: rgb(1, 2, 3) }"}
    )
    made.configure()
    return made


@pytest.mark.parametrize("words", [("serve", "--live"), ("watch", "--serve")], ids=" ".join)
def test_edits_are_seen_without_a_reload_by_hand(browser: Browser, story: Story, words: tuple[str, ...]) -> None:
    with keep_going(story, *words, "--port", "0") as going, open_page(browser) as page:
        url = re.findall(r"http://\S+", going.wait_for("serving "))[0]
        heard: list[str] = []
        page.on("console", lambda message: heard.append(message.text))
        page.on("pageerror", lambda error: heard.append(str(error)))
        with page.expect_response("**/.sitepub/live"):
            page.goto(url)
        page.fill("#kept", "typed by hand")

        story.write({"css/base.css": "h1 { color: rgb(4, 5, 6) }"})
        page.wait_for_function("getComputedStyle(document.querySelector('h1')).color === 'rgb(4, 5, 6)'")
        assert page.input_value("#kept") == "typed by hand", "a stylesheet is swapped in place"
        page.wait_for_function("document.querySelectorAll('link').length === 1")

        story.write({"index.html": PAGE.replace("one", "two")})
        page.wait_for_function("document.querySelector('h1').textContent === 'two'")
        assert page.evaluate("getComputedStyle(document.querySelector('h1')).color") == "rgb(4, 5, 6)"
        assert heard == []


def test_a_page_notices_a_server_that_was_started_again(browser: Browser, story: Story) -> None:
    with open_page(browser) as page:
        with keep_going(story, "serve", "--live", "--port", "0") as going:
            url = re.findall(r"http://\S+", going.wait_for("serving "))[0]
            with page.expect_response("**/.sitepub/live"):
                page.goto(url)
            page.wait_for_timeout(300)
        story.write({"index.html": PAGE.replace("one", "three")})
        with keep_going(story, "serve", "--live", "--port", url.rstrip("/").rpartition(":")[2]) as going:
            going.wait_for("serving ")
            page.wait_for_function("document.querySelector('h1').textContent === 'three'")
