"""Files of npm packages that were not written here: installed by tests/get_sites, or found in the folder that SITEPUB_TEST_SITES names."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

_SITES = Path(__file__).parents[1] / ".sites" / "npm"


def find_package(name: str, version: str | None = None) -> Path:
    """The folder of an installed package; skips the test, by name, where there is none or another version."""
    root = Path(os.environ.get("SITEPUB_TEST_SITES") or _SITES)
    for folder in (root / "node_modules" / name, root / name):
        description = folder / "package.json"
        if not description.is_file():
            continue
        found = json.loads(description.read_text())["version"]
        if version in (None, found):
            return folder
        pytest.skip(f"{name} {version} is not installed, but {found} is: run tests/get_sites")
    pytest.skip(f"{name} is not installed: run tests/get_sites")


def walk_files(folder: Path, *endings: str) -> Iterator[Path]:
    """All files of a package with these endings, in order, without the packages inside it."""
    for path in sorted(folder.rglob("*")):
        if path.name.endswith(endings) and path.is_file() and "node_modules" not in path.relative_to(folder).parts:
            yield path
