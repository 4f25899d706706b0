"""A small site, its sitepub.yaml and its target, and the real command line run on them as a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.forks import ForkServer

REPOSITORY = Path(__file__).resolve().parents[2]

STYLE = "body { background: url(img/sky.svg) }\n"
SITE: Mapping[str, str] = {
    "index.html": '<!doctype html><title>Front</title><link rel="stylesheet" href="app.css"><img src="img/sky.svg" alt="">\n',
    "docs/index.html": '<!doctype html><title>Docs</title><link rel="stylesheet" href="/app.css">\n',
    "about.html": "<!doctype html><title>About</title>\n",
    "app.css": STYLE,
    "img/sky.svg": '<svg xmlns="http://www.w3.org/2000/svg"/>\n',
    "robots.txt": "User-agent: *\n",
}


@dataclass(frozen=True, slots=True)
class Done:
    """What a command that has ended said."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(slots=True)
class Story:
    """`forks`: what runs its commands; None: each is started anew. `held`: all that stands in the target, sitepub's own too. `target`: lines of the target in sitepub.yaml."""

    root: Path
    target: str = "store: file:out"
    environment: Mapping[str, str] = field(default_factory=dict)
    held: Callable[[], Mapping[str, bytes]] = dict
    forks: ForkServer | None = None

    def write(self, files: Mapping[str, str | bytes], folder: str = "public") -> None:
        for name, content in files.items():
            path = self.root / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    def configure(self, more: str = "", *, target: str = "") -> None:
        """`more`: lines of sitepub.yaml; `target`: more keys of the target."""
        lines = [*self.target.splitlines(), *target.splitlines()]
        body = "".join(f"    {line}\n" for line in lines)
        (self.root / "sitepub.yaml").write_text(f"source: public\ntargets:\n  there:\n{body}{more}")

    def run(self, *words: str, status: int = 0, environment: Mapping[str, str] | None = None, launcher: str = "") -> Done:
        """Fails where the exit status is not `status`. `launcher`: a Python program that runs sitepub instead of `-m sitepub`."""
        told = self._run(words, launcher, self.whole_environment(environment))
        assert told.status == status, f"exit status {told.status}, not {status}\n{told.out}{told.err}"
        return told

    def _run(self, words: tuple[str, ...], launcher: str, environment: dict[str, str]) -> Done:
        if self.forks is not None and self.forks.suits(environment):
            status, out, err = self.forks.run(words, launcher=launcher, folder=self.root, environment=environment, timeout=120)
            return Done(status, out.decode(), err.decode())
        done = subprocess.run(
            self.command(*words, launcher=launcher),
            cwd=self.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=120,
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    def start(self, *words: str, **options: Any) -> subprocess.Popen[bytes]:
        """The same, still running."""
        return subprocess.Popen(
            self.command(*words), cwd=self.root, env=self.whole_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
        )

    def json(self, *words: str, status: int = 0, **options: Any) -> Any:
        return self.run(*words, "--json", status=status, **options).json

    def publish(self, *words: str, status: int = 0, **options: Any) -> Any:
        return self.json("publish", *words, status=status, **options)

    def command(self, *words: str, launcher: str = "") -> list[str]:
        return [sys.executable, *(["-c", launcher] if launcher else ["-m", "sitepub"]), *words]

    def whole_environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        whole = {**os.environ, "PYTHONPATH": str(REPOSITORY), **self.environment, **(more or {})}
        return {name: value for name, value in whole.items() if value != ""}

    def site(self) -> dict[str, str]:
        """The site's own keys, for people: hashed names as `app.HASH.css`."""
        return {key: body.decode("utf-8", "replace") for key, body in sorted(self.held().items()) if not key.startswith(".sitepub/")}


def hold_folder(root: Path) -> Callable[[], Mapping[str, bytes]]:
    """Of a folder that may be written meanwhile."""

    def held() -> Mapping[str, bytes]:
        while True:
            with suppress(FileNotFoundError):
                return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}

    return held


def hold_bucket(client: Any, bucket: str, prefix: str = "") -> Callable[[], Mapping[str, bytes]]:
    """What has the ETag that it had is not read again."""
    known: dict[tuple[str, str], bytes] = {}

    def read(key: str, etag: str) -> bytes:
        if (key, etag) not in known:
            found = client.get_object(Bucket=bucket, Key=key)
            body: bytes = found["Body"].read()
            known[key, found["ETag"]] = body
            return body
        return known[key, etag]

    def held() -> Mapping[str, bytes]:
        while True:
            pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            listed = {found["Key"]: found["ETag"] for page in pages for found in page.get("Contents", ())}
            # a server may list for a moment what was deleted
            with suppress(client.exceptions.NoSuchKey):
                return {key.removeprefix(prefix): read(key, etag) for key, etag in listed.items()}

    return held


def reasons(account: Mapping[str, Any]) -> dict[str, str]:
    """What a plan or a publish says of each key: action and reason."""
    return {change["key"]: f"{change['action']}: {change['reason']}" for change in account["changes"]}
