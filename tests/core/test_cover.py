"""The cover against every possible one in small cases, and its limits in larger ones."""

from __future__ import annotations

import random
from itertools import product

import pytest

from sitepub.core import antichain
from sitepub.core.antichain import Branches, choose_branches, make_branches
from sitepub.invalidation import Cover, cover
from tests.core.cover_oracle import Case, find_best, make_case, reach, weigh_needless


def run(case: Case) -> Cover:
    return cover(case.changed, case.live, max_items=case.max_items, max_wildcards=case.max_wildcards, tags=case.tags)


def check_soundness(case: Case, found: Cover) -> None:
    """It covers, keeps to the limits, and says what it costs."""
    assert case.changed <= frozenset[str]().union(*(reach(item, case) for item in found.items))
    assert len(found.items) <= case.max_items
    assert sum(item.endswith("*") for item in found.items) <= case.max_wildcards
    assert found.collateral == weigh_needless(found.items, case)
    assert list(found.items) == sorted(set(found.items))


def test_prefixes_are_optimal_for_thousands_of_small_trees() -> None:
    folded = 0
    for seed in range(4000):
        case = make_case(seed, has_tags=False)
        found = run(case)
        check_soundness(case, found)
        collateral, items = find_best(case)
        assert found.collateral == collateral, seed
        if case.max_items < len(case.changed):
            folded += collateral > 0
            assert len(found.items) == items, seed
    assert folded > 500


def test_tags_are_as_good_as_the_best_for_thousands_of_small_trees() -> None:
    ratios, tagged = list[float](), 0
    for seed in range(4000):
        case = make_case(seed, has_tags=True)
        found = run(case)
        check_soundness(case, found)
        ratios.append((found.collateral + 1) / (find_best(case)[0] + 1))
        tagged += any(item.startswith("#") for item in found.items)
    assert max(ratios) <= 1.5
    assert sum(ratios) / len(ratios) <= 1.1
    assert tagged > 500


def test_tags_stay_good_when_not_all_sets_of_them_can_be_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """With so few tries the greedy sequence and its improvement decide alone."""
    monkeypatch.setattr("sitepub.core.tag_choice._MOST_TRIES", 12)
    ratios = list[float]()
    for seed in range(1500):
        case = make_case(seed, has_tags=True)
        found = run(case)
        check_soundness(case, found)
        ratios.append((found.collateral + 1) / (find_best(case)[0] + 1))
    assert sum(ratios) / len(ratios) <= 1.1


def test_branches_are_optimal_for_random_forests_with_forced_ones() -> None:
    solved = 0
    for seed in range(800):
        branches, saving, limit = make_forest(random.Random(seed))
        taken = choose_branches(branches, saving=saving, limit=limit)
        best = try_all_branches(branches, saving, limit)
        assert (None if taken is None else rank(branches, taken)) == best, seed
        solved += taken is not None
    assert solved > 300


def test_a_search_that_is_cut_short_still_covers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(antichain, "_LABELS", 5)
    monkeypatch.setattr(antichain, "_FEW", 1)
    for seed in range(200):
        branches, saving, limit = make_forest(random.Random(seed))
        taken, best = choose_branches(branches, saving=saving, limit=limit), try_all_branches(branches, saving, limit)
        assert (taken is None) == (best is None)
        if taken is not None and best is not None:
            assert is_allowed(branches, taken, saving, limit)


