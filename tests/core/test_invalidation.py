"""What is invalidated, and above all what is not."""

from __future__ import annotations

import pytest

from sitepub.core.invalidation import shared_seconds
from sitepub.core.invalidation_paths import Routing
from sitepub.core.model import Artifact, Digest, FileClass, HeaderSet, Key
from sitepub.core.plan import Shown
from sitepub.invalidation import InvalidationPlan, caller_reference, choose_invalidation, price_usd

LONG = "public, max-age=0, s-maxage=86400, must-revalidate"
EVER = "public, max-age=31536000, immutable"


def make(key: str, body: str = "1", *, of: FileClass = FileClass.ENTRY, cache: str | None = LONG, **more: str) -> Artifact:
    headers = {"Content-Type": "text/html", **more, **({"Cache-Control": cache} if cache is not None else {})}
    return Artifact(Key(key), of, Digest(body * 64), 1, tuple(sorted(headers.items())))


def change(key: str, *, of: FileClass = FileClass.ENTRY, cache: str | None = LONG) -> Shown:
    return Shown(Key(key), (make(key, "1", of=of, cache=cache),), make(key, "2", of=of, cache=cache))


def items_of(*shown: Shown) -> tuple[str, ...]:
    return choose_invalidation(shown, Routing()).items


def test_a_changed_page_goes_under_all_its_urls() -> None:
    assert items_of(change("docs/index.html"), change("index.html")) == ("/", "/docs/", "/docs/index.html", "/index.html")


def test_a_deleted_page_goes_too() -> None:
    assert items_of(Shown(Key("a.html"), (make("a.html"),), None)) == ("/a.html",)


def test_changed_headers_are_a_change() -> None:
    retyped = make("a.html", **{"Content-Language": "de"})
    assert items_of(Shown(Key("a.html"), (make("a.html"),), retyped)) == ("/a.html",)


def test_the_old_life_counts_not_the_new_one() -> None:
    long, short = make("a.html", "1"), make("a.html", "2", cache="max-age=10")
    assert items_of(Shown(Key("a.html"), (long,), short)) == ("/a.html",)
    assert items_of(Shown(Key("a.html"), (short,), long)) == ()


def test_any_content_that_edges_may_hold_counts() -> None:
    """After a run that died, the key may have shown either."""
    wanted = make("a.html", "3")
    assert items_of(Shown(Key("a.html"), (make("a.html", "2", cache="max-age=10"), make("a.html", "1")), wanted)) == ("/a.html",)
    assert items_of(Shown(Key("a.html"), (make("a.html", "2", cache="max-age=10"), wanted), wanted)) == ()


def test_what_the_distribution_keeps_whatever_its_headers_say_goes_too() -> None:
    seen = change("a.html", cache="no-store")
    assert choose_invalidation([seen], Routing(least_seconds=60)).items == ()
    assert choose_invalidation([seen], Routing(least_seconds=61)).items == ("/a.html",)


@pytest.mark.parametrize("of", [FileClass.REDIRECT, FileClass.PINNED])
def test_redirects_and_pinned_files_are_entries(of: FileClass) -> None:
    assert items_of(change("a.js", of=of)) == ("/a.js",)


def test_aliases_are_left_to_run_out() -> None:
    assert items_of(change("app.css", of=FileClass.ALIAS, cache="public, max-age=60, s-maxage=60")) == ()
    assert items_of(change("app.css", of=FileClass.ALIAS, cache=LONG)) == ()


def test_an_asset_goes_only_for_its_headers() -> None:
    before = make("app.123456.css", of=FileClass.ASSET, cache=EVER)
    after = make("app.123456.css", of=FileClass.ASSET, cache=EVER, **{"Content-Language": "de"})
    assert items_of(Shown(Key("app.123456.css"), (before,), before)) == ()
    assert items_of(Shown(Key("app.123456.css"), (before,), after)) == ("/app.123456.css",)


def test_a_frozen_name_with_new_bytes_is_refreshed() -> None:
    before = make("chunk.js", "1", of=FileClass.FROZEN, cache=EVER)
    assert items_of(Shown(Key("chunk.js"), (before,), make("chunk.js", "2"))) == ("/chunk.js",)


@pytest.mark.parametrize(
    ("cache", "seconds"),
    [
        ("public, max-age=0, s-maxage=86400, must-revalidate", 86400),
        ("max-age=30", 30),
        ("s-maxage=10, max-age=5000", 10),
        ('S-MaxAge="70"', 70),
        ("public, max-age=0, must-revalidate", 0),
        ("no-store", 0),
        ("no-cache, s-maxage=500", 0),
        ("private, max-age=500", 0),
        ("s-maxage=10, stale-while-revalidate=600", 610),
        ("public", 86400),
        ("max-age=soon", 86400),
        (None, 86400),
    ],
)
def test_how_long_edges_may_show_it(cache: str | None, seconds: float) -> None:
    headers: HeaderSet = () if cache is None else (("Cache-Control", cache),)
    assert shared_seconds(headers) == seconds


