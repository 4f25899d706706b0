"""The page of `--html` in Chromium: it asks for nothing and complains of nothing, everything has a name and can be reached by keyboard, and is readable
in both colour schemes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from sitepub.report_page import account_as_page
from tests.support.accounts import make_account, make_story

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

# Each text's colour against the first background below it, by WCAG 2.2's relative luminance; what is smaller than 4.5 is told. Text in a
# picture is filled and stands on the page.
CONTRASTS = """
() => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (element) => { for (let at = element; at; at = at.parentElement) { const found = rgb(getComputedStyle(at).backgroundColor);
    if (found.length < 4 || found[3] > 0) return found; } return rgb(getComputedStyle(document.body).backgroundColor); };
  const poor = [];
  for (const element of document.querySelectorAll('body *:not(svg):not(style)')) {
    if (![...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()) || element.closest('title, caption')) continue;
    const style = getComputedStyle(element), colour = rgb(element.closest('svg') ? style.fill : style.color);
    const [high, low] = [luminance(colour), luminance(behind(element))].sort((a, b) => b - a);
    if ((high + 0.05) / (low + 0.05) < 4.5) poor.push(element.tagName + ' ' + element.textContent.slice(0, 30));
  }
  return poor;
}
"""


def open_quietly(browser: Browser, path: Path, scheme: Literal["light", "dark"], said: list[str]) -> Page:
    """`said`: requests beside that of the page itself, and all that reaches the console."""
    page = browser.new_context(color_scheme=scheme, viewport={"width": 1000, "height": 800}).new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: said.append(request.url) if not request.is_navigation_request() else None)
    page.goto(path.as_uri())
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("number", [0, 3, 2000])
def test_it_is_quiet_named_and_readable(scheme: Literal["light", "dark"], number: int, browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "plan.html").write_text(account_as_page(make_account(number, warnings=20), (make_story(),) if number else ()), "utf-8")
    said: list[str] = []
    page = open_quietly(browser, tmp_path / "plan.html", scheme, said)
    for summary in page.locator("summary").all():
        if summary.evaluate("each => !each.parentElement.open"):
            summary.focus()
            page.keyboard.press("Enter")
    assert page.locator("details:not([open])").count() == 0, "all opens by keyboard"
    assert page.evaluate(CONTRASTS) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing is wider than the window"
    assert said == []
    assert find_unnamed(page) == []
    assert page.locator("h1").count() == 1 and page.locator("main").count() == 1
    page.context.close()


ROLES: tuple[Literal["img", "region", "table"], ...] = ("img", "region", "table")


def find_unnamed(page: Page) -> list[str]:
    """Pictures, regions and tables of which a screen reader could say no more than what they are."""
    return [role for role in ROLES if page.get_by_role(role).count() != page.get_by_role(role, name=re.compile(r"\S.*\S")).count()]


def test_what_has_no_name_is_found(browser: Browser, tmp_path: Path) -> None:
    text = re.sub("<(caption|title id).*?</(caption|title)>", "", account_as_page(make_account(3)), flags=re.DOTALL)
    (tmp_path / "plan.html").write_text(text, "utf-8")
    page = open_quietly(browser, tmp_path / "plan.html", "light", [])
    assert find_unnamed(page) == ["img", "table"]
    page.context.close()


def test_the_contrast_is_really_measured(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "plan.html").write_text(account_as_page(make_account(3)).replace("--quiet: #5b636b", "--quiet: #c0c0c0"), "utf-8")
    page = open_quietly(browser, tmp_path / "plan.html", "light", [])
    assert page.evaluate(CONTRASTS) != []
    page.context.close()


def test_text_of_the_site_is_only_text(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "plan.html").write_text(
        account_as_page(make_account(30, warnings=1), (make_story('"><script>alert(1)</script>'),)), "utf-8"
    )
    page = open_quietly(browser, tmp_path / "plan.html", "light", [])
    assert page.locator("script, more, gone").count() == 0
    assert page.get_by_text("page-00002 & <more>.html", exact=False).count()
    page.context.close()
