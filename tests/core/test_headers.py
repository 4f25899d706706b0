"""Which headers an artifact gets, and whose word that was."""

from __future__ import annotations

import pytest

from sitepub.core.headers import ALLOWED_HEADERS, HeaderPolicy, choose_headers, make_header_policy
from sitepub.core.model import FileClass, SourcePath
from sitepub.core.settings import ENTRIES_BEHIND_DISTRIBUTION, ENTRIES_WITHOUT_DISTRIBUTION, Cache, HeaderRule

CACHE = Cache(assets="A", entries="E", errors="R", aliases="L")


def choose(policy: HeaderPolicy, path: str, file_class: FileClass = FileClass.ENTRY, encoding: str | None = None) -> dict[str, str]:
    return dict(choose_headers(policy, SourcePath(path), file_class, encoding=encoding).headers)


@pytest.mark.parametrize(
    ("path", "file_class", "control", "rule"),
    [
        pytest.param("a.css", FileClass.ASSET, "A", "`cache.assets`", id="an asset"),
        pytest.param("a.css", FileClass.FROZEN, "A", "`cache.assets`", id="a frozen file is one"),
        pytest.param("a.css", FileClass.ALIAS, "L", "`cache.aliases`", id="an alias"),
        pytest.param("a.js", FileClass.PINNED, "E", "`cache.entries`", id="a pinned file keeps its URL, so it is an entry"),
        pytest.param("index.html", FileClass.ENTRY, "E", "`cache.entries`", id="an entry"),
        pytest.param("404.html", FileClass.ENTRY, "R", "`cache.errors`", id="the error page"),
        pytest.param("50x.html", FileClass.ENTRY, "R", "`cache.errors`", id="another one"),
        pytest.param("de/404.html", FileClass.ENTRY, "E", "`cache.entries`", id="one in a folder is a page"),
        pytest.param("oops/index.html", FileClass.ENTRY, "R", "`cache.errors`", id="one that the distribution answers"),
    ],
)
def test_cache_control_goes_by_class(path: str, file_class: FileClass, control: str, rule: str) -> None:
    policy = make_header_policy(CACHE, has_distribution=True, error_pages=["oops/index.html"])
    chosen = choose_headers(policy, SourcePath(path), file_class)
    assert dict(chosen.headers)["Cache-Control"] == control
    assert chosen.rule == rule


def test_entries_are_kept_at_the_edge_only_where_there_is_one() -> None:
    assert choose(make_header_policy(Cache(), has_distribution=True), "a.html")["Cache-Control"] == ENTRIES_BEHIND_DISTRIBUTION
    assert choose(make_header_policy(Cache(), has_distribution=False), "a.html")["Cache-Control"] == ENTRIES_WITHOUT_DISTRIBUTION


def test_every_rule_that_matches_applies_and_later_ones_win() -> None:
    rules = (
        HeaderRule("*.pdf", (("Content-Disposition", "attachment"), ("Cache-Control", "one")), 30),
        HeaderRule("/x/", (("Cache-Control", "two"),), 32),
        HeaderRule("*.css", (("Cache-Control", "three"),), 34),
        HeaderRule("a.pdf", (("Content-Type", "application/x-mine"),)),
    )
    policy = make_header_policy(CACHE, rules, has_distribution=True)
    chosen = choose_headers(policy, SourcePath("x/a.pdf"), FileClass.ALIAS)
    assert chosen.headers == (("Cache-Control", "two"), ("Content-Disposition", "attachment"), ("Content-Type", "application/x-mine"))
    assert (
        chosen.rule
        == "`cache.aliases`, then `headers` rule `*.pdf` in line 30, then `headers` rule `/x/` in line 32, then `headers` rule `a.pdf`"
    )
    assert choose(policy, "b.txt", FileClass.ASSET) == {"Cache-Control": "A", "Content-Type": "text/plain; charset=utf-8"}


def test_headers_are_sorted_by_name() -> None:
    rules = (HeaderRule("*", (("Expires", "0"), ("Content-Language", "de"), ("Content-Encoding", "gzip"))),)
    names = [
        name
        for name, _ in choose_headers(make_header_policy(CACHE, rules, has_distribution=True), SourcePath("a.js"), FileClass.ASSET).headers
    ]
    assert names == sorted(names)
    assert set(names) <= set(ALLOWED_HEADERS.values())


@pytest.mark.parametrize(
    ("encoding", "media_type"),
    [(None, "text/html; charset=utf-8"), ("utf-8", "text/html; charset=utf-8"), ("cp1251", "text/html")],
)
def test_a_page_in_another_encoding_is_not_overruled(encoding: str | None, media_type: str) -> None:
    assert choose(make_header_policy(CACHE, has_distribution=True), "a.html", encoding=encoding)["Content-Type"] == media_type


def test_allowed_headers_are_found_by_lower_case_and_spelled_canonically() -> None:
    assert all(ALLOWED_HEADERS[name.lower()] == name for name in ALLOWED_HEADERS.values())
    assert sorted(ALLOWED_HEADERS.values()) == [
        "Cache-Control",
        "Content-Disposition",
        "Content-Encoding",
        "Content-Language",
        "Content-Type",
        "Expires",
    ]
