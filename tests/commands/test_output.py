"""What people see: text on a terminal and in a log, quiet and verbose, colour or none, and readers that go away."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.commands.story import SITE, STYLE, Story

HASH = re.compile(r"\.[0-9a-f]{12}\.")
SECONDS = re.compile(r"in \d+\.\d s$", re.MULTILINE)
RELEASE = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}")


def settled(text: str) -> str:
    return RELEASE.sub("RELEASE", SECONDS.sub("in 0.1 s", HASH.sub(".HASH.........", text)))


FIRST = """\
  + about.html                new  36 B
  + app.HASH.........css      new  51 B
  + docs/index.html           new  87 B
  + img/sky.HASH.........svg  new  42 B
  + index.html                new  130 B
  + robots.txt                new  14 B
    and 2 plain names of these assets, for references that no tool can see
"""
SECOND = """\
  - about.html            no longer in the site
  + app.HASH.........css  new  56 B
  ~ docs/index.html       content changed  87 B
  ~ index.html            content changed  130 B
  + new.html              new  3 B
    and 1 plain name of these assets, for references that no tool can see
2 new, 3 changed, 1 removed, 3 unchanged; 332 B uploaded in 5 objects
"""
THIRD = """\
  - new.html  no longer in the site
1 removed, 7 unchanged
"""


def test_a_first_publish_and_what_follows_read_like_this(story: Story) -> None:
    where = f"there (file:{story.root}/out)"
    published = f"published RELEASE to {where} in 0.1 s\n"
    assert settled(story.run("plan").out) == f"plan for {where}\n{FIRST}8 new, 0 unchanged; 453 B to upload in 8 objects\n"
    assert settled(story.run("publish").out) == f"{published}{FIRST}8 new, 0 unchanged; 453 B uploaded in 8 objects\n"
    assert story.run("plan").out == f"{where}: nothing to publish, 8 unchanged\n"
    assert story.run("publish").out == f"{where}: nothing to publish, 8 unchanged\n"
    story.write({"app.css": STYLE + "p {}\n", "new.html": "<p>"})
    (story.root / "public/about.html").unlink()
    assert settled(story.run("publish").out) == published + SECOND
    (story.root / "public/new.html").unlink()
    assert settled(story.run("publish").out) == published + THIRD
    told = RELEASE.sub("RELEASE", story.run("status").out)
    assert re.sub(r"\d{4}-\d\d-\d\dT[\d:]+Z", "TIME", told) == f"{where}\nlive: RELEASE  TIME  3 entries, 2 assets\n"


def test_talk_and_data_go_to_two_streams(story: Story) -> None:
    done = story.run("publish")
    assert done.err == "scanning 6 files, 308 B\nrewriting 3 files\nuploading 2 files, 93 B\npromoting 6 files, 360 B\n"
    assert "\x1b" not in done.out + done.err
    story.write({"about.html": '<img src="gone.png">'})
    warned = story.run("publish", "--json")
    assert warned.json["warnings"] == ["`about.html` line 1 loads `gone.png`, which is not in the site"]
    assert warned.err.splitlines()[-1] == f"warning: {warned.json['warnings'][0]}"


def test_quiet_says_errors_alone(story: Story) -> None:
    assert story.run("plan", "-q", "--exit-code", status=7).out == ""
    done = story.run("publish", "-q")
    assert (done.out, done.err) == ("", "")
    assert story.run("publish", "-q", "--json").json["release"] is None
    (story.root / "public").rename(story.root / "elsewhere")
    assert story.run("publish", "-q", status=4).err.startswith("error: ")


def test_long_lists_are_cut_short_unless_verbose(story: Story) -> None:
    story.write({f"page-{number:02}.html": f"<img src=gone-{number}.png>" for number in range(50)})
    short = story.run("plan")
    assert "  + page-49.html" not in short.out and re.search(r"^  \+ \./… +\d+ files  new  ", short.out, re.MULTILINE)
    assert re.search(r"^    5\d changes in all; `-v` names each$", short.out, re.MULTILINE)
    assert short.err.splitlines()[-1] == "warning: 40 more of `missing-reference`; `-v` shows them all"
    long = story.run("plan", "-v")
    assert "; `-v`" not in long.out + long.err
    assert long.out.count("page-") == 50 and long.err.count("gone-") == 50
    assert len(story.json("plan")["warnings"]) == 50


def test_a_file_that_many_pages_miss_is_told_once_unless_verbose(story: Story) -> None:
    story.write({f"page-{number:02}.html": "<p>\n<img src=gone.png>" for number in range(50)})
    for _ in range(2):  # the second time from what the first one kept
        warnings = [line for line in story.run("plan").err.splitlines() if line.startswith("warning: ")]
        assert warnings == ["warning: `page-00.html` line 2 loads `gone.png`, which is not in the site; so do 49 more"]
    assert story.run("plan", "-v").err.count("gone.png") == 50
    assert len(story.json("plan")["warnings"]) == 50


def test_a_reader_that_goes_away_is_no_error(story: Story) -> None:
    story.write({f"page-{number}.html": f"<p>{number}" for number in range(3000)})
    process = subprocess.Popen(
        story.command("plan", "-v"), cwd=story.root, env=story.whole_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None and process.stderr is not None
    assert process.stdout.readline()
    process.stdout.close()
    err = process.stderr.read().decode()
    process.stderr.close()
    assert "Traceback" not in err and "Broken" not in err and "error:" not in err
    assert process.wait() == 0


def test_no_terminal_at_all_is_fine(story: Story) -> None:
    """As a daemon's child runs: no standard streams."""
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *story.command("publish")],
        cwd=story.root,
        env=story.whole_environment(),
        check=False,
    )
    assert done.returncode == 0
    assert "index.html" in story.site()


