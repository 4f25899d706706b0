"""What every released format wrote is read for ever: a target as that format left it is looked at, verified, rolled back and published to. A format
from the future is refused, with the way out, and nothing of it is touched.

`tests/recorded/format-N` was written by `sitepub publish`, twice, with another stylesheet and without `old.html` the second time. It is never written
anew: a new format gets a folder of its own beside it. `format-1-in-shards` is the same, with shards as of a large site, of 2 rows or so. In
`amended-documents` the second publish edited `about.html` and added `new.html`; its document names the first one's shard, and tells these itself.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

import sitepub
from sitepub.core.state_text import FORMAT as STATE_FORMAT
from sitepub.errors import ConfigurationError
from tests.commands.story import Story

RECORDED = Path(__file__).resolve().parent / "recorded"
FORMATS = sorted(path.name for path in RECORDED.glob("format-*"))


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"SITEPUB_CACHE": str(tmp_path / "cache"), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}


def copy(name: str, folder: Path) -> Path:
    return Path(shutil.copytree(RECORDED / name, folder / "site"))


def test_the_present_format_is_recorded() -> None:
    assert f"format-{STATE_FORMAT}" in FORMATS


@pytest.mark.parametrize("name", FORMATS)
def test_a_target_of_an_older_format_is_understood_whole(name: str, tmp_path: Path, environment: dict[str, str]) -> None:
    site = copy(name, tmp_path)
    seen = sitepub.status(site, environment=environment)
    assert [release.entries for release in seen.state.releases] == [2, 1]
    assert sitepub.plan(site, environment=environment).changes == ()
    assert Story(site).json("verify")["findings"] == []
    back = sitepub.rollback(site, environment=environment)
    assert back.release is not None
    assert (site / "store/old.html").read_text() == "<!doctype html><title>Old</title>\n", "from its pack"
    assert b"app.2118a27d8b4c.css" in (site / "store/index.html").read_bytes()
    published = sitepub.publish(site, environment=environment)
    assert {change.key for change in published.changes} >= {"index.html", "old.html"}
    assert Story(site).json("verify")["findings"] == []


def test_a_document_that_amends_its_shard_is_understood_whole(tmp_path: Path, environment: dict[str, str]) -> None:
    site = copy("amended-documents", tmp_path)
    assert [release.entries for release in sitepub.status(site, environment=environment).state.releases] == [2, 3]
    assert sitepub.plan(site, environment=environment).changes == ()
    assert Story(site).json("verify")["findings"] == []
    assert sitepub.rollback(site, environment=environment).release is not None
    assert (site / "store/about.html").read_text() == "<!doctype html><title>About</title><p>first\n"
    assert not (site / "store/new.html").exists()
    published = sitepub.publish(site, environment=environment)
    assert {change.key for change in published.changes} == {"about.html", "new.html"}
    assert Story(site).json("verify")["findings"] == []


def hold(site: Path) -> dict[str, bytes]:
    return {str(path.relative_to(site)): path.read_bytes() for path in sorted((site / "store").rglob("*")) if path.is_file()}


def refuse(site: Path, environment: dict[str, str], knows: str, *runs: Callable[..., object]) -> None:
    """Each of them refuses, says what to do, and writes nothing."""
    before = hold(site)
    for run in runs:
        with pytest.raises(ConfigurationError) as caught:
            run(site, environment=environment)
        assert f"this sitepub knows {knows}" in caught.value.message and "update sitepub" in caught.value.hint
    assert hold(site) == before


def test_a_state_from_the_future_is_refused(tmp_path: Path, environment: dict[str, str]) -> None:
    site = copy(f"format-{STATE_FORMAT}", tmp_path)
    path = site / "store/.sitepub/state.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": STATE_FORMAT + 1}))
    refuse(site, environment, "format 1", sitepub.status, sitepub.plan, sitepub.publish, sitepub.rollback)


def test_a_manifest_from_the_future_is_refused(tmp_path: Path, environment: dict[str, str]) -> None:
    site = copy(f"format-{STATE_FORMAT}", tmp_path)
    (site / "public/index.html").write_text("<p>so that the manifest is read")
    state = site / "store/.sitepub/state.json"
    told = state.read_text()
    for path in (site / "store/.sitepub/releases").iterdir():
        text = zstandard.ZstdDecompressor().decompressobj().decompress(path.read_bytes())
        newer = zstandard.compress(json.dumps({**json.loads(text), "format": 99}).encode())
        told = told.replace(hashlib.sha256(path.read_bytes()).hexdigest(), hashlib.sha256(newer).hexdigest())
        path.write_bytes(newer)
    state.write_text(told)
    refuse(site, environment, "formats 1, 2 and 3", sitepub.plan, sitepub.publish, sitepub.rollback)
