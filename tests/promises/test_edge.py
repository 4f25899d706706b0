"""The edge simulator itself: it must be as unforgiving as CloudFront."""

from __future__ import annotations

import random

import pytest

from sitepub.core.model import HeaderSet, Key
from sitepub.interfaces import Anything
from tests.support.builders import ManualClock, digest_of
from tests.support.edge import Network, Origin, apply_function, is_named
from tests.support.fake_cdn import FakeCloudFront
from tests.support.memory_store import MemoryBucket, MemoryStore
from tests.support.visitors import BrokenPageError, Visitors, find_references

HOUR: HeaderSet = (("Cache-Control", "public, max-age=0, s-maxage=3600"), ("Content-Type", "text/html"))


class Small:
    def __init__(self, *, has_function: bool = False) -> None:
        self.clock = ManualClock()
        self.bucket = MemoryBucket()
        self.client = FakeCloudFront(self.clock, seconds_to_complete=20)
        self.distribution = self.client.add_distribution({"CacheTagConfig": {"HeaderName": "x-tags"}})
        self.network = Network(Origin(self.bucket, has_function), self.clock, self.client, random.Random(3), tag_header="Content-Language")

    def put(self, key: str, body: bytes, headers: HeaderSet = HOUR) -> None:
        self.network.go_on()
        MemoryStore(self.clock, bucket=self.bucket).put(Key(key), body, headers, digest=digest_of(body), expect=Anything())
        self.network.go_on()

    def invalidate(self, *items: str) -> None:
        batch = {"Paths": {"Quantity": len(items), "Items": list(items)}, "CallerReference": str(len(self.client.sent))}
        self.client.create_invalidation(DistributionId=self.distribution, InvalidationBatch=batch)
        self.network.go_on()

    def wait(self, seconds: float) -> None:
        self.clock.seconds += seconds
        self.network.go_on()

    def got(self, path: str) -> list[bytes]:
        return [self.network.get(edge, path).body for edge in self.network.edges]

    def possible(self, path: str) -> set[bytes]:
        return {answer.body for answer in self.network.possible(path)}


def test_an_edge_keeps_an_answer_for_its_shared_life() -> None:
    small = Small()
    small.put("index.html", b"1")
    assert small.got("/") == [b"1"] * 3
    assert small.possible("/") == {b"1"}
    small.put("index.html", b"2")
    small.wait(3599)
    assert small.got("/") == [b"1"] * 3
    assert small.possible("/") == {b"1", b"2"}
    small.wait(1)
    assert small.got("/") == [b"2"] * 3
    assert small.possible("/") == {b"2"}


def test_errors_are_kept_for_ten_seconds_under_the_url_that_was_asked_for() -> None:
    small = Small()
    small.put("404.html", b"no such page")
    assert [small.network.get(edge, "/a.html").status for edge in small.network.edges] == [404] * 3
    small.put("a.html", b"a")
    small.wait(9)
    assert small.got("/a.html") == [b"no such page"] * 3
    small.wait(1)
    assert small.got("/a.html") == [b"a"] * 3


def test_a_bucket_without_an_error_page_says_what_it_says() -> None:
    small = Small()
    assert small.network.get(small.network.edges[0], "/a.html").status == 403


def test_what_is_sitepubs_own_is_nobodys_to_see() -> None:
    small = Small()
    small.put(".sitepub/state.json", b"{}")
    assert small.network.get(small.network.edges[0], "/.sitepub/state.json").status == 403


def test_an_invalidation_takes_effect_late_and_at_each_edge_at_another_time() -> None:
    small = Small()
    small.put("index.html", b"1")
    small.got("/")
    small.possible("/")
    small.put("index.html", b"2")
    small.invalidate("/")
    seen = set()
    for _ in range(20):
        seen.add(tuple(small.got("/")))
        assert small.possible("/") == {b"1", b"2"}
        small.wait(1)
    assert small.got("/") == [b"2"] * 3
    assert small.possible("/") == {b"2"}
    assert small.network.is_quiet()
    assert len(seen) > 2


def test_what_was_asked_for_after_the_invalidation_stays() -> None:
    small = Small()
    small.put("index.html", b"1")
    small.invalidate("/")
    small.got("/")
    small.put("index.html", b"2")
    small.wait(25)
    assert small.got("/") == [b"1"] * 3


@pytest.mark.parametrize(
    ("item", "is_hit"),
    [("/a/b.html", True), ("/a/*", True), ("/*", True), ("/a/b", False), ("/a/b.html/", False), ("#one", True), ("#on", False)],
)
def test_paths_wildcards_and_tags(item: str, is_hit: bool) -> None:
    assert is_named(item, "/a/b.html", (("x-tags", "one, two"),), "x-tags") is is_hit


def test_names_are_percent_encoded_in_items() -> None:
    assert is_named("/a/%C3%BC*", "/a/ü x.html", (), None)


def test_with_a_function_all_urls_of_a_page_are_one() -> None:
    assert {apply_function(path, has_function=True) for path in ("/a", "/a/", "/a/index.html")} == {"/a/index.html"}
    small = Small(has_function=True)
    small.put("a/index.html", b"1")
    small.got("/a/")
    small.put("a/index.html", b"2")
    assert small.got("/a/index.html") == [b"1"] * 3


def test_visitors_see_a_missing_asset_and_one_of_another_content() -> None:
    small = Small()
    small.put("index.html", b'<link href="/app.0123456789ab.css">')
    visitors = Visitors(small.network, lambda path, body, last: True, pages={"/"})
    with pytest.raises(BrokenPageError, match="403"):
        visitors.visit()
    small.put("app.0123456789ab.css", b"not these bytes")
    small.wait(10)
    with pytest.raises(BrokenPageError, match="another"):
        visitors.visit()


def test_visitors_see_what_a_stylesheet_or_module_loads() -> None:
    assert find_references("/css/app.css", b'a{b:url("../x.png")}') == ("/x.png",)
    assert find_references("/js/a.js", b'import "./b.js"') == ("/js/b.js",)
    assert find_references("/", b"<a data-to='/x'><script src='js/a.js'>") == ("/js/a.js",)


def test_open_pages_go_on_loading() -> None:
    small = Small()
    small.put("index.html", b'<script src="/m.js">')
    small.put("m.js", b"")
    visitors = Visitors(small.network, lambda path, body, last: True, pages={"/"})
    visitors.visit()
    small.put("index.html", b"")
    small.invalidate("/")
    small.wait(25)
    visitors.visit()
    del small.bucket.objects["m.js"]
    small.wait(3600)
    with pytest.raises(BrokenPageError, match="after it was live"):
        visitors.visit()
