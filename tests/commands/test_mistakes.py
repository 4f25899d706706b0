"""Every mistake of the table is told as the table says: with a code that docs/errors.md has, what is wrong and where, and the way out."""

from __future__ import annotations

import re
import shlex
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.commands.mistakes import MISTAKES, Mistake, target
from tests.commands.story import Story
from tests.commands.test_bad_target import refusing

ERRORS = (Path(__file__).resolve().parents[2] / "docs/errors.md").read_text("utf-8")


def test_there_are_more_than_fifty_and_no_two_alike() -> None:
    assert len(MISTAKES) > 50
    assert len({mistake.what for mistake in MISTAKES}) == len(MISTAKES)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.what)
def test_a_mistake_is_told_with_the_way_out(mistake: Mistake, story: Story) -> None:
    with ExitStack() as stack:
        if mistake.refusal is not None:
            url = stack.enter_context(refusing(*mistake.refusal))
            story.environment = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"}
            target(f"store: s3://www-example-com\nendpoint_url: {url}\nregion: eu-central-1")(story)
        mistake.make(story)
        told = story.run(
            *shlex.split(mistake.words), "--json", status=mistake.status, environment={"GIT_CEILING_DIRECTORIES": str(story.root.parent)}
        )
    error = {name: value.replace(str(story.root), "…") for name, value in told.json["error"].items()}
    assert error["code"] == mistake.code
    assert error["message"].startswith(mistake.says), error["message"]
    assert error["hint"] == mistake.way_out
    assert f"| `{mistake.code}` |" in ERRORS
    assert error["hint"] or re.search(r"(?:sitepub\.yaml|other\.yaml):\d+|line \d+", error["message"]), "neither a way out nor a line"
    assert "defect" not in told.err and "Traceback" not in told.err
    assert len(error["message"].splitlines()[0]) < 300
