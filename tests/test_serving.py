"""The local site: what it says to pages that load again, what it leaves open, and whose error page it shows."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from msgspec.structs import replace
from werkzeug.test import Client

from sitepub.core.edge import make_edge_rules
from sitepub.core.manifest import make_manifest
from sitepub.core.model import Key
from sitepub.core.reloading import Built
from sitepub.core.settings import Config, FolderAddress, Target, UrlStyle
from sitepub.interfaces import FileBody
from sitepub.request import Request
from sitepub.serving import LocalSite, ServedSite
from sitepub.serving_live import STREAM, LiveReload
from sitepub.showing import look_around
from sitepub.wiring import Sight
from tests.support.builders import RecordingCdn, World, artifact


def name_run() -> str:
    """As a page learns it from a server that has gone again."""
    answer = LiveReload().answer(STREAM)
    assert answer is not None
    said = iter(answer.iter_encoded())
    told = [next(said).decode(), next(said).decode()][1]
    answer.close()
    return told


def test_each_run_of_the_server_has_a_name_of_its_own() -> None:
    assert len({name_run() for _ in range(8)}) == 8


def test_a_part_that_is_not_there_leaves_no_file_open(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(b"film")
    film = artifact("film.mp4", b"film")
    site = ServedSite(
        manifest=make_manifest([film]),
        supply=lambda wanted: FileBody(tmp_path / "film.mp4", wanted.size, wanted.body),
        built=Built({}, {}),
        rules=make_edge_rules([], url_path="/", url_style=UrlStyle.DIRECTORY),
        times={},
    )
    with warnings.catch_warnings(record=True) as left_open:
        warnings.simplefilter("always")
        answer = Client(LocalSite(site)).get("/film.mp4", headers={"Range": "bytes=99-"})
    assert (answer.status_code, left_open) == (416, [])


@pytest.mark.parametrize(
    ("pages", "shown"),
    [
        ((("/error.html", 500), ("/not-found.html", 404)), ("not-found.html", 404)),
        ((("/index.html", 200),), ("index.html", 200)),
        ((("/error.html", 503),), ("404.html", 404)),
    ],
    ids=["beside a page for faults", "of an application", "only for faults"],
)
def test_what_is_missing_is_answered_as_the_distribution_does(
    pages: tuple[tuple[str, int], ...], shown: tuple[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = RecordingCdn.facts
    monkeypatch.setattr(RecordingCdn, "facts", lambda cdn: replace(facts(cdn), error_pages=pages))
    edges = World(cdn=RecordingCdn()).edges()
    target = Target("there", FolderAddress(tmp_path), distribution="E1TEST")
    sight = Sight(target, edges.store, edges.records, edges.releases, edges.clock, lambda state: edges.cdn)
    request = Request(Config(tmp_path / "sitepub.yaml", tmp_path, {"there": target}), target, {})
    assert look_around(request, sight).error_page == (Key(shown[0]), shown[1])
