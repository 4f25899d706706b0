"""Hands that spoil a target behind sitepub's back: the same for a folder and for a bucket."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.commands.story import Done, Story


@dataclass(frozen=True, slots=True)
class Hand:
    """`put` writes bytes as another tool would, without a header of ours; `delete` takes a key away."""

    put: Callable[[str, bytes], None]
    delete: Callable[[str], None]


def folder_hand(root: Path) -> Hand:
    def put(key: str, body: bytes) -> None:
        path = root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)

    return Hand(put, lambda key: (root / key).unlink())


def bucket_hand(client: Any, bucket: str, prefix: str = "") -> Hand:
    def put(key: str, body: bytes) -> None:
        client.put_object(Bucket=bucket, Key=prefix + key, Body=body)

    return Hand(put, lambda key: client.delete_object(Bucket=bucket, Key=prefix + key))


def hand_of(story: Story) -> Hand:
    """Of the place that the story's target names."""
    named = dict(line.split(": ", 1) for line in story.target.splitlines())
    if named["store"].startswith("file:"):
        return folder_hand(story.root / named["store"].removeprefix("file:"))
    bucket, _, prefix = named["store"].removeprefix("s3://").partition("/")
    return bucket_hand(_client(named["endpoint_url"], story.environment), bucket, f"{prefix}/" if prefix else "")


def head_of(story: Story, key: str) -> Mapping[str, Any]:
    """What HEAD answers at a key of the story's bucket."""
    named = dict(line.split(": ", 1) for line in story.target.splitlines())
    bucket, _, prefix = named["store"].removeprefix("s3://").partition("/")
    client = _client(named["endpoint_url"], story.environment)
    answer: Mapping[str, Any] = client.head_object(Bucket=bucket, Key=f"{prefix}/{key}" if prefix else key)
    return answer


def forget_copies(story: Story) -> None:
    """As on a machine that has nothing but sitepub.yaml."""
    shutil.rmtree(Path(os.environ["HOME"]) / ".cache" / "sitepub", ignore_errors=True)
    shutil.rmtree(Path(os.environ.get("XDG_CACHE_HOME", "/nonexistent")) / "sitepub", ignore_errors=True)


def run_on_terminal(story: Story, *words: str, answer: str) -> Done:
    """The command with a terminal as its standard input; `answer` is typed."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        story.command(*words),
        cwd=story.root,
        env=story.whole_environment(),
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        os.write(ours, f"{answer}\n".encode())
        out, err = process.communicate(timeout=120)
    finally:
        while select.select([ours], [], [], 0)[0]:
            try:
                if not os.read(ours, 4096):
                    break
            except OSError:
                break
        os.close(ours)
    return Done(process.returncode, out.decode(), err.decode())


def _client(endpoint_url: str, environment: Mapping[str, str]) -> Any:
    from sitepub.aws.session import AwsSession

    return AwsSession(environment=environment).client("s3", endpoint_url=endpoint_url)
