"""Draws what `replay.py --json` kept: paths a month under each rule, a panel a history, on a logarithmic scale.

python benchmarks/replay_plot.py FILE.json... > docs/invalidation.svg
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from math import log10
from pathlib import Path
from typing import Any

WIDTH, PANEL, LEFT, RIGHT, TOP, BOTTOM = 900, 270, 60, 20, 50, 40
FREE = 1000
COLOURS = {
    "sitepub": "#0b6e4f",
    "sitepub with tags": "#08a4bd",
    "every changed path": "#c1121f",
    "`/*`": "#8d99ae",
    "s3deploy's rule": "#f4a261",
}


def find_months(document: Mapping[str, Any]) -> list[str]:
    """Every month from the first to the last, those without builds too."""
    used = sorted({month for rule in document["rules"].values() for month in rule["by_month"]})
    year, month = map(int, used[0].split("-"))
    months = []
    while f"{year:04d}-{month:02d}" <= used[-1]:
        months.append(f"{year:04d}-{month:02d}")
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    return months


def draw_panel(document: Mapping[str, Any], top: int, ceiling: float) -> Iterator[str]:
    months = find_months(document)
    height = PANEL - TOP - BOTTOM

    def x(number: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (number + 0.5) / len(months)

    def y(paths: float) -> float:
        return top + TOP + height * (1 - log10(1 + paths) / log10(1 + ceiling))

    title = f"{document['name']} at {document['commit'][:12]}: {document['builds']} builds, {document['span']}"
    yield f'<text x="{LEFT}" y="{top + 20}" font-weight="bold">{escape(title)}</text>'
    for paths in (0, 1, 10, 100, 1000, 10000):
        if paths <= ceiling:
            style = 'stroke="#c1121f" stroke-dasharray="6 4"' if paths == FREE else 'stroke="#ddd"'
            yield f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(paths):.1f}" y2="{y(paths):.1f}" {style}/>'
            yield f'<text x="{LEFT - 8}" y="{y(paths) + 4:.1f}" text-anchor="end">{paths:,}</text>'
    step = -(-len(months) // 10)
    for number in range(0, len(months), step):
        yield f'<text x="{x(number):.1f}" y="{top + PANEL - BOTTOM + 18}" text-anchor="middle">{months[number]}</text>'
    for rule, colour in COLOURS.items():
        by_month = document["rules"][rule]["by_month"]
        for number, month in enumerate(months):
            if month in by_month:
                yield f'<circle cx="{x(number):.1f}" cy="{y(by_month[month]):.1f}" r="3" fill="{colour}" fill-opacity="0.75"/>'


def draw(documents: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    height = PANEL * len(documents) + 40
    most = max(paths for document in documents for rule in document["rules"].values() for paths in rule["by_month"].values())
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">'
    yield "<title>Invalidation paths a month, by rule</title>"
    yield f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>'
    for number, document in enumerate(documents):
        yield from draw_panel(document, PANEL * number, max(most, FREE))
    for number, (rule, colour) in enumerate(COLOURS.items()):
        place = LEFT + number * 165
        yield f'<circle cx="{place}" cy="{height - 20}" r="5" fill="{colour}"/>'
        yield f'<text x="{place + 10}" y="{height - 16}">{escape(rule.strip("`"))}</text>'
    yield "</svg>"


if __name__ == "__main__":
    print("\n".join(draw([json.loads(Path(name).read_text()) for name in sys.argv[1:]])))
