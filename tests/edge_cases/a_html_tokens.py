"""Edge cases, group A: how a document is cut into tags."""

from __future__ import annotations

from tests.edge_cases.table import SVG, Row, Site, html, shown, svg, xml

ROWS = (
    Row(
        "A1",
        "any quotes, any case and any separators are kept",
        html(
            {
                "an unquoted value": "<img src=a•.png>",
                "upper case and single quotes are kept": "<IMG SRC='a•.png'>",
                "slashes separate attributes": '<img/src="a•.png"/alt>',
            }
        ),
    ),
    Row(
        "A2",
        "an unquoted value takes a slash at its end with it",
        html(
            {
                "a slash at the end of an unquoted value belongs to it": "<img src=a.png/>",
            }
        )
        | {
            "the file is not found": Site(
                {"index.html": "<img src=a.png/>", "a.png": "x"}, warnings=("`index.html` line 1 loads `a.png/`",)
            )
        },
        otherwise="The warning is there only where the path leads to no file: `a.png/` may be a folder with a page.",
    ),
    Row(
        "A3",
        "a > or a tag inside an attribute's value is text",
        html(
            {
                "a > in a value does not end the tag": '<img title="x > y" src=a•.png>',
                "a tag in a value is none": "<a title='<img src=a.png>'>",
            }
        )
        | svg({"`>` in an attribute of XML": '<image title="x > y" href="a•.png"/>'}),
    ),
    Row(
        "A4",
        "attributes need no space between them",
        html(
            {
                "no space between attributes": '<img alt="a"src="a•.png">',
            }
        ),
    ),
    Row(
        "A5",
        "an equals sign may have white space around it",
        html(
            {
                "white space around the equals sign": '<img src = \n\t"a•.png">',
            }
        ),
    ),
    Row(
        "A6",
        "of attributes with one name the first counts",
        html(
            {
                "of two attributes with one name the first counts": '<img src="a•.png" src="b.png" SRC="c.png">',
                "even if the first has no value": '<img src src="b.png">',
            }
        ),
    ),
    Row(
        "A7",
        "an attribute without a value refers to nothing",
        html(
            {
                "no value, an empty one, a blank one": '<img src><img src=""><img src=" "><img src=><img src=a•.png>',
            }
        ),
    ),
    Row(
        "A8",
        "comments end where the standard says, and hide what is inside",
        html(
            {
                "a comment": "<!-- <img src=a.png> --><img src=b•.png>",
                "a comment that ends with a bang": "<!-- <img src=a.png> --!><img src=b•.png>",
                "a comment that ends at once": "<!--><img src=a•.png>",
                "a comment that ends at once with three dashes": "<!---><img src=a•.png>",
                "a comment of four dashes": "<!----><img src=a•.png>",
                "a comment of five dashes": "<!-----><img src=a•.png>",
                "dashes and a space do not end a comment": "<!-- -- > <img src=a.png> --><img src=b•.png>",
                "a bang behind one dash does not end a comment": "<!---!><img src=a.png>--><img src=b•.png>",
                "an unterminated comment": "<img src=a•.png><!-- <img src=b.png>",
            }
        ),
    ),
    Row(
        "A9",
        "a conditional comment is a comment, a revealed one is not",
        html(
            {
                "a conditional comment is a comment": "<!--[if IE]><link rel=stylesheet href=a.css><![endif]--><img src=b•.png>",
                "a revealed conditional comment is none": "<![if !IE]><img src=a•.png><![endif]>",
            }
        ),
    ),
    Row(
        "A10",
        "bogus comments end at the first >",
        html(
            {
                "a processing instruction ends at the first >": '<?php echo "<img src=a.png>" ?><img src=b•.png>',
                "an end tag without a name is a comment": "</3 <img src=a.png><img src=b•.png>",
                "and so is a bang without dashes": "<! <img src=a.png><img src=b•.png>",
                "an empty end tag is nothing": "</><img src=a•.png>",
                "a lone < is text": "1 < 2 <<img src=a•.png>",
            }
        ),
    ),
    Row(
        "A11",
        "a script is text to its end tag",
        html(
            {
                "markup in a script": '<script>var s="<img src=a.png>"</script><img src=b•.png>',
                "an end tag with white space": "<script></SCRIPT\n><img src=b•.png>",
                "an end tag with a slash": "<script></script/><img src=b•.png>",
                "a longer name is no end tag": "<script></scriptx><img src=a.png></script><img src=b•.png>",
            }
        ),
    ),
    Row(
        "A12",
        "a comment in a script may hide a script's end tag",
        html(
            {
                "a script in a comment in a script": "<script><!-- <script> </script> <img src=a.png> --></script><img src=b•.png>",
                "a comment in a script ends with it": "<script><!-- <img src=a.png></script><img src=b•.png>",
                "an empty comment in a script is over at once": "<script><!--><script></script><img src=a•.png>",
                "one with three dashes too": "<script><!---><script></script><img src=a•.png>",
                "two scripts open in a comment are one": "<script><!--<script><script></script><img src=a.png></script><img src=b•.png>",
                "a script without an end hides the rest": "<img src=a•.png><script><img src=b.png>",
            }
        ),
    ),
    Row(
        "A13",
        "elements of raw text hold no markup",
        html(
            {
                "markup in textarea is text": "<textarea><img src=a.png></TEXTAREA ><img src=b•.png>",
                "markup in title is text": "<title><img src=a.png></TITLE ><img src=b•.png>",
                "markup in xmp is text": "<xmp><img src=a.png></XMP ><img src=b•.png>",
                "markup in iframe is text": "<iframe><img src=a.png></IFRAME ><img src=b•.png>",
                "markup in noembed is text": "<noembed><img src=a.png></NOEMBED ><img src=b•.png>",
                "markup in noframes is text": "<noframes><img src=a.png></NOFRAMES ><img src=b•.png>",
                "a longer name does not end it": "<title></titles><img src=a.png></title><img src=b•.png>",
                "nothing ends plaintext": "<img src=a•.png><plaintext><img src=b.png></plaintext><img src=c.png>",
            }
        ),
    ),
    Row(
        "A14",
        "a style is CSS in HTML and markup around CSS in SVG",
        html(
            {
                "a style of HTML is CSS": "<style>a{background:url(a•.png)}<img src=b.png></style>",
                "a style of SVG is markup": "<svg><style><image href=a•.css></style></svg>",
                "and its text is CSS": "<svg><style>a{fill:url(a•.svg#p)}</style></svg>",
                "where character references count": "<svg><style>a{fill:url(&quot;a•.svg&quot;)}</style></svg>",
                "and CDATA holds CSS as it is": "<svg><style><![CDATA[a{fill:url('a•.svg')} b>c{}]]></style></svg>",
            }
        ),
    ),
    Row(
        "A15",
        "CDATA is a section in SVG and a bogus comment in HTML",
        html(
            {
                "CDATA in SVG": "<svg><![CDATA[ > <image href=a.png> ]]><image href=b•.png></svg>",
                "CDATA in HTML is a comment to the first >": "<![CDATA[ <img src=a.png><img src=b•.png> ]]>",
                "CDATA in SVG without an end": "<svg><image href=a•.png><![CDATA[ > <image href=b.png>",
            }
        ),
    ),
    Row(
        "A16",
        "HTML integration points hold HTML",
        html(
            {
                "the title of SVG holds HTML": "<svg><title><style><img src=a.png></style><img src=b•.png></title><image href=c•.png></svg>",
                "its foreignObject does": "<svg><foreignObject><img src=a•.png></foreignObject><image href=c•.png></svg>",
                "its desc does": "<svg><desc><style><image href=a.png></style></desc><style><image href=c•.png></style></svg>",
                "an annotation of MathML that says so does": '<math><annotation-xml encoding="Text/HTML"><style><img src=a.png></style></annotation-xml></math>',
                "another one does not": "<math><annotation-xml><style><mglyph src=a•.png></style></annotation-xml></math>",
                "the text of MathML does": "<math><mi><style><img src=a.png></style></mi><mtext><mglyph><style><mglyph src=b•.png></style></math>",
                "an empty integration point holds nothing": "<svg><foreignObject/><style><image href=a•.png></style></svg>",
                "paragraphs and list entries in it end by themselves": "<svg><foreignObject><p><p></p></foreignObject><desc><ul><li><li></ul></desc><title><li><li></li></title><style><image href=a•.png></style></svg>",
                "an HTML block in an integration point keeps it open": "<svg><desc><p></desc><style><img src=a.png></style></svg>",
            }
        ),
    ),
    Row(
        "A17",
        "a script of SVG may close itself",
        html(
            {
                "a script of SVG closes itself": "<svg><script href=a•.js /><image href=b•.png></svg>",
                "the slash of an unquoted value does not": "<svg><script href=a.js/><image href=b•.png></svg>",
            }
        ),
    ),
    Row(
        "A18",
        "an element of HTML leaves SVG",
        html(
            {
                "an element of HTML leaves SVG": "<svg><g><div><style><img src=a.png></style><img src=b•.png></div>",
                "a font with a color does": "<svg><font color=red><style><img src=a.png></style>",
                "a font without one does not": "<svg><font><style><image href=a•.png></style></svg>",
                "the end tag of a paragraph does": "<svg></p><style><img src=a.png></style>",
                "the end tag of an element around it does": "<span><svg><g></span><style><img src=a.png></style>",
                "an end tag of no element does not": "<svg></unheard><style><image href=a•.png></style></svg>",
            }
        ),
    ),
    Row(
        "A19",
        "templates, shadow roots and noscript are rewritten",
        html(
            {
                "a template": "<template><img src=a•.png></template>",
                "a declarative shadow root": "<div><template shadowrootmode=open><img src=a•.png></template></div>",
                "what is there without scripts": "<noscript><img src=a•.png></noscript>",
            }
        ),
    ),
    Row(
        "A20",
        "the end of the file inside a tag drops it",
        html(
            {
                "the end of the file in a tag drops it": "<img src=a•.png><img src=b.png",
                "and in a quoted value": '<img src=a•.png><img src="b.png>',
                "and in SVG": "<svg><image href=a•.png><image href=b.png",
            }
        ),
    ),
    Row(
        "A21",
        "attributes of end tags mean nothing",
        html(
            {
                "an end tag with an attribute": '</p title="<img src=a.png>"><img src=b•.png>',
            }
        ),
    ),
    Row(
        "A22",
        "odd bytes are kept",
        html(
            {
                "NUL, invalid UTF-8, a lone CR and FF are kept": "<img\x0csrc=a•.png\r\x00><p \x00\x7f>",
            }
        ),
    ),
    Row(
        "A23",
        "attributes have the names that the standard gives them",
        html(
            {
                "a < in a name is part of it": "<a<b href=x><img <b src=a•.png><img<b src=c•.png>",
                "an equals sign may begin a name": "<img =x src=a•.png>",
                "two equals signs": "<img src==a•.png>",
            }
        ),
    ),
    Row(
        "A24",
        "a megabyte of anything is read in linear time",
        shown(
            "tests/core/test_html.py::test_a_megabyte_of_anything_is_read_in_time",
            "tests/core/test_html.py::test_a_megabyte_in_one_place_is_read_in_time",
        ),
    ),
    Row(
        "A25",
        "line ends, tabs and a byte order mark are kept",
        html(
            {
                "CRLF and tabs, no newline at the end": "<p>\r\n\t<img\r\nsrc=a•.png\r\n>",
                "a byte order mark": "\ufeff<img src=a•.png>",
            }
        )
        | xml({"a byte order mark before XML": "\ufeff" + SVG + '<image href="a•.png"/></svg>'}),
    ),
)
