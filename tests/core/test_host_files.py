"""`_redirects` and `_headers`: what becomes a rule, and what is told with its line because no rule can do it."""

from __future__ import annotations

import pytest

from sitepub.core.host_files import HostRules, read_headers, read_redirects
from sitepub.core.patterns import compile_patterns
from sitepub.core.settings import Redirect

FILES = {"index.html", "about.html", "docs/index.html", "docs/a/b.css", "blog/post/index.html", "a[1].pdf", "plain", "app.css"}


def redirects(text: str, *taken: Redirect, url_path: str = "/") -> HostRules:
    return read_redirects(text, url_path=url_path, exists=FILES.__contains__, taken=taken)


def headers(text: str) -> HostRules:
    return read_headers(text, exists=FILES.__contains__)


@pytest.mark.parametrize(
    ("line", "source", "to", "status"),
    [
        ("/old /new", "/old", "/new", 301),
        ("/old/  /new/?x=1#y  302", "/old/", "/new/?x=1#y", 302),
        ("/old https://example.org/new 308!", "/old", "https://example.org/new", 308),
        ("\t/old /new 307 # moved", "/old", "/new", 307),
        ("/about/ /about.html", "/about/", "/about.html", 301),
        ("/old //example.org/new", "/old", "//example.org/new", 301),
        ("/old /new//x", "/old", "/new//x", 301),
    ],
)
def test_a_line_becomes_a_redirect(line: str, source: str, to: str, status: int) -> None:
    found = redirects(f"# comment\n\n{line}\n")
    assert found.redirects == (Redirect(source, to, status, 3, origin="_redirects"),)
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("/blog/* /news/:splat", "`/blog/*` stands for many paths, and a redirect stands at one: write a line for each"),
        ("/:year/:slug /posts/:slug", "`/:year/:slug` stands for many paths, and a redirect stands at one: write a line for each"),
        (
            "/* /index.html 200",
            "`/*` answers any URL with `/index.html`: make it the distribution's error page for 403 and 404, with status 200",
        ),
        (
            "/api/x https://api.example.org/x 200",
            "`/api/x` is no redirect but an answer with status 200, which only a function at the edge can give",
        ),
        ("/gone / 410", "`/gone` is no redirect but an answer with status 410, which only a function at the edge can give"),
        ("/x id=:id /y", "`/x` depends on `id=:id`, which only a function at the edge can see"),
        ("/x /de/ 302 Language=de", "`/x` depends on `Language=de`, which only a function at the edge can see"),
        ("https://old.example.org/ /new", "`https://old.example.org/` is about another host: redirect it where that host is served"),
        ("/x", "`/x` leads nowhere: a path or URL must follow it"),
        ("/x 301", "`/x` leads nowhere: a path or URL must follow it"),
        ("/x/ /x/index.html", "`/x/` leads to itself"),
        ("/a//b /c", "`/a//b` holds an empty or dot segment"),
        ("/.sitepub/state.json /c", "`/.sitepub/state.json` has the name of sitepub's own records"),
        ("/docs/ /new 301!", "`/docs/` is a file of the site, `docs/index.html`, and can't be forced to redirect; take the file out"),
    ],
)
def test_what_no_redirect_can_do_is_told_with_its_line(line: str, told: str) -> None:
    found = redirects(f"/fine /new\n{line}\n")
    assert [redirect.source for redirect in found.redirects] == ["/fine"]
    assert [warning.message for warning in found.warnings] == [f"`_redirects` line 2: {told}"]


@pytest.mark.parametrize("line", ["/docs/ /new", "/* /404.html 404", "# /x /y", ""])
def test_what_needs_no_redirect_is_left_out_in_silence(line: str) -> None:
    assert redirects(line) == HostRules()


def test_sitepub_yaml_wins_and_then_the_first_line() -> None:
    found = redirects("/a /theirs\n/b/ /first\n/b/index.html /second\n", Redirect("/a", "/ours"))
    assert [(redirect.source, redirect.to) for redirect in found.redirects] == [("/b/", "/first")]
    assert found.warnings == ()


