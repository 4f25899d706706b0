"""Verification finds what rewriting must never do; tags checked by themselves agree with the whole."""

from __future__ import annotations

import pytest

from sitepub.core.edits import Edit, splice
from sitepub.core.model import SourcePath
from sitepub.core.references import Language, scan
from sitepub.core.references.model import Scan
from sitepub.core.survey import Resolver
from sitepub.core.urls import SiteUrls
from sitepub.core.verification import TagChecker, verify
from sitepub.errors import DefectError

PAGE = b'<p title="a<b"><img src="a.png"><img srcset="a.png 1x, /x/b.png?c 2x"><a href="a.png">'
INSERT = b".0123456789ab"


def scan_page(body: bytes) -> Scan:
    return scan(Language.HTML, body)


def edits_of(body: bytes) -> tuple[Edit, ...]:
    return tuple(Edit(reference.dot, 0, INSERT) for reference in scan_page(body).references)


def check(source: bytes, output: bytes, edits: tuple[Edit, ...], count: int = 3) -> set[str]:
    return verify(source, output, edits, scan_page(output), count=count, page=SourcePath("d/i.html"), resolver=Resolver(SiteUrls()))


def test_a_good_file_tells_where_its_names_lead() -> None:
    edits = edits_of(PAGE)
    assert check(PAGE, splice(PAGE, edits), edits) == {"d/a.0123456789ab.png", "x/b.0123456789ab.png"}


@pytest.mark.parametrize(
    ("source", "edits", "message"),
    [
        (PAGE, (Edit(3, 0, INSERT),), "where it was put"),
        (PAGE, (Edit(PAGE.index(b"<img"), 0, INSERT),), "where it was put"),
        (PAGE, (Edit(PAGE.index(b"<img"), 0, b"<!--"),), "0 references after rewriting"),
        (b"<img src=a.png>", (Edit(9, 0, INSERT),), "1 references after rewriting, 3 were expected"),
    ],
)
def test_a_bad_edit_is_a_defect(source: bytes, edits: tuple[Edit, ...], message: str) -> None:
    with pytest.raises(DefectError, match=message) as caught:
        check(source, splice(source, edits), edits)
    assert caught.value.code == "rewrite-failed"


def test_a_byte_more_is_a_defect() -> None:
    edits = edits_of(PAGE)
    with pytest.raises(DefectError, match="differs from its source"):
        check(PAGE, splice(PAGE, edits) + b" ", edits)


def test_tags_tell_their_urls() -> None:
    assert TagChecker(scan_page).find_urls(PAGE, edits_of(PAGE)) == {"a.0123456789ab.png", "/x/b.0123456789ab.png?c"}


@pytest.mark.parametrize(
    "source",
    [
        b"<style>a>b{c:url(a.png)}</style>",
        b"<style>a{b:url(a.png)} x{y:url(b.png)}</style>",
        b'<script type=module>import "./a.js"; import "./b.js"</script>',
        b'<p title="<"><img alt="<" src="a.png" title=">">',
        b'<svg><style>a{b:url(c.png)}</style></svg><img src="x>y.png">',
        b'<img alt="%b" src=a.png>' % (b"x" * 5000),
    ],
)
def test_what_is_not_sure_by_itself_is_left_to_the_whole_file(source: bytes) -> None:
    """The answer is either the right one or none."""
    edits = edits_of(source)
    assert edits
    found = TagChecker(scan_page).find_urls(source, edits)
    expected = {reference.url for reference in scan_page(splice(source, edits)).references}
    assert found is None or found == expected


def test_a_tag_that_does_not_stand_by_itself_is_never_passed() -> None:
    source = b"<!-- <img src=a.png> --><img alt='<' src=a.png>"
    assert TagChecker(scan_page).find_urls(source, (Edit(source.rindex(b".png"), 0, INSERT),)) is None


@pytest.mark.parametrize("at", [1, 5, 9])
def test_an_edit_beside_its_place_is_never_passed(at: int) -> None:
    source = b"<img src=a.png>"
    assert TagChecker(scan_page).find_urls(source, (Edit(at, 0, INSERT),)) is None


def test_an_insertion_that_breaks_the_tag_is_never_passed() -> None:
    source = b"<img src=a.png alt=b>"
    assert TagChecker(scan_page).find_urls(source, (Edit(10, 0, b"><i "),)) is None
    assert TagChecker(scan_page).find_urls(source, (Edit(10, 0, b" src=b"),)) is None
