"""What a plan does, in which order and why."""

from __future__ import annotations

from itertools import chain
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sitepub.core.changes import Action, Summary
from sitepub.core.manifest import make_manifest
from sitepub.core.model import Artifact, ETag, FileClass, Key, Manifest
from sitepub.core.plan import Base, Found, Stage, Standing
from sitepub.core.planning import find_unsettled, make_plan, settle_frozen, shrinks
from tests.support.builders import CSS, HTML, artifact


def _manifest(*artifacts: Artifact) -> Manifest:
    return make_manifest(artifacts)


PAGE = artifact("index.html", b"one")
LEAF = artifact("docs/a.html", b"leaf")
STYLE = artifact("app.111.css", b"css", FileClass.ASSET, CSS, "app.css")
ALIAS = artifact("app.css", b"css", FileClass.ALIAS, CSS)
PINNED = artifact("js/lib.js", b"lib", FileClass.PINNED, HTML)


def test_a_first_publish_uploads_assets_and_promotes_everything_else() -> None:
    plan = make_plan(_manifest(PAGE, LEAF, STYLE, ALIAS, PINNED), Base())
    assert plan.uploads == (STYLE,)
    assert [(step.stage, step.key) for step in plan.steps] == [
        (Stage.NEW_LOADED, "js/lib.js"),
        (Stage.NEW_LOADED, "app.css"),
        (Stage.PAGES, "docs/a.html"),
        (Stage.FRONT_PAGE, "index.html"),
    ]
    assert {change.reason for change in plan.changes} == {"new"}
    assert plan.summary == Summary(new=5)
    assert plan.shown == ()


def test_the_same_site_again_is_an_empty_plan() -> None:
    live = _manifest(PAGE, STYLE, ALIAS)
    plan = make_plan(live, Base(live=live))
    assert plan.is_empty
    assert plan.summary == Summary(unchanged=3)


def test_a_changed_stylesheet_is_a_new_asset_a_changed_alias_and_changed_pages() -> None:
    live = _manifest(PAGE, LEAF, STYLE, ALIAS)
    style = artifact("app.222.css", b"css 2", FileClass.ASSET, CSS, "app.css")
    wanted = _manifest(artifact("index.html", b"two"), LEAF, style, artifact("app.css", b"css 2", FileClass.ALIAS, CSS))
    plan = make_plan(wanted, Base(live=live, etags={Key("index.html"): ETag('"e"')}))
    assert [(change.key, change.action, change.reason) for change in plan.changes] == [
        ("app.222.css", Action.PUT, "new"),
        ("app.css", Action.PUT, "content changed"),
        ("index.html", Action.PUT, "content changed"),
    ]
    assert plan.summary == Summary(new=1, changed=2, unchanged=1)
    assert {entry.key for entry in plan.shown} == {"index.html", "app.css"}
    assert next(step for step in plan.steps if step.key == "index.html").etag == '"e"'


def test_changed_headers_alone_are_a_change_and_say_which() -> None:
    changed = replace(PAGE, headers=(("Cache-Control", "no-cache"), HTML[1]))
    plan = make_plan(_manifest(changed), Base(live=_manifest(PAGE)))
    assert [(change.action, change.reason) for change in plan.changes] == [(Action.PUT, "headers changed: Cache-Control")]
    assert plan.summary == Summary(headers=1)
    assert [entry.key for entry in plan.shown] == ["index.html"]


def test_an_entry_that_left_the_site_is_deleted_last() -> None:
    plan = make_plan(_manifest(artifact("index.html", b"new")), Base(live=_manifest(PAGE, LEAF)))
    assert [(step.stage, step.key, step.wanted is None) for step in plan.steps] == [
        (Stage.FRONT_PAGE, "index.html", False),
        (Stage.RETIRED, "docs/a.html", True),
    ]
    deletion = plan.changes[0]
    assert (deletion.key, deletion.action, deletion.source, deletion.bytes) == ("docs/a.html", Action.DELETE, None, 0)
    assert plan.summary == Summary(changed=1, removed=1)


def test_what_pages_load_is_never_deleted_but_lingers() -> None:
    plan = make_plan(_manifest(PAGE), Base(live=_manifest(PAGE, PINNED, ALIAS, STYLE)))
    assert plan.is_empty
    assert set(plan.lingering) == {"js/lib.js", "app.css"}
    assert plan.shown == ()


def test_a_key_that_lingers_and_comes_back_is_neither_foreign_nor_brand_new() -> None:
    again = replace(PINNED, body=artifact("x", b"other").body)
    plan = make_plan(_manifest(PAGE, again), Base(live=_manifest(PAGE), lingering={PINNED.key: (PINNED,)}))
    (step,) = plan.steps
    assert set(step.candidates) == {None, PINNED}
    assert [entry.key for entry in plan.shown] == ["js/lib.js"]
    assert plan.changes[0].reason == "back again"


