"""From a request to a wish, where most of the site is as it was."""

from __future__ import annotations

import importlib.util
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sitepub import preparing
from sitepub.core.model import Key
from sitepub.library import Silence, publish
from sitepub.local import surveying
from sitepub.local.source import read_file
from sitepub.releases import Snapshot
from sitepub.request import read_request
from sitepub.wiring import look_at_target


def write(path: Path, text: str, *, at: int = 1_000_000_000) -> None:
    """Long ago, so that its time tells whether it changed."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    os.utime(path, (at, at))


def test_the_whole_site_is_built_once_though_many_ask_for_its_bodies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(8):
        write(tmp_path / "public" / f"{number}.html", f"<p>{number}")
    (tmp_path / "sitepub.yaml").write_text("source: public\ntargets: {there: {store: 'file:out'}}\n")
    environment = {**os.environ, "SITEPUB_CACHE": str(tmp_path / "cache")}
    publish(tmp_path, environment=environment)
    write(tmp_path / "public" / "0.html", "<p>changed")
    request = read_request(tmp_path, None, None, environment)
    prepared = preparing.prepare(request, look_at_target(request.config, request.target, environment), Silence(), may_patch=True)
    assert prepared.site is None and prepared.wish is not None
    wish, build, built = prepared.wish, preparing.build_wish, list[int]()

    def build_slowly(*arguments: object) -> object:
        built.append(1)
        time.sleep(0.1)
        return build(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(preparing, "build_wish", build_slowly)
    with ThreadPoolExecutor(4) as pool:
        bodies = list(pool.map(lambda number: wish.supply(wish.manifest.artifacts[Key(f"{number}.html")]), range(8)))
    assert bodies == [b"<p>changed", *(b"<p>%d" % number for number in range(1, 8))]
    assert len(built) == 1


def test_a_rebuild_with_another_stylesheet_scans_that_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = {f"{number}.html": f"<link rel=stylesheet href=a.css><p>{number}" for number in range(8)}
    for name, text in {**pages, "a.css": "a{}"}.items():
        write(tmp_path / "public" / name, text)
    (tmp_path / "sitepub.yaml").write_text("source: public\ntargets: {there: {store: 'file:out'}}\n")
    environment = {**os.environ, "SITEPUB_CACHE": str(tmp_path / "cache")}
    publish(tmp_path, environment=environment)
    for name, text in {**pages, "a.css": "b{}"}.items():
        write(tmp_path / "public" / name, text, at=1_000_000_001)
    surveyed: list[str] = []
    monkeypatch.setattr(surveying, "read_file", lambda root, file: surveyed.append(file.path) or read_file(root, file))
    account = publish(tmp_path, environment=environment)
    assert set(surveyed) == {"a.css"}
    assert account.changes and (tmp_path / "out/0.html").read_text() != pages["0.html"]


@pytest.mark.parametrize(
    ("answers_after", "imported"), [(None, ()), (0, ("one", "two", "three")), (2, ("one", "two")), (3, ("one", "two", "three"))]
)
def test_what_changes_need_is_imported_while_a_distant_target_is_awaited(
    answers_after: int | None, imported: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None: it answers at once. 0: only after all of them."""
    write(tmp_path / "public/index.html", "<p>")
    (tmp_path / "sitepub.yaml").write_text("source: public\ntargets: {there: {store: 'file:out'}}\n")
    environment = {**os.environ, "SITEPUB_CACHE": str(tmp_path / "cache")}
    request = read_request(tmp_path, None, None, environment)
    sight = look_at_target(request.config, request.target, environment)
    answers, seen, read = threading.Event(), list[str](), sight.releases.read_state

    def read_late() -> Snapshot:
        assert answers.wait(1 if answers_after == 0 else 30) or answers_after == 0
        return read()

    def import_one(name: str) -> None:
        seen.append(name)
        if len(seen) == answers_after:
            answers.set()
            time.sleep(0.2)

    if answers_after is None:
        answers.set()
    monkeypatch.setattr(sight.releases, "read_state", read_late)
    monkeypatch.setattr(preparing, "DISTANT_SECONDS", 30 if answers_after is None else 0.01)
    monkeypatch.setattr(preparing, "AHEAD", ("one", "two", "three"))
    monkeypatch.setattr(preparing, "import_module", import_one)
    assert preparing.prepare(request, sight, Silence()).wish is not None
    assert tuple(seen) == imported


def test_what_is_imported_ahead_is_there() -> None:
    assert all(importlib.util.find_spec(name) for name in preparing.AHEAD)
