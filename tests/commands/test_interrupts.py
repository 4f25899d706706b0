"""Ctrl-C and SIGTERM wherever a publish stands: status 130, no page without what it loads, and the next publish completes it."""

from __future__ import annotations

import os
import random
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from sitepub import cli
from sitepub.aws.session import READ_SECONDS
from tests.commands.story import SITE, Story

PAGES = 200
LOADED = re.compile(r'href="/?([^"]*\.css)"')


def write_version(story: Story, number: int) -> None:
    style = f"body {{ margin: {number}px }}\n"
    page = '<!doctype html><link rel="stylesheet" href="/app.css"><p>{} of {}\n'
    story.write({"app.css": style, **{f"pages/{each}.html": page.format(each, number) for each in range(PAGES)}})


def start_and_wait(story: Story) -> subprocess.Popen[bytes]:
    """Until it listens to signals: before that it is Python's start, not ours."""
    process = story.start("publish", "--no-color")
    status = Path(f"/proc/{process.pid}/status")
    while process.poll() is None and not catches(status, signal.SIGTERM):
        time.sleep(0.002)
    return process


def catches(status: Path, number: signal.Signals) -> bool:
    try:
        found = re.search(r"^SigCgt:\s*([0-9a-f]+)", status.read_text(), re.MULTILINE)
    except OSError:
        return False
    return found is not None and bool(int(found[1], 16) >> (number - 1) & 1)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_publish_is_completed_by_the_next(story: Story, number: signal.Signals) -> None:
    chance = random.Random(number)
    write_version(story, 0)
    begun = time.monotonic()
    start_and_wait(story).communicate()
    seconds = time.monotonic() - begun
    interrupted = 0
    for version in range(1, 6):
        write_version(story, version)
        process = start_and_wait(story)
        time.sleep(chance.uniform(0, seconds))
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
        assert process.returncode in (0, 130), err.decode()
        if process.returncode == 130:
            interrupted += 1
            assert err.decode().splitlines()[-1] == "interrupted; running it again finishes what was begun"
            assert "Traceback" not in err.decode()
        check_every_page_loads(story)
    assert interrupted
    write_version(story, 9)
    assert story.publish("--lock-timeout", "0")["release"]
    check_every_page_loads(story)
    assert {body for key, body in story.site().items() if key.startswith("pages/")} == {
        body for key, body in story.site().items() if body.endswith(" of 9\n")
    }
    assert story.json("status")["pending"] is None


def check_every_page_loads(story: Story) -> None:
    site = story.site()
    for key, body in site.items():
        if key.endswith(".html"):
            assert all(loaded in site for loaded in LOADED.findall(body)), key


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_a_server_that_never_answers_does_not_hold_an_interrupted_run(story: Story) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        story.target = f"store: s3://bucket\nendpoint_url: http://127.0.0.1:{silent.getsockname()[1]}"
        story.environment = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"}
        story.configure()
        process = start_and_wait(story)
        connection, _ = silent.accept()
        with connection:
            process.send_signal(signal.SIGINT)
            # a client that was awaited would give up no sooner than this
            _, err = process.communicate(timeout=READ_SECONDS - 1)
    assert (process.returncode, err.decode().lstrip()) == (130, "interrupted; running it again finishes what was begun\n")


def test_a_build_is_ended_with_the_run(story: Story) -> None:
    story.configure("build: 'echo $$ > pid; sleep 300'\n")
    process = story.start("publish")
    pid = story.root / "pid"
    while not (pid.exists() and pid.read_text().endswith("\n")):
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err.decode()
    assert err.decode().splitlines()[-1] == "interrupted; running it again finishes what was begun"
    assert not Path(f"/proc/{pid.read_text().strip()}").exists()
    assert story.held() == {}


def test_an_interrupt_that_a_library_takes_for_its_own_failure(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def main(**_: object) -> None:
        try:
            cli._interrupt(signal.SIGTERM, None)
        except KeyboardInterrupt:
            raise RuntimeError("External AWS credential provider: KeyboardInterrupt") from None

    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    monkeypatch.setattr(cli.root, "main", main)
    try:
        assert cli.run(["status"]) == 130
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert capsys.readouterr().err == "interrupted; running it again finishes what was begun\n"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_workers_of_a_large_site_end_in_silence(story: Story) -> None:
    """A terminal's Ctrl-C reaches the whole group."""
    rows = "<p><a href='/app.css'>x</a>" * 40_000
    story.write({**SITE, **{f"large/{each}.html": f"{each}{rows}" for each in range(12)}})
    process = story.start("publish", start_new_session=True)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while process.poll() is None and len(workers := children.read_text().split()) < 2:
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err.decode()
    assert "Traceback" not in err.decode()
    assert err.decode().splitlines()[-1] == "interrupted; running it again finishes what was begun"
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)
