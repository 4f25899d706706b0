"""`invalidate`: by hand, within the same quota and ledger as a publish; without a path it sends what is owed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from urllib.parse import urlsplit

from sitepub.choosing import Chooser, ask_routing
from sitepub.core.cost import Requests
from sitepub.core.invalidation_words import Named, read_words
from sitepub.core.settings import Target
from sitepub.core.state import State, owe
from sitepub.edges import ATTEMPTS, Edges, Invalidated, InvalidationChoice
from sitepub.errors import ConfigurationError, HeldError, RefusedError
from sitepub.interfaces import CdnReader, Progress
from sitepub.invalidating import foresee_invalidation, invalidate, send_owed
from sitepub.lease import is_dead, keeps_changing
from sitepub.publishing import make_chooser, make_edges
from sitepub.releases import ReleaseReader, Snapshot
from sitepub.report_invalidation import Evicted
from sitepub.request import Request
from sitepub.wiring import Opened, Sight


def foresee_eviction(request: Request, sight: Sight, words: Sequence[str], *, started: float) -> Evicted:
    """What `evict` would do now. Writes nothing."""
    snapshot = sight.releases.read_state()
    cdn = sight.cdn_of(snapshot.state)
    chooser = make_chooser(request.target, request.config.invalidation, sight, cdn)
    choice = _choose(chooser, sight.releases, words, snapshot)
    if not words and snapshot.state.owed:
        choice = InvalidationChoice(ledger=chooser.count(snapshot.state))
    told = foresee_invalidation(cdn, choice, snapshot.state, chooser.rules, sight.clock.now())
    return _tell(request, sight, cdn, told, choice, started, is_dry_run=True)


def evict(
    request: Request,
    opened: Opened,
    words: Sequence[str],
    progress: Progress,
    *,
    lock_timeout: float = 600,
    wait: bool = False,
    started: float,
) -> Evicted:
    """Raises UsageError for words that name nothing, RefusedError where nothing was published yet or `when_spent: fail` says so,
    ConfigurationError where there is no distribution, HeldError where another run is at work for too long."""
    snapshot = opened.releases.read_state()
    rules = request.config.invalidation
    edges = make_edges(request.target, opened, snapshot, progress, rules)
    chooser = make_chooser(request.target, rules, opened.sight, edges.cdn)
    choice = InvalidationChoice()
    if words:
        snapshot, choice = _owe(edges, chooser, words, snapshot, lock_timeout)
        done = invalidate(edges, snapshot, choice, wait)
    else:
        done = send_owed(edges, snapshot, wait=wait)
    return _tell(request, opened.sight, edges.cdn, done, choice, started, is_dry_run=False)


def _owe(edges: Edges, chooser: Chooser, words: Sequence[str], snapshot: Snapshot, patience: float) -> tuple[Snapshot, InvalidationChoice]:
    """What is to be sent is owed first, under a number of its own: whoever is stopped before it is sent leaves it to the next run."""
    since = edges.clock.elapsed()
    for _ in range(ATTEMPTS):
        while _is_held(edges, snapshot.state):
            if edges.clock.elapsed() - since > patience:
                raise HeldError("held", "another run is at work on this target", "wait for it, then run it again")
            edges.clock.sleep(1.0)
            snapshot = edges.releases.read_state()
        choice = _choose(chooser, edges.releases, words, snapshot)
        swap = edges.releases.swap(snapshot, owe(snapshot.state, choice.items, nonce=edges.releases.nonce()))
        if swap.is_ours:
            return swap.snapshot, choice
        snapshot = swap.snapshot
    raise keeps_changing()


def _is_held(edges: Edges, state: State) -> bool:
    """A swap of ours would take the lease from whoever is at work."""
    return any(at_work is not None and not is_dead(edges, at_work.lease) for at_work in (state.pending, state.collect))


def _choose(chooser: Chooser, releases: ReleaseReader, words: Sequence[str], snapshot: Snapshot) -> InvalidationChoice:
    if not words:
        return InvalidationChoice()
    if chooser.cdn is None:
        hint = "name it in `distribution:` of the target"
        raise ConfigurationError("no-distribution-named", f"target `{chooser.target.name}` has no distribution to invalidate", hint)
    if snapshot.state.is_blank:
        message = f"nothing was published to target `{chooser.target.name}` yet, so sitepub keeps no account of it"
        raise RefusedError("nothing-published", message, "`sitepub publish` or `sitepub adopt` first")
    named = _read(chooser.target, chooser.cdn, words)

    def find_live() -> Sequence[str]:
        live = snapshot.state.live_release
        return [chooser.target.url_path + key for key in releases.read_document(live).manifest.artifacts] if live else ()

    return chooser.choose_named(named, find_live, snapshot.state)


def _read(target: Target, cdn: CdnReader, words: Sequence[str]) -> Named:
    hosts = {host for host in (*target.domains, urlsplit(target.url).hostname) if host}
    routing, warnings = ask_routing(target, cdn)
    named = read_words(words, routing, hosts)
    return Named(named.items, (*warnings, *named.warnings))


def _tell(
    request: Request,
    sight: Sight,
    cdn: CdnReader | None,
    done: Invalidated,
    choice: InvalidationChoice,
    started: float,
    *,
    is_dry_run: bool,
) -> Evicted:
    return Evicted(
        target=request.target.name,
        invalidation=done,
        free_paths=request.config.invalidation.free_paths if cdn is not None else None,
        requests=Requests(sight.requests, cdn.requests if cdn else 0),
        warnings=choice.warnings,
        seconds=time.monotonic() - started,
        is_dry_run=is_dry_run,
    )
