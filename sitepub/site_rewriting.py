"""The reduce that gives assets their names, and the second map: every file that refers to one is rewritten and verified."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from msgspec import Struct

from sitepub.core.classes import Verdict
from sitepub.core.edits import Edit, pack_edits, splice
from sitepub.core.evidence import Evidence
from sitepub.core.integrity import Change, digest_all
from sitepub.core.model import Digest, FileClass, SourcePath, Warning
from sitepub.core.names import Bodies, Names, find_edits, name_assets
from sitepub.core.revisions import make_revision
from sitepub.core.verification import Leads, defect
from sitepub.local.batches import make_batches, run_batches
from sitepub.local.cache import KnownRewrite
from sitepub.local.rewriting import Guard, RewriteBatch, RewriteJob, Rewritten, rewrite_batch
from sitepub.local.shifting import ShiftBatch, ShiftJob, shift_batch
from sitepub.site_frame import Frame
from sitepub.site_import_maps import ImportMaps
from sitepub.site_survey import SiteSurvey

_ASKED_AT_ONCE = 1000


class Published(Struct, frozen=True, gc=False):
    """A file whose published bytes differ from the source's. `edits` are packed."""

    digest: Digest
    size: int
    edits: bytes


def name_site(frame: Frame, gathered: SiteSurvey, verdicts: Sequence[Verdict]) -> Names:
    """Reads only assets that refer to other assets, and those only where no cache knows what they become."""
    assets = [number for number, verdict in enumerate(verdicts) if verdict.file_class is FileClass.ASSET]

    def read(number: int) -> bytes:
        return frame.read(number)

    def digest_edited(number: int, edits: tuple[Edit, ...]) -> Digest:
        known = _recall(frame, gathered, number, _Wish(pack_edits(edits)))
        return known.digest if known else Digest(hashlib.sha256(splice(read(number), edits)).hexdigest())

    bodies = Bodies(lambda number: gathered.digests[number], read, digest_edited)
    taken = gathered.evidence.numbers.keys() | frame.redirects.keys()
    return name_assets(assets, gathered.evidence, bodies, digest_length=frame.config.fingerprint.digest_length, taken=taken)


def rewrite_site(
    frame: Frame, gathered: SiteSurvey, verdicts: Sequence[Verdict], names: Names
) -> tuple[Mapping[int, Published], tuple[Warning, ...]]:
    """What changes by number of file. Raises DefectError where a rewritten file does not say what it should.

    Lists of revisions come behind the files that they list, source maps behind all.
    """
    frame.progress.stage(
        "rewriting", total_files=len(gathered.evidence.edges.keys() | gathered.integrities.keys() | gathered.revisions.keys())
    )
    stage = _Stage(frame, gathered, names, _Held(gathered.evidence, verdicts, names))
    stage.rewrite(sorted((gathered.evidence.edges.keys() | gathered.integrities.keys()) - gathered.revisions.keys()))
    stage.rewrite(sorted(gathered.revisions))
    stage.shift_maps()
    frame.cache.flush()
    return stage.published, tuple(sorted(stage.warnings, key=lambda warning: warning.message))


class _Wish(Struct, frozen=True):
    """What a file's published bytes depend on beside its source. `guarded`: (start, end, path, digest of the guarded file as published). `added`: references
    that come with an import map."""

    edits: bytes
    has_policy: bool = False
    guarded: tuple[tuple[int, int, str, str], ...] = ()
    added: int = 0

    @property
    def digest(self) -> str:
        return hashlib.sha256(b"%b\n%d %d %b" % (self.edits, self.has_policy, self.added, repr(self.guarded).encode())).hexdigest()


