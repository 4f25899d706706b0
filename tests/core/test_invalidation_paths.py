"""Under which URLs edges hold a key, and how they are written."""

from __future__ import annotations

import pytest

from sitepub.core.invalidation_paths import Routing, encode_path, find_stem, find_urls, urls_to_invalidate
from sitepub.core.model import Key
from sitepub.core.settings import UrlStyle

DIRECTORY, FILE, BOTH = UrlStyle.DIRECTORY, UrlStyle.FILE, UrlStyle.BOTH


@pytest.mark.parametrize(
    ("key", "style", "urls"),
    [
        ("docs/index.html", DIRECTORY, "/docs/ /docs/index.html"),
        ("docs/index.html", FILE, "/docs/index.html"),
        ("docs/index.html", BOTH, "/docs /docs/ /docs/index.html"),
        ("a/b/index.html", BOTH, "/a/b /a/b/ /a/b/index.html"),
        ("index.html", DIRECTORY, "/ /index.html"),
        ("index.html", FILE, "/ /index.html"),
        ("index.html", BOTH, "/ /index.html"),
        ("about.html", BOTH, "/about.html"),
        ("docs/myindex.html", BOTH, "/docs/myindex.html"),
        ("docs/index.htm", DIRECTORY, "/docs/index.htm"),
        ("feed.xml", DIRECTORY, "/feed.xml"),
    ],
)
def test_urls_of_a_key(key: str, style: UrlStyle, urls: str) -> None:
    assert find_urls(Key(key), Routing(url_style=style)) == tuple(urls.split())


@pytest.mark.parametrize(
    ("key", "style", "urls"),
    [
        ("index.html", DIRECTORY, "/docs/ /docs/index.html"),
        ("index.html", FILE, "/docs/ /docs/index.html"),
        ("index.html", BOTH, "/docs /docs/ /docs/index.html"),
        ("a/index.html", DIRECTORY, "/docs/a/ /docs/a/index.html"),
        ("a.html", DIRECTORY, "/docs/a.html"),
    ],
)
def test_urls_start_at_the_site_s_own_path(key: str, style: UrlStyle, urls: str) -> None:
    assert find_urls(Key(key), Routing(url_path="/docs/", url_style=style)) == tuple(urls.split())


def test_behind_the_edge_function_the_stored_url_is_all_there_is() -> None:
    routing = Routing(url_style=BOTH, has_function=True, default_root_object="index.html")
    assert find_urls(Key("index.html"), routing) == ("/index.html",)
    assert find_urls(Key("docs/index.html"), routing) == ("/docs/index.html",)


def test_another_default_root_object_is_the_root_too() -> None:
    routing = Routing(url_style=FILE, default_root_object="home.html")
    assert find_urls(Key("home.html"), routing) == ("/", "/home.html")
    assert find_urls(Key("docs/home.html"), routing) == ("/docs/home.html",)


def test_urls_of_many_keys_are_encoded_sorted_and_told_once() -> None:
    keys = [Key("é/index.html"), Key("a.html"), Key("a.html")]
    assert urls_to_invalidate(keys, Routing()) == ("/%C3%A9/", "/%C3%A9/index.html", "/a.html")


@pytest.mark.parametrize(
    ("path", "encoded"),
    [
        ("/plain-1.2_3/", "/plain-1.2_3/"),
        ("/$+!(),;:@=&", "/$+!(),;:@=&"),
        ("/é", "/%C3%A9"),
        ("/日本", "/%E6%97%A5%E6%9C%AC"),
        ("/\udcff", "/%FF"),
        ('/"#%<>[\\]^`{|}', "/%22%23%25%3C%3E%5B%5C%5D%5E%60%7B%7C%7D"),
        ("/a b~c", "/a%20b%7Ec"),
        ("/50%", "/50%25"),
        ("/%41", "/%2541"),
    ],
)
def test_only_non_ascii_and_unsafe_characters_are_encoded(path: str, encoded: str) -> None:
    assert encode_path(path) == encoded


@pytest.mark.parametrize("trap", ["~", "'", '"', " ", "*", "?", "+"])
def test_a_trap_ends_the_part_that_an_item_can_name(trap: str) -> None:
    assert find_stem(f"/js/runtime{trap}main.js") == "/js/runtime"


def test_a_path_without_a_trap_has_no_stem() -> None:
    assert find_stem("/docs/a-b_c.d,e(f)é[1]/index.html") is None
