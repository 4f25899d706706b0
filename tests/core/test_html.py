"""What the scanner of HTML tells beside the places for digests, which tests/edge_cases holds, and that it reads anything."""

from __future__ import annotations

import pytest

from sitepub.core.references.html import scan_html
from sitepub.core.references.model import Integrity, Reference, Scan, Use
from tests.support.inserting import insert

MARK = "•"


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


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_wide_encodings_are_left_whole(codec: str) -> None:
    """What they refer to keeps its plain name."""
    scan = scan_html("\ufeff<img src=i/é.png>".encode(codec))
    assert scan == Scan(problem="is HTML in UTF-16 or UTF-32, which is not rewritten", mentions=("i/é.png",))


def test_an_encoding_that_switches_is_left_whole() -> None:
    scan = scan_html(b"<meta charset=iso-2022-jp><img src=a.png>")
    assert scan.problem == "is HTML in iso2022_jp, which is not rewritten"
    assert (scan.references, scan.mentions) == ((), ("a.png",))


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
    """Also in a style, behind a character reference that the encoding has no letter for, and on a later line."""
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


@pytest.mark.parametrize("label", [b"undefined", b"hex", b"rot13", b"cp037", b"utf-32", b"a\0b", b"nobody-knows"])
def test_a_label_that_no_browser_knows_declares_nothing(label: bytes) -> None:
    """Python has a codec for some of them: it refuses every text, makes none of bytes, or writes `<` otherwise."""
    body = b'<meta charset="' + label + b'"><img src="caf\xc3\xa9.png">'
    scan = scan_html(body)
    assert (only(scan).url, scan.encoding, scan.problem) == ("café.png", None, None)


def test_letters_that_only_stand_in_pairs_leave_a_page_whole() -> None:
    """Big5 has one code for two letters, the second of which has none of its own."""
    scan = scan_html(b"<meta charset=big5><p>\x88\x62<img src=a.png>")
    assert scan.problem == "is HTML in big5hkscs, which is not rewritten"


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
    """A scanner that is not linear does not come back from this."""
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
