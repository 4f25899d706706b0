"""The edge cases of HTML, each with its sentence: `•` stands where a digest is inserted, and nowhere else does a byte change."""

from __future__ import annotations

import pytest

from sitepub.core.references.html import scan_html
from sitepub.core.references.model import Integrity, Reference, Scan, Use
from tests.support.inserting import insert

MARK = "•"

TOKENS = {
    "A1 an unquoted value": "<img src=a•.png>",
    "A1 upper case and single quotes are kept": "<IMG SRC='a•.png'>",
    "A1 slashes separate attributes": '<img/src="a•.png"/alt>',
    "A2 a slash at the end of an unquoted value belongs to it": "<img src=a.png/>",
    "A3 a > in a value does not end the tag": '<img title="x > y" src=a•.png>',
    "A3 a tag in a value is none": "<a title='<img src=a.png>'>",
    "A4 no space between attributes": '<img alt="a"src="a•.png">',
    "A5 white space around the equals sign": '<img src = \n\t"a•.png">',
    "A6 of two attributes with one name the first counts": '<img src="a•.png" src="b.png" SRC="c.png">',
    "A6 even if the first has no value": '<img src src="b.png">',
    "A7 no value, an empty one, a blank one": '<img src><img src=""><img src=" "><img src=><img src=a•.png>',
    "A8 a comment": "<!-- <img src=a.png> --><img src=b•.png>",
    "A8 a comment that ends with a bang": "<!-- <img src=a.png> --!><img src=b•.png>",
    "A8 a comment that ends at once": "<!--><img src=a•.png>",
    "A8 a comment that ends at once with three dashes": "<!---><img src=a•.png>",
    "A8 a comment of four dashes": "<!----><img src=a•.png>",
    "A8 a comment of five dashes": "<!-----><img src=a•.png>",
    "A8 dashes and a space do not end a comment": "<!-- -- > <img src=a.png> --><img src=b•.png>",
    "A8 a bang behind one dash does not end a comment": "<!---!><img src=a.png>--><img src=b•.png>",
    "A8 an unterminated comment": "<img src=a•.png><!-- <img src=b.png>",
    "A9 a conditional comment is a comment": "<!--[if IE]><link rel=stylesheet href=a.css><![endif]--><img src=b•.png>",
    "A9 a revealed conditional comment is none": "<![if !IE]><img src=a•.png><![endif]>",
    "A10 a processing instruction ends at the first >": '<?php echo "<img src=a.png>" ?><img src=b•.png>',
    "A10 an end tag without a name is a comment": "</3 <img src=a.png><img src=b•.png>",
    "A10 and so is a bang without dashes": "<! <img src=a.png><img src=b•.png>",
    "A10 an empty end tag is nothing": "</><img src=a•.png>",
    "A10 a lone < is text": "1 < 2 <<img src=a•.png>",
    "A11 markup in a script": '<script>var s="<img src=a.png>"</script><img src=b•.png>',
    "A11 an end tag with white space": "<script></SCRIPT\n><img src=b•.png>",
    "A11 an end tag with a slash": "<script></script/><img src=b•.png>",
    "A11 a longer name is no end tag": "<script></scriptx><img src=a.png></script><img src=b•.png>",
    "A12 a script in a comment in a script": "<script><!-- <script> </script> <img src=a.png> --></script><img src=b•.png>",
    "A12 a comment in a script ends with it": "<script><!-- <img src=a.png></script><img src=b•.png>",
    "A12 an empty comment in a script is over at once": "<script><!--><script></script><img src=a•.png>",
    "A12 one with three dashes too": "<script><!---><script></script><img src=a•.png>",
    "A12 two scripts open in a comment are one": "<script><!--<script><script></script><img src=a.png></script><img src=b•.png>",
    "A12 a script without an end hides the rest": "<img src=a•.png><script><img src=b.png>",
    **{
        f"A13 markup in {name} is text": f"<{name}><img src=a.png></{name.upper()} ><img src=b•.png>"
        for name in ("textarea", "title", "xmp", "iframe", "noembed", "noframes")
    },
    "A13 a longer name does not end it": "<title></titles><img src=a.png></title><img src=b•.png>",
    "A13 nothing ends plaintext": "<img src=a•.png><plaintext><img src=b.png></plaintext><img src=c.png>",
    "A14 a style of HTML is CSS": "<style>a{background:url(a•.png)}<img src=b.png></style>",
    "A14 a style of SVG is markup": "<svg><style><image href=a•.css></style></svg>",
    "A14 and its text is CSS": "<svg><style>a{fill:url(a•.svg#p)}</style></svg>",
    "A14 where character references count": "<svg><style>a{fill:url(&quot;a•.svg&quot;)}</style></svg>",
    "A14 and CDATA holds CSS as it is": "<svg><style><![CDATA[a{fill:url('a•.svg')} b>c{}]]></style></svg>",
    "A15 CDATA in SVG": "<svg><![CDATA[ > <image href=a.png> ]]><image href=b•.png></svg>",
    "A15 CDATA in HTML is a comment to the first >": "<![CDATA[ <img src=a.png><img src=b•.png> ]]>",
    "A15 CDATA in SVG without an end": "<svg><image href=a•.png><![CDATA[ > <image href=b.png>",
    "A16 the title of SVG holds HTML": "<svg><title><style><img src=a.png></style><img src=b•.png></title><image href=c•.png></svg>",
    "A16 its foreignObject does": "<svg><foreignObject><img src=a•.png></foreignObject><image href=c•.png></svg>",
    "A16 its desc does": "<svg><desc><style><image href=a.png></style></desc><style><image href=c•.png></style></svg>",
    "A16 an annotation of MathML that says so does": '<math><annotation-xml encoding="Text/HTML"><style><img src=a.png></style></annotation-xml></math>',
    "A16 another one does not": "<math><annotation-xml><style><mglyph src=a•.png></style></annotation-xml></math>",
    "A16 the text of MathML does": "<math><mi><style><img src=a.png></style></mi><mtext><mglyph><style><mglyph src=b•.png></style></math>",
    "A16 an empty integration point holds nothing": "<svg><foreignObject/><style><image href=a•.png></style></svg>",
    "A16 paragraphs and list entries in it end by themselves": (
        "<svg><foreignObject><p><p></p></foreignObject><desc><ul><li><li></ul></desc><title><li><li></li></title><style><image href=a•.png></style></svg>"
    ),
    "A16 an HTML block in an integration point keeps it open": "<svg><desc><p></desc><style><img src=a.png></style></svg>",
    "A17 a script of SVG closes itself": "<svg><script href=a•.js /><image href=b•.png></svg>",
    "A17 the slash of an unquoted value does not": "<svg><script href=a.js/><image href=b•.png></svg>",
    "A18 an element of HTML leaves SVG": "<svg><g><div><style><img src=a.png></style><img src=b•.png></div>",
    "A18 a font with a color does": "<svg><font color=red><style><img src=a.png></style>",
    "A18 a font without one does not": "<svg><font><style><image href=a•.png></style></svg>",
    "A18 the end tag of a paragraph does": "<svg></p><style><img src=a.png></style>",
    "A18 the end tag of an element around it does": "<span><svg><g></span><style><img src=a.png></style>",
    "A18 an end tag of no element does not": "<svg></unheard><style><image href=a•.png></style></svg>",
    "A19 a template": "<template><img src=a•.png></template>",
    "A19 a declarative shadow root": "<div><template shadowrootmode=open><img src=a•.png></template></div>",
    "A19 what is there without scripts": "<noscript><img src=a•.png></noscript>",
    "A20 the end of the file in a tag drops it": "<img src=a•.png><img src=b.png",
    "A20 and in a quoted value": '<img src=a•.png><img src="b.png>',
    "A20 and in SVG": "<svg><image href=a•.png><image href=b.png",
    "A21 an end tag with an attribute": '</p title="<img src=a.png>"><img src=b•.png>',
    "A22 NUL, invalid UTF-8, a lone CR and FF are kept": "<img\x0csrc=a•.png\r\x00><p \x00\x7f>",
    "A23 a < in a name is part of it": "<a<b href=x><img <b src=a•.png><img<b src=c•.png>",
    "A23 an equals sign may begin a name": "<img =x src=a•.png>",
    "A23 two equals signs": "<img src==a•.png>",
    "A25 CRLF and tabs, no newline at the end": "<p>\r\n\t<img\r\nsrc=a•.png\r\n>",
    "A25 a byte order mark": "\ufeff<img src=a•.png>",
}

