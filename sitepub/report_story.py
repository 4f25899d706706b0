"""One file's story, as text and JSON. Returns strings, prints nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from sitepub.report_json import to_json

if TYPE_CHECKING:
    from sitepub.site_explaining import Story

SHOWN_MENTIONS = 15


class Explained(Struct, frozen=True):
    """One file's story, and `fates`: what a publish would do with each of its keys, and why."""

    story: Story
    fates: tuple[tuple[str, str], ...]


def story_as_json(explained: Explained) -> str:
    story = explained.story
    return to_json(
        {
            "path": story.path,
            "key": story.key,
            "kind": story.kind,
            "class": story.file_class,
            "rule": story.rule,
            "headers": dict(story.headers),
            "referenced_by": [{"file": mention.file, "line": mention.line, "as": mention.how} for mention in story.referenced_by],
            "refers_to": [{"file": mention.file, "line": mention.line, "as": mention.how} for mention in story.refers_to],
            "reason": story.reason,
            "publish": dict(explained.fates),
        }
    )


def story_as_text(explained: Explained, *, verbose: bool = False) -> str:
    """One file's story, a line a fact; long lists of referrers are cut without -v."""
    story = explained.story
    lines: list[str] = [story.path]
    lines.append(f"  key: {story.key}" if story.key else "  is left out")
    lines.append(f"  class: {story.file_class}, because {story.reason}")
    if story.has_alias:
        lines.append(f"  also under its plain name: {story.path}")
    lines.append(f"  headers, by {story.rule}:")
    lines += [f"    {name}: {value}" for name, value in story.headers]
    for title, mentions in (("referred to by", story.referenced_by), ("refers to", story.refers_to)):
        shown = mentions if verbose else mentions[:SHOWN_MENTIONS]
        if mentions:
            lines.append(f"  {title}:")
        lines += [f"    {mention.file}{f':{mention.line}' if mention.line else ''} ({mention.how})" for mention in shown]
        if len(mentions) > len(shown):
            lines.append(f"    … and {len(mentions) - len(shown):,} more; `-v` shows them all")
    if not story.referenced_by:
        lines.append("  nothing refers to it")
    lines.append("  a publish now:")
    lines += [f"    {key}: {fate}" for key, fate in explained.fates]
    return "\n".join(lines)