def make_forest(chance: random.Random) -> tuple[Branches, int, int]:
    ends, savings, costs, forced = list[int](), list[int](), list[float](), list[bool]()

    def grow(depth: int) -> int:
        """One branch with its subtree; what it saves is at least what lies below."""
        place = len(ends)
        ends.append(0)
        savings.append(0)
        costs.append(0.0)
        forced.append(depth > 0 and chance.random() < 0.1)
        below = sum(grow(depth + 1) for _ in range(chance.choice((0, 0, 1, 2, 3)))) if depth < 3 and len(ends) < 7 else 0
        ends[place] = len(ends)
        savings[place] = max(-1, below + chance.randint(-1, 3))
        costs[place] = float(chance.choice((0, 1, 2, 3, 5, 9)))
        return savings[place] + 1

    while len(ends) < 5:
        grow(0)
    return make_branches(ends, savings, costs, forced), chance.randint(0, max(1, sum(savings) // 2)), chance.choice((1, 2, 3, 15))


def is_allowed(branches: Branches, taken: tuple[int, ...], saving: int, limit: int) -> bool:
    index, left = 0, set(taken)
    while index < len(branches):
        if index in left:
            left.discard(index)
            index = branches.ends[index]
        elif branches.forced[index]:
            return False
        else:
            index += 1
    return not left and len(taken) <= limit and sum(branches.savings[i] for i in taken) >= saving


def rank(branches: Branches, taken: tuple[int, ...]) -> tuple[float, int, int]:
    return sum(branches.costs[i] for i in taken), -sum(branches.savings[i] for i in taken), len(taken)


def try_all_branches(branches: Branches, saving: int, limit: int) -> tuple[float, int, int] | None:
    choices = (tuple(index for index, is_taken in enumerate(choice) if is_taken) for choice in product((False, True), repeat=len(branches)))
    return min((rank(branches, taken) for taken in choices if is_allowed(branches, taken, saving, limit)), default=None)


LIVE = {"/": 1.0, "/a/1": 1.0, "/a/2": 1.0, "/a/3": 5.0, "/b/1": 1.0, "/b/2": 1.0, "/c": 9.0}


def test_enough_items_mean_exact_ones() -> None:
    assert cover({"/a/1", "/a/2"}, LIVE, max_items=2) == Cover(("/a/1", "/a/2"), 0.0)


def test_too_few_items_fold_where_least_is_evicted() -> None:
    assert cover({"/a/1", "/a/2", "/b/1", "/b/2"}, LIVE, max_items=3) == Cover(("/a/1", "/a/2", "/b/*"), 0.0)
    assert cover({"/a/1", "/a/2", "/b/1", "/b/2"}, LIVE, max_items=2) == Cover(("/a/*", "/b/*"), 5.0)
    assert cover({"/a/1", "/b/1", "/c"}, LIVE, max_items=1) == Cover(("/*",), 8.0)


def test_a_wildcard_is_cut_at_any_character_but_inside_an_escape() -> None:
    assert cover({"/post-1", "/post-2"}, {"/p": 1.0}, max_items=1).items == ("/post-*",)
    assert cover({"/x%C3%A4", "/x%C3%B6"}, {"/y": 1.0}, max_items=1).items == ("/x%C3*",)
    assert cover({"/x%C3", "/x%CF"}, {"/y": 1.0}, max_items=1).items == ("/x*",)
    assert cover({"/x%C3", "/x%B4"}, {"/y": 1.0}, max_items=1).items == ("/x*",)


def test_a_tag_may_evict_less_than_any_prefix() -> None:
    found = cover({"/a/1", "/b/1"}, LIVE, max_items=1, tags={"ones": ["/a/1", "/b/1"], "all": list(LIVE)})
    assert found == Cover(("#ones",), 0.0)


def test_tags_and_prefixes_share_the_work() -> None:
    changed = {"/a/1", "/c", "/b/1", "/b/2"}
    found = cover(changed, LIVE, max_items=2, tags={"odd": ["/a/1", "/c"], "b": ["/b/1", "/a/3"]})
    assert found == Cover(("#odd", "/b/*"), 0.0)


def test_what_two_items_evict_counts_once() -> None:
    found = cover(
        {"/a/1", "/b/1", "/c"}, LIVE, max_items=2, max_wildcards=0, tags={"s": ["/a/1", "/b/1", "/a/3"], "t": ["/c", "/a/3", "/b/1"]}
    )
    assert found.collateral == 5.0


def test_a_path_without_an_exact_item_is_covered_at_its_stem() -> None:
    found = cover({"/a/x~1", "/b/1"}, {**LIVE, "/a/xyz": 2.0}, max_items=5, stems={"/a/x~1": "/a/x"})
    assert found == Cover(("/a/x*", "/b/1"), 2.0)
    assert cover({"/a*b", "/a/1"}, LIVE, max_items=5).items == ("/a*",)


def test_too_many_stems_for_the_wildcards_share_one() -> None:
    stems = {f"/{letter}/~": f"/{letter}/" for letter in "abc"}
    found = cover(set(stems), LIVE, max_items=3, max_wildcards=2, stems=stems)
    assert found == Cover(("/*",), sum(LIVE.values()))


def test_a_tag_saves_a_path_without_an_exact_item_from_its_prefix() -> None:
    found = cover({"/a/~"}, LIVE, max_items=1, stems={"/a/~": "/a/"}, tags={"self": ["/a/~"]})
    assert found == Cover(("#self",), 0.0)


def test_the_same_question_has_the_same_answer_in_any_order() -> None:
    for seed in range(200):
        case = make_case(seed, has_tags=True)
        backwards = Case(
            frozenset(sorted(case.changed, reverse=True)),
            dict(reversed(case.live.items())),
            case.max_items,
            case.max_wildcards,
            {tag: list(reversed(list(paths))) for tag, paths in reversed(case.tags.items())},
        )
        assert run(case) == run(backwards)


@pytest.mark.parametrize(
    ("changed", "max_items", "max_wildcards"), [({"/a"}, 0, 15), ({"/a", "/b"}, 1, 0), ({"a"}, 1, 15)], ids=["items", "wildcards", "path"]
)
def test_what_cannot_be_covered_is_an_error(changed: set[str], max_items: int, max_wildcards: int) -> None:
    with pytest.raises(ValueError, match=r"can't cover|no URL path"):
        cover(changed, LIVE, max_items=max_items, max_wildcards=max_wildcards)


def test_nothing_changed_needs_nothing() -> None:
    assert cover((), LIVE, max_items=0) == Cover((), 0.0)


def test_deep_paths_need_no_recursion() -> None:
    changed = {"/" + "a" * size for size in range(1, 3000)}
    assert cover(changed, dict.fromkeys(changed, 1.0), max_items=1).items == ("/a*",)


FLAT = [f"/f/{number:04}.html" for number in range(1500)]
CHAIN = ["/" + "a/" * depth + "x" for depth in range(300)]
ODD = [f"/{name}{number}" for name in ("é", "a%C3%A9", "b~", "c d", "e'\"", "f#?", "g+", "☃") for number in range(20)]
HOSTILE = {
    "one flat folder": Case(frozenset(FLAT[::7]), dict.fromkeys(FLAT, 1.0), 40, 15),
    "one flat folder, nearly enough": Case(frozenset(FLAT[::7]), dict.fromkeys(FLAT, 1.0), 212, 15),
    "a chain": Case(frozenset(CHAIN[::2]), dict.fromkeys(CHAIN, 1.0), 9, 3),
    "all changed": Case(frozenset(FLAT), dict.fromkeys(FLAT, 1.0), 3, 15),
    "nothing live": Case(frozenset(FLAT), {}, 2, 15),
    "no weights": Case(frozenset(FLAT[::7]), dict.fromkeys(FLAT, 0.0), 2, 15),
    "one item": Case(frozenset(FLAT[1::7]), dict.fromkeys(FLAT, 1.0), 1, 15),
    "no wildcards": Case(frozenset(FLAT[::3]), dict.fromkeys(FLAT, 1.0), 2, 0, {"third": FLAT[::3], "half": FLAT[::2]}),
    "odd characters": Case(frozenset(ODD[::2]), dict.fromkeys(ODD, 1.0), 12, 15),
}


@pytest.mark.parametrize("case", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_shapes_are_covered_within_the_limits(case: Case) -> None:
    check_soundness(case, run(case))


def test_what_hostile_shapes_cost_where_it_can_be_told_without_a_search() -> None:
    cost = {name: run(case).collateral for name, case in HOSTILE.items()}
    # each of the three items saved is a decade with two changed files in it
    assert cost["one flat folder, nearly enough"] == 3 * 8
    # eight exact ones, and a wildcard from the ninth on: half of what lies below changed
    assert cost["a chain"] == 150 - 8
    assert cost["one item"] == len(FLAT) - len(FLAT[1::7])
    assert [cost[name] for name in ("all changed", "nothing live", "no weights", "no wildcards")] == [0.0] * 4
