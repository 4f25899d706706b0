"""Whether the last run saw just this source, by `stat` and settings alone: then no file is read and no scanner imported."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from functools import lru_cache
from operator import itemgetter
from pathlib import Path

from msgspec import Struct

from sitepub.core.formats import BUNDLER_MANIFESTS, NAMES, SURVEYS
from sitepub.core.model import SourcePath
from sitepub.core.settings import Aliases, Config, Modules, Tags, Target
from sitepub.interfaces import Source, SourceFile
from sitepub.local.cache import COARSE_TICK_NS, Cache, KnownRun, LastRun, is_settled

_DEEPEST_MANIFEST = 3
_PLAIN = json.JSONEncoder(sort_keys=True, default=str)


class Inputs(Struct, frozen=True):
    """All that a manifest depends on, as far as `stat` and settings tell. `settings`: a digest of all beside the files; `stats`: a line a file."""

    settings: str
    stats: str


def look_at_inputs(source: Source, config: Config, target: Target, *, has_distribution: bool) -> Inputs:
    """Looked at once a run: of a large site it takes as long as to walk through it."""
    settings = digest_settings(source, config, target, has_distribution=has_distribution)
    return Inputs(settings, "\n".join(tell_stats(source.files)))


def remember_site(inputs: Inputs, target: Target, *, cache: Cache) -> KnownRun | None:
    """What the last run made of just this source. None: build it."""
    return cache.find_run(target.name, _join(inputs.settings, inputs.stats))


def digest_values(values: object) -> str:
    """A digest of plain values, the same on any machine."""
    return hashlib.sha256(_PLAIN.encode(values).encode()).hexdigest()


def remember_last(inputs: Inputs, target: Target, *, cache: Cache) -> LastRun | None:
    """What the last run saw and made, if settings are the same and a few changed files say nothing of others."""
    return cache.find_last(target.name, inputs.settings)


def find_changed(source: Source, inputs: Inputs, last: LastRun) -> list[SourceFile] | None:
    """Files whose `stat` differs; None where others are there than were."""
    now, before = inputs.stats.split("\n"), last.stats.split("\n")
    if len(now) != len(before):
        return None
    differing = [(file, old) for file, line, old in zip(source.files, now, before) if line != old]
    is_same_tree = all(file.path == old.partition("\0")[0] for file, old in differing)
    return [file for file, _ in differing] if is_same_tree else None


def keep_run(cache: Cache, source: Source, inputs: Inputs, target: Target, run: KnownRun, *, started: int, is_patchable: bool) -> None:
    """Keeps what a build that began at `started` (ns) saw and made. A file too fresh by then is looked at again."""
    stats = _mark_fresh(source, inputs, started)
    fingerprint = _join(inputs.settings, stats) if stats is inputs.stats else ""
    if is_patchable or fingerprint:
        cache.keep_run(target.name, fingerprint, run, inputs.settings, stats if is_patchable else "")


def _mark_fresh(source: Source, inputs: Inputs, started: int) -> str:
    """The lines of all files; of those that are too fresh, lines that the next run will not find again."""
    since = started - COARSE_TICK_NS
    fresh = [number for number, file in enumerate(source.files) if file.mtime_ns >= since and not is_settled(file, started)]
    if not fresh:
        return inputs.stats
    lines = inputs.stats.split("\n")
    for number in fresh:
        lines[number] += " fresh"
    return "\n".join(lines)


def tell_stats(files: Sequence[SourceFile]) -> list[str]:
    """A line a file."""
    return [
        # what is lent has no time and place of its own
        f"{path}\0{size} {blob}" if is_lent else f"{path}\0{size} {mtime_ns} {inode}"
        for path, size, mtime_ns, inode, blob, is_lent in files
    ]


def _join(settings: str, stats: str) -> str:
    seen = hashlib.sha256(stats.encode("utf-8", "surrogateescape")).hexdigest()
    return digest_values([settings, seen])


def digest_settings(source: Source, config: Config, target: Target, *, has_distribution: bool) -> str:
    """A digest of all that a manifest depends on beside the files that are published."""
    evidence = [[folder, name, *_stat(source.root / folder / name)] for folder, name in find_manifests(source.root, _paths(source))]
    settings = [repr(one) for one in (config.fingerprint, config.cache, config.headers, config.redirects)]
    urls = [target.url_path, target.domains, target.url_style]
    is_tagged = config.invalidation.tags is Tags.ALWAYS
    return digest_values([SURVEYS, NAMES, evidence, settings, urls, has_distribution, is_tagged])


def follows_links(config: Config, target: Target) -> bool:
    """Whether what readers follow matters: where aliases depend on it, and in a preview."""
    return config.fingerprint.aliases is not Aliases.ALWAYS or target.preview is not None


def digest_context(config: Config, target: Target, *, links: bool) -> str:
    """A digest of all that the survey of a file depends on beside the file. `links`: whether what readers follow is looked for."""
    maps, preview = config.fingerprint.modules is Modules.IMPORTMAP, target.preview
    home = [preview.home_path, preview.home_domains] if preview else []
    return digest_values([SURVEYS, target.url_path, target.domains, links, maps, *home])


def _paths(source: Source) -> tuple[SourcePath, ...]:
    return tuple(map(itemgetter(0), source.files))


def _stat(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns, found.st_ino


@lru_cache(maxsize=1)
def _find_folders(paths: tuple[SourcePath, ...]) -> list[str]:
    """Folders of files, and those above them, as deep as a bundler's manifest may stand. Kept, as a build looks for what it was asked for before."""
    folders = {""}
    for folder in {path[: path.rfind("/") + 1] for path in paths}:
        steps = folder.split("/")[:-1][:_DEEPEST_MANIFEST]
        folders.update("/".join(steps[:depth]) + "/" for depth in range(1, len(steps) + 1))
    return sorted(folders)


def find_manifests(root: Path, paths: tuple[SourcePath, ...]) -> Iterator[tuple[str, str]]:
    """(folder, name) of each bundler's manifest; those in dot-folders are no part of the site, but evidence."""
    for folder in _find_folders(paths):
        # a Path for each is several times the cost of asking for it
        yield from ((folder, name) for name in BUNDLER_MANIFESTS if os.path.isfile(f"{root}/{folder}{name}"))  # noqa: PTH113
