"""Edge cases, group D: stylesheets."""

from __future__ import annotations

from sitepub.core.references.css import scan_css
from tests.edge_cases.table import File, Row, Site, css, shown

ROWS = (
    Row(
        "D1",
        "url() in any spelling",
        css(
            {
                "an unquoted url": "a{b:url(a•.png)}",
                "white space in url() is kept": 'a{b:url( "a•.png" )}',
                "url in capitals": "a{b:URL('a•.png')}",
                "a url over several lines": "a{b:url(\n\ta•.png\r\n)}",
                "carriage returns and form feeds": "a{b:url(\x0c\ra•.png\x0c)}\r@import\r'a•.css'",
            }
        ),
    ),
    Row(
        "D2",
        "imports in all forms stay as they are written",
        css(
            {
                "an import by string": '@import "a•.css";',
                "an import without space": "@import'a•.css';",
                "an import with layer, supports and media": "@import url(a•.css) layer(x) supports(display: grid) screen;",
                "a comment between import and its string": "@import/**/'a•.css'",
                "an import in capitals with a quoted url": '@IMPORT URL("a•.css");',
                "an escaped import": '@\\69mport "a•.css";',
                "another rule whose name begins with import": '@imported "a.css";',
            }
        ),
    ),
    Row(
        "D3",
        "namespaces, document rules and charsets load nothing",
        css(
            {
                "a namespace by string is a name": '@namespace svg "http://www.w3.org/2000/svg.x";',
                "a namespace by url is a name": "@namespace url(a.b); a{b:url(a•.png)}",
                "a document rule matches, it loads nothing": "@-moz-document url(a.html) {b{c:url(a•.png)}}",
                "a charset": '@charset "utf-8.x"; a{b:url(a•.png)}',
            }
        ),
    ),
    Row(
        "D4",
        "comments and strings are no references",
        css(
            {
                "a url in a comment": '/* url(a.png) @import "a.css" */',
                "an apostrophe in a comment": "/* don't */a{b:url(a•.png)}",
                "a comment that ends at once": "/**/a{b:url(a•.png)}/***/",
                "a url in a string": 'a{content:"url(a.png)"}',
            }
        ),
    ),
    Row(
        "D5",
        "strings of an image-set are URLs, those of its types are not",
        css(
            {
                "strings of an image-set are urls, its types are not": 'a{b:image-set("a•.png" 1x, url(b•.png) 2x, "c•.avif" type("image/avif.x"))}',
                "a prefixed image-set": 'a{b:-webkit-image-set("a•.png" 1x)}',
                "an escaped image-set": 'a{b:i\\6d age-set("a•.png" 1x)}',
                "an image-set is over at its parenthesis": 'a{b:image-set("a•.png" 1x);c:"d.png"}',
                "a block in an image-set hides its strings": 'a{b:image-set({"a.png"} ["b.png"] "c•.png")}',
                "a closing bracket that nothing opened": 'a{b:image-set(] } "a•.png" 1x)}',
                "an escaped function in an image-set": 'a{b:image-set(\\66n("a.png") "b•.png" 1x)}',
                "a comment in an image-set": 'a{b:image-set(/* "a.png" ) */"b•.png" 1x)}',
                "a quoted url in an image-set": 'a{b:image-set(url("a•.png") 1x, "b•.png" 2x)}',
                "another function that ends in image-set": 'a{b:x-image-set("a.png")}',
            }
        ),
    ),
    Row(
        "D6",
        "url() wherever a value may be",
        css(
            {
                "src() with a string": 'a{b:src("a•.png")}',
                "src() knows no unquoted url": "a{b:src(a.png)}",
                "cross-fade": "a{b:cross-fade(url(a•.png), url(b•.png), 50%)}",
                "several cursors": "a{cursor:url(a•.cur) 2 2,url(b•.png),auto}",
                "a font with formats, a query and a fragment": "@font-face{src:url(f•.eot?#iefix) format('embedded-opentype.x'),url(f•.svg?v=1.2#f.x)}",
                "a custom property": "a{--x:url(a•.png)}",
                "a behaviour": "a{behavior:url(a•.htc)}",
                "a url with modifiers": 'a{b:url("a•.png" crossorigin(anonymous))}',
            }
        )
        | {
            "a custom property that another sheet uses": Site(
                {
                    "index.html": "<link rel=stylesheet href=v/a•.css><link rel=stylesheet href=b•.css>",
                    "v/a•.css": ":root{--x:url(i•.png)}",
                    "b•.css": "a{background:var(--x)}",
                    "v/i•.png": "x",
                }
            )
        },
        otherwise="A custom property is resolved against its own sheet and nothing is told: browsers do the same since 2020 (css-variables, issue 757).",
    ),
    Row(
        "D7",
        "functions whose names only end in url",
        css(
            {
                "other functions that end in url": "a{b:my-url(a.png) xurl(a.png) éurl(a.png)}",
                "a hash and an at-word named url": "#url(a.png) @url(a.png)",
                "an escaped url": "a{b:\\75rl(a•.png) u\\72 l(a•.png) \\url(a•.png)}",
                "an escaped name that ends in url": "a{b:\\66url(a.png) my-\\75rl(a.png)}",
                "escaped class names": ".md\\:a\\(b\\)\\.c{b:url(a•.png)}",
            }
        ),
        otherwise="An escaped `url` is read as browsers do.",
    ),
    Row(
        "D8",
        "escapes are undone to look the file up, and kept",
        css(
            {
                "an escaped space": "a{b:url(a\\ b•.png)}",
                "an escaped dot": "a{b:url(a•\\2e png)}",
                "an escaped dot after others": "a{b:url(a.b•\\00002E png)}",
                "a string continued on the next line": 'a{b:url("a.\\\nb•.png")}',
                "percent-encoding": "a{b:url(my%20file•%2epng)}",
                "white space inside the quotes": 'a{b:url(" a•.png ")}',
                "names that are not ASCII": "a{b:url(café•.png) url('naïve•.png')}",
            }
        ),
    ),
    Row(
        "D9",
        "what is no valid url() is left",
        css(
            {
                "a quote in an unquoted url makes it none": 'a{b:url(a"b.png) url(c•.png)}',
                "a space in an unquoted url makes it none": "a{b:url(a b.png);c:url(d•.png)}",
                "a parenthesis in an unquoted url makes it none": "a{b:url(url(a.png) url(b•.png)}",
                "an escaped parenthesis in a bad url": "a{b:url(a b\\).png) url(c•.png)}",
                "a line feed ends a string that is none": 'a{b:url("a.png\n);c:url(d•.png)}',
                "a line feed ends a string anywhere": 'a{b:"x\n;c:url(d•.png)}',
            }
        ),
    ),
    Row(
        "D10",
        "URLs that name no file",
        css(
            {
                "empty urls and fragments": 'a{b:url("") url() url( ) url(#f.x) url(%23f) url("#a.b")}',
                "a name without an ending, and hidden files": "a{b:url(a) url(./) url(dir/) url(.htaccess)}",
                "dots in folders, queries and fragments": "a{b:url(v1.2/a) url(a?x.y) url(v1.2/a.b•.png?c.d#e.f)}",
                "a host is no file": "a{b:url(https://ex.org) url(//ex.org?a.b)}",
            }
        ),
    ),
    Row(
        "D11",
        "what is inside a data URL is left",
        css(
            {
                "a data url with urls inside": "a{b:url(\"data:image/svg+xml,<svg fill='url(#a.b)' x='url(c.png)'>\") url(DATA:x/y,a.png)}",
                "schemes that are not fetched from sites": "a{b:url(about:a.b) url(blob:a.b)}",
            }
        ),
    ),
    Row(
        "D12",
        "a sheet may end anywhere",
        css(
            {
                "an unterminated string": 'a{b:url("a•.png',
                "an unterminated url": "a{b:url(a•.png",
                "an unterminated import": "@import 'a•.css",
                "an unterminated comment": "a{b:url(a•.png)}/* url(b.png)",
                "an unterminated image-set": 'a{b:image-set("a•.png" 1x, "b•.png',
            }
        ),
    ),
    Row(
        "D13",
        "sheets that import each other are named as one",
        css(
            {
                "a file that imports itself": '@import "self•.css"; a{b:url(self•.css)}',
            }
        )
        | {
            "two sheets": Site(
                {"index.html": "<link rel=stylesheet href=a•.css>", "a•.css": "@import 'b•.css';", "b•.css": "@import 'a•.css';"}
            ),
            "one that imports itself": Site({"index.html": "<link rel=stylesheet href=a•.css>", "a•.css": "@import 'a•.css';"}),
        },
    ),
    Row(
        "D14",
        "old filters are left, and what they name keeps its plain name",
        css(
            {
                "an old filter": "a{filter:progid:DXImageTransform.Microsoft.AlphaImageLoader(src='a.png')}",
            }
        )
        | {
            "with an alias": Site(
                {
                    "index.html": "<link rel=stylesheet href=a•.css><img src=i•.png>",
                    "a•.css": "a{filter:progid:DXImageTransform.Microsoft.AlphaImageLoader(src='i.png')}",
                    "i•.png": "x",
                }
            )
        },
    ),
    Row(
        "D15",
        "byte order marks and encodings",
        css(
            {
                "a byte order mark": "\ufeff@import 'a•.css';",
            }
        )
        | {
            "UTF-16": File(scan_css, "\ufeffa{b:url(a.png)}", encoding="utf-16-le", problem="is written in utf-16"),
            "an encoding whose bytes are not sure": File(
                scan_css, '@charset "shift_jis"; a{c:"表"} a{b:url(a.png)}', encoding="shift_jis", problem="is written in shift_jis"
            ),
            "one that keeps ASCII": File(scan_css, '@charset "windows-1251"; a{c:"я"} a{b:url(a•.png)}'),
        },
        otherwise="Sheets in UTF-16 and in encodings whose bytes are not sure are left whole and told of.",
    ),
    Row(
        "D16",
        "source maps keep their names, there or not",
        css(
            {
                "a source map": "a{b:url(a•.png)}\n/*# sourceMappingURL=a.css.map */\n",
            }
        )
        | {
            "there": Site(
                {"index.html": "<link rel=stylesheet href=a•.css>", "a•.css": "a{}\n/*# sourceMappingURL=a.css.map */", "a.css.map": "{}"}
            ),
            "missing, a data URL, an absolute one": Site(
                {
                    "index.html": "<link rel=stylesheet href=a•.css><link rel=stylesheet href=b•.css><link rel=stylesheet href=c•.css>",
                    "a•.css": "a{}/*# sourceMappingURL=a.css.map */",
                    "b•.css": "a{}/*# sourceMappingURL=data:application/json;base64,AA== */",
                    "c•.css": "a{}/*# sourceMappingURL=https://ex.org/c.css.map */",
                }
            ),
        },
    ),
    Row(
        "D17",
        "a megabyte of anything is read in linear time",
        shown("tests/core/test_css.py::test_hostile_shapes_are_read_once"),
    ),
)
