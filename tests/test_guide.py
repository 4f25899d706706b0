"""Every command in the tutorial and the guides, run as they stand there; what a page says that a command prints is compared."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.console import Typed, is_told, perform, read_page
from tests.support.ministack_server import MiniStack

REPOSITORY = Path(__file__).resolve().parents[1]
GUIDES = sorted((REPOSITORY / "docs/guide").glob("*.md"))

NEEDS_AWS = "up"
"""The page whose commands need an account, with a zone for `example.com`."""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """`sitepub` on the path is the one of these sources."""
    program = tmp_path / "bin/sitepub"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m sitepub "$@"\n')
    program.chmod(0o755)
    return {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}", "PYTHONPATH": str(REPOSITORY)}


@pytest.fixture
def folder(tmp_path: Path, environment: dict[str, str]) -> Path:
    made = tmp_path / "site"
    shutil.copytree(REPOSITORY / "examples/site", made, ignore=shutil.ignore_patterns("_published"))
    (made / ".gitignore").write_text("_published\n")
    for command in (
        "git init --quiet -b main",
        "git add -A",
        "git commit --quiet -m first",
        "git init --quiet --bare -b main ../origin.git",
        "git remote add origin ../origin.git",
    ):
        subprocess.run(shlex.split(command), cwd=made, env=environment, check=True)
    return made


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_every_command_of_a_guide_works(page: Path, folder: Path, environment: dict[str, str], request: pytest.FixtureRequest) -> None:
    text = page.read_text("utf-8")
    assert any(isinstance(step, Typed) for step in read_page(text))
    if page.stem == NEEDS_AWS:
        server: MiniStack = request.getfixturevalue("ministack")
        server.client("route53").create_hosted_zone(Name="example.com", CallerReference="x")
        environment |= {**server.environment, "AWS_ENDPOINT_URL": server.endpoint_url}
    perform(text, folder, environment)


def test_the_tutorial_goes_from_nothing_to_rolled_back(tmp_path: Path, environment: dict[str, str]) -> None:
    perform((REPOSITORY / "docs/tutorial.md").read_text("utf-8"), tmp_path, environment)
    page = (tmp_path / "my-site/_published/green/index.html").read_text("utf-8")
    assert "one minute" in page, "back before the darker stylesheet, not before the shorter time"


@pytest.mark.parametrize(
    ("expected", "output", "told"),
    [
        (("a … c",), "a b c\n", True),
        (("a … c",), "a b d\n", False),
        (("a", "…", "c"), "a\nb\nb\nc\n", True),
        (("a", "…"), "a\n", True),
        (("a",), "a\nb\n", False),
        (("a", "b"), "a\n", False),
        (("a  b",), "a b\n", True),
    ],
)
def test_output_is_compared_with_what_a_page_shows(expected: tuple[str, ...], output: str, told: bool) -> None:
    assert is_told(expected, output) is told
