"""Which files keep their names because a second URL would be seen."""

from __future__ import annotations

from pathlib import Path

from sitepub.core.model import FileClass
from tests.support.building import build_tree


def test_a_stylesheet_that_a_script_names_keeps_its_one_url(tmp_path: Path) -> None:
    built = build_tree(
        tmp_path,
        {
            "index.html": '<link rel=stylesheet href="css/shared.css"><link rel=stylesheet href="css/page.css"><script src="js/app.js"></script>',
            "css/shared.css": "p { color: red }",
            "css/page.css": "p { color: blue }",
            # as Vite does: a link is added only where there is none
            "js/app.js": "const href = '/css/shared.css'; document.querySelector(`link[href='${href}']`) ?? add(href)",
        },
    )
    assert built.class_of("css/shared.css") is FileClass.PINNED
    assert b'href="css/shared.css"' in built.body_of("index.html")
    assert built.class_of("css/page.css") is FileClass.ASSET
    assert "scripts name" in built.story("css/shared.css").reason


def test_an_image_that_a_script_names_is_hashed_all_the_same(tmp_path: Path) -> None:
    built = build_tree(tmp_path, {"index.html": '<img src="a.png"><script src="app.js"></script>', "a.png": "A", "app.js": "show('a.png')"})
    assert built.class_of("a.png") is FileClass.ASSET
