"""Cache tags: short names on an entry's stored copy, by which CloudFront evicts it. Pure.

An entry carries a tag for itself, for each folder that it stands in, for all entries, and for each asset that it loads directly: what an asset loads
changes the asset's own name, and with it the page. A tag is made from a path, not from content, so tags change only together with the page's bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from sitepub.core.model import Artifact, FileClass, HeaderSet, Key, Manifest, SourcePath

if TYPE_CHECKING:
    from sitepub.core.plan import Shown

TAG_HEADER = "x-amz-meta-cache-tag"
"""What the distribution's CacheTagConfig must name: metadata that S3 answers with."""

MOST_TAGS = 50
"""CloudFront ignores what comes after."""

OFFERED, TRUSTED = "cache_tags_offered_by", "cache_tags_trusted_since"
"""Kept in the state: the distribution that has CacheTagConfig, and the one whose edges hold nothing any more that was stored without tags."""

_LETTERS = 8
_TAGGED = (FileClass.ENTRY, FileClass.PINNED)
_FIRST = (".css", ".js", ".mjs")


def choose_tags(key: Key, file_class: FileClass, assets: Iterable[SourcePath], url_path: str) -> HeaderSet:
    """The header with an entry's tags; nothing for other classes. `assets`: those that it loads directly."""
    if file_class not in _TAGGED:
        return ()
    folders = [key[:place] for place, letter in enumerate(key) if letter == "/"]
    shared = sorted(set(assets), key=lambda path: (not path.endswith(_FIRST), path))
    names = [own_tag(key, url_path), name_tag("all", url_path), *(name_tag("folder", url_path + folder) for folder in folders)]
    names += [name_tag("asset", url_path + path) for path in shared]
    return ((TAG_HEADER, ",".join(list(dict.fromkeys(names))[:MOST_TAGS])),)


def own_tag(key: Key, url_path: str) -> str:
    """The tag that copies of this entry alone carry."""
    return name_tag("key", url_path + key)


def name_tag(kind: str, path: str) -> str:
    """40 bits: two of a million tags are hardly ever the same, and if they are, more is evicted than need be."""
    from base64 import b32encode  # most runs name no tag

    digest = hashlib.sha256(f"{kind} {path}".encode("utf-8", "surrogateescape")).digest()
    return b32encode(digest[: _LETTERS * 5 // 8]).decode().lower()


def read_tags(artifact: Artifact) -> tuple[str, ...]:
    """In the order in which they are stored; none for an artifact without the header."""
    found = next((value for name, value in artifact.headers if name == TAG_HEADER), "")
    return tuple(found.split(",")) if found else ()


def without_tags(headers: HeaderSet) -> HeaderSet:
    return tuple(pair for pair in headers if pair[0] != TAG_HEADER)


def keep_tags(wanted: Manifest, stood: Sequence[Iterable[Artifact]]) -> Manifest:
    """The same manifest, where tags alone would change with those that stand: an edge may go on holding the copy that carries them, as nothing else of
    it is to be evicted, and the live manifest is what evictions are chosen by. `stood`: all that may stand in the target, each to be gone through
    twice; of several copies of an artifact the tags that all of them carry are kept."""
    # nearly all of what stands is wanted as it is
    others = (
        (before, after)
        for group in stood
        for before in group
        if (after := wanted.artifacts.get(before.key)) is not before and after != before
    )
    retagged = {before.key for before, after in others if _differs_in_tags(before, after)}
    if not retagged:
        return wanted
    held: dict[Key, list[tuple[str, ...]]] = {}
    for before in (artifact for group in stood for artifact in group if artifact.key in retagged):
        after = wanted.artifacts[before.key]
        if before.headers == after.headers or _differs_in_tags(before, after):
            held.setdefault(before.key, []).append(read_tags(before))
    kept = {key: _with_tags(wanted.artifacts[key], _common(tags)) for key, tags in held.items()}
    return Manifest({**wanted.artifacts, **kept})


def _differs_in_tags(before: Artifact, after: Artifact | None) -> bool:
    """Whether both carry tags, others, and are the same beside."""
    if after is None or after.headers == before.headers or after.body != before.body:
        return False
    return bool(read_tags(before) and read_tags(after)) and without_tags(before.headers) == without_tags(after.headers)


def _common(tags: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """What all of them have, in the order of the first."""
    return tuple(tag for tag in tags[0] if all(tag in others for others in tags[1:]))


def _with_tags(artifact: Artifact, tags: Iterable[str]) -> Artifact:
    return replace(artifact, headers=tuple(sorted((*without_tags(artifact.headers), (TAG_HEADER, ",".join(tags))))))


def is_tagged(shown: Iterable[Shown]) -> bool:
    """Whether the release that is to be live carries tags."""
    return any(seen.after is not None and read_tags(seen.after) for seen in shown)


def loses_tags(shown: Iterable[Shown]) -> bool:
    """Whether edges are about to hold copies without tags again."""
    return any(seen.after is not None and not read_tags(seen.after) and any(map(read_tags, seen.before)) for seen in shown)


def held_tags(held: Iterable[Shown], live: Mapping[Key, Artifact]) -> Mapping[Key, frozenset[str]]:
    """The tags of every copy that edges may hold, by key: where it may be one of several, those that all of them carry."""
    found = {key: frozenset(read_tags(artifact)) for key, artifact in live.items()}
    for seen in held:
        tags = [frozenset(read_tags(artifact)) for artifact in seen.before]
        found[seen.key] = frozenset.intersection(*tags) if tags else frozenset()
    return found


def keys_by_tag(tags: Mapping[Key, frozenset[str]]) -> Mapping[str, tuple[Key, ...]]:
    """`tags` the other way round; keys in the order of `tags`."""
    found: dict[str, list[Key]] = {}
    for key, names in tags.items():
        for name in names:
            found.setdefault(name, []).append(key)
    return {name: tuple(keys) for name, keys in found.items()}
