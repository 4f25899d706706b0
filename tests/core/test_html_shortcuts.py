"""Two ways past work in HTML: harmless tags that no scanner looks at, and tags read once for all pages. Neither may change what is found."""

from __future__ import annotations

from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sitepub.core.references import html_page, html_tokens
from sitepub.core.references.html import scan_html
from sitepub.core.references.html_foreign import Namespace
from sitepub.core.references.html_page import PageReader as Page
from sitepub.core.references.html_tokens import Tag, read_attributes
from sitepub.core.references.model import Scan

# Each element with the attributes that decide about it, and what it always has.
ELEMENTS = st.sampled_from(
    [
        ("meta", ("name", "property", "http-equiv", "itemprop", "NAME"), "content=a.png"),
        ("META", ("http-equiv", "name"), "content='5;url=a.html'"),
        ("link", ("rel", "REL", "imagesrcset"), "href=a.png"),
        ("Link", ("rel", "as", "imagesrcset"), ""),
        ("button", ("onclick",), "class=x"),
        ("div", ("onclick", "style", "data-x", "src"), "id=y"),
        ("li", ("class", "href", "action"), ""),
        ("x-y", ("src", "href"), ""),
    ]
)
# What stands between tags, or hides some.
BETWEEN = (
    b"text",
    b" < > ",
    b"<!-- <img src=x.png> -->",
    b"<!-- sitepub: off -->",
    b"<!-- sitepub: on -->",
    b"<!--",
    b"<![CDATA[ > <img src=c.png> ]]>",
    b"<?php <img src=p.png> ?>",
    b"<title>",
    b"</title>",
    b"<script>",
    b"import('./a.js')",
    b"</script>",
    b"<style>a { background: url(a.png) }</style>",
    b"<textarea><img src=t.png>",
    b"</textarea>",
    b"<svg>",
    b"<style>b { background: url(b.png) }</style>",
    b"<foreignObject>",
    b"</svg>",
    b"<p>",
    b"</p><br>",
    b"<plaintext>",
    b"<base href=/b/>",
    b"<html><head>",
    b"</head>",
    b"<img src=i.png",
    b">",
)
VALUES = st.sampled_from(
    (
        "description",
        "og:image",
        " OG:image",
        "msapplication-TileImage",
        "\x01msapplication-config",
        "msapplication&#45;config",
        "Content-Security-Policy",
        "refresh",
        "5;url=a.html",
        "script-src sha256-x",
        "vk:image",
        "thumbnail",
        "next",
        "next icon",
        "icon",
        "ICON",
        "manifest",
        "canonical",
        "a.png",
        "a.png 2x",
        "image",
        "f(b, 1)",
        "color: red",
        "background: url(a.png)",
        "utf-8",
        "",
    )
)
CALLS = (
    "f('a.js')",
    "f('/b')",
    "import('c')",
    "new Worker('d')",
    "f('e', 1)",
    "iW.x()",
    "`./f`",
    "f('\\x2ea.js')",
    "f('&#46;/a')",
    "export;",
)
HANDLERS = st.lists(st.sampled_from(CALLS), max_size=3).map(";".join)


@st.composite
def tags(draw: st.DrawFn) -> bytes:
    element, names, always = draw(ELEMENTS)
    text = f"{element} {always}" if always else element
    for name in draw(st.lists(st.sampled_from(names), min_size=1, max_size=3)):
        value = draw(HANDLERS if name == "onclick" else VALUES)
        if "'" not in value and draw(st.booleans()):
            form = " {}='{}'"
        elif value and not set(value) & set(" '`\\") and draw(st.booleans()):
            form = "\n{}={}"
        else:
            form = ' {}="{}"'
        text += form.format(name, value)
    return f"<{text}>".encode()


def read_slowly(text: bytes, *, links: bool) -> Scan:
    """One tag, without either short way."""
    name = text[1:].split(b" ")[0].split(b"\n")[0].rstrip(b">")
    page = Page(text, links=links, depth=0)
    page.read(Tag(name.lower(), 0, read_attributes(text, 1 + len(name), len(text) - 1), Namespace.HTML))
    return page.found.finish(None)


