"""What git says of a work tree whose site is tracked."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from sitepub.local import lending
from sitepub.local.checkout import Checkout
from sitepub.local.lending import find_blobs

MANY = 50_000


def test_a_tracked_site_of_which_every_file_was_built_anew_is_looked_through_in_linear_time(monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [f"docs/page-{number}/index.html" for number in range(MANY)]
    answers = {"ls-files": [f"H 100644 {'1' * 40} 0\t{path}" for path in ["kept.html", *paths]], "diff-files": paths}
    monkeypatch.setattr(lending, "_ask_at", lambda checkout, root, command, *words: "".join(f"{line}\0" for line in answers[command]))
    monkeypatch.setattr(lending, "find_converted", lambda *_, **__: frozenset())
    before = time.process_time()
    assert find_blobs(Checkout(Path(), Path(), Path(), is_bare=False), Path()) == {"kept.html": "1" * 40}
    assert time.process_time() - before < 5
