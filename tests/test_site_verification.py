"""A wrong memory publishes nothing: what an earlier run is told to have seen in a page is planted, and verification finds it on the page."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from sitepub.core.settings import Aliases
from sitepub.core.survey import Survey
from sitepub.core.survey_text import decode_survey, encode_survey
from sitepub.errors import DefectError
from sitepub.local.cache import open_cache
from tests.support.building import build_tree

PAGE = "<!-- a.png --><img src=a.png><img src=b.png><p>"
FILES = {"page.html": PAGE, "other.html": "<img src=a.png>", "a.png": b"a", "b.png": b"b"}


def in_a_comment(found: Survey) -> Survey:
    return replace(found, places=(found.places[0]._replace(dot=PAGE.index(".png")), *found.places[1:]))


def under_the_name_of_another(found: Survey) -> Survey:
    return replace(found, places=(found.places[0]._replace(path="b.png"), *found.places[1:]))


def not_seen(found: Survey) -> Survey:
    return replace(found, places=found.places[1:])


def one_more(found: Survey) -> Survey:
    return replace(found, count=found.count + 1)


PLANTED: dict[str, tuple[Callable[[Survey], Survey], str]] = {
    "a name in a comment": (in_a_comment, "where it was put"),
    "the digest of another file": (
        under_the_name_of_another,
        "leads to `a\\.[0-9a-f]{12}\\.png` after rewriting, which is not in the release",
    ),
    "a reference that keeps a plain name which nobody publishes": (
        not_seen,
        "leads to `a.png` after rewriting, which is not in the release",
    ),
    "a reference that is gone": (one_more, "has 2 references after rewriting, 3 were expected"),
}


@pytest.mark.parametrize(("plant", "message"), PLANTED.values(), ids=PLANTED)
def test_what_is_wrong_on_a_page_is_never_published(plant: Callable[[Survey], Survey], message: str, tmp_path: Path) -> None:
    memory, site = tmp_path / "cache", tmp_path / "site"
    with closing(open_cache(memory)) as cache:
        build_tree(site, FILES, cache=cache, aliases=Aliases.NEVER)
    with closing(sqlite3.connect(memory)) as base, base:
        ((survey,),) = base.execute("select survey from files where path = ?", (b"page.html",))
        base.execute("update files set survey = ? where path = ?", (encode_survey(plant(decode_survey(survey))), b"page.html"))
        base.execute("delete from rewritten")
    with closing(open_cache(memory)) as cache, pytest.raises(DefectError, match=message):
        build_tree(site, cache=cache, aliases=Aliases.NEVER)
