"""Which changes an open page can take in place."""

from __future__ import annotations

import json

from sitepub.core.reloading import Built, Reload, find_reload


def built(**files: tuple[str, str]) -> Built:
    named = {name.replace("_", "."): file for name, file in files.items()}
    return Built({name: digest for name, (digest, _) in named.items()}, {name: key for name, (_, key) in named.items()})  # type: ignore[misc]


BEFORE = built(index_html=("1", "index.html"), a_css=("2", "a.2.css"), b_css=("3", "b.3.css"))


def test_nothing_changed() -> None:
    assert find_reload(BEFORE, BEFORE, "/") is None


def test_a_stylesheet_is_swapped() -> None:
    after = built(index_html=("1", "index.html"), a_css=("9", "a.9.css"), b_css=("3", "b.3.css"))
    reload = find_reload(BEFORE, after, "/docs/")
    assert reload == Reload((("/docs/a.2.css", "/docs/a.9.css"),))
    assert json.loads(reload.as_json()) == {"styles": [["/docs/a.2.css", "/docs/a.9.css"]]}


def test_a_stylesheet_that_imports_it_is_swapped_too() -> None:
    after = built(index_html=("1", "index.html"), a_css=("9", "a.9.css"), b_css=("3", "b.8.css"))
    assert find_reload(BEFORE, after, "/") == Reload((("/a.2.css", "/a.9.css"), ("/b.3.css", "/b.8.css")))


def test_anything_else_loads_the_page_again() -> None:
    page = built(index_html=("7", "index.html"), a_css=("9", "a.9.css"), b_css=("3", "b.3.css"))
    gone = built(index_html=("1", "index.html"), a_css=("2", "a.2.css"))
    new = built(index_html=("1", "index.html"), a_css=("2", "a.2.css"), b_css=("3", "b.3.css"), c_css=("4", "c.4.css"))
    for after in (page, gone, new):
        reload = find_reload(BEFORE, after, "/")
        assert reload == Reload()
        assert json.loads(reload.as_json()) == {"reload": True}
