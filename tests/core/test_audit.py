"""What an audit concludes from what stands at a key, from a listing, and from what the records keep."""

from __future__ import annotations

import pytest

from sitepub.core.audit import KeptBodies, Looked, Trouble, differing_headers, find_foreign, find_lost_bodies, judge_key
from sitepub.core.document import Document
from sitepub.core.manifest import make_manifest
from sitepub.core.model import WEBSITE_REDIRECT, Artifact, BodyPlace, FileClass, HeaderSet, Key, Kind, ReleaseId
from tests.support.builders import CSS, HTML, artifact, digest_of

PAGE = artifact("index.html", b"page")
LONG: HeaderSet = (("Cache-Control", "public, max-age=31536000"), ("Content-Type", "text/html; charset=utf-8"))


def look(body: bytes, headers: HeaderSet = HTML) -> Looked:
    return Looked(len(body), digest_of(body), headers)


@pytest.mark.parametrize(
    ("looked", "keeps_headers", "code"),
    [
        (look(b"page"), True, None),
        (look(b"page", ()), False, None),
        (look(b"page", LONG), True, Trouble.WRONG_HEADERS),
        (look(b"other"), True, Trouble.CHANGED),
        (look(b"egap"), True, Trouble.CHANGED),
        (look(b"other", ()), False, Trouble.CHANGED),
        (None, True, Trouble.MISSING),
    ],
)
def test_a_key_is_judged_by_bytes_and_headers(looked: Looked | None, keeps_headers: bool, code: Trouble | None) -> None:
    mismatch = judge_key(PAGE, looked, keeps_headers=keeps_headers)
    assert (mismatch.finding.code if mismatch else None) == code


def test_what_an_unfinished_release_put_there_is_no_finding() -> None:
    begun = artifact("index.html", b"begun")
    assert judge_key(PAGE, look(b"begun"), [begun], keeps_headers=True) is None
    assert judge_key(PAGE, None, [None], keeps_headers=True) is None
    assert judge_key(PAGE, look(b"hand"), [begun, None], keeps_headers=True) is not None


def test_a_message_names_each_header_and_what_it_should_be() -> None:
    mismatch = judge_key(PAGE, look(b"page", (("Cache-Control", "no-cache"), ("Content-Language", "en"))), keeps_headers=True)
    assert mismatch is not None
    assert mismatch.finding.message == (
        "`index.html` has `Cache-Control: no-cache`, which should be `public, max-age=0`; "
        "has `Content-Language: en`, which should not be there; has no `Content-Type`, which should be `text/html; charset=utf-8`"
    )


@pytest.mark.parametrize(("looked", "is_missing"), [(look(b"hand", LONG), False), (None, True)])
def test_what_visitors_may_have_got_counts_as_a_page_even_of_a_plain_name(looked: Looked | None, is_missing: bool) -> None:
    """Plain names of ours live shortly; nothing says that of what someone else put there."""
    mismatch = judge_key(artifact("app.css", b"style", FileClass.ALIAS, CSS), looked, keeps_headers=True)
    assert mismatch is not None
    assert (mismatch.found.shown.kind, mismatch.found.is_missing) == (Kind.ENTRY, is_missing)
    assert mismatch.found.shown.headers == (looked.headers if looked else ())


def test_a_website_redirect_that_the_server_dropped_is_no_difference() -> None:
    assert differing_headers((*HTML, (WEBSITE_REDIRECT, "/new/")), HTML) == ()
    assert differing_headers(HTML, CSS) == ("Cache-Control", "Content-Type")


def document(*artifacts: Artifact, packed: dict[bytes, BodyPlace] | None = None, lingering: tuple[Artifact, ...] = ()) -> Document:
    places = {digest_of(body): place for body, place in (packed or {}).items()}
    return Document(make_manifest(artifacts), places, {each.key: (each,) for each in lingering})


def test_keys_that_no_document_names_are_foreign() -> None:
    first = document(PAGE)
    second = document(artifact("about.html", b"about"), lingering=(artifact("lib.js", b"lib", FileClass.PINNED),))
    listed = [Key(key) for key in ("about.html", "index.html", "lib.js", "logs/today", ".sitepub/state.json", "z")]
    assert [finding.key for finding in find_foreign(listed, (first, second))] == ["logs/today", "z"]
    never_begun = Document(make_manifest([artifact("z", b"", FileClass.ASSET), artifact("logs/today", b"")]))
    assert [finding.key for finding in find_foreign(listed, (first, second), (never_begun,))] == ["logs/today"]


STYLE = artifact("app.0123.css", b"style", FileClass.ASSET, CSS, "app.css")
PLAIN = artifact("app.css", b"style", FileClass.ALIAS, CSS, "app.css")
BUNDLED = artifact("main.js", b"bundle", FileClass.FROZEN, CSS)
ONE, TWO = ReleaseId("1"), ReleaseId("2")
PLACE = BodyPlace("p", 10, 20)


@pytest.mark.parametrize(
    ("kept", "site", "lost"),
    [
        (KeptBodies({"p": 30}), {"app.0123.css": 5, "main.js": 6}, []),
        (KeptBodies({"p": 29}), {"app.0123.css": 5, "main.js": 6}, ["index.html"]),
        (KeptBodies({}), {"app.0123.css": 5, "main.js": 6}, ["index.html"]),
        (KeptBodies({}, {PAGE.body}), {"app.0123.css": 5, "main.js": 6}, []),
        (KeptBodies({"p": 30}), {"main.js": 6}, ["app.0123.css"]),
        (KeptBodies({"p": 30}), {"app.0123.css": 4, "main.js": 6}, ["app.0123.css"]),
        (KeptBodies({"p": 30}, {STYLE.body}), {"main.js": 6}, ["app.0123.css"]),
        (KeptBodies({"p": 30}), {"app.0123.css": 5}, ["main.js"]),
        (KeptBodies({"p": 30}, {BUNDLED.body}), {"app.0123.css": 5}, []),
    ],
)
def test_bodies_that_no_rollback_could_bring_back(kept: KeptBodies, site: dict[Key, int], lost: list[str]) -> None:
    held = document(PAGE, STYLE, PLAIN, BUNDLED, packed={b"page": PLACE})
    assert [body.artifact.key for body in find_lost_bodies({ONE: held}, kept, site)] == lost


def test_a_lost_body_names_every_release_that_needs_it() -> None:
    (body,) = find_lost_bodies({ONE: document(PAGE), TWO: document(PAGE)}, KeptBodies(), {})
    assert body.releases == (ONE, TWO)
    assert body.finding.code is Trouble.MISSING_BODY
    assert body.finding.message == "the body that `index.html` has in releases 1, 2 is not kept any more: no rollback brings it back"
