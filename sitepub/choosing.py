"""Chooses what a run invalidates: asks the distribution how it routes and the account what the month has used, at once. Writes nothing there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache

from msgspec import Struct
from msgspec.structs import replace

from sitepub.core.invalidation import InvalidationPlan, choose_invalidation, fold_items, needs_invalidation
from sitepub.core.invalidation_paths import Routing, encode_path, find_stem
from sitepub.core.invalidation_words import Named
from sitepub.core.ledger import Ledger, join
from sitepub.core.model import Artifact, Key, Warning
from sitepub.core.pacing import Month, Verdict, choose_spending, drop_covered, read_month
from sitepub.core.plan import Shown
from sitepub.core.settings import Invalidation, Target
from sitepub.core.state import State
from sitepub.core.tags import OFFERED, TAG_HEADER, TRUSTED, held_tags, is_tagged, keys_by_tag, loses_tags, own_tag
from sitepub.edges import InvalidationChoice, KeptLedger, NoCopy
from sitepub.errors import RefusedError, SitepubError, StoppedError
from sitepub.gathering import start_aside
from sitepub.interfaces import CdnReader, Clock

LEAST = "least_seconds"
"""Kept in the state: how long the distribution keeps everything at least, where it says so."""

PASSING = ("unreachable",)
"""Errors that a distribution gives today and not tomorrow, beside those that stop a run."""


class Chooser(Struct, frozen=True):
    """`cdn` None: the target has no distribution, and nothing is ever invalidated. `shared`: what the account's publishers tell each other of the month."""

    target: Target
    rules: Invalidation
    cdn: CdnReader | None
    clock: Clock
    copy: KeptLedger = NoCopy()
    aside: Callable[[Callable[[], Ledger]], Callable[[], Ledger]] = start_aside
    shared: Callable[[], Ledger] = Ledger

    def choose(self, shown: tuple[Shown, ...], live: Mapping[Key, Artifact], state: State) -> InvalidationChoice:
        """Asks nobody where nothing is to be invalidated. Raises RefusedError where `when_spent: fail` says so, ConfigurationError where
        there is no such distribution."""
        least = int(state.provisioned.get(LEAST, 0))
        held = _find_held(shown, least)
        if self.cdn is None or not (held or is_tagged(shown) or loses_tags(shown)):
            return InvalidationChoice()
        counting = self.aside(lambda: self.count(state))
        routing, warnings = ask_routing(self.target, self.cdn, least_seconds=least)
        ledger = counting()
        month = self._month(ledger, state)
        facts = {} if warnings else _remember_tags(shown, state, routing, self.cdn.distribution) | _remember_least(state, routing)
        held = _find_held(shown, routing.least_seconds)
        if facts.get(TRUSTED):
            return replace(self._spend(lambda _: _evict_all(live, routing), month, ledger, warnings), facts=facts)
        if not held:
            return InvalidationChoice(facts=facts)
        is_trusted = routing.has_tags and state.provisioned.get(TRUSTED) == self.cdn.distribution
        tags = held_tags(held, live) if is_trusted else {}
        own = {key: tag for key, names in tags.items() if (tag := own_tag(key, routing.url_path)) in names}
        find_keys = cache(lambda: keys_by_tag(tags))

        def choose(most: int | None) -> InvalidationPlan:
            return choose_invalidation(held, routing, live=live, max_items=most, tags=find_keys() if most is not None else {}, own=own)

        def fold_freely() -> InvalidationPlan:
            return choose_invalidation(held, routing, live=live, tags=find_keys(), own=own, freely=True)

        return replace(self._spend(choose, month, ledger, warnings, fold_freely if live else None), facts=facts)

    def choose_named(self, named: Named, find_live: Callable[[], Sequence[str]], state: State) -> InvalidationChoice:
        """The same for items that someone named. `find_live`: raw URL paths that edges may hold, asked for only where items must be folded."""
        ledger = self.count(state)
        month = self._month(ledger, state)

        def choose(most: int | None) -> InvalidationPlan:
            folded = fold_items(named.items, find_live() if most is not None and most < len(named.items) else (), most or len(named.items))
            return InvalidationPlan(folded.items, folded.collateral)

        return self._spend(choose, month, ledger, named.warnings)

    def _month(self, ledger: Ledger, state: State) -> Month:
        return read_month(ledger, self.rules.free_paths, self.clock.now(), reserved=len(drop_covered(_promised(state))))

    def _spend(
        self,
        choose: Callable[[int | None], InvalidationPlan],
        month: Month,
        ledger: Ledger,
        warnings: tuple[Warning, ...],
        fold_freely: Callable[[], InvalidationPlan] | None = None,
    ) -> InvalidationChoice:
        spending = choose_spending(choose, month, self.rules.when_spent, fold_freely=fold_freely)
        if spending.verdict is Verdict.REFUSE:
            hint = (
                "`invalidation.when_spent` of sitepub.yaml can fold, owe or pay; a shorter `s-maxage` in `cache.entries` needs fewer paths"
            )
            raise RefusedError("quota-spent", f"{spending.reason}, and `when_spent: fail` refuses to go on then", hint)
        plan = spending.plan
        return InvalidationChoice(
            items=plan.items,
            collateral=plan.collateral,
            warnings=(*warnings, *plan.warnings),
            ledger=ledger,
            folds=plan.folds,
            price=spending.price,
            reason=spending.reason,
        )

    def count(self, state: State) -> Ledger:
        """What is known of the month: as AWS tells, else what was last known and our own."""
        known = join(state.ledger, self.copy.read())
        if self.cdn is None:
            return known
        known = join(known, self.shared())
        try:
            counted = self.cdn.count_month(known)
        except SitepubError:  # it is known only less well than it could be; whoever may not ask at all is told by `doctor`
            counted = None
        if counted is not None:
            self.copy.keep(counted)
        return counted or known


