"""Commands as processes of their own, without the half second that Python takes to import their libraries: a server has imported all of them,
and forks for each command. Two thirds of what the command line's tests took were imports."""

from __future__ import annotations

import json
import os
import pkgutil
import runpy
import select
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
_AT_START = ("PYTHON", "LANG", "LC_", "LD_", "PATH", "TZ")
"""Variables that a process reads when it starts, or an import: with others than the server's own nothing is forked."""

_READ_ONCE = {
    "html": b"<!doctype html><title>x</title><link rel=stylesheet href=a.css><style>a { color: red }</style><script type=module>import './a.js'</script>",
    "css": b"@import 'a.css'; a { background: url(a.png) }",
    "javascript": b"import './a.js'; new URL('a.png', import.meta.url)",
    "xml": b"<svg xmlns='http://www.w3.org/2000/svg'><image href='a.png'/></svg>",
}


class ForkServer:
    """Safe from many threads. `run` raises subprocess.TimeoutExpired."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._environment = _at_start(os.environ | {"PYTHONPATH": str(REPOSITORY)})

    def suits(self, environment: Mapping[str, str]) -> bool:
        return _at_start(environment) == self._environment

    def run(
        self, words: Sequence[str], *, launcher: str, folder: Path, environment: Mapping[str, str], timeout: float
    ) -> tuple[int, bytes, bytes]:
        """Exit status, standard output and error of `python -m sitepub`, or of a program of its own."""
        asked = {"words": list(words), "launcher": launcher, "folder": str(folder), "environment": dict(environment)}
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, socket.socket(socket.AF_UNIX) as line:
            line.connect(self._address)
            socket.send_fds(line, [b"\n"], [out.fileno(), err.fileno()])
            line.sendall(json.dumps(asked).encode())
            line.shutdown(socket.SHUT_WR)
            status = _await_status(line, words, timeout)
            out.seek(0)
            err.seek(0)
            return status, out.read(), err.read()


@contextmanager
def serve_forks() -> Iterator[ForkServer]:
    with tempfile.TemporaryDirectory() as folder:
        address = f"{folder}/line"
        environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
        command = [sys.executable, "-m", "tests.support.forks", address]
        with subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
            assert server.stdin and server.stdout
            assert server.stdout.readline() == b"ready\n"
            yield ForkServer(address)
            server.stdin.close()  # ends it


@pytest.fixture(scope="session")
def forks(nets: Path) -> Iterator[ForkServer]:
    with serve_forks() as server:
        yield server


def _at_start(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(_AT_START)}


def _await_status(line: socket.socket, words: Sequence[str], timeout: float) -> int:
    line.settimeout(timeout)
    with line.makefile("r") as told:
        process = int(told.readline())
        try:
            return int(told.readline())
        except TimeoutError:
            os.kill(process, 9)
            raise subprocess.TimeoutExpired(list(words), timeout) from None


# ---- the server


def _serve(address: str) -> tuple[dict[str, object], list[int]]:
    """Returns in the forked process alone: with what it is to run, and where its output goes."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(64)
    _import_all()
    assert threading.active_count() == 1, "what is forked has one thread"
    print("ready", flush=True)
    while True:
        readable, _, _ = select.select([listener, sys.stdin], [], [])
        if sys.stdin in readable:
            os._exit(0)
        line, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            return _answer(line)
        line.close()
        _reap()


def _answer(line: socket.socket) -> tuple[dict[str, object], list[int]]:
    _, outputs, _, _ = socket.recv_fds(line, 1, 2)
    asked = json.loads(b"".join(iter(lambda: line.recv(1 << 16), b"")))
    process = os.fork()
    if process == 0:
        line.close()
        return asked, outputs
    line.sendall(f"{process}\n".encode())
    _, status = os.waitpid(process, 0)
    line.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def _import_all() -> None:
    import boto3  # noqa: F401 - with all that a client needs
    import botocore.session  # noqa: F401
    import obstore.store  # noqa: F401

    import sitepub

    for module in pkgutil.walk_packages(sitepub.__path__, "sitepub."):
        if not module.name.endswith("__main__"):
            __import__(module.name)
    _make_ready()


def _make_ready() -> None:
    """What is imported, read and compiled only once it is needed: clients of botocore, and the patterns of the scanners."""
    from sitepub.aws.session import AwsSession
    from sitepub.core.references import Language, scan

    for language, text in _READ_ONCE.items():
        scan(Language(language), text)
    session = AwsSession(environment={"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}, region="us-east-1")
    for service in ("s3", "cloudfront"):
        session.client(service, endpoint_url="http://127.0.0.1:1")


def _run(asked: dict[str, object], outputs: list[int]) -> NoReturn:
    """To the interpreter's own end, as any process."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    for standard, file in enumerate((nothing, *outputs)):
        os.dup2(file, standard)
        os.close(file)
    os.chdir(str(asked["folder"]))
    os.environ.clear()
    os.environ.update(asked["environment"])  # type: ignore[call-overload]
    words: list[str] = asked["words"]  # type: ignore[assignment]
    if asked["launcher"]:
        sys.argv = ["-c", *words]
        exec(compile(str(asked["launcher"]), "<string>", "exec"), {"__name__": "__main__"})
    else:
        sys.argv = [f"{REPOSITORY}/sitepub/__main__.py", *words]
        runpy.run_module("sitepub", run_name="__main__", alter_sys=True)
    sys.exit()


if __name__ == "__main__":
    _run(*_serve(sys.argv[1]))