def test_a_path_may_be_written_with_the_mount_before_it() -> None:
    found = redirects("/docs/old /docs/new\n", Redirect("/old", "/x"), url_path="/docs/")
    assert found.redirects == ()


@pytest.mark.parametrize(
    ("url", "matched"),
    [
        ("/*", FILES),
        ("/docs/*", {"docs/index.html", "docs/a/b.css"}),
        ("/*.css", {"docs/a/b.css", "app.css"}),
        ("/docs/*.css", {"docs/a/b.css"}),
        ("/", {"index.html"}),
        ("/about", {"about.html"}),
        ("/about.html", {"about.html"}),
        ("/docs", {"docs/index.html"}),
        ("/docs/", {"docs/index.html"}),
        ("/plain", {"plain"}),
        ("/a[1].pdf", {"a[1].pdf"}),
        ("/blog/:slug/", {"blog/post/index.html"}),
        ("/:folder/*", {"docs/index.html", "docs/a/b.css", "blog/post/index.html"}),
    ],
)
def test_a_url_of_headers_is_about_these_files(url: str, matched: set[str]) -> None:
    found = headers(f"{url}\n  Cache-Control: no-store\n")
    assert found.warnings == ()
    rules = [compile_patterns([rule.match]) for rule in found.headers]
    assert {path for path in FILES if any(rule.matches(path) for rule in rules)} == matched  # type: ignore[arg-type]


def test_a_name_after_a_placeholder_is_no_pattern() -> None:
    assert [rule.match for rule in headers("/:folder/a[1].pdf\n  Expires: 0\n").headers] == ["/*/a\\[1\\].pdf"]


def test_headers_are_told_from_urls_by_their_form() -> None:
    found = headers("/app.css\nContent-Language: en\n  /plain\nContent-Language: de\n")
    assert [(rule.match, rule.set, rule.line) for rule in found.headers] == [
        ("/app.css", (("Content-Language", "en"),), 1),
        ("/plain", (("Content-Language", "de"),), 3),
    ]
    assert found.warnings == ()


def test_blocks_keep_their_order_and_join_what_they_name_twice() -> None:
    found = headers("# all\n/*\n  Cache-Control: public\n  cache-control: max-age=60\n\n/app.css\n\tContent-Language: en\n")
    assert [(rule.match, rule.set, rule.line) for rule in found.headers] == [
        ("/**", (("Cache-Control", "public, max-age=60"),), 2),
        ("/app.css", (("Content-Language", "en"),), 6),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "/*\n  X-Frame-Options: DENY\n",
            "2: `X-Frame-Options` is no header that S3 keeps; put it into the distribution's response-headers policy",
        ),
        ("/*\n  ! Cache-Control\n", "2: `! Cache-Control` takes a header off, which only a function at the edge can do"),
        (
            "/*\n  Basic-Auth: me:secret\n",
            "2: `Basic-Auth` is no header that S3 keeps; put it into the distribution's response-headers policy",
        ),
        ("/*\n  me:sécret and more\n", "2: `me` is no header that S3 keeps; put it into the distribution's response-headers policy"),
        ("/*\n  nonsense\n", "2: is no header: it is written `Name: value`"),
        ("/*\n  Expires:\n", "2: `Expires` has no value that a header can have"),
        ("/nosuch\n  Expires: 0\n", "1: `/nosuch` is no file of the site"),
        ("Expires: 0\n/app.css\n", "1: headers stand below no URL: write the path that they are for above them"),
        ("/*/x/*\n  Expires: 0\n", "1: `/*/x/*` has a wildcard that no pattern can say: it may begin the last part of the path"),
        (
            "https://x.pages.dev/*\n  Expires: 0\n",
            "1: `https://x.pages.dev/*` is about one host: rules here hold for the files, whoever asks",
        ),
    ],
)
def test_what_no_header_rule_can_do_is_told_with_its_line(text: str, told: str) -> None:
    found = headers(text)
    assert found.headers == ()
    assert [warning.message for warning in found.warnings] == [f"`_headers` line {told}"]
    assert not any("secret" in warning.message or "sécret" in warning.message for warning in found.warnings)