LOADED = (
    "stylesheet",
    "alternate stylesheet",
    "icon",
    "shortcut icon",
    "apple-touch-icon",
    "apple-touch-icon-precomposed",
    "apple-touch-startup-image",
    "mask-icon",
    "preload",
    "prefetch",
    "modulepreload",
    "image_src",
    "fluid-icon",
)
FOLLOWED = ("canonical", "next", "prev", "author", "license", "help", "me", "search", "pingback", "preconnect", "dns-prefetch", "alternate")
ELEMENTS = {
    **{
        f"B1 {name} src": f"<{name} src=a•.bin>"
        for name in ("img", "script", "source", "audio", "video", "track", "embed", "frame", "iframe")
    },
    "B1 an input's image": "<input type=image src=a•.png>",
    "B2 rel is a list of words in any case": '<link REL="Preload  STYLESHEET" href=a•.css>',
    **{f"B3 link rel={rel}": f'<link rel="{rel}" href=a•.bin>' for rel in LOADED},
    **{f"B4 link rel={rel} is followed, not loaded": f'<link rel="{rel}" href=a.bin>' for rel in FOLLOWED},
    "B5 a web app manifest keeps its name": "<link rel=manifest href=site.webmanifest>",
    "B6 a poster": "<video poster=a•.jpg>",
    "B6 an object": "<object data=a•.svg></object>",
    "B6 a background": "<body background=a•.png><table background=b•.png><td background=c•.png>",
    "B6 both references of an image of SVG": "<svg><image href=a•.png xlink:href=b•.png /><use href='s•.svg#i'/><feImage xlink:href=c•.png /></svg>",
    "B6 the paint of SVG may be in another file": '<svg><path fill="url(p•.svg#a)" filter="url(#f)" transform="translate(1.5 2)"/></svg>',
    "B7 srcset": '<img srcset="a•.png 1x, b•.png 2x">',
    "B8 a URL of a srcset may hold a comma": '<img srcset="a,b•.png 1x"><img srcset="a•.png, b•.png"><img srcset="a•.png 1x,,b•.png 2x, c•.png,">',
    "B9 a data URL in a srcset": '<img srcset="data:image/png;base64,AA== 1x, a•.png 2x">',
    "B10 parentheses in a descriptor": '<img srcset="a.png (x,y), b•.png">',
    "B11 a template in a srcset": '<img srcset="{{ image }}/a.png 1x, b•.png 2x">',
    "B11 a descriptor that browsers refuse": '<img srcset="a.png 1q, b•.png 2x">',
    "B12 the candidates of a preload and a source": '<link rel=preload imagesrcset="a•.png 1x"><source srcset="b•.png 480w">',
    "B13 a style attribute": '<div style="background:url(a•.png)">',
    "B14 character references in it": '<div style="background:url(&quot;a•.png&quot;)"><div style="background:url(&#39;b•.png&#39;)">',
    "B14 even for the parenthesis": '<div style="background:url&lpar;a•.png)">',
    "B15 character references in a URL": '<link rel=stylesheet href="a&amp;b•.css"><img src=a•&#x2e;png><img src=a•&period;png><img src=a•.png?x&copy=1>',
    "B16 a document in an attribute": '<iframe srcdoc="&lt;img src=&quot;a•.png&quot;&gt;&lt;p style=&quot;background:url(&amp;quot;b•.png&amp;quot;)&quot;&gt;">',
    "B17 images for other sites keep their names": "<meta property=og:image content=https://ex.org/a.png><meta name=twitter:image content=a.png><meta itemprop=image content=a.png>",
    "B18 tiles": "<meta name=msapplication-TileImage content=a•.png><meta name=msapplication-config content=b•.xml>",
    "B18 a task's icon": '<meta name=msapplication-task content="name=x.y; action-uri=/a.html; icon-uri=a•.ico">',
    "B19 a page that sends its reader on": '<meta http-equiv=refresh content="0;url=x.html">',
    "B20 what a reader follows": "<a href=a.pdf ping=b.php><area href=c.png><form action=d.php><q cite=e.html><img longdesc=f.html>",
    "B21 an image that is only linked to": "<a href=big.jpg>",
    "B22 what lazy loaders load": '<img data-src=a•.png data-srcset="b•.png 2x"><div data-bg=c•.png><video data-poster=d•.png>',
    "B22 other data attributes": "<img data-other=a.png>",
    "B23 an event handler": "<img onclick=\"i.src='a.png'\">",
    "B26 a script that is none": '<script type=text/x-handlebars><img src="a.png"></script><script type=application/json>{"a":"a.png"}</script>',
    "B26 nor is its file loaded": "<script type=text/x-handlebars src=a.html></script>",
    "B27 an inline module": '<script type=module>import "./a•.js"</script>',
    "B27 a computed import in a classic one": '<script>import("./a•.js")</script>',
    "B28 an import map": '<script type=importmap>{"imports":{"a":"./a•.js"}}</script>',
    "B29 JSON-LD": '<script type="application/ld+json">{"image":"a.png"}</script>',
    "B31 a custom element": "<amp-img src=a•.png></amp-img><x-img srcset='b•.png 2x' href=c.png></x-img>",
    "B32 a template": '<img src="{{ url }}/a.png"><img src="<%= x %>.png"><img src="${x}.png">',
    "B33 an element that asks to be left alone": "<img src=a.png sitepub-ignore><script sitepub-ignore>import('./a.js')</script><img src=b•.png>",
    "B33 a part of a page that does": "<!-- sitepub: off --><img src=a.png><svg><image href=b.png></svg><!--sitepub:on--><img src=c•.png>",
    "B33 a part of an inline SVG that does": "<svg><!-- sitepub: off --><image href=a.png></svg><!-- sitepub: on --><img src=c•.png>",
    "H8 what a script fetches by its plain name is not preloaded by another": "<link rel=preload as=fetch href=a.json>",
}

