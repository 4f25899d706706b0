"""What a real history of builds costs in invalidation paths: a clone is published build by build, with its own dates, through the edge simulator.

    python benchmarks/replay.py CLONE [--branch gh-pages] [--last 200] [--name NAME] [--json FILE] [--free 1000]

CLONE: any git repository (a git directory will do) whose commits are builds of a site. Every page is asked for at every edge before and after each build. Beside
sitepub, without and with cache tags, the same builds as they are (no renaming) by three other rules: every changed path, `/*`, and s3deploy's,
which folds above eight paths. Prints one table; `--json` keeps the numbers for `replay_plot.py`.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sitepub.aws.cloudfront import CloudFront
from sitepub.choosing import Chooser
from sitepub.core.invalidation_paths import Routing, find_urls
from sitepub.core.model import Artifact, Key
from sitepub.core.settings import BucketAddress, Config, FolderAddress, Invalidation, Links, MissingReferences, Tags, Target
from sitepub.core.tags import TAG_HEADER, without_tags
from sitepub.decision import Permits, Wish
from sitepub.edges import Edges
from sitepub.errors import SitepubError
from sitepub.interfaces import Body
from sitepub.local.cache import Cache, open_cache
from sitepub.local.source import scan_source
from sitepub.pipeline import publish
from sitepub.site import build_site
from sitepub.site_bodies import supply_body
from tests.support.builders import SilentProgress, World
from tests.support.edge import Answer, Network, Origin
from tests.support.fake_cdn import FakeCloudFront
from tests.support.web import at_once

FREE = 1000
USD_A_PATH = 0.005
QUIET_SECONDS = 90
"""Until every invalidation is done and what is never invalidated (aliases, errors) has outlived itself."""

ROUTING = Routing()


class Build(Struct, frozen=True):
    """`changed` against the build before: its source paths, with deleted ones apart. `files`: all that it has, with their blobs."""

    commit: str
    at: float
    files: Mapping[str, str]
    changed: tuple[str, ...]
    new: tuple[str, ...]
    deleted: tuple[str, ...]

    @property
    def month(self) -> str:
        return f"{datetime.fromtimestamp(self.at, UTC):%Y-%m}"


@dataclass(slots=True)
class Used:
    """What one rule did with a history."""

    by_month: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    collateral: float = 0.0
    held: float = 0.0
    sends: int = 0
    stale: int | None = None
    owed: int = 0

    def add(self, build: Build, items: int, collateral: float, held: int) -> None:
        if items:
            self.by_month[build.month] += items
            self.sends += 1
            self.collateral += collateral
            self.held += held

    @property
    def price(self) -> float:
        return sum(max(0, paths - FREE) for paths in self.by_month.values()) * USD_A_PATH


# ---- the history


def git(clone: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(clone), "-c", "core.quotePath=false", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", *words],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def read_builds(clone: Path, branch: str, last: int) -> Iterator[Build]:
    """Oldest first. Dates never go back: two builds are at least two minutes apart."""
    log = git(clone, "log", "--first-parent", f"-{last}", "--format=%H %ct", branch).split("\n")
    before: Mapping[str, str] = {}
    at = 0.0
    for line in reversed([line for line in log if line]):
        commit, seconds = line.split()
        at = max(at + 120, float(seconds))
        files = read_files(clone, commit)
        changed = tuple(sorted(path for path in files.keys() & before.keys() if files[path] != before[path]))
        yield Build(commit, at, files, changed, tuple(sorted(files.keys() - before.keys())), tuple(sorted(before.keys() - files.keys())))
        before = files


def read_files(clone: Path, commit: str) -> Mapping[str, str]:
    rows = git(clone, "ls-tree", "-r", "-z", commit).split("\0")
    found = {}
    for row in filter(None, rows):
        kind, path = row.split("\t", 1)
        mode, _, blob = kind.split()
        if mode.startswith("100") and not any(part.startswith(".") for part in path.split("/")):
            found[path] = blob
    return found


def write_files(clone: Path, build: Build, folder: Path) -> int:
    """Makes the folder hold the build. Returns how many files the clone itself lacks (a partial one): their blobs' names stand for them."""
    for path in build.deleted:
        (folder / path).unlink()
    for parent in sorted({str(Path(path).parent) for path in build.deleted}, key=len, reverse=True):
        with suppress(OSError):
            (folder / parent).rmdir()
    paths = [*build.changed, *build.new]
    missing = 0
    for path, body in zip(paths, read_blobs(clone, [build.files[path] for path in paths]), strict=True):
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(build.files[path].encode() if body is None else body)
        missing += body is None
    return missing


