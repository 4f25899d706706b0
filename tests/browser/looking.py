"""All that can be seen of a page from inside and outside a browser, with every URL told as the file that was built."""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from tests.support.browser import open_page
from tests.support.web_server import Answered, Tree, WebServer

if TYPE_CHECKING:
    from playwright.sync_api import Browser, CDPSession, ConsoleMessage, Request
    from playwright.sync_api import Page as Tab

COUNT = (Path(__file__).parent / "count_other_pixels.js").read_text()
LOOK = (Path(__file__).parent / "look.js").read_text()
_DIGEST = re.compile(r"\.[0-9a-f]{12,64}(?=\.)")
MOST = {"boxes": 1500, "styles": 60}
SHADES = 24
"""Of 255, in one colour of a pixel: of one page, drawn sixty times on a busy machine, no letter and no round corner differed by more than 11."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page, and what a reader does on it. `steps`: CSS selectors to click, one after the other. `ready`: an expression of JavaScript
    that is true once the page has nothing more to do."""

    path: str
    ready: str = "true"
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Look:
    """`frames`: what look.js tells of each. `answers`: every file that was asked for, and how that was answered. `names`: under how many URLs
    each script came. `scripts`: how often each was run. `failures`: requests that got no answer. `renamed`: what came under a hashed name."""

    frames: Mapping[str, Mapping[str, Any]]
    answers: frozenset[Answered]
    names: Mapping[str, int]
    scripts: Mapping[str, int]
    failures: frozenset[str]
    console: tuple[str, ...]
    picture: bytes
    renamed: frozenset[str]


@dataclass(slots=True)
class _Watch:
    """What is told while a page loads."""

    scripts: Counter[str] = field(default_factory=Counter)
    failures: set[str] = field(default_factory=set)
    console: list[str] = field(default_factory=list)


class Plain:
    """Tells URLs of a server as paths of the source, wherever they stand in a text."""

    def __init__(self, web: WebServer) -> None:
        self._web = web
        self._url = re.compile(re.escape(web.origin) + r"/([^\s\"'()<>?#:]*)")

    def text(self, text: str) -> str:
        return self._url.sub(lambda found: f"site:/{self.path(unquote(found[1]))}", text)

    def names(self, text: str) -> str:
        """Of a custom property, which holds its URLs as they are written."""
        return _DIGEST.sub(lambda found: "" if found[0] in self._web.tree.inserts else found[0], text)

    def path(self, path: str) -> str:
        mount = self._web.mount.removeprefix("/")
        return mount + self._web.tree.source_of(path.removeprefix(mount)) if path.startswith(mount) else path

    def deep(self, value: Any) -> Any:
        """In all strings of a value as JSON has them."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.deep(one) for one in value]
        if isinstance(value, dict):
            return {self.text(key): self.deep(one) for key, one in value.items()}
        return value


def look_at(browser: Browser, web: WebServer, tree: Tree, page: Page) -> Look:
    """Loads the page in a fresh profile, does its steps, and tells what there is to see."""
    web.tree = tree
    web.log.clear()
    plain = Plain(web)
    with open_page(browser) as tab, _watch(tab, plain) as watch:
        _load(tab, web, page)
        frames = _look_at_frames(tab, plain)
        picture = tab.screenshot(animations="disabled")
        asked = tuple(web.log)
    return Look(
        frames=frames,
        answers=frozenset(Answered(plain.path(one.path), one.status) for one in asked if one.path != "favicon.ico"),
        names=_count_names(asked, plain),
        scripts=dict(watch.scripts),
        failures=frozenset(watch.failures),
        console=tuple(sorted(set(watch.console))),
        picture=picture,
        renamed=frozenset(path for one in asked if (path := plain.path(one.path)) != one.path),
    )


def count_other_pixels(browser: Browser, one: bytes, other: bytes) -> int:
    """Between two pictures in PNG, by more than `SHADES` in some colour; all of them where their sizes differ."""
    with open_page(browser) as tab:
        count = tab.evaluate(COUNT, [[base64.b64encode(picture).decode() for picture in (one, other)], SHADES])
        assert isinstance(count, int)
        return count


def _load(tab: Tab, web: WebServer, page: Page) -> None:
    path, question, query = page.path.partition("?")
    tab.goto(f"{web.origin}{web.mount}{quote(path, safe='/#')}{question}{query}", wait_until="load")
    for step in page.steps:
        tab.click(step)
    tab.wait_for_function(f"() => ({page.ready})")
    tab.wait_for_load_state("networkidle")
    # whether a font is used by then is a matter of timing: all of them are asked for
    tab.evaluate("() => Promise.allSettled([...document.fonts].map((font) => font.load())).then(() => true)")
    tab.wait_for_load_state("networkidle")
    tab.evaluate("() => document.fonts.ready.then(() => new Promise(requestAnimationFrame)).then(() => true)")


def _look_at_frames(tab: Tab, plain: Plain) -> Mapping[str, Mapping[str, Any]]:
    frames: dict[str, Mapping[str, Any]] = {}
    for place, frame in enumerate(tab.frames):
        frames[f"{place} {plain.text(frame.url)}"] = plain.deep(_spell_out(frame.evaluate(LOOK, MOST), plain))
    return frames


def _spell_out(seen: dict[str, Any], plain: Plain) -> dict[str, Any]:
    strings = [plain.names(one) if one.startswith("--") else one for one in seen.pop("strings")]
    seen["styles"] = [[name, sorted(strings[number] for number in numbers)] for name, numbers in seen["styles"]]
    return seen


def _count_names(asked: tuple[Answered, ...], plain: Plain) -> Mapping[str, int]:
    """A script under two URLs would be two scripts, in workers too, which no debugger of the page sees."""
    urls = {(plain.path(one.path), one.path) for one in asked if one.status == 200 and one.path.endswith((".js", ".mjs"))}
    return Counter(path for path, _ in urls)


def _is_of_browser(message: ConsoleMessage) -> bool:
    """Said at times of its own: the icon that it asks for unasked, and what the graphics driver thinks."""
    return message.location["url"].endswith("/favicon.ico") or "GL Driver Message" in message.text


@contextmanager
def _watch(tab: Tab, plain: Plain) -> Iterator[_Watch]:
    watch = _Watch()
    session: CDPSession = tab.context.new_cdp_session(tab)

    def parsed(event: dict[str, Any]) -> None:
        # scripts inside of pages have the page's URL, those that scripts make have none
        path = plain.text(event["url"])
        if path.startswith("site:/") and path.endswith((".js", ".mjs", ".cjs")):
            watch.scripts[f"{path} (module)" if event.get("isModule") else path] += 1

    def failed(request: Request) -> None:
        watch.failures.add(f"{plain.text(request.url)}: {request.failure}")

    def said(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning", "assert") and not _is_of_browser(message):
            watch.console.append(f"{message.type}: {plain.text(message.text)} ({plain.text(message.location['url'])})")

    session.on("Debugger.scriptParsed", parsed)
    session.send("Debugger.enable")
    tab.on("requestfailed", failed)
    tab.on("console", said)
    tab.on("pageerror", lambda error: watch.console.append(f"uncaught: {plain.text(error.message)}"))
    yield watch
