"""Real processes killed at random requests, and the next run that makes it whole."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable

import pytest

from tests.commands.story import Story, hold_bucket
from tests.fire.sources import check_is, check_pages, make_version, write_version
from tests.support.fault_proxy import Fault, Plan, Script, Seen
from tests.support.servers import S3Server

Tally = Callable[[str, int], None]
REQUESTS = 50
"""About as many as a publish of one version over another takes."""


@pytest.mark.parametrize(
    ("number", "rounds"),
    [
        (signal.SIGKILL, 2),
        (signal.SIGTERM, 1),
        (signal.SIGINT, 1),
        *(pytest.param(number, 100, marks=pytest.mark.slow) for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)),
    ],
)
def test_a_process_that_is_killed_at_any_moment(story: Story, script: Script, tally: Tally, number: signal.Signals, rounds: int) -> None:
    chance = random.Random(int(number))
    story.configure()
    write_version(story, 0)
    story.publish()
    killed = 0
    for version in range(1, rounds + 1):
        wanted = write_version(story, version)
        status = end_at_random(story, script, number, chance)
        killed += status != 0
        tally("visitor loads checked", check_pages(story))
        if version % 3 == 0:
            wanted = write_version(story, version + 1000)
        story.publish("--lock-timeout", "0")
        check_is(story, wanted)
        tally("visitor loads checked", check_pages(story))
    assert killed > rounds / 4
    tally(f"processes ended by {number.name}", killed)


def end_at_random(story: Story, script: Script, number: signal.Signals, chance: random.Random) -> int:
    """A signal some time after some request."""
    return end_at(story, script, ["publish", "--no-color"], number, chance.randint(1, REQUESTS), chance.uniform(0, 0.01))


def end_at(story: Story, script: Script, words: list[str], number: signal.Signals, request: int, delay: float) -> int:
    started = threading.Event()
    running: list[subprocess.Popen[bytes]] = []
    script.begin(signal_at(request, delay, number, running, started))
    process = story.start(*words)
    running.append(process)
    started.set()
    _, err = process.communicate(timeout=600)  # a machine may have much else to do
    script.begin()
    assert b"Traceback" not in err, err.decode()
    assert process.returncode in (0, -number, 130), err.decode()
    return process.returncode


def signal_at(request: int, delay: float, number: signal.Signals, running: list[subprocess.Popen[bytes]], started: threading.Event) -> Plan:
    def plan(seen: Seen) -> Fault | None:
        if seen.number == request:
            started.wait()
            threading.Thread(target=send).start()
        return None

    def send() -> None:
        time.sleep(delay)
        if running[0].poll() is None:
            os.kill(running[0].pid, number)

    return plan


@pytest.mark.parametrize("step", [97, pytest.param(3, marks=pytest.mark.slow)])
def test_an_adopt_that_is_killed_at_a_request(story: Story, script: Script, seaweedfs: S3Server, tally: Tally, step: int) -> None:
    """What another tool put there goes on working, and the next adopt or publish makes it whole."""
    place = story.target.split()[1]
    for request in range(2, 300, step):
        story.target = story.target.replace(story.target.split()[1], f"{place}-{request}")
        bucket, _, prefix = story.target.split()[1].removeprefix("s3://").partition("/")
        story.held = hold_bucket(seaweedfs.client(), bucket, f"{prefix}/")
        story.configure()
        for key, text in make_version(1).items():
            if key == "only-1.html":
                continue
            seaweedfs.client().put_object(Bucket=bucket, Key=f"{prefix}/{key}", Body=text.encode())
        wanted = write_version(story, 1 + request % 2)
        if end_at(story, script, ["adopt", "--yes"], signal.SIGKILL, request, 0) == 0:
            break
        tally("visitor loads checked", check_pages(story))
        state = story.held().get(".sitepub/state.json")
        if state is None or request % 3 == 0:
            again = subprocess.run(story.command("adopt", "--yes"), cwd=story.root, env=story.whole_environment(), capture_output=True)
            assert again.returncode in (0, 1), again.stderr
        story.publish(*(() if story.held().get(".sitepub/state.json") else ("--allow", "foreign")))
        check_is(story, wanted)
        tally("adopts killed", 1)
    else:
        raise AssertionError("more requests than thought")
