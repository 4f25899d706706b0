"""What the scanner finds in real scripts is what acorn found there (recorded by record_acorn.mjs), to the byte."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sitepub.core.references.javascript import scan_javascript
from sitepub.core.references.model import Scan, Use
from tests.support.packages import find_package

_TRUTH = json.loads((Path(__file__).parent / "fixtures" / "acorn.json").read_text())
_KINDS = {"import": "s", "export from": "s", "import()": "d", "import.meta.resolve": "r", "new URL": "u", "worker": "u"}
# What the scanner leaves out on purpose: specifiers of schemes that no file is fetched by, and URLs that a service worker is registered with.
_NOT_FILES = ("node:", "data:", "vscode:", "blob:")


@pytest.mark.parametrize("name", sorted(_TRUTH["packages"]))
def test_scanner_finds_what_acorn_finds(name: str) -> None:
    """Every literal specifier and located URL of each file, and nothing else."""
    package = _TRUTH["packages"][name]
    folder = find_package(name, package["version"])
    differences = {}
    for file, recorded in package["files"].items():
        body = (folder / file).read_bytes()
        expected = {one for one in recorded.split() if one[0] != "c" and not _is_left_out(body, one)}
        scan = scan_javascript(body)
        found = set(_spell(scan))
        if scan.problem is not None or found != expected:
            differences[file] = (scan.problem, sorted(found - expected)[:5], sorted(expected - found)[:5])
    assert differences == {}


@pytest.mark.parametrize("name", sorted(_TRUTH["packages"]))
def test_every_computed_import_is_a_pattern(name: str) -> None:
    """As many patterns as acorn found computed imports, counting equal ones on one line once."""
    package = _TRUTH["packages"][name]
    folder = find_package(name, package["version"])
    for file, recorded in package["files"].items():
        body = (folder / file).read_bytes()
        computed = [int(one[1:]) for one in recorded.split() if one[0] == "c"]
        lines = {body.count(b"\n", 0, offset) + 1 for offset in computed}
        assert {pattern.line for pattern in scan_javascript(body).patterns} >= lines, file


def _is_left_out(body: bytes, recorded: str) -> bool:
    start, end = map(int, recorded[1:].split("-"))
    return body[start:end].decode().startswith(_NOT_FILES)


def _spell(scan: Scan) -> list[str]:
    return [f"{_KINDS[one.how]}{one.start}-{one.end}" for one in scan.references if one.use is not Use.OPAQUE and one.how in _KINDS]
