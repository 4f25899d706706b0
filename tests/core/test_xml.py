"""SVG, XHTML, feeds and tiles: what they load is found at its bytes, what strangers read keeps its name, hostile input costs nothing."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sitepub.core.references.model import Reference, Use
from sitepub.core.references.xml import scan_xml

H = b".3f9ac2d1"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
XHTML = b'<html xmlns="http://www.w3.org/1999/xhtml">'


def insert(body: bytes, references: tuple[Reference, ...]) -> bytes:
    for reference in sorted(references, key=lambda one: one.start, reverse=True):
        if reference.dot >= 0 and reference.use in (Use.LOAD, Use.MODULE):
            body = body[: reference.dot] + H + body[reference.dot :]
    return body


def svg(content: bytes) -> bytes:
    return SVG + content + b"</svg>"


def xhtml(content: bytes) -> bytes:
    return XHTML + content + b"</html>"


RSS = b"""<?xml version="1.0"?>
<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd">
 <channel><link>https://ex.org/</link><image><url> a.png </url></image><itunes:image href="i.png"/>
  <item><link><![CDATA[/b.html]]></link><enclosure url="c.mp3"/><media:content url="d.jpg"/>
  <description><![CDATA[<img src="e.png">]]> &lt;img src="f.png"&gt;</description></item>
 </channel>
</rss>"""
ATOM = b"""<feed xmlns="http://www.w3.org/2005/Atom" xml:base="/blog/"><link href="a.html"/><icon>i.png</icon><logo>l.png</logo>
<entry xml:base="2026/"><link rel="enclosure" href="b.mp3"/><content src="c.html"/></entry><entry><link href="d.html"/></entry></feed>"""
SITEMAP = b"""<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
<url><loc>https://ex.org/a.html</loc><image:image><image:loc>https://ex.org/a.png</image:loc></image:image></url></urlset>"""
OPENSEARCH = b"""<OpenSearchDescription xmlns="http://a9.com/-/spec/opensearch/1.1/"><Image>/i.png</Image><Url template="/s?q={t}"/></OpenSearchDescription>"""


@pytest.mark.parametrize(
    ("body", "urls"),
    [
        pytest.param(RSS, ["https://ex.org/", "a.png", "i.png", "/b.html", "c.mp3", "d.jpg"], id="RSS"),
        pytest.param(ATOM, ["a.html", "i.png", "l.png", "b.mp3", "c.html", "d.html"], id="Atom"),
        pytest.param(SITEMAP, ["https://ex.org/a.html", "https://ex.org/a.png"], id="sitemap"),
        pytest.param(OPENSEARCH, ["/i.png"], id="OpenSearch"),
    ],
)
def test_feeds_link_and_are_never_rewritten(body: bytes, urls: list[str]) -> None:
    assert scan_xml(body).references == ()
    found = scan_xml(body, links=True).references
    assert [one.url for one in found] == urls
    assert {one.use for one in found} == {Use.LINK}
    assert all(body[one.start : one.end].strip().decode() == one.url for one in found)


def test_a_feed_is_not_read_to_its_end_where_nobody_asks_for_links() -> None:
    assert scan_xml(RSS[:-5]).problem is None
    assert scan_xml(RSS[:-5], links=True).problem == "is not well-formed XML: unclosed token in line 7"


def test_a_section_holds_no_references() -> None:
    section, text = scan_xml(svg(b'<style><![CDATA[a{b:url("x&amp;y.png")}]]></style><style>a{b:url("x&amp;y.png")}</style>')).references
    assert (section.url, text.url) == ("x&amp;y.png", "x&y.png")


def test_xml_base_of_a_feed_is_the_base_of_what_is_inside() -> None:
    bases = {one.url: one.base for one in scan_xml(ATOM, links=True).references}
    assert bases == {
        "a.html": "/blog/",
        "i.png": "/blog/",
        "l.png": "/blog/",
        "b.mp3": "/blog/2026/",
        "c.html": "/blog/2026/",
        "d.html": "/blog/",
    }


def test_under_xml_base_only_plain_names_are_right_everywhere() -> None:
    """Chromium dropped `xml:base` in 2015, so which file is meant depends on the browser."""
    body = svg(b'<image href="a.png"/><g xml:base="img/"><image href="b.png"/><style>c{d:url(e.png)}</style></g><image href="f.png"/>')
    found = scan_xml(body)
    assert [(one.url, one.base, one.use) for one in found.references] == [
        ("a.png", None, Use.LOAD),
        ("b.png", "img/", Use.OPAQUE),
        ("e.png", "img/", Use.OPAQUE),
        ("f.png", None, Use.LOAD),
    ]
    assert found.mentions == ("b.png", "e.png")


def test_a_reference_says_where_and_what() -> None:
    body = b'<?xml-stylesheet href="a.css"?>\n' + svg(b'\n<image\n  xlink:href=" b.png "/>\n<a href="c.html"/>')
    style, image, link = scan_xml(body, links=True).references
    assert (style.how, style.line, style.use) == ("xml-stylesheet href", 1, Use.LOAD)
    assert (image.how, image.line, image.url, body[image.start : image.end]) == ("image xlink:href", 4, "b.png", b" b.png ")
    assert (link.how, link.line, link.use) == ("a href", 5, Use.LINK)
    assert len(scan_xml(body).references) == 2


