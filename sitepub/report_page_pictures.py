"""Pictures of the page that `--html` writes, as SVG: bytes by folder, the quota, what an invalidation covers, who refers to a file. Each says in its
title what a reader of the screen would not see."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from sitepub.edges import Invalidated
from sitepub.report_words import count, size
from sitepub.site_explaining import Mention, Story

WIDTH = 760
_ROW = 26
_LABEL = 300
_MOST_NEIGHBOURS = 8
_LONGEST = 32


def draw_sizes(rows: Sequence[tuple[str, int]]) -> str:
    """Bars of bytes by folder."""
    told = ", ".join(f"{name} {size(bytes)}" for name, bytes in rows)
    return _figure(
        "sizes",
        "What is uploaded, by folder",
        f"Bytes to upload by folder: {told}",
        _bars([(name, bytes, size(bytes), "bar") for name, bytes in rows]),
        _ROW * len(rows),
    )


def draw_cover(invalidation: Invalidated) -> str:
    """A bar for each item, as long as the changed URLs that it stands for, and one for what is evicted without need."""
    folds = dict(invalidation.folds)
    items = sorted(((item, folds.get(item, 1)) for item in invalidation.items), key=lambda row: -row[1])
    shown = [(item, urls, count(urls, "URL"), "bar") for item, urls in items[:12]]
    if len(items) > len(shown):
        rest = sum(urls for _, urls in items[len(shown) :])
        shown.append((f"and {len(items) - len(shown):,} more items", rest, count(rest, "URL"), "bar"))
    if invalidation.collateral:
        shown.append(("evicted without need", int(invalidation.collateral), count(int(invalidation.collateral), "URL"), "spill"))
    told = ", ".join(f"{name} {label}" for name, _, label, _ in shown)
    return _figure(
        "cover", "Which items evict how many changed URLs from the edges", f"Invalidation: {told}", _bars(shown), _ROW * len(shown)
    )


def draw_quota(used: int, free: int, now: int, foreseen: int | None) -> str:
    """The month's paths: used, of this publish, and at its end at this pace. `used`: before it."""
    whole = max(free, used + now, foreseen or 0, 1)
    scale = (WIDTH - 2) / whole
    parts = [f'<rect class="track" x="1" y="1" width="{WIDTH - 2}" height="28" rx="4"/>']
    parts.append(f'<rect class="used" x="1" y="1" width="{used * scale:.1f}" height="28" rx="4"/>')
    parts.append(f'<rect class="this" x="{1 + used * scale:.1f}" y="1" width="{max(2.0, now * scale) if now else 0:.1f}" height="28"/>')
    if foreseen is not None:
        parts.append(f'<rect class="next" x="1" y="1" width="{min(foreseen, whole) * scale:.1f}" height="28" rx="4"/>')
    if whole > free:
        parts.append(f'<path class="edge" d="M{1 + free * scale:.1f} 0v32"/>')
    pace = f", about {foreseen:,} at the end of the month at this pace (dashed)" if foreseen is not None else ""
    parts.append(f'<text class="quiet" x="1" y="50">{used:,} used (grey), {now:,} of this publish (blue), {free:,} free{pace}</text>')
    told = f"Free invalidation paths of this month: {used:,} of {free:,} used, {now:,} of this publish{pace}"
    return _figure("quota", "The month's free invalidation paths, of the whole account", told, "".join(parts), 56)


def draw_neighbours(number: int, story: Story) -> str:
    """A file in the middle, who refers to it on the left, what it refers to on the right."""
    left, right = _names(story.referenced_by), _names(story.refers_to)
    height = max(len(left), len(right), 1) * _ROW + 8
    middle = height / 2
    parts = []
    for x, names, anchor in ((8, left, 250), (510, right, 510)):
        top = middle - len(names) * _ROW / 2
        for at, name in enumerate(names):
            y = top + at * _ROW + _ROW / 2
            inner = 262 if anchor == 250 else 498
            curve = f"M{anchor} {y:.0f}C{(anchor + inner) / 2:.0f} {y:.0f} {(anchor + inner) / 2:.0f} {middle:.0f} {inner} {middle:.0f}"
            parts.append(f'<path class="edge" d="{curve}"/><rect class="box" x="{x}" y="{y - 11:.0f}" width="242" height="22" rx="4"/>')
            parts.append(_text(name, x + 8, y + 4))
    parts.append(
        f'<rect class="box middle" x="262" y="{middle - 14:.0f}" width="236" height="28" rx="5"/>{_text(story.path, 270, middle + 5)}'
    )
    verb = "refers" if len(story.referenced_by) == 1 else "refer"
    told = f"{count(len(story.referenced_by), 'place')} {verb} to {story.path}, which refers to {count(len(story.refers_to), 'file')}"
    caption = f"{story.path}: who refers to it (left), what it refers to (right)"
    return _figure(f"graph{number}", caption, told, "".join(parts), height)


def _names(mentions: Sequence[Mention]) -> list[str]:
    files = list(dict.fromkeys(mention.file for mention in mentions))
    more = [f"and {len(files) - _MOST_NEIGHBOURS + 1:,} more"] if len(files) > _MOST_NEIGHBOURS else []
    return [*files[: _MOST_NEIGHBOURS - len(more)], *more]


def _bars(rows: Sequence[tuple[str, int, str, str]]) -> str:
    most = max((amount for _, amount, _, _ in rows), default=0) or 1
    parts = []
    for at, (name, amount, label, kind) in enumerate(rows):
        y, width = at * _ROW, max(2.0, amount / most * (WIDTH - _LABEL - 110))
        parts.append(_text(name, 0, y + 17) + f'<rect class="{kind}" x="{_LABEL}" y="{y + 4}" width="{width:.1f}" height="18" rx="3"/>')
        parts.append(f'<text class="quiet" x="{_LABEL + width + 8:.0f}" y="{y + 17}">{escape(label)}</text>')
    return "".join(parts)


def _text(text: str, x: float, y: float) -> str:
    """Cut in the middle where it is long: both ends of a path tell most."""
    short = text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2 - 1]}…{text[-_LONGEST // 2 :]}"
    return f'<text x="{x:.0f}" y="{y:.0f}">{escape(short)}</text>'


def _figure(name: str, caption: str, told: str, drawn: str, height: float) -> str:
    image = f'<svg role="img" aria-labelledby="{name}-title" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" height="{height:.0f}">'
    return (
        f'<figure><figcaption>{escape(caption)}</figcaption>{image}<title id="{name}-title">{escape(told)}</title>{drawn}</svg></figure>\n'
    )
