"""What an edge does with a request before the store is asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from sitepub.core.edge import EdgeRules, find_key, is_out_of_reach, make_edge_rules, route
from sitepub.core.settings import Redirect, UrlStyle
from sitepub.core.urls import url_of
from tests.support.requests_at_edge import ROUTED, Routed

ENDINGS = (".html", ".css", ".woff2", ".7z")


@pytest.mark.parametrize("style", UrlStyle)
@pytest.mark.parametrize("routed", ROUTED, ids=lambda routed: routed.sentence)
def test_where_a_request_leads(routed: Routed, style: UrlStyle) -> None:
    assert route(routed.path, routed.rules(style)) == routed.wanted(style)


@pytest.mark.parametrize("style", UrlStyle)
def test_what_is_stored_leads_to_itself(style: UrlStyle) -> None:
    """One URL a page: what was routed once is not routed on."""
    for routed in ROUTED:
        where = route(routed.path, routed.rules(style))
        if isinstance(where, str):
            assert route(where, routed.rules(style)) == where


@pytest.mark.parametrize(
    ("path", "url_path", "key"),
    [
        pytest.param("/docs/index.html", "/", "docs/index.html", id="plain"),
        pytest.param("/docs/index.html", "/docs/", "index.html", id="mounted"),
        pytest.param("/other/index.html", "/docs/", None, id="beside the mount"),
        pytest.param("/caf%C3%A9/a%20b.html", "/", "café/a b.html", id="escaped"),
        pytest.param("/.sitepub/state.json", "/", None, id="the records"),
        pytest.param("/%2Esitepub/state.json", "/", None, id="the records, escaped"),
        pytest.param("/a/.sitepub/state.json", "/", None, id="another's records"),
        pytest.param("/", "/", None, id="no key"),
    ],
)
def test_keys_of_paths(path: str, url_path: str, key: str | None) -> None:
    assert find_key(path, url_path) == key


@pytest.mark.parametrize(
    ("key", "is_out"),
    [("index.html", False), ("a/b.css", False), ("LICENSE", True), ("docs/v1.2", True), (".well-known/security", False), ("old", False)],
)
def test_names_that_no_request_reaches(key: str, is_out: bool) -> None:
    rules = make_edge_rules([Redirect("/old", "/new/")], url_path="/", url_style=UrlStyle.DIRECTORY)
    assert is_out_of_reach(key, rules) is is_out


def test_the_plain_rules_have_no_redirects() -> None:
    assert route("/old/", EdgeRules()) == "/old/index.html"


names = some.text(some.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/"), min_size=1, max_size=8).filter(
    lambda name: name not in (".", "..", ".sitepub")
)
keys = some.builds(
    lambda folders, name, ending: "/".join([*folders, name + ending]), some.lists(names, max_size=3), names, some.sampled_from(ENDINGS)
)


@given(keys, some.sampled_from(tuple(UrlStyle)), some.sampled_from(["/", "/docs/", "/caf\u00e9/"]))
def test_a_stored_file_is_found_by_its_url(key: str, style: UrlStyle, url_path: str) -> None:
    """Whatever characters it has, as long as its name has an ending."""
    rules = make_edge_rules([], url_path=url_path, url_style=style)
    routed = route(url_of(key, rules.url_path), rules)
    assert isinstance(routed, str) and find_key(routed, rules.url_path) == key
    assert not is_out_of_reach(key, rules)
