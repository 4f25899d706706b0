"""Which files keep their names because a second URL would be seen."""

from __future__ import annotations

from pathlib import Path

import pytest

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


THEMES = (
    '<link rel=stylesheet href="base.css"><link rel=stylesheet href="dark.css" {off}><link rel=stylesheet href="light.css" id=theme>'
    '<script src="themes.js"></script>'
)
SWITCHES_BY_NAME = (
    r"const wanted = base.href.replace(/\/base([^/]*)\.css/, '/' + name + '$1' + '.css'); if (known.includes(wanted)) use(wanted)"
)


@pytest.mark.parametrize(
    ("page", "script", "stays"),
    [
        (THEMES.format(off="disabled"), SWITCHES_BY_NAME, True),
        (
            THEMES.format(off="title=dark").replace('rel=stylesheet href="dark', "rel='alternate stylesheet' href=\"dark"),
            SWITCHES_BY_NAME,
            True,
        ),
        (THEMES.format(off=""), SWITCHES_BY_NAME, False),
        (THEMES.format(off="disabled"), "document.getElementById('dark').disabled = false", False),
    ],
    ids=["disabled", "alternate", "none is off at first", "no script looks for names"],
)
def test_stylesheets_that_a_script_switches_by_name_keep_theirs(tmp_path: Path, page: str, script: str, stays: bool) -> None:
    styles = {f"{name}.css": f"/* {name} */" for name in ("base", "dark", "light")}
    built = build_tree(
        tmp_path,
        {"index.html": page, "other.html": '<link rel=stylesheet href="other.css">', "themes.js": script, **styles, "other.css": ""},
    )
    expected = FileClass.PINNED if stays else FileClass.ASSET
    assert {built.class_of(name) for name in styles} == {expected}
    assert built.class_of("other.css") is FileClass.ASSET
    if stays:
        assert "`themes.js` looks for such names" in built.story("light.css").reason


def test_a_script_within_the_page_may_switch_its_styles(tmp_path: Path) -> None:
    page = THEMES.format(off="disabled").replace('<script src="themes.js"></script>', "<script>use(name + '.css')</script>")
    built = build_tree(tmp_path, {"index.html": page, "base.css": "", "dark.css": "", "light.css": ""})
    assert built.class_of("light.css") is FileClass.PINNED
