"""Thousands of changes in a few lines: nothing is lost, nothing is told twice, and the largest fold is opened first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sitepub.core.change_folding import fold_changes
from sitepub.report_account import account_as_text
from tests.support.accounts import make_account, make_changes


@given(st.integers(0, 300), st.integers(1, 40))
def test_every_change_stands_in_one_fold_that_is_true_of_it(number: int, most: int) -> None:
    changes = make_changes(number)
    folds = fold_changes(changes, most=most)
    assert sorted(change.key for fold in folds for change in fold.changes) == sorted(change.key for change in changes)
    for fold in folds:
        assert all(change.key.startswith(fold.folder) and change.reason == fold.reason for change in fold.changes)
    reasons = len({(fold.mark, fold.reason) for fold in folds})
    assert len(folds) <= max(most, reasons)


def test_thirty_thousand_changes_fit_on_a_screen() -> None:
    told = account_as_text(make_account(30_000)).splitlines()
    assert len(told) < 30
    assert "  ~ blog/2024/…       3,428 files  content changed  15.4 MB" in told
    assert "  + img/…             3,000 files  new  315 MB" in told
    assert "    30,000 changes in all; `-v` names each" in told


def test_three_changes_are_named() -> None:
    told = account_as_text(make_account(3))
    assert "  - blog/2025/old-00001.html" in told and "in all" not in told


def test_a_fold_of_one_is_that_change() -> None:
    told = account_as_text(make_account(45))
    assert "  - old-00041.html                          no longer in the site\n" in told
