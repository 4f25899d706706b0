"""`sitepub serve` over real HTTP: what a visitor of the target would get."""

from __future__ import annotations

import gzip
import http.client
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import brotli
import pytest

from tests.commands.conftest import Distribution
from tests.commands.going import keep_going
from tests.commands.story import Story
from tests.support.servers import S3Server

LONG = "<!doctype html><title>Long</title>" + "<p>word</p>" * 200


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


def ask(line: str, path: str, method: str = "GET", **headers: str) -> Answer:
    """`line`: what the command says when it listens."""
    port = int(re.findall(r":(\d+)/", line)[0])
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())


@pytest.fixture
def served(story: Story) -> Iterator[tuple[Story, str]]:
    story.write({"404.html": "<!doctype html><title>Nothing here</title>", "long.html": LONG, "caf\u00e9/index.html": "<p>coffee"})
    story.configure("redirects:\n  - {from: /old/, to: /docs/, status: 302}\n  - {from: /gone, to: 'https://other.org/'}\n")
    with keep_going(story, "serve", "--port", "0") as going:
        yield story, going.wait_for("serving ")


def test_a_connection_stays_open(served: tuple[Story, str]) -> None:
    """Also after answers that have no body, and through what was asked before the last answer was read."""
    _, line = served
    port = int(re.findall(r":(\d+)/", line)[0])
    etag = ask(line, "/").headers["etag"]
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.connect()
        first = connection.sock
        for method, path, headers, status in (
            ("GET", "/", {}, 200),
            ("HEAD", "/long.html", {}, 200),
            ("GET", "/", {"If-None-Match": etag}, 304),
            ("GET", "/docs", {}, 301),
            ("GET", "/nothing.html", {}, 404),
            ("GET", "/long.html", {"Range": "bytes=0-9"}, 206),
            ("GET", "/long.html", {"Range": "bytes=90000-"}, 416),
        ):
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            answer.read()
            assert (answer.status, answer.getheader("Connection"), connection.sock) == (status, None, first), path
        connection.request("POST", "/", body=b"GET /docs/ HTTP/1.1\r\n\r\n")
        answer = connection.getresponse()
        assert (answer.status, answer.getheader("Connection")) == (403, "close"), "a body is never taken for a request"
    with socket.create_connection(("127.0.0.1", port), timeout=60) as raw:
        raw.sendall(b"GET /docs/ HTTP/1.1\r\nHost: x\r\n\r\n" + b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        told = b"".join(iter(lambda: raw.recv(65536), b""))
    assert told.count(b"HTTP/1.1 200 OK") == 2 and told.index(b"Docs") < told.index(b"Front")
    with socket.create_connection(("127.0.0.1", port), timeout=60) as raw:
        raw.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert b"Front" in b"".join(iter(lambda: raw.recv(65536), b"")), "HTTP/1.0 ends with its answer"


def test_every_key_is_served_as_it_would_be_stored(bucket_story: Story, seaweedfs: S3Server) -> None:
    bucket_story.write({"404.html": "<!doctype html><title>Nothing here</title>", "data.bin": b"\0" * 5000})
    bucket_story.configure("headers:\n  - {match: '*.bin', set: {Content-Disposition: attachment, Content-Language: en}}\n")
    with keep_going(bucket_story, "serve", "--port", "0") as going:
        line = going.wait_for("serving ")
        assert not bucket_story.held(), "it writes nothing"
        bucket_story.publish()
        address = re.search(r"s3://([^/]+)/(\S+)", bucket_story.target)
        assert address
        for key, body in bucket_story.held().items():
            if key.startswith(".sitepub/"):
                assert ask(line, f"/{key}").status in (301, 404)
                continue
            answer = ask(line, f"/{key}")
            assert (answer.status, answer.body) == (200, body), key
            stored = seaweedfs.client().head_object(Bucket=address[1], Key=f"{address[2]}/{key}")["ResponseMetadata"]["HTTPHeaders"]
            names = ("cache-control", "content-type", "content-disposition", "content-language", "content-length", "accept-ranges")
            assert {name: answer.headers.get(name) for name in names} == {name: stored.get(name) for name in names}, key


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        pytest.param("/", 200, "Front", id="the root"),
        pytest.param("/docs/", 200, "Docs", id="a folder"),
        pytest.param("/docs/index.html?x=1", 200, "Docs", id="a page with a query"),
        pytest.param("/docs", 301, "/docs/", id="a folder without its slash"),
        pytest.param("/docs?x=1", 301, "/docs/?x=1", id="whose query goes along"),
        pytest.param("/caf%C3%A9/", 200, "coffee", id="escaped"),
        pytest.param("/old/", 302, "/docs/", id="a redirect"),
        pytest.param("/gone", 301, "https://other.org/", id="to elsewhere"),
        pytest.param("/nothing.html", 404, "Nothing here", id="a page that is not there"),
        pytest.param("/.sitepub/state.json", 404, "Nothing here", id="the records"),
        pytest.param("/../sitepub.yaml", 404, "Nothing here", id="a way out"),
        pytest.param("/%2e%2e/sitepub.yaml", 404, "Nothing here", id="a way out, escaped"),
        pytest.param("/.sitepub/live.js", 404, "Nothing here", id="live reload that was not asked for"),
    ],
)
def test_where_urls_lead(served: tuple[Story, str], path: str, status: int, told: str) -> None:
    answer = ask(served[1], path)
    assert answer.status == status
    assert told in (answer.headers["location"] if status in (301, 302) else answer.body.decode())


