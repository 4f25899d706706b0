"""Sites that were not written here, published to a folder and to a real S3 server, changed, published again, every reference checked by
independent parsers. `tests/get_sites` gets them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.independent import loads_of_page, loads_of_style, path_of
from tests.support.servers import S3Server

SITES = Path(__file__).resolve().parent.parent / ".sites"
HASHED = re.compile(r"\.[0-9a-f]{12}(?=\.[^./]+$)")

pytestmark = pytest.mark.real


@dataclass(frozen=True)
class RealSite:
    """`image`: a file that pages or styles load; `style`, `page`: what the test edits besides."""

    folder: str
    style: str
    page: str
    image: str


REAL = {
    "python docs": RealSite("debian/usr/share/doc/python3.11/html", "_static/pygments.css", "library/os.html", "_static/py.svg"),
    "git docs": RealSite("debian/usr/share/doc/git/html", "", "git-add.html", ""),
    "reveal.js": RealSite("npm/node_modules/reveal.js", "dist/reveal.css", "index.html", ""),
    "swagger ui": RealSite("npm/node_modules/swagger-ui-dist", "swagger-ui.css", "index.html", "favicon-32x32.png"),
    "font awesome": RealSite("npm/node_modules/@fortawesome/fontawesome-free", "css/all.css", "", "webfonts/fa-solid-900.woff2"),
}


@dataclass
class Published:
    """A copy of a real site that may be edited, its target, and how to look at what stands there."""

    root: Path
    read: Callable[[], Mapping[str, bytes]]
    environment: Mapping[str, str]

    def publish(self) -> dict[str, object]:
        command = [sys.executable, "-m", "sitepub", "publish", "--json", "-q", "-C", str(self.root)]
        done = subprocess.run(command, env={**os.environ, **self.environment}, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        account: dict[str, object] = json.loads(done.stdout)
        return account


LONG = {("python docs", "folder"), ("python docs", "s3"), ("font awesome", "s3"), ("git docs", "s3"), ("git docs", "folder")}
"""A quarter of a minute and more."""

CASES = [
    pytest.param((name, store), id=f"{store}-{name}", marks=[pytest.mark.slow] if (name, store) in LONG else [])
    for name in sorted(REAL)
    for store in ("folder", "s3")
]


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> tuple[str, str]:
    name, store = request.param
    if not (SITES / REAL[name].folder).is_dir():
        pytest.skip(f"{name} is not here: run tests/get_sites")
    return name, store


@pytest.fixture
def real(case: tuple[str, str]) -> RealSite:
    return REAL[case[0]]


@pytest.fixture
def published(case: tuple[str, str], real: RealSite, request: pytest.FixtureRequest, tmp_path: Path) -> Published:
    # links are followed: Debian's pages link to scripts of other packages
    copy_site(SITES / real.folder, tmp_path / "public")
    if case[1] == "folder":
        (tmp_path / "sitepub.yaml").write_text("source: public\ntargets: {t: {store: 'file:out'}}\n")
        return Published(tmp_path, lambda: read_folder(tmp_path / "out"), {})
    server: S3Server = request.getfixturevalue("seaweedfs")
    bucket = server.make_bucket()
    target = f"{{store: 's3://{bucket}/site', endpoint_url: '{server.endpoint_url}'}}"
    (tmp_path / "sitepub.yaml").write_text(f"source: public\ntargets: {{t: {target}}}\n")
    return Published(tmp_path, lambda: read_bucket(server, bucket, "site/"), server.environment)


def copy_site(source: Path, copy: Path) -> None:
    """With what links lead to, without links that lead nowhere (into packages that are not here)."""

    def leave_out(folder: str, names: list[str]) -> list[str]:
        return [name for name in names if not (Path(folder) / name).exists()]

    shutil.copytree(source, copy, ignore=leave_out)


def read_folder(root: Path) -> Mapping[str, bytes]:
    files = (path for path in root.rglob("*") if path.is_file() and ".sitepub" not in path.parts)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


def read_bucket(server: S3Server, bucket: str, prefix: str) -> Mapping[str, bytes]:
    client = server.client()
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [found["Key"] for page in pages for found in page.get("Contents", ())]
    site = [key for key in keys if not key.startswith(f"{prefix}.sitepub/")]
    with ThreadPoolExecutor(8) as pool:
        bodies = pool.map(lambda key: client.get_object(Bucket=bucket, Key=key)["Body"].read(), site)
        return {key.removeprefix(prefix): body for key, body in zip(site, bodies, strict=True)}


def test_a_real_site_is_published_whole_and_again_by_its_changes_alone(published: Published, real: RealSite) -> None:
    source = read_folder(published.root / "public")
    first = published.publish()
    assert first["release"] is not None
    held = published.read()
    check_same_site(source, held)

    again = published.publish()
    assert (again["release"], again["changes"], again["requests"]) == (None, [], {"store": 1, "cdn": 0})

    for path in filter(None, (real.style, real.page, real.image)):
        with (published.root / "public" / path).open("ab") as file:
            file.write(b"\n<!-- edited -->\n" if path.endswith((".html", ".svg")) else b"\n")
    edited = published.publish()
    check_same_site(read_folder(published.root / "public"), published.read())
    changed = {change["source"] for change in edited["changes"]}  # type: ignore[attr-defined]
    assert changed == expected_changes(source, {real.style, real.page, real.image} - {""})
    assert published.publish()["release"] is None


def expected_changes(source: Mapping[str, bytes], edited: set[str]) -> set[str]:
    """What was edited and all that loads it, directly or not, as independent parsers see it."""
    loads = {
        path: {found for url in loads_in(path, body) if (found := path_of(url, path)) in source}
        for path, body in source.items()
        if path.endswith((".html", ".css"))
    }
    changed = set(edited)
    while True:
        more = {path for path, targets in loads.items() if targets & changed} - changed
        if not more:
            return changed
        changed |= more


def loads_in(path: str, body: bytes) -> list[str]:
    return loads_of_page(body) if path.endswith(".html") else loads_of_style(body)


def check_same_site(source: Mapping[str, bytes], held: Mapping[str, bytes]) -> None:
    """Every file is there under its own or a hashed name; each reference that led to a file leads to the same file, under a hashed name if
    a page loads it; taking the digests out gives the source back."""
    plain = {HASHED.sub("", key): key for key in held}
    assert set(plain) == {path for path in source if not path.split("/")[-1].startswith(".")}
    checked = 0
    for path, body in source.items():
        if not path.endswith((".html", ".css")):
            continue
        ours = held[plain[path]]
        before, after = loads_in(path, body), loads_in(path, ours)
        assert len(before) == len(after), path
        for old, new in zip(before, after, strict=True):
            old_path, new_path = path_of(old, path), path_of(new, plain[path])
            if old_path not in source:
                assert old == new, f"{path}: {old} leads nowhere, and became {new}"
                continue
            assert new_path in held, f"{path}: {old} became {new}, which is not there"
            assert HASHED.sub("", new_path) == old_path, f"{path}: {old} became {new}"
            checked += 1
    assert checked > 0
