"""Colour on a terminal: the words that tell what kind of line it is, and nothing else. click leaves it out where there is no terminal."""

from __future__ import annotations

import re
from collections.abc import Mapping

import click

_LABEL = re.compile(r"^(error|warning|hint):", re.MULTILINE)
_COLOURS: Mapping[str, str] = {"error": "red", "warning": "yellow", "hint": "cyan"}


def wants_colour(environment: Mapping[str, str], *, is_refused: bool) -> bool:
    """`--no-color`, NO_COLOR (https://no-color.org) and dumb terminals refuse it."""
    return not is_refused and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


def paint(text: str, *, is_coloured: bool) -> str:
    """Colours the label at the beginning of each line: `error:`, `hint:` …"""
    if not is_coloured:
        return text
    return _LABEL.sub(lambda found: click.style(found[0], fg=_COLOURS[found[1]], bold=True), text)