def read_blobs(clone: Path, names: Sequence[str]) -> Iterator[bytes | None]:
    """None where the clone lacks one."""
    asked = subprocess.run(
        ["git", "-C", str(clone), "cat-file", "--batch"], input="\n".join(names).encode() + b"\n", capture_output=True, check=True
    ).stdout
    place = 0
    for _ in names:
        end = asked.index(b"\n", place)
        told = asked[place:end].split()
        place = end + 1
        if told[-1] == b"missing":
            yield None
            continue
        size = int(told[2])
        yield asked[place : place + size]
        place += size + 1


# ---- sitepub


class ReplayClock:
    """Stands at the history's time."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def elapsed(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass(slots=True)
class Replay:
    """sitepub behind one distribution, with cache tags or without."""

    folder: Path
    has_tags: bool
    free: int
    cache: Cache
    clock: ReplayClock = field(default_factory=ReplayClock)
    used: Used = field(default_factory=lambda: Used(stale=0))
    world: World = field(init=False)
    client: FakeCloudFront = field(init=False)
    distribution: str = field(init=False)
    network: Network = field(init=False)

    def __post_init__(self) -> None:
        self.world = World(clock=self.clock)  # type: ignore[arg-type]
        self.client = FakeCloudFront(self.clock)
        config = {"DefaultRootObject": "index.html", **({"CacheTagConfig": {"HeaderName": TAG_HEADER}} if self.has_tags else {})}
        self.distribution = self.client.add_distribution(config)
        origin = Origin(self.world.bucket, has_function=False)
        self.network = Network(origin, self.clock, self.client, random.Random(1), tag_header=TAG_HEADER)

    def publish(self, build: Build) -> None:
        self.clock.seconds = max(self.clock.seconds, build.at)
        self._visit()
        before = len(self.client.sent)
        receipt = publish(self._edges(), self._wish(), lambda _: None, Permits(shrink=True))
        self._visit()
        self.clock.seconds += QUIET_SECONDS
        self.network.go_on()
        sent = [item for each in self.client.sent[before:] for item in each.items]
        self.used.add(build, len(sent), receipt.invalidation.collateral, len(receipt.decision.plan.wanted))
        self.used.owed += receipt.invalidation.state == "owed"
        self.used.stale = (self.used.stale or 0) + sum(1 for _ in self._find_stale())

    def _edges(self) -> Edges:
        cdn = CloudFront(self.distribution, lambda: self.client, self.clock)
        rules = Invalidation(free_paths=self.free)
        chooser = Chooser(Target("replay", BucketAddress("memory")), rules, cdn, self.clock, aside=at_once)
        return replace(
            self.world.edges(after=lambda *_: self.network.go_on()),
            cdn=cdn,
            choose=lambda shown, live, state: at_once(lambda: chooser.choose(shown, live, state)),
            count_month=chooser.count,
            rules=rules,
        )

    def _wish(self) -> Wish:
        source = scan_source(self.folder, links=Links.FOLLOW, allow=("*",))
        target = Target("replay", FolderAddress(self.folder.parent / "nowhere"))
        rules = Invalidation(tags=Tags.ALWAYS if self.has_tags else Tags.NEVER)
        config = Config(self.folder.parent / "sitepub.yaml", self.folder, {"replay": target}, invalidation=rules)
        config = replace(config, fingerprint=replace(config.fingerprint, missing_references=MissingReferences.IGNORE))
        site = build_site(source, config, target, cache=self.cache, executor=None, has_distribution=True, progress=SilentProgress())
        files = {file.path: file for file in source.files}

        def supply(artifact: Artifact) -> Body:
            recipe = site.recipes[artifact.key]
            return supply_body(source, files[recipe.source] if recipe.source is not None else None, recipe, artifact)

        return Wish(site.manifest, supply, None, site.frozen_as_entries)

    def _visit(self) -> None:
        """Somebody asks for every page, under each of its URLs."""
        keys = [key for key in self.world.bucket.objects if key.endswith(".html") and not key.startswith(".sitepub/")]
        for key in keys:
            for url in find_urls(Key(key), ROUTING):
                self.network.possible(url)
        self.network.go_on()

    def _find_stale(self) -> Iterator[str]:
        for path in list(self.network.everywhere):
            if len({_as_seen(answer) for answer in self.network.possible(path)}) > 1:
                yield path


def _as_seen(answer: Answer) -> Answer:
    return replace(answer, headers=without_tags(answer.headers))


# ---- the other rules, on the builds as they are


def urls_of(paths: Iterable[str]) -> set[str]:
    return {url for path in paths for url in find_urls(Key(path), ROUTING)}


def fold_by_levels(paths: Sequence[str], most: int = 8) -> list[str]:
    """s3deploy 2.x: folders for their index pages; above `most`, level by level from the deepest, each path below a level becomes a wildcard of the folder
    above its own; `/*` where that does not help."""
    items = sorted({f"/{path.removesuffix('index.html')}" if path.endswith("index.html") else f"/{path}" for path in paths})
    for level in range(max((item.count("/") for item in items), default=0), 0, -1):
        if len(items) <= most:
            break
        items = sorted({_climb(item) if item.count("/") > level else item for item in items})
    return items if len(items) <= most else ["/*"]


def _climb(item: str) -> str:
    folders = item.rpartition("/")[0].strip("/").split("/")
    kept = folders[:-1] if len(folders) > 1 else folders
    return "/" + "/".join(kept) + "/*"


def count_evicted(items: Iterable[str], live: Iterable[str]) -> int:
    exact = {item for item in items if not item.endswith("*")}
    prefixes = tuple(item[:-1] for item in items if item.endswith("*"))
    return sum(url in exact or url.startswith(prefixes) for url in live) if prefixes else sum(url in exact for url in live)


def by_every_path(build: Build) -> list[str]:
    return sorted(urls_of((*build.changed, *build.deleted)))


def by_one_wildcard(build: Build) -> list[str]:
    return ["/*"] if build.changed or build.deleted or build.new else []


def by_s3deploy(build: Build) -> list[str]:
    """It tells the CDN of all that it uploaded, new files too, and of nothing that it deleted."""
    return fold_by_levels((*build.changed, *build.new))


OTHERS: Mapping[str, Callable[[Build], list[str]]] = {
    "every changed path": by_every_path,
    "`/*`": by_one_wildcard,
    "s3deploy's rule": by_s3deploy,
}


def replay(clone: Path, branch: str, last: int, free: int) -> tuple[dict[str, Used], list[Build]]:
    used = {name: Used() for name in OTHERS}
    builds = []
    missing = 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "site")
        folder.mkdir()
        cache = open_cache(None)
        ours = {"sitepub": Replay(folder, False, free, cache), "sitepub with tags": Replay(folder, True, free, cache)}
        for number, build in enumerate(read_builds(clone, branch, last)):
            missing += write_files(clone, build, folder)
            for mine in ours.values():
                mine.publish(build)
            if number:  # what stood there before the first one is not known
                changed = urls_of((*build.changed, *build.deleted))
                live = urls_of(build.files)
                for name, rule in OTHERS.items():
                    items = rule(build)
                    used[name].add(build, len(items), count_evicted(items, live - changed), len(live))
            builds.append(replace(build, files={}))
            print(f"\r{number + 1} of {last}", end="", file=sys.stderr, flush=True)
        cache.close()
    print(f"\n{missing} files are not in the clone" if missing else "", file=sys.stderr)
    return {**{name: mine.used for name, mine in ours.items()}, **used}, builds


def make_table(used: Mapping[str, Used]) -> str:
    rows = [
        "| rule | paths | in the busiest month | above the free 1,000, USD | evicted without need, of all stored URLs at each invalidation | owed | stale |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, one in used.items():
        share = f"{100 * one.collateral / one.held:.2f} %" if one.held else "–"
        stale = "–" if one.stale is None else f"{one.stale}"
        owed = f"{one.owed}" if one.stale is not None else "–"
        busiest = max(one.by_month.values(), default=0)
        rows.append(f"| {name} | {sum(one.by_month.values()):,} | {busiest:,} | {one.price:.2f} | {share} | {owed} | {stale} |")
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("clone", type=Path)
    parser.add_argument("--branch", default="gh-pages")
    parser.add_argument("--last", type=int, default=200)
    parser.add_argument("--free", type=int, default=FREE)
    parser.add_argument("--name")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    started = time.monotonic()
    try:
        used, builds = replay(chosen.clone, chosen.branch, chosen.last, chosen.free)
    except SitepubError as error:
        sys.exit(f"{error.message}\n{error.hint}")
    first, last = builds[0], builds[-1]
    span = f"{datetime.fromtimestamp(first.at, UTC):%Y-%m-%d} to {datetime.fromtimestamp(last.at, UTC):%Y-%m-%d}"
    name = chosen.name or chosen.clone.name
    print(f"{name} at {last.commit}: {len(builds)} builds, {span}, {time.monotonic() - started:.0f} s\n\n{make_table(used)}")
    if chosen.json:
        rules = {rule: {"by_month": dict(one.by_month), "collateral": one.collateral, "stale": one.stale} for rule, one in used.items()}
        document = {"name": name, "commit": last.commit, "builds": len(builds), "span": span, "rules": rules}
        chosen.json.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