URLS = {
    "C1 query and fragment stay behind": "<img src='a•.png?v=3#x'><img src='f•.eot?#iefix'><img src='s•.svg#icon'>",
    "C2 what names no file": "<img src='#id.x'><img src='?x.y'><img src='.'><img src='./'><img src='dir/'><img src='a.b/'>",
    "C3 what no file is fetched by": "<img src=data:a.png><img src=blob:a.png><img src=mailto:a@b.c><img src='JavaScript:a.b'><img src=about:a.b>",
    "C4 an absolute URL": "<img src=//ex.org/a•.png><img src=HTTPS://EX.ORG:443/a•.png>",
    "C4 a host alone": "<img src=//ex.org><img src=https://ex.org>",
    "C8 white space around a URL": "<img src=' \n a•.png\t'>",
    "C8 a line break in it": "<img src='a•.p\nng'>",
    "C9 an escaped dot": "<img src=a•%2epng><img src='my file•.png'><img src=my%20file•.png>",
    "C11 letters that are not ASCII": "<img src=café•.png><img src=caf%C3%A9•.png>",
    "C15 no dot to insert before": "<img src=LICENSE><img src=.htaccess><img src=a.tar•.gz>",
}


def body_of(row: str) -> bytes:
    return row.replace(MARK, "").encode("utf-8")


