"""One way of scanning and rewriting, whatever runs it: threads, processes, or the workers of a real Dask cluster, of which one is killed meanwhile."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sitepub.commands.progress import NoProgress
from sitepub.core.model import Digest
from sitepub.core.settings import Config, FolderAddress, Target
from sitepub.errors import ConfigurationError, StoppedError
from sitepub.local import batches
from sitepub.local.cache import open_cache
from sitepub.local.executors import LateExecutor, _Cluster, open_executor
from sitepub.local.source import scan_source
from sitepub.site import build_site
from sitepub.site_bodies import supply_body

PAGES = 60


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site of several batches: pages that load a stylesheet, which loads an image."""
    monkeypatch.setattr(batches, "BATCH_FILES", 7)
    public = tmp_path / "public"
    public.mkdir()
    (public / "a.css").write_text("body { background: url(b.png) }")
    (public / "b.png").write_bytes(b"\x89PNG")
    for number in range(PAGES):
        (public / f"{number}.html").write_text(f"<link rel=stylesheet href=a.css><p>{number}</p>")
    return public


def build(folder: Path, executor: Executor | None) -> tuple[Any, dict[str, bytes]]:
    """The manifest, and every body."""
    source = scan_source(folder)
    target = Target("t", FolderAddress(folder.parent / "out"))
    config = Config(folder.parent / "sitepub.yaml", folder, {"t": target})
    with closing(open_cache(None)) as cache:
        site = build_site(source, config, target, cache=cache, executor=executor, has_distribution=False, progress=NoProgress())
    files = {file.path: file for file in source.files}
    bodies = {}
    for key, artifact in site.manifest.artifacts.items():
        recipe = site.recipes[key]
        bodies[key] = bytes(supply_body(source, files[recipe.source] if recipe.source else None, recipe, artifact))  # type: ignore[arg-type]
    return site.manifest, bodies


class Witness(Executor):
    """Hands on, and does something once after the first few batches."""

    def __init__(self, executor: Executor, then: Callable[[], None] = lambda: None) -> None:
        self.executor = executor
        self.then = then
        self.submitted = 0

    def submit(self, call: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        self.submitted += 1
        future = self.executor.submit(call, *arguments, **named)
        if self.submitted == 3:
            self.then()
        return future


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_what_comes_out_is_the_same_wherever_it_is_made(folder: Path, kind: str) -> None:
    expected = build(folder, None)
    with open_executor(kind) as executor:
        witness = Witness(executor)
        assert build(folder, witness) == expected
    assert witness.submitted > 10


def test_nothing_is_started_for_a_single_batch(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "BATCH_FILES", 1000)

    def refuse() -> Any:
        raise AssertionError("started")

    build(folder, LateExecutor(refuse))


def test_a_worker_that_is_killed_is_told_with_the_way_out(folder: Path) -> None:
    """As the kernel does where memory is short. All of them: one might leave the others all that is left to do."""

    def kill() -> None:
        for worker in multiprocessing.active_children():
            os.kill(worker.pid or 0, signal.SIGKILL)

    with open_executor("processes") as executor, pytest.raises(StoppedError) as caught:
        build(folder, Witness(executor, then=kill))
    assert caught.value.code == "worker-killed" and "executor: threads" in caught.value.hint


class Handing(Executor):
    """Of the one future it gives, the test says what becomes."""

    def __init__(self) -> None:
        self.given: Future[Any] = Future()

    def submit(self, call: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        return self.given


def test_what_a_cluster_gives_up_is_not_waited_for() -> None:
    """As where its scheduler goes away."""
    cluster = Handing()
    answer = _Cluster(cluster).submit(Digest, "x")
    cluster.given.cancel()
    failure = answer.exception(timeout=0)
    assert isinstance(failure, StoppedError) and failure.code == "workers-lost"


@pytest.mark.parametrize("end", [lambda given: given.set_result(1), lambda given: given.cancel()], ids=["answered", "given up"])
def test_what_nobody_waits_for_any_more_is_left_in_silence(end: Callable[[Future[Any]], object], caplog: pytest.LogCaptureFixture) -> None:
    """A batch of a cluster that is answered, or given up with its client, after another one has failed."""
    cluster = Handing()
    answer = _Cluster(cluster).submit(Digest, "x")
    assert answer.cancel()
    end(cluster.given)
    assert caplog.records == []


@pytest.fixture
def cluster() -> Iterator[Any]:
    distributed = pytest.importorskip("distributed", reason="`distributed` is not installed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1", silence_logs=50
    ) as started:
        yield started


def test_a_cluster_makes_the_same_though_a_worker_is_killed_in_the_middle(folder: Path, cluster: Any) -> None:
    expected = build(folder, None)
    address = cluster.scheduler_address.removeprefix("tcp://")
    pids = [nanny.pid for nanny in cluster.workers.values()]
    with open_executor(f"dask://{address}") as executor:
        witness = Witness(executor, then=lambda: os.kill(pids[0], signal.SIGKILL))
        assert build(folder, witness) == expected
    assert witness.submitted > 10
    assert os.getpid() not in pids


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="`distributed` is not installed")
    monkeypatch.setattr("sitepub.local.executors._CONNECT_SECONDS", 1)
    with (
        pytest.raises(ConfigurationError, match=r"no Dask scheduler answers at `127\.0\.0\.1:9`"),
        open_executor("dask://127.0.0.1:9") as executor,
    ):
        executor.submit(Digest, "x")
