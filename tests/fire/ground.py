"""A prefix of a real bucket and a distribution, with real clients behind a proxy that does harm; and what must be true of the target."""

from __future__ import annotations

import hashlib
import itertools
import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from sitepub import wiring
from sitepub.aws.cloudfront import CloudFront
from sitepub.aws.patience import Patience
from sitepub.aws.s3 import S3Store
from sitepub.aws.session import AwsSession
from sitepub.collecting import Collected, collect
from sitepub.config import load_config
from sitepub.core.manifest import digest_manifest
from sitepub.core.model import Artifact, Commit, FileClass, Key
from sitepub.core.retention import choose_release
from sitepub.core.settings import BucketAddress, Retention, Target
from sitepub.core.state import Process, State
from sitepub.decision import Permits, Wish
from sitepub.edges import Edges
from sitepub.local.clock import SystemClock
from sitepub.packs import KeptBodies
from sitepub.pipeline import Receipt, publish, rollback
from sitepub.publishing import CONDITIONS, make_edges
from sitepub.releases import Releases
from sitepub.wiring import Opened, open_target
from tests.support.builders import CSS, Piece, SilentProgress, digest_of, wish
from tests.support.fault_proxy import Script

DAY = timedelta(days=1, minutes=1)
NEWEST_TWO = Retention(releases=2, days=0)
PAGE = (("Cache-Control", "public, max-age=0, s-maxage=86400, must-revalidate"), ("Content-Type", "text/html; charset=utf-8"))
PLAIN = (("Cache-Control", "public, max-age=60, s-maxage=60"), ("Content-Type", "text/javascript"))
FEED = (("Cache-Control", "public, max-age=0, s-maxage=86400"), ("Content-Type", "application/rss+xml"))
PDF = (("Cache-Control", "public, max-age=0, s-maxage=86400"), ("Content-Disposition", "attachment"), ("Content-Type", "application/pdf"))
LOADS = re.compile(rb"load:(\S+)")

Pieces = dict[str, Piece | bytes]


def make_site(number: int, *, is_large: bool = True) -> Pieces:
    """Version `number` of a site in which every kind of change happens from each version to the next."""
    css = f"a{{margin:{number}px}}".encode()
    shared = b"shared{}"
    style, common = f"app.{digest_of(css)[:12]}.css", f"common.{digest_of(shared)[:12]}.css"
    loads = f"load:{style} load:{common} load:module.js load:chunk-5A2B.js load:chunk-{number}.js"
    pieces: Pieces = {
        "index.html": f"front {number} {loads}".encode(),
        "docs/index.html": f"leaf {number} {loads}".encode(),
        "same.html": f"always load:{common}".encode(),
        f"only-{number}.html": f"only in {number} load:{style}".encode(),
        "sometimes.html": b"in odd versions" if number % 2 else b"in even versions, longer",
        "feed.xml": Piece(b"<rss>", headers=FEED if number % 2 else PAGE),
        style: Piece(css, FileClass.ASSET, CSS, "app.css"),
        "app.css": Piece(css, FileClass.ALIAS, CSS, "app.css"),
        common: Piece(shared, FileClass.ASSET, CSS, "common.css"),
        "module.js": Piece(f"export default {number}".encode(), FileClass.PINNED, PLAIN),
        "chunk-5A2B.js": Piece(b"chunk", FileClass.FROZEN, CSS),
        f"chunk-{number}.js": Piece(f"chunk {number}".encode(), FileClass.FROZEN, CSS),
    }
    if number % 3 == 0:
        del pieces["sometimes.html"]
    if is_large:
        pieces["paper.pdf"] = Piece(bytes([number]) * (1024 * 1024 + 1), headers=PDF)
    return {key: piece if isinstance(piece, Piece) else Piece(piece, headers=PAGE) for key, piece in pieces.items()}


def commit(number: int) -> Commit:
    return Commit(f"{number:040x}", "main", f"version {number}", "A", 1_700_000_000 + number)


def version(number: int, *, is_large: bool = True) -> Wish:
    return replace(wish(make_site(number, is_large=is_large)), commit=commit(number))


class ShiftedClock(SystemClock):
    """The real clock, some days later."""

    def __init__(self, shift: timedelta) -> None:
        self._shift = shift

    def now(self) -> datetime:
        return super().now() + self._shift


@dataclass(frozen=True, slots=True)
class Reach:
    """How a run reaches its target: through the proxies that do harm, or straight."""

    attempts: int = 8
    read_seconds: float = 15
    is_harmed: bool = False


SURE = Reach()


