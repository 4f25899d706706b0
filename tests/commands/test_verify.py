"""`sitepub verify` on a folder, on S3 and behind CloudFront: what hands spoiled is found, named, and mended."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.commands.conftest import Distribution
from tests.commands.spoiling import forget_copies, hand_of, head_of, run_on_terminal
from tests.commands.story import SITE, Story

NAME = re.compile(r"\.[0-9a-f]{12}\.")


def findings(document: Mapping[str, Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for finding in document["findings"]:
        assert set(finding) == {"code", "key", "message"}
        found.setdefault(finding["code"], []).append(NAME.sub(".HASH.", finding["key"]))
    return {code: sorted(keys) for code, keys in found.items()}


def hashed(story: Story, ending: str) -> str:
    (key,) = [key for key in story.site() if NAME.search(key) and key.endswith(ending)]
    return key


def test_what_was_just_published_is_as_it_should_be(any_story: Story) -> None:
    any_story.publish()
    before = any_story.held()
    assert any_story.json("verify") == {"findings": [], "checked": 8}
    assert any_story.held() == before


def test_what_hands_spoiled_is_found_and_mended(any_story: Story) -> None:
    any_story.publish()
    published = any_story.site()
    hand = hand_of(any_story)
    hand.put("index.html", b"by hand")
    hand.delete("docs/index.html")
    hand.delete("app.css")
    hand.delete(hashed(any_story, ".svg"))
    hand.put("logs/today", b"foreign")
    spoiled = any_story.held()
    expected = {"changed": ["index.html"], "missing": ["app.css", "docs/index.html", "img/sky.HASH.svg"], "foreign": ["logs/today"]}

    found = any_story.json("verify", status=6)
    assert (findings(found), found["checked"]) == (expected, 8)
    assert any_story.held() == spoiled
    refused = any_story.run("verify", "--repair", status=2)
    assert "`--yes`" in refused.err
    any_story.run("verify", "--repair", "--dry-run", status=6)
    assert any_story.held() == spoiled

    forget_copies(any_story)
    mended = any_story.json("verify", "--repair", "--yes", status=6)
    assert findings(mended) == {"foreign": ["logs/today"]}
    assert findings({"findings": mended["repaired"]}) == {code: keys for code, keys in expected.items() if code != "foreign"}
    assert any_story.site() == {**published, "logs/today": "foreign"}
    assert any_story.json("verify", "--allow", "foreign") == {"findings": [], "checked": 8}
    assert any_story.publish()["release"] is None, "what is live is still just what the source has"


def test_a_repair_needs_no_source_where_the_target_has_it_all(any_story: Story) -> None:
    any_story.publish()
    published = any_story.site()
    hand = hand_of(any_story)
    for key in ("index.html", "robots.txt", "app.css"):
        hand.put(key, b"by hand")
    for name in SITE:
        (any_story.root / "public" / name).unlink()
    forget_copies(any_story)
    any_story.run("verify", "--repair", "--yes")
    assert any_story.site() == published


def test_what_only_the_source_has_comes_from_there(any_story: Story) -> None:
    any_story.publish()
    published = any_story.site()
    hand = hand_of(any_story)
    style = hashed(any_story, ".css")
    for key in (style, "app.css"):
        hand.delete(key)
    for key in [key for key in any_story.held() if key.startswith(".sitepub/packs/")]:
        hand.delete(key)
    hand.put("about.html", b"by hand")
    found = findings(any_story.json("verify", status=6))
    assert found["missing"] == ["app.HASH.css", "app.css"]
    assert found["missing-body"] == ["about.html", "docs/index.html", "index.html", "robots.txt"]
    any_story.run("verify", "--repair", "--yes")
    assert any_story.site() == published
    assert any_story.json("verify")["findings"] == []


def test_what_nobody_has_stays_a_finding(any_story: Story) -> None:
    any_story.publish()
    any_story.write({"about.html": "<!doctype html><title>Now</title>\n"})
    any_story.publish()
    hand = hand_of(any_story)
    for key in [key for key in any_story.held() if key.startswith(".sitepub/packs/")]:
        hand.delete(key)
    mended = any_story.json("verify", "--repair", "--yes", status=6)
    (left,) = mended["findings"]
    assert (left["code"], left["key"]) == ("missing-body", "about.html")
    assert any_story.json("verify", status=6)["findings"] == [left]
    assert findings({"findings": mended["repaired"]})["missing-body"] == ["docs/index.html", "index.html", "robots.txt"]


def test_a_rollback_works_after_its_pack_was_lost_and_restored(any_story: Story) -> None:
    any_story.publish()
    first = any_story.site()
    hand = hand_of(any_story)
    for key in [key for key in any_story.held() if key.startswith(".sitepub/packs/")]:
        hand.delete(key)
    any_story.run("verify", "--repair", "--yes")
    any_story.write({name: f"{SITE[name]}changed" for name in ("index.html", "about.html", "robots.txt")})
    any_story.publish()
    forget_copies(any_story)
    any_story.run("rollback")
    assert {key: any_story.site()[key] for key in first} == first


def test_damaged_records_are_found_and_restored_where_a_copy_is_known(any_story: Story) -> None:
    any_story.publish()
    hand = hand_of(any_story)
    (document,) = [key for key in any_story.held() if key.startswith(".sitepub/releases/")]
    stored = any_story.held()[document]
    hand.put(document, b"damaged")
    found = any_story.json("verify", status=6)
    assert [(finding["code"], finding["key"]) for finding in found["findings"]] == [("damaged-record", document)]
    any_story.run("verify", "--repair", "--yes")
    assert any_story.held()[document] == stored

    hand.put(document, b"damaged")
    forget_copies(any_story)
    any_story.run("verify", "--repair", "--yes", status=6)
    hand.put(".sitepub/state.json", b"{damaged")
    found = any_story.json("verify", status=6)
    assert [(finding["code"], finding["key"]) for finding in found["findings"]] == [("damaged-record", ".sitepub/state.json")]


def test_wrong_headers_are_found_though_every_etag_is_right(bucket_story: Story) -> None:
    bucket_story.publish()
    hand = hand_of(bucket_story)
    style = hashed(bucket_story, ".css")
    before = {key: dict(head_of(bucket_story, key)["ResponseMetadata"]["HTTPHeaders"]) for key in ("index.html", "app.css", style)}
    for key in before:
        hand.put(key, bucket_story.held()[key])
    found = bucket_story.json("verify", status=6)
    assert findings(found) == {"wrong-headers": sorted(("app.HASH.css", "app.css", "index.html"))}
    told = next(finding["message"] for finding in found["findings"] if finding["key"] == "index.html")
    assert "has no `Cache-Control`, which should be `public, max-age=0, must-revalidate`" in told
    bucket_story.run("verify", "--repair", "--yes")
    for key, headers in before.items():
        now = head_of(bucket_story, key)["ResponseMetadata"]["HTTPHeaders"]
        assert {name: now.get(name) for name in ("cache-control", "content-type")} == {
            name: headers.get(name) for name in ("cache-control", "content-type")
        }
    assert bucket_story.json("verify")["findings"] == []


def test_what_visitors_may_have_got_wrong_is_invalidated(cloud_story: Story, distribution: Distribution) -> None:
    cloud_story.publish()
    hand = hand_of(cloud_story)
    hand.put("about.html", b"by hand")
    hand.put("app.css", b"by hand, and nobody knows how long it is cached")
    hand.delete("docs/index.html")
    mended = cloud_story.json("verify", "--repair", "--yes")
    items = ["/about.html", "/app.css", "/docs/", "/docs/index.html"]
    assert mended["invalidation"]["items"] == items
    assert distribution.invalidations() == [items]


def test_a_dead_runs_release_is_told_and_finished(any_story: Story) -> None:
    any_story.publish()
    any_story.write({"about.html": "<!doctype html><title>New</title>\n"})
    die = "import os, sitepub.pipeline as p\np.promote = lambda *a: os._exit(9)\nfrom sitepub.cli import main\nmain()\n"
    any_story.run("publish", status=9, launcher=die)
    found = any_story.json("verify", status=6)
    assert findings(found) == {"unfinished": [".sitepub/state.json"]}
    any_story.run("verify", "--repair", "--yes")
    assert any_story.site()["about.html"] == "<!doctype html><title>New</title>\n"
    assert any_story.json("verify")["findings"] == []


def test_nothing_published_is_no_finding_but_an_error(any_story: Story) -> None:
    assert any_story.json("verify", status=4)["error"]["code"] == "not-managed"


@pytest.mark.parametrize(("answer", "status"), [("y", 0), ("n", 1), ("", 1)])
def test_a_repair_asks_on_a_terminal(story: Story, answer: str, status: int) -> None:
    story.publish()
    published = story.site()
    hand_of(story).put("index.html", b"by hand")
    done = run_on_terminal(story, "verify", "--repair", answer=answer)
    assert (done.status, "mend it?" in done.err) == (status, True)
    assert (story.site() == published) is (status == 0)


# ---- as served


class _Site(BaseHTTPRequestHandler):
    """Serves what the test says: path -> status, headers, body."""

    protocol_version = "HTTP/1.1"
    answers: Mapping[str, tuple[int, Mapping[str, str], bytes]]

    def do_GET(self) -> None:
        status, headers, body = self.server.answers.get(self.path, (404, {}, b"nothing"))  # type: ignore[attr-defined]
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        return None


@contextmanager
def serving(answers: Mapping[str, tuple[int, Mapping[str, str], bytes]]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    server.daemon_threads, server.block_on_close = True, False
    server.answers = answers  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def served_as_stored(story: Story) -> dict[str, tuple[int, Mapping[str, str], bytes]]:
    pages = {f"/{key}": (200, {}, body) for key, body in story.held().items() if not key.startswith(".sitepub/")}
    return {**pages, "/": pages["/index.html"], "/docs/": pages["/docs/index.html"]}  # type: ignore[dict-item]


def test_the_site_as_served_is_compared_file_by_file(story: Story) -> None:
    story.publish()
    answers = served_as_stored(story)
    with serving(answers) as url:
        assert story.json("verify", "--url", url) == {"findings": [], "checked": 8 + 10}
        assert story.json("verify", "--url", url, "--sample", "2")["checked"] == 8 + 3
        answers["/about.html"] = (200, {}, b"an older page")
        answers["/docs/"] = (404, {}, b"")
        answers["/.sitepub/state.json"] = (200, {}, story.held()[".sitepub/state.json"])
        del answers["/robots.txt"]
        found = story.json("verify", "--url", url, status=6)
    assert findings(found) == {
        "served-stale": ["about.html"],
        "not-served": ["robots.txt"],
        "records-served": [".sitepub/state.json"],
    }, "only one folder has a page, so nothing says that this server maps folders"


def test_the_url_is_the_targets_own_and_its_path_counts(story: Story) -> None:
    story.publish()
    answers = {f"/sub{path}": answer for path, answer in served_as_stored(story).items()}
    assert story.json("verify", "--url", status=4)["error"]["code"] == "no-url"
    with serving(answers) as url:
        story.configure(target=f"url: {url}sub/")
        story.publish()
        answers.update({f"/sub{path}": answer for path, answer in served_as_stored(story).items()})
        assert story.json("verify", "--url")["findings"] == []
    found = story.json("verify", "--url", status=6)
    assert set(findings(found)) == {"not-served"}


def test_headers_and_encodings_as_visitors_get_them(bucket_story: Story) -> None:
    import gzip

    bucket_story.publish()
    answers: dict[str, tuple[int, Mapping[str, str], bytes]] = {}
    for path, (status, _, body) in served_as_stored(bucket_story).items():
        key = path[1:] or "index.html"
        stored = head_of(bucket_story, f"{key}index.html" if key.endswith("/") else key)
        headers = {"Cache-Control": stored["CacheControl"], "Content-Type": stored["ContentType"], "Content-Encoding": "gzip"}
        answers[path] = (status, headers, gzip.compress(body))
    with serving(answers) as url:
        assert bucket_story.json("verify", "--url", url)["findings"] == []
        status, headers, body = answers["/about.html"]
        answers["/about.html"] = (status, {**headers, "Cache-Control": "max-age=3600"}, body)
        answers["/robots.txt"] = (status, {**answers["/robots.txt"][1], "Content-Encoding": "gzip"}, b"not gzip at all")
        found = bucket_story.json("verify", "--url", url, status=6)
    assert findings(found) == {"served-wrong-headers": ["about.html"], "served-stale": ["robots.txt"]}


def test_edges_that_show_something_else_are_made_to_ask_again(cloud_story: Story, distribution: Distribution) -> None:
    cloud_story.publish()
    answers: dict[str, tuple[int, Mapping[str, str], bytes]] = {}
    for path, (status, _, body) in served_as_stored(cloud_story).items():
        key = path[1:] or "index.html"
        stored = head_of(cloud_story, f"{key}index.html" if key.endswith("/") else key)
        answers[path] = (status, {"Cache-Control": stored["CacheControl"], "Content-Type": stored["ContentType"]}, body)
    answers["/about.html"] = (200, answers["/about.html"][1], b"stale")
    before = cloud_story.site()
    with serving(answers) as url:
        again = cloud_story.json("verify", "--url", url, "--repair", "--yes", status=6)
    assert findings(again) == {"served-stale": ["about.html"]}, "this server never asks again"
    assert again["invalidation"]["items"] == ["/about.html"]
    assert distribution.invalidations() == [["/about.html"]]
    assert cloud_story.site() == before
