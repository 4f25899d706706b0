"""Sites from a dictionary of bodies, built for real in a folder, and what came of them by key."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sitepub.core.model import FileClass, SourcePath
from sitepub.core.settings import Config, Fingerprint, FolderAddress, Redirect, Target
from sitepub.local.cache import Cache, open_cache
from sitepub.local.source import FolderSource, scan_source
from sitepub.site import FileStory, Site, build_site
from sitepub.site_bodies import make_body
from tests.support.builders import SilentProgress

LONG_AGO = 1_600_000_000


@dataclass(slots=True)
class Built:
    """A site with all of its bodies made from their recipes."""

    source: FolderSource
    site: Site
    bodies: dict[str, bytes] = field(default_factory=dict)

    def keys(self, file_class: FileClass) -> set[str]:
        return {key for key, artifact in self.site.manifest.artifacts.items() if artifact.file_class is file_class}

    def key_of(self, path: str) -> str:
        key = self.story(path).key
        assert key is not None
        return key

    def body_of(self, path: str) -> bytes:
        return self.bodies[self.key_of(path)]

    def story(self, path: str) -> FileStory:
        return self.site.files[SourcePath(path)]

    def class_of(self, path: str) -> FileClass:
        return self.story(path).file_class

    def codes(self) -> list[str]:
        return [warning.code for warning in self.site.warnings]


def write_tree(root: Path, files: Mapping[str, bytes | str], *, mtime: int = LONG_AGO) -> Path:
    """Files last changed long ago, so that a cache trusts their time."""
    for path, body in files.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(body.encode() if isinstance(body, str) else body)
        os.utime(place, (mtime, mtime))
    return root


def make_config(root: Path, *, redirects: tuple[Redirect, ...] = (), target: Mapping[str, Any] | None = None, **settings: Any) -> Config:
    address = Target("local", FolderAddress(Path("/nowhere")), **(target or {}))
    return Config(root / "sitepub.yaml", root, {"local": address}, fingerprint=Fingerprint(**settings), redirects=redirects)


def build_tree(
    root: Path,
    files: Mapping[str, bytes | str] | None = None,
    *,
    cache: Cache | None = None,
    executor: Executor | None = None,
    has_distribution: bool = False,
    config: Config | None = None,
    with_bodies: bool = True,
    **settings: Any,
) -> Built:
    """Writes `files` below `root`, if any are given, and builds what stands there."""
    write_tree(root, files or {})
    source = scan_source(root)
    chosen = config or make_config(root, **settings)
    opened = cache or open_cache(None)
    target = chosen.targets["local"]
    site = build_site(source, chosen, target, cache=opened, executor=executor, has_distribution=has_distribution, progress=SilentProgress())
    if cache is None:
        opened.close()
    built = Built(source, site)
    by_path = {file.path: file for file in source.files}
    for key, artifact in site.manifest.artifacts.items() if with_bodies else ():
        recipe = site.recipes[key]
        file = by_path[recipe.source] if recipe.source is not None else None
        built.bodies[key] = make_body(source.root, file, recipe, digest=artifact.body)
    return built