@pytest.mark.parametrize("row", [pytest.param(row, id=sentence) for sentence, row in (TOKENS | ELEMENTS | URLS).items()])
def test_digests_go_where_the_row_says_and_nowhere_else(row: str) -> None:
    body = body_of(row)
    assert insert(body, scan_html(body)).decode("utf-8") == row.replace(MARK, ".3f9ac2d1")


@pytest.mark.parametrize("row", [pytest.param(row, id=sentence) for sentence, row in (TOKENS | ELEMENTS | URLS).items()])
def test_links_change_no_load(row: str) -> None:
    body = body_of(row)
    assert [one for one in scan_html(body, links=True).references if one.use is not Use.LINK] == list(scan_html(body).references)


def only(scan: Scan) -> Reference:
    (reference,) = scan.references
    return reference


def test_a_reference_tells_its_place() -> None:
    body = b'<p>\n<img\n alt="" src="&#32;i/a&#46;png?x">'
    reference = only(scan_html(body))
    assert reference == Reference(
        start=body.index(b"&#32;"),
        end=body.index(b'">'),
        dot=body.index(b"&#46;"),
        url="i/a.png?x",
        use=Use.LOAD,
        how="img src",
        line=3,
    )


def test_character_references_in_foreign_code_are_those_of_text() -> None:
    assert only(scan_html(b"<svg><style>a{fill:url(a&ampb.svg)}</style></svg>")).url == "a&b.svg"
    assert only(scan_html(b"<svg><path fill='url(a&ampb.svg)'/></svg>")).url == "a&ampb.svg"


