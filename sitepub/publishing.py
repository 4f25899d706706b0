"""Carries a prepared site to its target, or foresees what that would do, and accounts for it. `plan` and `publish` are its users."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from sitepub.accounting import account_for, keep_until
from sitepub.choosing import Chooser
from sitepub.core.cost import Requests, foresee_requests
from sitepub.core.ledger import Ledger
from sitepub.core.model import Artifact, Key, Warning
from sitepub.core.pacing import Month
from sitepub.core.plan import bodies_to_bring, is_large
from sitepub.core.previews import expires_at
from sitepub.core.settings import FolderAddress, Invalidation, Target
from sitepub.decision import Decision, decide, nothing_to_do
from sitepub.edges import CONDITIONS, Edges, Invalidated, InvalidationChoice, never_bare, never_hold
from sitepub.gathering import start_aside
from sitepub.history import mark_live
from sitepub.interfaces import CdnReader, Progress
from sitepub.invalidating import foresee_invalidation
from sitepub.local.process import is_surely_gone, this_process
from sitepub.pipeline import Receipt, publish, settle_nothing
from sitepub.preparing import Prepared
from sitepub.releases import Snapshot
from sitepub.report_account import Account
from sitepub.trying import Trial, make_check
from sitepub.wiring import Opened, Sight

RESERVING = 4
"""Requests that reserving paths in a shared ledger takes, and telling it what was sent: each reads and writes."""

SWAP_IN_FOLDER = 3
"""Writes that a swap of the state takes where a lock file makes look and write one step."""


def foresee(prepared: Prepared, sight: Sight, *, started: float) -> Account:
    """What `carry_out` would do now. Writes nothing: the edges it is given can't."""
    state = prepared.snapshot.state
    decision, told = _judged_nothing(prepared)
    if decision is None and prepared.wish is not None:
        decision = decide(sight.store, sight.releases, prepared.snapshot, prepared.wish, prepared.request.permits)
    if decision is None:
        raise ValueError("neither a wish nor nothing to do")
    cdn = sight.cdn_of(state)
    chooser = make_chooser(prepared.request.target, prepared.request.config.invalidation, sight, cdn)
    choice = chooser.choose(decision.plan.shown, held_artifacts(decision), state)
    made = Requests(sight.requests, cdn.requests if cdn else 0)
    invalidated = foresee_invalidation(cdn, choice, state, chooser.rules, sight.clock.now())
    requests = foresee_requests_of(prepared.request.target, decision, choice, made)
    account = _account(prepared, sight, decision, invalidated, requests, started)
    return replace(account, is_dry_run=True, warnings=(*account.warnings, *told, *decision.warnings, *choice.warnings))


def carry_out(
    prepared: Prepared,
    opened: Opened,
    progress: Progress,
    *,
    lock_timeout: float,
    wait: bool,
    started: float,
    hold: Callable[[Month], str] = never_hold,
) -> Account:
    """Publishes, and accounts for what was done. `hold`: why the invalidation is owed for now, '' where it is sent."""
    target, rules = prepared.request.target, prepared.request.config.invalidation
    edges = make_edges(target, opened, prepared.snapshot, progress, rules, prepared.trial)
    edges = replace(edges, hold=hold)
    receipt = _publish(edges, prepared, lock_timeout=lock_timeout, wait=wait)
    made = Requests(opened.sight.requests, edges.cdn.requests if edges.cdn else 0)
    account = _account(prepared, opened.sight, receipt.decision, receipt.invalidation, made, started)
    if not opened.store.is_conditional and opened.store.keeps_headers:
        receipt = replace(receipt, warnings=(*receipt.warnings, _weaker(opened)))
    account = replace(account, at_once=opened.pace.limit if receipt.release is not None and opened.store.keeps_headers else None)
    marked = mark_live(prepared.request.config, prepared.request.target, account.commit) if _has_moved(prepared, receipt) else ()
    account = keep_until(account, receipt.expires_at)
    return replace(account, release=receipt.release, warnings=(*account.warnings, *receipt.warnings, *marked))


def _has_moved(prepared: Prepared, receipt: Receipt) -> bool:
    """Whether another release or commit is live than before."""
    before = prepared.snapshot.state.live_release
    return receipt.release is not None or before is None or before.commit != prepared.history.commit


