"""Judges what visitors get of the live release: the bytes, the headers, and that the records are out of reach. Pure: answers are values."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from urllib.parse import urljoin

from msgspec import Struct

from sitepub.core.audit import Finding, Trouble
from sitepub.core.headers import ERROR_PAGES
from sitepub.core.model import INDEX, WEBSITE_REDIRECT, Artifact, Digest, FileClass, HeaderSet, Kind, Manifest
from sitepub.core.urls import url_of


class Served(Struct, frozen=True):
    """An answer to a visitor. `digests`: of the bytes as sent and, where they came encoded, as decoded; `headers` by lower-case name;
    `location`: where the last redirect that was not followed leads; `failure`: why there was no answer (then `status` is 0)."""

    status: int
    digests: tuple[Digest, ...] = ()
    headers: Mapping[str, str] | None = None
    location: str = ""
    failure: str = ""


class Visit(Struct, frozen=True):
    """One URL to ask for. `is_folder`: the URL of a page's folder, which not every server answers."""

    url: str
    artifact: Artifact
    is_folder: bool = False

    @property
    def follows(self) -> bool:
        """A page that redirects is looked at itself."""
        return self.artifact.file_class is not FileClass.REDIRECT


def plan_visits(manifest: Manifest, site_url: str, *, most: int | None = None) -> tuple[Visit, ...]:
    """The URLs of all artifacts below `site_url`, which ends with `/`, pages also under their folders'; `most`: so many
    artifacts at most, pages before files, evenly chosen."""
    return tuple(visit for artifact in _choose(list(manifest.artifacts.values()), most) for visit in _make_visits(artifact, site_url))


def judge_visits(visits: Sequence[Visit], answers: Sequence[Served], *, checks_headers: bool) -> tuple[Finding, ...]:
    """`checks_headers`: the target keeps them. Folders' URLs count only where the server answers any of them with its page."""
    pairs = list(zip(visits, answers, strict=True))
    maps_folders = any(visit.is_folder and not _is_root(visit) and _is_right(visit, answer) for visit, answer in pairs)
    judged = (
        _judge(visit, answer, checks_headers=checks_headers)
        for visit, answer in pairs
        if not visit.is_folder or maps_folders or _is_root(visit) or answer.status == 200
    )
    return tuple(finding for finding in judged if finding is not None)


def judge_records(url: str, answer: Served, state: Digest) -> Finding | None:
    """`state`: SHA-256 of the state's bytes. Sites that answer everything with a page of theirs show nothing."""
    if answer.status != 200 or state not in answer.digests:
        return None
    message = f"visitors can read sitepub's own records, at {url}: hide `.sitepub/`, or set `state:` to a private place"
    return Finding(Trouble.RECORDS_SERVED, ".sitepub/state.json", message)


def _choose(artifacts: Sequence[Artifact], most: int | None) -> Iterable[Artifact]:
    if most is None or most >= len(artifacts):
        return artifacts
    pages = [artifact for artifact in artifacts if artifact.kind is Kind.ENTRY]
    files = [artifact for artifact in artifacts if artifact.kind is not Kind.ENTRY]
    return [*_pick(pages, most), *_pick(files, max(0, most - len(pages)))]


def _pick(artifacts: Sequence[Artifact], most: int) -> Iterable[Artifact]:
    if len(artifacts) <= most:
        return artifacts
    return [artifacts[number * len(artifacts) // most] for number in range(most)]


def _make_visits(artifact: Artifact, site_url: str) -> Iterable[Visit]:
    yield Visit(url_of(artifact.key, site_url), artifact)
    if artifact.key == INDEX or artifact.key.endswith(f"/{INDEX}"):
        yield Visit(url_of(artifact.key.removesuffix(INDEX), site_url), artifact, is_folder=True)


def _is_root(visit: Visit) -> bool:
    return visit.is_folder and visit.artifact.key == INDEX


def _is_right(visit: Visit, answer: Served) -> bool:
    return answer.status == 200 and visit.artifact.body in answer.digests


def _judge(visit: Visit, answer: Served, *, checks_headers: bool) -> Finding | None:
    artifact = visit.artifact
    if artifact.file_class is FileClass.REDIRECT and answer.location:
        return _judge_redirect(visit, answer)
    if answer.status != 200 and not (artifact.key in ERROR_PAGES and artifact.body in answer.digests):
        why = answer.failure or f"it answers {answer.status}"
        return Finding(Trouble.NOT_SERVED, artifact.key, f"{visit.url} is not served: {why}")
    if artifact.body not in answer.digests:
        return Finding(Trouble.SERVED_STALE, artifact.key, f"{visit.url} shows other bytes than the live release has")
    wrong = _find_wrong_headers(artifact.headers, answer.headers or {}) if checks_headers else ""
    return Finding(Trouble.SERVED_WRONG_HEADERS, artifact.key, f"{visit.url} {wrong}") if wrong else None


def _judge_redirect(visit: Visit, answer: Served) -> Finding | None:
    wanted = dict(visit.artifact.headers).get(WEBSITE_REDIRECT, "")
    if urljoin(visit.url, answer.location) == urljoin(visit.url, wanted):
        return None
    return Finding(Trouble.SERVED_STALE, visit.artifact.key, f"{visit.url} redirects to {answer.location}, not to {wanted}")


def _find_wrong_headers(wanted: HeaderSet, found: Mapping[str, str]) -> str:
    """What differs, in words; '' where nothing does. Spelling, spaces and the order of directives do not count. An encoding that the server
    chose for the visitor is its own affair."""
    told = []
    for name, value in wanted:
        if name in (WEBSITE_REDIRECT, "Content-Encoding") or name.lower().startswith("x-amz-meta-"):
            continue
        answered = found.get(name.lower())
        if answered is None:
            told.append(f"comes without `{name}`, which should be `{value}`")
        elif _normalize(name, answered) != _normalize(name, value):
            told.append(f"comes with `{name}: {answered}`, which should be `{value}`")
    return "; ".join(told)


def _normalize(name: str, value: str) -> Collection[str]:
    if name in ("Cache-Control", "Content-Type", "Content-Language"):
        parts = value.lower().replace(";", ",").split(",")
        return frozenset(part.strip().replace(" ", "").replace('"', "") for part in parts)
    return (value.strip(),)
