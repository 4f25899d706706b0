"""Builders of values that tests wish for: artifacts, manifests, wishes and the edges of a run in memory."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sitepub.core.cutting import Cutting
from sitepub.core.ledger import Ledger
from sitepub.core.manifest import make_manifest
from sitepub.core.model import Artifact, Commit, Digest, FileClass, HeaderSet, Key, SourcePath
from sitepub.core.plan import Shown
from sitepub.core.state import Process
from sitepub.decision import Wish
from sitepub.edges import Choosing, Edges, InvalidationChoice
from sitepub.errors import StoppedError
from sitepub.interfaces import DistributionFacts, Submitted
from sitepub.releases import Releases
from tests.support.memory_store import MemoryBucket, MemoryStore

HTML: HeaderSet = (("Cache-Control", "public, max-age=0"), ("Content-Type", "text/html; charset=utf-8"))
CSS: HeaderSet = (("Cache-Control", "public, max-age=31536000, immutable"), ("Content-Type", "text/css; charset=utf-8"))


def digest_of(body: bytes) -> Digest:
    return Digest(hashlib.sha256(body).hexdigest())


def artifact(
    key: str, body: bytes, file_class: FileClass = FileClass.ENTRY, headers: HeaderSet = HTML, source: str | None = ""
) -> Artifact:
    stands_for = key if source == "" else source
    return Artifact(Key(key), file_class, digest_of(body), len(body), headers, None if stands_for is None else SourcePath(stands_for))


def commit(name: str, committed_at: int = 1) -> Commit:
    return Commit(id=name.ljust(40, "0"), branch="main", subject=f"commit {name}", author="A", committed_at=committed_at)


@dataclass(frozen=True, slots=True)
class Piece:
    body: bytes
    file_class: FileClass = FileClass.ENTRY
    headers: HeaderSet = HTML
    source: str | None = ""


def wish(pieces: Mapping[str, Piece | bytes], *, name: str | None = None) -> Wish:
    """A wish whose bodies are given here."""
    made = {key: piece if isinstance(piece, Piece) else Piece(piece) for key, piece in pieces.items()}
    bodies = {digest_of(piece.body): piece.body for piece in made.values()}
    manifest = make_manifest(artifact(key, piece.body, piece.file_class, piece.headers, piece.source) for key, piece in made.items())
    return Wish(manifest, lambda wanted: bodies[wanted.body], commit=commit(name) if name else None)


def page_with_style(text: str, style: str) -> dict[str, Piece | bytes]:
    """A front page and a leaf page that load a hashed stylesheet, which stands under its plain name too."""
    css = style.encode()
    name = f"app.{digest_of(css)[:12]}.css"
    return {
        "index.html": f"<link href={name}>front {text}".encode(),
        "docs/index.html": f"<link href=../{name}>leaf".encode(),
        name: Piece(css, FileClass.ASSET, CSS, "app.css"),
        "app.css": Piece(css, FileClass.ALIAS, CSS, "app.css"),
    }


class ManualClock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime(2026, 11, 23, 18, 0, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def elapsed(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class SilentProgress:
    def __init__(self) -> None:
        self.notes: list[str] = []

    def stage(self, name: str, *, total_files: int | None = None, total_bytes: int | None = None) -> None:
        return None

    def advance(self, *, files: int = 0, bytes: int = 0) -> None:
        return None

    def note(self, message: str) -> None:
        self.notes.append(message)


@dataclass(slots=True)
class RecordingCdn:
    """Accepts every invalidation, or none while `is_down`."""

    sent: list[tuple[tuple[str, ...], str]] = field(default_factory=list)
    is_down: bool = False
    requests: int = 0
    distribution: str = "E1TEST"

    def facts(self) -> DistributionFacts:
        return DistributionFacts(self.distribution, "d1.cloudfront.net", "Deployed")

    def invalidate(self, items: tuple[str, ...], reference: str) -> Submitted:
        self.requests += 1
        if self.is_down:
            raise StoppedError("invalidation-not-accepted", "CloudFront did not accept the invalidation")
        self.sent.append((items, reference))
        return Submitted(f"I{len(self.sent)}", False)

    def is_completed(self, invalidation: str) -> bool:
        self.requests += 1
        return True

    def count_month(self, known: Ledger) -> Ledger | None:
        return None


def every_shown_key(shown: tuple[Shown, ...], live: object, state: object) -> Choosing:
    choice = InvalidationChoice(
        tuple(f"/{entry.key}" for entry in shown if any(before.file_class is not FileClass.ALIAS for before in entry.before))
    )
    return lambda: choice


WHOLE = Cutting()
IN_SHARDS = Cutting(above=0, whole=0, rows=2, amended=(0, 1))
AMENDING = Cutting(above=0, amended=(1000, 1))
"""Of sites of a handful of files."""


@dataclass(slots=True)
class World:
    """A bucket in memory, its clock, and runs against it."""

    bucket: MemoryBucket = field(default_factory=MemoryBucket)
    clock: ManualClock = field(default_factory=ManualClock)
    cdn: RecordingCdn | None = None
    gone: set[int] = field(default_factory=set)
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    is_conditional: bool = True
    cutting: Cutting = WHOLE

    def edges(self, *, pid: int = 1, before: object = None, after: object = None) -> Edges:
        """The edges of one run, as process `pid`; `before` and `after` are the hooks of its stores."""
        store = MemoryStore(self.clock, before, after, bucket=self.bucket, is_conditional=self.is_conditional)  # type: ignore[arg-type]
        records = MemoryStore(self.clock, before, after, bucket=self.bucket, prefix=".sitepub", is_conditional=self.is_conditional)  # type: ignore[arg-type]
        return Edges(
            store=store,
            records=records,
            releases=Releases(records, self.clock, lambda: f"n{next(self.numbers)}", cutting=self.cutting),
            cdn=self.cdn,
            choose=every_shown_key if self.cdn else lambda shown, live, state: InvalidationChoice,
            clock=self.clock,
            progress=SilentProgress(),
            process=Process("host", "boot", "ns", pid, str(pid)),
            is_gone=lambda process: process.pid in self.gone,
        )

    def site(self) -> dict[str, bytes]:
        """The site's own keys and their bodies."""
        return {key: found.body for key, found in self.bucket.objects.items() if not key.startswith(".sitepub/")}


@dataclass(slots=True)
class Death:
    """A hook of a store: the process makes so many requests, and ends at the next one. `seen`: how many came."""

    requests: int
    seen: int = 0

    def __call__(self, operation: str, key: str) -> None:
        self.seen += 1
        if self.seen > self.requests:
            raise SystemExit


def die_after(requests: int) -> Death:
    return Death(requests)
