"""Verification finds what rewriting must never do, wherever on the page it does it."""

from __future__ import annotations

import pytest

from sitepub.core.edits import Edit, splice
from sitepub.core.model import SourcePath
from sitepub.core.references import Language, scan
from sitepub.core.survey import Resolver
from sitepub.core.urls import SiteUrls
from sitepub.core.verification import Leads, verify
from sitepub.errors import DefectError

PAGE = (
    b'<!-- <img src="n.png"> --><p title="a<b n.png"><img src="a.png"><img srcset="a.png 1x, /x/b.png?c 2x"><a href="a.png">'
    b'<script>f("n.png")</script><style>p{background:url(c.png)}</style><img src=https://other/n.png>'
)
INSERT = b".0123456789ab"


def edits_of(body: bytes, language: Language = Language.HTML) -> tuple[Edit, ...]:
    return tuple(Edit(reference.dot, 0, INSERT) for reference in scan(language, body).references if "n." not in reference.url)


def check(source: bytes, output: bytes, edits: tuple[Edit, ...], language: Language = Language.HTML) -> Leads:
    count = len(scan(language, source).references)
    found = scan(language, output)
    page = SourcePath("d/i.html")
    return verify(source, output, edits, found, count=count, page=page, language=language, resolver=Resolver(SiteUrls()))


def insert_at(place: bytes, insert: bytes = INSERT) -> tuple[Edit, ...]:
    """The right edits, and one more behind `place`."""
    return tuple(sorted((*edits_of(PAGE), Edit(PAGE.index(place) + len(place), 0, insert))))


def test_a_good_file_tells_where_its_references_lead() -> None:
    edits = edits_of(PAGE)
    assert len(edits) == 4
    named = ("d/a.0123456789ab.png", "d/c.0123456789ab.png", "x/b.0123456789ab.png")
    assert check(PAGE, splice(PAGE, edits), edits) == Leads(named)
    assert check(PAGE, splice(PAGE, edits[:1]), edits[:1]) == Leads(named[:1], ("d/a.png", "d/c.png", "x/b.png"))


DEFECTS = {
    "in a comment": (insert_at(b'<!-- <img src="n'), "where it was put"),
    "in an attribute that loads nothing": (insert_at(b'title="a<b n'), "where it was put"),
    "in a text": (insert_at(b'<p title="a<b n.png">'), "where it was put"),
    "in a string of a script": (insert_at(b'f("n'), "where it was put"),
    "in a URL of another site": (insert_at(b"https://other/n"), "where it was put"),
    "beside its place": (tuple(edit._replace(at=edit.at + 1) for edit in edits_of(PAGE)), "where it was put"),
    "that opens a comment": (insert_at(b'"a<b n.png">', b"<!--"), "[0-2] references after rewriting, 5 were expected"),
    "that closes a string": (insert_at(b'<img src="a', b'"'), "where it was put"),
    "that brings a reference": (insert_at(b'<img src="a.png"', b" poster=x.png"), "6 references after rewriting, 5 were expected"),
}


@pytest.mark.parametrize(("edits", "message"), DEFECTS.values(), ids=DEFECTS)
def test_an_insertion_in_a_wrong_place_is_a_defect(edits: tuple[Edit, ...], message: str) -> None:
    with pytest.raises(DefectError, match=message) as caught:
        check(PAGE, splice(PAGE, edits), edits)
    assert caught.value.code == "rewrite-failed"


@pytest.mark.parametrize("place", [0, 40, PAGE.index(b"<style>"), len(PAGE)])
def test_a_byte_more_or_less_anywhere_is_a_defect(place: int) -> None:
    edits = edits_of(PAGE)
    output = splice(PAGE, edits)
    for wrong in (output[:place] + b" " + output[place:], output[: place - 1] + output[place:] if place else output[1:]):
        with pytest.raises(DefectError, match="differs from its source"):
            check(PAGE, wrong, edits)


def test_what_a_script_resolves_against_its_document_is_no_lead() -> None:
    script = b'import "./a.js"; new Worker("w.js")'
    edits = edits_of(script, Language.JAVASCRIPT)[:1]
    assert check(script, splice(script, edits), edits, Language.JAVASCRIPT) == Leads(("d/a.0123456789ab.js",))
