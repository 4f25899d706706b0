"""Edge cases, group G: names and the graph that they follow from."""

from __future__ import annotations

from sitepub.core.model import FileClass
from tests.edge_cases.table import MARK, Row, Site, shown


def _kept(path: str, page: str, expected: FileClass) -> Site:
    body = '{"icons": []}' if path.endswith("webmanifest") else "<x/>"
    return Site({"index.html": page, path: body}, classes={path: expected})


ROWS = (
    Row(
        "G1",
        "a changed image renames what loads it and nothing else",
        shown(
            "tests/test_site.py::test_a_change_of_an_image_renames_what_loads_it_and_nothing_else",
            "tests/test_site_properties.py::test_an_edit_renames_only_what_loads_it",
        ),
    ),
    Row(
        "G2",
        "a change in a circle, or behind it, renames all of the circle",
        shown("tests/test_site_properties.py::test_all_members_are_renamed_together"),
    ),
    Row(
        "G3",
        "equal bytes at two paths are two names",
        {"two images": Site({"index.html": "<img src=a•.png><img src=b•.png>", "a•.png": "x", "b•.png": "x"})},
    ),
    Row(
        "G4",
        "order, time and processes are of no account",
        shown(
            "tests/test_site_properties.py::test_the_order_of_files_is_of_no_account",
            "tests/test_site_properties.py::test_any_executor_gives_the_same",
        ),
    ),
    Row(
        "G5",
        "a second pass over published output changes nothing",
        shown("tests/test_site_properties.py::test_a_second_pass_over_what_was_published_changes_nothing"),
    ),
    Row(
        "G6",
        "what a bundler hashed is frozen, and what it loads keeps its name",
        {
            "a manifest of Vite": Site(
                {
                    "index.html": '<script type=module src="/assets/index-BpD9FCKP.js"></script>',
                    "assets/index-BpD9FCKP.js": 'import "./plain.js"; new URL("./logo.png", import.meta.url)',
                    "assets/plain.js": "export {}",
                    "assets/logo.png": "x",
                    ".vite/manifest.json": '{"src/main.ts": {"file": "assets/index-BpD9FCKP.js"}}',
                },
                classes={
                    "assets/index-BpD9FCKP.js": FileClass.FROZEN,
                    "assets/plain.js": FileClass.PINNED,
                    "assets/logo.png": FileClass.PINNED,
                },
                left_out=(".vite/manifest.json",),
            ),
            "a manifest of webpack": Site(
                {
                    "index.html": "<script src=/static/main.4889e940.js></script><link rel=stylesheet href=/static/own•.css>",
                    "static/main.4889e940.js": "1",
                    "static/own•.css": "a{}",
                    "asset-manifest.json": '{"files": {"main.js": "/static/main.4889e940.js", "x": "/static/own.css"}}',
                },
                classes={"static/main.4889e940.js": FileClass.FROZEN},
            ),
            "the folder of Astro": Site(
                {"index.html": "<link rel=stylesheet href=/_astro/a.css>", "_astro/a.css": "a{}"},
                classes={"_astro/a.css": FileClass.FROZEN},
            ),
            "a pattern": Site(
                {"index.html": "<script src=chunk-TJ4BB7AT.js></script>", "chunk-TJ4BB7AT.js": "1"},
                classes={"chunk-TJ4BB7AT.js": FileClass.FROZEN},
                settings={"frozen": ("chunk-*",)},
            ),
            "no evidence but the name": Site(
                {"index.html": "<script src=assets/index-BpD9FCKP•.js></script>", "assets/index-BpD9FCKP•.js": "1"}
            ),
        },
    ),
    Row(
        "G7",
        "ordinary names are not taken for hashed ones",
        {
            name.replace(MARK, ""): Site({"index.html": f"<img src={name}>", name: "<svg/>"})
            for name in ("zoom-out-symbolic•.svg", "2018-edition•.css", "IMG-20240101•.jpg", "facade12•.png")
        },
    ),
    Row(
        "G8",
        "a frozen name whose bytes changed is no longer immutable",
        shown("tests/test_site.py::test_a_frozen_file_has_an_entry_ready_for_the_day_its_bytes_change"),
        otherwise="It is published as an entry with a warning, not refused: a build that does not change a hash would otherwise never be published.",
    ),
    Row(
        "G9",
        "a name that is taken in the build is lengthened",
        shown("tests/test_site.py::test_a_name_that_is_taken_is_lengthened"),
    ),
    Row(
        "G10",
        "a key that holds other bytes is never overwritten",
        shown("tests/test_pipeline.py::test_foreign_bytes_under_our_keys_stop_the_first_publish_before_any_write"),
    ),
    Row(
        "G11",
        "names that are never hashed",
        {
            path: _kept(path, page, expected)
            for path, page, expected in [
                ("p.html", "<iframe src=p.html></iframe>", FileClass.ENTRY),
                ("sw.js", "", FileClass.ENTRY),
                ("robots.txt", "", FileClass.ENTRY),
                ("humans.txt", "", FileClass.ENTRY),
                ("ads.txt", "", FileClass.ENTRY),
                ("security.txt", "", FileClass.ENTRY),
                ("CNAME", "", FileClass.ENTRY),
                ("favicon.ico", "<link rel=icon href=/favicon.ico>", FileClass.PINNED),
                ("apple-touch-icon.png", "<link rel=apple-touch-icon href=apple-touch-icon.png>", FileClass.PINNED),
                (".well-known/logo.png", "<img src=/.well-known/logo.png>", FileClass.PINNED),
                ("sitemap-0.xml", "", FileClass.ENTRY),
                ("feed.xml", '<link rel=alternate type="application/rss+xml" href=feed.xml>', FileClass.ENTRY),
                ("app.webmanifest", "<link rel=manifest href=app.webmanifest>", FileClass.ENTRY),
                ("browserconfig.xml", "<meta name=msapplication-config content=browserconfig.xml>", FileClass.PINNED),
                ("js/app.js.map", "", FileClass.ENTRY),
                ("report.pdf", "<a href=report.pdf>r</a>", FileClass.ENTRY),
                ("data.zip", "<a href=data.zip>r</a>", FileClass.ENTRY),
            ]
        }
        | {"an icon in a folder is an asset": Site({"index.html": "<link rel=icon href=/img/favicon•.ico>", "img/favicon•.ico": "x"})},
    ),
    Row(
        "G12",
        "compressed copies of edited files are left out",
        {
            "in three forms": Site(
                {
                    "index.html": "<link rel=stylesheet href=a•.css>",
                    "a•.css": "a{b:url(i•.png)}",
                    "i•.png": "x",
                    "a.css.gz": "gz",
                    "a.css.br": "br",
                    "index.html.zst": "z",
                    "doc.pdf": "d",
                    "doc.pdf.gz": "gz",
                },
                left_out=("a.css.gz", "a.css.br", "index.html.zst"),
                warnings=("left out: what they hold in compressed form",),
            )
        },
    ),
    Row(
        "G13",
        "a large file is never loaded whole",
        shown("tests/test_site.py::test_a_large_leaf_stays_on_disk"),
    ),
    Row(
        "G14",
        "links out of the tree, circles of links, FIFOs and unreadable files",
        shown(
            "tests/local/test_source.py::test_links_in_a_circle_end",
            "tests/local/test_source.py::test_links_that_leave_the_source_are_refused_all_at_once",
            "tests/local/test_source.py::test_what_is_no_file_is_told_all_at_once",
            "tests/local/test_source.py::test_files_and_folders_without_permission_are_told_all_at_once",
        ),
        otherwise="A link out of the tree, a FIFO or an unreadable file stops the run.",
    ),
    Row(
        "G15",
        "two names that differ by case alone",
        {
            "they are two files": Site(
                {"index.html": "<img src=a•.png><img src=A•.PNG>", "a•.png": "1", "A•.PNG": "2"}, warnings=("differ",)
            )
        },
    ),
    Row(
        "G16",
        "a renamed dependency renames what loads it",
        shown("tests/test_site.py::test_a_rename_of_a_dependency_changes_the_name_of_what_loads_it"),
    ),
    Row(
        "G17",
        "a changed source map renames nothing",
        shown("tests/test_site.py::test_a_change_of_the_map_alone_renames_nothing"),
    ),
    Row(
        "G18",
        "a chain of 5,000 imports",
        shown("tests/test_site_properties.py::test_a_chain_of_five_thousand"),
    ),
    Row(
        "G19",
        "an edit renames one file where pages have import maps",
        shown("tests/test_site_import_maps.py::test_an_edit_renames_one_file", "tests/test_site.py::test_modules_pin"),
    ),
)
