"""The edge function does what `edge.py` says, in JavaScript, within CloudFront's limits."""

from __future__ import annotations

import re
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as some

from sitepub.core.edge import EdgeRules, Moved, locate, make_edge_rules, route
from sitepub.core.edge_function import MOST_BYTES, fit_redirects, make_edge_function
from sitepub.core.settings import Redirect, UrlStyle
from sitepub.errors import ConfigurationError
from tests.support.edge_engines import Answered, Asked, QuickJs, ask_njs, has_njs
from tests.support.requests_at_edge import REDIRECTS, ROUTED, Routed

RULES = make_edge_rules(REDIRECTS, url_path="/", url_style=UrlStyle.DIRECTORY)
STYLES = tuple(UrlStyle)


@cache
def engine(url_path: str, style: UrlStyle) -> QuickJs:
    return QuickJs(make_edge_function(make_edge_rules(REDIRECTS, url_path=url_path, url_style=style)))


def expect(asked: Asked, rules: EdgeRules) -> Answered:
    found = route(asked.uri, rules)
    if isinstance(found, str):
        return (found,)
    return found.status, {"location": {"value": locate(found, asked.query or "")}, "cache-control": {"value": "no-cache"}}


@pytest.mark.parametrize("style", UrlStyle)
@pytest.mark.parametrize("routed", ROUTED, ids=lambda routed: routed.sentence)
def test_each_request_of_the_table(routed: Routed, style: UrlStyle) -> None:
    wanted = routed.wanted(style)
    answered = engine(routed.url_path, style).ask(Asked(routed.path))
    assert (answered[0] if len(answered) == 1 else Moved(answered[0], answered[1]["location"]["value"])) == wanted


@pytest.mark.skipif(not has_njs(), reason="njs is not installed")
@pytest.mark.parametrize("style", UrlStyle)
def test_the_engine_of_the_runtime_answers_alike(style: UrlStyle) -> None:
    for url_path in sorted({routed.url_path for routed in ROUTED}):
        rules = make_edge_rules(REDIRECTS, url_path=url_path, url_style=style)
        asked = [Asked(routed.path, query) for routed in ROUTED for query in (None, "a=1&b=%26")]
        assert ask_njs(make_edge_function(rules), asked) == [expect(one, rules) for one in asked]


pieces = some.sampled_from(
    ["/", "//", "%2F", "\\", ".", "..", "%2e", "index.html", ".sitepub", "%2Esitepub", "a", "A", "%41", "%c3%a9", "é", "%", "%%", "%2", "+", "%2B",
     "old", "page", "gone.html", "caf%C3%A9", "docs", ".well-known", "v1.2", ".css", " ", "%0D%0A", "*", "~", "'", '"', "😀", "%FF", "?", "#", "&", "="]
)  # fmt: skip
paths = some.lists(pieces | some.characters(exclude_categories=["Cs"]), max_size=12).map(lambda found: "/" + "".join(found))
queries = some.none() | some.text(some.characters(exclude_categories=["Cs"]), max_size=12)


@given(paths, queries, some.sampled_from(STYLES), some.sampled_from(["/", "/docs/", "/café/"]))
def test_any_request(path: str, query: str | None, style: UrlStyle, url_path: str) -> None:
    rules = make_edge_rules(REDIRECTS, url_path=url_path, url_style=style)
    asked = Asked(path, query)
    assert engine(url_path, style).ask(asked) == expect(asked, rules)


@given(paths, queries, some.sampled_from(STYLES))
def test_no_answer_leads_astray(path: str, query: str | None, style: UrlStyle) -> None:
    """Only redirects of sitepub.yaml leave the site; nothing breaks out of a header; ours is out of reach; one page, one cached URL."""
    answered = engine("/", style).ask(Asked(path, query))
    if len(answered) == 2:
        location = answered[1]["location"]["value"]
        assert re.match(r"/(?![/\\])|https://other\.org/x\?y=1", location) and re.fullmatch(r"[!-~]+", location)
        return
    (uri,) = answered
    assert re.fullmatch(r"/[!-~]*", uri) and "//" not in uri and "+" not in uri
    assert not re.search(r"/\.sitepub/.", uri)
    assert engine("/", style).ask(Asked(uri)) == (uri,) or (uri == "/.sitepub/")


