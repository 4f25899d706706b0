"""Which files a bundler already hashed, by evidence: its folder, its own manifest, a pattern, or a digest that is that of the content.

The look of a name is never evidence by itself: `zoom-out-symbolic.svg` looks like a bundler's as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from sitepub.core.model import Digest, SourcePath

_FOLDER_NAMES = ("_astro/", "_next/static/", "_app/immutable/", "_nuxt/")
_FOLDERS = re.compile(r"(?:^|/)(_astro/|_next/static/|_app/immutable/|_nuxt/(?!builds/))")
_LOOKS_HASHED = re.compile(r"(?:^(?=[^.]*[0-9])[0-9a-f]{8,64}|[-._~][A-Za-z0-9_-]{6,64})\.[A-Za-z0-9.]+$")
_OWN_DIGEST = re.compile(r"\.([0-9a-f]{6,64})\.[^./]*$")


def find_folders(paths: Sequence[SourcePath]) -> Mapping[SourcePath, str]:
    """The folder of a bundler that a file is in, of those that are in one."""
    text = "\n".join(paths)
    if not any(name in text for name in _FOLDER_NAMES):
        return {}  # most sites have none, which a glance at all names at once tells
    found = ((path, _FOLDERS.search(path)) for path in paths)
    return {path: path[: match.end(1)] for path, match in found if match}


def find_listed(text: bytes, folder: str, name: str, paths: Collection[str]) -> Mapping[SourcePath, str]:
    """The files that a bundler's manifest in `folder` ('', or with a slash at its end) names and whose names can hold a hash, each with that folder;
    of Vite, which lists them only in part, all such files of `assets/` too."""
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    named = {folder + one for one in _strings(tree)} | {one.lstrip("/") for one in _strings(tree)}
    if name.startswith(".vite/") or _is_of_vitepress(tree, folder, paths):
        named |= {path for path in paths if path.startswith(f"{folder}assets/")}
    return {SourcePath(path): folder for path in sorted(named) if path in paths and looks_hashed(path)}


def _is_of_vitepress(tree: object, folder: str, paths: Collection[str]) -> bool:
    """Its `hashmap.json` has the hash of each page's script, from which the script of the site makes the URL."""
    return isinstance(tree, dict) and any(f"{folder}assets/{page}.{hashed}.js" in paths for page, hashed in tree.items())


def looks_hashed(path: str) -> bool:
    """Whether the name has room for a hash, which is next to nothing without a manifest that lists it."""
    return _LOOKS_HASHED.search(path.rpartition("/")[2]) is not None


def carries_own_digest(path: SourcePath, digest: Digest) -> bool:
    """Whether the name is one that sitepub gave for just this content."""
    found = _OWN_DIGEST.search(path)
    return found is not None and digest.startswith(found.group(1))


def split_own_digest(path: SourcePath) -> tuple[SourcePath, str] | None:
    """`a.3f9ac2d1.js` as the plain path and the digest that it would have been named with."""
    found = _OWN_DIGEST.search(path)
    if found is None:
        return None
    return SourcePath(path[: found.start()] + path[found.end(1) :]), found.group(1)


def _strings(tree: object) -> Iterator[str]:
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, str):
            yield node.removeprefix("./")
        elif isinstance(node, dict):
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