class _Stage:
    """The second map, in rounds that each see what the rounds before published."""

    def __init__(self, frame: Frame, gathered: SiteSurvey, names: Names, held: _Held) -> None:
        self._frame = frame
        self._gathered = gathered
        self._names = names
        self._held = held
        self._guards = _Guards(frame, gathered, names)
        self._maps = ImportMaps(frame, gathered, names)
        self.published: dict[int, Published] = {}
        self.warnings: list[Warning] = []

    def rewrite(self, numbers: Sequence[int]) -> None:
        """One round over files that name others."""
        wishes = {number: wish for number in numbers if (wish := self._wish(number)) is not None}
        unknown = self._recall_all(wishes)
        self._frame.progress.advance(files=len(numbers) - len(unknown))
        self._frame.bring(self._frame.files[number] for number in unknown)
        jobs = (self._make_job(number, wishes[number]) for number in unknown)
        batches = (
            RewriteBatch(self._frame.root, self._frame.urls, self._frame.links, batch)
            for batch in make_batches(jobs, lambda job: job.file.size)
        )
        for found in run_batches(self._frame.executor, rewrite_batch, batches):
            self._held.check(found.path, found.leads)
            number = self._gathered.evidence.numbers[found.path]
            self._keep(number, wishes[number], found)

    def shift_maps(self) -> None:
        """The source map of each edited file. One that is shared by two follows the first."""
        wishes: dict[int, _Wish] = {}
        jobs = []
        for code, path in sorted(self._gathered.source_maps.items()):
            number = self._gathered.evidence.find(path)
            if number is None or number in wishes or number in self._gathered.frozen or code not in self.published:
                continue
            edits = self.published[code].edits
            wish = _Wish(edits, guarded=((0, 0, self._frame.paths[code], self._gathered.digests[code]),))
            wishes[number] = wish
            if not self._recall(number, wish):
                jobs.append(ShiftJob(self._frame.files[number], self._frame.files[code], edits))
        self._frame.bring(file for job in jobs for file in (job.file, job.code))
        batches = (ShiftBatch(self._frame.root, batch) for batch in make_batches(jobs, lambda job: job.file.size))
        for found in run_batches(self._frame.executor, shift_batch, batches):
            number = self._gathered.evidence.numbers[found.path]
            self._keep(number, wishes[number], found)

    def _wish(self, number: int) -> _Wish | None:
        """None: nothing in the file changes or wants a look."""
        gathered, names = self._gathered, self._names
        if number in gathered.frozen:
            return None
        import_map, added = self._maps.write(number)
        found = (*find_edits(number, gathered.evidence, names.inserts), *import_map, *self._find_revisions(number))
        edits = sorted(found, key=lambda edit: edit.at)
        numbers = gathered.evidence.numbers
        guarded = tuple(
            (start, end, path, _tell_body(numbers[path], gathered, names))
            for start, end, path in gathered.integrities.get(number, ())
            if path in numbers
        )
        return _Wish(pack_edits(edits), number in gathered.with_policy, guarded, added) if edits or guarded else None

    def _find_revisions(self, number: int) -> Iterator[Edit]:
        """New revisions of files whose published bytes are not those that the old ones stand for."""
        for start, end, path in self._gathered.revisions.get(number, ()):
            listed = self._gathered.evidence.find(path)
            published = self.published.get(listed) if listed is not None else None
            if published is not None:
                yield Edit(start, end - start, make_revision(published.digest, end - start))

    def _make_job(self, number: int, wish: _Wish) -> RewriteJob:
        gathered = self._gathered
        return RewriteJob(
            self._frame.files[number],
            gathered.languages[number],
            gathered.digests[number],
            wish.edits,
            gathered.counts[number] + wish.added,
            wish.has_policy,
            tuple(Guard(start, end, path, self._guards.change_of(path)) for start, end, path, _ in wish.guarded),
        )

    def _recall(self, number: int, wish: _Wish) -> bool:
        known = _recall(self._frame, self._gathered, number, wish)
        if known is not None:
            self._take(number, wish, known)
        return known is not None

    def _recall_all(self, wishes: Mapping[int, _Wish]) -> list[int]:
        """Takes what the cache knows, asked for by the thousand; returns the numbers of those that it does not."""
        unknown: list[int] = []
        left = iter(wishes.items())
        while some := list(islice(left, _ASKED_AT_ONCE)):
            asked = [(self._frame.paths[number], self._gathered.digests[number], wish.digest) for number, wish in some]
            for (number, wish), known in zip(some, self._frame.cache.find_rewrites(self._frame.context, asked)):
                if known is None:
                    unknown.append(number)
                else:
                    self._take(number, wish, known)
        return unknown

    def _keep(self, number: int, wish: _Wish, found: Rewritten) -> None:
        known = KnownRewrite(found.digest, found.size, found.edits)
        self._take(number, wish, known)
        self.warnings += found.warnings
        if not found.warnings:  # a warning is told every time
            self._frame.cache.keep_rewrite(self._frame.context, found.path, self._gathered.digests[number], wish.digest, known)
        self._frame.progress.advance(files=1, bytes=self._frame.files[number].size)

    def _take(self, number: int, wish: _Wish, known: KnownRewrite) -> None:
        if known.digest != self._gathered.digests[number]:
            self.published[number] = Published(known.digest, known.size, wish.edits if known.edits is None else known.edits)


def _recall(frame: Frame, gathered: SiteSurvey, number: int, wish: _Wish) -> KnownRewrite | None:
    return frame.cache.find_rewrite(frame.context, frame.paths[number], gathered.digests[number], wish.digest)


def _tell_body(number: int, gathered: SiteSurvey, names: Names) -> str:
    """The same text for the same published bytes, without making them."""
    edits = find_edits(number, gathered.evidence, names.inserts) if number not in gathered.frozen else ()
    return gathered.digests[number] + pack_edits(edits).decode("ascii")


class _Held:
    """What the release holds for references to find: hashed names, and plain ones of all that keeps its own or has an alias."""

    def __init__(self, evidence: Evidence, verdicts: Sequence[Verdict], names: Names) -> None:
        self._evidence = evidence
        self._verdicts = verdicts
        self._keys = frozenset[str](names.keys.values())
        self._others: set[str] = set()

    def check(self, page: SourcePath, leads: Leads) -> None:
        """Raises DefectError. What the source did not have either is no defect; it is told as missing."""
        lost = [path for path in leads.named if path not in self._keys]
        lost += [path for path in leads.plain if not self._has_plain_name(path)]
        if lost:
            raise defect(page, f"leads to `{lost[0]}` after rewriting, which is not in the release")

    def _has_plain_name(self, path: str) -> bool:
        number = self._evidence.numbers.get(path)
        if number is None and path not in self._others:
            self._others.add(path)  # a folder, another spelling, nothing: few, and dear to look up
            number = self._evidence.find(path)
        if number is None:
            return True
        verdict = self._verdicts[number]
        return verdict.file_class is not FileClass.ASSET or verdict.has_alias


class _Guards:
    """Digests of files that `integrity` values guard, made once for each file."""

    def __init__(self, frame: Frame, gathered: SiteSurvey, names: Names) -> None:
        self._frame = frame
        self._gathered = gathered
        self._names = names
        self._known: dict[str, Change] = {}

    def change_of(self, path: str) -> Change:
        if path not in self._known:
            number = self._gathered.evidence.numbers[path]
            body = self._frame.read(number)
            edits = find_edits(number, self._gathered.evidence, self._names.inserts) if number not in self._gathered.frozen else ()
            self._known[path] = Change(digest_all(body), digest_all(splice(body, edits)))
        return self._known[path]