def make_chooser(target: Target, rules: Invalidation, sight: Sight, cdn: CdnReader | None) -> Chooser:
    shared = sight.shared.read if sight.shared is not None else Ledger
    return Chooser(target, rules, cdn, sight.clock, sight.ledger, shared=shared)


def make_edges(
    target: Target, opened: Opened, snapshot: Snapshot, progress: Progress, rules: Invalidation | None = None, trial: Trial | None = None
) -> Edges:
    """The edges of a run that writes to this target, whose state is `snapshot`. `rules`: what may be spent of the month's paths; `trial`: of the
    target, where one was begun."""
    if snapshot.state.provisioned.get(CONDITIONS) == "ignored":
        opened.look_before_writing()
    cdn = trial.cdn if trial is not None else opened.cdn_of(snapshot.state)
    chooser = make_chooser(target, rules or Invalidation(), opened.sight, cdn)
    return Edges(
        store=opened.store,
        records=opened.records,
        releases=opened.releases,
        cdn=cdn,
        choose=lambda shown, live, state: start_aside(lambda: chooser.choose(shown, live, state)),
        clock=opened.clock,
        progress=progress,
        process=this_process(),
        pace=opened.pace,
        is_gone=is_surely_gone,
        before_first_write=trial.check if trial is not None else make_check(opened, cdn, snapshot),
        is_bare=trial.is_bare if trial is not None else never_bare,
        count_month=chooser.count,
        rules=chooser.rules,
        url_path=target.url_path,
        shared=opened.shared,
        expires_at=lambda: expires_at(target, opened.clock.now()),
    )


def _judged_nothing(prepared: Prepared) -> tuple[Decision | None, tuple[Warning, ...]]:
    """Whether ours may replace what is live at all is judged first, with what there is to tell of that; then `stat` may have told that there
    is nothing to do."""
    live = prepared.snapshot.state.live_release
    if live is None:
        return None, ()
    told = prepared.history.judge(live.commit)
    return nothing_to_do(prepared.snapshot, live, prepared.unchanged) if prepared.wish is None else None, told


def _publish(edges: Edges, prepared: Prepared, *, lock_timeout: float, wait: bool) -> Receipt:
    nothing, told = _judged_nothing(prepared)
    if nothing is not None:
        receipt = settle_nothing(edges, nothing, prepared.history.commit, wait=wait)
        return replace(receipt, warnings=(*told, *receipt.warnings))
    if prepared.wish is None:
        raise ValueError("neither a wish nor nothing to do")
    judge, permits = prepared.history.judge, prepared.request.permits
    receipt = publish(edges, prepared.wish, judge, permits, lock_timeout=lock_timeout, wait=wait, first=prepared.snapshot)
    return replace(receipt, warnings=(*told, *receipt.warnings))


def _account(prepared: Prepared, sight: Sight, decision: Decision, invalidated: Invalidated, requests: Requests, started: float) -> Account:
    return account_for(
        prepared.request,
        sight,
        prepared.snapshot.state,
        commit=prepared.history.commit,
        summary=decision.plan.summary,
        changes=decision.plan.changes,
        invalidation=invalidated,
        requests=requests,
        warnings=prepared.warnings,
        started=started,
    )


def held_artifacts(decision: Decision) -> Mapping[Key, Artifact]:
    """What edges may hold: all of the live release."""
    return decision.document.manifest.artifacts if decision.document else {}


def foresee_requests_of(target: Target, decision: Decision, choice: InvalidationChoice, made: Requests, *, packs: bool = True) -> Requests:
    """What carrying this out takes in all, `made` already being made. `packs`: what the target does not keep is packed; a rollback finds it."""
    swap = SWAP_IN_FOLDER if isinstance(target.state or target.store, FolderAddress) else 1
    missing = bodies_to_bring(decision.plan, decision.document.bodies if decision.document else {})
    large = sum(is_large(artifact) for artifact in missing)
    packs, invalidates = packs and len(missing) > large, bool(choice.items)
    if target.ledger is not None and invalidates:
        made = replace(made, store=made.store + RESERVING)
    return foresee_requests(decision.plan, made=made, packs=packs, large_bodies=large, invalidates=invalidates, swap=swap)


def _weaker(opened: Opened) -> Warning:
    message = f"`{opened.store.describe()}` ignores conditional writes: a lock file guards its state, but an edit by hand at the very moment of a write is lost"
    return Warning("weaker-store", message)
