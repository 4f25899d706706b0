"""The documentation as a site: built without a warning, published by sitepub itself, whole, and with nothing from other hosts."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
SHOWN = ("CONTRIBUTING.md", "CHANGELOG.md", "sitepub.yaml.example")
LOADING = {"script": "src", "img": "src", "link": "href", "source": "src", "iframe": "src", "use": "href"}
LOADED_LINKS = {"stylesheet", "icon", "preload", "modulepreload", "manifest"}


@dataclass
class Page(HTMLParser):
    """`links`: what it leads to or loads; `loads`: what a browser gets by itself; `anchors`: where links may lead in it."""

    text: str
    links: set[str] = field(default_factory=set)
    loads: set[str] = field(default_factory=set)
    anchors: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value for name, value in attrs if value is not None}
        self.anchors.update(value for name, value in given.items() if name in ("id", "name"))
        if tag == "a" and "href" in given:
            self.links.add(given["href"])
        url = given.get(LOADING.get(tag, ""))
        if url is not None and (tag != "link" or LOADED_LINKS & set(given.get("rel", "").split())):
            self.links.add(url)
            self.loads.add(url)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that holds sitepub.yaml and what was published by it."""
    pytest.importorskip("sphinx")
    pytest.importorskip("myst_parser")
    pytest.importorskip("furo")
    root = tmp_path_factory.mktemp("documentation")
    shutil.copytree(REPOSITORY / "docs", root / "docs", ignore=shutil.ignore_patterns("_site", "_published", "__pycache__"))
    for name in SHOWN:
        shutil.copy(REPOSITORY / name, root)
    sitepub(root / "docs", "publish")
    return root / "docs"


def sitepub(folder: Path, *words: str) -> str:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, "-m", "sitepub", *words],
        cwd=folder,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    return done.stdout


def read_pages(site: Path) -> Iterator[tuple[str, Page]]:
    """By their URL, from the root."""
    for path in sorted(site.rglob("*.html")):
        if ".sitepub" not in path.parts:
            yield "/" + path.relative_to(site).as_posix().removesuffix("index.html"), Page(path.read_text("utf-8"))


def test_it_is_published_whole(published: Path) -> None:
    assert json.loads(sitepub(published, "verify", "--json"))["findings"] == []
    site = published / "_published"
    pages = dict(read_pages(site))
    assert len(pages) > 20
    broken = []
    for url, page in pages.items():
        for link in page.links:
            there = urlsplit(urljoin(f"http://here{url}", link))
            if there.netloc != "here":
                continue
            path = site / unquote(there.path).lstrip("/")
            if not (path / "index.html" if there.path.endswith("/") else path).is_file():
                broken.append(f"{url} leads to {link}")
            elif there.fragment and there.path in pages and unquote(there.fragment) not in pages[there.path].anchors:
                broken.append(f"{url} leads to {link}, which has no such place")
    assert broken == []


def test_nothing_comes_from_other_hosts(published: Path) -> None:
    site = published / "_published"
    assert [(url, each) for url, page in read_pages(site) for each in page.loads if urlsplit(each).netloc] == []
    sheets = [path for path in site.rglob("*.css") if ".sitepub" not in path.parts]
    assert sheets
    foreign = re.compile(r"@import\s+[\"']?(?:https?:)?//|url\(\s*[\"']?(?:https?:)?//")
    assert [path.name for path in sheets if foreign.search(path.read_text("utf-8"))] == []


def test_every_page_of_the_repository_is_a_page_of_the_site(published: Path) -> None:
    pages = {url for url, _ in read_pages(published / "_published")}
    wanted = {path.relative_to(REPOSITORY / "docs").with_suffix("").as_posix() for path in (REPOSITORY / "docs").rglob("*.md")}
    named = {"/" if name == "index" else f"/{name.removesuffix('index').rstrip('/')}/" for name in wanted}
    assert named <= pages


def test_diagrams_stand_in_the_page_itself(published: Path) -> None:
    page = (published / "_published/how-it-works/index.html").read_text("utf-8")
    assert page.count('<figure class="diagram"><svg role="img" aria-label="') == page.count("<figure") >= 3
    assert "<style>.drawing" not in page, "a drawing's own colours would be those of the whole page"
