"""Makes an earlier release live again, or foresees what that would do: what `rollback` and `releases` share."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from sitepub.accounting import account_for, keep_until
from sitepub.core.cost import Requests
from sitepub.core.document import Document
from sitepub.core.model import Artifact
from sitepub.core.plan import Plan
from sitepub.core.retention import choose_release
from sitepub.core.state import Release, State
from sitepub.core.stretches import join_places
from sitepub.decision import Decision, decide
from sitepub.earlier import wish_for
from sitepub.edges import Invalidated
from sitepub.history import mark_live
from sitepub.interfaces import Body, Place, Progress
from sitepub.invalidating import foresee_invalidation
from sitepub.pipeline import rollback
from sitepub.publishing import foresee_requests_of, held_artifacts, make_chooser, make_edges
from sitepub.report_account import Account
from sitepub.request import Request
from sitepub.wiring import Opened, Sight
from sitepub.wishes import Permits


class Restored(Struct, frozen=True):
    """`release`: the earlier one whose content is (or would be) live again."""

    release: Release
    account: Account


def roll_back(
    request: Request, opened: Opened, name: str | None, progress: Progress, *, lock_timeout: float, wait: bool, started: float
) -> Restored:
    """Raises UsageError for a name that is no release or commit, RefusedError where there is nothing to go back to."""
    snapshot = opened.releases.read_state()
    release = choose_release(snapshot.state, name)
    edges = make_edges(request.target, opened, snapshot, progress, request.config.invalidation)
    receipt = rollback(edges, release, snapshot, lock_timeout=lock_timeout, wait=wait)
    made = Requests(opened.sight.requests, edges.cdn.requests if edges.cdn else 0)
    account = _account(request, opened.sight, release, snapshot.state, receipt.decision, receipt.invalidation, made, started)
    account = keep_until(account, receipt.expires_at)
    marked = mark_live(request.config, request.target, release.commit) if receipt.release is not None else ()
    return Restored(release, replace(account, release=receipt.release, warnings=(*receipt.warnings, *marked)))


def foresee_rollback(request: Request, sight: Sight, name: str | None, *, started: float) -> Restored:
    """What roll_back would do now. Writes nothing."""
    snapshot = sight.releases.read_state()
    release = choose_release(snapshot.state, name)
    wish = wish_for(sight.releases, release, snapshot, _supply_nothing)
    decision = decide(sight.store, sight.releases, snapshot, wish, Permits(shrink=True))
    cdn = sight.cdn_of(snapshot.state)
    chooser = make_chooser(request.target, request.config.invalidation, sight, cdn)
    choice = chooser.choose(decision.plan.shown, held_artifacts(decision), snapshot.state)
    invalidated = foresee_invalidation(cdn, choice, snapshot.state, chooser.rules, sight.clock.now())
    made = Requests(sight.requests, cdn.requests if cdn else 0)
    requests = foresee_requests_of(request.target, decision, choice, made, packs=False)
    requests = replace(requests, store=requests.store + _count_reads(decision.plan, sight.releases.read_document(release)))
    account = _account(request, sight, release, snapshot.state, decision, invalidated, requests, started)
    return Restored(release, replace(account, is_dry_run=True, warnings=(*decision.warnings, *choice.warnings)))


def _count_reads(plan: Plan, document: Document) -> int:
    """Requests for the bodies that are written again: neighbours in a pack are one."""
    bodies = {step.wanted.body for step in plan.steps if step.wanted is not None}
    places = {place for body, place in document.bodies.items() if body in bodies}
    joined = join_places(places)
    return len(set(joined.values())) + len(places - joined.keys())


def _supply_nothing(artifact: Artifact) -> Body | Place:
    raise ValueError(f"the body of {artifact.key} was asked for by someone who only looks")


def _account(
    request: Request,
    sight: Sight,
    release: Release,
    state: State,
    decision: Decision,
    invalidated: Invalidated,
    requests: Requests,
    started: float,
) -> Account:
    return account_for(
        request,
        sight,
        state,
        commit=release.commit,
        summary=decision.plan.summary,
        changes=decision.plan.changes,
        invalidation=invalidated,
        requests=requests,
        warnings=(),
        started=started,
    )