def test_a_module_script_is_a_module() -> None:
    (script,) = scan_xml(svg(b'<script type="module" href="a.js"/>')).references
    assert script.use is Use.MODULE


def test_the_first_base_of_xhtml_counts() -> None:
    assert scan_xml(xhtml(b'<base target="x"/><base href="/a&amp;b/"/><base href="/c/"/>')).base == "/a&b/"


def test_what_a_policy_may_name_is_told_of_xhtml() -> None:
    body = xhtml(
        b'<script>import("./a.js")</script><style>a{b:url(c.png)} d&gt;e{}</style><style><![CDATA[f{g:url(h.png)}]]></style><script src="x.js" integrity="sha256-AA"/>'
    )
    found = scan_xml(body)
    assert [(body[one.start : one.end], one.directive, one.escapes) for one in found.inline] == [
        (b'import("./a.js")', "script-src", 0),
        (b"a{b:url(c.png)} d&gt;e{}", "style-src", 1),
    ]
    assert [(one.value, one.url) for one in found.integrities] == [("sha256-AA", "x.js")]


LAUGHS = (
    b"<!DOCTYPE svg [<!ENTITY a 'ha'>"
    + b"".join(b"<!ENTITY %c '&%c;&%c;'>" % (c + 1, c, c) for c in b"abcdefghij")
    + b"]>"
    + svg(b"<text>&k;</text>")
)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        pytest.param(svg(b'<image href="a.png">'), "is not well-formed XML: mismatched tag in line 1", id="an open tag"),
        pytest.param(b"", "is not well-formed XML: no element found in line 1", id="empty"),
        pytest.param(
            b"\n" + svg(b'<image href="a.png" href="a.png"/>'), "is not well-formed XML: duplicate attribute in line 2", id="twice"
        ),
        pytest.param(svg(b"&nbsp;"), "is not well-formed XML: undefined entity in line 1", id="an entity of HTML"),
        pytest.param(svg(b"\xff"), "is not well-formed XML: not well-formed (invalid token) in line 1", id="no UTF-8"),
        pytest.param(
            svg(b'<x:image href="a.png"/>'), "is not well-formed XML: unbound prefix in line 1", id="a prefix without a namespace"
        ),
        pytest.param(LAUGHS, "declares the entity `b`, which is long or made of others, and so is not read", id="billion laughs"),
        pytest.param(
            b"<!DOCTYPE svg [<!ENTITY a '" + b"a" * 300 + b"'>]>" + svg(b'<image href="' + b"&a;" * 9 + b'"/>'),
            "declares the entity `a`, which is long or made of others, and so is not read",
            id="a long entity, quadratic",
        ),
        pytest.param(
            SVG + b'<g xml:base="abc/">' * 2_000 + b"</g>" * 2_000 + b"</svg>",
            "nests `xml:base` too deeply to be read",
            id="bases in bases",
        ),
        pytest.param(svg(b"").decode().encode("utf-16"), "is XML in UTF-16 or UTF-32, which is not rewritten", id="UTF-16"),
        pytest.param(
            b'<?xml version="1.0" encoding="x-none"?>' + svg(b"\xe9"), "is XML in x-none, which is not rewritten", id="an unknown encoding"
        ),
        pytest.param(
            b'<?xml version="1.0" encoding="iso-2022-jp"?>' + svg(b"\xe9"),
            "is XML in iso-2022-jp, which is not rewritten",
            id="an unsafe encoding",
        ),
    ],
)
def test_what_cannot_be_read_safely_is_left_whole(body: bytes, problem: str) -> None:
    found = scan_xml(body)
    assert found.problem == problem
    assert found.references == ()


def test_what_a_broken_file_mentions_keeps_its_plain_name() -> None:
    assert "img/a.png" in scan_xml(svg(b'<image href="img/a.png">')).mentions


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_what_a_wide_file_mentions_keeps_its_plain_name(codec: str) -> None:
    found = scan_xml(svg('<image href="img/é.png"/>'.encode()).decode().encode(codec))
    assert (found.problem, "img/é.png" in found.mentions) == ("is XML in UTF-16 or UTF-32, which is not rewritten", True)


def test_what_stands_behind_an_entity_is_no_attribute_of_what_is_in_it() -> None:
    doctype = b"<!DOCTYPE svg [<!ENTITY a '<style/>'><!ENTITY b '<image href=\"b.png\"/>'>]>"
    for name in (b"a", b"b"):
        body = doctype + svg(b"&" + name + b';="c.png"<image href="d.png"/>')
        assert [(one.url, one.start) for one in scan_xml(body).references] == [("d.png", body.index(b"d.png"))]


