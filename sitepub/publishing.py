"""Carries a prepared site to its target, or foresees what that would do, and accounts for it. `plan` and `publish` are its users."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from sitepub.core.cost import Requests, foresee_requests
from sitepub.core.invalidation_paths import Routing
from sitepub.core.model import Key, Kind, Warning
from sitepub.core.plan import PACK_LIMIT, Shown, bodies_to_bring
from sitepub.core.settings import FolderAddress, Target
from sitepub.decision import Decision, decide, nothing_to_do
from sitepub.edges import Edges, InvalidationChoice
from sitepub.errors import SitepubError, StoppedError
from sitepub.interfaces import CdnReader, Progress
from sitepub.invalidating import Invalidated
from sitepub.local.process import is_surely_gone, this_process
from sitepub.pipeline import Receipt, publish, settle_nothing
from sitepub.preparing import Prepared
from sitepub.releases import Snapshot
from sitepub.report import Account
from sitepub.wiring import Opened, Sight

CONDITIONS = "conditional_writes"
"""Kept in the state of a target whose server ignores conditions."""

SWAP_IN_FOLDER = 3
"""Writes that a swap of the state takes where a lock file makes look and write one step."""

PASSING = ("unreachable",)
"""Errors that a distribution gives today and not tomorrow, beside those that stop a run."""


def foresee(prepared: Prepared, sight: Sight, *, started: float) -> Account:
    """What `carry_out` would do now. Writes nothing: the edges it is given can't."""
    state = prepared.snapshot.state
    decision = _judged_nothing(prepared)
    if decision is None and prepared.wish is not None:
        decision = decide(sight.store, sight.releases, prepared.snapshot, prepared.wish, prepared.request.permits)
    if decision is None:
        raise ValueError("neither a wish nor nothing to do")
    cdn = sight.cdn_of(state)
    choice = choose_items(decision.plan.shown, held_keys(decision), prepared.request.target, cdn)
    made = Requests(sight.requests, cdn.requests if cdn else 0)
    owed = {item for debt in state.owed for item in debt.items}
    invalidated = Invalidated(tuple(sorted({*choice.items, *owed})), choice.collateral)
    account = _account(prepared, sight, decision, invalidated, _foresee_requests(prepared, decision, choice, made), started)
    return replace(account, is_dry_run=True, warnings=(*account.warnings, *decision.warnings, *choice.warnings))


def carry_out(prepared: Prepared, opened: Opened, progress: Progress, *, lock_timeout: float, wait: bool, started: float) -> Account:
    """Publishes, and accounts for what was done."""
    edges = make_edges(prepared.request.target, opened, prepared.snapshot, progress)
    receipt = _publish(edges, prepared, lock_timeout=lock_timeout, wait=wait)
    made = Requests(opened.sight.requests, edges.cdn.requests if edges.cdn else 0)
    account = _account(prepared, opened.sight, receipt.decision, receipt.invalidation, made, started)
    if not opened.store.is_conditional and opened.store.keeps_headers:
        receipt = replace(receipt, warnings=(*receipt.warnings, _weaker(opened)))
    return replace(account, release=receipt.release, warnings=(*account.warnings, *receipt.warnings))


def make_edges(target: Target, opened: Opened, snapshot: Snapshot, progress: Progress) -> Edges:
    """The edges of a run that writes to this target, whose state is `snapshot`."""
    if snapshot.state.provisioned.get(CONDITIONS) == "ignored":
        opened.look_before_writing()
    cdn = opened.cdn_of(snapshot.state)
    return Edges(
        store=opened.store,
        records=opened.records,
        releases=opened.releases,
        cdn=cdn,
        choose=lambda shown, live: choose_items(shown, live, target, cdn),
        clock=opened.clock,
        progress=progress,
        process=this_process(),
        is_gone=is_surely_gone,
        spool=Path(tempfile.gettempdir()),
        before_first_write=lambda: _check_target(opened, cdn, snapshot),
    )


def _judged_nothing(prepared: Prepared) -> Decision | None:
    """Whether ours may replace what is live at all is judged first; then `stat` may have told that there is nothing to do."""
    live = prepared.snapshot.state.live_release
    if live is None:
        return None
    warnings = prepared.history.judge(live.commit)
    return nothing_to_do(prepared.snapshot, live, prepared.unchanged, warnings) if prepared.wish is None else None


