"""Running the build: what is shown when, how it fails, and that nothing of it goes on afterwards."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sitepub.errors import ConfigurationError, ExitStatus
from sitepub.local.builder import TAIL_BYTES, run_build

ENVIRONMENT = {"PATH": os.environ["PATH"]}


def build(command: str, folder: Path, *, show: bool = False) -> str:
    output = io.StringIO()
    run_build(command, folder, environment=ENVIRONMENT, output=output, show=show)
    return output.getvalue()


def fail(command: str, folder: Path, *, show: bool = False) -> tuple[ConfigurationError, str]:
    output = io.StringIO()
    with pytest.raises(ConfigurationError) as caught:
        run_build(command, folder, environment=ENVIRONMENT, output=output, show=show)
    assert (caught.value.code, caught.value.status) == ("build-failed", ExitStatus.CONFIGURATION)
    return caught.value, output.getvalue()


def test_the_command_is_one_of_a_shell_in_the_folder(tmp_path: Path) -> None:
    build("mkdir -p public && A='x y'; echo \"$A $B\" > public/index.html | cat", tmp_path)
    assert (tmp_path / "public/index.html").read_text() == "x y \n"


def test_the_environment_is_the_given_one(tmp_path: Path) -> None:
    run_build('echo "$NAME" > out', tmp_path, environment={**ENVIRONMENT, "NAME": "a $b"}, output=io.StringIO(), show=False)
    assert (tmp_path / "out").read_text() == "a $b\n"


def test_a_build_that_succeeds_is_silent_unless_shown(tmp_path: Path) -> None:
    assert build("echo one; echo two >&2", tmp_path) == ""
    assert build("echo one; echo two >&2", tmp_path, show=True) == "one\ntwo\n"


def test_a_build_that_fails_shows_what_it_said_once(tmp_path: Path) -> None:
    for show in (True, False):
        error, output = fail("echo one; echo two >&2; exit 3", tmp_path, show=show)
        assert output == "one\ntwo\n"
        assert error.message == "`build:` ended with exit status 3: `echo one; echo two >&2; exit 3`"
        assert error.hint == f"run it by hand in `{tmp_path}`, or publish what is there with `--no-build`"


def test_only_the_first_line_of_a_long_command_is_named(tmp_path: Path) -> None:
    error, _ = fail("false ||\n  exit 4\n", tmp_path)
    assert error.message == "`build:` ended with exit status 4: `false || …`"


def test_a_command_that_is_not_there_is_told(tmp_path: Path) -> None:
    error, output = fail("no-such-generator --minify", tmp_path)
    assert error.message == "`build:` ended with exit status 127: `no-such-generator --minify`"
    assert error.hint.startswith("install what it calls, or add it to PATH")
    assert "no-such-generator" in output


def test_a_build_ended_by_a_signal_says_which(tmp_path: Path) -> None:
    error, _ = fail("kill -KILL $$", tmp_path)
    assert error.message == "`build:` was ended by SIGKILL: `kill -KILL $$`"


def test_a_command_ended_by_a_signal_is_told_as_the_shell_does(tmp_path: Path) -> None:
    error, _ = fail("sh -c 'kill -TERM $$'", tmp_path)
    assert error.message == "`build:` ended with exit status 143 (SIGTERM): `sh -c 'kill -TERM $$'`"


@pytest.mark.parametrize("status", [129 + 64, 255])
def test_an_exit_status_that_is_no_signal_s_is_told_as_it_is(status: int, tmp_path: Path) -> None:
    error, _ = fail(f"exit {status}", tmp_path)
    assert error.message == f"`build:` ended with exit status {status}: `exit {status}`"


def test_the_command_has_no_arguments_and_may_be_any_script(tmp_path: Path) -> None:
    script = '# a comment\necho $# "$1" $0\ncat <<END\n  it\'s "here"\nEND\nset -e\nfalse\necho not here\n'
    error, output = fail(script, tmp_path)
    assert output == '0  /bin/sh\n  it\'s "here"\n'
    assert error.message == "`build:` ended with exit status 1: `# a comment …`"
    assert fail("if", tmp_path)[0].message == "`build:` ended with exit status 2: `if`"


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    error, _ = fail("true", tmp_path / "gone")
    assert error.message == f"`build:` can't be started in `{tmp_path / 'gone'}`: No such file or directory"


def test_of_a_long_output_only_the_end_is_kept(tmp_path: Path) -> None:
    _, output = fail("i=0; while [ $i -lt 40 ]; do printf '%10000d\\n' $i; i=$((i+1)); done; exit 1", tmp_path)
    first, _, rest = output.partition("\n")
    assert rest.endswith(" 39\n")
    assert TAIL_BYTES <= len(rest) <= TAIL_BYTES + 16 * 1024
    assert first == f"[the first {40 * 10_001 - len(rest):,} bytes are left out]"


def test_output_that_is_no_text_or_comes_in_pieces_is_shown(tmp_path: Path) -> None:
    assert build(r"printf 'a\303'; sleep 0.05; printf '\251\377'; printf '\303'", tmp_path, show=True) == "aé��"


class Watched(io.StringIO):
    """Sets an event at the first text."""

    def __init__(self) -> None:
        super().__init__()
        self.has_text = threading.Event()

    def write(self, text: str, /) -> int:
        written = super().write(text)
        self.has_text.set()
        return written


def test_output_is_shown_while_the_build_runs(tmp_path: Path) -> None:
    output = Watched()
    os.mkfifo(tmp_path / "gate")
    runner = threading.Thread(
        target=run_build,
        args=("echo first; cat gate; echo last", tmp_path),
        kwargs={"environment": ENVIRONMENT, "output": output, "show": True},
    )
    runner.start()
    assert output.has_text.wait(30)
    assert output.getvalue() == "first\n"
    (tmp_path / "gate").write_text("opened\n")
    runner.join(30)
    assert output.getvalue() == "first\nopened\nlast\n"


def wait_until_gone(pid: int) -> bool:
    for _ in range(500):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.02)
    return False


def read_pid(path: Path) -> int:
    for _ in range(1500):
        if path.exists() and path.read_text().endswith("\n"):
            return int(path.read_text())
        time.sleep(0.02)
    raise AssertionError(f"{path} was never written")


def test_what_a_build_leaves_in_the_background_is_ended(tmp_path: Path) -> None:
    assert build("sleep 90 & echo $! > pid; echo done", tmp_path, show=True) == "done\n"
    assert wait_until_gone(read_pid(tmp_path / "pid"))


RUNNER = """
import sys
from pathlib import Path
from sitepub.local.builder import run_build
try:
    run_build(sys.argv[1], Path.cwd(), environment={"PATH": sys.argv[2]}, output=sys.stderr, show=True)
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.fixture
def runners() -> Iterator[list[subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()


def test_there_is_no_input_to_wait_for(tmp_path: Path, runners: list[subprocess.Popen[bytes]]) -> None:
    root = str(Path(__file__).resolve().parents[2])
    command = [sys.executable, "-c", RUNNER, "cat; echo done > out", os.environ["PATH"]]
    runner = subprocess.Popen(command, cwd=tmp_path, env={"PYTHONPATH": root}, stdin=subprocess.PIPE)
    runners.append(runner)
    assert runner.wait(30) == 0
    assert (tmp_path / "out").read_text() == "done\n"
    assert runner.stdin
    runner.stdin.close()


@pytest.mark.parametrize("command", ["sleep 90 & echo $! > pid; wait", "trap '' TERM; sleep 90 & echo $! > pid; wait; wait"])
def test_an_interrupt_ends_the_build_and_all_that_it_started(command: str, tmp_path: Path, runners: list[subprocess.Popen[bytes]]) -> None:
    root = str(Path(__file__).resolve().parents[2])
    runner = subprocess.Popen([sys.executable, "-c", RUNNER, command, os.environ["PATH"]], cwd=tmp_path, env={"PYTHONPATH": root})
    runners.append(runner)
    child = read_pid(tmp_path / "pid")
    os.kill(runner.pid, signal.SIGINT)
    assert runner.wait(60) == 130
    assert wait_until_gone(child)


def test_an_interrupt_while_the_build_is_being_started_begins_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Interrupted(subprocess.Popen[bytes]):
        def __init__(self, *arguments: object, **options: object) -> None:
            super().__init__(*arguments, **options)  # type: ignore[call-overload]
            started.append(self)
            raise KeyboardInterrupt

    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        build("touch begun", tmp_path)
    # What the end of our process, or of the last reference, does.
    for pipe in (started[0].stdin, started[0].stdout):
        assert pipe
        pipe.close()
    assert started[0].wait(30) == 1
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_is_gone_ends_the_build(tmp_path: Path) -> None:
    class Closed(io.StringIO):
        def write(self, text: str, /) -> int:
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        run_build("echo $$ > pid; echo x; sleep 90", tmp_path, environment=ENVIRONMENT, output=Closed(), show=True)
    assert wait_until_gone(read_pid(tmp_path / "pid"))