def test_a_minute_is_over_soon_and_more_is_not() -> None:
    assert items_of(change("a.html", cache="s-maxage=60")) == ()
    assert items_of(change("a.html", cache="s-maxage=61")) == ("/a.html",)


def test_nothing_shown_needs_nothing() -> None:
    assert choose_invalidation((), Routing()) == InvalidationPlan()


def test_a_page_that_answers_errors_with_200_is_everywhere() -> None:
    routing = Routing(error_pages=(("/index.html", 200),))
    live = [Key("index.html"), Key("about.html"), Key("app.123456.css")]
    plan = choose_invalidation([change("index.html")], routing, live=live)
    assert (plan.items, plan.collateral) == (("/*",), 2)
    assert choose_invalidation([change("about.html")], routing, live=live).items == ("/about.html",)


def test_a_long_lived_error_page_is_warned_of() -> None:
    routing = Routing(error_pages=(("/404.html", 404),))
    plan = choose_invalidation([change("404.html")], routing)
    assert plan.items == ("/404.html",)
    assert [warning.code for warning in plan.warnings] == ["error-page-cached"]
    short = choose_invalidation([change("404.html", cache="public, max-age=0, s-maxage=10")], routing)
    assert short == InvalidationPlan()


def test_an_odd_name_goes_by_the_prefix_before_its_oddity() -> None:
    live = [Key("runtime~main.js"), Key("runtime.js"), Key("a.html")]
    plan = choose_invalidation([change("runtime~main.js"), change("a.html")], Routing(), live=live)
    assert (plan.items, plan.collateral) == (("/a.html", "/runtime*"), 1)
    assert [warning.code for warning in plan.warnings] == ["odd-name-invalidated-by-prefix"]
    assert "`/runtime~main.js` is invalidated as `/runtime*`" in plan.warnings[0].message


def test_a_plus_is_named_among_what_makes_a_name_odd() -> None:
    plan = choose_invalidation([change("c++.html")], Routing())
    assert plan.items == ("/c*",)
    assert "`/c++.html` is invalidated as `/c*`: CloudFront can't invalidate a name with `~`, `+`," in plan.warnings[0].message


def test_an_odd_name_goes_by_its_tag_where_it_has_one() -> None:
    live = [Key("runtime~main.js"), Key("runtime.js")]
    plan = choose_invalidation([change("runtime~main.js")], Routing(), live=live, tags={"k1": [Key("runtime~main.js")]})
    assert (plan.items, plan.collateral, plan.warnings) == (("#k1",), 0, ())


def test_items_are_encoded_and_wildcards_keep_their_star() -> None:
    plan = choose_invalidation([change("é/it's.html"), change("ü[1].html")], Routing(url_path="/d/"))
    assert plan.items == ("/d/%C3%A9/it*", "/d/%C3%BC%5B1%5D.html")


def test_too_many_items_are_folded_at_the_least_cost() -> None:
    keys = [Key(f"{folder}/{number}.html") for folder in "ab" for number in range(3)]
    shown = [change(key) for key in keys if key != "b/2.html"]
    plan = choose_invalidation(shown, Routing(), live=[*keys, Key("b/9.html")], max_items=3)
    assert (plan.items, plan.collateral) == (("/a/*", "/b/0.html", "/b/1.html"), 0)
    plan = choose_invalidation(shown, Routing(), live=[*keys, Key("b/9.html")], max_items=2)
    assert (plan.items, plan.collateral) == (("/*",), 2)


def test_a_reference_is_made_of_what_is_sent() -> None:
    release = "20261123T181502Z-3f9ac2d1"
    one = caller_reference(release, 7, ("/", "/index.html"))
    assert one == caller_reference(release, 7, ("/index.html", "/"))
    assert one.isascii() and one.startswith(f"sitepub-7-{release}-")
    others = {caller_reference(release, 8, ("/", "/index.html")), caller_reference(release, 7, ("/",)), caller_reference("x", 7, ("/",))}
    assert len({one, *others}) == 4
    assert len(caller_reference("x" * 500, 10**12, ("/",))) <= 128


@pytest.mark.parametrize(
    ("used", "free", "items", "price"), [(0, 1000, 1000, 0.0), (0, 1000, 1800, 4.0), (999, 1000, 3, 0.01), (5000, 1000, 2, 0.01)]
)
def test_the_price_starts_above_the_free_paths(used: int, free: int, items: int, price: float) -> None:
    assert price_usd(used, free, items) == price


def test_more_odd_names_than_wildcards_share_one() -> None:
    shown = [change(f"{folder}/~") for folder in "abc"]
    live = [seen.key for seen in shown]
    assert choose_invalidation(shown, Routing(), live=live, max_wildcards=3).items == ("/a/*", "/b/*", "/c/*")
    assert choose_invalidation(shown, Routing(), live=live, max_wildcards=2).items == ("/*",)


def test_a_prefix_for_an_odd_name_takes_in_what_lies_under_it() -> None:
    plan = choose_invalidation([change("a/~"), change("a/b/~"), change("a/c.html")], Routing())
    assert plan.items == ("/a/*",)
    assert len(plan.warnings) == 2
