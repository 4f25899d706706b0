"""A run that has nothing to do and nothing to settle: most runs of a hook or a clock. What plans and writes is not even imported for it."""

from __future__ import annotations

from sitepub.accounting import account_for, keep_until
from sitepub.core.changes import Summary
from sitepub.core.cost import Requests
from sitepub.core.previews import expires_at, is_put_off
from sitepub.edges import CONDITIONS, Invalidated
from sitepub.preparing import Prepared
from sitepub.report_account import Account
from sitepub.wiring import Sight


def account_of_nothing(prepared: Prepared, sight: Sight, *, started: float, is_dry_run: bool = False) -> Account | None:
    """Where `stat` says that the source is what is live, and the state that nothing is left to do. None: there is, or there may be. Raises HeldError
    or RefusedError where ours may not replace what is live at all."""
    state, commit = prepared.snapshot.state, prepared.history.commit
    live = state.live_release
    is_settled = state.pending is None and state.collect is None and not state.owed and CONDITIONS not in state.provisioned
    if prepared.wish is not None or live is None or not is_settled or commit not in (None, live.commit):
        return None
    if not is_put_off(state.expires_at, expires_at(prepared.request.target, sight.clock.now())):
        return None
    account = account_for(
        prepared.request,
        sight,
        state,
        commit=commit,
        summary=Summary(unchanged=prepared.unchanged),
        changes=(),
        invalidation=Invalidated(),
        requests=Requests(sight.requests, 0),
        warnings=(*prepared.warnings, *prepared.history.judge(live.commit)),
        started=started,
        is_dry_run=is_dry_run,
    )
    return keep_until(account, state.expires_at)
