"""Cache tags: what an entry carries, and what is chosen by them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sitepub.core.invalidation_paths import Routing
from sitepub.core.model import Artifact, Digest, FileClass, Key, Manifest, SourcePath
from sitepub.core.plan import Shown
from sitepub.core.tags import (
    MOST_TAGS,
    TAG_HEADER,
    choose_tags,
    held_tags,
    keep_tags,
    keys_by_tag,
    loses_tags,
    name_tag,
    own_tag,
    read_tags,
)
from sitepub.invalidation import choose_invalidation


def page(key: str, body: str = "1", assets: tuple[str, ...] = (), *, is_tagged: bool = True) -> Artifact:
    tags = choose_tags(Key(key), FileClass.ENTRY, map(SourcePath, assets), "/") if is_tagged else ()
    return Artifact(Key(key), FileClass.ENTRY, Digest(body * 64), 1, (("Cache-Control", "s-maxage=86400"), *tags))


def test_a_page_carries_itself_its_folders_all_and_what_it_loads() -> None:
    expected = [
        own_tag(Key("a/b/c.html"), "/x/"),
        name_tag("all", "/x/"),
        name_tag("folder", "/x/a"),
        name_tag("folder", "/x/a/b"),
        name_tag("asset", "/x/app.css"),
        name_tag("asset", "/x/a.png"),
    ]
    ((name, value),) = choose_tags(Key("a/b/c.html"), FileClass.ENTRY, [SourcePath("a.png"), SourcePath("app.css")], "/x/")
    assert (name, value.split(",")) == (TAG_HEADER, expected)


def test_only_entries_carry_tags() -> None:
    tagged = [file_class for file_class in FileClass if choose_tags(Key("a"), file_class, (), "/")]
    assert tagged == [FileClass.ENTRY, FileClass.PINNED]


@given(st.lists(st.text(min_size=1), max_size=200), st.text())
def test_tags_are_what_cloudfront_and_s3_take(assets: list[str], key: str) -> None:
    ((_, value),) = choose_tags(Key(key), FileClass.ENTRY, map(SourcePath, assets), "/")
    tags = value.split(",")
    assert len(tags) <= MOST_TAGS
    assert len(value) < 1024
    assert len(set(tags)) == len(tags)
    assert all(tag.isascii() and tag.isalnum() and tag == tag.lower() for tag in tags)


def test_tags_do_not_depend_on_other_pages_or_on_the_order_of_references() -> None:
    assert page("a", "1", ("x.png", "b.css")).headers == page("a", "2", ("b.css", "x.png", "b.css")).headers


def choose(changed: dict[str, tuple[Artifact, Artifact | None]], live: list[Artifact], most: int | None) -> tuple[tuple[str, ...], float]:
    shown = tuple(Shown(Key(key), (before,), after) for key, (before, after) in changed.items())
    artifacts = {artifact.key: artifact for artifact in live}
    tags = held_tags(shown, artifacts)
    own = {key: tag for key, names in tags.items() if (tag := own_tag(key, "/")) in names}
    plan = choose_invalidation(shown, Routing(), live=artifacts, max_items=most, tags=keys_by_tag(tags), own=own)
    return plan.items, plan.collateral


def test_all_urls_of_a_page_and_odd_names_are_one_item() -> None:
    docs, odd = page("docs/index.html"), page("a~b.html")
    live = [docs, odd, page("about.html"), page("a1.html")]
    changed = {
        "docs/index.html": (docs, page("docs/index.html", "2")),
        "a~b.html": (odd, None),
        "about.html": (live[2], page("about.html", "2")),
    }
    tags = [f"#{own_tag(Key(key), '/')}" for key in ("docs/index.html", "a~b.html")]
    assert choose(changed, live, None) == (tuple(sorted([*tags, "/about.html"])), 0)


def test_a_stylesheet_that_renames_itself_in_many_pages_is_one_item_without_collateral() -> None:
    styled = [page(f"{n % 7}/{n}.html", "1", ("app.css",)) for n in range(300)]
    plain = [page(f"{n % 7}/plain{n}.html", "1", ("other.css",)) for n in range(300)]
    changed: dict[str, tuple[Artifact, Artifact | None]] = {a.key: (a, page(a.key, "2", ("app.css",))) for a in styled}
    assert choose(changed, [*styled, *plain], 20) == ((f"#{name_tag('asset', '/app.css')}",), 0)


def test_what_counts_are_the_tags_that_edges_hold() -> None:
    """Not those of the new release, and of several copies that may be held only what all of them carry."""
    before, after = page("a.html", "1", ("old.css",)), page("a.html", "2", ("new.css",))
    assert name_tag("asset", "/old.css") in held_tags([Shown(Key("a.html"), (before,), after)], {})[Key("a.html")]
    both = held_tags([Shown(Key("a.html"), (before, page("a.html", "3", is_tagged=False)), after)], {})
    assert both[Key("a.html")] == frozenset()


def test_tags_alone_are_no_reason_to_invalidate() -> None:
    untagged, tagged = page("a.html", is_tagged=False), page("a.html")
    assert choose({"a.html": (untagged, tagged)}, [untagged], None) == ((), 0)
    assert choose({"a.html": (untagged, page("a.html", "2"))}, [untagged], None) == (("/a.html",), 0)


@given(st.lists(st.tuples(st.sampled_from("12"), st.sets(st.sampled_from("xyz"), min_size=1), st.booleans()), min_size=1, max_size=8))
def test_the_live_manifest_knows_no_tag_that_a_held_copy_lacks(wishes: list[tuple[str, set[str], bool]]) -> None:
    """Of each run its page's body, its assets, and whether it finished: all copies since the last eviction may be held."""
    held: list[Artifact] = []
    live, pending = Manifest(), []
    for body, assets, finishes in wishes:
        wanted = Manifest({Key("a.html"): page("a.html", body, tuple(assets))})
        settled = keep_tags(wanted, [manifest.artifacts.values() for manifest in (live, *pending)])
        after = settled.artifacts[Key("a.html")]
        held.append(after)
        if not finishes:
            pending.append(settled)
            continue
        if any(artifact.body != after.body for artifact in held):
            held = [after]
        live, pending = settled, []
        assert all(set(read_tags(after)) <= set(read_tags(copy)) for copy in held)


def test_tags_that_change_with_the_page_are_those_of_the_page() -> None:
    before, after = page("a.html", "1", ("old.css",)), page("a.html", "2", ("new.css",))
    wanted = Manifest({after.key: after})
    assert keep_tags(wanted, [[before]]) is wanted
    untagged = page("a.html", "2", is_tagged=False)
    assert keep_tags(wanted, [[untagged]]) is wanted, "switched on"
    without = Manifest({untagged.key: untagged})
    assert keep_tags(without, [[after]]) is without, "switched off"


def test_a_release_that_loses_tags_is_noticed() -> None:
    tagged, untagged = page("a.html"), page("a.html", is_tagged=False)
    assert loses_tags([Shown(Key("a.html"), (tagged,), untagged)])
    assert not loses_tags([Shown(Key("a.html"), (tagged,), None), Shown(Key("b.html"), (untagged,), tagged)])
    assert read_tags(untagged) == ()