def test_links_are_told_to_who_asks() -> None:
    body = (
        b"<a href=a.html ping='p.php q.php'><link rel=canonical href=b.html><meta property=og:image content=c.png>"
        b"<meta http-equiv=refresh content='5; URL=\"d.html\"'><form action=e.php><link rel=manifest href=f.webmanifest>"
        b"<svg><a xlink:href=g.html></svg><meta name=msapplication-task content='action-uri=h.html'>"
    )
    found = [(one.url, one.how) for one in scan_html(body, links=True).references]
    assert found == [
        ("a.html", "a href"),
        ("p.php", "a ping"),
        ("q.php", "a ping"),
        ("b.html", "link href"),
        ("c.png", "meta content"),
        ("d.html", "meta content"),
        ("e.php", "form action"),
        ("f.webmanifest", "link href"),
        ("g.html", "a xlink:href"),
        ("h.html", "meta content"),
    ]
    assert scan_html(body).references == ()


@pytest.mark.parametrize(
    ("markup", "use"),
    [
        ("<script src=a.js>", Use.LOAD),
        ("<script src=a.js type=''>", Use.LOAD),
        ("<script src=a.js type=' Text/JavaScript '>", Use.LOAD),
        ("<script src=a.js language=vbscript>", Use.OPAQUE),
        ("<script src=a.js type=Module>", Use.MODULE),
        ("<script src=a.js type='text/javascript; charset=utf-8'>", Use.OPAQUE),
        ("<link rel='modulepreload' href=a.js>", Use.MODULE),
        ("<svg><script type=module href=a.js />", Use.MODULE),
        ("<script type=module>import './a.js'</script>", Use.MODULE),
        ("<img src='{{ a }}.png'>", Use.OPAQUE),
        ("<img src=a.png sitepub-ignore>", Use.OPAQUE),
        ("<link rel=preload as=fetch href=a.json>", Use.OPAQUE),
    ],
)
def test_use(markup: str, use: Use) -> None:
    assert only(scan_html(markup.encode())).use is use


@pytest.mark.parametrize(
    ("markup", "is_optional"),
    [
        ("<img src=a.png>", False),
        ("<img data-src=a.png>", True),
        ("<x-img src=a.png>", True),
        ("<img srcset=a.png>", False),
        ("<div data-srcset=a.png>", True),
    ],
)
def test_only_what_browsers_load_must_be_there(markup: str, is_optional: bool) -> None:
    assert only(scan_html(markup.encode())).is_optional is is_optional


@pytest.mark.parametrize(
    ("markup", "base"),
    [
        ("<img src=a.png>", None),
        ("<base target=_top><base href=' /sub/ '><base href=/other/>", "/sub/"),
        ("<base href=''>", ""),
        ("<base href='https://cdn.other/'><svg><base href=x></svg>", "https://cdn.other/"),
        ("<svg><base href=x></svg>", None),
    ],
)
def test_base(markup: str, base: str | None) -> None:
    scan = scan_html(markup.encode())
    assert scan.base == base
    assert all(one.how != "base href" for one in scan.references)


def test_a_document_in_an_attribute_has_a_base_of_its_own() -> None:
    body = b"<base href=/a/><iframe srcdoc='<base href=/b/><img src=x.png>'></iframe><iframe srcdoc='<img src=y.png>'></iframe>"
    assert [(one.url, one.base) for one in scan_html(body).references] == [("x.png", "/b/"), ("y.png", None)]


def test_documents_in_documents_end_somewhere() -> None:
    body = b"<img src=a.png>"
    for _ in range(12):
        body = b'<iframe srcdoc="' + body.replace(b"&", b"&amp;").replace(b'"', b"&quot;") + b'"></iframe>'
    scan = scan_html(body)
    assert scan.references == ()
    assert scan.notes == ("line 1: documents in `srcdoc` are nested too deeply to be read",)


def test_integrity_of_scripts_and_styles() -> None:
    body = (
        b"<script src=a.js integrity='sha384-AA&#43;/ sha512-BB=='></script><link rel=stylesheet href=b.css integrity=sha256-CC=>"
        b"<link rel=modulepreload href=c.js integrity=sha256-DD= sitepub-ignore><link rel=canonical href=d integrity=sha256-EE=><img src=e.png integrity=x>"
    )
    assert scan_html(body).integrities == (
        Integrity(body.index(b"sha384"), body.index(b"'></s"), "sha384-AA+/ sha512-BB==", "a.js"),
        Integrity(body.index(b"sha256-CC"), body.index(b"sha256-CC") + 10, "sha256-CC=", "b.css"),
        Integrity(body.index(b"sha256-DD"), body.index(b"sha256-DD") + 10, "sha256-DD=", "c.js"),
    )


