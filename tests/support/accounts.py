"""Accounts of publishes that never were, of any size."""

from __future__ import annotations

from sitepub.core.changes import Action, Change, Summary
from sitepub.core.cost import Requests
from sitepub.core.model import FileClass, Key, Kind, SourcePath, Warning
from sitepub.edges import Invalidated
from sitepub.report_account import Account
from sitepub.site_explaining import Mention, Story

FOLDERS = ("blog/2024/", "blog/2025/", "docs/guide/", "docs/reference/", "shop/a/", "shop/b/", "")


def make_changes(number: int) -> list[Change]:
    """Pages that changed, some new assets with their plain names, some deletes."""
    changes = []
    for at in range(number):
        folder = FOLDERS[at % len(FOLDERS)]
        match at % 10:
            case 0:
                changes.append(_change(f"img/{at:05}.0123456789ab.jpg", Kind.ASSET, Action.PUT, "new", 90_000 + at))
                changes.append(_change(f"img/{at:05}.jpg", Kind.ALIAS, Action.COPY, "new", 90_000 + at))
            case 1:
                changes.append(Change(Key(f"{folder}old-{at:05}.html"), None, Kind.ENTRY, Action.DELETE, "no longer in the site", 0))
            case _:
                changes.append(_change(f"{folder}page-{at:05} & <more>.html", Kind.ENTRY, Action.PUT, "content changed", 4_000 + at % 999))
    return changes


def _change(key: str, kind: Kind, action: Action, reason: str, bytes: int) -> Change:
    return Change(Key(key), SourcePath(key), kind, action, reason, bytes)


def make_account(number: int, *, warnings: int = 0) -> Account:
    """A plan with that many changes, of a target behind CloudFront."""
    changes = make_changes(number)
    items = ("/blog/2024/*", "/blog/2025/*", "/docs/*", "#shop", "/index.html") if number else ()
    return Account(
        target="production",
        store="s3://www-example-com",
        release=None,
        commit=None,
        is_dry_run=True,
        summary=Summary(new=number // 5, changed=number * 8 // 10, removed=number // 10, unchanged=812),
        changes=changes,
        invalidation=Invalidated(
            items,
            collateral=120.0,
            state="none",
            used=412,
            foreseen=690,
            folds=tuple((item, number // 7) for item in items[:4]),
        )
        if items
        else Invalidated(),
        free_paths=1000,
        requests=Requests(number, 1 if items else 0),
        warnings=tuple(
            Warning("missing-reference", f"`a{at}.html` line 1 loads `<gone>.png`, which is not in the site") for at in range(warnings)
        ),
        seconds=0.4,
    )


def make_story(name: str = "css/app.css", referrers: int = 20) -> Story:
    """An asset that many pages load."""
    pages = tuple(
        Mention(SourcePath(f"blog/2024/a-rather-long-name-of-a-page-{at:03}/index.html"), at, "stylesheet") for at in range(referrers)
    )
    return Story(
        SourcePath(name),
        Key(name),
        Kind.ASSET,
        FileClass.ASSET,
        "`cache.assets`",
        (),
        pages,
        (Mention(SourcePath("img/sky.svg"), 3, "url()"),),
        "loaded",
    )