def on_a_terminal(
    story: Story, *words: str, environment: dict[str, str] | None = None, typed: str = "", until: str = ""
) -> tuple[int, str]:
    """Runs on a pseudo-terminal of 100 columns; returns the exit status and all that was drawn. `typed`: the answer to a question; `until`: what ends it."""
    parent, child = pty.openpty()
    os.write(parent, typed.encode())
    with subprocess.Popen(
        story.command(*words),
        cwd=story.root,
        env=story.whole_environment({"TERM": "xterm-256color", "COLUMNS": "100", **(environment or {})}),
        stdin=child,
        stdout=child,
        stderr=child,
    ) as process:
        os.close(child)
        drawn = b""
        while True:
            select.select([parent], [], [])
            try:
                chunk = os.read(parent, 65536)
            except OSError:
                break
            if not chunk:
                break
            drawn += chunk
            if until and until.encode() in drawn:
                process.send_signal(signal.SIGINT)
                until = ""
    os.close(parent)
    return process.returncode, drawn.decode()


def screen(drawn: str) -> list[str]:
    """What is left to see: lines that were erased are gone. Knows the few sequences that progress uses."""
    lines, row, column = [""], 0, 0
    for part in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|\r|\n|[^\x1b\r\n]+", drawn):
        if part == "\r":
            column = 0
        elif part == "\n":
            row, column = row + 1, 0
            if row == len(lines):
                lines.append("")
        elif part.startswith("\x1b["):
            if part.endswith("A"):
                row = max(0, row - int(part[2:-1] or 1))
            elif part.endswith("K"):
                lines[row] = "" if part == "\x1b[2K" else lines[row][:column]
        else:
            lines[row] = lines[row][:column].ljust(column) + part + lines[row][column + len(part) :]
            column += len(part)
    return [line.rstrip() for line in lines]


@pytest.fixture
def slow_story(story: Story) -> Story:
    """Takes long enough that progress is drawn."""
    story.write({f"page-{number}.html": f"<p>{number}{SITE['index.html'] * 20}" for number in range(600)})
    return story


