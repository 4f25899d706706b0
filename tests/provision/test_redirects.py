"""Redirects that find no room in the edge function are told of before anything is made."""

from __future__ import annotations

from msgspec.structs import replace

from sitepub.core.provision.found import Kind
from sitepub.core.provision.planning import Act, Step
from tests.provision.world import World


def told(world: World) -> list[Step]:
    return [step for step in world.foresee().steps if step.kind is Kind.FUNCTION]


def test_what_finds_no_room_is_told_before_anything_is_made() -> None:
    world = World()
    assert [step.act for step in told(world)] == [Act.CREATE]
    world.blueprint = replace(world.blueprint, left_out=("/a/", "/b/", "/c/"))
    made, left = told(world)
    assert (made.act, left.act, left.name) == (Act.CREATE, Act.SKIP, "3 of its redirects")
    assert "`/a/` and 2 more" in left.reason and "10,000 bytes" in left.reason and "a page redirects" in left.reason
    world.up()
    assert [step.act for step in told(world)] == [Act.LEAVE, Act.SKIP]
    assert world.foresee().is_nothing
