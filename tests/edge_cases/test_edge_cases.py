"""Every edge case that sitepub answers for, each exactly once: the table is in the other files of this folder, a file a group."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.edge_cases import (
    a_html_tokens,
    b_html_elements,
    c_urls,
    d_css,
    e_javascript,
    f_xml_and_json,
    g_names,
    h_what_follows,
)
from tests.edge_cases.table import Case

ROWS = (
    *a_html_tokens.ROWS,
    *b_html_elements.ROWS,
    *c_urls.ROWS,
    *d_css.ROWS,
    *e_javascript.ROWS,
    *f_xml_and_json.ROWS,
    *g_names.ROWS,
    *h_what_follows.ROWS,
)
LIST = {"A": 25, "B": 33, "C": 19, "D": 17, "E": 29, "F": 14, "G": 19, "H": 15}
"""How many rows each group has: 171."""


def test_every_row_of_the_list_is_there_exactly_once_and_in_order() -> None:
    assert [row.id for row in ROWS] == [f"{group}{number}" for group, count in LIST.items() for number in range(1, count + 1)]
    assert all(row.cases for row in ROWS)


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=f"{row.id} {row.sentence}: {sentence}") for row in ROWS for sentence, case in row.cases.items()]
)
def test_row(case: Case, tmp_path: Path) -> None:
    case.check(tmp_path)
