"""What a user may name to be invalidated."""

from __future__ import annotations

import pytest

from sitepub.core.invalidation_paths import Routing
from sitepub.core.invalidation_words import read_words
from sitepub.core.settings import UrlStyle
from sitepub.errors import UsageError

ROUTING = Routing("/handbook/", UrlStyle.DIRECTORY)


@pytest.mark.parametrize(
    ("word", "items"),
    [
        ("/handbook/docs/", ("/handbook/docs/",)),
        ("/elsewhere", ("/elsewhere",)),
        ("/img/*", ("/img/*",)),
        ("img/*", ("/handbook/img/*",)),
        ("docs/index.html", ("/handbook/docs/", "/handbook/docs/index.html")),
        ("https://www.example.com/handbook/über uns", ("/handbook/%C3%BCber*",)),
        ("https://www.example.com", ("/",)),
        ("/caf%C3%A9", ("/caf%C3%A9",)),
        ("/café", ("/caf%C3%A9",)),
        ("/a~b.js", ("/a*",)),
        ("c++.html", ("/handbook/c*",)),
        ("#all", ("#all",)),
        ("/*", ("/*",)),
    ],
)
def test_words_become_items(word: str, items: tuple[str, ...]) -> None:
    named = read_words([word], ROUTING, {"www.example.com"})
    assert named.items == items
    odd = [letter for letter in "~+" if letter in word]
    assert bool(named.warnings) is (" " in word or bool(odd))
    assert all(f"`{letter}`" in named.warnings[0].message for letter in odd)


@pytest.mark.parametrize("word", ["", "/a*b", "https://other.example.com/a", "https://[a/b"])
def test_what_names_nothing_is_a_usage_error(word: str) -> None:
    with pytest.raises(UsageError):
        read_words([word], ROUTING, {"www.example.com"})


def test_the_same_path_is_named_once() -> None:
    assert read_words(["/a", "https://www.example.com/a"], ROUTING, ()).items == ("/a",)
