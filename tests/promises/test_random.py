"""Promises 1, 2, 3 and 5 against random programs, with visitors at every request."""

from __future__ import annotations

import random
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sitepub.core.cutting import Cutting
from sitepub.core.settings import Invalidation, Retention
from tests.promises.programs import QUOTAS, RETENTIONS, SITES, SOLO_STEPS, STEPS, Player, Step
from tests.support.builders import AMENDING, IN_SHARDS, WHOLE
from tests.support.small_sites import SmallSite
from tests.support.turns import in_order
from tests.support.web import Web, small_is_large

FEW = settings(max_examples=100, deadline=None, print_blob=True, suppress_health_check=list(HealthCheck))
MANY = settings(FEW, max_examples=3000)


@dataclass(frozen=True)
class Program:
    """`first` is live before the steps, `last` is published after them; `collects`: then all that is needless is collected."""

    first: SmallSite
    steps: list[Step]
    last: SmallSite
    seed: int
    retention: Retention
    has_function: bool
    has_tags: bool
    free_paths: int
    collects: bool
    cutting: Cutting


def programs(steps: st.SearchStrategy[Step], most: int) -> st.SearchStrategy[Program]:
    return st.builds(
        Program,
        SITES,
        st.lists(steps, max_size=most),
        SITES,
        st.integers(0, 99),
        RETENTIONS,
        has_function=st.booleans(),
        has_tags=st.booleans(),
        free_paths=QUOTAS,
        collects=st.booleans(),
        cutting=st.sampled_from([WHOLE, IN_SHARDS, AMENDING]),
    )


def play(program: Program) -> Web:
    chance = random.Random(program.seed)
    web = Web(
        chance=chance,
        retention=program.retention,
        has_function=program.has_function,
        has_tags=program.has_tags,
        rules=Invalidation(free_paths=program.free_paths),
        cutting=program.cutting,
    )
    with small_is_large(), in_order(chance):
        player = Player(web)
        web.publish(program.first, 0)
        player.play(program.steps)
        player.finish(program.last, collects=program.collects)
    return web


@FEW
@given(programs(SOLO_STEPS, 7))
def test_one_run_after_the_other_stopped_anywhere(program: Program) -> None:
    play(program)


@FEW
@given(programs(STEPS, 5))
def test_several_runs_at_once(program: Program) -> None:
    play(program)


@pytest.mark.slow
@MANY
@given(programs(SOLO_STEPS, 10))
def test_one_run_after_the_other_many_times(program: Program) -> None:
    play(program)


@pytest.mark.slow
@MANY
@given(programs(STEPS, 8))
def test_several_runs_at_once_many_times(program: Program) -> None:
    play(program)
