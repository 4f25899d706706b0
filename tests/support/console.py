"""Pages of the documentation as programs: files that they show are written, commands that they show are run, output that they show is compared."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

GOES_ON = re.compile(r"sitepub (serve|watch)\b")
PATIENCE = 60.0
_BLOCK = re.compile(r"^( *)```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Shown:
    """A file, whose name is its title."""

    name: str
    content: str


@dataclass(frozen=True, slots=True)
class Typed:
    """A command; `told`: the lines of its standard output, none where the page shows none. `…` stands for any text, alone for any lines."""

    command: str
    told: tuple[str, ...]


def read_page(text: str) -> Iterator[Shown | Typed]:
    """In the order of the page. A block of `console` starts with a command."""
    for indent, language, title, body in _BLOCK.findall(text):
        lines = [line.removeprefix(indent) for line in body.splitlines()]
        if language == "console":
            yield from _read_console(lines)
        elif title:
            yield Shown(title, "".join(f"{line}\n" for line in lines))


def _read_console(lines: list[str]) -> Iterator[Typed]:
    assert lines and lines[0].startswith("$ "), lines
    starts = [number for number, line in enumerate(lines) if line.startswith("$ ")]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield Typed(lines[start].removeprefix("$ "), tuple(lines[start + 1 : end]))


def is_told(expected: tuple[str, ...], output: str) -> bool:
    """Runs of spaces are alike: widths of columns follow from what is printed."""
    words = [re.escape(" ".join(line.split())).replace("…", ".*") for line in expected]
    pattern = "".join(r"(?:.*\n)*?" if word == ".*" else f"{word}\n" for word in words)
    found = "".join(f"{' '.join(line.split())}\n" for line in output.splitlines())
    return re.fullmatch(pattern, found) is not None


def perform(text: str, folder: Path, environment: Mapping[str, str]) -> None:
    """Every step of a page, from `folder` on."""
    for step in read_page(text):
        if isinstance(step, Shown):
            path = folder / step.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.content, "utf-8")
        elif step.command.startswith("cd "):
            folder = folder / step.command.removeprefix("cd ")
        elif GOES_ON.match(step.command):
            run_for_a_while(step.command, folder, environment)
        else:
            _run(step, folder, environment)


def _run(step: Typed, folder: Path, environment: Mapping[str, str]) -> None:
    done = subprocess.run(
        shlex.split(step.command), cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert done.returncode == 0, f"{step.command}\n{done.stdout}{done.stderr}"
    if step.told:
        assert is_told(step.told, done.stdout), f"{step.command}\nthe page shows:\n{chr(10).join(step.told)}\nit says:\n{done.stdout}"


def run_for_a_while(command: str, folder: Path, environment: Mapping[str, str]) -> None:
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
