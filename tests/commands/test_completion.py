"""Completion, tried in the shells themselves: each loads the script that `completion` prints and is asked what it would offer."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands.story import REPOSITORY, Story

# zsh completes on a terminal alone: one of its own, whose menu is read as it is drawn.
ZSH = """
zmodload zsh/zpty
zpty ask 'zsh -f -i'
zpty -w ask 'PS1=; LISTMAX=1000; stty columns 200; autoload -Uz compinit; compinit -u -d $DUMP; zstyle ":completion:*" list-grouped no; source $SCRIPT; print ready-$((40+2))'
while zpty -r ask line; do [[ $line == *ready-42* ]] && break; done
zpty -w -n ask "$WORDS"$'\\t\\t'
for turn in {1..120}; do
  while zpty -r -t ask line; do print -r -- "$line"; seen+="$line"; done
  [[ $seen == *$WANTED* ]] && break
  sleep 0.25
done
zpty -d ask
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH with the command `sitepub` on it."""
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin/sitepub"
    command.write_text(f'#!/bin/sh\nPYTHONPATH={REPOSITORY} exec {sys.executable} -m sitepub "$@"\n')
    command.chmod(0o755)
    return f"{tmp_path / 'bin'}:{os.environ['PATH']}"


def offered(shell: str, line: str, story: Story, path: str, wanted: str) -> str:
    """What the shell offers at the end of a line; zsh is listened to until `wanted` is among it."""
    program = shutil.which(shell) or pytest.skip(f"{shell} is not installed")
    script = story.root / f"completion.{shell}"
    script.write_text(story.run("completion", shell).out)
    environment = {
        "PATH": path,
        "HOME": str(story.root),
        "TERM": "xterm",
        "SCRIPT": str(script),
        "DUMP": str(story.root / "dump"),
        "WORDS": line,
        "WANTED": wanted,
    }
    asked = {
        "bash": 'source "$SCRIPT"; COMP_WORDS=($WORDS); [[ $WORDS == *" " ]] && COMP_WORDS+=(""); COMP_CWORD=$((${#COMP_WORDS[@]}-1));'
        ' _sitepub_completion sitepub "${COMP_WORDS[COMP_CWORD]}" ""; printf "%s\\n" "${COMPREPLY[@]}"',
        "fish": 'source "$SCRIPT"; complete -C "$WORDS"',
        "zsh": ZSH,
    }[shell]
    flags = {"bash": ["--norc"], "fish": ["--no-config"], "zsh": ["-f"]}[shell]
    done = subprocess.run(
        [program, *flags, "-c", asked], cwd=story.root, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    # a narrow terminal of zsh breaks words
    return done.stdout.replace("\n", "") if shell == "zsh" else done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_commands_options_and_targets_are_offered(shell: str, story: Story, path: str) -> None:
    commands = offered(shell, "sitepub re", story, path, "releases")
    assert "releases" in commands and "rollback" not in commands
    options = offered(shell, "sitepub publish --", story, path, "--lock-timeout")
    assert "--lock-timeout" in options and "--exit-code" not in options
    (story.root / "sitepub.yaml").write_text(
        "sources: wrong\ntargets: {staging: {store: file:out}, production: {store: 's3://www-example-com'}}\n"
    )
    targets = offered(shell, "sitepub plan --target ", story, path, "staging")
    assert "staging" in targets and "production" in targets


def test_common_options_may_stand_before_the_command(story: Story, path: str) -> None:
    assert "releases" in offered("bash", "sitepub -C . --json re", story, path, "releases")
    assert "--exit-code" in offered("bash", "sitepub -C . plan --ex", story, path, "--exit-code")


def test_what_keeps_the_script_is_said_beside_it(story: Story) -> None:
    done = story.run("completion", "fish")
    assert done.err == "# to keep it: sitepub completion fish > ~/.config/fish/completions/sitepub.fish\n"
    assert story.run("completion", "tcsh", status=2).err.startswith("error: invalid value for")