def test_conditions_and_ranges(served: tuple[Story, str]) -> None:
    line = served[1]
    whole = ask(line, "/long.html")
    assert whole.body.decode() == LONG
    etag, modified = whole.headers["etag"], whole.headers["last-modified"]
    assert ask(line, "/long.html", If_None_Match=etag).status == 304
    assert ask(line, "/long.html", If_Modified_Since=modified).status == 304
    assert ask(line, "/long.html", If_None_Match='"other"').status == 200
    part = ask(line, "/long.html", Range="bytes=5-9", Accept_Encoding="gzip")
    assert (part.status, part.body.decode(), part.headers["content-range"]) == (206, LONG[5:10], f"bytes 5-9/{len(LONG)}")
    assert ask(line, "/long.html", Range="bytes=-4").body.decode() == LONG[-4:]
    assert ask(line, "/long.html", Range=f"bytes={len(LONG)}-").status == 416
    assert ask(line, "/long.html", Range="bytes=0-3", If_Range='"other"').body.decode() == LONG
    head = ask(line, "/long.html", "HEAD")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(LONG)))
    assert ask(line, "/long.html", "POST").status == 403


def test_compression(served: tuple[Story, str]) -> None:
    line = served[1]
    for accepted, encoding in (("gzip", "gzip"), ("gzip, br", "br"), ("br;q=0, gzip", "gzip")):
        zipped = ask(line, "/long.html", Accept_Encoding=accepted)
        assert (zipped.headers["content-encoding"], zipped.headers["vary"]) == (encoding, "Accept-Encoding")
        body = brotli.decompress(zipped.body) if encoding == "br" else gzip.decompress(zipped.body)
        assert body.decode() == LONG
    assert zipped.headers["etag"].startswith("W/")
    assert ask(line, "/long.html", If_None_Match=zipped.headers["etag"], Accept_Encoding="gzip").status == 304
    assert "content-encoding" not in ask(line, "/long.html", Accept_Encoding="gzip;q=0").headers
    assert "content-encoding" not in ask(line, "/docs/", Accept_Encoding="gzip").headers, "too small"


