"""Edge cases, group C: where URLs lead."""

from __future__ import annotations

from sitepub.core.model import FileClass
from sitepub.core.references.xml import scan_xml
from sitepub.core.settings import UrlStyle
from tests.edge_cases.table import SVG, File, Row, Site, css, html, javascript, shown, svg, web_manifest

ROWS = (
    Row(
        "C1",
        "query and fragment stay behind the name",
        html(
            {
                "query and fragment stay behind": "<img src='a•.png?v=3#x'><img src='f•.eot?#iefix'><img src='s•.svg#icon'>",
            }
        ),
    ),
    Row(
        "C2",
        "URLs that name no file",
        html(
            {
                "what names no file": "<img src='#id.x'><img src='?x.y'><img src='.'><img src='./'><img src='dir/'><img src='a.b/'>",
            }
        )
        | svg({"in SVG": '<image href="#a"/><image href=""/>'}),
    ),
    Row(
        "C3",
        "schemes that lead to no file",
        html(
            {
                "what no file is fetched by": "<img src=data:a.png><img src=blob:a.png><img src=mailto:a@b.c><img src='JavaScript:a.b'><img src=about:a.b>",
            }
        )
        | svg({"in SVG": '<image href="data:image/png;base64,x.y"/>'}),
    ),
    Row(
        "C4",
        "absolute URLs of the site's own hosts are rewritten",
        html(
            {
                "an absolute URL": "<img src=//ex.org/a•.png><img src=HTTPS://EX.ORG:443/a•.png>",
                "a host alone": "<img src=//ex.org><img src=https://ex.org>",
            }
        )
        | {
            "the target's domain, by any scheme": Site(
                {
                    "index.html": "<img src=//ex.org/a•.png><img src=HTTPS://EX.ORG:443/a•.png><img src=http://ex.org/a•.png><img src=//sub.ex.org/a.png>",
                    "a•.png": "x",
                },
                settings={"target": {"domains": ("ex.org",)}},
            )
        },
    ),
    Row(
        "C5",
        "a site may be mounted below a path",
        {
            "inside and outside": Site(
                {"index.html": "<img src=/docs/a•.png><img src=/a.png><img src=a•.png>", "a•.png": "x"},
                settings={"target": {"url_path": "/docs/"}},
            ),
            "climbing out of it": Site(
                {"p/index.html": "<img src=../../a.png><img src=../a•.png>", "a•.png": "x"}, settings={"target": {"url_path": "/docs/"}}
            ),
            "one that is written with escapes": Site(
                {"index.html": "<img src=/café/a•.png><img src=/caf%c3%a9/a•.png>", "a•.png": "x"},
                settings={"target": {"url_path": "/caf%C3%A9/"}},
            ),
        },
    ),
    Row(
        "C6",
        "nothing climbs above the root",
        {"as browsers clamp it": Site({"p/index.html": "<img src=../../../../a•.png>", "a•.png": "x"})},
    ),
    Row(
        "C7",
        "an empty segment is a key of its own",
        {
            "it is not collapsed": Site(
                {"index.html": "<img src=img//a.png>", "img/a.png": "x"}, warnings=("loads `img//a.png`, which is not in the site",)
            )
        },
    ),
    Row(
        "C8",
        "what URL parsers drop or turn is only undone to look the file up",
        html(
            {
                "white space around a URL": "<img src=' \n a•.png\t'>",
                "a line break in it": "<img src='a•.p\nng'>",
            }
        )
        | {"a backslash is a slash": Site({"index.html": "<img src='img\\a•.png'><img src=' img/a•.p\nng\t'>", "img/a•.png": "x"})},
    ),
    Row(
        "C9",
        "percent-encoding is only undone to look the file up",
        html(
            {
                "an escaped dot": "<img src=a•%2epng><img src='my file•.png'><img src=my%20file•.png>",
            }
        )
        | svg({"in SVG": '<image href="my%20file•.png"/><image href="a•%2epng"/><image href="café•.png"/>'})
        | web_manifest({"in JSON": '{"icons":[{"src":"a•%2epng"}]}'})
        | css({"in CSS": "a{b:url(my%20file•%2epng)}"})
        | javascript({"in JavaScript": 'import "./a%20b•%2ejs?v=1.2#x.y"'})
        | {
            "the file with the unescaped name": Site(
                {
                    "p/index.html": "<img src=%2e%2e/my%20file•.png><img src='../my file•.png'><img src=../%6dy%20file•%2epng>",
                    "my file•.png": "x",
                },
                warnings=("`my file.png`: CloudFront can't invalidate such a name by itself",),
            ),
        },
    ),
    Row(
        "C10",
        "an escaped slash separates nothing",
        {"no file is meant": Site({"index.html": "<img src=a%2Fb.png>", "a/b.png": "x"}, warnings=("loads `a",))},
    ),
    Row(
        "C11",
        "another Unicode form is found and published as it is asked for",
        html(
            {
                "letters that are not ASCII": "<img src=café•.png><img src=caf%C3%A9•.png>",
            }
        )
        | {
            "composed, on disk decomposed": Site(
                {"index.html": "<img src=caf%C3%A9.png>", "cafe\u0301.png": "c"},
                warnings=("is referred to in another Unicode form; it is published as `café.png` too",),
            ),
            "just as it is on disk": Site({"index.html": "<img src=café•.png><img src=caf%C3%A9•.png>", "café•.png": "c"}),
        },
    ),
    Row(
        "C12",
        "a page's encoding decides what its URLs say",
        {
            "XML in another encoding": File(
                scan_xml,
                '<?xml version="1.0" encoding="iso-8859-2"?>' + SVG + '<image id="áâ" href="ą•.png"/></svg>',
                encoding="iso-8859-2",
            )
        }
        | shown("tests/core/test_html.py::test_a_page_is_read_in_its_own_encoding"),
    ),
    Row(
        "C13",
        "a name that differs by case alone is missing",
        {
            "and the file that is there is named": Site(
                {"index.html": "<img src=IMG.PNG>", "img.png": "x"},
                warnings=("loads `IMG.PNG`, which is not in the site; `img.png` differs only by case",),
            )
        },
    ),
    Row(
        "C14",
        "signs that mean something elsewhere",
        {
            "a plus, an ampersand, a semicolon, a hash": Site(
                {
                    "index.html": "<img src=a+b•.png><img src='a&amp;b•.png'><img src='a;b•.png'><img src=a%23b•.png>",
                    "a+b•.png": "1",
                    "a&b•.png": "2",
                    "a;b•.png": "3",
                    "a#b•.png": "4",
                },
                warnings=("`a+b.png`: S3 reads a plain `+` in a URL as a space",),
            )
        },
    ),
    Row(
        "C15",
        "a digest goes before the last extension, if there is one",
        html(
            {
                "no dot to insert before": "<img src=LICENSE><img src=.htaccess><img src=a.tar•.gz>",
            }
        )
        | {
            "several extensions": Site(
                {"index.html": "<img src=a.tar•.gz><link rel=stylesheet href=app.min•.css>", "a.tar•.gz": "x", "app.min•.css": "a{}"}
            ),
            "none": Site({"index.html": "<img src=LICENSE>", "LICENSE": "x"}, classes={"LICENSE": FileClass.PINNED}),
        },
    ),
    Row(
        "C16",
        "a page that may be read without its slash is told of where its relative references depend on it",
        {
            "with both forms": Site(
                {
                    "index.html": "<img src=a•.png>",
                    "about/index.html": "<p>\n<img src=/a•.png>\n<link rel=stylesheet href=css/x•.css>",
                    "b/index.html": "<img src=../a•.png>",
                    "about/css/x•.css": "a{}",
                    "a•.png": "x",
                },
                settings={"target": {"url_style": UrlStyle.BOTH}},
                warnings=(
                    "`about/index.html` line 3 loads `css/x.css` from beside itself, which is another file where the page is read as `/about` (such pages: 2)",
                ),
            ),
            "with a slash alone": Site(
                {"index.html": "x", "about/index.html": "<link rel=stylesheet href=css/x•.css>", "about/css/x•.css": "a{}"}
            ),
            "a page with a base": Site(
                {"about/index.html": "<base href=/about/><link rel=stylesheet href=css/x•.css>", "about/css/x•.css": "a{}"},
                settings={"target": {"url_style": UrlStyle.BOTH}},
            ),
        },
        otherwise="Relative references are read as `/about/` has them, which is what CloudFront's function and web servers redirect to; only `url_style: both` says otherwise.",
    ),
    Row(
        "C17",
        "an error page with relative references is told of",
        {
            "it is rewritten by its place, and told of": Site(
                {"404.html": "<img src=/a•.png>\n<img src=a•.png>", "a•.png": "x"},
                warnings=(
                    "`404.html` line 2 loads `a.png` from beside itself, which is missing where the page answers for an address in a folder",
                ),
            ),
            "one with a base": Site({"404.html": "<base href=/><img src=a•.png>", "a•.png": "x"}),
            "one whose references start at the root": Site({"404.html": "<img src=/a•.png><img src=https://ex.org/b.png>", "a•.png": "x"}),
        },
    ),
    Row(
        "C18",
        "bases of XML",
        {"both keep their names": File(scan_xml, SVG + '<image href="a•.png"/><g xml:base="img/"><image href="b.png"/></g></svg>')}
        | shown("tests/core/test_xml.py::test_xml_base_of_a_feed_is_the_base_of_what_is_inside"),
        otherwise="Browsers dropped `xml:base` in 2015, so which file is meant depends on the reader: both keep their plain names.",
    ),
    Row(
        "C19",
        "URLs and pages of any length",
        shown(
            "tests/core/test_urls.py::test_a_very_long_url_and_very_many_segments_are_fine",
            "tests/core/test_html.py::test_a_megabyte_of_anything_is_read_in_time",
        ),
    ),
)
