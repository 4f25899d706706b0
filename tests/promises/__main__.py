"""`python -m tests.promises [PROGRAMS]`: the numbers of docs/reliability.md."""

from __future__ import annotations

import sys
from collections import Counter

from hypothesis import Phase, given, seed, settings

from tests.promises.programs import SOLO_STEPS, STEPS, Race, Run
from tests.promises.test_each_request import BESIDE, FIRST, FIRSTS, RUNS, SECOND, THIRD, race_at_each, stop_at_each
from tests.promises.test_random import FEW, Program, play, programs


def count_random(most: int) -> Counter[str]:
    counted: Counter[str] = Counter()

    @seed(1)
    @settings(FEW, max_examples=most, phases=[Phase.generate], database=None)
    @given(programs(SOLO_STEPS, 8) | programs(STEPS, 6))
    def count(program: Program) -> None:
        web = play(program)
        runs = [run for step in program.steps for run in (step.runs if isinstance(step, Race) else [step]) if isinstance(run, Run)]
        counted.update(
            {
                "random programs": 1,
                "runs in them": len(runs) + 2,
                "faults injected": sum(run.fault is not None for run in runs),
                "races": sum(isinstance(step, Race) for step in program.steps),
                "requests": web.requests,
                "moments at which visitors came": web.visitors.moments,
                "assets that they loaded": web.visitors.loads,
            }
        )

    count()
    return counted


def count_directed() -> Counter[str]:
    counted: Counter[str] = Counter()
    for run in RUNS:
        for kind in ("crash", "crash late", "stop", "stop late", "lost", "freeze", "edit"):
            for last in (FIRST, SECOND, THIRD):
                counted["runs stopped at one of their requests, in one of seven ways"] += stop_at_each(run, kind, last)
    for first in FIRSTS:
        for second in BESIDE:
            counted["moments at which another run came between"] += race_at_each(first, second, every=1)
    return counted


if __name__ == "__main__":
    for name, number in (count_random(int(sys.argv[1]) if sys.argv[1:] else 1000) + count_directed()).items():
        print(f"{number:>9,}  {name}")
