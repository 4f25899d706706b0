"""`build:` before scanning: what it prints is shown when it fails, and nothing of it reaches standard output."""

from __future__ import annotations

import os

from tests.commands.story import Story, reasons


def test_a_build_runs_first_where_sitepub_yaml_stands(story: Story) -> None:
    story.configure('build: echo talk; echo worse >&2; printf \'<p>%s %s\' "$PWD" "$WHO" > public/about.html\n')
    done = story.run("publish", "-C", "public/docs", "--json", environment={"WHO": "me"})
    assert done.json["release"]
    assert story.site()["about.html"] == f"<p>{story.root} me"
    assert "talk" not in done.err.splitlines() and "worse" not in done.err.splitlines()
    again = story.run("plan", "-v", environment={"WHO": "you"})
    assert "talk\n" in again.err and "worse\n" in again.err and "talk" not in again.out
    assert "about.html" in again.out


def test_without_build_the_source_is_taken_as_it_is(story: Story) -> None:
    story.configure("build: echo built > public/about.html\n")
    assert story.json("plan", "--no-build")["upload"]["objects"] == 8
    assert "built" not in (story.root / "public/about.html").read_text()
    story.publish("--no-build")
    assert reasons(story.publish()) == {"about.html": "put: content changed"}


def test_a_build_that_fails_stops_with_its_output_shown(story: Story) -> None:
    story.publish()
    story.configure("build: echo reading; echo 'page 7 is broken' >&2; exit 3\n")
    before = story.held()
    for command in ("plan", "publish"):
        told = story.run(command, status=4)
        assert (told.out, told.err) == (
            "",
            "building: echo reading; echo 'page 7 is broken' >&2; exit 3\nreading\npage 7 is broken\n"
            "error: `build:` ended with exit status 3: `echo reading; echo 'page 7 is broken' >&2; exit 3`\n"
            f"hint: run it by hand in `{story.root}`, or publish what is there with `--no-build`\n",
        )
    assert story.publish(status=4)["error"]["code"] == "build-failed"
    assert story.held() == before


def test_a_build_that_leaves_nothing_stops(story: Story) -> None:
    story.publish()
    before = story.held()
    story.configure("build: rm -r public\n")
    assert story.publish(status=4)["error"]["code"] == "no-source"
    assert story.held() == before


def test_quiet_says_nothing_of_a_build_that_works(story: Story) -> None:
    story.configure("build: echo talk\n")
    done = story.run("publish", "-q")
    assert (done.out, done.err) == ("", "")


def test_a_build_is_not_run_by_status(story: Story) -> None:
    story.configure("build: touch ran\n")
    story.run("status")
    assert not os.path.lexists(story.root / "ran")