def test_progress_is_drawn_on_a_terminal_and_gone_afterwards(slow_story: Story) -> None:
    status, drawn = on_a_terminal(slow_story, "publish")
    assert status == 0
    assert re.search(r"promoting: [\d,]+ of 60\d files, [\d.]+ [KM]?B of [\d.]+ MB", drawn)
    seen = screen(drawn)
    assert seen[0].startswith("published ")
    assert not [line for line in seen if re.match(r"scanning|reading|rewriting|uploading|promoting|finishing", line)]
    assert "\x1b[?25l" not in drawn or drawn.rindex("\x1b[?25h") > drawn.rindex("\x1b[?25l"), "the cursor is shown again"


def test_a_question_stands_alone_on_the_terminal(slow_story: Story) -> None:
    shutil.copytree(slow_story.root / "public", slow_story.root / "out")
    status, drawn = on_a_terminal(slow_story, "adopt", typed="n\n")
    assert status == 1
    seen = screen(drawn)
    assert any(line.startswith("plan for there ") for line in seen)
    assert "take it over? [y/N]: error: nothing was written: the answer was no" in seen, "the answer is echoed where it was typed"
    assert not [line for line in seen if re.search(r"scanning|rewriting|listing|comparing", line)]


@pytest.mark.parametrize("words", [["serve"], ["watch", "--serve"]])
def test_a_command_that_goes_on_draws_nothing_that_nobody_takes_away(slow_story: Story, words: list[str]) -> None:
    status, drawn = on_a_terminal(slow_story, *words, "-v", "--port", "0", until="serving http")
    assert status == 130
    assert "\x1b[?25l" not in drawn, "the cursor is not hidden"
    assert "scanning 60" in drawn, "stages are told all the same"


def test_errors_and_warnings_are_coloured_on_a_terminal(story: Story) -> None:
    story.write({"about.html": '<img src="gone.png">'})
    _, drawn = on_a_terminal(story, "plan")
    assert "\x1b[33m\x1b[1mwarning:\x1b[0m `about.html`" in drawn
    (story.root / "public").rename(story.root / "elsewhere")
    _, drawn = on_a_terminal(story, "plan")
    assert "\x1b[31m\x1b[1merror:\x1b[0m `" in drawn and "\x1b[36m\x1b[1mhint:\x1b[0m run" in drawn


@pytest.mark.parametrize(("words", "environment"), [(["--no-color"], {}), ([], {"NO_COLOR": "1"}), ([], {"TERM": "dumb"})])
def test_without_colour_no_colour_is_drawn(story: Story, words: list[str], environment: dict[str, str]) -> None:
    story.write({"about.html": '<img src="gone.png">'})
    _, drawn = on_a_terminal(story, "plan", *words, environment=environment)
    assert "warning: `about.html`" in drawn
    (story.root / "public").rename(story.root / "elsewhere")
    _, more = on_a_terminal(story, "plan", *words, environment=environment)
    assert "error: `" in more
    assert not re.search(r"\x1b\[[0-9;]*m", drawn + more)


def test_quiet_draws_nothing(slow_story: Story) -> None:
    assert on_a_terminal(slow_story, "publish", "-q") == (0, "")


def test_an_error_stands_alone_on_the_terminal(slow_story: Story) -> None:
    (slow_story.root / "out").mkdir()
    (slow_story.root / "out/index.html").write_text("theirs")
    status, drawn = on_a_terminal(slow_story, "publish")
    assert status == 1
    assert [line[:6] for line in screen(drawn) if line] == ["error:", "hint: "]


def test_help_names_every_command(story: Story, tmp_path: Path) -> None:
    top = story.run("--help")
    assert top.err == ""
    assert story.run("-h").out == top.out
    from sitepub.cli import COMMANDS

    for name in COMMANDS:
        assert f"  {name} " in top.out
    assert story.run("nosuch", status=2).out == ""
    assert story.run("--version").out == "sitepub, version 0.1.0\n"