def test_a_mounted_site_stands_below_its_path(story: Story) -> None:
    story.configure(target="url: https://www.example.com/handbook/")
    with keep_going(story, "serve", "--port", "0") as going:
        line = going.wait_for("serving ")
        assert line.endswith("/handbook/")
        assert "Front" in ask(line, "/handbook/").body.decode()
        assert ask(line, "/").headers["location"] == "/handbook/"
        assert ask(line, "/docs/").status == 404


def test_a_distribution_stands_before_its_target(cloud_story: Story, distribution: Distribution) -> None:
    with keep_going(cloud_story, "serve", "--port", "0") as going:
        answer = ask(going.wait_for("serving "), "/")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "public, max-age=0, s-maxage=86400, must-revalidate"


def test_a_target_that_can_not_be_asked_does_not_matter(story: Story) -> None:
    story.target = "store: s3://nowhere\nendpoint_url: http://127.0.0.1:9\ndistribution: E190XXXXXL0LJU"
    story.environment = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "us-east-1", "AWS_MAX_ATTEMPTS": "1"}
    story.configure()
    with keep_going(story, "serve", "--port", "0") as going:
        line = going.wait_for("serving ")
        assert "Front" in ask(line, "/").body.decode()
        assert any("can't be asked" in said for said in going.said) or going.wait_for("can't be asked")


def test_changes_are_shown_and_mistakes_are_told(story: Story) -> None:
    with keep_going(story, "serve", "--port", "0") as going:
        line = going.wait_for("serving ")
        story.write({"index.html": "<title>Second</title>"})
        going.wait_for("built again")
        assert "Second" in ask(line, "/").body.decode()
        (story.root / "sitepub.yaml").write_text("source: public\nsorce: x\n")
        going.wait_for("unknown key `sorce`")
        assert "Second" in ask(line, "/").body.decode()
        story.configure()
        story.write({"index.html": "<title>Third</title>"})
        going.wait_for("built again")
        assert "Third" in ask(line, "/").body.decode()


def test_a_build_is_run_when_its_sources_change(story: Story) -> None:
    story.write({"page.txt": "one"}, folder="content")
    story.configure("build: mkdir -p public && cp content/page.txt public/page.txt\nwatch: [content]\n")
    with keep_going(story, "serve", "--port", "0") as going:
        line = going.wait_for("serving ")
        assert ask(line, "/page.txt").body == b"one"
        story.write({"page.txt": "two"}, folder="content")
        going.wait_for("built again")
        assert ask(line, "/page.txt").body == b"two"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_when_it_is_told_to(story: Story, number: int) -> None:
    with keep_going(story, "serve", "--port", "0") as going:
        going.wait_for("serving ")
        assert going.end(number) == 130


def test_a_port_that_is_taken(story: Story) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = story.run("serve", "--port", str(port), "--json", status=4)
    assert done.json["error"]["code"] == "port-taken"


def test_the_address_is_told_to_scripts(story: Story) -> None:
    with keep_going(story, "serve", "--json", "--port", "0") as going:
        assert re.fullmatch(r'{"url": "http://127\.0\.0\.1:\d+/"}', going.wait_for("url"))


def test_live_reload_is_put_into_pages_alone(story: Story) -> None:
    with keep_going(story, "serve", "--live", "--port", "0") as going:
        line = going.wait_for("serving ")
        page = ask(line, "/")
        assert page.body.decode().endswith('<script src="/.sitepub/live.js" defer></script>')
        assert page.headers["content-length"] == str(len(page.body))
        assert b"live.js" not in ask(line, "/img/sky.svg").body
        assert b"EventSource" in ask(line, "/.sitepub/live.js").body
        story.publish()
        assert not any(b"live.js" in body for body in story.held().values())


def test_names_that_no_url_leads_to_are_told(story: Story) -> None:
    story.write({"LICENSE": "free", "docs/AUTHORS": "us"})
    with keep_going(story, "serve", "--port", "0") as going:
        assert "no URL leads to `LICENSE` and 1 more" in going.wait_for("no URL leads to")
