"""Every command in the guides, run as they stand there, on the example site in a repository of its own."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
GUIDES = sorted((REPOSITORY / "docs/guide").glob("*.md"))
GOES_ON = re.compile(r"sitepub (serve|watch)\b")
PATIENCE = 60.0


def find_commands(page: Path) -> list[str]:
    blocks = re.findall(r"^```console\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    assert all(line.startswith("$ ") for line in lines)
    return [line.removeprefix("$ ") for line in lines]


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
def test_every_command_of_a_guide_works(page: Path, folder: Path, environment: dict[str, str]) -> None:
    commands = find_commands(page)
    assert commands
    for command in commands:
        if GOES_ON.match(command):
            run_for_a_while(command, folder, environment)
            continue
        done = subprocess.run(
            shlex.split(command), cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


def run_for_a_while(command: str, folder: Path, environment: dict[str, str]) -> None:
    """Until it says that it is there, then as Ctrl-C ends it."""
    log = folder.parent / "log.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(shlex.split(command), cwd=folder, env=environment, stdout=output, stderr=output)
        deadline = time.monotonic() + PATIENCE
        while not re.search(r"serving http|watching", log.read_text()):
            assert process.poll() is None and time.monotonic() < deadline, f"{command}\n{log.read_text()}"
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130, f"{command}\n{log.read_text()}"