def _publish(edges: Edges, prepared: Prepared, *, lock_timeout: float, wait: bool) -> Receipt:
    nothing = _judged_nothing(prepared)
    if nothing is not None:
        return settle_nothing(edges, nothing, prepared.history.commit, wait=wait)
    if prepared.wish is None:
        raise ValueError("neither a wish nor nothing to do")
    judge, permits = prepared.history.judge, prepared.request.permits
    return publish(edges, prepared.wish, judge, permits, lock_timeout=lock_timeout, wait=wait, first=prepared.snapshot)


def _account(prepared: Prepared, sight: Sight, decision: Decision, invalidated: Invalidated, requests: Requests, started: float) -> Account:
    has_distribution = sight.cdn_of(prepared.snapshot.state) is not None
    return Account(
        target=prepared.request.target.name,
        store=sight.store.describe(),
        release=None,
        commit=prepared.history.commit,
        is_dry_run=False,
        summary=decision.plan.summary,
        changes=decision.plan.changes,
        invalidation=invalidated,
        used_this_month=None,
        free_paths=prepared.request.config.invalidation.free_paths if has_distribution else None,
        requests=requests,
        warnings=prepared.warnings,
        seconds=time.monotonic() - started,
        is_free=isinstance(prepared.request.target.store, FolderAddress),
    )


def choose_items(shown: tuple[Shown, ...], live: Collection[Key], target: Target, cdn: CdnReader | None) -> InvalidationChoice:
    """Asks the distribution how it routes only where something is to be invalidated."""
    if cdn is None or not shown:
        return InvalidationChoice()
    from sitepub.core.invalidation import choose_invalidation

    routing, warnings = _ask_routing(target, cdn)
    chosen = choose_invalidation(shown, routing, live=live)
    return InvalidationChoice(chosen.items, chosen.collateral, (*warnings, *chosen.warnings))


def held_keys(decision: Decision) -> Collection[Key]:
    """Keys that edges may hold: those of the live release."""
    return decision.document.manifest.artifacts if decision.document else ()


def _ask_routing(target: Target, cdn: CdnReader) -> tuple[Routing, tuple[Warning, ...]]:
    """A distribution that can't be asked just now must not keep the site from being published: what it would have said is left out."""
    plain = Routing(url_path=target.url_path, url_style=target.url_style)
    try:
        facts = cdn.facts()
    except SitepubError as error:
        if error.code not in PASSING and not isinstance(error, StoppedError):
            raise
        message = f"{error.message}: what to invalidate is chosen by `url_style` alone, without its error pages and functions"
        return plain, (Warning("distribution-not-asked", message),)
    told = replace(plain, has_function=facts.has_function, default_root_object=facts.default_root_object, error_pages=facts.error_pages)
    return told, ()


def _foresee_requests(prepared: Prepared, decision: Decision, choice: InvalidationChoice, made: Requests) -> Requests:
    target = prepared.request.target
    swap = SWAP_IN_FOLDER if isinstance(target.state or target.store, FolderAddress) else 1
    missing = bodies_to_bring(decision.plan, decision.document.bodies if decision.document else {})
    large = sum(artifact.kind is Kind.ENTRY and artifact.size > PACK_LIMIT for artifact in missing)
    packs, invalidates = len(missing) > large, bool(choice.items)
    return foresee_requests(decision.plan, made=made, packs=packs, large_bodies=large, invalidates=invalidates, swap=swap)


def _check_target(opened: Opened, cdn: CdnReader | None, snapshot: Snapshot) -> Mapping[str, str]:
    """What is asked once, before anything is written; a first publish also tries what the target is. Returns what its state should keep."""
    opened.check_account()
    if snapshot.etag is not None:
        return {}
    if cdn is not None:
        # one that is not there would be noticed only by the first page that changes
        cdn.facts()
    opened.check_hidden()
    if opened.judges_conditions():
        return {}
    opened.look_before_writing()
    return {CONDITIONS: "ignored"}


def _weaker(opened: Opened) -> Warning:
    message = f"`{opened.store.describe()}` ignores conditional writes: a lock file guards its state, but an edit by hand at the very moment of a write is lost"
    return Warning("weaker-store", message)