def test_what_an_unfinished_release_may_have_changed_is_written_and_shown() -> None:
    other = replace(PAGE, body=artifact("x", b"other").body)
    plan = make_plan(_manifest(PAGE), Base(live=_manifest(PAGE), others=(_manifest(other),)))
    (step,) = plan.steps
    assert set(step.candidates) == {PAGE, other}
    assert step.etag is None
    assert [entry.key for entry in plan.shown] == ["index.html"]


def test_foreign_content_is_named_unless_it_is_allowed() -> None:
    base = Base(standing={Key("index.html"): Standing(ETag('"x"'), False)})
    assert make_plan(_manifest(PAGE), base).foreign == ("index.html",)
    allowed = make_plan(_manifest(PAGE), base, allow_foreign=True)
    assert allowed.foreign == ()
    assert allowed.steps[0].is_forced


def test_equal_content_that_stood_there_only_takes_our_headers() -> None:
    plan = make_plan(_manifest(PAGE), Base(standing={Key("index.html"): Standing(ETag('"x"'), True)}))
    assert plan.foreign == ()
    assert plan.changes[0].reason == "already there, takes our headers"
    assert plan.steps[0].etag == '"x"'


def test_a_frozen_file_goes_up_early_once_and_becomes_an_entry_when_its_bytes_change() -> None:
    frozen = artifact("_astro/a.Bx12.js", b"1", FileClass.FROZEN, CSS)
    assert make_plan(_manifest(frozen), Base()).uploads == (frozen,)
    changed, as_entry = artifact("_astro/a.Bx12.js", b"2", FileClass.FROZEN, CSS), artifact("_astro/a.Bx12.js", b"2")
    settled, warnings = settle_frozen(_manifest(changed), _manifest(frozen), {changed.key: as_entry})
    assert settled.artifacts[changed.key] == as_entry
    assert [warning.code for warning in warnings] == ["frozen-file-changed"]
    plan = make_plan(settled, Base(live=_manifest(frozen)))
    assert plan.saved == (frozen,)
    again, silent = settle_frozen(_manifest(changed), settled, {changed.key: as_entry})
    assert (again.artifacts[changed.key], silent) == (as_entry, ())


def test_a_site_shrinks_only_past_thirty_percent_and_twenty_files() -> None:
    pages = [artifact(f"{n}.html", b"x") for n in range(100)]
    assert shrinks(_manifest(*pages[:69]), _manifest(*pages)) == (100, 69)
    assert shrinks(_manifest(*pages[:70]), _manifest(*pages)) is None
    assert shrinks(_manifest(*pages[:40]), _manifest(*pages[:60])) is None
    assert shrinks(_manifest(*pages[:39]), _manifest(*pages[:60])) == (60, 39)
    assert shrinks(_manifest(), None) is None


def test_what_a_look_found_otherwise_is_written_again_though_the_records_call_it_right() -> None:
    live = _manifest(PAGE, LEAF)
    plan = make_plan(live, Base(live=live, found={PAGE.key: Found("changed by hand", artifact("index.html", b"hand"))}))
    assert [step.key for step in plan.steps] == [entry.key for entry in plan.shown] == ["index.html"]


BODIES = (b"one", b"two")
KEYS = ("index.html", "a.html", "app.111.css", "app.css", "js/lib.js", "chunk.js")
KINDS = (FileClass.ENTRY, FileClass.ASSET, FileClass.ALIAS, FileClass.PINNED, FileClass.FROZEN)

artifacts = st.builds(artifact, st.sampled_from(KEYS), st.sampled_from(BODIES), st.sampled_from(KINDS), st.sampled_from([HTML, CSS]))
manifests = st.lists(artifacts, max_size=5, unique_by=lambda made: made.key).map(make_manifest)
bases = st.builds(
    Base,
    live=st.none() | manifests,
    others=st.lists(manifests, max_size=2).map(tuple),
    lingering=st.lists(artifacts, max_size=2).map(lambda made: {one.key: (one,) for one in made}),
    standing=st.dictionaries(st.sampled_from(KEYS).map(Key), st.builds(Standing, st.just(ETag('"e"')), st.booleans()), max_size=2),
    found=st.lists(artifacts, max_size=2).map(lambda made: {one.key: Found("looked", one) for one in made}),
)


@settings(deadline=None)
@given(manifests, bases, st.booleans(), st.booleans(), st.booleans())
def test_keys_that_are_passed_over_would_have_changed_nothing(
    wanted: Manifest, base: Base, is_alike: bool, allow_foreign: bool, is_folder: bool
) -> None:
    """Of a large site nearly all are."""
    if is_alike and base.live is not None:
        wanted = Manifest(dict(list(base.live.artifacts.items())[:4]))
    everything = frozenset(
        chain(wanted.artifacts, *(manifest.artifacts for manifest in (base.live, *base.others) if manifest), base.lingering)
    )
    plan = make_plan(wanted, base, allow_foreign=allow_foreign, is_folder=is_folder)
    with mock.patch("sitepub.core.planning.find_unsettled", lambda *_: everything):
        assert make_plan(wanted, base, allow_foreign=allow_foreign, is_folder=is_folder) == plan
    assert not find_unsettled(Manifest({}) if base.live is None else base.live, Base(live=base.live))
