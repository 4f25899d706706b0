"""From a built site to all that is to stand in a target: scan, classes, names, rewrite. Reads the source; writes nothing but its cache."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from sitepub.core.classes import Rules, Verdict, classify
from sitepub.core.edits import unpack_edits
from sitepub.core.manifest import digest_manifest
from sitepub.core.model import Artifact, Digest, FileClass, Key, Manifest, SourcePath, Warning
from sitepub.core.paths import HOST_FILES
from sitepub.core.patterns import compile_patterns
from sitepub.core.settings import Config, Target
from sitepub.interfaces import Progress, Source, Workers
from sitepub.local.cache import DAY_NS, Cache, KnownRun
from sitepub.site_artifacts import Assembly, assemble
from sitepub.site_bodies import Recipe
from sitepub.site_frame import Frame, make_frame
from sitepub.site_memory import Inputs, keep_run, look_at_inputs
from sitepub.site_rewriting import name_site, rewrite_site
from sitepub.site_survey import SiteSurvey, survey_site
from sitepub.site_warnings import report_leaving, report_missing, report_problems


class FileStory(Struct, frozen=True):
    """What became of one source file, and why. `key` is None where the file is left out; `digest` is the file's own, as built."""

    file_class: FileClass
    reason: str
    key: Key | None
    has_alias: bool
    digest: Digest


class Site(Struct, frozen=True):
    """All that is wanted. `frozen_as_entries`: each frozen key as it is once its bytes change under the same name. `leaving`: what leads from a preview
    to the site itself, told with its place. `digest`: of the manifest."""

    manifest: Manifest
    recipes: Mapping[Key, Recipe]
    files: Mapping[SourcePath, FileStory]
    warnings: tuple[Warning, ...]
    frozen_as_entries: Mapping[Key, Artifact] = field(default_factory=dict)
    leaving: tuple[str, ...] = ()
    digest: Digest | None = None


def build_site(
    source: Source,
    config: Config,
    target: Target,
    *,
    cache: Cache,
    executor: Workers | None,
    has_distribution: bool,
    progress: Progress,
    inputs: Inputs | None = None,
) -> Site:
    """The whole way: map (scan), reduce (classes and names), map (rewrite and verify). `inputs`: as they were looked at already. Raises RefusedError for missing references where
    the configuration says so, and DefectError where a rewritten file is not what it should be."""
    started = time.time_ns()
    inputs = inputs or look_at_inputs(source, config, target, has_distribution=has_distribution)
    frame = make_frame(source, config, target, cache=cache, executor=executor, has_distribution=has_distribution, progress=progress)
    surveyed = survey_site(frame)
    missing = report_missing(frame, surveyed.evidence)
    verdicts = classify(surveyed.evidence, _make_rules(config, surveyed))
    names = name_site(frame, surveyed, verdicts)
    published, broken = rewrite_site(frame, surveyed, verdicts, names)
    made = assemble(frame, surveyed, verdicts, names, published)
    warnings = (*source.warnings, *missing, *report_problems(frame, surveyed), *broken, *made.warnings)
    stories = Stories(made, frame, surveyed.digests, verdicts)
    leaving = report_leaving(frame, surveyed)
    warnings = (*warnings, *(Warning("leaves-preview", message) for message in leaving))
    site = Site(made.manifest, Recipes(made, frame), stories, warnings, made.frozen_as_entries, leaving)
    is_patchable = not leaving and _says_nothing_of_pages(surveyed, verdicts)
    del surveyed, names  # a quarter of what is held; the manifest's text comes next
    run = KnownRun(digest_manifest(site.manifest), len(site.manifest), warnings)
    keep_run(cache, source, inputs, target, run, started=started, is_patchable=is_patchable)
    cache.prune(frame.context, frame.paths, day=started // DAY_NS)
    cache.flush()
    return replace(site, digest=run.manifest)


def _says_nothing_of_pages(surveyed: SiteSurvey, verdicts: Sequence[Verdict]) -> bool:
    """Whether a page can change without any other file having to: none lists revisions, hashes of inline code or integrity values of pages, none is
    published under two names."""
    evidence = surveyed.evidence
    guarded = {path for values in surveyed.integrities.values() for _, _, path in values}
    numbers = [evidence.numbers[path] for path in guarded if path in evidence.numbers]
    if surveyed.revisions or surveyed.policies or evidence.spellings:
        return False
    return all(verdicts[number].file_class is FileClass.ASSET for number in numbers)


class Recipes(Mapping[Key, Recipe]):
    """Recipes as they are asked for: edits stay packed until then."""

    __slots__ = ("_frame", "_made")

    def __init__(self, made: Assembly, frame: Frame) -> None:
        self._made = made
        self._frame = frame

    def __getitem__(self, key: Key) -> Recipe:
        redirect = self._frame.redirects.get(key)
        if redirect is not None:
            return Recipe(None, literal=redirect.body)
        number = self._made.numbers[key]
        published = self._made.published.get(number)
        return Recipe(self._frame.paths[number], unpack_edits(published.edits) if published else ())

    def __iter__(self) -> Iterator[Key]:
        return iter(self._made.manifest.artifacts)

    def __len__(self) -> int:
        return len(self._made.manifest)


class Stories(Mapping[SourcePath, FileStory]):
    """What became of each file, told as it is asked for."""

    __slots__ = ("_digests", "_frame", "_made", "_verdicts")

    def __init__(self, made: Assembly, frame: Frame, digests: Sequence[Digest], verdicts: Sequence[Verdict]) -> None:
        self._made = made
        self._frame = frame
        self._digests = digests  # and no more of the survey: it would stay for as long as the site
        self._verdicts = verdicts

    def __getitem__(self, path: SourcePath) -> FileStory:
        number = self._made.file_numbers[path]
        verdict, digest = self._verdicts[number], self._digests[number]
        key = self._made.keys.get(number, Key(path))
        if number in self._made.left_out:
            why = "its lines are settings" if path in HOST_FILES else "it holds a file in compressed form that was edited"
            return FileStory(verdict.file_class, why, None, False, digest)
        return FileStory(verdict.file_class, verdict.reason, key, verdict.has_alias, digest)

    def __iter__(self) -> Iterator[SourcePath]:
        return iter(self._frame.paths)

    def __len__(self) -> int:
        return len(self._frame.paths)


def _make_rules(config: Config, surveyed: SiteSurvey) -> Rules:
    settings = config.fingerprint
    return Rules(
        compile_patterns(settings.exclude), compile_patterns(settings.include), surveyed.frozen, settings.aliases, settings.modules
    )
