"""`sitepub gc` as people and scripts meet it: its plan with a reason for each key, what it asks, and what it pays."""

from __future__ import annotations

import re

from tests.commands.spoiling import run_on_terminal
from tests.commands.story import SITE, Story
from tests.fire.test_races import WITHOUT_GRACE

KEEP_ONE = "retention: {releases: 1, days: 0}\n"
IDS = re.compile(r"\b[0-9a-f]{12,64}\b|\b\d{8}T\d{6}Z-[0-9a-f]{8}\b")


def publish_thrice(story: Story) -> None:
    """Each time with another stylesheet; the page that only the first one had is not its business: promote has deleted it."""
    for number in range(3):
        story.write({"app.css": f"a{{margin:{number}px}}", "index.html": f"{SITE['index.html']}<p>{number}"})
        story.publish()
    story.configure(KEEP_ONE)


def test_each_key_has_its_reason(story: Story) -> None:
    publish_thrice(story)
    before = story.held()
    told = story.run("gc", "--dry-run", "-v", launcher=WITHOUT_GRACE).out
    assert re.sub(r"[\d.]+ K?B", "SIZE", IDS.sub("ID", told)).splitlines() == [
        "keeps 1 release",
        "  ID  live",
        "would delete 5 objects, SIZE",
        "  - app.ID.css  no kept release has it  SIZE",
        "  - app.ID.css  no kept release has it  SIZE",
        "  - .sitepub/packs/ID  no kept release has bodies in it  SIZE",
        "  - .sitepub/releases/ID  beyond what retention keeps  SIZE",
        "  - .sitepub/releases/ID  beyond what retention keeps  SIZE",
    ]
    assert story.held() == before
    planned = story.json("gc", "--dry-run", launcher=WITHOUT_GRACE)
    done = story.json("gc", "--yes", launcher=WITHOUT_GRACE)
    assert done["deleted"] == planned["deleted"]
    assert {each["key"] for each in done["deleted"]} == before.keys() - story.held().keys()
    assert story.json("verify")["findings"] == []
    assert story.run("rollback", status=1).err.startswith("error: there is no earlier release")


def test_it_asks_first(story: Story) -> None:
    publish_thrice(story)
    before = story.held()
    assert "`--yes`" in story.run("gc", status=2, launcher=WITHOUT_GRACE).err
    assert run_on_terminal(story, "gc", answer="no").status == 0, "within a day nothing may go, so nothing is asked"
    assert story.held() == before


def test_what_is_owed_is_sent_though_there_is_nothing_to_delete(cloud_story: Story) -> None:
    cloud_story.publish()
    cloud_story.write({"about.html": "<p>changed"})
    cloud_story.configure("invalidation: {free_paths: 0, when_spent: defer}\n")
    assert cloud_story.publish(status=8)["invalidation"]["state"] == "owed"
    assert cloud_story.json("gc", status=8)["invalidation"]["state"] == "owed"
    cloud_story.configure()
    planned = cloud_story.json("gc", "--dry-run")["invalidation"]
    assert (planned["state"], planned["items"]) == ("none", ["/about.html"])
    assert "would invalidate 1 path (/about.html), 0 of 1,000 this month" in cloud_story.run("gc", "--dry-run").out
    assert cloud_story.json("status")["owed"] == ["/about.html"]
    assert "1 path (/about.html)" in cloud_story.run("gc").out
    assert cloud_story.json("status")["owed"] == []


def test_a_path_and_a_preview_are_two_things(story: Story) -> None:
    story.publish()
    before = story.held()
    done = story.run("gc", "--forget", "about.html", "--preview", "draft", "--yes", status=2)
    assert done.err.startswith("error: `--forget` and `--preview` exclude each other\n")
    assert story.held() == before
