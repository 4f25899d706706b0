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


REWRITTEN = [
    pytest.param(svg(b'<image href="a~.png"/>'), id="F1 image"),
    pytest.param(svg(b"<image\n  width='3'\n  xlink:href = 'a~.png'\n/>"), id="F1 any spacing and quotes"),
    pytest.param(svg(b'<image xlink:href="a~.png" href="b~.png"/>'), id="B6 both href and xlink:href"),
    pytest.param(svg(b'<use href="s~.svg#icon"/>'), id="F1 use, its fragment kept"),
    pytest.param(svg(b'<filter><feImage href="a~.png"/></filter>'), id="F1 feImage"),
    pytest.param(svg(b'<linearGradient href="s~.svg#g"/>'), id="F1 gradient of another file"),
    pytest.param(svg(b'<script href="a~.js"/>'), id="F1 script"),
    pytest.param(svg(b'<script type="module">import "./a~.js"</script>'), id="F1 script module"),
    pytest.param(svg(b'<script xlink:href="a~.js">import("./b.js")</script>'), id="F1 content of a loaded script is ignored"),
    pytest.param(svg(b"<style>a{background:url(a~.png)}</style>"), id="F1 style"),
    pytest.param(svg(b'<style><![CDATA[a{background:url("a~.png")}]]></style>'), id="F1 style in CDATA"),
    pytest.param(
        svg(b"<style>@import 'a~.css';<!-- @import 'b.css'; --><![CDATA[]]]]><![CDATA[> a{b:url(c~.png)}]]></style>"),
        id="F1 style in pieces",
    ),
    pytest.param(svg(b"<style>a{b:url(&quot;a~.png&quot;)} c{d:url('e~&#46;png')}</style>"), id="F1 style with references"),
    pytest.param(svg(b'<rect fill="url(s~.svg#g)" stroke="url(#l)" style="mask:url(m~.svg)"/>'), id="F1 presentation attributes"),
    pytest.param(svg(b'<rect fill="url(&apos;s~&#x2e;svg&apos;)"/>'), id="F1 references in a presentation attribute"),
    pytest.param(
        b'<s:svg xmlns:s="http://www.w3.org/2000/svg" xmlns:l="http://www.w3.org/1999/xlink"><s:image l:href="a~.png"/></s:svg>',
        id="F1 other prefixes",
    ),
    pytest.param(
        b'<svg xmlns="http://www.w3.org/2000/svg"><image xmlns:q="http://www.w3.org/1999/xlink" x="1" q:href="a~.png" xmlns:z="z"/></svg>',
        id="F1 a prefix bound in the tag",
    ),
    pytest.param(
        b'<svg xmlns="http://www.w3.org/2000/svg"><image xmlns:q="urn:q" q:href="a.png"/></svg>', id="F1 a prefix bound to something else"
    ),
    pytest.param(b'<svg><image href="a.png"/></svg>', id="F1 svg without its namespace is none"),
    pytest.param(svg(b'<image href="a.png" xmlns="urn:x"/>'), id="F1 another namespace"),
    pytest.param(svg(b'<image href="#a"/><image href=""/><image href="data:image/png;base64,x.y"/>'), id="C2 C3 nothing to fetch"),
    pytest.param(
        svg(b'<!-- <image href="a.png"/> --><![CDATA[<image href="a.png"/>]]><?x <image href="a.png"/>?>'), id="F1 what is no markup"
    ),
    pytest.param(svg(b'<image title="x > y" href="a~.png"/>'), id="A3 `>` in an attribute"),
    pytest.param(svg(b'<image href="a&amp;b~.png"/><image href="c~&#x2E;png"/>'), id="B15 references"),
    pytest.param(
        svg(b'<image href="my%20file~.png"/><image href="a~%2epng"/><image href="caf\xc3\xa9~.png"/>'), id="C9 C11 escapes and UTF-8"
    ),
    pytest.param(b"\xef\xbb\xbf" + svg(b'<image href="a~.png"/>'), id="A25 a BOM"),
    pytest.param(
        b'<?xml version="1.0" encoding="iso-8859-2"?>' + svg(b'<image id="\xe1\xe2" href="\xb1~.png"/>'), id="C12 another encoding"
    ),
    pytest.param(
        b'<?xml version="1.0" encoding="UTF-8"?>\r\n<?xml-stylesheet type="text/css" href="a~.css"?>\r\n' + svg(b""), id="F2 xml-stylesheet"
    ),
    pytest.param(b"<?xml-stylesheet type='text/xsl' href='feed~.xsl?a&amp;b'?><rss/>", id="F2 of a feed"),
    pytest.param(svg(b'<?xml-stylesheet href="a.css"?>'), id="F2 not in the document's body"),
    pytest.param(b'<!-- <?xml-stylesheet href="a.css"?> -->' + svg(b""), id="F2 not in a comment"),
    pytest.param(
        b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://x/svg11.dtd" [<!ENTITY ns_svg "http://www.w3.org/2000/svg">'
        b'<!ENTITY ns_x "http://www.w3.org/1999/xlink">]><svg xmlns="&ns_svg;" xmlns:x="&ns_x;"><image x:href="a~.png"/></svg>',
        id="F4 namespaces as entities, as Illustrator writes them",
    ),
    pytest.param(
        b'<!DOCTYPE svg [<!ENTITY f "a.png">]>' + svg(b'<image href="&f;"/><image href="&f;c.png"/><image href="b~.png"/>'),
        id="F4 a URL made of an entity stays",
    ),
    pytest.param(
        b"<!DOCTYPE svg [<!ENTITY i '<image href=\"a.png\"/>'>]>" + svg(b'&i;<image href="b~.png"/>'), id="F4 markup in an entity"
    ),
    pytest.param(
        b'<!DOCTYPE svg [<!ATTLIST image href CDATA "d.png">]>' + svg(b'<image/><image href="b~.png"/>'),
        id="F4 an attribute that only the DTD has",
    ),
    pytest.param(
        xhtml(b'<head><script src="a~.js"/><link rel="stylesheet" href="a~.css"/></head><body><br/><img src="a~.png"/></body>'),
        id="F7 XHTML",
    ),
    pytest.param(xhtml(b'<script>//<![CDATA[\nif (1 < 2) import("./a~.js");\n//]]></script>'), id="F7 script in CDATA"),
    pytest.param(
        xhtml(b'<script type="module">import "./a~.js"; if (1 &lt; 2) import("./b~.js")</script>'), id="F7 script with references"
    ),
    pytest.param(xhtml(b'<style type="text/css">a{b:url(c~.png)}</style><p style="background:url(d~.png)"/>'), id="F7 style"),
    pytest.param(xhtml(b'<img srcset="a~.png 1x, b~.png 2x"/><video poster="p~.jpg"/><a href="x.html"/>'), id="F7 the attributes of HTML"),
    pytest.param(xhtml(b'<h:img xmlns:h="http://www.w3.org/1999/xhtml" src="a~.png"/><img xmlns="" src="b.png"/>'), id="F7 by namespace"),
    pytest.param(xhtml(b'<svg xmlns="http://www.w3.org/2000/svg"><image href="a~.png"/></svg>'), id="F7 SVG inside"),
    pytest.param(xhtml(b'<textarea><img src="a~.png"/></textarea>'), id="F7 no raw text in XML"),
    pytest.param(
        b'<browserconfig><msapplication><tile><square150x150logo src="a~.png"/><TileImage src="b~.png"/></tile>'
        b'<notification><polling-uri src="c~.xml"/></notification></msapplication></browserconfig>',
        id="F12 browserconfig",
    ),
    pytest.param(b'<x:a xmlns:x="urn:x" href="a.png" src="b.png"/>', id="XML that nobody knows"),
]