@dataclass(slots=True)
class Ground:
    """One target. `script` tells what happens to the requests of runs that go through the proxies; runs without go straight.
    `is_large`: the site has a file that no pack takes."""

    target: Target
    direct: Target
    through: Callable[[int, float], AwsSession]
    script: Script
    config_text: str
    folder: Path
    is_large: bool = True
    gone: set[int] = field(default_factory=set)
    shift: timedelta = timedelta(0)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def edges(self, reach: Reach = SURE) -> Edges:
        """The edges of a run of its own process, as `sitepub publish` makes them but for its patience."""
        opened, process = self.open(reach), self.next_process()
        edges = make_edges(opened.target, opened, opened.releases.read_state(), SilentProgress())
        return replace(edges, process=process, is_gone=self.is_gone)

    def next_process(self) -> Process:
        number = next(self._numbers)
        return Process("host", "boot", "ns", number, str(number))

    def is_gone(self, process: Process) -> bool:
        return process.pid in self.gone

    def open(self, reach: Reach = SURE) -> Opened:
        target, attempts = self.target if reach.is_harmed else self.direct, reach.attempts
        session, clock = self.through(attempts, reach.read_seconds), ShiftedClock(self.shift)
        opened = open_target(load_config(self.folder / "sitepub.yaml", os.environ), target, os.environ)
        assert isinstance(target.store, BucketAddress)
        store = S3Store(target.store, session, endpoint_url=target.endpoint_url, attempts=attempts)
        place = BucketAddress(target.store.bucket, f"{target.store.prefix}/.sitepub")
        records = S3Store(place, session, endpoint_url=target.endpoint_url, attempts=attempts)

        def connect() -> object:
            return session.client("cloudfront", region="us-east-1", endpoint_url=target.cdn_endpoint_url)

        cdn = CloudFront(target.distribution or "", connect, clock, patience=Patience(clock, 5 if attempts > 1 else 0))
        releases = Releases(records, clock, lambda: secrets.token_hex(8))
        return replace(
            opened,
            store=store,
            records=records,
            releases=releases,
            clock=clock,
            cdn_of=lambda _: cdn,
            try_records=lambda: wiring._try_records(target, session, records),
        )

    def version(self, number: int) -> Wish:
        return version(number, is_large=self.is_large)

    def publish(self, number: int) -> Receipt:
        return self.publish_with(self.edges(), number)

    def publish_with(self, edges: Edges, number: int) -> Receipt:
        return publish(edges, self.version(number), lambda _: None, Permits(), lock_timeout=0)

    def roll_back(self, edges: Edges, name: str | None = None) -> Receipt:
        snapshot = edges.releases.read_state()
        return rollback(edges, choose_release(snapshot.state, name), snapshot, lock_timeout=0)

    def collect(self, edges: Edges) -> Collected:
        return collect(edges, NEWEST_TWO)

    def bury(self) -> None:
        """Every process that was begun so far is gone."""
        self.gone.update(range(next(self._numbers) + 1))

    # ---- what is true of the target

    def state(self) -> State:
        return self.edges().releases.read_state().state

    def bodies(self) -> Mapping[str, bytes]:
        """The site's own keys, as visitors get them."""
        edges = self.edges()
        keys = [there.key for there in edges.store.list() if not there.key.startswith(".sitepub/")]
        found = {key: edges.store.read(key) for key in keys}
        return {key: stored.body for key, stored in found.items() if stored is not None}

    def check_visitors(self) -> int:
        """Every page that can be loaded now finds what it loads. Returns the number of loads checked."""
        bodies = self.bodies()
        loads = [(page, key.decode()) for page, body in bodies.items() for key in LOADS.findall(body)]
        broken = [f"{page} -> {key}" for page, key in loads if key not in bodies]
        assert not broken, broken
        return len(loads)

    def check_is(self, wanted: Wish) -> None:
        """The target is exactly this release: bytes, headers, records; nothing pending, nothing owed; and what is kept can be read."""
        edges = self.edges()
        state = edges.releases.read_state().state
        rest = (state.pending, state.collect, state.owed, state.provisioned.get(CONDITIONS))
        assert rest == (None, None, (), None), rest
        live = state.live_release
        assert live is not None
        assert live.manifest == digest_manifest(wanted.manifest)
        listed = {there.key: there.etag for there in edges.store.list() if not there.key.startswith(".sitepub/")}
        for key, artifact in wanted.manifest.artifacts.items():
            self._check_standing(edges, artifact)
            assert edges.store.head(key) is not None
        etags = edges.releases.read_record(state)
        assert {key: etags[key] for key in wanted.manifest.artifacts if key in etags} == {
            key: listed[key] for key in wanted.manifest.artifacts if key in etags
        }
        stable = {key for key, artifact in wanted.manifest.artifacts.items() if artifact.file_class is not FileClass.ASSET}
        assert stable <= set(etags), "keys without an ETag on record"
        left = [key for key in listed if key not in wanted.manifest.artifacts and not self._may_linger(key)]
        assert not left, left
        self._check_kept(edges, state)

    def _check_standing(self, edges: Edges, artifact: Artifact) -> None:
        stored, head = edges.store.read(artifact.key), edges.store.head(artifact.key)
        assert stored is not None, artifact.key
        assert head is not None
        assert hashlib.sha256(stored.body).hexdigest() == artifact.body, artifact.key
        assert (artifact.key, head.headers, head.digest) == (artifact.key, artifact.headers, artifact.body)

    def _may_linger(self, key: Key) -> bool:
        """Hashed files, and what pages load under a name that stays."""
        return key.startswith(("app.", "common.", "chunk-", "module."))

    def _check_kept(self, edges: Edges, state: State) -> None:
        standing = {there.key for there in edges.store.list()}
        for release in state.releases:
            document = edges.releases.read_document(release)
            kept = KeptBodies(edges.records, document.bodies)
            for key, artifact in document.manifest.artifacts.items():
                if artifact.file_class is FileClass.ASSET:
                    assert key in standing, f"{release.id} has lost {key}"
                elif artifact.file_class in (FileClass.ENTRY, FileClass.PINNED):
                    body = kept.read(artifact.body)
                    assert isinstance(body, bytes)
                    assert hashlib.sha256(body).hexdigest() == artifact.body
