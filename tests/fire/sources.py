"""Versions of a source for real processes, and what must be true of the target that they publish to."""

from __future__ import annotations

import hashlib
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.commands.story import Story

PAGES = 24
_HASHED = re.compile(rb"\.[0-9a-f]{12}(?=\.css)")
_HREF = re.compile(rb'href="/?([^"]*)"')


def make_version(number: int, pages: int = PAGES) -> dict[str, str]:
    """Each has pages of its own, pages that change, and pages that come back."""
    style = f"body {{ margin: {number}px }}\n"
    page = '<!doctype html><link rel="stylesheet" href="/app.css"><p>{} of {}\n'
    return {
        "app.css": style,
        "index.html": page.format("front", number),
        **{f"pages/{each}.html": page.format(each, number) for each in range(pages)},
        **{f"now-and-then/{each}.html": f"<p>{number % 2}" for each in range(4)},
        f"only-{number}.html": page.format("only", number),
        "same.html": "<!doctype html><p>always\n",
    }


def write_version(story: Story, number: int) -> dict[str, str]:
    for path in sorted((story.root / "public").rglob("*"), reverse=True):
        if path.is_file():
            path.unlink()
    files = make_version(number)
    story.write(files)
    return files


def check_pages(story: Story) -> int:
    """Every page that stands there finds what it loads. Returns the number of loads."""
    site = {key: body for key, body in story.held().items() if not key.startswith(".sitepub/")}
    loads = [(key, loaded.decode()) for key, body in site.items() if key.endswith(".html") for loaded in _HREF.findall(body)]
    broken = [f"{key} -> {loaded}" for key, loaded in loads if loaded not in site]
    assert not broken, broken
    return len(loads)


def check_is(story: Story, files: Mapping[str, str]) -> None:
    """Exactly these files are live: taking the hashes out gives back the source, and the names are those of the bytes."""
    held = story.held()
    site = {key: body for key, body in held.items() if not key.startswith(".sitepub/")}
    for path, text in files.items():
        assert _HASHED.sub(b"", site[path]) == text.encode(), path
        if path.endswith(".css"):
            name = f"{path.removesuffix('.css')}.{hashlib.sha256(text.encode()).hexdigest()[:12]}.css"
            assert site[name] == text.encode()
            assert all(name.encode() in body for key, body in site.items() if path.encode() in _HASHED.sub(b"", body)), path
    assert {key for key in site if not key.endswith(".css")} == {path for path in files if not path.endswith(".css")}
    status = story.json("status")
    assert (status["pending"], status["owed"]) == (None, [])


@dataclass(frozen=True, slots=True)
class Visitor:
    """Loads pages from the bucket itself, each with all that it loads, one after the other."""

    client: Any
    bucket: str
    prefix: str

    def load_all(self) -> int:
        """Raises where a page that was just loaded does not find what it loads. Returns the number of loads."""
        listed = self.client.list_objects_v2(Bucket=self.bucket, Prefix=self.prefix).get("Contents", ())
        pages = [found["Key"] for found in listed if found["Key"].endswith(".html")]
        return sum(self._load(page) for page in pages)

    def _load(self, page: str) -> int:
        body = self._get(page)
        loads = _HREF.findall(body or b"")
        for loaded in loads:
            assert self._get(self.prefix + loaded.decode()) is not None, f"{page} does not find {loaded.decode()}"
        return len(loads)

    def _get(self, key: str) -> bytes | None:
        try:
            body: bytes = self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except self.client.exceptions.NoSuchKey:
            return None
        return body


def git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()
