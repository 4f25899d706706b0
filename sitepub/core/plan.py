"""Decides what a publish or rollback does, complete before the first write. Pure: manifests in, a Plan out.

Every change carries its reason. The order of steps is the protocol's (docs/design.md): new keys that pages load, changed ones, pages,
the front page, retired entries.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum

from sitepub.core.changes import Action, Change, Summary
from sitepub.core.model import INDEX, Artifact, Digest, ETag, FileClass, HeaderSet, Key, Kind, Manifest, Warning

PACK_LIMIT = 1024 * 1024
"""Bodies of entries above this many bytes stand by themselves instead of in a pack."""

COPY_ABOVE = 8 * 1024 * 1024
"""An alias above this many bytes is copied on the server; below, a second put costs less than a copy that replaces headers."""

FRONT_PAGE = Key(INDEX)


class Stage(IntEnum):
    """Order of promote; within a stage the order does not matter. MAKE_WAY: in a folder, what stands where another key needs a folder."""

    MAKE_WAY = -1
    NEW_LOADED = 0
    CHANGED_LOADED = 1
    PAGES = 2
    FRONT_PAGE = 3
    RETIRED = 4


@dataclass(frozen=True, slots=True)
class Step:
    """One write of promote. `wanted` None is a delete. `candidates`: all that may stand at the key now (None: nothing); anything else is
    foreign. `etag`: what the live release's record says stands there."""

    stage: Stage
    key: Key
    wanted: Artifact | None
    candidates: tuple[Artifact | None, ...]
    etag: ETag | None
    is_forced: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A key that edges may hold under content that is no longer wanted. `before`: all that visitors may have got."""

    key: Key
    before: tuple[Artifact, ...]
    after: Artifact | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What a listing found at a wanted key before sitepub ever published there."""

    etag: ETag
    is_same_body: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What a look at the target found at a wanted key, against all records. `shown`: what visitors may have got from it; where nothing
    stands there, an artifact without headers, as edges keep that answer too."""

    reason: str
    shown: Artifact
    is_missing: bool = False


@dataclass(frozen=True, slots=True)
class Base:
    """What the target holds by our own records. `others`: manifests of releases that may be half promoted; `lingering`: retired keys that
    still stand; `standing`: what stood there before a first publish; `found`: keys to be written again, whatever the records say."""

    live: Manifest | None = None
    others: tuple[Manifest, ...] = ()
    lingering: Mapping[Key, tuple[Artifact, ...]] = field(default_factory=dict)
    etags: Mapping[Key, ETag] = field(default_factory=dict)
    standing: Mapping[Key, Standing] = field(default_factory=dict)
    found: Mapping[Key, Found] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a run will do to the target's content. `uploads`: hashed or brand-new frozen files that nobody refers to yet; `steps`: promote;
    `lingering`: what stays in place without being in the manifest; `saved`: artifacts whose bodies are kept before they are overwritten, where they stand."""

    wanted: Manifest
    changes: tuple[Change, ...]
    uploads: tuple[Artifact, ...]
    steps: tuple[Step, ...]
    shown: tuple[Shown, ...]
    lingering: Mapping[Key, tuple[Artifact, ...]]
    saved: tuple[Artifact, ...]
    foreign: tuple[Key, ...]
    summary: Summary
    warnings: tuple[Warning, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Nothing of the site is written or deleted."""
        return not self.uploads and not self.steps


def make_plan(wanted: Manifest, base: Base, *, allow_foreign: bool = False, is_folder: bool = False) -> Plan:
    """Compares what is wanted with all that may stand in the target. `is_folder`: a key can't stand where others need a folder."""
    uploads = tuple(artifact for artifact in wanted.artifacts.values() if _needs_upload(artifact, base, allow_foreign=allow_foreign))
    steps = _order(_find_steps(wanted, base, {artifact.key for artifact in uploads}, allow_foreign=allow_foreign))
    if is_folder:
        steps = _order(_make_way(steps))
    changes = [*(_tell_upload(artifact, base) for artifact in uploads), *(_tell_step(step, base) for step in steps)]
    blocking = (key for key, standing in base.standing.items() if key in wanted.artifacts and not standing.is_same_body)
    return Plan(
        wanted=wanted,
        changes=tuple(sorted(changes, key=lambda change: change.key)),
        uploads=uploads,
        steps=steps,
        shown=tuple(_find_shown(wanted, base)),
        lingering=_find_lingering(wanted, base),
        saved=tuple(_find_saved(steps)),
        foreign=() if allow_foreign else tuple(blocking),
        summary=_summarise(wanted, uploads, steps, base),
    )


def settle_frozen(
    wanted: Manifest,
    live: Manifest | None,
    entry_headers: Mapping[Key, Artifact],
    lingering: Mapping[Key, tuple[Artifact, ...]] | None = None,
) -> tuple[Manifest, tuple[Warning, ...]]:
    """Frozen files whose bytes changed under the same name become entries, and stay entries: caches may hold them for ever otherwise.

    `entry_headers`: for each frozen key the artifact as it is when treated as an entry; `lingering`: what stood there before it was retired.
    """
    if live is None:
        return wanted, ()
    settled, warnings = dict(wanted.artifacts), []
    for key, as_entry in entry_headers.items():
        before = (live.artifacts[key],) if key in live.artifacts else (lingering or {}).get(key, ())
        if all(artifact.file_class is FileClass.FROZEN and artifact.body == as_entry.body for artifact in before):
            continue
        settled[key] = as_entry
        if any(artifact.body != as_entry.body for artifact in before):
            message = f"`{key}` has a bundler's name but other bytes than before; it is published as an entry, not cached for ever"
            warnings.append(Warning("frozen-file-changed", message))
    return (Manifest(settled) if settled != wanted.artifacts else wanted), tuple(warnings)


def shrinks(wanted: Manifest, live: Manifest | None) -> tuple[int, int] | None:
    """(files before, files now) where a site lost more than 30 % and more than 20 of its files."""
    if live is None:
        return None
    before, now = _count_files(live), _count_files(wanted)
    return (before, now) if before - now > 20 and before - now > 0.3 * before else None


def count_by_kind(manifest: Manifest) -> tuple[int, int]:
    """(entries, assets) of a manifest; aliases are neither."""
    kinds = [artifact.kind for artifact in manifest.artifacts.values()]
    return kinds.count(Kind.ENTRY), kinds.count(Kind.ASSET)


def is_large(artifact: Artifact) -> bool:
    """An entry that stands by itself in the records, not in a pack."""
    return artifact.kind is Kind.ENTRY and artifact.size > PACK_LIMIT


def bodies_to_bring(plan: Plan, located: Collection[Digest]) -> tuple[Artifact, ...]:
    """One wanted artifact for each body of an entry that no pack of the target holds yet, in key order."""
    brought: dict[Digest, Artifact] = {}
    for artifact in plan.wanted.artifacts.values():
        if artifact.file_class in (FileClass.ENTRY, FileClass.PINNED, FileClass.REDIRECT) and artifact.body not in located:
            brought.setdefault(artifact.body, artifact)
    return tuple(brought.values())


def _count_files(manifest: Manifest) -> int:
    return sum(artifact.kind is not Kind.ALIAS for artifact in manifest.artifacts.values())


def _needs_upload(artifact: Artifact, base: Base, *, allow_foreign: bool) -> bool:
    """Nobody refers to a hashed name before its release; a frozen name is as good where nothing of it was ever published, nor may be
    overwritten."""
    if artifact.file_class is FileClass.ASSET:
        found = base.found.get(artifact.key)
        return base.live is None or artifact.key not in base.live.artifacts or (found is not None and found.is_missing)
    if artifact.file_class is FileClass.FROZEN:
        return not allow_foreign and not any(_find_candidates(artifact.key, base)) and artifact.key not in base.standing
    return False


def _find_candidates(key: Key, base: Base) -> tuple[Artifact | None, ...]:
    found: dict[Artifact | None, None] = {}
    manifests = ([base.live] if base.live else []) + list(base.others)
    for manifest in manifests or [Manifest()]:
        found.setdefault(manifest.artifacts.get(key))
    if key in base.lingering and (base.live is None or key not in base.live.artifacts):
        found.setdefault(None)
        for artifact in base.lingering[key]:
            found.setdefault(artifact)
    if base.live is None:
        found.setdefault(None)
    if key in base.found:
        found.setdefault(None if base.found[key].is_missing else base.found[key].shown)
    return tuple(found)


def _find_steps(wanted: Manifest, base: Base, uploaded: Collection[Key], *, allow_foreign: bool) -> Iterable[Step]:
    keys = set(wanted.artifacts)
    for manifest in (base.live, *base.others):
        keys.update(manifest.artifacts if manifest else ())
    for key in keys - set(uploaded):
        artifact = wanted.artifacts.get(key)
        standing = base.standing.get(key)
        candidates = _find_candidates(key, base)
        if standing is not None and artifact is not None:
            is_forced = allow_foreign or standing.is_same_body
            yield Step(_choose_stage(artifact, candidates), key, artifact, candidates, standing.etag, is_forced)
        elif not (_is_settled(artifact, candidates) if artifact is not None else _stays(key, candidates, base)):
            etag = base.etags.get(key) if len(candidates) == 1 else None
            stage = Stage.RETIRED if artifact is None else _choose_stage(artifact, candidates)
            yield Step(stage, key, artifact, candidates, etag, allow_foreign)


def _is_settled(wanted: Artifact, candidates: Sequence[Artifact | None]) -> bool:
    """Nothing to write: exactly this stands there."""
    return all(artifact is not None and is_same(artifact, wanted) for artifact in candidates)


def _stays(key: Key, candidates: Sequence[Artifact | None], base: Base) -> bool:
    """Whether a retired key is left to `gc`: pages may still load it, be it that only those of earlier releases do."""
    return key in base.lingering or any(_is_loaded(artifact) for artifact in candidates) or not any(candidates)


def _is_loaded(artifact: Artifact | None) -> bool:
    return artifact is not None and (artifact.file_class.is_loaded or artifact.file_class is FileClass.ASSET)


def is_same(left: Artifact, right: Artifact) -> bool:
    """The same bytes under the same headers."""
    return left.body == right.body and left.headers == right.headers


def _first(candidates: Sequence[Artifact | None]) -> Artifact:
    return next(artifact for artifact in candidates if artifact is not None)


def _choose_stage(artifact: Artifact, candidates: Sequence[Artifact | None]) -> Stage:
    if _is_loaded(artifact):
        return Stage.NEW_LOADED if None in candidates else Stage.CHANGED_LOADED
    return Stage.FRONT_PAGE if artifact.key == FRONT_PAGE else Stage.PAGES


def _order(steps: Iterable[Step]) -> tuple[Step, ...]:
    """By stage; leaves before the pages above them, so that a reader who follows a link meets the new release."""
    return tuple(sorted(steps, key=lambda step: (step.stage, -step.key.count("/"), step.key)))


def _make_way(steps: Sequence[Step]) -> Iterable[Step]:
    """A file system takes no file where a folder stands, and no folder where a file stands: what is deleted there goes first."""
    written = {step.key for step in steps if step.wanted is not None}
    folders = {parent for key in written for parent in _folders_of(key)}
    for step in steps:
        blocks = step.wanted is None and (step.key in folders or any(parent in written for parent in _folders_of(step.key)))
        yield replace(step, stage=Stage.MAKE_WAY) if blocks else step


def _folders_of(key: str) -> Iterable[str]:
    return (key[:end] for end, character in enumerate(key) if character == "/")


def _tell_upload(artifact: Artifact, base: Base) -> Change:
    found = base.found.get(artifact.key)
    return Change(artifact.key, artifact.source, artifact.kind, Action.PUT, found.reason if found else "new", artifact.size)


def _tell_step(step: Step, base: Base) -> Change:
    if step.wanted is None:
        retired = _first(step.candidates)
        return Change(step.key, None, retired.kind, Action.DELETE, "no longer in the site", 0)
    artifact = step.wanted
    action = Action.COPY if artifact.kind is Kind.ALIAS and artifact.size > COPY_ABOVE else Action.PUT
    return Change(step.key, artifact.source, artifact.kind, action, _explain(artifact, base), artifact.size)


def _explain(wanted: Artifact, base: Base) -> str:
    """Why it is written again."""
    key = wanted.key
    standing = base.standing.get(key)
    if standing is not None:
        return "already there, takes our headers" if standing.is_same_body else "foreign content, replaced because it is allowed"
    if key in base.found:
        return base.found[key].reason
    before = base.live.artifacts.get(key) if base.live else None
    if before is None:
        return "back again" if key in base.lingering else "new"
    if before.body != wanted.body:
        return "content changed"
    if before.headers != wanted.headers:
        return "headers changed: " + ", ".join(changed_headers(before.headers, wanted.headers))
    return "an unfinished release may have changed it"


def changed_headers(before: HeaderSet, after: HeaderSet) -> tuple[str, ...]:
    """Names of the headers that differ, sorted."""
    return tuple(sorted({name for name, _ in set(before) ^ set(after)}))


def _find_shown(wanted: Manifest, base: Base) -> Iterable[Shown]:
    manifests = [manifest for manifest in (base.live, *base.others) if manifest]
    keys = {key for manifest in manifests for key in manifest.artifacts} | set(base.lingering)
    for key in sorted(keys):
        after = wanted.artifacts.get(key)
        before = tuple(artifact for artifact in _find_candidates(key, base) if artifact is not None)
        if key in base.found and base.found[key].is_missing:
            before = (*before, base.found[key].shown)
        if after is None and _stays(key, before, base):
            continue
        if any(after is None or not is_same(artifact, after) for artifact in before):
            yield Shown(key, before, after)


def _find_lingering(wanted: Manifest, base: Base) -> Mapping[Key, tuple[Artifact, ...]]:
    """Keys that pages of earlier releases load under a name that stays; they are left in place until `gc`. One that is an entry now is
    remembered too: it is no page's business today, but once it is retired it is still theirs."""
    keys = set(base.lingering)
    for manifest in (base.live, *base.others):
        keys.update(key for key, artifact in (manifest.artifacts if manifest else {}).items() if artifact.file_class.is_loaded)
    lingering: dict[Key, tuple[Artifact, ...]] = {}
    for key in sorted(keys):
        stood = dict.fromkeys((*base.lingering.get(key, ()), *filter(None, _find_candidates(key, base))))
        after = wanted.artifacts.get(key)
        if after is None:
            lingering[key] = tuple(stood)
        elif not _is_loaded(after):
            lingering[key] = tuple(artifact for artifact in stood if _is_loaded(artifact))
    return {key: stood for key, stood in lingering.items() if stood}


def _find_saved(steps: Iterable[Step]) -> Iterable[Artifact]:
    """Frozen bodies stand at their own key alone; one that is about to be overwritten is kept for rollback."""
    for step in steps:
        for before in step.candidates:
            if before and before.file_class is FileClass.FROZEN and step.wanted and step.wanted.body != before.body:
                yield before


def _summarise(wanted: Manifest, uploads: Collection[Artifact], steps: Iterable[Step], base: Base) -> Summary:
    live = base.live.artifacts if base.live else {}
    summary = Summary(new=len(uploads))
    touched = len(uploads)
    for step in steps:
        before = live.get(step.key)
        touched += step.wanted is not None
        if step.wanted is None:
            summary = replace(summary, removed=summary.removed + 1)
        elif before is None:
            summary = replace(summary, new=summary.new + 1)
        elif before.body != step.wanted.body or (step.key in base.found and base.found[step.key].shown.body != before.body):
            summary = replace(summary, changed=summary.changed + 1)
        else:
            summary = replace(summary, headers=summary.headers + 1)
    return replace(summary, unchanged=len(wanted) - touched)
