"""A server that ignores conditions: it is found out, the user is told, and publishers still come one after the other."""

from __future__ import annotations

import json
import random
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from msgspec.structs import replace

from sitepub.aws.s3 import S3Store
from sitepub.core.model import Key
from sitepub.core.state import State
from sitepub.interfaces import Anything
from sitepub.local.clock import SystemClock
from sitepub.locking import LOCK_SECONDS
from sitepub.publishing import CONDITIONS
from sitepub.releases import Releases, Snapshot
from tests.commands.story import Story, hold_bucket
from tests.fire.sources import check_is, check_pages, make_version, write_version
from tests.fire.test_races import check_order, make_checkouts
from tests.support.builders import digest_of
from tests.support.forks import ForkServer
from tests.support.servers import ENVIRONMENT, S3Server

Tally = Callable[[str, int], None]
WEAKER = "ignores conditional writes"
AT_ONCE = 6


@pytest.fixture
def story(rclone: S3Server, tmp_path: Path, forks: ForkServer) -> Story:
    bucket = rclone.make_bucket()
    made = Story(
        tmp_path,
        target=f"store: s3://{bucket}\nendpoint_url: {rclone.endpoint_url}",
        environment=ENVIRONMENT,
        held=hold_bucket(rclone.client(), bucket),
        forks=forks,
    )
    made.configure()
    return made


def test_it_is_found_out_and_told(story: Story) -> None:
    first, second = write_version(story, 0), make_version(1)
    told = story.publish()
    assert any(WEAKER in warning for warning in told["warnings"])
    assert json.loads(story.held()[".sitepub/state.json"])["provisioned"] == {CONDITIONS: "ignored"}
    check_is(story, first)
    write_version(story, 1)
    assert WEAKER in story.run("publish").err
    check_is(story, second)
    story.run("rollback")
    check_is(story, first)
    assert not [key for key in story.held() if key.startswith(".sitepub/lock")]


def test_an_edit_by_hand_is_noticed(story: Story, rclone: S3Server) -> None:
    write_version(story, 0)
    story.publish()
    rclone.client().put_object(Bucket=story.target.split()[1].removeprefix("s3://"), Key="pages/3.html", Body=b"by hand")
    write_version(story, 1)
    assert "`pages/3.html`" in story.run("publish", status=1).err
    assert story.held()["pages/3.html"] == b"by hand"


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 13))])
def test_publishers_at_once_come_one_after_the_other(story: Story, tally: Tally, seed: int) -> None:
    count = 2 + seed % 5
    checkouts = make_checkouts(story, count + 1)
    checkouts[0].publish()
    racers = list(enumerate(checkouts[1:], 1))
    random.Random(seed).shuffle(racers)
    running = {number: checkout.start("publish", "--no-color", "--lock-timeout", "100") for number, checkout in racers}
    ended = {number: (process.communicate(timeout=200)[1].decode(), process.returncode) for number, process in running.items()}
    told = "\n".join(f"{number}: {status}\n{err}" for number, (err, status) in ended.items())
    assert all(status in (0, 9) for _, status in ended.values()), told
    assert ended[count][1] == 0, told
    check_pages(story)
    check_is(checkouts[count], make_version(count))
    check_order(checkouts[count])
    tally("races run on a server without conditions", 1)


def open_releases(store: S3Store) -> Releases:
    store.look_before_writing()
    return Releases(store, SystemClock(), lambda: secrets.token_hex(8))


def test_one_of_many_swaps(rclone: S3Server) -> None:
    address = rclone.make_address()
    runs = [open_releases(rclone.make_store(address)) for _ in range(AT_ONCE)]
    snapshot = runs[0].read_state()
    gate = threading.Barrier(AT_ONCE)

    def swap(run: Releases, before: Snapshot) -> bool:
        gate.wait()
        return run.swap(before, replace(before.state, seq=before.state.seq + 1, nonce=run.nonce())).is_ours

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for number in range(6):
            winners = sum(pool.map(lambda run: swap(run, snapshot), runs))  # noqa: B023
            assert winners == 1
            snapshot = runs[0].read_state()
            assert snapshot.state.seq == number + 1
    assert [there.key for there in rclone.make_store(address).list()] == ["state.json"]


def test_what_a_dead_run_left_holds_nobody_for_ever(rclone: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    store = rclone.make_store()
    releases = open_releases(store)
    for key in ("locks/0", "locks/z"):
        store.put(Key(key), b"", (), digest=digest_of(b""), expect=Anything())
    monkeypatch.setattr(S3Store, "age", lambda store, key: LOCK_SECONDS + 1.0 if key in ("locks/0", "locks/z") else 0.0)
    assert releases.swap(Snapshot(State(), None), State(nonce="n")).is_ours
    assert [there.key for there in store.list()] == ["state.json"]
