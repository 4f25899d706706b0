"""`sitepub rollback`: what it would do is told as what it does."""

from __future__ import annotations

from tests.commands.story import Story


def test_a_rollback_that_is_only_shown_tells_the_requests_of_a_real_one(any_story: Story) -> None:
    pages = {f"page-{number}.html": f"<p>{number}" for number in range(40)}
    any_story.write(pages)
    any_story.publish()
    any_story.write({name: f"{body} changed" for name, body in pages.items()})
    any_story.publish()
    dry = any_story.json("rollback", "--dry-run")
    done = any_story.json("rollback")
    assert len(dry["changes"]) == len(done["changes"]) == 40
    assert dry["requests"]["store"] == done["requests"]["store"]