def test_integrity_in_an_import_map() -> None:
    body = b'<p><script type=importmap>{"imports":{"x":"./x.js"},"integrity":{"./x.js":"sha256-AA="}}</script>'
    (integrity,) = scan_html(body).integrities
    assert (body[integrity.start : integrity.end], integrity.url) == (b"sha256-AA=", "./x.js")


def test_hashes_of_a_policy_in_the_page() -> None:
    body = (
        b"""<meta http-equiv=Content-Security-Policy content="script-src 'self' 'sha256-AA+/=' &#39;SHA384-BB&#39;; style-src 'nonce-x'">"""
    )
    hashes = scan_html(body).policy_hashes
    assert [(one.algorithm, one.value, body[one.start : one.end]) for one in hashes] == [
        ("sha256", "AA+/=", b"AA+/="),
        ("sha384", "BB", b"BB"),
    ]


def test_inline_blocks_are_what_a_policy_would_hash() -> None:
    body = (
        b"<style>a{}</style><style></style><script>1</script><script src=a.js>2</script><script type=x>3</script><p style='color:red'>"
        b"<p style='background:url(&quot;a.png&quot;)'><svg><style>b&gt;c{}</style></svg><script type=importmap>{}</script>"
        b"<iframe srcdoc='<p style=&quot;background:url(b.png)&quot;>'>"
    )
    found = [(body[one.start : one.end], one.directive, one.escapes) for one in scan_html(body).inline]
    assert found == [
        (b"a{}", "style-src", 0),
        (b"1", "script-src", 0),
        (b"background:url(&quot;a.png&quot;)", "style-src", 1),
        (b"b&gt;c{}", "style-src", 1),
        (b"{}", "script-src", 0),
        (b"background:url(b.png)", "style-src", 2),
    ]


def test_what_a_script_in_the_page_says() -> None:
    body = b"<p>\n<script>\nnavigator.serviceWorker.register('/sw.js'); import('./l/' + x + '.js'); load('img/a.png')</script>"
    scan = scan_html(body)
    assert scan.registers == ("/sw.js",)
    assert [(one.prefix, one.suffix, one.line) for one in scan.patterns] == [("./l/", ".js", 3)]
    assert "img/a.png" in scan.mentions


@pytest.mark.parametrize(
    "markup",
    [
        "<div data-module=js/a.js>",
        "<div data-props='{&quot;url&quot;:&quot;js\\/a.js&quot;}'>",
        "<div onclick=\"load('js/a.js')\">",
        '<script type=application/json>{"url":"js/a.js"}</script>',
        "<script type=text/template><script src='js/a.js'></script>",
        "<style type=text/less>@import 'js/a.js';</style>",
        "<script>import {a from 'js/a.js'; `</script>",
    ],
)
def test_paths_in_what_is_not_read_are_mentioned(markup: str) -> None:
    scan = scan_html(markup.encode())
    assert "js/a.js" in scan.mentions
    assert scan.references == ()


def test_versions_and_sentences_are_no_paths() -> None:
    assert scan_html(b'<div data-version=1.2.3 data-text="e.g. this. And that" data-mail=mailto:a@b.org>').mentions == ()


def test_an_import_map_is_handed_on_with_its_place() -> None:
    body = b'<p>\n<script type=importmap>{"imports":{"/js/x.js":"/js/y.js","l/":"/l/"}}</script>'
    scan = scan_html(body)
    (import_map,) = scan.import_maps
    assert body[import_map.start : import_map.end].startswith(b'{"imports"')
    assert [(body[one.start : one.end], one.line) for one in (*import_map.keys, *import_map.prefixes)] == [(b"/js/x.js", 2), (b"/l/", 2)]


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff"])
def test_wide_encodings_are_left_whole(mark: bytes) -> None:
    scan = scan_html(mark + b"<img src=a.png>")
    assert scan == Scan(problem="is HTML in UTF-16 or UTF-32, which is not rewritten")


def test_an_encoding_that_switches_is_left_whole() -> None:
    scan = scan_html(b"<meta charset=iso-2022-jp><img src=a.png>")
    assert scan.problem == "is HTML in iso2022_jp, which is not rewritten"
    assert scan.references == ()


