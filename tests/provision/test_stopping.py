"""`up` and `down` stopped before and after every single call, at AWS and in the target's state: run again, the result is the same, nothing is left."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from sitepub.core.model import Digest, Key
from sitepub.interfaces import Absent
from tests.provision.world import World


class Stopped(BaseException):
    """As Ctrl-C, or the end of the machine."""


@dataclass(slots=True)
class Stop:
    """Raises at one call, counted from when it is set; an `after` one was made, and its answer is lost."""

    number: int
    is_after: bool
    seen: int = 0

    def __call__(self, operation: str, is_done: bool) -> None:
        self.seen += is_done == self.is_after
        if self.seen == self.number and is_done == self.is_after:
            self.number = -1
            raise Stopped(operation)


def what_stands(world: World) -> str:
    """Everything, with ids and versions written alike."""
    aws = world.aws
    (distribution,) = aws.distributions.values()
    seen = {
        **aws.everything(),
        "config": distribution.config,
        "tags": distribution.tags,
        "live": [each.live for each in aws.functions.values()],
        "settings": [each.settings for each in aws.buckets.values()],
        "bucket tags": [each.tags for each in aws.buckets.values()],
    }
    ids = itertools.count()
    names: dict[str, str] = {}
    text = json.dumps(seen, default=str, sort_keys=True)
    text = re.sub(r"(sitepub-[a-z-]+-[0-9a-f]{10})-n\d+", r"\1-REFERENCE", text)
    return re.sub(r"\b[EPTc]\d{6}\b", lambda found: names.setdefault(found[0], f"id{next(ids)}"), text)


def stop(world: World, number: int, is_after: bool, run: Callable[[], object]) -> bool:
    """False where the run makes fewer calls than that."""
    world.aws.around = Stop(number, is_after)
    try:
        run()
    except Stopped:
        return True
    return False


def count_calls(run: str, **asked: bool) -> int:
    world = World()
    if run == "down":
        world.up()
        publish_something(world)
        before = len(world.aws.calls)
        world.down(**asked)
        return len(world.aws.calls) - before
    world.up()
    return len(world.aws.calls)


def publish_something(world: World) -> None:
    body = b"<p>here"
    store = world.aws.store(world.blueprint.bucket, world.blueprint.prefix)
    store.put(Key("index.html"), body, (), digest=Digest(hashlib.sha256(body).hexdigest()), expect=Absent())


WANTED = (lambda world: (world.up(), what_stands(world))[1])(World())
UP, DOWN = count_calls("up"), count_calls("down", deletes_content=True)


def test_there_is_something_to_stop() -> None:
    assert UP > 80 and DOWN > 50


@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
def test_up_stopped_at_any_call_goes_on(is_after: bool) -> None:
    for number in itertools.count(1):
        world = World()
        if not stop(world, number, is_after, world.up):
            break
        world.up()
        assert what_stands(world) == WANTED, number
        assert world.foresee().is_nothing, number
        world.down()
        assert not any(world.aws.everything().values()), number
    assert number > UP / 2


@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
def test_up_stopped_at_any_call_can_be_taken_down(is_after: bool) -> None:
    for number in itertools.count(1):
        world = World()
        if not stop(world, number, is_after, world.up):
            break
        world.down()
        assert not any(world.aws.everything().values()), (number, world.aws.everything())
    assert number > UP / 2


@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
def test_down_stopped_at_any_call_goes_on(is_after: bool) -> None:
    for number in itertools.count(1):
        world = World()
        world.up()
        publish_something(world)
        if not stop(world, number, is_after, lambda world=world: world.down(deletes_content=True)):  # type: ignore[misc]
            break
        world.down(deletes_content=True)
        assert not any(world.aws.everything().values()), (number, world.aws.everything())
    assert number > DOWN / 2


@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
def test_down_stopped_at_any_call_can_be_raised_up_again(is_after: bool) -> None:
    for number in itertools.count(1, 3):
        world = World()
        world.up()
        publish_something(world)
        if not stop(world, number, is_after, lambda world=world: world.down(deletes_content=True)):  # type: ignore[misc]
            break
        world.up()
        assert world.foresee().is_nothing, number
        assert len(world.aws.distributions) == len(world.aws.certificates) == 1
        world.down(deletes_content=True)
        assert not any(world.aws.everything().values()), number


def test_two_at_once_make_one_of_each() -> None:
    """Each call of one is followed by a whole run of the other, once."""
    for number in range(1, UP + 1, 7):
        world = World()

        def other(operation: str, is_done: bool, world: World = world, number: int = number) -> None:
            if is_done and len(world.aws.calls) == number:
                world.aws.around = None
                world.up()

        world.aws.around = other
        world.up()
        assert what_stands(world) == WANTED, number
