"""The server that stands in for a bucket behind a CDN: it must show neither more nor less, or the browser tests prove nothing."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.browser.conftest import publish
from tests.support.web_server import BuiltTree, WebServer, read_published, serve

FILES = {
    "index.html": '<link rel=stylesheet href="app.css"><img src="caf%C3%A9.svg">',
    "app.css": "p { color: red }",
    "café.svg": '<svg xmlns="http://www.w3.org/2000/svg"/>',
    "notes/index.html": "notes",
    "404.html": "nothing here",
}


@pytest.fixture(params=["built", "published"])
def web(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[WebServer]:
    for path, text in FILES.items():
        (tmp_path / "built" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "built" / path).write_text(text)
    (tmp_path / "sitepub.yaml").write_text("source: built\ntargets: {local: {store: 'file:published'}}\n")
    publish(tmp_path)
    with serve(BuiltTree(tmp_path / "built") if request.param == "built" else read_published(tmp_path / "published")) as running:
        yield running


def ask(web: WebServer, path: str) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection(urlsplit(web.origin).netloc, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, dict(answer.getheaders()), body


def test_pages_are_found_under_their_folders_and_files_by_their_decoded_names(web: WebServer) -> None:
    assert ask(web, "/")[0] == ask(web, "/notes/")[0] == 200
    status, headers, _ = ask(web, "/caf%C3%A9.svg?v=1")
    assert (status, headers["Content-Type"]) == (200, "image/svg+xml")
    status, headers, _ = ask(web, "/notes")
    assert (status, headers["Location"]) == (302, "/notes/")
    assert [(one.path, one.status) for one in web.log] == [("", 200), ("notes/", 200), ("café.svg", 200), ("notes", 302)]


@pytest.mark.parametrize("path", ["/no/such/page", "/.sitepub/state.json", "/../sitepub.yaml", "/%2e%2e/sitepub.yaml", "/app.css/"])
def test_what_is_no_part_of_the_site_is_answered_by_the_page_for_it(web: WebServer, path: str) -> None:
    status, headers, body = ask(web, path)
    assert (status, body) == (404, "nothing here")
    assert headers["Content-Type"].startswith("text/html")


def test_what_is_published_comes_with_the_headers_of_its_manifest(web: WebServer) -> None:
    if isinstance(web.tree, BuiltTree):
        assert "Cache-Control" not in ask(web, "/app.css")[1]
        return
    hashed = next(key for key in web.tree.artifacts if key.startswith("app.") and key != "app.css")  # type: ignore[attr-defined]
    assert ask(web, f"/{hashed}")[1]["Cache-Control"] == "public, max-age=31536000, immutable"
    assert ask(web, "/app.css")[1]["Cache-Control"] == "public, max-age=60, s-maxage=60"
    assert ask(web, "/")[1]["Cache-Control"].startswith("public, max-age=0")
    assert web.tree.source_of(hashed) == "app.css"
