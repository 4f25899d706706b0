"""The edge cases of CSS as a table: each is a sentence, an input, and what stands in the file after a digest went into all that it loads."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sitepub.core.references.css import scan_css, scan_css_declarations
from sitepub.core.references.model import Use
from tests.support.inserting import insert
from tests.support.soundness import check_sound

# sentence, input, expected; in the expected text `~` is where the digest went
_ROWS = [
    ("an unquoted url", "a{b:url(a.png)}", "a{b:url(a~.png)}"),
    ("white space in url() is kept", 'a{b:url( "a.png" )}', 'a{b:url( "a~.png" )}'),
    ("url in capitals", "a{b:URL('a.png')}", "a{b:URL('a~.png')}"),
    ("a url over several lines", "a{b:url(\n\ta.png\r\n)}", "a{b:url(\n\ta~.png\r\n)}"),
    ("an import by string", '@import "a.css";', '@import "a~.css";'),
    ("an import without space", "@import'a.css';", "@import'a~.css';"),
    (
        "an import with layer, supports and media",
        "@import url(a.css) layer(x) supports(display: grid) screen;",
        "@import url(a~.css) layer(x) supports(display: grid) screen;",
    ),
    ("a comment between import and its string", "@import/**/'a.css'", "@import/**/'a~.css'"),
    ("an import in capitals with a quoted url", '@IMPORT URL("a.css");', '@IMPORT URL("a~.css");'),
    ("an escaped import", r'@\69mport "a.css";', r'@\69mport "a~.css";'),
    ("another rule whose name begins with import", '@imported "a.css";', '@imported "a.css";'),
    ("a namespace by string is a name", '@namespace svg "http://www.w3.org/2000/svg.x";', '@namespace svg "http://www.w3.org/2000/svg.x";'),
    ("a namespace by url is a name", "@namespace url(a.b); a{b:url(a.png)}", "@namespace url(a.b); a{b:url(a~.png)}"),
    ("a document rule matches, it loads nothing", "@-moz-document url(a.html) {b{c:url(a.png)}}", "@-moz-document url(a.html) {b{c:url(a~.png)}}"),
    ("a charset", '@charset "utf-8.x"; a{b:url(a.png)}', '@charset "utf-8.x"; a{b:url(a~.png)}'),
    ("a url in a comment", '/* url(a.png) @import "a.css" */', '/* url(a.png) @import "a.css" */'),
    ("an apostrophe in a comment", "/* don't */a{b:url(a.png)}", "/* don't */a{b:url(a~.png)}"),
    ("a comment that ends at once", "/**/a{b:url(a.png)}/***/", "/**/a{b:url(a~.png)}/***/"),
    ("a url in a string", 'a{content:"url(a.png)"}', 'a{content:"url(a.png)"}'),
    (
        "strings of an image-set are urls, its types are not",
        'a{b:image-set("a.png" 1x, url(b.png) 2x, "c.avif" type("image/avif.x"))}',
        'a{b:image-set("a~.png" 1x, url(b~.png) 2x, "c~.avif" type("image/avif.x"))}',
    ),
    ("a prefixed image-set", 'a{b:-webkit-image-set("a.png" 1x)}', 'a{b:-webkit-image-set("a~.png" 1x)}'),
    ("an escaped image-set", r'a{b:i\6d age-set("a.png" 1x)}', r'a{b:i\6d age-set("a~.png" 1x)}'),
    ("an image-set is over at its parenthesis", 'a{b:image-set("a.png" 1x);c:"d.png"}', 'a{b:image-set("a~.png" 1x);c:"d.png"}'),
    ("a block in an image-set hides its strings", 'a{b:image-set({"a.png"} ["b.png"] "c.png")}', 'a{b:image-set({"a.png"} ["b.png"] "c~.png")}'),
    ("a closing bracket that nothing opened", 'a{b:image-set(] } "a.png" 1x)}', 'a{b:image-set(] } "a~.png" 1x)}'),
    ("an escaped function in an image-set", r'a{b:image-set(\66n("a.png") "b.png" 1x)}', r'a{b:image-set(\66n("a.png") "b~.png" 1x)}'),
    ("a comment in an image-set", 'a{b:image-set(/* "a.png" ) */"b.png" 1x)}', 'a{b:image-set(/* "a.png" ) */"b~.png" 1x)}'),
    ("a quoted url in an image-set", 'a{b:image-set(url("a.png") 1x, "b.png" 2x)}', 'a{b:image-set(url("a~.png") 1x, "b~.png" 2x)}'),
    ("another function that ends in image-set", 'a{b:x-image-set("a.png")}', 'a{b:x-image-set("a.png")}'),
    ("src() with a string", 'a{b:src("a.png")}', 'a{b:src("a~.png")}'),
    ("src() knows no unquoted url", "a{b:src(a.png)}", "a{b:src(a.png)}"),
    ("cross-fade", "a{b:cross-fade(url(a.png), url(b.png), 50%)}", "a{b:cross-fade(url(a~.png), url(b~.png), 50%)}"),
    ("several cursors", "a{cursor:url(a.cur) 2 2,url(b.png),auto}", "a{cursor:url(a~.cur) 2 2,url(b~.png),auto}"),
    (
        "a font with formats, a query and a fragment",
        "@font-face{src:url(f.eot?#iefix) format('embedded-opentype.x'),url(f.svg?v=1.2#f.x)}",
        "@font-face{src:url(f~.eot?#iefix) format('embedded-opentype.x'),url(f~.svg?v=1.2#f.x)}",
    ),
    ("a custom property", "a{--x:url(a.png)}", "a{--x:url(a~.png)}"),
    ("a behaviour", "a{behavior:url(a.htc)}", "a{behavior:url(a~.htc)}"),
    ("a url with modifiers", 'a{b:url("a.png" crossorigin(anonymous))}', 'a{b:url("a~.png" crossorigin(anonymous))}'),
    ("other functions that end in url", "a{b:my-url(a.png) xurl(a.png) éurl(a.png)}", "a{b:my-url(a.png) xurl(a.png) éurl(a.png)}"),
    ("a hash and an at-word named url", "#url(a.png) @url(a.png)", "#url(a.png) @url(a.png)"),
    ("an escaped url", r"a{b:\75rl(a.png) u\72 l(a.png) \url(a.png)}", r"a{b:\75rl(a~.png) u\72 l(a~.png) \url(a~.png)}"),
    ("an escaped name that ends in url", r"a{b:\66url(a.png) my-\75rl(a.png)}", r"a{b:\66url(a.png) my-\75rl(a.png)}"),
    ("escaped class names", r".md\:a\(b\)\.c{b:url(a.png)}", r".md\:a\(b\)\.c{b:url(a~.png)}"),
    ("an escaped space", r"a{b:url(a\ b.png)}", r"a{b:url(a\ b~.png)}"),
    ("an escaped dot", r"a{b:url(a\2e png)}", r"a{b:url(a~\2e png)}"),
    ("an escaped dot after others", r"a{b:url(a.b\00002E png)}", r"a{b:url(a.b~\00002E png)}"),
    ("a string continued on the next line", 'a{b:url("a.\\\nb.png")}', 'a{b:url("a.\\\nb~.png")}'),
    ("a quote in an unquoted url makes it none", "a{b:url(a\"b.png) url(c.png)}", "a{b:url(a\"b.png) url(c~.png)}"),
    ("a space in an unquoted url makes it none", "a{b:url(a b.png);c:url(d.png)}", "a{b:url(a b.png);c:url(d~.png)}"),
    ("a parenthesis in an unquoted url makes it none", "a{b:url(url(a.png) url(b.png)}", "a{b:url(url(a.png) url(b~.png)}"),
    ("an escaped parenthesis in a bad url", r"a{b:url(a b\).png) url(c.png)}", r"a{b:url(a b\).png) url(c~.png)}"),
    ("a line feed ends a string that is none", 'a{b:url("a.png\n);c:url(d.png)}', 'a{b:url("a.png\n);c:url(d~.png)}'),
    ("a line feed ends a string anywhere", 'a{b:"x\n;c:url(d.png)}', 'a{b:"x\n;c:url(d~.png)}'),
    ("empty urls and fragments", 'a{b:url("") url() url( ) url(#f.x) url(%23f) url("#a.b")}', 'a{b:url("") url() url( ) url(#f.x) url(%23f) url("#a.b")}'),
    (
        "a data url with urls inside",
        "a{b:url(\"data:image/svg+xml,<svg fill='url(#a.b)' x='url(c.png)'>\") url(DATA:x/y,a.png)}",
        "a{b:url(\"data:image/svg+xml,<svg fill='url(#a.b)' x='url(c.png)'>\") url(DATA:x/y,a.png)}",
    ),
    ("schemes that are not fetched from sites", "a{b:url(about:a.b) url(blob:a.b)}", "a{b:url(about:a.b) url(blob:a.b)}"),
    ("an unterminated string", 'a{b:url("a.png', 'a{b:url("a~.png'),
    ("an unterminated url", "a{b:url(a.png", "a{b:url(a~.png"),
    ("an unterminated import", "@import 'a.css", "@import 'a~.css"),
    ("an unterminated comment", "a{b:url(a.png)}/* url(b.png)", "a{b:url(a~.png)}/* url(b.png)"),
    ("an unterminated image-set", 'a{b:image-set("a.png" 1x, "b.png', 'a{b:image-set("a~.png" 1x, "b~.png'),
    ("a file that imports itself", '@import "self.css"; a{b:url(self.css)}', '@import "self~.css"; a{b:url(self~.css)}'),
    ("an old filter", "a{filter:progid:DXImageTransform.Microsoft.AlphaImageLoader(src='a.png')}", "a{filter:progid:DXImageTransform.Microsoft.AlphaImageLoader(src='a.png')}"),
    ("a byte order mark", "\ufeff@import 'a.css';", "\ufeff@import 'a~.css';"),
    ("a source map", "a{b:url(a.png)}\n/*# sourceMappingURL=a.css.map */\n", "a{b:url(a~.png)}\n/*# sourceMappingURL=a.css.map */\n"),
    ("a name without an ending, and hidden files", "a{b:url(a) url(./) url(dir/) url(.htaccess)}", "a{b:url(a) url(./) url(dir/) url(.htaccess)}"),
    ("dots in folders, queries and fragments", "a{b:url(v1.2/a) url(a?x.y) url(v1.2/a.b.png?c.d#e.f)}", "a{b:url(v1.2/a) url(a?x.y) url(v1.2/a.b~.png?c.d#e.f)}"),
    ("a host is no file", "a{b:url(https://ex.org) url(//ex.org?a.b)}", "a{b:url(https://ex.org) url(//ex.org?a.b)}"),
    ("percent-encoding", "a{b:url(my%20file%2epng)}", "a{b:url(my%20file~%2epng)}"),
    ("white space inside the quotes", 'a{b:url(" a.png ")}', 'a{b:url(" a~.png ")}'),
    ("names that are not ASCII", "a{b:url(café.png) url('naïve.png')}", "a{b:url(café~.png) url('naïve~.png')}"),
    ("carriage returns and form feeds", "a{b:url(\f\ra.png\f)}\r@import\r'a.css'", "a{b:url(\f\ra~.png\f)}\r@import\r'a~.css'"),
]  # fmt: skip


@pytest.mark.parametrize(("sentence", "source", "expected"), _ROWS, ids=[row[0] for row in _ROWS])
def test_digest_goes_into_what_a_stylesheet_loads(sentence: str, source: str, expected: str) -> None:
    """Nothing but the digests is new."""
    body = source.encode()
    assert insert(body, scan_css(body)) == expected.replace("~", ".3f9ac2d1").encode()


_DECODED = [
    ("an escaped space", r"url(a\ b.png)", "a b.png"),
    ("a hexadecimal escape eats one space", r"url(a\2e png)", "a.png"),
    ("six digits end an escape", r"url(\000061b.png)", "ab.png"),
    ("a line break in a string means nothing", 'url("a.\\\r\nb.png")', "a.b.png"),
    ("an escaped character beyond the Basic Plane", r"url('\1F600 .png')", "\U0001f600.png"),
    ("an escape of no character", r"url('\0 \D800 \110000 .png')", "\ufffd\ufffd\ufffd.png"),
    ("white space at the ends is no part of a url", 'url("\t a.png ")', "a.png"),
    ("raw UTF-8", "url(café.png)", "café.png"),
]


@pytest.mark.parametrize(("sentence", "source", "url"), _DECODED, ids=[row[0] for row in _DECODED])
def test_url_is_decoded_as_a_browser_does(sentence: str, source: str, url: str) -> None:
    """For looking it up; the raw text stays."""
    assert [reference.url for reference in scan_css(source.encode()).references] == [url]


def test_bytes_that_are_not_utf8_do_not_shift_the_place_of_the_digest() -> None:
    """Each becomes U+FFFD in the decoded URL and stays one byte in the file."""
    body = b"a{b:url(caf\xe9\\ \xff.png)}"
    scan = scan_css(body)
    assert scan.references[0].url == "caf\ufffd \ufffd.png"
    assert insert(body, scan, b"~") == b"a{b:url(caf\xe9\\ \xff~.png)}"


def test_declarations_know_no_import() -> None:
    """In a style attribute an at-rule means nothing; url() and image-set() do."""
    body = b"@import 'a.css'; background:url(a.png) image-set('b.png' 1x)"
    assert insert(body, scan_css_declarations(body), b"~") == b"@import 'a.css'; background:url(a~.png) image-set('b~.png' 1x)"


@pytest.mark.parametrize(
    ("source", "how"),
    [
        ("a{b:url(a.png)}", "css url"),
        ("a{--b: x url(a.png)}", "css custom property"),
        ("a{b:image-set('a.png' 1x)}", "css image-set"),
        ("a{b:src('a.png')}", "css src"),
        ("@import url(a.css);", "@import"),
        ("@import 'a.css';", "@import"),
    ],
)
def test_place_is_told_in_words(source: str, how: str) -> None:
    """As messages and `explain` show it."""
    assert [reference.how for reference in scan_css(source.encode()).references] == [how]


def test_lines_are_counted_from_one() -> None:
    """The line of the URL, not of its function."""
    assert [one.line for one in scan_css(b"a{b:url(a.png)}\n\na{b:url(\nb.png) url(c.png)}").references] == [1, 4, 4]


_MAPS = [
    ("the last comment", "a{}\n/*# sourceMappingURL=a.css.map */\n\n", "a.css.map"),
    ("the old sign", "a{}/*@ sourceMappingURL=a.css.map*/", "a.css.map"),
    ("an absolute one", "a{}/*# sourceMappingURL=https://ex.org/a.map */", "https://ex.org/a.map"),
    ("comments behind it", "a{}/*# sourceMappingURL=a.map */ /* bye */", "a.map"),
    ("none", "a{}", None),
    ("a data url", "a{}/*# sourceMappingURL=data:application/json;base64,AA== */", None),
    ("one that is not last", "/*# sourceMappingURL=a.map */ a{}", None),
    ("one in a string", 'a{b:"/*# sourceMappingURL=a.map */"}', None),
]


@pytest.mark.parametrize(("sentence", "source", "url"), _MAPS, ids=[row[0] for row in _MAPS])
def test_source_map(sentence: str, source: str, url: str | None) -> None:
    """It is followed by tools alone, so it is no LOAD."""
    found = scan_css(source.encode()).source_map
    assert (found.url if found else None) == url
    assert found is None or found.use is Use.LINK


@pytest.mark.parametrize(
    "body",
    [
        codecs.BOM_UTF16_LE + "a{b:url(a.png)}".encode("utf-16-le"),
        codecs.BOM_UTF16_BE + "a{b:url(a.png)}".encode("utf-16-be"),
        '@charset "shift_jis"; a{c:"表"} a{b:url(a.png)}'.encode("shift_jis"),
    ],
)
def test_sheet_whose_bytes_are_not_sure_is_left_whole(body: bytes) -> None:
    """What it refers to keeps its plain name."""
    scan = scan_css(body)
    assert scan.problem is not None
    assert scan.references == ()
    assert scan.mentions == ("a.png",)


def test_charset_that_keeps_ascii_is_read() -> None:
    """Spans in bytes are sure there."""
    body = '@charset "windows-1251"; a{c:"я"} a{b:url(a.png)}'.encode("windows-1251")
    assert b"url(a~.png)" in insert(body, scan_css(body), b"~")


_FRAGMENTS = st.sampled_from(
    ["url(", "src(", "image-set(", ")", '"', "'", "\\", "\\2e ", "/*", "*/", "@import ", "@namespace ", "a.png", "{", "}", "[", "]", ";", "\n", " ",
     "data:", "é", "\0", "--x:", "u\\72l(", "#", "%2e", "/", "..", "\ufeff", "type("]
)  # fmt: skip


@given(st.lists(_FRAGMENTS | st.text(max_size=3), max_size=40).map("".join))
def test_any_text_gives_sound_references(text: str) -> None:
    """Ordered spans that do not overlap, dots within them, and digests that read back as parts of the same URLs."""
    body = text.encode("utf-8", "surrogatepass")
    scan = scan_css(body)
    check_sound(body, scan)
    again = scan_css(insert(body, scan, b".0a"))
    assert [one.url.replace(".0a", "") for one in again.references] == [one.url.replace(".0a", "") for one in scan.references]


@given(st.binary(max_size=200))
def test_any_bytes_are_read(body: bytes) -> None:
    """Without an exception."""
    check_sound(body, scan_css(body))
    check_sound(body, scan_css_declarations(body))


_HOSTILE = [("url(", 0), ('"\\', 0), ("image-set(", 0), ("@import ", 0), (r"\75rl(", 0), ("/*", 0), ("@a\\", 0), ("--x:url(", 0),
            ("image-set({[", 0), ("url('", 40_000), ("\\", 0), ("@namespace (", 0), ("url(a.b)", 50_000)]  # fmt: skip


@pytest.mark.parametrize(("shape", "count"), _HOSTILE, ids=[row[0] for row in _HOSTILE])
def test_hostile_shapes_are_read_once(shape: str, count: int) -> None:
    """A reader that went back would need minutes for what is read here in a moment."""
    body = (shape * 400_000).encode()[:400_000]
    assert len(scan_css(body).references) == count
