"""The last build with a few pages changed: where they refer to just what they did, nothing else of the site can differ, and nothing else is looked at.

Declines, by None, whatever is not certain; then the whole site is built, with the same outcome.
"""

from __future__ import annotations

import json
import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from sitepub.core.edits import pack_edits, unpack_edits
from sitepub.core.evidence import Evidence
from sitepub.core.file_index import FileIndex
from sitepub.core.frozen import split_own_digest
from sitepub.core.manifest import digest_manifest
from sitepub.core.model import Artifact, Digest, FileClass, Key, Manifest, SourcePath, Warning
from sitepub.core.names import find_edits
from sitepub.core.references import Language
from sitepub.core.settings import Config, Target
from sitepub.core.survey_text import PLAIN_KEYS, decode_survey
from sitepub.core.verification import Leads
from sitepub.interfaces import Progress, Source, SourceFile, Workers
from sitepub.local.batches import make_batches, run_batches
from sitepub.local.cache import Cache, KnownFile, KnownRun
from sitepub.local.rewriting import RewriteBatch, RewriteJob, rewrite_batch
from sitepub.local.surveying import SurveyBatch, Surveyed, SurveyJob, survey_batch
from sitepub.site_bodies import Recipe
from sitepub.site_frame import Frame, make_frame
from sitepub.site_memory import Inputs, keep_run
from sitepub.site_survey import choose_language, name_language

_PLACE_COLUMNS = 6
_DOT, _LINE = 0, 4
_COMPARED = PLAIN_KEYS | {"y"}


class Patched(Struct, frozen=True):
    """`recipes` of what changed alone; the bodies of all else are the live release's."""

    manifest: Manifest
    digest: Digest
    recipes: Mapping[Key, Recipe]
    warnings: tuple[Warning, ...]


def patch_site(
    source: Source,
    config: Config,
    target: Target,
    live: Manifest,
    changed: Sequence[SourceFile],
    last: KnownRun,
    inputs: Inputs,
    *,
    cache: Cache,
    executor: Workers | None,
    has_distribution: bool,
    progress: Progress,
) -> Patched | None:
    """`changed`: files that may hold other bytes than the last run saw; `last`: what that made, which is `live`."""
    started = time.time_ns()
    progress.stage("scanning", total_files=len(changed), total_bytes=sum(file.size for file in changed))
    frame = make_frame(source, config, target, cache=cache, executor=executor, has_distribution=has_distribution, progress=progress)
    read = _read_again(frame, changed)
    if read is None:
        return None
    differing = [pair for pair in read if pair[1].digest != pair[0].digest]
    if not all(_is_free_to_change(live, known, found, last.warnings) for known, found in differing):
        return None
    artifacts = _make_artifacts(frame, live, [found for _, found in differing])
    if artifacts is None:
        return None
    manifest = Manifest({**live.artifacts, **{key: artifact for key, (artifact, _) in artifacts.items()}})
    for known, found in read:
        file = frame.files[_number(frame, found.path)]
        survey = known.survey if found.is_known else found.survey
        cache.keep_file(frame.context, file, name_language(choose_language(file)), found.digest, survey, read_at=started)
    run = replace(last, manifest=digest_manifest(manifest))
    keep_run(cache, source, inputs, target, run, started=started, is_patchable=True)
    cache.flush()
    return Patched(manifest, run.manifest, {key: recipe for key, (_, recipe) in artifacts.items()}, last.warnings)


def _read_again(frame: Frame, changed: Sequence[SourceFile]) -> list[tuple[KnownFile, Surveyed]] | None:
    """Each file as it was known, and as it is now; of a file of which git says that it has the same bytes, that. None where one was not known."""
    known: dict[SourcePath, KnownFile] = {}
    for first in range(0, len(changed), 1000):
        some = changed[first : first + 1000]
        rows = frame.cache.find_files(frame.context, some, [name_language(choose_language(file)) for file in some])
        if None in rows:
            return None
        known.update((file.path, row) for file, row in zip(some, rows) if row is not None)
    read = [
        (known[file.path], Surveyed(file.path, known[file.path].digest, None, is_known=True))
        for file in changed
        if known[file.path].is_current
    ]
    unknown = [file for file in changed if not known[file.path].is_current]
    frame.bring(unknown)
    jobs = (SurveyJob(file, choose_language(file), known[file.path].digest if choose_language(file) else None) for file in unknown)
    batches = (
        SurveyBatch(frame.root, frame.urls, frame.home, frame.links, frame.maps, batch)
        for batch in make_batches(jobs, lambda job: job.file.size)
    )
    for found in run_batches(frame.executor, survey_batch, batches):
        read.append((known[found.path], found))
        frame.progress.advance(files=1)
    return read


