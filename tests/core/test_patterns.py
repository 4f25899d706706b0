"""Patterns mean what git makes of them: git itself is the oracle."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sitepub.core.patterns import compile_patterns
from sitepub.errors import ConfigurationError

PATHS = [
    "a.css",
    "x/a.css",
    "x/y/a.css",
    "x/b.js",
    "downloads/a.pdf",
    "x/downloads/a.pdf",
    "d#.txt",
    "sp ace.txt",
    "[x].txt",
    "!.txt",
    "x/.DS_Store",
    "deep/er/still/z",
]
LISTS = [
    ["*.css"],
    ["/a.css"],
    ["x/*.css"],
    ["x/**"],
    ["**/a.css"],
    ["x/**/a.css"],
    ["downloads/**"],
    ["downloads/"],
    ["downloads"],
    ["**/.DS_Store"],
    ["*.css", "!a.css"],
    ["*.css", "!/x/a.css", "x/y/*"],
    ["# comment", "", "b.js"],
    ["\\!.txt", "d\\#.txt"],
    ["\\[x\\].txt", "sp?ce.*"],
    ["[ab].[cj]s*"],
    ["deep/*/*/z"],
    ["nothing"],
]


@pytest.mark.parametrize("lines", LISTS, ids=lambda lines: " ".join(lines))
def test_patterns_match_as_git_ignores(tmp_path: Path, lines: list[str]) -> None:
    git = shutil.which("git")
    if git is None:
        pytest.skip("git is missing")
    subprocess.run([git, "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text("\n".join(lines) + "\n")
    answer = subprocess.run(
        [git, "-C", str(tmp_path), "-c", "core.excludesFile=/dev/null", "check-ignore", "--no-index", "-z", "--stdin"],
        input="\0".join(PATHS).encode(),
        capture_output=True,
        check=False,
    )
    ignored = answer.stdout.decode().split("\0")[:-1]
    patterns = compile_patterns(lines)
    assert [path for path in PATHS if patterns.matches(path)] == ignored


def test_the_last_pattern_decides_and_is_named() -> None:
    patterns = compile_patterns(["", "# styles", "*.css", "!a.css", "x/*"])
    assert patterns.find_decisive("b.css") == "*.css"
    assert patterns.find_decisive("a.css") is None
    assert patterns.find_decisive("x/a.css") == "x/*"
    assert patterns.find_decisive("b.js") is None


def test_a_file_comes_back_even_if_its_folder_matched() -> None:
    """Otherwise than in git, which never looks into an ignored folder: `*` and `!*.css` means all but stylesheets, wherever they are."""
    patterns = compile_patterns(["*", "!*.css"])
    assert [path for path in PATHS if not patterns.matches(path)] == ["a.css", "x/a.css", "x/y/a.css"]


def test_no_patterns_match_nothing_and_import_nothing() -> None:
    code = "import sys; from sitepub.core.patterns import compile_patterns as c; assert not c([]).matches('a'); assert 'pathspec' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("line", ["!", "a\\", "[z-a]"])
def test_what_is_no_pattern_is_named(line: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        compile_patterns(["*.css", line])
    assert (caught.value.code, caught.value.message) == ("bad-pattern", f"`{line}` is not a gitignore pattern")
