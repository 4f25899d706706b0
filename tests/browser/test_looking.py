"""What tells a picture from another: more than the shades in which one browser draws the same page each time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.looking import SHADES, count_other_pixels
from tests.support.browser import open_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser


def test_pictures_differ_by_more_than_shades(browser: Browser) -> None:
    grey, paler, seen, blue = (
        draw(browser, f"rgb({red}, 100, {blue})") for red, blue in ((90, 90), (90 + SHADES, 90), (91 + SHADES, 90), (90, 200))
    )
    assert grey != paler
    assert count_other_pixels(browser, grey, paler) == 0
    assert count_other_pixels(browser, grey, seen) == 20 * 10
    assert count_other_pixels(browser, grey, blue) == 20 * 10


def draw(browser: Browser, colour: str) -> bytes:
    """A box of 20 by 10 pixels."""
    with open_page(browser) as tab:
        tab.set_content(f'<div style="width: 20px; height: 10px; background: {colour}">')
        return tab.screenshot()