def _is_free_to_change(live: Manifest, known: KnownFile, found: Surveyed, warnings: tuple[Warning, ...]) -> bool:
    """An entry of its own name to which nothing but its bytes happened. A warning of it names a line."""
    artifact = live.artifacts.get(Key(found.path))
    if artifact is None or artifact.file_class is not FileClass.ENTRY or split_own_digest(found.path) is not None:
        return False
    if known.survey is None or found.survey is None:
        return known.survey is found.survey
    with_lines = any(f"`{found.path}`" in warning.message for warning in warnings)
    return found.path.endswith((".html", ".htm")) and _says_the_same(known.survey, found.survey, with_lines=with_lines)


def _says_the_same(before: bytes, after: bytes, *, with_lines: bool) -> bool:
    """Two encoded surveys of plain pages that tell of the same references in the same order, wherever they stand."""
    old, new = json.loads(before), json.loads(after)
    if not (old.keys() <= _COMPARED and new.keys() <= _COMPARED):
        return False
    return bool(_without_places(old, with_lines) == _without_places(new, with_lines))


def _without_places(text: dict[str, object], with_lines: bool) -> object:
    rows = text.get("r", [])
    kept = [column for column in range(_PLACE_COLUMNS) if column != _DOT and (with_lines or column != _LINE)]
    columns = [rows[column::_PLACE_COLUMNS] for column in kept] if isinstance(rows, list) else []
    dots = [dot >= 0 for dot in rows[_DOT::_PLACE_COLUMNS]] if isinstance(rows, list) else []
    unsteady = text.get("y")
    steadiness = unsteady if with_lines or not isinstance(unsteady, list) else unsteady[1]
    return text.get("n"), text.get("e"), text.get("t"), steadiness, columns, dots


def _make_artifacts(frame: Frame, live: Manifest, changed: Sequence[Surveyed]) -> Mapping[Key, tuple[Artifact, Recipe]] | None:
    """What changed as it is to be published. None where a reference leads to what the release does not hold."""
    evidence = Evidence(frame.paths, FileIndex([*frame.paths, *(SourcePath(key) for key in frame.redirects)]), has_maps=frame.maps)
    inserts = dict(_find_inserts(evidence, live))
    artifacts: dict[Key, tuple[Artifact, Recipe]] = {}
    jobs = []
    for found in changed:
        number = evidence.numbers[found.path]
        file, key = frame.files[number], Key(found.path)
        artifacts[key] = replace(live.artifacts[key], body=found.digest, size=file.size), Recipe(found.path)
        if found.survey is None:
            continue
        survey = decode_survey(found.survey)
        evidence.add(number, survey, is_left_whole=False)
        edits = find_edits(number, evidence, inserts)
        if edits:
            jobs.append(RewriteJob(file, Language.HTML, found.digest, pack_edits(edits), survey.count))
    edits_of = {job.file.path: job.edits for job in jobs}
    batches = (RewriteBatch(frame.root, frame.urls, frame.links, batch) for batch in make_batches(jobs, lambda job: job.file.size))
    for done in run_batches(frame.executor, rewrite_batch, batches):
        if done.warnings or not _are_held(done.leads, evidence, live, inserts):
            return None
        key = Key(done.path)
        edited = replace(live.artifacts[key], body=done.digest, size=done.size)
        artifacts[key] = edited, Recipe(done.path, unpack_edits(edits_of[done.path]))
    return artifacts


def _find_inserts(evidence: Evidence, live: Manifest) -> Iterator[tuple[int, bytes]]:
    """What goes into references to each asset: what its key has more than its path."""
    for key, artifact in live.artifacts.items():
        if artifact.file_class is FileClass.ASSET and artifact.source is not None:
            dot = artifact.source.rfind(".")
            yield evidence.numbers[artifact.source], key[dot : dot + len(key) - len(artifact.source)].encode("ascii")


def _are_held(leads: Leads, evidence: Evidence, live: Manifest, inserts: Mapping[int, bytes]) -> bool:
    """Whether references lead to what the release holds, or led nowhere before either."""
    if not all(Key(path) in live.artifacts for path in leads.named):
        return False
    numbers = (evidence.find(path) for path in leads.plain)
    return all(number not in inserts or Key(evidence.paths[number]) in live.artifacts for number in numbers if number is not None)


def _number(frame: Frame, path: SourcePath) -> int:
    return bisect_left(frame.paths, path)
