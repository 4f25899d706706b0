"""Where scanning and rewriting run: the processes of this machine, threads, or the workers of a Dask cluster, which all see the source.

All are a `concurrent.futures.Executor`, imported and started only once there is work for more than one batch: most runs have none.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from sitepub.errors import ConfigurationError, StoppedError
from sitepub.interfaces import Workers

if TYPE_CHECKING:
    from concurrent.futures import Future

THREADS, PROCESSES, DASK = "threads", "processes", "dask://"
INTERRUPTS = (signal.SIGINT, signal.SIGTERM)
_CONNECT_SECONDS = 20
_TRIES = 3
"""Times that a cluster does a batch again whose worker was lost."""

P = ParamSpec("P")
R = TypeVar("R")


class LateExecutor:
    """Made when the first batch is handed over. `close` ends what was made; it is told whether the run failed. `forks`: it starts processes."""

    def __init__(self, make: Callable[[], tuple[Workers, Callable[[bool], None]]], *, forks: bool = False) -> None:
        self._make = make
        self._forks = forks
        self._made: tuple[Workers, Callable[[bool], None]] | None = None

    def fork(self) -> None:
        """Starts its processes now, if it has any."""
        if self._forks:
            self._start()

    def submit(self, call: Callable[P, R], /, *arguments: P.args, **named: P.kwargs) -> Future[R]:
        return self._start().submit(call, *arguments, **named)

    def _start(self) -> Workers:
        if self._made is None:
            self._made = self._make()
        return self._made[0]

    def close(self, *, is_failed: bool) -> None:
        if self._made is not None:
            self._made[1](is_failed)


@contextmanager
def open_executor(kind: str) -> Iterator[LateExecutor]:
    """`kind`: `processes`, `threads`, or `dask://HOST:PORT` of a scheduler."""
    make = {THREADS: _make_threads, PROCESSES: _make_processes}.get(kind)
    executor = LateExecutor(make or (lambda: _make_cluster(kind.removeprefix(DASK))), forks=kind == PROCESSES)
    try:
        yield executor
    except BaseException:
        executor.close(is_failed=True)
        raise
    executor.close(is_failed=False)


def _make_threads() -> tuple[Workers, Callable[[bool], None]]:
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(os.cpu_count())
    return pool, lambda is_failed: pool.shutdown(cancel_futures=is_failed)


def _make_processes() -> tuple[Workers, Callable[[bool], None]]:
    from concurrent.futures import ProcessPoolExecutor

    pool = ProcessPoolExecutor(os.cpu_count(), initializer=_leave_interrupts_to_parent)
    try:
        _start_workers(pool)
    except BaseException:
        # an interrupt that came meanwhile: nobody else knows of the pool yet
        pool.shutdown(cancel_futures=True)
        raise
    return pool, lambda is_failed: pool.shutdown(cancel_futures=is_failed)


def _make_cluster(address: str) -> tuple[Workers, Callable[[bool], None]]:
    """Workers need the same sitepub, and the source under the same path. A batch whose worker is lost is done again by another one."""
    try:
        from distributed import Client
    except ImportError as error:
        hint = "`pip install 'sitepub[dask]'`, or set `executor: processes`"
        raise ConfigurationError("no-dask", "`executor` names a Dask cluster, and Dask is not installed", hint) from error
    try:
        client = Client(f"tcp://{address}", timeout=_CONNECT_SECONDS, set_as_default=False)
    except OSError as error:
        message = f"no Dask scheduler answers at `{address}`: {str(error).partition(chr(10))[0]}"
        raise ConfigurationError("unreachable-cluster", message, "start one with `dask scheduler`, or set `executor: processes`") from error
    if not client.scheduler_info()["workers"]:
        client.close()
        raise ConfigurationError(
            "no-workers", f"the Dask scheduler at `{address}` has no workers", f"`dask worker tcp://{address}` starts one"
        )

    def close(is_failed: bool) -> None:
        client.close()

    return _Cluster(client.get_executor(pure=False, retries=_TRIES)), close


class _Cluster:
    """What Dask raises of its own, once a batch has lost one worker after the other, in our words."""

    def __init__(self, executor: Workers) -> None:
        self._executor = executor

    def submit(self, call: Callable[P, R], /, *arguments: P.args, **named: P.kwargs) -> Future[R]:
        from concurrent.futures import Future

        given: Future[R] = self._executor.submit(call, *arguments, **named)
        answer: Future[R] = Future()
        given.add_done_callback(lambda done: _hand_on(done, answer))
        return answer


def _hand_on(done: Future[R], answer: Future[R]) -> None:
    """What a client gives up is lost to whoever waits for it; for what was given up here nobody does."""
    from concurrent.futures import CancelledError

    if not answer.set_running_or_notify_cancel():
        return
    failure = CancelledError("the scheduler is gone") if done.cancelled() else done.exception()
    if failure is None:
        answer.set_result(done.result())
    elif type(failure).__name__ in ("KilledWorker", "CancelledError", "FutureCancelledError"):
        message = f"the workers of the cluster were lost: {str(failure).partition(chr(10))[0]}"
        answer.set_exception(StoppedError("workers-lost", message, "look at the workers, then run it again; nothing was written"))
    else:
        answer.set_exception(failure)


def _start_workers(pool: Workers) -> None:
    """An interrupt that ends a worker before it has begun leaves a pool that waits for ever."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, INTERRUPTS)
    try:
        pool.submit(os.getpid)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _leave_interrupts_to_parent() -> None:
    """A terminal's Ctrl-C reaches workers too; the parent ends them in order."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, INTERRUPTS)