@pytest.mark.parametrize(
    ("label", "codec", "text"),
    [
        ("windows-1251", "cp1251", "фото"),
        ("shift_jis", "cp932", "ソ表"),
        ("gbk", "gb18030", "图像"),
        ("latin1", "cp1252", "œuvre"),
        ("euc-jp", "euc_jp", "写真"),
    ],
)
def test_a_page_is_read_in_its_own_encoding(label: str, codec: str, text: str) -> None:
    """C12: also in a style, behind a character reference that the encoding has no letter for, and on a later line."""
    row = (
        f"<meta charset={label}><p>{text}\n<img src={text}/{text}{MARK}.png><style>a{{background:url('{text}{MARK}.png')}}</style>"
        f"<img alt='&amp;{text}' src='&#x1F600;&amp;{text}{MARK}.png'>"
    )
    body = row.replace(MARK, "").encode(codec)
    scan = scan_html(body)
    assert insert(body, scan).decode(codec) == row.replace(MARK, ".3f9ac2d1")
    assert [(one.url, one.line) for one in scan.references] == [
        (f"{text}/{text}.png", 2),
        (f"{text}.png", 2),
        (f"\U0001f600&{text}.png", 2),
    ]
    assert body[scan.references[0].start : scan.references[0].end] == f"{text}/{text}.png".encode(codec)
    assert scan.encoding == codec


def test_bytes_that_are_not_utf_8_come_back() -> None:
    body = b"<img src=\xff\xe9/\xe9.png>"
    reference = only(scan_html(body))
    assert reference.url.encode("utf-8", "surrogateescape") == b"\xff\xe9/\xe9.png"
    assert reference.dot == body.index(b".png")


@pytest.mark.parametrize(
    "piece",
    [
        b"<", b"</", b"<a ", b'<a b="', b"<a b='", b"<!--", b"<!-- -", b"<!", b"<svg>", b"<svg><desc>", b"</p>", b"<svg></x>", b"<svg><desc><b></i>",
        b"<script>", b"<script><!--", b"<script><!--<script>", b"<style>", b"<title>", b"<svg><style>", b"<svg><style><![CDATA[", b"<math><mi>",
        b"<![CDATA[", b"<svg><![CDATA[", b"<img src=a.png>", b"<img srcset='", b"<img src='&", b"<img src='&#", b"<a data-x='.", b"<p style='(",
        b"<p style='url(", b"<iframe srcdoc='", b"<meta content='", b"= ", b"<p " + b"/" * 50, b"<p a" + b" " * 50, b"\0",
    ],
    ids=repr,
)  # fmt: skip
def test_a_megabyte_of_anything_is_read_in_time(piece: bytes) -> None:
    """A24. A scanner that is not linear does not come back from this."""
    scan = scan_html(piece * (1_000_000 // len(piece)), links=True)
    assert scan.problem is None


@pytest.mark.parametrize(
    ("head", "piece", "tail"),
    [
        (b"<img srcset='", b"a.png 1x,", b"'>"),
        (b"<img srcset='", b"a (", b"'>"),
        (b"<img srcset='", b",", b"a.png'>"),
        (b"<img src='", b"&amp", b"'>"),
        (b"<img src='", b"&#0", b"'>"),
        (b"<img src='&#", b"9", b";.png'>"),
        (b"<p data-x='", b"a.b/", b"'>"),
        (b"<p style='", b"url(a.png)", b"'>"),
        (b"<p onclick='", b"`${", b"'>"),
        (b"<iframe srcdoc='", b"<img src=a.png>", b"'>"),
        (b"<svg>", b"<g>", b"</x>" * 100_000),
        (b"<svg><desc>", b"<p><b>", b"</i>" * 100_000),
        (b"<p ", b"a ", b">"),
        (b"<meta http-equiv=refresh content='", b"0;", b"'>"),
        (b"<meta name=msapplication-task content='", b"icon-uri", b"'>"),
        (b"<meta http-equiv=content-security-policy content='", b"\x27sha256-", b"'>"),
    ],
    ids=lambda part: repr(part[:30]),
)  # fmt: skip
def test_a_megabyte_in_one_place_is_read_in_time(head: bytes, piece: bytes, tail: bytes) -> None:
    assert scan_html(head + piece * (1_000_000 // len(piece)) + tail, links=True).problem is None
