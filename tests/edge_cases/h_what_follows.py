"""Edge cases, group H: integrity, policies and what else follows from a rename."""

from __future__ import annotations

import hashlib
from base64 import b64encode

from sitepub.core.model import FileClass
from tests.edge_cases.table import Row, Site, html, javascript, shown

INLINE = "a{b:url(i.png)}"
INLINE_EDITED = "a{b:url(i•.png)}"
UNTOUCHED = "a{}"


def _hash(text: str) -> str:
    return f"sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


ROWS = (
    Row(
        "H1",
        "integrity follows an edited file, by every algorithm",
        {
            "several digests": Site(
                {
                    "index.html": '<link rel=stylesheet href=a•.css integrity="sha384-⟨sha384 a.css⟩ sha512-⟨sha512 a.css⟩">',
                    "a•.css": "a{b:url(i•.png)}",
                    "i•.png": "x",
                }
            ),
            "one of another file": Site(
                {
                    "index.html": '<script src=a•.js integrity="sha256-⟨=sha256 i.png⟩ sha256-⟨sha256 a.js⟩?x"></script>',
                    "a•.js": "import('./b•.js')",
                    "b•.js": "1",
                    "i.png": "x",
                }
            ),
            "a file that is not edited": Site({"index.html": '<script src=a•.js integrity="sha256-⟨sha256 a.js⟩"></script>', "a•.js": "1"}),
        },
    ),
    Row(
        "H2",
        "integrity that was wrong before is left, and told of",
        {
            "a digest of something else": Site(
                {
                    "index.html": '\n<link rel=stylesheet href=a•.css integrity="sha256-⟨=sha256 i.png⟩">',
                    "a•.css": "a{b:url(i•.png)}",
                    "i•.png": "x",
                },
                warnings=("`index.html` line 2",),
            )
        },
        otherwise="It is a warning, not an error: the page was as broken before.",
    ),
    Row(
        "H3",
        "a file whose digest stands where it can't follow is left as it is, and told of",
        {
            f"{algorithm} in a script": Site(
                {
                    "index.html": "<script src=run•.js></script><script src=chunk•.js></script>",
                    "run•.js": f'h = {{7: "{algorithm}-⟨={algorithm} chunk.js⟩"}}; import("./c•.js")',
                    "chunk•.js": 'import("./b.js")',
                    "b.js": "1",
                    "c•.js": "2",
                },
                classes={"b.js": FileClass.PINNED},
                warnings=("`chunk.js` has its digest in `run.js`, where it can't be changed; it is published as it is",),
            )
            for algorithm in ("sha256", "sha384", "sha512")
        }
        | {
            "in JSON": Site(
                {
                    "index.html": "<script src=chunk•.js></script><script src=other•.js></script>",
                    "sri.json": '{"chunk.js": "sha384-⟨=sha384 chunk.js⟩"}',
                    "chunk•.js": 'import("./b.js")',
                    "other•.js": 'import("./c•.js")',
                    "b.js": "1",
                    "c•.js": "2",
                },
                classes={"b.js": FileClass.PINNED},
                warnings=("`chunk.js` has its digest in `sri.json`, where it can't be changed; it is published as it is",),
            ),
            "in the headers of a host": Site(
                {
                    "index.html": "<link rel=stylesheet href=a•.css>",
                    "_headers": "/*\n  Link: </a.css>; rel=preload; as=style; integrity=sha256-⟨=sha256 a.css⟩",
                    "a•.css": "a{b:url(i.png)}",
                    "i.png": "x",
                },
                warnings=("`a.css` has its digest in `_headers`",),
                left_out=("_headers",),
            ),
            "of a file that is not edited": Site(
                {"index.html": "<script src=a•.js></script>", "sri.json": '{"a.js": "sha384-⟨=sha384 a.js⟩"}', "a•.js": "1"}
            ),
        },
    ),
    Row(
        "H4",
        "integrity of preloads and in import maps follows",
        {
            "a module preload": Site(
                {
                    "index.html": '<link rel=modulepreload href=a•.js integrity="sha384-⟨sha384 a.js⟩">',
                    "a•.js": 'import "./b•.js"',
                    "b•.js": "1",
                }
            ),
            "an import map": Site(
                {
                    "index.html": '<script type=importmap>{"integrity":{"/a•.js":"sha384-⟨sha384 a.js⟩"}}</script><script type=module src=/a•.js></script>',
                    "a•.js": 'import "./b•.js"',
                    "b•.js": "1",
                }
            ),
        },
    ),
    Row(
        "H5",
        "hashes of a policy follow an edited inline script or style",
        {
            "in the headers of a host": Site(
                {
                    "index.html": f"<img src=i.png>\n<style>{INLINE}</style>",
                    "p.html": f"<img src=i•.png><style> {INLINE_EDITED}</style>",
                    "q.html": f"<style>{UNTOUCHED}</style><img src=i•.png>",
                    "_headers": f"/*\n  Content-Security-Policy: style-src '{_hash(INLINE)}' '{_hash(UNTOUCHED)}'",
                    "i•.png": "x",
                },
                warnings=(
                    "`index.html` has inline code in line 2 whose hash is in `_headers`, where it can't be changed; it is published as it is",
                ),
                left_out=("_headers",),
            ),
            "in a host's JSON": Site(
                {
                    "index.html": f"<style>{INLINE}</style>",
                    "staticwebapp.config.json": f"""{{"globalHeaders": {{"content-security-policy": "style-src '{_hash(INLINE)}'"}}}}""",
                    "i.png": "x",
                },
                warnings=("`index.html` has inline code in line 1 whose hash is in `staticwebapp.config.json`",),
            ),
        }
        | shown("tests/test_site.py::test_policy_hashes_of_edited_inline_blocks_follow"),
        otherwise="A header that CloudFront adds can't be seen; one in a file of a host leaves the page as it is.",
    ),
    Row(
        "H6",
        "and an edited style attribute",
        shown("tests/test_site.py::test_policy_hash_of_a_style_attribute"),
    ),
    Row(
        "H7",
        "revisions in a service worker's list follow",
        {
            "of a page, an asset, and a file that is as before": Site(
                {
                    "index.html": "<script src=a•.js></script>",
                    "a•.js": "import('./b•.js')",
                    "b•.js": "1",
                    "doc.pdf": "d",
                    "sw.js": '[{url:"index.html",revision:"⟨revision32 index.html⟩"},{"revision":"⟨revision8 a.js⟩","url":"/a.js"},{url:"doc.pdf",revision:"aabbccdd"}]',
                }
            )
        }
        | shown("tests/test_site.py::test_an_edit_of_an_asset_changes_the_revision_of_each_page_that_loads_it"),
    ),
    Row(
        "H8",
        "a preload and its user name the same URL",
        html(
            {
                "what a script fetches by its plain name is not preloaded by another": "<link rel=preload as=fetch href=a.json>",
            }
        )
        | {
            "a font and an image": Site(
                {
                    "index.html": "<link rel=preload as=font href=f•.woff2 crossorigin><link rel=preload as=image href=i•.png><link rel=stylesheet href=a•.css>",
                    "a•.css": "@font-face{src:url(f•.woff2)}b{background:url(i•.png)}",
                    "f•.woff2": "f",
                    "i•.png": "i",
                }
            )
        },
    ),
    Row(
        "H9",
        "a source map's columns move with the code",
        shown(
            "tests/test_site.py::test_columns_behind_an_insertion_move",
            "tests/core/test_source_maps.py::test_every_column_moves_by_what_was_inserted_before_it",
        ),
    ),
    Row(
        "H10",
        "a source map in a string or not at the end is none",
        {
            "nothing is read as a map": Site(
                {
                    "index.html": "<script src=a•.js></script><script src=c•.js></script>",
                    "a•.js": "x = '//# sourceMappingURL=a.js.map'; import('./b•.js')",
                    "c•.js": "//# sourceMappingURL=a.js.map\nimport('./b•.js')",
                    "b•.js": "1",
                    "a.js.map": '{"version":3,"mappings":"AAAA,MAAM,mBAAmB"}',
                }
            )
        }
        | shown("tests/core/test_javascript.py::test_source_map_is_what_the_last_line_says"),
    ),
    Row(
        "H11",
        "a mention of a licence in a comment is no reference",
        javascript({"of webpack": "/*! For license information please see main.js.LICENSE.txt */\nimport('./a•.js')"}),
    ),
    Row(
        "H12",
        "what is published is read again, and gives back the source",
        shown(
            "tests/core/test_verification.py::test_a_byte_more_or_less_anywhere_is_a_defect",
            "tests/core/test_verification.py::test_an_insertion_in_a_wrong_place_is_a_defect",
            "tests/test_site_properties.py::test_taking_the_insertions_out_gives_every_source_back",
        ),
    ),
    Row(
        "H13",
        "what is superseded stays for a while, and pages come last",
        shown(
            "tests/test_pipeline.py::test_assets_are_there_before_the_pages_and_the_front_page_comes_last",
            "tests/test_collecting.py::test_a_release_that_left_less_than_a_day_ago_is_kept_whatever_retention_says",
        ),
    ),
    Row(
        "H14",
        "a renamed file has the media type of its extension",
        shown("tests/core/test_media_types.py::test_types_of_names"),
    ),
    Row(
        "H15",
        "an alias has the bytes of its asset and a short life",
        shown("tests/test_site.py::test_an_alias_has_the_bytes_of_its_asset_and_a_short_life"),
    ),
)
