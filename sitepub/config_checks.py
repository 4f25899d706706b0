"""What settings must be to one another: targets, stores and source, redirects. Each check returns its problems."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sitepub.config_forms import find_nearest, list_names, show_text
from sitepub.config_text import Problem
from sitepub.core.settings import BucketAddress, Config, FolderAddress, Redirect, StoreAddress, Target


def check_config(config: Config, lines: Mapping[str, int]) -> list[Problem]:
    """`lines` tells where a setting stands, by its whole path; what is not in it was wrong by itself and is not judged again."""
    named = {"default_target": config.default_target, "previews.target": config.previews.target}
    unknown = (problem for setting, name in named.items() for problem in _check_named_target(setting, name, config, lines))
    return [*unknown, *_check_targets(config, lines), *_check_redirects(config.redirects)]


def _check_named_target(setting: str, name: str | None, config: Config, lines: Mapping[str, int]) -> Iterator[Problem]:
    if name is not None and config.targets and f"targets.{name}" not in lines:
        nearest = find_nearest(name, config.targets)
        way_out = f"did you mean `{nearest}`?" if nearest else f"known are {list_names(config.targets)}"
        yield Problem(lines[setting], f"`{setting}` is {show_text(name)}, which is not in `targets`, {way_out}")


def _check_targets(config: Config, lines: Mapping[str, int]) -> Iterator[Problem]:
    source = config.source if "source" in lines else None
    for target in config.targets.values():
        where = f"targets.{target.name}"
        if f"{where}.store" not in lines:
            continue
        yield from _check_place(f"{where}.store", target.store, source, lines[f"{where}.store"])
        if isinstance(target.store, FolderAddress) and target.distribution not in (None, "none"):
            message = f"`{where}.distribution` needs a store in S3, CloudFront can't read a folder"
            yield Problem(lines[f"{where}.distribution"], message)
        if target.state is not None:
            yield from _check_state(target, target.state, source, lines[f"{where}.state"])
        if target.ledger is not None:
            yield from _check_ledger(target, target.ledger, lines[f"{where}.ledger"])


def _check_place(name: str, address: StoreAddress, source: Path | None, line: int) -> Iterator[Problem]:
    """A store in the source would publish itself, a source in the store would be overwritten by what is made from it."""
    if not isinstance(address, FolderAddress) or source is None:
        return
    folder, root = Path(os.path.realpath(address.path)), Path(os.path.realpath(source))
    if folder == root:
        yield Problem(line, f"`{name}` is `source` itself, name another folder")
    elif folder.is_relative_to(root):
        yield Problem(line, f"`{name}` lies inside `source` and would be published too, name a folder outside")
    elif root.is_relative_to(folder):
        yield Problem(line, f"`{name}` holds `source`, name a folder beside it")


def _check_state(target: Target, state: StoreAddress, source: Path | None, line: int) -> Iterator[Problem]:
    name = f"targets.{target.name}.state"
    if type(state) is not type(target.store):
        yield Problem(line, f"`{name}` must be of the same kind as the store: both folders, or both in S3")
        return
    yield from _check_place(name, state, source, line)
    below = _find_path_below(target.store, state)
    if below is not None and ".sitepub" not in below:
        yield Problem(line, f"`{name}` lies inside the store, where visitors could reach it, name another place")


def _check_ledger(target: Target, ledger: StoreAddress, line: int) -> Iterator[Problem]:
    name = f"targets.{target.name}.ledger"
    if isinstance(ledger, FolderAddress):
        yield Problem(line, f"`{name}` must be a place in S3, like `s3://bucket/prefix`, that all publishers of the account can reach")
        return
    below = _find_path_below(target.store, ledger)
    if below is not None and ".sitepub" not in below:
        yield Problem(line, f"`{name}` lies inside the store, where visitors could reach it, name another place")


def _find_path_below(upper: StoreAddress, lower: StoreAddress) -> tuple[str, ...] | None:
    """The segments from `upper` down to `lower`; None where it lies elsewhere."""
    if isinstance(upper, FolderAddress) and isinstance(lower, FolderAddress):
        above, path = Path(os.path.realpath(upper.path)).parts, Path(os.path.realpath(lower.path)).parts
    elif isinstance(upper, BucketAddress) and isinstance(lower, BucketAddress):
        above, path = _split(upper), _split(lower)
    else:
        return None
    return path[len(above) :] if path[: len(above)] == above else None


def _split(address: BucketAddress) -> tuple[str, ...]:
    return (address.bucket, *(address.prefix.split("/") if address.prefix else ()))


def _check_redirects(redirects: tuple[Redirect, ...]) -> Iterator[Problem]:
    first: dict[str, Redirect] = {}
    for redirect in (each for each in redirects if each.source and each.to):
        key = _find_key(redirect.source)
        if key in first:
            yield Problem(redirect.line, f"`redirects` has {show_text(redirect.source)} twice, first in line {first[key].line}")
        else:
            first[key] = redirect
    yield from _find_circles(first)


def _find_circles(by_key: Mapping[str, Redirect]) -> Iterator[Problem]:
    """Each circle is told once. Every redirect has one aim, so walking on from each that was not seen yet finds them all."""
    seen: set[str] = set()
    for start in by_key:
        walk: dict[str, None] = {}
        key = start
        while key in by_key and key not in seen:
            seen.add(key)
            walk[key] = None
            key = _find_key(by_key[key].to)
        if key in walk:
            circle = [*list(walk)[list(walk).index(key) :], key]
            first = by_key[key]
            if len(circle) == 2:
                yield Problem(first.line, f"`redirects` leads {show_text(first.source)} to itself")
            else:
                way = " → ".join(show_text(by_key[each].source) for each in circle[:6]) + (" …" if len(circle) > 6 else "")
                yield Problem(first.line, f"`redirects` leads in a circle: {way}")


def _find_key(url: str) -> str:
    """The key that a path of the site stands for; other URLs stand for none."""
    if not url.startswith("/"):
        return ""
    path = unquote(urlsplit(url).path)
    return path.removeprefix("/") + ("index.html" if path.endswith("/") else "")
