"""A plan or a publish as one self-contained HTML page: what changes and why, sizes, references, invalidation and quota. It loads nothing and runs
nothing; all that is hidden opens by keyboard. Returns a string, writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from sitepub.core.change_folding import Fold, fold_changes
from sitepub.core.changes import Action, Change
from sitepub.report_account import Account
from sitepub.report_invalidation import invalidation_lines
from sitepub.report_page_pictures import draw_cover, draw_neighbours, draw_quota, draw_sizes
from sitepub.report_page_style import STYLE
from sitepub.report_words import count, money, size
from sitepub.site_explaining import Story

_MOST_FOLDS = 30
_MOST_BARS = 12
_OPEN_BELOW = 30
"""Changes up to which nothing is hidden."""

_WORDS = {"+": ("new", "new"), "~": ("changed", "changed"), "-": ("deleted", "deleted")}


def account_as_page(account: Account, stories: Sequence[Story] = ()) -> str:
    """`stories`: of files that the changes come from, with who refers to them."""
    title = f"{'Plan for' if account.is_dry_run else 'Published to'} {account.target}"
    sections = "".join(
        [_totals(account), _warnings(account), _changes(account.changes), _sizes(account), _references(stories), _invalidation(account)]
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f'<meta name="robots" content="noindex">\n<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n'
        f'<a class="skip" href="#changes">To the changes</a>\n<main>\n<h1>{escape(title)}</h1>\n<p class="about">{escape(_about(account))}</p>\n'
        f"{sections}</main>\n</body>\n</html>\n"
    )


def _about(account: Account) -> str:
    commit = f", commit {account.commit.id[:8]} “{account.commit.subject}”" if account.commit else ""
    release = f", release {account.release}" if account.release else ""
    return f"{account.store}{release}{commit}, in {account.seconds:.1f} s"


def _totals(account: Account) -> str:
    summary = account.summary
    rows = [
        ("new", f"{summary.new:,}"),
        ("changed", f"{summary.changed:,}"),
        ("with new headers", f"{summary.headers:,}"),
        ("removed", f"{summary.removed:,}"),
        ("unchanged", f"{summary.unchanged:,}"),
        ("to upload" if account.is_dry_run else "uploaded", size(sum(change.bytes for change in account.puts))),
        ("requests", f"{account.requests.store + account.requests.cdn:,}"),
        *([] if account.is_free else [("cost", money(account.cost))]),
    ]
    told = "".join(f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for name, value in rows)
    return f'<h2>At a glance</h2>\n<dl class="totals">{told}</dl>\n'


def _warnings(account: Account) -> str:
    if not account.warnings:
        return ""
    rows = "".join(f"<li>{escape(warning.message)}</li>" for warning in account.warnings)
    body = f'<ul class="warnings">{rows}</ul>'
    if len(account.warnings) > 10:
        body = f"<details><summary>{count(len(account.warnings), 'warning')}</summary>{body}</details>"
    return f"<h2>Warnings</h2>\n{body}\n"


def _changes(changes: Sequence[Change]) -> str:
    if not changes:
        return '<h2 id="changes">Changes</h2>\n<p>Nothing to publish.</p>\n'
    named = [change for change in changes if change.kind != "alias"]
    aliases = [change for change in changes if change.kind == "alias"]
    is_open = len(named) <= _OPEN_BELOW
    body = "".join(_fold(fold, is_open=is_open) for fold in fold_changes(named, most=1 if is_open else _MOST_FOLDS))
    for fold in fold_changes(aliases, most=1):
        body += _fold(fold, is_open=False, about="plain names of assets, for references that no tool can see")
    return f'<h2 id="changes">Changes</h2>\n{body}'


def _fold(fold: Fold, *, is_open: bool, about: str = "") -> str:
    word, style = _WORDS[fold.mark]
    moved = f", {size(fold.bytes)}" if fold.mark != "-" else ""
    head = (
        f'<span class="mark {style}">{word}</span> <span class="folder">{escape(fold.folder or "./")}</span> '
        f'<span class="of">{count(len(fold.changes), "file")}{moved}: {escape(about or fold.reason)}</span>'
    )
    caption = f"{count(len(fold.changes), 'file')} in {escape(fold.folder or './')}: {escape(fold.reason)}"
    rows = "".join(_rows(fold.changes))
    table = (
        f'<table><caption>{caption}</caption><thead><tr><th scope="col">key</th><th scope="col">kind</th><th scope="col">why</th>'
        f'<th scope="col" class="number">size</th></tr></thead><tbody>{rows}</tbody></table>'
    )
    label = f"{word} files in {escape(fold.folder or './', quote=True)}"
    return f'<details{" open" if is_open else ""}><summary>{head}</summary><div class="scroll" tabindex="0" role="region" aria-label="{label}, {escape(fold.reason, quote=True)}">{table}</div></details>\n'


def _rows(changes: Sequence[Change]) -> Iterator[str]:
    for change in sorted(changes, key=lambda change: change.key):
        moved = size(change.bytes) if change.action is not Action.DELETE else "–"
        yield (
            f'<tr><th scope="row">{escape(change.key)}</th><td>{change.kind}</td><td>{escape(change.reason)}</td>'
            f'<td class="number">{moved}</td></tr>'
        )


def _sizes(account: Account) -> str:
    folds = fold_changes(account.puts, most=_MOST_BARS)
    by_folder: dict[str, int] = {}
    for fold in folds:
        name = fold.folder or "./"
        by_folder[name] = by_folder.get(name, 0) + fold.bytes
    rows = sorted(by_folder.items(), key=lambda row: -row[1])
    return f"<h2>Sizes</h2>\n{draw_sizes(rows)}" if rows else ""


def _references(stories: Sequence[Story]) -> str:
    if not stories:
        return ""
    drawn = "".join(f"{draw_neighbours(number, story)}{_mentions(story)}" for number, story in enumerate(stories))
    return f"<h2>Who loads what has changed</h2>\n{drawn}"


def _mentions(story: Story) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(mention.file)}{f":{mention.line}" if mention.line else ""}</th><td>{way}</td><td>{escape(mention.how)}</td></tr>'
        for way, mentions in (("refers to it", story.referenced_by), ("is referred to by it", story.refers_to))
        for mention in mentions
    )
    if not rows:
        return ""
    number = count(len(story.referenced_by) + len(story.refers_to), "reference")
    table = (
        f'<table><caption>References of {escape(story.path)}</caption><thead><tr><th scope="col">file</th><th scope="col">which way</th>'
        f'<th scope="col">as</th></tr></thead><tbody>{rows}</tbody></table>'
    )
    label = f"references of {escape(story.path, quote=True)}"
    return f'<details><summary>{number} with file and line</summary><div class="scroll" tabindex="0" role="region" aria-label="{label}">{table}</div></details>\n'


def _invalidation(account: Account) -> str:
    invalidation = account.invalidation
    if not invalidation.items:
        return ""
    lines = "".join(
        f"<li>{escape(line.strip())}</li>" for line in invalidation_lines(invalidation, account.free_paths, is_dry_run=account.is_dry_run)
    )
    body = f"{draw_cover(invalidation)}<ul>{lines}</ul>\n"
    if invalidation.used is not None and account.free_paths is not None:
        now = len(invalidation.items)
        before = invalidation.used if account.is_dry_run or invalidation.state == "owed" else max(0, invalidation.used - now)
        body += draw_quota(before, account.free_paths, now, invalidation.foreseen)
    return f"<h2>Invalidation</h2>\n{body}"