def test_a_byte_order_mark_is_believed_before_what_is_declared() -> None:
    body = "\ufeff<?xml version='1.0' encoding='iso-8859-1'?>".encode() + svg('<image href="café.png"/>'.encode())
    scan = scan_xml(body)
    assert (scan.problem, [one.url for one in scan.references]) == (None, ["café.png"])


@pytest.mark.parametrize("label", [b"hex", b"undefined", b"utf-32", b"nobody-knows"])
def test_what_no_text_is_written_in_is_left_whole(label: bytes) -> None:
    scan = scan_xml(b"<?xml version='1.0' encoding='" + label + b"'?>" + svg(b'<image href="\xe9.png"/>'))
    assert scan.problem == f"is XML in {label.decode()}, which is not rewritten"


def test_nothing_external_is_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("<image xmlns='http://www.w3.org/2000/svg' href='leak.png'/>")
    body = (
        b'<!DOCTYPE svg SYSTEM "'
        + secret.as_uri().encode()
        + b'" [<!ENTITY e SYSTEM "'
        + secret.as_uri().encode()
        + b'">]>'
        + svg(b"<g>&e;</g>")
    )
    found = scan_xml(body)
    assert "leak" not in repr(found)
    assert found.references == ()


@pytest.mark.parametrize(
    "unit",
    [
        b"<g>",
        b"<image href='a.png'/>",
        b"<style>",
        b"<!--",
        b"<![CDATA[",
        b"&amp;",
        b"<a b='",
        b"<g xml:base='a/'>",
        b"<style><![CDATA[]]></style>",
        b"<style>&lt;</style>",
    ],
)
def test_much_of_anything_is_read(unit: bytes) -> None:
    """Whatever is more than linear does not come back from this."""
    body = SVG + unit * (400_000 // len(unit))
    assert scan_xml(body).problem is not None
    scan_xml(body + b"</svg>")


NAMES = st.sampled_from(["image", "use", "rect", "g", "style", "script", "a", "feImage"])
VALUES = st.text(st.sampled_from("a.b/&<>\"'é% \t\n#?"), max_size=10) | st.sampled_from(["a.png", "url(b.png)", "img/c.svg#x"])
TREES = st.recursive(
    st.tuples(
        NAMES,
        st.dictionaries(st.sampled_from(["href", "{http://www.w3.org/1999/xlink}href", "fill", "style", "id"]), VALUES, max_size=3),
        st.just(()),
    ),
    lambda inner: st.tuples(NAMES, st.dictionaries(st.sampled_from(["href", "mask"]), VALUES, max_size=2), st.lists(inner, max_size=4)),
    max_leaves=8,
)


def build(tree: object) -> ElementTree.Element:
    assert isinstance(tree, tuple)
    name, attributes, children = tree
    element = ElementTree.Element(f"{{http://www.w3.org/2000/svg}}{name}", attributes)
    element.extend(build(child) for child in children)
    return element


XLINK = "{http://www.w3.org/1999/xlink}href"
LOADING = {"image", "use", "feImage", "script", "a"}


@given(tree=TREES)
def test_references_are_those_that_a_tree_builder_sees(tree: object) -> None:
    root = build(tree)
    body = ElementTree.tostring(root, encoding="utf-8")
    found = scan_xml(body, links=True)
    assert found.problem is None
    ends = "".join(map(chr, range(33)))
    expected = sorted(
        value.strip(ends)
        for element in ElementTree.fromstring(body).iter()
        for key, value in element.items()
        if key in ("href", XLINK) and element.tag.rpartition("}")[2] in LOADING
    )
    seen = sorted(one.url for one in found.references if one.how.endswith("href"))
    assert seen == [url for url in expected if url and not url.startswith("#")]
    again = ElementTree.fromstring(insert(body, found.references).replace(H, b""))
    assert ElementTree.tostring(again) == ElementTree.tostring(ElementTree.fromstring(body))


FRAGMENTS = st.lists(
    st.sampled_from(
        [
            SVG,
            XHTML,
            b"</svg>",
            b"<image href='a.png'",
            b"/>",
            b"<style>",
            b"</style>",
            b"<![CDATA[",
            b"]]>",
            b"<!--",
            b"-->",
            b"&amp;",
            b"&x;",
            b"<?",
            b"?>",
            b"<?xml-stylesheet href='a.css'?>",
            b"<!DOCTYPE a [",
            b"<!ENTITY x 'y'>",
            b"]>",
            b"url(a.png)",
            b" xml:base='b/'",
            b"'",
            b'"',
            b">",
            b"\xff",
            b"\x00",
            b"<rss>",
        ]
    ),
    max_size=14,
).map(b"".join)


@given(body=FRAGMENTS | st.binary(max_size=40))
def test_anything_is_read_without_a_crash_and_only_insertions_follow(body: bytes) -> None:
    found = scan_xml(body, links=True)
    assert insert(body, found.references).replace(H, b"") == body
    starts = [one.start for one in found.references]
    assert starts == sorted(starts)
    assert all(one.start <= one.dot <= one.end for one in found.references if one.dot >= 0)
    assert all(before.end <= after.start for before, after in zip(found.references, found.references[1:]))