@settings(max_examples=1500, deadline=None)
@given(text=tags(), links=st.booleans())
def test_what_is_passed_over_refers_to_nothing(text: bytes, links: bool) -> None:
    assert replace(scan_html(text, links=links), encoding=None) == read_slowly(text, links=links)


@settings(max_examples=600, deadline=None)
@given(text=st.lists(st.one_of(tags(), st.sampled_from(BETWEEN)), max_size=12).map(b"".join), links=st.booleans())
def test_the_first_pages_are_read_as_all_others(text: bytes, links: bool) -> None:
    """Without the pattern that runs over what refers to nothing, as it takes longer to compile than they take to read."""
    found = []
    for left in (0, 1_000_000):
        html_tokens._FIRST.left = left
        html_page._read_part.cache_clear()
        found.append(scan_html(text, links=links))
    html_tokens._FIRST.left = 0
    assert found[0] == found[1]


@pytest.mark.parametrize("text", [b"<title>a</title", b"<title>a<b></title><img src=b.png>", b"<title>a</titles><img src=b.png></title>"])
def test_a_title_ends_where_browsers_end_it(text: bytes) -> None:
    assert [one.url for one in scan_html(text).references] == (["b.png"] if text.endswith(b"b.png>") else [])


def test_a_tag_is_remembered_without_its_place() -> None:
    text = b'<link rel=icon href=a.png integrity=sha256-x>\n<script>import("./b.js")</script>'
    once, twice = scan_html(text), scan_html(b"\n\n<p>" + text)
    shift = len(b"\n\n<p>")
    assert [(one.start + shift, one.end + shift, one.dot + shift, one.line + 2) for one in once.references] == [
        (one.start, one.end, one.dot, one.line) for one in twice.references
    ]
    assert [one.start + shift for one in once.inline] == [one.start for one in twice.inline]
    assert [one.start + shift for one in once.integrities] == [one.start for one in twice.integrities]


def test_a_remembered_tag_is_left_alone_where_the_author_says_so() -> None:
    tag = b"<img src=a.png>"
    uses = [one.use for one in scan_html(tag + b"<!-- sitepub: off -->" + tag + b"<!-- sitepub: on -->" + tag).references]
    assert [use.value for use in uses] == ["load", "opaque", "load"]


PIECES = [
    *("<link rel=stylesheet href=a.css>", "<script src=b.js></script>", "<script>import './c.js'; '</head>'</script>", "<base href=d/>"),
    *(
        "<!-- sitepub: off -->",
        "<!-- sitepub: on -->",
        "<!--",
        "-->",
        "<style>",
        "</style>",
        "<svg>",
        "</svg>",
        "<foreignObject>",
        "<title>",
    ),
    *("</title>", "<script>", "</script>", "</head>", "</HEAD>", "<img alt='", "'>", '"', "<iframe srcdoc='<img src=e.png>'>", "</iframe>"),
    *(
        "<img src=f.png>",
        "<noscript>",
        "<plaintext>",
        "<meta http-equiv=Content-Security-Policy content=\"script-src 'sha256-abc='\">",
        "\n",
    ),
]


@settings(max_examples=600, deadline=None)
@given(head=st.lists(st.sampled_from(PIECES), max_size=8), body=st.lists(st.sampled_from(PIECES), max_size=4), links=st.booleans())
def test_a_head_is_read_as_one_only_where_that_makes_no_difference(head: list[str], body: list[str], links: bool) -> None:
    page = f"<p>{''.join(head)}</head>{''.join(body)}<img src=g.png>".encode()
    as_one = scan_html(page, links=links)
    with mock.patch.object(html_page, "_LONGEST_HEAD", 0):
        assert scan_html(page, links=links) == as_one


def test_heads_of_pages_are_remembered() -> None:
    head = b"<link rel=stylesheet href=once.css><script src=twice.js></script>"
    before = html_page._read_part.cache_info().hits
    found = [scan_html(b"<title>%b</title>%b</head><p><img src=a.png>" % (title, head)) for title in (b"one", b"\n\nthree")]
    assert html_page._read_part.cache_info().hits == before + 1
    assert [[one.url for one in scan.references] for scan in found] == [["once.css", "twice.js", "a.png"]] * 2
    assert [[one.line for one in scan.references] for scan in found] == [[1, 1, 1], [3, 3, 3]]
