"""Redirects as pages: the right key, a page that any browser follows, and nothing that could break out of it."""

from __future__ import annotations

import pytest
import turbohtml
from hypothesis import example, given
from hypothesis import strategies as st

from sitepub.core.headers import make_header_policy
from sitepub.core.model import WEBSITE_REDIRECT
from sitepub.core.redirects import RedirectPage, make_redirect, redirect_key, redirect_target
from sitepub.core.settings import Cache, Redirect
from sitepub.errors import ConfigurationError

POLICY = make_header_policy(Cache(entries="E"), has_distribution=True)


def make(source: str, to: str, url_path: str = "/") -> RedirectPage:
    return make_redirect(Redirect(source, to), url_path=url_path, policy=POLICY)


@pytest.mark.parametrize(
    ("source", "url_path", "key"),
    [
        pytest.param("/old/", "/", "old/index.html", id="a folder is its index page"),
        pytest.param("/old", "/", "old", id="a name without extension"),
        pytest.param("/old.html", "/", "old.html", id="a page"),
        pytest.param("/", "/", "index.html", id="the root"),
        pytest.param("/a/b/c.pdf", "/", "a/b/c.pdf", id="in folders"),
        pytest.param("/caf%C3%A9/my%20page", "/", "café/my page", id="escapes"),
        pytest.param("/café/", "/", "café/index.html", id="without escapes"),
        pytest.param("/old/", "/docs/", "old/index.html", id="from the site's root"),
        pytest.param("/docs/old/", "/docs/", "old/index.html", id="or as browsers show it"),
        pytest.param("/docs/", "/docs/", "index.html", id="the mounted root"),
        pytest.param("/docsx/", "/docs/", "docsx/index.html", id="not the mount"),
    ],
)
def test_keys_of_redirects(source: str, url_path: str, key: str) -> None:
    assert redirect_key(source, url_path) == key


@pytest.mark.parametrize(
    ("to", "url_path", "target"),
    [
        pytest.param("/new/", "/", "/new/", id="a path"),
        pytest.param("/new/?a=b&c#d", "/", "/new/?a=b&c#d", id="query and fragment stay"),
        pytest.param("/new/", "/docs/", "/docs/new/", id="from the site's root"),
        pytest.param("/docs/new/", "/docs/", "/docs/new/", id="or as browsers show it"),
        pytest.param("https://other.org/x", "/docs/", "https://other.org/x", id="elsewhere"),
        pytest.param("HTTP://other.org", "/", "HTTP://other.org", id="any case"),
        pytest.param("//other.org/x", "/", "https://other.org/x", id="without scheme"),
        pytest.param("//a.b:8/x", "/", "https://a.b:8/x", id="without scheme, with a port"),
        pytest.param("../new/", "/", "/old/deep/../new/", id="relative to the source"),
        pytest.param("/é ü\"'<>", "/", "/%C3%A9%20%C3%BC%22%27%3C%3E", id="escaped"),
        pytest.param("/%C3%A9?q=%20", "/", "/%C3%A9?q=%20", id="escaped already"),
    ],
)
def test_targets_of_redirects(to: str, url_path: str, target: str) -> None:
    assert redirect_target(Redirect("/old/deep/", to), url_path) == target


@pytest.mark.parametrize(
    "source",
    [
        *("", "old/", "https://ex.org/old", "/a?b", "/a#b", "/a//b", "//a", "/a/../b", "/a/%2e%2e", "/a%2Fb", "/a%00", "/a\\b", "/./"),
        *("/caf%E9/", "/.sitepub/state.json", "/%2Esitepub/state.json", "/a/.Sitepub/"),
    ],
)
def test_bad_sources_are_named(source: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        redirect_key(source, "/")
    assert caught.value.code == "bad-redirect"
    assert f"`{source}`" in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    "to", ["", " ", "javascript:alert(1)", "data:text/html,x", "mailto:a@b", "//", "///x", "/a\nb", "\\\\other.org", "https:///x"]
)
def test_bad_targets_are_named(to: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        redirect_target(Redirect("/old/", to), "/")
    assert caught.value.code == "bad-redirect"


def test_a_redirect_carries_what_s3_answers() -> None:
    page = make("/old.pdf", "/new/")
    assert page.headers == (("Cache-Control", "E"), ("Content-Type", "text/html; charset=utf-8"), (WEBSITE_REDIRECT, "/new/"))
    assert list(page.headers) == sorted(page.headers)


TARGETS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=30).map(lambda text: "/x" + text.replace("\\", ""))


@example(to="/x?a=1&lt=2&amp;copy")
@given(to=TARGETS | TARGETS.map(lambda path: "https://other.org" + path))
def test_any_target_stands_whole_in_a_page_without_script(to: str) -> None:
    page = make("/old/", to)
    url = dict(page.headers)[WEBSITE_REDIRECT]
    assert url.isascii()
    document = turbohtml.parse(page.body)
    assert document.select_one("script") is None
    refresh = document.select_one("meta[http-equiv=refresh]")
    assert refresh is not None and refresh.attrs["content"] == f"0; url={url}"
    assert not set(url) & set("\"'<> ")
    canonical, link, robots = (document.select_one(name) for name in ("link[rel=canonical]", "a", "meta[name=robots]"))
    assert canonical is not None and canonical.attrs["href"] == url
    assert link is not None and link.attrs["href"] == url
    assert robots is not None and robots.attrs["content"] == "noindex"
    assert len(document.select("body > *")) == 1


def test_the_same_redirect_is_the_same_bytes() -> None:
    assert make("/old/", "/new/") == make("/old/", "/new/")
