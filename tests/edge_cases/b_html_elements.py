"""Edge cases, group B: what elements and attributes of HTML refer to."""

from __future__ import annotations

from sitepub.core.model import FileClass
from sitepub.core.settings import Aliases
from tests.edge_cases.table import Row, Site, html, svg

ROWS = (
    Row(
        "B1",
        "elements that load by src are rewritten, frames of pages are not",
        html(
            {
                "img src": "<img src=a•.bin>",
                "script src": "<script src=a•.bin>",
                "source src": "<source src=a•.bin>",
                "audio src": "<audio src=a•.bin>",
                "video src": "<video src=a•.bin>",
                "track src": "<track src=a•.bin>",
                "embed src": "<embed src=a•.bin>",
                "frame src": "<frame src=a•.bin>",
                "iframe src": "<iframe src=a•.bin>",
                "an input's image": "<input type=image src=a•.png>",
            }
        )
        | {
            "a frame of a page and one of an image": Site(
                {"index.html": "<iframe src=p.html></iframe><iframe src=i•.svg></iframe>", "p.html": "x", "i•.svg": "<svg/>"}
            )
        },
    ),
    Row(
        "B2",
        "rel is a list of words in any case",
        html(
            {
                "rel is a list of words in any case": '<link REL="Preload  STYLESHEET" href=a•.css>',
            }
        ),
    ),
    Row(
        "B3",
        "relations that load are rewritten",
        html(
            {
                "link rel=stylesheet": '<link rel="stylesheet" href=a•.bin>',
                "link rel=alternate stylesheet": '<link rel="alternate stylesheet" href=a•.bin>',
                "link rel=icon": '<link rel="icon" href=a•.bin>',
                "link rel=shortcut icon": '<link rel="shortcut icon" href=a•.bin>',
                "link rel=apple-touch-icon": '<link rel="apple-touch-icon" href=a•.bin>',
                "link rel=apple-touch-icon-precomposed": '<link rel="apple-touch-icon-precomposed" href=a•.bin>',
                "link rel=apple-touch-startup-image": '<link rel="apple-touch-startup-image" href=a•.bin>',
                "link rel=mask-icon": '<link rel="mask-icon" href=a•.bin>',
                "link rel=preload": '<link rel="preload" href=a•.bin>',
                "link rel=prefetch": '<link rel="prefetch" href=a•.bin>',
                "link rel=modulepreload": '<link rel="modulepreload" href=a•.bin>',
                "link rel=image_src": '<link rel="image_src" href=a•.bin>',
                "link rel=fluid-icon": '<link rel="fluid-icon" href=a•.bin>',
            }
        ),
    ),
    Row(
        "B4",
        "relations that are followed are not",
        html(
            {
                "link rel=canonical is followed, not loaded": '<link rel="canonical" href=a.bin>',
                "link rel=next is followed, not loaded": '<link rel="next" href=a.bin>',
                "link rel=prev is followed, not loaded": '<link rel="prev" href=a.bin>',
                "link rel=author is followed, not loaded": '<link rel="author" href=a.bin>',
                "link rel=license is followed, not loaded": '<link rel="license" href=a.bin>',
                "link rel=help is followed, not loaded": '<link rel="help" href=a.bin>',
                "link rel=me is followed, not loaded": '<link rel="me" href=a.bin>',
                "link rel=search is followed, not loaded": '<link rel="search" href=a.bin>',
                "link rel=pingback is followed, not loaded": '<link rel="pingback" href=a.bin>',
                "link rel=preconnect is followed, not loaded": '<link rel="preconnect" href=a.bin>',
                "link rel=dns-prefetch is followed, not loaded": '<link rel="dns-prefetch" href=a.bin>',
                "link rel=alternate is followed, not loaded": '<link rel="alternate" href=a.bin>',
            }
        ),
    ),
    Row(
        "B5",
        "a web app manifest keeps its name, and what it lists is rewritten",
        html(
            {
                "a web app manifest keeps its name": "<link rel=manifest href=site.webmanifest>",
            }
        )
        | {
            "one that only a page knows, too": Site(
                {
                    "index.html": '<link title="a > b" rel="Manifest" href=data/app.json>',
                    "data/app.json": '{"icons":[{"src":"i•.png"}]}',
                    "data/i•.png": "x",
                }
            ),
            "a link in a comment says nothing": Site(
                {
                    "index.html": "<!-- <link rel=manifest href=app.json> --><img src=i•.png>",
                    "app.json": '{"icons":[{"src":"i.png"}]}',
                    "i•.png": "x",
                }
            ),
        },
    ),
    Row(
        "B6",
        "posters, objects, backgrounds and both references of SVG",
        html(
            {
                "a poster": "<video poster=a•.jpg>",
                "an object": "<object data=a•.svg></object>",
                "a background": "<body background=a•.png><table background=b•.png><td background=c•.png>",
                "both references of an image of SVG": "<svg><image href=a•.png xlink:href=b•.png /><use href='s•.svg#i'/><feImage xlink:href=c•.png /></svg>",
                "the paint of SVG may be in another file": '<svg><path fill="url(p•.svg#a)" filter="url(#f)" transform="translate(1.5 2)"/></svg>',
            }
        )
        | svg({"both href and xlink:href in XML": '<image xlink:href="a•.png" href="b•.png"/>'})
        | {
            "a poster, an object and a background": Site(
                {
                    "index.html": "<body background=b•.png><video poster=p•.jpg></video><object data=o•.svg></object><x-player poster=q•.jpg>",
                    "b•.png": "b",
                    "p•.jpg": "p",
                    "o•.svg": "<svg/>",
                    "q•.jpg": "q",
                }
            )
        },
    ),
    Row(
        "B7",
        "every candidate of a srcset",
        html(
            {
                "srcset": '<img srcset="a•.png 1x, b•.png 2x">',
            }
        ),
    ),
    Row(
        "B8",
        "commas of a srcset by the standard's algorithm",
        html(
            {
                "a URL of a srcset may hold a comma": '<img srcset="a,b•.png 1x"><img srcset="a•.png, b•.png"><img srcset="a•.png 1x,,b•.png 2x, c•.png,">',
            }
        ),
    ),
    Row(
        "B9",
        "a data URL in a srcset is kept",
        html(
            {
                "a data URL in a srcset": '<img srcset="data:image/png;base64,AA== 1x, a•.png 2x">',
            }
        ),
    ),
    Row(
        "B10",
        "parentheses in a descriptor",
        html(
            {
                "parentheses in a descriptor": '<img srcset="a.png (x,y), b•.png">',
            }
        ),
    ),
    Row(
        "B11",
        "a candidate that browsers refuse stays as it is",
        html(
            {
                "a template in a srcset": '<img srcset="{{ image }}/a.png 1x, b•.png 2x">',
                "a descriptor that browsers refuse": '<img srcset="a.png 1q, b•.png 2x">',
            }
        ),
    ),
    Row(
        "B12",
        "imagesrcset, and the srcset of a source",
        html(
            {
                "the candidates of a preload and a source": '<link rel=preload imagesrcset="a•.png 1x"><source srcset="b•.png 480w">',
            }
        ),
    ),
    Row(
        "B13",
        "style attributes",
        html(
            {
                "a style attribute": '<div style="background:url(a•.png)">',
            }
        ),
    ),
    Row(
        "B14",
        "style attributes with character references",
        html(
            {
                "character references in it": '<div style="background:url(&quot;a•.png&quot;)"><div style="background:url(&#39;b•.png&#39;)">',
                "even for the parenthesis": '<div style="background:url&lpar;a•.png)">',
            }
        ),
    ),
    Row(
        "B15",
        "URLs with character references",
        html(
            {
                "character references in a URL": '<link rel=stylesheet href="a&amp;b•.css"><img src=a•&#x2e;png><img src=a•&period;png><img src=a•.png?x&copy=1>',
            }
        )
        | svg({"character references of XML": '<image href="a&amp;b•.png"/><image href="c•&#x2E;png"/>'}),
    ),
    Row(
        "B16",
        "documents in srcdoc",
        html(
            {
                "a document in an attribute": '<iframe srcdoc="&lt;img src=&quot;a•.png&quot;&gt;&lt;p style=&quot;background:url(&amp;quot;b•.png&amp;quot;)&quot;&gt;">',
            }
        ),
    ),
    Row(
        "B17",
        "images for other sites keep their names",
        html(
            {
                "images for other sites keep their names": "<meta property=og:image content=https://ex.org/a.png><meta name=twitter:image content=a.png><meta itemprop=image content=a.png>",
            }
        ),
        otherwise="There is no setting that rewrites images for other sites: they are fetched long after the page was read, and cached by name.",
    ),
    Row(
        "B18",
        "tiles and the icons of tasks",
        html(
            {
                "tiles": "<meta name=msapplication-TileImage content=a•.png><meta name=msapplication-config content=b•.xml>",
                "a task's icon": '<meta name=msapplication-task content="name=x.y; action-uri=/a.html; icon-uri=a•.ico">',
            }
        ),
        otherwise="`msapplication-task` rewrites the icon alone, its action is followed by readers.",
    ),
    Row(
        "B19",
        "a page that sends its reader on",
        html(
            {
                "a page that sends its reader on": '<meta http-equiv=refresh content="0;url=x.html">',
            }
        ),
    ),
    Row(
        "B20",
        "what a reader follows keeps its name",
        html(
            {
                "what a reader follows": "<a href=a.pdf ping=b.php><area href=c.png><form action=d.php><q cite=e.html><img longdesc=f.html>",
            }
        )
        | {
            "a report that is linked to": Site(
                {"index.html": "<a href=report.pdf>", "report.pdf": "x"}, classes={"report.pdf": FileClass.ENTRY}
            )
        },
    ),
    Row(
        "B21",
        "an image that is only linked to keeps its name",
        html(
            {
                "an image that is only linked to": "<a href=big.jpg>",
            }
        )
        | {"it is an entry": Site({"index.html": "<a href=big.jpg>", "big.jpg": "x"}, classes={"big.jpg": FileClass.ENTRY})},
        otherwise="There is no setting for linked images: `fingerprint.include` hashes them where nothing but the site itself links to them.",
    ),
    Row(
        "B22",
        "attributes of lazy loaders are rewritten where they lead to a file",
        html(
            {
                "what lazy loaders load": '<img data-src=a•.png data-srcset="b•.png 2x"><div data-bg=c•.png><video data-poster=d•.png>',
                "other data attributes": "<img data-other=a.png>",
            }
        )
        | {"what leads to no file is no warning": Site({"index.html": "<img data-src=gone.png data-bg=a•.png>", "a•.png": "x"})},
    ),
    Row(
        "B23",
        "an event handler is left, and what it names keeps its plain name",
        html(
            {
                "an event handler": "<img onclick=\"i.src='a.png'\">",
            }
        )
        | {
            "an alias by evidence": Site(
                {"index.html": "<img src=a•.png onclick=\"i.src='a.png'\">", "a•.png": "x"}, settings={"aliases": Aliases.AUTO}
            )
        },
    ),
    Row(
        "B24",
        "the first base that has an href counts for all references",
        {
            "references before and behind it": Site(
                {"p/index.html": "<img src=a•.png><base href=/sub/><base href=/other/><img src=a•.png>", "sub/a•.png": "x", "p/a.png": "y"}
            ),
            "in an SVG inside the page": Site(
                {"index.html": "<svg><base href=/other/><image href=a•.png></svg><base href=/sub/>", "sub/a•.png": "x"}
            ),
            "one with a target alone": Site({"index.html": "<base target=_top><base href=/sub/><img src=a•.png>", "sub/a•.png": "x"}),
        },
    ),
    Row(
        "B25",
        "a base on another host leads everything away",
        {"nothing is rewritten": Site({"index.html": "<base href=https://cdn.other/><img src=a.png>", "a.png": "x"})},
    ),
    Row(
        "B26",
        "a script that is none is left, and what it names keeps its plain name",
        html(
            {
                "a script that is none": '<script type=text/x-handlebars><img src="a.png"></script><script type=application/json>{"a":"a.png"}</script>',
                "nor is its file loaded": "<script type=text/x-handlebars src=a.html></script>",
            }
        )
        | {
            "a module that inline JSON names is pinned": Site(
                {
                    "index.html": '<script type=module src=a.js></script><script type=application/json>{"m":"a.js"}</script>',
                    "a.js": "export {}",
                },
                classes={"a.js": FileClass.PINNED},
            )
        },
    ),
    Row(
        "B27",
        "imports of inline scripts resolve against the document",
        html(
            {
                "an inline module": '<script type=module>import "./a•.js"</script>',
                "a computed import in a classic one": '<script>import("./a•.js")</script>',
            }
        )
        | {"with a base": Site({"p/index.html": '<base href=/js/><script type=module>import "./a•.js"</script>', "js/a•.js": "export {}"})},
    ),
    Row(
        "B28",
        "addresses of an import map",
        html(
            {
                "an import map": '<script type=importmap>{"imports":{"a":"./a•.js"}}</script>',
            }
        ),
    ),
    Row(
        "B29",
        "JSON-LD is for other sites",
        html(
            {
                "JSON-LD": '<script type="application/ld+json">{"image":"a.png"}</script>',
            }
        ),
    ),
    Row(
        "B30",
        "a name that a bundler hashed stays as it is",
        {
            "in the page and in the folder": Site(
                {
                    "index.html": '<script src="/assets/main-BpD9FCKP.js"></script>',
                    "assets/main-BpD9FCKP.js": "1",
                    "asset-manifest.json": '{"files":{"main.js":"/assets/main-BpD9FCKP.js"}}',
                },
                classes={"assets/main-BpD9FCKP.js": FileClass.FROZEN},
            )
        },
    ),
    Row(
        "B31",
        "any element's src, srcset and poster, but href of known elements alone",
        html(
            {
                "a custom element": "<amp-img src=a•.png></amp-img><x-img srcset='b•.png 2x' href=c.png></x-img>",
            }
        )
        | {"they need not be there": Site({"index.html": "<x-img src=a•.png poster=gone.png></x-img>", "a•.png": "x"})},
    ),
    Row(
        "B32",
        "templates of other tools stay as they are",
        html(
            {
                "a template": '<img src="{{ url }}/a.png"><img src="<%= x %>.png"><img src="${x}.png">',
            }
        ),
    ),
    Row(
        "B33",
        "an author can keep an element or a part of a page as it is",
        html(
            {
                "an element that asks to be left alone": "<img src=a.png sitepub-ignore><script sitepub-ignore>import('./a.js')</script><img src=b•.png>",
                "a part of a page that does": "<!-- sitepub: off --><img src=a.png><svg><image href=b.png></svg><!--sitepub:on--><img src=c•.png>",
                "a part of an inline SVG that does": "<svg><!-- sitepub: off --><image href=a.png></svg><!-- sitepub: on --><img src=c•.png>",
            }
        )
        | svg({"an element of SVG": '<image sitepub-ignore="" href="a.png"/><image href="b•.png"/>'}),
    ),
)
