"""Files that a generator wrote anew: which of them hold other bytes, told without a scanner."""

from __future__ import annotations

import time
from collections.abc import Iterable
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

import pytest

from sitepub import site_rereading
from sitepub.core.model import SourcePath
from sitepub.errors import ConfigurationError
from sitepub.interfaces import SourceFile
from sitepub.local.cache import Cache, open_cache
from sitepub.local.source import FolderSource, scan_source
from sitepub.local.surveying import survey_batch
from sitepub.site_rereading import FIRST_FILES, remember_same, reread
from tests.support.building import LONG_AGO, build_tree, make_config, write_tree

SITE = {f"page{number:03}.html": f"<p>{number}" for number in range(4 * FIRST_FILES)}


class Counted(FolderSource, frozen=True, kw_only=True):
    """A source that notes what was asked for, as one does that has to bring files first."""

    brought: list[SourcePath]

    def bring(self, files: Iterable[SourceFile]) -> None:
        self.brought.extend(file.path for file in files)


def differing(root: Path, cache: Cache, executor: Executor | None = None, *, changed: Iterable[str] | None = None) -> list[str] | None:
    source, config = scan_source(root), make_config(root)
    files = [file for file in source.files if changed is None or file.path in changed]
    counted = Counted(source.root, source.files, brought=[])
    found = reread(counted, config, config.targets["local"], files, cache=cache, executor=executor)
    assert found is None or set(counted.brought) <= {file.path for file in files}
    return None if found is None else [file.path for file in found.differing]


@pytest.fixture
def built(tmp_path: Path) -> tuple[Path, Cache]:
    """A site that was built, all of whose files were written anew since, with the same bytes."""
    cache, root = open_cache(None), tmp_path / "site"
    build_tree(root, SITE, cache=cache, config=make_config(root))
    write_tree(root, SITE, mtime=LONG_AGO + 1)
    return root, cache


def test_what_was_written_anew_as_it_was_does_not_differ(built: tuple[Path, Cache]) -> None:
    assert differing(*built) == []


@pytest.mark.parametrize("number", [0, FIRST_FILES - 1, FIRST_FILES, len(SITE) - 1])
def test_one_other_page_is_found_of_the_same_size_too(number: int, built: tuple[Path, Cache]) -> None:
    root, _ = built
    name = f"page{number:03}.html"
    write_tree(root, {name: SITE[name].swapcase().replace("P", "b")}, mtime=LONG_AGO + 1)
    assert differing(*built) == [name]


def test_where_most_differ_the_rest_is_left_to_whoever_scans_it(built: tuple[Path, Cache]) -> None:
    root, _ = built
    write_tree(root, {name: text + "<p>more" for name, text in SITE.items()}, mtime=LONG_AGO + 1)
    last = f"page{len(SITE) - 1:03}.html"
    write_tree(root, {last: SITE[last]}, mtime=LONG_AGO + 1)
    assert differing(*built) == sorted(SITE), "the last one is the same, but was not read"


def test_a_file_that_was_not_known_is_nobodys_business_here(built: tuple[Path, Cache]) -> None:
    root, _ = built
    write_tree(root, {"new.html": "<p>"}, mtime=LONG_AGO + 1)
    assert differing(*built) is None
    assert differing(*built, changed=["page001.html"]) == []


def test_many_batches_run_on_the_executor(built: tuple[Path, Cache], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site_rereading, "AT_ONCE_FILES", 10)
    root, cache = built
    write_tree(root, {"page100.html": "<p>other"}, mtime=LONG_AGO + 1)
    submitted = []

    class Noting(ThreadPoolExecutor):
        def submit(self, *given: object, **named: object) -> object:  # type: ignore[override]
            submitted.append(given)
            return super().submit(*given, **named)  # type: ignore[arg-type]

    with Noting(2) as pool:
        assert differing(root, cache, pool) == ["page100.html"]
    assert len(submitted) > 10
    assert survey_batch not in {call for call, *_ in submitted}


def test_a_file_that_is_gone_by_now_stops_the_run(built: tuple[Path, Cache]) -> None:
    root, cache = built
    source, config = scan_source(root), make_config(root)
    (root / "page007.html").unlink()
    with pytest.raises(ConfigurationError) as raised:
        reread(source, config, config.targets["local"], source.files, cache=cache, executor=None)
    assert raised.value.code == "source-changed"


def test_a_whole_build_does_not_read_again_what_was_found_to_be_the_same(built: tuple[Path, Cache]) -> None:
    root, cache = built
    write_tree(root, {"page007.html": "<p>other"}, mtime=LONG_AGO + 1)
    source, config = scan_source(root), make_config(root)
    target = config.targets["local"]
    found = reread(source, config, target, source.files, cache=cache, executor=None)
    assert found is not None and len(found.same) == len(SITE) - 1
    remember_same(config, target, found, cache=cache, started=time.time_ns())
    again = reread(source, config, target, source.files, cache=cache, executor=None)
    assert again is not None and not again.same, "nothing had to be read but what differs"
    assert [file.path for file in again.differing] == ["page007.html"]


def test_what_was_written_this_very_moment_is_read_again(built: tuple[Path, Cache]) -> None:
    root, cache = built
    write_tree(root, SITE, mtime=int(time.time()))
    source, config = scan_source(root), make_config(root)
    target = config.targets["local"]
    found = reread(source, config, target, source.files, cache=cache, executor=None)
    assert found is not None and not found.differing
    remember_same(config, target, found, cache=cache, started=time.time_ns())
    again = reread(source, config, target, source.files, cache=cache, executor=None)
    assert again is not None and len(again.same) == len(SITE)
