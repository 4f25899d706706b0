"""The rows of https://html.spec.whatwg.org/multipage/images.html#parsing-a-srcset-attribute that can go wrong."""

from __future__ import annotations

import pytest

from sitepub.core.references.srcset import find_candidates

ROWS = {
    "nothing": ("", []),
    "commas and blanks alone": (" ,, \n,", []),
    "one URL": ("a.png", ["a.png"]),
    "densities": ("a.png 1x, b.png 2.5x", ["a.png", "b.png"]),
    "widths, one with a height": ("a.png 100w,b.png 200w 50h", ["a.png", "b.png"]),
    "any white space": ("\n a.png\t1x ,\f\r b.png 2x\n", ["a.png", "b.png"]),
    "a comma in a URL": ("a,b.png 1x", ["a,b.png"]),
    "no white space behind a comma": ("a.png,b.png", ["a.png,b.png"]),
    "a comma at the end of a URL ends the candidate": ("a.png, b.png", ["a.png", "b.png"]),
    "many commas at its end too": ("a.png,,, b.png", ["a.png", "b.png"]),
    "a data URL": ("data:image/png;base64,AA== 1x, b.png 2x", ["data:image/png;base64,AA==", "b.png"]),
    "parentheses hide commas": ("a.png f(1, 2), b.png", ["b.png"]),
    "parentheses do not nest": ("a.png ((1), b.png 1x", ["b.png"]),
    "a parenthesis without an end": ("b.png, a.png (1, c.png", ["b.png"]),
    "an unknown descriptor": ("a.png 1q, b.png 1x", ["b.png"]),
    "a width of zero": ("a.png 0w, b.png 1w", ["b.png"]),
    "a negative density": ("a.png -1x, b.png -0x, c.png 0x", ["b.png", "c.png"]),
    "a density with an exponent": ("a.png 1e0x, b.png .5x, c.png 1.x", ["a.png", "b.png"]),
    "two densities": ("a.png 1x 2x, b.png 1w 1x, c.png 2w 1w", []),
    "a height alone": ("a.png 1h, b.png 1h 1w", ["b.png"]),
    "capital letters": ("a.png 1X, b.png 1x", ["b.png"]),
    "an empty candidate between": ("a.png 1x, , b.png 2x", ["a.png", "b.png"]),
}


@pytest.mark.parametrize(("value", "urls"), ROWS.values(), ids=ROWS)
def test_candidates(value: str, urls: list[str]) -> None:
    raw = value.encode()
    assert [raw[start:end].decode() for start, end in find_candidates(raw)] == urls
