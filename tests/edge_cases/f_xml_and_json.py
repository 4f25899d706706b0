"""Edge cases, group F: SVG, XML, feeds and JSON."""

from __future__ import annotations

from sitepub.core.model import FileClass
from tests.edge_cases.table import SVG, Row, Site, shown, svg, web_manifest, xhtml, xml

ROWS = (
    Row(
        "F1",
        "SVG: attributes, prefixes, styles, scripts and paint",
        svg(
            {
                "image": '<image href="a•.png"/>',
                "any spacing and quotes": "<image\n  width='3'\n  xlink:href = 'a•.png'\n/>",
                "use, its fragment kept": '<use href="s•.svg#icon"/>',
                "feImage": '<filter><feImage href="a•.png"/></filter>',
                "gradient of another file": '<linearGradient href="s•.svg#g"/>',
                "script": '<script href="a•.js"/>',
                "script module": '<script type="module">import "./a•.js"</script>',
                "content of a loaded script is ignored": '<script xlink:href="a•.js">import("./b.js")</script>',
                "style": "<style>a{background:url(a•.png)}</style>",
                "style in CDATA": '<style><![CDATA[a{background:url("a•.png")}]]></style>',
                "style in pieces": "<style>@import 'a•.css';<!-- @import 'b.css'; --><![CDATA[]]]]><![CDATA[> a{b:url(c•.png)}]]></style>",
                "style with references": "<style>a{b:url(&quot;a•.png&quot;)} c{d:url('e•&#46;png')}</style>",
                "presentation attributes": '<rect fill="url(s•.svg#g)" stroke="url(#l)" style="mask:url(m•.svg)"/>',
                "references in a presentation attribute": '<rect fill="url(&apos;s•&#x2e;svg&apos;)"/>',
                "another namespace": '<image href="a.png" xmlns="urn:x"/>',
                "what is no markup": '<!-- <image href="a.png"/> --><![CDATA[<image href="a.png"/>]]><?x <image href="a.png"/>?>',
            }
        )
        | xml(
            {
                "other prefixes": '<s:svg xmlns:s="http://www.w3.org/2000/svg" xmlns:l="http://www.w3.org/1999/xlink"><s:image l:href="a•.png"/></s:svg>',
                "a prefix bound in the tag": '<svg xmlns="http://www.w3.org/2000/svg"><image xmlns:q="http://www.w3.org/1999/xlink" x="1" q:href="a•.png" xmlns:z="z"/></svg>',
                "a prefix bound to something else": '<svg xmlns="http://www.w3.org/2000/svg"><image xmlns:q="urn:q" q:href="a.png"/></svg>',
                "svg without its namespace is none": '<svg><image href="a.png"/></svg>',
            }
        ),
    ),
    Row(
        "F2",
        "xml-stylesheet",
        xml(
            {
                "xml-stylesheet": '<?xml version="1.0" encoding="UTF-8"?>\r\n<?xml-stylesheet type="text/css" href="a•.css"?>\r\n<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"></svg>',
                "of a feed": "<?xml-stylesheet type='text/xsl' href='feed•.xsl?a&amp;b'?><rss/>",
                "not in a comment": '<!-- <?xml-stylesheet href="a.css"?> --><svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"></svg>',
            }
        )
        | svg(
            {
                "not in the document's body": '<?xml-stylesheet href="a.css"?>',
            }
        ),
    ),
    Row(
        "F3",
        "XML that is not well-formed is left whole, and told of",
        {
            "and its references keep their names": Site(
                {"index.html": "<img src=i•.svg><img src=a•.png>", "i•.svg": SVG + '<image href="a.png">', "a•.png": "x"},
                warnings=("`i.svg` is not well-formed XML",),
            )
        }
        | shown("tests/core/test_xml.py::test_what_cannot_be_read_safely_is_left_whole"),
    ),
    Row(
        "F4",
        "entities are not expanded, and cost nothing",
        xml(
            {
                "namespaces as entities, as Illustrator writes them": '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://x/svg11.dtd" [<!ENTITY ns_svg "http://www.w3.org/2000/svg"><!ENTITY ns_x "http://www.w3.org/1999/xlink">]><svg xmlns="&ns_svg;" xmlns:x="&ns_x;"><image x:href="a•.png"/></svg>',
                "a URL made of an entity stays": '<!DOCTYPE svg [<!ENTITY f "a.png">]><svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"><image href="&f;"/><image href="&f;c.png"/><image href="b•.png"/></svg>',
                "markup in an entity": '<!DOCTYPE svg [<!ENTITY i \'<image href="a.png"/>\'>]><svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">&i;<image href="b•.png"/></svg>',
                "an attribute that only the DTD has": '<!DOCTYPE svg [<!ATTLIST image href CDATA "d.png">]><svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"><image/><image href="b•.png"/></svg>',
            }
        )
        | shown(
            "tests/core/test_xml.py::test_what_cannot_be_read_safely_is_left_whole", "tests/core/test_xml.py::test_nothing_external_is_read"
        ),
    ),
    Row(
        "F5",
        "what feeds and sitemaps name keeps its name",
        {
            "a feed's image and enclosure": Site(
                {
                    "index.html": "<img src=a•.png>",
                    "feed.xml": '<rss version="2.0"><channel><image><url>/a.png</url></image><item><enclosure url="/b.mp3"/></item></channel></rss>',
                    "a•.png": "x",
                    "b.mp3": "y",
                },
                classes={"b.mp3": FileClass.ENTRY, "feed.xml": FileClass.ENTRY},
            ),
            "a sitemap's image": Site(
                {
                    "index.html": "x",
                    "sitemap.xml": '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"><url><image:image><image:loc>/a.png</image:loc></image:image></url></urlset>',
                    "a.png": "x",
                },
                classes={"a.png": FileClass.ENTRY},
            ),
        }
        | shown("tests/core/test_xml.py::test_feeds_link_and_are_never_rewritten"),
    ),
    Row(
        "F6",
        "HTML in feeds is left as it is",
        {
            "in CDATA and escaped": Site(
                {
                    "feed.xml": '<rss version="2.0"><channel><item><description><![CDATA[<img src="/a.png">]]> &lt;img src="/a.png"&gt;</description></item></channel></rss>',
                    "index.html": "<img src=a•.png>",
                    "a•.png": "x",
                }
            )
        },
        otherwise="There is no setting that rewrites feeds: readers cache them for ever.",
    ),
    Row(
        "F7",
        "XHTML goes by the rules of XML",
        xhtml(
            {
                "XHTML": '<head><script src="a•.js"/><link rel="stylesheet" href="a•.css"/></head><body><br/><img src="a•.png"/></body>',
                "script in CDATA": '<script>//<![CDATA[\nif (1 < 2) import("./a•.js");\n//]]></script>',
                "script with references": '<script type="module">import "./a•.js"; if (1 &lt; 2) import("./b•.js")</script>',
                "style": '<style type="text/css">a{b:url(c•.png)}</style><p style="background:url(d•.png)"/>',
                "the attributes of HTML": '<img srcset="a•.png 1x, b•.png 2x"/><video poster="p•.jpg"/><a href="x.html"/>',
                "by namespace": '<h:img xmlns:h="http://www.w3.org/1999/xhtml" src="a•.png"/><img xmlns="" src="b.png"/>',
                "SVG inside": '<svg xmlns="http://www.w3.org/2000/svg"><image href="a•.png"/></svg>',
                "no raw text in XML": '<textarea><img src="a•.png"/></textarea>',
            }
        ),
    ),
    Row(
        "F8",
        "icons and screenshots of a web app manifest",
        web_manifest(
            {
                "icons": '{"icons":[{"src":"a•.png"}]}',
                "query and fragment stay": '{"icons":[{"src":"/i/a•.png?v=1#x"}]}',
                "screenshots": '{"screenshots":[{"src":"a•.png"}]}',
                "icons of shortcuts, whose url stays": '{"shortcuts":[{"url":"/x.html","icons":[{"src":"a•.png"}]}]}',
                "icons of file handlers, whose action stays": '{"file_handlers":[{"action":"/o.html","icons":[{"src":"a•.png"}]}]}',
                "the last of two keys": '{"icons":[{"src":"b.png","src":"a•.png"}]}',
                "an escaped key": '{"icons":[{"s\\u0072c":"a•.png"}]}',
                "the same words elsewhere mean nothing": '{"x":{"icons":[{"src":"a.png"}]},"src":"b.png"}',
                "wrong types are no references": '{"icons":{"src":"a.png"},"screenshots":"a.png","shortcuts":[1,null,"a.png",{}]}',
                "no file, no reference": '{"icons":[{"src":""},{"src":" "},{"src":"data:image/png,x.y"},{"src":7},{"src":null}]}',
                "the dot of a host is none of a file": '{"icons":[{"src":"https://cdn.org"}]}',
            }
        ),
    ),
    Row(
        "F9",
        "what a manifest starts and handles keeps its name",
        web_manifest(
            {
                "what it starts and handles keeps its name": '{"start_url":"/i.html","scope":"/s.x/","id":"/i.d","share_target":{"action":"/a.b"},"related_applications":[{"url":"https://e.x/a.b"}]}',
            }
        ),
    ),
    Row(
        "F10",
        "escapes of JSON are undone to look the file up",
        web_manifest(
            {
                "an escaped slash": '{"icons":[{"src":"img\\/a•.png"}]}',
                "an escaped dot": '{"icons":[{"src":"a•\\u002epng"}]}',
                "a pair": '{"icons":[{"src":"\\ud83d\\ude00•.png"}]}',
                "raw UTF-8": '{"icons":[{"src":"é😀•.png"}]}',
            }
        ),
    ),
    Row(
        "F11",
        "JSON that is none is left whole, and told of",
        web_manifest(
            {
                "a BOM": '\ufeff{"icons":[{"src":"a•.png"}]}',
            }
        )
        | {
            "a manifest that is none": Site(
                {
                    "index.html": "<link rel=manifest href=app.webmanifest><img src=i•.png>",
                    "app.webmanifest": '{"icons":[{"src":"i.png"}],}',
                    "i•.png": "x",
                },
                warnings=("`app.webmanifest` is not valid JSON",),
            )
        }
        | shown("tests/core/test_json.py::test_what_is_no_json_object_is_left_whole"),
        otherwise="A byte order mark is allowed by browsers and kept.",
    ),
    Row(
        "F12",
        "tiles of browserconfig.xml are rewritten, images of OpenSearch are not",
        xml(
            {
                "browserconfig": '<browserconfig><msapplication><tile><square150x150logo src="a•.png"/><TileImage src="b•.png"/></tile><notification><polling-uri src="c•.xml"/></notification></msapplication></browserconfig>',
            }
        )
        | xml(
            {
                "OpenSearch": '<OpenSearchDescription xmlns="http://a9.com/-/spec/opensearch/1.1/"><Image>/i.png</Image></OpenSearchDescription>',
                "XML that nobody knows": '<x:a xmlns:x="urn:x" href="a.png" src="b.png"/>',
            }
        ),
    ),
    Row(
        "F13",
        "other JSON is left as it is",
        {
            "a search index": Site(
                {"index.html": "<img src=a•.png>", "search_index.json": '{"docs":[{"location":"a.png"}]}', "a•.png": "x"},
                classes={"search_index.json": FileClass.ENTRY},
            )
        },
    ),
    Row(
        "F14",
        "source maps are never edited for what they name",
        {
            "sources and contents": Site(
                {
                    "index.html": "<script src=a•.js></script><img src=b•.png>",
                    "a•.js": "1\n//# sourceMappingURL=a.js.map",
                    "a.js.map": '{"version":3,"file":"a.js","sources":["b.png"],"sourcesContent":["import \\"./a.js\\""],"mappings":"AAAA"}',
                    "b•.png": "x",
                }
            )
        },
    ),
)
