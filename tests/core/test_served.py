"""What is concluded from answers that visitors got."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from sitepub.core.audit import Trouble
from sitepub.core.manifest import make_manifest
from sitepub.core.model import WEBSITE_REDIRECT, FileClass
from sitepub.core.served import Served, Visit, judge_records, judge_visits, plan_visits
from tests.support.builders import HTML, artifact, digest_of

PAGE = artifact("about.html", b"page")
RIGHT = {"cache-control": "public,  max-age=0", "content-type": "text/html;charset=UTF-8", "server": "x"}


def served(body: bytes = b"page", status: int = 200, headers: Mapping[str, str] | None = None, location: str = "") -> Served:
    return Served(status, (digest_of(body),), RIGHT if headers is None else headers, location)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (served(), None),
        (Served(200, (digest_of(b"packed"), digest_of(b"page")), RIGHT), None),
        (served(b"old"), Trouble.SERVED_STALE),
        (served(status=404), Trouble.NOT_SERVED),
        (Served(0, failure="no answer (refused)"), Trouble.NOT_SERVED),
        (served(headers={**RIGHT, "cache-control": "max-age=600"}), Trouble.SERVED_WRONG_HEADERS),
        (served(headers={"content-type": "text/html; charset=utf-8"}), Trouble.SERVED_WRONG_HEADERS),
    ],
)
def test_an_answer_is_judged_by_status_bytes_and_headers(answer: Served, code: Trouble | None) -> None:
    found = judge_visits([Visit("https://x/about.html", PAGE)], [answer], checks_headers=True)
    assert [finding.code for finding in found] == ([code] if code else [])


def test_headers_count_only_where_the_target_keeps_them() -> None:
    assert judge_visits([Visit("https://x/about.html", PAGE)], [served(headers={})], checks_headers=False) == ()


def test_an_error_page_may_answer_with_its_error() -> None:
    missing = artifact("404.html", b"page")
    assert judge_visits([Visit("https://x/404.html", missing)], [served(status=404)], checks_headers=True) == ()
    found = judge_visits([Visit("https://x/404.html", missing)], [served(b"theirs", status=404)], checks_headers=True)
    assert [finding.code for finding in found] == [Trouble.NOT_SERVED]


FOLDERS = plan_visits(
    make_manifest([artifact("a/index.html", b"a"), artifact("b/index.html", b"b"), artifact("index.html", b"r")]), "https://x/"
)


def test_pages_of_folders_are_asked_for_under_both_urls() -> None:
    assert [visit.url for visit in FOLDERS] == [
        "https://x/a/index.html",
        "https://x/a/",
        "https://x/b/index.html",
        "https://x/b/",
        "https://x/index.html",
        "https://x/",
    ]


@pytest.mark.parametrize(
    ("a", "b", "codes"),
    [
        (403, 403, []),
        (200, 403, [Trouble.NOT_SERVED]),
        (200, 200, []),
    ],
)
def test_folders_urls_count_only_where_the_server_maps_them(a: int, b: int, codes: list[Trouble]) -> None:
    answers = [served(b"a"), served(b"a", a), served(b"b"), served(b"b", b), served(b"r"), served(b"r")]
    assert [finding.code for finding in judge_visits(FOLDERS, answers, checks_headers=True)] == codes


def test_a_folders_url_that_answers_another_page_is_stale_and_the_front_page_must_answer() -> None:
    answers = [served(b"a"), served(b"old"), served(b"b"), served(status=404), served(b"r"), served(status=403)]
    found = judge_visits(FOLDERS, answers, checks_headers=True)
    assert [(finding.code, finding.key) for finding in found] == [
        (Trouble.SERVED_STALE, "a/index.html"),
        (Trouble.NOT_SERVED, "index.html"),
    ]


def test_a_redirect_may_answer_its_page_or_its_place() -> None:
    page = artifact("old/index.html", b"moved", FileClass.REDIRECT, (*HTML, (WEBSITE_REDIRECT, "/new/")), None)
    visit = Visit("https://x/old/index.html", page)
    assert not visit.follows
    assert judge_visits([visit], [served(b"moved")], checks_headers=True) == ()
    assert judge_visits([visit], [served(b"", 301, location="https://x/new/")], checks_headers=True) == ()
    (wrong,) = judge_visits([visit], [served(b"", 301, location="/elsewhere/")], checks_headers=True)
    assert wrong.code is Trouble.SERVED_STALE


def test_a_sample_has_pages_before_files_and_is_spread_evenly() -> None:
    pages = [artifact(f"{n}.html", b"x") for n in range(4)]
    files = [artifact(f"{n}.css", b"x", FileClass.ALIAS) for n in range(4)]
    manifest = make_manifest([*pages, *files])
    assert [visit.artifact.key for visit in plan_visits(manifest, "https://x/", most=2)] == ["0.html", "2.html"]
    assert [visit.artifact.key for visit in plan_visits(manifest, "https://x/", most=6)] == [
        *(page.key for page in pages),
        "0.css",
        "2.css",
    ]
    assert len(plan_visits(manifest, "https://x/")) == 8


def test_records_are_found_by_their_bytes_not_by_an_answer() -> None:
    state = digest_of(b"{}")
    assert judge_records("https://x/.sitepub/state.json", served(b"a page for everything"), state) is None
    assert judge_records("https://x/.sitepub/state.json", served(b"{}", 403), state) is None
    found = judge_records("https://x/.sitepub/state.json", served(b"{}"), state)
    assert found is not None and found.code is Trouble.RECORDS_SERVED
