"""Publishers beside each other, as processes: the newest commit ends live and whole, and one that was frozen past its lease does no harm."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.commands.story import Story
from tests.fire.sources import Visitor, check_is, check_pages, git, make_version
from tests.support.fault_proxy import Fault, Script, Seen

Tally = Callable[[str, int], None]

SHORT_LEASE = 4
SHORT_LEASES = f"""
import sys
from msgspec import structs
from sitepub import cli, publishing
make_edges = publishing.make_edges
publishing.make_edges = lambda *given: structs.replace(make_edges(*given), lease_seconds={SHORT_LEASE})
cli.main(sys.argv[1:])
"""


WITHOUT_GRACE = """
import datetime, sys
from sitepub import cli
from sitepub.core import retention
retention.GRACE = datetime.timedelta(0)
cli.main(sys.argv[1:])
"""


def make_checkouts(story: Story, count: int) -> list[Story]:
    """One repository, and a checkout of each of its commits; the oldest first."""
    repository = story.root / "repository"
    repository.mkdir()
    git(repository, "init", "--quiet")
    for number in range(count):
        commit_version(story, repository, number)
    return [check_out(story, repository, git(repository, "rev-parse", f"HEAD~{count - 1 - number}"), number) for number in range(count)]


def commit_version(story: Story, repository: Path, number: int, content: int | None = None) -> None:
    made = Story(repository, story.target, story.environment, story.held, story.forks)
    for path in repository.rglob("public/**/*.html"):
        path.unlink()
    made.write(make_version(number if content is None else content))
    (repository / "number").write_text(str(number))
    made.configure()
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", f"version {number}")


def check_out(story: Story, repository: Path, commit: str, number: int) -> Story:
    folder = story.root / f"checkout-{number}"
    git(repository, "worktree", "add", "--quiet", "--detach", str(folder), commit)
    return Story(folder, story.target, story.environment, story.held, story.forks)


@contextmanager
def visits(visitor: Visitor, tally: Tally) -> Iterator[None]:
    """Every page is loaded, again and again, while others publish."""
    done = threading.Event()
    broken: list[BaseException] = []
    loads = [0]

    def visit() -> None:
        try:
            while not done.is_set():
                loads[0] += visitor.load_all()
        except BaseException as failure:
            broken.append(failure)

    thread = threading.Thread(target=visit)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
    tally("visitor loads checked", loads[0])
    if broken:
        raise broken[0]


@pytest.mark.parametrize("count", [3, *(pytest.param(count, marks=pytest.mark.slow) for count in (2, 4, 5, 6, 7, 8))])
def test_publishers_of_different_commits_at_once(story: Story, visitor: Visitor, tally: Tally, count: int) -> None:
    checkouts = make_checkouts(story, count + 1)
    checkouts[0].publish()
    racers = list(enumerate(checkouts[1:], 1))
    random.Random(count).shuffle(racers)
    with visits(visitor, tally):
        running = {number: checkout.start("publish", "--no-color", "--lock-timeout", "100") for number, checkout in racers}
        ended = {number: (process.communicate(timeout=200)[1].decode(), process.returncode) for number, process in running.items()}
    told = "\n".join(f"{number}: {status}\n{err}" for number, (err, status) in ended.items())
    assert all(status in (0, 9) for _, status in ended.values()), told
    assert ended[count][1] == 0, told
    check_is(checkouts[count], make_version(count))
    check_order(checkouts[count])
    tally("races run", 1)


def check_order(story: Story) -> None:
    """No commit went live after a newer one."""
    subjects = [release["subject"] for release in story.json("releases")["releases"]]
    numbers = [int(subject.removeprefix("version ")) for subject in reversed(subjects)]
    assert numbers == sorted(numbers)


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 31))])
def test_a_publisher_frozen_past_its_lease(story: Story, script: Script, tally: Tally, seed: int) -> None:
    """The one that takes over brings back what stood before: there every conditional write of the frozen one would still fit."""
    chance = random.Random(seed)
    checkouts = make_checkouts(story, 2)
    repository = story.root / "repository"
    commit_version(story, repository, 2, content=0)
    newest = check_out(story, repository, git(repository, "rev-parse", "HEAD"), 2)
    checkouts[0].publish()
    frozen, stopped = freeze_at(checkouts[1], script, chance.randint(12, 45))
    try:
        if not stopped:
            return
        newest.run("publish", "--lock-timeout", "60", launcher=SHORT_LEASES)
        check_is(newest, make_version(0))
        was_live = "version 1" in [release["subject"] for release in newest.json("releases")["releases"]]
        before = dict(story.held())
        seen = len(script.seen)
    finally:
        frozen.send_signal(signal.SIGCONT)
        _, err = frozen.communicate(timeout=120)
    # what was finished before it was frozen stays finished
    assert frozen.returncode == (0 if was_live else 9), err.decode()
    tally("publishers frozen past their lease", 1)
    late = [f"{one.method} {one.path} {one.status}" for one in script.seen[seen:] if one.is_write]
    tally("writes of theirs that were under way when they were woken", len(late))
    # a key that it was the first to have may appear: no page of a release refers to it
    assert {key: body for key, body in story.held().items() if key in before or key != "only-1.html"} == before, late


def freeze_at(story: Story, script: Script, request: int) -> tuple[subprocess.Popen[bytes], bool]:
    """Stopped by SIGSTOP when its n-th request comes; that one and all that were sent arrive."""
    running: list[subprocess.Popen[bytes]] = []
    started, stopped = threading.Event(), threading.Event()

    def plan(seen: Seen) -> Fault | None:
        if seen.number == request and started.wait(10):
            os.kill(running[0].pid, signal.SIGSTOP)
            stopped.set()
        return None

    script.begin(plan)
    process = subprocess.Popen(
        story.command("publish", "--no-color", launcher=SHORT_LEASES),
        cwd=story.root,
        env=story.whole_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    running.append(process)
    started.set()
    while process.poll() is None and not stopped.wait(0.05):
        pass
    script.plan = lambda seen: None
    return process, stopped.is_set()


@pytest.mark.parametrize("rounds", [1, pytest.param(15, marks=pytest.mark.slow)])
def test_a_gc_beside_a_publish(story: Story, tally: Tally, rounds: int) -> None:
    """The publish brings back a version whose files the `gc` is about to delete."""
    checkouts = make_checkouts(story, 2)
    for checkout in checkouts:
        checkout.configure("retention: {releases: 1, days: 0}\n")
    for number in range(rounds):
        checkouts[(number + 1) % 2].publish("--allow", "older")
        back = checkouts[number % 2]
        commands = {
            "gc": back.command("gc", "--yes", "--no-color", launcher=WITHOUT_GRACE),
            "publish": back.command("publish", "--no-color", "--allow", "older"),
        }
        ended = run_beside(back, commands)
        assert ended["publish"][0] == 0, ended
        assert ended["gc"][0] in (0, 1, 9), ended
        check_pages(story)
        check_is(back, make_version(number % 2))
        tally("races run", 1)


def run_beside(story: Story, commands: dict[str, list[str]]) -> dict[str, tuple[int, str]]:
    """Status and talk of each."""
    running = {
        name: subprocess.Popen(words, cwd=story.root, env=story.whole_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for name, words in commands.items()
    }
    told = {name: process.communicate(timeout=120)[1].decode() for name, process in running.items()}
    return {name: (process.returncode, told[name]) for name, process in running.items()}


@pytest.mark.parametrize("rounds", [1, pytest.param(15, marks=pytest.mark.slow)])
def test_a_rollback_beside_a_publish(story: Story, visitor: Visitor, tally: Tally, rounds: int) -> None:
    """Either may come last; what is live then is one of the two, whole."""
    checkouts = make_checkouts(story, rounds + 2)
    checkouts[0].publish()
    checkouts[1].publish()
    for number in range(2, rounds + 2):
        with visits(visitor, tally):
            back = checkouts[number].start("rollback", "--no-color", "--lock-timeout", "60")
            forth = checkouts[number].start("publish", "--no-color", "--lock-timeout", "60", "--allow", "older")
            ends = [process.communicate(timeout=120)[1].decode() for process in (back, forth)]
        assert (back.returncode, forth.returncode) in ((0, 0), (9, 0), (0, 9)), ends
        live = story_version(checkouts[number])
        check_is(checkouts[number], make_version(live))
        checkouts[number].publish("--allow", "older")
        check_is(checkouts[number], make_version(number))
        tally("races run", 1)


def story_version(story: Story) -> int:
    """The version whose content is live."""
    return int(story.held()["index.html"].decode().rpartition(" of ")[2])
