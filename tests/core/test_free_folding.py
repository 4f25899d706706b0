"""Fewer items that evict just what exact ones would."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sitepub.core.free_folding import fold_freely

urls = st.text("ab/~", max_size=5).map(lambda text: f"/{text}")


def hits(items: tuple[str, ...], live: set[str], tags: dict[str, set[str]]) -> set[str]:
    found = set()
    for item in items:
        if item.startswith("#"):
            found |= tags[item[1:]]
        elif item.endswith("*"):
            found |= {url for url in live if url.startswith(item[:-1])}
        else:
            found.add(item)
    return found


@given(
    st.sets(urls, max_size=14), st.sets(urls, max_size=14), st.dictionaries(st.sampled_from("xyz"), st.sets(urls, max_size=5), max_size=3)
)
def test_what_is_folded_is_just_what_changed(changed: set[str], rest: set[str], tags: dict[str, set[str]]) -> None:
    live = changed | rest
    items = fold_freely(changed, live, tags, 15)
    if items is not None:
        assert hits(items, live, tags) == changed
        assert len(items) <= len(changed)
        assert not [item for item in items if "~" in item]


def test_whole_folders_and_tags_are_one_item_each() -> None:
    live = {f"/{folder}/{n}" for folder in "abc" for n in range(9)}
    changed = {url for url in live if url.startswith("/a") or url.endswith(("3", "4"))}
    assert set(fold_freely(changed, live, {}, 15) or ()) == {"/a/*", "/b/3", "/b/4", "/c/3", "/c/4"}
    tags = {"style": {"/b/3", "/b/4", "/c/3", "/c/4"}, "more": {"/b/3", "/b/5"}}
    assert set(fold_freely(changed, live, tags, 15) or ()) == {"/a/*", "#style"}
    assert set(fold_freely(live, live, tags, 15) or ()) == {"/*"}


def test_wildcards_stay_within_their_limit() -> None:
    live = {f"/{n:02d}/{page}" for n in range(20) for page in "ab"} | {f"/{n:02d}x" for n in range(20)}
    items = fold_freely({url for url in live if url.endswith(("a", "b"))}, live, {}, 15) or ()
    assert sum(item.endswith("*") for item in items) == 15
    assert len(items) == 15 + 10


def test_an_odd_name_needs_a_tag_or_a_prefix() -> None:
    assert fold_freely({"/a~b"}, {"/a~b", "/ac"}, {}, 15) is None
    assert fold_freely({"/a~b"}, {"/a~b", "/b"}, {}, 15) == ("/a*",)
    assert fold_freely({"/a~b"}, {"/a~b", "/ac"}, {"t": {"/a~b"}}, 15) == ("#t",)