@pytest.mark.parametrize("expected", REWRITTEN)
def test_what_is_loaded_is_rewritten_and_nothing_else(expected: bytes) -> None:
    body = expected.replace(b"~", b"")
    found = scan_xml(body)
    assert found.problem is None
    assert insert(body, found.references) == expected.replace(b"~", H)
    assert insert(body, scan_xml(body, links=True).references) == expected.replace(b"~", H)


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
        pytest.param(RSS, ["https://ex.org/", "a.png", "i.png", "/b.html", "c.mp3", "d.jpg"], id="F5 F6 RSS"),
        pytest.param(ATOM, ["a.html", "i.png", "l.png", "b.mp3", "c.html", "d.html"], id="F5 Atom"),
        pytest.param(SITEMAP, ["https://ex.org/a.html", "https://ex.org/a.png"], id="F5 sitemap"),
        pytest.param(OPENSEARCH, ["/i.png"], id="F12 OpenSearch"),
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


def test_xml_base_of_a_feed_is_the_base_of_what_is_inside() -> None:  # C18
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
    """C18 otherwise than its row says: Chromium dropped `xml:base` in 2015, so which file is meant depends on the browser."""
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


def test_an_author_may_keep_an_element_as_it_is() -> None:  # B33
    (image,) = scan_xml(svg(b'<image sitepub-ignore="" href="a.png"/>')).references
    assert image.use is Use.OPAQUE


LAUGHS = (
    b"<!DOCTYPE svg [<!ENTITY a 'ha'>"
    + b"".join(b"<!ENTITY %c '&%c;&%c;'>" % (c + 1, c, c) for c in b"abcdefghij")
    + b"]>"
    + svg(b"<text>&k;</text>")
)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        pytest.param(svg(b'<image href="a.png">'), "is not well-formed XML: mismatched tag in line 1", id="F3 an open tag"),
        pytest.param(b"", "is not well-formed XML: no element found in line 1", id="F3 empty"),
        pytest.param(
            b"\n" + svg(b'<image href="a.png" href="a.png"/>'), "is not well-formed XML: duplicate attribute in line 2", id="F3 twice"
        ),
        pytest.param(svg(b"&nbsp;"), "is not well-formed XML: undefined entity in line 1", id="F3 an entity of HTML"),
        pytest.param(svg(b"\xff"), "is not well-formed XML: not well-formed (invalid token) in line 1", id="F3 no UTF-8"),
        pytest.param(
            svg(b'<x:image href="a.png"/>'), "is not well-formed XML: unbound prefix in line 1", id="F3 a prefix without a namespace"
        ),
        pytest.param(LAUGHS, "declares the entity `b`, which is long or made of others, and so is not read", id="F4 billion laughs"),
        pytest.param(
            b"<!DOCTYPE svg [<!ENTITY a '" + b"a" * 300 + b"'>]>" + svg(b'<image href="' + b"&a;" * 9 + b'"/>'),
            "declares the entity `a`, which is long or made of others, and so is not read",
            id="F4 a long entity, quadratic",
        ),
        pytest.param(
            SVG + b'<g xml:base="abc/">' * 2_000 + b"</g>" * 2_000 + b"</svg>",
            "nests `xml:base` too deeply to be read",
            id="C18 bases in bases",
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


def test_what_a_broken_file_mentions_keeps_its_plain_name() -> None:  # F3
    assert (
        scan_xml(svg(b'<image href="img/a.png">')).mentions == ("img/a.png",)
        or "img/a.png" in scan_xml(svg(b'<image href="img/a.png">')).mentions
    )


def test_nothing_external_is_read(tmp_path: Path) -> None:  # F4
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
