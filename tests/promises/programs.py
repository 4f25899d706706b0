"""Random programs: sites, runs that are stopped, raced and frozen, people who change things by hand, and time that passes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hypothesis import strategies as st
from msgspec.structs import replace

from sitepub.core.settings import Invalidation, Retention
from sitepub.decision import Permits
from sitepub.errors import RefusedError, SitepubError, UsageError
from sitepub.pipeline import Receipt
from tests.support.small_sites import SmallSite, make_site
from tests.support.turns import Actor
from tests.support.visitors import StalePageError, find_stale
from tests.support.web import DAY, DiedError, Fault, NotAsLiveError, Web

_NAMED = re.compile(r"`([^`]+)`")
FORCE = Permits(shrink=True, foreign=True, diverged=True, older=True)

EXPECTED = {
    "held", "busy", "lease-lost", "newer-is-live", "pending-release", "no-earlier-release", "injected",
    "invalidation-not-accepted",
}  # fmt: skip
"""How a run may end that does not do what it was asked to."""

AFTER_EDITS = {"edited-by-hand", "foreign-keys", "name-taken"}
"""Only where each key that is named was edited by hand, and is as it was left."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of sitepub. `newness`: how its commit stands to the newest so far. `is_noticed`: where it dies, others know at once."""

    what: str  # publish | force | rollback | gc | invalidate
    site: SmallSite = field(default_factory=SmallSite)
    newness: int = 1
    back: int | None = None
    fault: Fault | None = None
    is_noticed: bool = True
    is_patient: bool = True


@dataclass(frozen=True, slots=True)
class Race:
    """Several runs at once; `turns`: whose turn it is and for how many halves of requests; below 0: all freeze for so many minutes."""

    runs: tuple[Run, ...]
    turns: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Wait:
    seconds: float


@dataclass(frozen=True, slots=True)
class Cdn:
    is_down: bool


@dataclass(frozen=True, slots=True)
class Edit:
    key: str


@dataclass(frozen=True, slots=True)
class AddForeign:
    key: str


Step = Run | Race | Wait | Cdn | Edit | AddForeign


# ---- strategies

SITES = st.builds(
    SmallSite,
    text=st.integers(1, 2), leaf=st.integers(0, 2), style=st.integers(0, 2), picture=st.integers(1, 2), module=st.integers(0, 2),
    library=st.integers(1, 2), bundled=st.integers(0, 2), old=st.integers(0, 2), large=st.integers(0, 2), odd=st.integers(0, 2),
    missing=st.integers(0, 2), language=st.integers(0, 1), loads_style=st.booleans(), loads_module=st.booleans(), computes=st.booleans(),
)  # fmt: skip

FAULTS = st.builds(Fault, st.sampled_from(["crash", "crash late", "stop", "stop late", "lost", "freeze", "edit"]), st.integers(0, 30))


def runs(*, faulty: bool = True) -> st.SearchStrategy[Run]:
    fault = st.none() | FAULTS if faulty else st.none()
    return st.builds(
        Run,
        what=st.sampled_from(["publish", "publish", "publish", "rollback", "gc", "invalidate"]),
        site=SITES,
        newness=st.sampled_from([1, 1, 1, 0, -1]),
        back=st.none() | st.integers(0, 3),
        fault=fault,
        is_noticed=st.booleans(),
        is_patient=st.booleans(),
    )


TURNS = st.lists(st.tuples(st.integers(-1, 2), st.integers(1, 24)), max_size=12).map(tuple)
RACES = st.builds(Race, st.lists(runs(), min_size=2, max_size=3).map(tuple), TURNS)
WAITS = st.sampled_from([1.0, 15.0, 61.0, 3600.0, DAY + 60, 4 * DAY, 61 * DAY]).map(Wait)
OTHERS = (
    st.builds(Cdn, st.booleans())
    | st.builds(Edit, st.sampled_from(["index.html", "js/mod.js", "css/app.css", "old.html", "_b/chunk.js"]))
    | st.builds(AddForeign, st.sampled_from(["mine.txt", "img/mine.png", "css/app.0123456789ab.css"]))
)
STEPS = st.one_of(runs(), runs(), runs(), RACES, WAITS, OTHERS)
SOLO_STEPS = st.one_of(runs(), runs(), runs(), WAITS, OTHERS)
QUOTAS = st.sampled_from([1000, 1000, 1000, 9, 2])
"""Free paths of a month: with few of them invalidations are folded into wildcards and tags."""

