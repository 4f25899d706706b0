"""What a build tells of besides its outcome: references to nothing, files that are left as they are, pages that depend on where they are read."""

from __future__ import annotations

from collections.abc import Iterator

from sitepub.core.enumeration import name_some
from sitepub.core.evidence import Evidence, Missing
from sitepub.core.leaving import FOLLOWED, Leaving
from sitepub.core.model import SourcePath, Warning
from sitepub.core.paths import show_path
from sitepub.core.settings import MissingReferences, UrlStyle
from sitepub.errors import RefusedError, join_problems
from sitepub.site_frame import Frame
from sitepub.site_survey import SiteSurvey

MOST_LEAVING = 50
"""References named in one error; a whole site's would scroll them away."""

_MOST_POINTERS = 10


def report_missing(frame: Frame, evidence: Evidence) -> tuple[Warning, ...]:
    """Raises RefusedError, with all that is told of, where the configuration says `error`."""
    policy = frame.config.fingerprint.missing_references
    if policy is MissingReferences.IGNORE or not evidence.missing:
        return ()
    missing = [(one.path, _tell_missing(one, frame)) for one in evidence.missing]
    if evidence.missing_count > len(missing):
        told = f"the first {len(missing)} of them are told of"
        missing.insert(0, ("", f"{evidence.missing_count} references lead to files that are not in the site; {told}"))
    if policy is MissingReferences.ERROR:
        hint = "add the files, or set `fingerprint.missing_references: warn`"
        raise join_problems("missing-references", [message for _, message in missing], RefusedError, hint)
    return tuple(Warning("missing-reference", message, path) for path, message in missing)


def report_leaving(frame: Frame, surveyed: SiteSurvey) -> tuple[str, ...]:
    """What a browser loads or follows from a preview to a file of the site itself; its place, and where it leads."""
    places = [(number, one) for number, found in sorted(surveyed.leaving.items()) for one in found if one.is_sure]
    told = [_tell_leaving(frame, number, one) for number, one in places if _is_of_the_site(frame, surveyed, one.path)]
    more = [f"and {len(told) - MOST_LEAVING} more"] if len(told) > MOST_LEAVING else []
    return (*told[:MOST_LEAVING], *more)


def _tell_leaving(frame: Frame, number: int, one: Leaving) -> str:
    verb = "links to" if one.how in FOLLOWED else "loads"
    place = f"`{frame.paths[number]}` line {one.line} {verb} `{one.url}` ({one.how})"
    return f"{place}, which is the site itself, past the preview at `{frame.urls.url_path}`"


def _report_unsure(frame: Frame, surveyed: SiteSurvey) -> Iterator[Warning]:
    """What may lead there, as far as anybody can tell from a string."""
    for number, found in sorted(surveyed.leaving.items()):
        for one in found:
            if not one.is_sure and _is_of_the_site(frame, surveyed, one.path):
                place = f" line {one.line}" if one.line else ""
                message = f"`{frame.paths[number]}`{place} names `{one.url}`, which is the site itself, past the preview at `{frame.urls.url_path}`"
                yield Warning("leaves-preview", message)


def _is_of_the_site(frame: Frame, surveyed: SiteSurvey, path: str) -> bool:
    page = path if path and not path.endswith("/") else f"{path}index.html"
    return surveyed.evidence.find(path) is not None or page in frame.redirects


def report_problems(frame: Frame, surveyed: SiteSurvey) -> Iterator[Warning]:
    """Files that can't be followed, and pages that are read at URLs where they lead elsewhere."""
    for number, problem in sorted(surveyed.problems.items()):
        yield Warning("left-as-it-is", f"`{frame.paths[number]}` {problem}; it is published as it is")
    for number, notes in sorted(surveyed.notes.items()):
        yield from (Warning("not-followed", f"`{frame.paths[number]}` {note}") for note in notes)
    yield from _report_pointers(frame, surveyed)
    yield from _report_unsteady(frame, surveyed)
    yield from _report_unsure(frame, surveyed)


def _report_pointers(frame: Frame, surveyed: SiteSurvey) -> Iterator[Warning]:
    """One line for all: where Git LFS is not installed, no file of its kind is there."""
    paths = [show_path(frame.paths[number]) for number in sorted(surveyed.pointers)]
    named = name_some(paths, _MOST_POINTERS)
    told = f"{named} is a pointer" if len(paths) == 1 else f"{len(paths):,} files are pointers"
    rest = "the file itself" if len(paths) == 1 else f"the files themselves: {named}"
    if paths:
        yield Warning("lfs-pointer", f"{told} of Git LFS, not {rest}; `git lfs pull`, and build again")


def _tell_missing(missing: Missing, frame: Frame) -> str:
    message = f"`{frame.paths[missing.referrer]}` line {missing.line} loads `{missing.path}`, which is not in the site"
    return f"{message}; `{missing.similar}` differs only by case" if missing.similar else message


def _report_unsteady(frame: Frame, surveyed: SiteSurvey) -> Iterator[Warning]:
    """One line for all pages of folders: there may be as many as the site has pages."""
    folders = []
    for number in sorted(surveyed.unsteady):
        if frame.paths[number] in frame.policy.error_pages:
            place = _tell_unsteady(frame, surveyed, number)
            yield Warning("moves-with-its-url", f"{place}, which is missing where the page answers for an address in a folder")
        else:
            folders.append(number)
    if folders and frame.target.url_style is UrlStyle.BOTH:
        url = frame.urls.url_path + _folder_of(frame.paths[folders[0]])
        place = _tell_unsteady(frame, surveyed, folders[0])
        message = f"{place}, which is another file where the page is read as `{url}` (such pages: {len(folders)})"
        yield Warning("moves-with-its-url", message)


def _tell_unsteady(frame: Frame, surveyed: SiteSurvey, number: int) -> str:
    line, url = surveyed.unsteady[number]
    return f"`{frame.paths[number]}` line {line} loads `{url}` from beside itself"


def _folder_of(path: SourcePath) -> str:
    return path.rpartition("/")[0]
