"""One file's story: what became of it and why, and every line of the site that refers to it. Reads the source; writes nothing but its cache."""

from __future__ import annotations

import time
from collections.abc import Iterator
from difflib import get_close_matches

from msgspec import Struct

from sitepub.core.file_index import FileIndex
from sitepub.core.headers import choose_headers
from sitepub.core.model import FileClass, HeaderSet, Key, Kind, SourcePath
from sitepub.core.references import Language, language_of
from sitepub.core.settings import Config, Target
from sitepub.core.survey import Survey
from sitepub.errors import UsageError
from sitepub.interfaces import Progress, Source, Workers
from sitepub.local.cache import DAY_NS, Cache
from sitepub.site import Site
from sitepub.site_frame import Frame, make_frame
from sitepub.site_survey import each_survey


class Mention(Struct, frozen=True, order=True):
    """A line of `file` that refers to the file in question, or a line of that which refers to `file`. `how` in a user's words."""

    file: SourcePath
    line: int
    how: str


class Story(Struct, frozen=True):
    """`key` and `kind` are None where the file is left out; a redirect has no `file_class` of a file and no source."""

    path: SourcePath
    key: Key | None
    kind: Kind | None
    file_class: FileClass
    rule: str
    headers: HeaderSet
    referenced_by: tuple[Mention, ...]
    refers_to: tuple[Mention, ...]
    reason: str
    has_alias: bool = False


def explain_file(
    source: Source,
    config: Config,
    target: Target,
    path: str,
    *,
    site: Site,
    cache: Cache,
    executor: Workers | None,
    has_distribution: bool,
    progress: Progress,
    links: bool | None = True,
) -> Story:
    """`path` is a source path, or a key of the site. `links` as make_frame takes it: None looks at nothing that a build has not looked at.
    Raises UsageError where it is neither."""
    frame = make_frame(
        source, config, target, cache=cache, executor=executor, has_distribution=has_distribution, progress=progress, links=links
    )
    subject = _find_subject(path, site)
    file_class, reason, key, has_alias = _judge(subject, site)
    referenced_by, refers_to, encoding = _find_mentions(frame, subject)
    artifact = site.manifest.artifacts.get(key) if key is not None else None
    rule = "a redirect of sitepub.yaml or `_redirects`"
    if file_class is not FileClass.REDIRECT:
        rule = choose_headers(frame.policy, subject, file_class, encoding=encoding).rule
    return Story(
        path=subject,
        key=key,
        kind=artifact.kind if artifact else None,
        file_class=file_class,
        rule=rule,
        headers=artifact.headers if artifact else (),
        referenced_by=referenced_by,
        refers_to=refers_to,
        reason=reason,
        has_alias=has_alias,
    )


def _judge(subject: SourcePath, site: Site) -> tuple[FileClass, str, Key | None, bool]:
    story = site.files.get(subject)
    if story is None:
        return FileClass.REDIRECT, "a redirect of sitepub.yaml or `_redirects` makes it", Key(subject), False
    return story.file_class, story.reason, story.key, story.has_alias


def _find_subject(path: str, site: Site) -> SourcePath:
    plain = path.removeprefix("./").lstrip("/")
    for candidate in (plain, f"{plain.rstrip('/')}/index.html".lstrip("/")):
        if SourcePath(candidate) in site.files:
            return SourcePath(candidate)
        artifact = site.manifest.artifacts.get(Key(candidate))
        if artifact is not None:
            return artifact.source or SourcePath(candidate)
    near = get_close_matches(plain, [*site.files, *site.manifest.artifacts], n=1)
    hint = f"`{near[0]}` is" if near else "name it as it stands below `source`"
    raise UsageError("no-such-file", f"`{path}` is not in the site", hint)


def _find_mentions(frame: Frame, subject: SourcePath) -> tuple[tuple[Mention, ...], tuple[Mention, ...], str | None]:
    """Who refers to it, what it refers to, and the encoding that it declares."""
    index = FileIndex([*frame.paths, *(SourcePath(key) for key in frame.redirects)])
    languages = {number: language for number, path in enumerate(frame.paths) if (language := language_of(path)) is not None}
    referenced_by: set[Mention] = set()
    refers_to: set[Mention] = set()
    encoding = None
    for number, survey in _each_survey(frame, languages):
        path = frame.paths[number]
        referenced_by.update(_find_referring(path, survey, subject, index))
        if path == subject:
            encoding = survey.encoding
            refers_to.update(_find_targets(survey, index))
    frame.cache.prune(frame.context, frame.paths, day=time.time_ns() // DAY_NS)
    frame.cache.flush()
    return tuple(sorted(referenced_by)), tuple(sorted(refers_to)), encoding


def _each_survey(frame: Frame, languages: dict[int, Language]) -> Iterator[tuple[int, Survey]]:
    """Of web app manifests too that only a page knows as such."""
    manifests: set[str] = set()
    for number, survey in each_survey(frame, languages):
        manifests.update(survey.web_manifests)
        yield number, survey
    others = {number: Language.WEB_MANIFEST for number, path in enumerate(frame.paths) if path in manifests and number not in languages}
    yield from each_survey(frame, others)


def _find_referring(path: SourcePath, survey: Survey, subject: SourcePath, index: FileIndex) -> Iterator[Mention]:
    for place in (*survey.places, *survey.scopes):
        found = index.find(place.path)
        if found.is_found and found.path == subject:
            yield Mention(path, place.line, place.how)
    if survey.source_map == subject:
        yield Mention(path, 0, "source map")
    for pair in survey.mentions:
        if subject in pair:
            yield Mention(path, 0, "string")


def _find_targets(survey: Survey, index: FileIndex) -> Iterator[Mention]:
    for place in (*survey.places, *survey.scopes):
        found = index.find(place.path)
        if found.is_found and found.path is not None:
            yield Mention(found.path, place.line, place.how)
