"""The page that `--html` writes beside what a command says."""

from __future__ import annotations

from tests.commands.story import Story


def test_plan_and_publish_write_it(story: Story) -> None:
    assert story.run("plan", "--html", "plan.html").err.endswith("wrote `plan.html`\n")
    text = (story.root / "plan.html").read_text("utf-8")
    assert "<h1>Plan for there</h1>" in text and "css" in text
    assert "app.css: who refers to it (left), what it refers to (right)" in text
    assert story.run("publish", "--html", "nosuch/page.html", status=4).err.startswith("error: `nosuch/page.html` has no folder")
    assert story.run().out.count("live: nothing yet"), "nothing was published without it"
    release = story.run("publish", "--html", "done.html", "--json").json["release"]
    assert f"release {release}" in (story.root / "done.html").read_text("utf-8")
    story.run("plan", "--html", "again.html")
    assert "Nothing to publish." in (story.root / "again.html").read_text("utf-8")
