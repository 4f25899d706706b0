"""Decides what a publish or rollback does, complete before the first write. Pure: manifests in, a Plan out.

Every change carries its reason. The order of steps is the protocol's (docs/design.md): new keys that pages load, changed ones, pages,
the front page, retired entries.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain

from msgspec.structs import replace

from sitepub.core.model import INDEX, Artifact, FileClass, Key, Manifest, Warning
from sitepub.core.plan import Base, Plan, Shown, Stage, Step, is_same
from sitepub.core.telling import summarise, tell_step, tell_upload

FRONT_PAGE = Key(INDEX)

_NOTHING: tuple[Artifact | None, ...] = (None,)


def make_plan(wanted: Manifest, base: Base, *, allow_foreign: bool = False, is_folder: bool = False) -> Plan:
    """Compares what is wanted with all that may stand in the target. `is_folder`: a key can't stand where others need a folder."""
    unsettled = find_unsettled(wanted, base)
    uploads = tuple(
        wanted.artifacts[key]
        for key in sorted(unsettled)
        if key in wanted.artifacts and _needs_upload(wanted.artifacts[key], base, allow_foreign=allow_foreign)
    )
    steps = _order(_find_steps(wanted, base, unsettled - {artifact.key for artifact in uploads}, allow_foreign=allow_foreign))
    if is_folder:
        steps = _order(_make_way(steps))
    changes = [*(tell_upload(artifact, base) for artifact in uploads), *(tell_step(step, base) for step in steps)]
    blocking = (key for key, standing in base.standing.items() if key in wanted.artifacts and not standing.is_same_body)
    return Plan(
        wanted=wanted,
        changes=tuple(sorted(changes, key=lambda change: change.key)),
        uploads=uploads,
        steps=steps,
        shown=tuple(_find_shown(wanted, base, unsettled)),
        lingering=_find_lingering(wanted, base),
        saved=tuple(_find_saved(steps)),
        foreign=() if allow_foreign else tuple(blocking),
        summary=summarise(wanted, uploads, steps, base),
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


def _count_files(manifest: Manifest) -> int:
    return len(manifest) - [artifact.file_class for artifact in manifest.artifacts.values()].count(FileClass.ALIAS)


def find_unsettled(wanted: Manifest, base: Base) -> frozenset[Key]:
    """All keys but those of which nothing more need be asked: just what the live release has there is wanted, and nothing else may stand there. Where
    another release was begun, each key may hold what that has, or nothing."""
    live = base.live.artifacts if base.live else {}
    if base.others:
        return frozenset(chain(wanted.artifacts, live, *(other.artifacts for other in base.others), base.lingering))
    changed = (key for key, artifact in wanted.artifacts.items() if (before := live.get(key)) is not artifact and before != artifact)
    retired = (key for key in live if key not in wanted.artifacts)
    looked = (key for key in chain(base.found, base.standing) if key in wanted.artifacts)
    return frozenset(chain(changed, retired, looked, base.lingering))


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
    if base.live is None and not base.others and key not in base.lingering and key not in base.found:
        return _NOTHING  # one for all keys of a first publish
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


def _find_steps(wanted: Manifest, base: Base, keys: Collection[Key], *, allow_foreign: bool) -> Iterable[Step]:
    for key in keys:
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


def _find_shown(wanted: Manifest, base: Base, unsettled: Collection[Key]) -> Iterable[Shown]:
    manifests = [manifest for manifest in (base.live, *base.others) if manifest]
    for key in sorted(unsettled):
        if key not in base.lingering and not any(key in manifest.artifacts for manifest in manifests):
            continue
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
