"""All that building a site depends on beside its files: settings compiled once, redirects made, evidence of bundlers read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from msgspec import Struct

from sitepub.core.frozen import find_folders, find_listed
from sitepub.core.headers import HeaderPolicy, make_header_policy
from sitepub.core.model import Key, SourcePath
from sitepub.core.patterns import compile_patterns
from sitepub.core.redirects import RedirectPage, make_redirect
from sitepub.core.settings import Config, Modules, Target
from sitepub.core.urls import SiteUrls
from sitepub.errors import ConfigurationError, join_problems
from sitepub.interfaces import Progress, Source, SourceFile, Workers
from sitepub.local.cache import Cache
from sitepub.local.source import read_file
from sitepub.site_memory import digest_context, find_manifests, follows_links


class Frame(Struct, frozen=True):
    """One build. `home`: where the site itself stands, of a preview. `paths` are sorted and number the files; `frozen` holds those known by path alone, with the evidence. `context`: a digest of
    all that a survey depends on beside the file. `bring`: before any file is read."""

    root: Path
    files: tuple[SourceFile, ...]
    paths: tuple[SourcePath, ...]
    config: Config
    target: Target
    urls: SiteUrls
    home: SiteUrls | None
    policy: HeaderPolicy
    redirects: Mapping[Key, RedirectPage]
    frozen: Mapping[SourcePath, str]
    cache: Cache
    executor: Workers | None
    progress: Progress
    links: bool
    maps: bool
    context: str
    bring: Callable[[Iterable[SourceFile]], None]

    def read(self, number: int) -> bytes:
        file = self.files[number]
        self.bring((file,))
        return read_file(self.root, file)


def make_frame(
    source: Source,
    config: Config,
    target: Target,
    *,
    cache: Cache,
    executor: Workers | None,
    has_distribution: bool,
    progress: Progress,
    links: bool | None = None,
) -> Frame:
    """`links`: whether what readers follow matters; by default where aliases depend on it, and in a preview. Raises ConfigurationError for bad patterns,
    and redirects that are none or stand where a file stands."""
    files = tuple(sorted(source.files, key=lambda file: file.path))
    paths = tuple(file.path for file in files)
    policy = make_header_policy(config.cache, config.headers, has_distribution=has_distribution)
    preview = target.preview
    home = SiteUrls(preview.home_path, preview.home_domains) if preview else None
    follows = follows_links(config, target) if links is None else links
    return Frame(
        root=source.root,
        files=files,
        paths=paths,
        config=config,
        target=target,
        urls=SiteUrls(target.url_path, target.domains),
        home=home,
        policy=policy,
        redirects=_make_redirects(config, target, policy, frozenset[str](paths)),
        frozen=_find_frozen(source.root, paths, config.fingerprint.frozen),
        cache=cache,
        executor=executor,
        progress=progress,
        links=follows,
        maps=config.fingerprint.modules is Modules.IMPORTMAP,
        bring=source.bring,
        context=digest_context(config, target, links=follows),
    )


def _make_redirects(config: Config, target: Target, policy: HeaderPolicy, paths: frozenset[str]) -> Mapping[Key, RedirectPage]:
    pages: dict[Key, RedirectPage] = {}
    problems = []
    for redirect in config.redirects:
        page = make_redirect(redirect, url_path=target.url_path, policy=policy)
        if page.key in paths:
            problems.append(f"`{redirect.source}` in `redirects` would stand at `{page.key}`, which is a file of the site")
        elif page.key in pages:
            problems.append(f"`{redirect.source}` in `redirects` is there twice: `{page.key}` can lead to one place only")
        pages[page.key] = page
    if problems:
        raise join_problems("redirect-conflict", problems, ConfigurationError, "take the redirect or the file out")
    return pages


def _find_frozen(root: Path, paths: tuple[SourcePath, ...], patterns: tuple[str, ...]) -> Mapping[SourcePath, str]:
    """Later evidence gives way to earlier: patterns, then a bundler's manifest, then its folder."""
    compiled = compile_patterns(patterns)
    frozen = {path: f"`{folder}` is the folder of a bundler, whose names hold hashes" for path, folder in find_folders(paths).items()}
    known = frozenset(paths)
    for folder, name in find_manifests(root, paths):
        listed = find_listed((root / folder / name).read_bytes(), folder, name, known)
        frozen |= dict.fromkeys(listed, f"a bundler hashed it, `{folder}{name}` says")
    if patterns:
        frozen |= {path: f"`fingerprint.frozen` has `{pattern}`" for path in paths if (pattern := compiled.find_decisive(path))}
    return frozen