def _remember_tags(shown: Iterable[Shown], state: State, routing: Routing, distribution: str) -> dict[str, str]:
    """What the state should keep. Copies that were stored before tags were there carry none, so their first use needs one whole invalidation."""
    kept = {OFFERED: distribution if routing.has_tags else ""}
    shown = tuple(shown)
    if not routing.has_tags or loses_tags(shown):
        kept[TRUSTED] = ""
    elif is_tagged(shown) and state.provisioned.get(TRUSTED) != distribution:
        kept[TRUSTED] = distribution
    return kept


def _find_held(shown: Iterable[Shown], least_seconds: int) -> tuple[Shown, ...]:
    return tuple(seen for seen in shown if needs_invalidation(seen, least_seconds))


def _remember_least(state: State, routing: Routing) -> dict[str, str]:
    """Runs that have nothing to invalidate by their headers ask nobody: they know it from here."""
    return {LEAST: str(routing.least_seconds)} if routing.least_seconds or state.provisioned.get(LEAST) else {}


def _evict_all(live: Mapping[Key, Artifact], routing: Routing) -> InvalidationPlan:
    message = "cache tags are switched on: all is invalidated once, as what edges hold already carries none"
    stem = find_stem(routing.url_path)
    item = f"{encode_path(routing.url_path if stem is None else stem)}*"
    return InvalidationPlan((item,), float(len(live)), (Warning("cache-tags-switched-on", message),))


def is_passing(error: SitepubError) -> bool:
    """A distribution that can't be asked just now, though it may well be there."""
    return error.code in PASSING or isinstance(error, StoppedError)


def _promised(state: State) -> Iterable[str]:
    """What is owed, or will be by a run that is not finished."""
    for debt in state.owed:
        yield from debt.items
    yield from state.pending.owes if state.pending else ()
    yield from state.collect.owes if state.collect else ()


def ask_routing(target: Target, cdn: CdnReader, *, least_seconds: int = 0) -> tuple[Routing, tuple[Warning, ...]]:
    """`least_seconds`: as far as it is known already. A distribution that can't be asked just now must not keep the site from being published: what it would have said is left out."""
    plain = Routing(url_path=target.url_path, url_style=target.url_style, least_seconds=least_seconds)
    try:
        facts = cdn.facts()
    except SitepubError as error:
        if not is_passing(error):
            raise
        message = f"{error.message}: what to invalidate is chosen by `url_style` alone, without its error pages and functions"
        return plain, (Warning("distribution-not-asked", message),)
    told = replace(plain, has_function=facts.has_function, default_root_object=facts.default_root_object, error_pages=facts.error_pages)
    told = replace(told, has_tags=facts.tag_header == TAG_HEADER, least_seconds=facts.least_seconds or 0)
    return told, ()
