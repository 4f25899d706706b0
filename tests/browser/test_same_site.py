"""A browser can't tell a published site from the one that was built: same text, boxes, styles, pictures, scripts, errors, pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import Served
from tests.browser.looking import Look, count_other_pixels, look_at
from tests.browser.sites import IMPORT_MAP, OTHER_SETTINGS, SITES, Site

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ALL = {**SITES, **OTHER_SETTINGS}
SLOW = {*OTHER_SETTINGS, "python docs", "rust docs", "slides", "example"}
MOST = 60
"""Differences that are told; what follows from them fills pages."""
BLURRED = 40
"""Pixels that one browser draws differently each time, by more than shades of letters and corners."""
BELOW_A_PATH: Mapping[str, frozenset[str]] = {
    "below a path/": frozenset(
        {"docs/bootstrap/css/bootstrap.min.css", "docs/icon.svg", "docs/main.js", "docs/late.js", "docs/mounted.css"}
    ),
    "below a path/sub": frozenset({"docs/bootstrap/css/bootstrap.min.css", "docs/icon.svg"}),
}
"""What comes under hashed names on pages that name all by paths of the host, by site and page: what is not found there would go unseen."""

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in ALL])
def test_a_browser_sees_no_difference(name: str, show: Callable[[Site], Served], browser: Browser, tmp_path: Path) -> None:
    served = show(ALL[name])
    told: list[str] = []
    for place, page in enumerate(ALL[name].pages):
        built, published = (look_at(browser, served.web, tree, page) for tree in (served.built, served.published))
        # workers know no import map: a module that a page runs too comes under its plain name there
        has_one_name = ALL[name].settings != IMPORT_MAP
        differences = tell_differences(built, published, has_one_name=has_one_name)
        if built.picture != published.picture and count_other_pixels(browser, built.picture, published.picture) > BLURRED:
            differences.append(f"the pictures differ: {place}-built.png, {place}-published.png in {tmp_path}")
        (tmp_path / f"{place}-built.png").write_bytes(built.picture)
        (tmp_path / f"{place}-published.png").write_bytes(published.picture)
        told.extend(f"/{page.path}: {one}" for one in differences)
        assert BELOW_A_PATH.get(f"{name}/{page.path}", frozenset()) <= published.renamed
    assert not told, "\n".join(list(dict.fromkeys(told))[:MOST])


def tell_differences(built: Look, published: Look, *, has_one_name: bool) -> list[str]:
    """In the order in which one explains the next."""
    told: list[str] = []
    for what in ("answers", *(("names",) if has_one_name else ()), "failures", "scripts", "console"):
        told.extend(f"{what}: {one}" for one in compare(getattr(built, what), getattr(published, what)))
    told.extend(f"frames: {one}" for one in compare(set(built.frames), set(published.frames)))
    for url in built.frames.keys() & published.frames.keys():
        for what, seen in built.frames[url].items():
            told.extend(f"{url}: {what}: {one}" for one in compare(seen, published.frames[url][what]))
    return told


def compare(before: Any, after: Any) -> list[str]:
    """Only what differs, of values as JSON has them, and sets."""
    if before == after:
        return []
    if isinstance(before, (set, frozenset)):
        return [f"no longer {one}" for one in sorted(map(str, before - after))] + [f"now {one}" for one in sorted(map(str, after - before))]
    if isinstance(before, dict):
        return [
            f"{key}: {before.get(key)} became {after.get(key)}" for key in before.keys() | after.keys() if before.get(key) != after.get(key)
        ]
    if isinstance(before, (list, tuple)) and len(before) == len(after):
        return [one for old, new in zip(before, after, strict=True) for one in compare(old, new)]
    return [f"{before!r} became {after!r}"]
