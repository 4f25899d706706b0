"""What may be stopped half-way, and what may be done next: both on a Ground, both by the real pipeline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sitepub.edges import Edges
from tests.fire.ground import DAY, Ground


@dataclass(frozen=True, slots=True)
class Action:
    """`follow`: what is done after it was stopped, each with the version that is live then."""

    prepare: Callable[[Ground], None]
    act: Callable[[Ground, Edges], object]
    follow: dict[str, tuple[Callable[[Ground], object], int]]

    def check_end(self, ground: Ground, name: str) -> None:
        ground.check_is(ground.version(self.follow[name][1]))


def publish_all(*numbers: int) -> Callable[[Ground], None]:
    """Each a day after the one before."""

    def prepare(ground: Ground) -> None:
        for number in numbers:
            ground.publish(number)
            ground.shift += DAY

    return prepare


def go_back(ground: Ground, number: int, edges: Edges | None = None) -> None:
    edges = edges or ground.edges()
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
        act=lambda ground, edges: ground.publish_with(edges, 1),
        follow={"same": (lambda ground: ground.publish(1), 1), "other": (lambda ground: ground.publish(2), 2)},
    ),
    "publish": Action(
        prepare=publish_all(1),
        act=lambda ground, edges: ground.publish_with(edges, 2),
        follow={
            "same": (lambda ground: ground.publish(2), 2),
            "other": (lambda ground: ground.publish(3), 3),
            "back": (lambda ground: go_back(ground, 1), 1),
        },
    ),
    "rollback": Action(
        prepare=publish_all(1, 2),
        act=lambda ground, edges: go_back(ground, 1, edges),
        follow={
            "same": (lambda ground: go_back(ground, 1), 1),
            "other": (lambda ground: ground.publish(3), 3),
            "back": (lambda ground: ground.publish(2), 2),
        },
    ),
    "gc": Action(
        prepare=publish_all(1, 2, 3, 4),
        act=lambda ground, edges: ground.collect(edges),
        follow={
            "same": (collect_all, 4),
            "other": (lambda ground: publish_after_gc(ground, 1), 1),
            "back": (lambda ground: go_back(ground, 3), 3),
        },
    ),
}