@pytest.mark.parametrize(
    ("path", "query", "location"),
    [
        pytest.param("/docs", "a=1&b=2&a=3", "/docs/?a=1&b=2&a=3", id="along to the folder"),
        pytest.param("/old/", "q=%C3%A9%26+x", "/new/?q=%C3%A9%26+x", id="as it was escaped"),
        pytest.param("/old/", "", "/new/", id="a question mark alone says nothing"),
        pytest.param("/part/", "a=1", "/new/?a=1#part", id="before the fragment"),
        pytest.param("/gone.html", "a=1", "https://other.org/x?y=1", id="the target's own wins"),
        pytest.param("/old/", "a=\r\nSet-Cookie: b", "/new/?a=%0D%0ASet-Cookie:%20b", id="no line breaks"),
        pytest.param("/old/", "a=é", "/new/?a=%C3%A9", id="letters that no header has"),
    ],
)  # fmt: skip
def test_queries_survive(path: str, query: str, location: str) -> None:
    code = make_edge_function(RULES)
    assert QuickJs(code).ask(Asked(path, query))[1]["location"]["value"] == location


def test_queries_survive_where_the_runtime_has_no_raw_ones() -> None:
    """In the order of their names, which is the order of each name's values too."""
    old = QuickJs(make_edge_function(RULES), is_raw=False)
    assert old.ask(Asked("/old/", "a=1&b=%26&a=3&c"))[1]["location"]["value"] == "/new/?a=1&a=3&b=%26&c"
    assert old.ask(Asked("/old/"))[1]["location"]["value"] == "/new/"


def many(count: int, pattern: str = "/an/old/folder/number-{}/") -> EdgeRules:
    redirects = [Redirect(pattern.format(number), f"/and/its/new/place/{number}/", 301 + number % 2) for number in range(count)]
    return make_edge_rules(redirects, url_path="/", url_style=UrlStyle.DIRECTORY)


def test_it_is_small() -> None:
    """A site's own redirects have most of the room."""
    assert len(make_edge_function(many(0)).encode()) < 2_500 < MOST_BYTES <= 10_000


def test_all_redirects_fit_where_they_can() -> None:
    rules = many(100)
    assert fit_redirects(rules).rules == rules and not fit_redirects(rules).left_out


def test_those_that_do_not_fit_are_told() -> None:
    rules = many(300)
    fitting = fit_redirects(rules)
    code = make_edge_function(fitting.rules)
    assert MOST_BYTES - 70 < len(code) <= MOST_BYTES
    told = QuickJs(code)
    for number in range(300):
        path = f"/an/old/folder/number-{number}/"
        is_left = path in fitting.left_out
        assert told.ask(Asked(path)) == ((f"{path}index.html",) if is_left else expect(Asked(path), rules))
    assert 50 < len(fitting.left_out) < 200
    assert fitting.left_out == tuple(path for path in rules.redirects if path in fitting.left_out and path.endswith("/")), "in their order"


def test_those_that_no_page_can_stand_for_come_first() -> None:
    last = Redirect("/page", "/new/")
    rules = make_edge_rules(
        [*(Redirect(f"/an/old/folder/number-{number}/", "/x/") for number in range(400)), last], url_path="/", url_style=UrlStyle.DIRECTORY
    )
    assert "/page" in fit_redirects(rules).rules.redirects
    with pytest.raises(ConfigurationError) as caught:
        fit_redirects(many(400, "/an/old/page/number-{}"))
    assert caught.value.code == "too-many-redirects" and "400" in caught.value.message


def test_same_rules_same_text_and_nothing_but_ascii() -> None:
    code = make_edge_function(RULES)
    assert code == make_edge_function(make_edge_rules(REDIRECTS, url_path="/", url_style=UrlStyle.DIRECTORY))
    assert code.isascii() and "@" not in code.replace(":@", "")


NEWER = r"=>|`|\b(?:let|const|class|async|await|import|export|yield|of|eval|Function|setTimeout|require)\b|\?\?|\?\.|\.\.\."
LIBRARY = {
    *("replace", "test", "charAt", "fromCharCode", "slice", "toUpperCase", "indexOf", "lastIndexOf", "keys", "forEach", "push", "join"),
    *("request", "uri", "querystring", "rawQueryString", "multiValue", "value", "length"),
}


def test_only_what_every_runtime_has() -> None:
    """ECMAScript 5.1, of which the runtime has all: no newer syntax, and no methods beyond these."""
    code = re.sub(r"//.*|'[^'\n]*'|\"[^\"\n]*\"|/(?![/ ])(?:\\.|\[(?:\\.|[^\]\n])*\]|[^/\n\\\[])+/g?", "", make_edge_function(RULES))
    assert not re.search(NEWER, code)
    assert set(re.findall(r"\.(\w+)", code)) <= LIBRARY
