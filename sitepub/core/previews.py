"""Previews: targets of their own that nobody writes into sitepub.yaml, each below a prefix of its own, for some days. Pure.

A preview `NAME` of target `TARGET` is called `TARGET@NAME`, wherever a target is named. Its pages are not kept by any edge: so it needs no invalidation,
and the month's free paths are left to the site itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from msgspec.structs import replace

from sitepub.core.settings import (
    ENTRIES_WITHOUT_DISTRIBUTION,
    BucketAddress,
    Config,
    FolderAddress,
    HeaderRule,
    Preview,
    Redirect,
    StoreAddress,
    Target,
)
from sitepub.errors import UsageError

SEPARATOR = "@"
NAME = "{name}"
"""What stands in `previews.url` for a preview's name."""

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_ODD = re.compile(r"[^a-z0-9]+")
_KEPT_AT_EDGES = ("Cache-Control", "Expires")


def is_preview_name(name: str) -> bool:
    """A label of DNS, so that it may stand in any URL."""
    return _LABEL.fullmatch(name) is not None


def make_preview(config: Config, target: Target, name: str) -> Target:
    """The target that a preview is. Any branch may be published there. Raises UsageError `bad-preview-name`."""
    if not is_preview_name(name):
        slug = _ODD.sub("-", name.lower()).strip("-")[:63].strip("-")
        hint = f"write it as `{slug}`" if slug else "write it as `pr-12`"
        raise UsageError(
            "bad-preview-name", f"`{name}` can't be a preview's name, which is made of small letters, digits and `-`, 63 at most", hint
        )
    root = find_root(config, target)
    url = _find_url(config, root, name)
    parts = urlsplit(url)
    domains = (parts.netloc.lower(),) if parts.netloc else root.domains
    return replace(
        root,
        name=f"{target.name}{SEPARATOR}{name}",
        store=_inside(root.store, name),
        state=_inside(root.state, name) if root.state else None,
        distribution="none",
        url=url,
        url_path=parts.path or "/",
        domains=domains,
        branch=None,
        url_style=target.url_style,
        preview=Preview(name, target.name, config.previews.days, target.url_path, _home_domains(target)),
    )


def find_root(config: Config, target: Target) -> Target:
    """The target in whose store previews of `target` stand, its store and state at the folder that holds them all."""
    parent = config.targets[config.previews.target] if config.previews.target is not None else target
    prefix = config.previews.prefix
    if not prefix:
        return parent
    return replace(parent, store=_inside(parent.store, prefix), state=_inside(parent.state, prefix) if parent.state else None)


def find_previews_folder(config: Config, target: Target) -> str | None:
    """Where in the target's own store previews may stand, with a slash at its end; None where that is nowhere."""
    is_here = config.previews.target in (None, target.name) and target.preview is None
    return f"{config.previews.prefix}/" if is_here and config.previews.prefix else None


def find_url_pattern(config: Config, target: Target) -> str:
    """The URL of any preview of the target, with `{name}` for its name."""
    return _find_url(config, find_root(config, target), NAME)


def settle_for_preview(config: Config, target: Target) -> Config:
    """The configuration that a target is published with: for a preview, edges keep nothing but assets, and redirects start where it stands."""
    preview = target.preview
    if preview is None:
        return config
    cache = replace(config.cache, entries=ENTRIES_WITHOUT_DISTRIBUTION, errors=ENTRIES_WITHOUT_DISTRIBUTION)
    rules = tuple(rule for rule in map(_without_times, config.headers) if rule.set)
    redirects = tuple(_move(redirect, preview.home_path) for redirect in config.redirects)
    return replace(config, cache=cache, headers=rules, redirects=redirects)


def build_environment(target: Target) -> Mapping[str, str]:
    """What `build:` is told of where its outcome will stand."""
    named = {"SITEPUB_TARGET": target.preview.of if target.preview else target.name, "SITEPUB_URL": _with_slash(target.url)}
    return {**named, "SITEPUB_PREVIEW": target.preview.name if target.preview else ""}


def expires_at(target: Target, now: datetime) -> str:
    """As a target's state says it; '' for what stays. `now` in UTC."""
    return "" if target.preview is None else f"{now + timedelta(days=target.preview.days):%Y-%m-%dT%H:%M:%SZ}"


def is_put_off(known: str, expires: str) -> bool:
    """Whether what the state says may stay: it is written no more than once a day."""
    return not expires or known[:10] == expires[:10]


def has_expired(expires: str, now: datetime) -> bool:
    """`expires` as a target's state says it; what has none stays."""
    return bool(expires) and datetime.fromisoformat(expires) <= now


def _find_url(config: Config, root: Target, name: str) -> str:
    if config.previews.url is not None:
        return _with_slash(config.previews.url.replace(NAME, name))
    below = f"{config.previews.prefix}/{name}" if config.previews.prefix else name
    return f"{_with_slash(root.url)}{below}/"


def _with_slash(url: str) -> str:
    return f"{url.rstrip('/')}/"


def _home_domains(target: Target) -> tuple[str, ...]:
    host = urlsplit(target.url).netloc.lower()
    return tuple(dict.fromkeys([*target.domains, *([host] if host else [])]))


def _inside(address: StoreAddress, folder: str) -> StoreAddress:
    if isinstance(address, FolderAddress):
        return FolderAddress(address.path / folder)
    return BucketAddress(address.bucket, f"{address.prefix}/{folder}" if address.prefix else folder)


def _without_times(rule: HeaderRule) -> HeaderRule:
    return replace(rule, set=tuple((name, value) for name, value in rule.set if name not in _KEPT_AT_EDGES))


def _move(redirect: Redirect, home: str) -> Redirect:
    """Paths that are written with the mount of the site itself lose it: what is left is below the root of any."""
    source, to = (f"/{path.removeprefix(home)}" if path.startswith(home) else path for path in (redirect.source, redirect.to))
    return replace(redirect, source=source, to=to)