RETENTIONS = st.sampled_from([Retention(1, 0), Retention(2, 0), Retention(1, 3)])


# ---- carrying out


def _may_lose_lease(run: Run, beside: tuple[Run, ...]) -> bool:
    """Another one that writes may have taken over, or somebody slept. Who only sends what is owed takes the lease from nobody."""
    slept = any(one.fault is not None and one.fault.kind == "freeze" for one in (run, *beside))
    return slept or any(other.what != "invalidate" for other in beside)


@dataclass(slots=True)
class Player:
    """Plays a program on a web. `newest`: the number of the newest commit so far."""

    web: Web
    newest: int = 0

    def play(self, steps: Sequence[Step]) -> None:
        for step in steps:
            self._play_one(step)
            self.check_rest()

    def _play_one(self, step: Step) -> None:
        match step:
            case Run():
                self._judge_outcome(step, self._start(step))
            case Race():
                self.race(step)
            case Wait():
                self.web.pass_time(step.seconds)
            case Cdn():
                self.web.client.denied = {"CreateInvalidation"} if step.is_down else set()
            case Edit():
                self.web.edit(step.key)
            case AddForeign():
                self.web.add_foreign(step.key)

    def _start(self, run: Run, pause: Callable[[], None] | None = None) -> object:
        """What it returns, or how it failed."""
        web, number = self.web, self.newest + run.newness
        self.newest = max(self.newest, number)
        try:
            match run.what:
                case "publish":
                    return web.publish(run.site, number, fault=run.fault, patience=600 if run.is_patient else 5, pause=pause)
                case "force":
                    return web.publish(run.site, number, permits=FORCE, pause=pause)
                case "rollback":
                    return web.roll_back(self._choose_release(run.back), fault=run.fault, pause=pause)
                case "gc":
                    return web.gc(fault=run.fault, pause=pause)
                case _:
                    return web.invalidate(fault=run.fault, pause=pause)
        except (SitepubError, DiedError) as error:
            return error

    def _choose_release(self, back: int | None) -> str | None:
        releases = self.web.state().releases
        return None if back is None or not releases else releases[-1 - back % len(releases)].id

    def race(self, race: Race) -> None:
        actors = [Actor(run.what, lambda actor, run=run: self._start(run, actor.pause)) for run in race.runs]  # type: ignore[misc]
        for who, times in race.turns:
            if who < 0:
                self.web.pass_time(times * 60)
            else:
                for _ in range(times):
                    actors[who % len(actors)].go_on()
        for _ in range(5000):
            left = [actor for actor in actors if not actor.is_done]
            if not left:
                break
            for actor in left:
                actor.go_on()
        else:
            raise AssertionError(f"{[actor.name for actor in actors if not actor.is_done]} come to no end")
        for number, actor in enumerate(actors):
            beside = (*race.runs[:number], *race.runs[number + 1 :])
            self._judge_outcome(race.runs[number], actor.outcome, beside, slept=any(who < 0 for who, _ in race.turns))

    def _judge_outcome(self, run: Run, outcome: object, beside: tuple[Run, ...] = (), *, slept: bool = False) -> None:
        if isinstance(outcome, DiedError) and run.is_noticed:
            self.web.bury()
        if not isinstance(outcome, BaseException) or isinstance(outcome, (DiedError, UsageError)):
            return
        if not isinstance(outcome, SitepubError) or not self._is_expected(run, outcome):
            raise outcome
        if outcome.code == "lease-lost" and not slept and not _may_lose_lease(run, beside):
            raise outcome

    def _is_expected(self, run: Run, outcome: SitepubError) -> bool:
        if outcome.code in AFTER_EDITS:
            return self._names_edits(outcome)
        if outcome.code == "release-collected" and run.what == "rollback":
            return not any(release.id in outcome.message for release in self.web.state().releases)
        return outcome.code in EXPECTED

    def _names_edits(self, refused: SitepubError) -> bool:
        named = {name for name in _NAMED.findall(refused.message) if not name.startswith("memory:")}
        return bool(named) and named <= self.web.edited

    def _publish_at_last(self, site: SmallSite, number: int) -> Receipt:
        """By force only where it has to be said that an edit by hand may go."""
        try:
            return self.web.publish(site, number)
        except RefusedError as refused:
            if refused.code not in AFTER_EDITS or not self._names_edits(refused):
                raise
            return self.web.publish(site, number, permits=FORCE)

    def check_rest(self) -> None:
        """Once the invalidation is done, and nothing is pending or owed, nobody gets anything stale."""
        web = self.web
        web.moment()
        state = web.state()
        if state.pending is None and state.live is not None:
            web.check_target()
        if state.pending is None and not state.owed and not state.collect and web.network.is_quiet():
            self._check_fresh()

    def _check_fresh(self) -> None:
        """But for what lives for a minute at most, and what someone changed by hand."""
        live = self.web.state().live_release
        if live is None:
            return
        manifest = self.web.reader().read_document(live).manifest.artifacts
        stable = {f"/{key}" for key, one in manifest.items() if not one.file_class.is_loaded or one.file_class.value == "pinned"}
        skipped = {f"/{key}" for key in self.web.edited} | {f"/{key.removesuffix('index.html')}" for key in self.web.edited}
        at_once = sorted((self.web.visitors.pages | stable) - skipped)
        stale = [text for text in find_stale(self.web.network, at_once) if not self._is_short_lived(text)]
        if stale:
            raise StalePageError("; ".join(stale))

    def _is_short_lived(self, text: str) -> bool:
        """An alias's minute, an error's ten seconds: nobody invalidates these."""
        has = text.partition(", the origin ")[0]
        return "max-age=60" in has or "s-maxage=10'" in has or "an edge has 404" in has or "an edge has 403" in has

    def finish(self, site: SmallSite, *, collects: bool) -> None:
        """Everybody else is dead, the CDN works and the month has room: one publish makes all well."""
        web = self.web
        web.bury()
        web.client.denied = set()
        web.rules = Invalidation()
        self.newest += 1
        receipt = self._publish_at_last(site, self.newest)
        state = web.state()
        if state.pending or state.owed or state.collect:
            raise NotAsLiveError(f"left: pending {state.pending}, owed {state.owed}, collect {state.collect}")
        if state.live_release is None or state.live_release.commit is None or int(state.live_release.commit.id[:8]) != self.newest:
            raise NotAsLiveError(f"live is {state.live_release}, the newest commit {self.newest} ({receipt.release})")
        made = make_site(site)
        for key, artifact in made.manifest.artifacts.items():
            found = web.bucket.objects.get(key)
            if key not in web.edited and (found is None or found.body != made.bodies[artifact.body]):
                raise NotAsLiveError(f"{key} is {found}")
        web.pass_time(90)
        self.check_rest()
        if not web.network.is_quiet():
            raise StalePageError("an invalidation is never done")
        if collects:
            self._collect_all(site)

    def _collect_all(self, site: SmallSite) -> None:
        """After a while without publishes nothing is left but the live release; what one superseded unfinished goes with it."""
        web = self.web
        site = replace(site, text=3 - site.text)
        self._publish_at_last(site, self.newest + 1)
        web.pass_time(DAY * 5)
        web.retention = Retention(1, 0)
        for _ in range(4):
            if not web.gc().sweep.doomed:
                break
            web.pass_time(60)
        left = {key for key in web.bucket.objects if not key.startswith(".sitepub/")}
        needless = left - {str(key) for key in make_site(site).manifest.artifacts} - web.foreign.keys() - web.edited
        if needless:
            raise NotAsLiveError(f"nothing needs {sorted(needless)}, and `gc` leaves it")
        self.check_rest()
        self._publish_at_last(replace(site, text=3 - site.text), self.newest + 2)
