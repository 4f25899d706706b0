"""What may be stopped half-way, and what may be done next: both on a Ground, both by the real pipeline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.fire import adopting
from tests.fire.ground import DAY, SURE, Ground, Reach


@dataclass(frozen=True, slots=True)
class Action:
    """`follow`: what is done after it was stopped, each with the version that is live then, or with a check of its own."""

    prepare: Callable[[Ground], None]
    act: Callable[[Ground, Reach], object]
    follow: dict[str, tuple[Callable[[Ground], object], int | Callable[[Ground], None]]]
    check_always: Callable[[Ground], None] = lambda ground: None

    def check_end(self, ground: Ground, name: str) -> None:
        end = self.follow[name][1]
        if isinstance(end, int):
            ground.check_is(ground.version(end))
        else:
            end(ground)
        self.check_always(ground)


def publish_all(*numbers: int) -> Callable[[Ground], None]:
    """Each a day after the one before."""

    def prepare(ground: Ground) -> None:
        for number in numbers:
            ground.publish(number)
            ground.shift += DAY

    return prepare


def go_back(ground: Ground, number: int, reach: Reach = SURE) -> None:
    edges = ground.edges(reach)
    release = next(one for one in edges.releases.read_state().state.releases if one.commit and one.commit.subject == f"version {number}")
    ground.roll_back(edges, release.id)


def collect_all(ground: Ground) -> None:
    """Stable keys and what they load go in two runs."""
    for _ in range(3):
        if not ground.collect(ground.edges()).sweep.doomed:
            return
    raise AssertionError("`gc` does not come to an end")


def publish_after_gc(ground: Ground, number: int) -> None:
    """A `gc` after that has something to do, and does it."""
    ground.publish(number)
    ground.shift += DAY
    collect_all(ground)


ACTIONS = {
    "first publish": Action(
        prepare=lambda ground: None,
        act=lambda ground, reach: ground.publish_with(ground.edges(reach), 1),
        follow={"same": (lambda ground: ground.publish(1), 1), "other": (lambda ground: ground.publish(2), 2)},
    ),
    "publish": Action(
        prepare=publish_all(1),
        act=lambda ground, reach: ground.publish_with(ground.edges(reach), 2),
        follow={
            "same": (lambda ground: ground.publish(2), 2),
            "other": (lambda ground: ground.publish(3), 3),
            "back": (lambda ground: go_back(ground, 1), 1),
        },
    ),
    "rollback": Action(
        prepare=publish_all(1, 2),
        act=lambda ground, reach: go_back(ground, 1, reach),
        follow={
            "same": (lambda ground: go_back(ground, 1), 1),
            "other": (lambda ground: ground.publish(3), 3),
            "back": (lambda ground: ground.publish(2), 2),
        },
    ),
    "gc": Action(
        prepare=publish_all(1, 2, 3, 4),
        act=lambda ground, reach: ground.collect(ground.edges(reach)),
        follow={
            "same": (collect_all, 4),
            "other": (lambda ground: publish_after_gc(ground, 1), 1),
            "back": (lambda ground: go_back(ground, 3), 3),
        },
    ),
    "adopt": Action(
        prepare=adopting.fill,
        act=adopting.adopt_with,
        follow={
            "same": (adopting.adopt_again, adopting.VERSION),
            "other": (lambda ground: adopting.publish_over(ground, 2), 2),
            "back": (adopting.bring_back, adopting.check_brought_back),
        },
        check_always=adopting.check_foreign,
    ),
}
