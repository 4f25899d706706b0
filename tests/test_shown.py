"""Pages show only what is there: each command is run by a test or known, output stands only where it is compared, settings are read, files exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml

from sitepub.cli import COMMANDS
from sitepub.config import parse_config
from tests.support.console import Typed, read_page

REPOSITORY = Path(__file__).resolve().parents[1]
DOCS = REPOSITORY / "docs"
PAGES = [*(REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")), *sorted(DOCS.rglob("*.md"))]
PERFORMED = {DOCS / "tutorial.md", *(DOCS / "guide").glob("*.md"), *(DOCS / "migrate").glob("[!i]*.md")}
"""By tests/test_guide.py and tests/commands/test_migrating.py."""

OF_OTHERS = {"routes"}
"""Top-level keys of files of other tools, which are shown beside ours."""

BLOCK = re.compile(r"^( *)```([^\n`]*)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
PLACE = re.compile(r"(?!docs/.*(?:html|/$))(?:sitepub|tests|docs|benchmarks|examples)/[\w./-]+")
"""`docs/` and `docs/index.html` are those of a site."""

NOT_COMMITTED = {"examples/site/_published", "docs/_site", "docs/_published", "tests/.sites"}


def pages(*wanted: Path) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("page", wanted or PAGES, ids=lambda page: page.relative_to(REPOSITORY).as_posix())


def without_blocks(page: Path) -> str:
    return BLOCK.sub("", page.read_text("utf-8"))


def is_known(command: str) -> bool:
    """A command that no test of the pages runs is one whose program, and whose options, are there."""
    words = shlex.split(command.removeprefix(".venv/bin/"))
    match words:
        case ["make", target]:
            return re.search(rf"^{re.escape(target)}:", (REPOSITORY / "Makefile").read_text("utf-8"), re.MULTILINE) is not None
        case ["python", "-m", module, *_] if module.startswith("tests."):
            path = REPOSITORY / module.replace(".", "/")
            return path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()
        case ["python", "-m", "pytest", *rest] | ["pytest", *rest]:
            return are_tests(rest)
        case ["python", script, *options]:
            path = REPOSITORY / script
            return path.exists() and all(f'"{word}"' in path.read_text("utf-8") for word in options if word.startswith("--"))
        case ["sitepub", name, *_]:
            return name in COMMANDS
        case _:
            return False


def are_tests(words: list[str]) -> bool:
    """A file or folder of tests, with a choice among them that it knows."""
    options = {"-n": "", "-m": "", "-k": ""}
    while len(words) > 1 and words[0] in options:
        options[words[0]], words = words[1], words[2:]
    place, *rest = words
    if rest[:1] == ["-k"]:
        options["-k"], rest = rest[1], rest[2:]
    texts = [
        path.read_text("utf-8") for path in ([REPOSITORY / place] if place.endswith(".py") else (REPOSITORY / place).rglob("test_*.py"))
    ]
    is_without, marker = options["-m"].startswith("not "), options["-m"].removeprefix("not ")
    if marker and f'"{marker}: ' not in (REPOSITORY / "pyproject.toml").read_text("utf-8"):
        return False
    marker = f"mark.{marker}" if marker and not is_without else ""
    return not rest and any(marker in text and options["-k"] in text for text in texts)


@pages()
def test_commands_stand_in_blocks_that_are_read(page: Path) -> None:
    strays = [
        language
        for _, language, body in BLOCK.findall(page.read_text("utf-8"))
        if language != "console" and re.search(r"^\s*\$ ", body, re.MULTILINE)
    ]
    assert strays == [], "a block with `$ ` is a block of `console`"


@pages(*(page for page in PAGES if page not in PERFORMED))
def test_what_is_not_performed_is_known_and_shows_no_output(page: Path) -> None:
    typed = [step for step in read_page(page.read_text("utf-8")) if isinstance(step, Typed)]
    assert [step.command for step in typed if not is_known(step.command)] == []
    assert [step.command for step in typed if step.told] == [], "output stands only where a test compares it"


@pages()
def test_programs_that_a_page_names_are_there(page: Path) -> None:
    named = [code for code in CODE.findall(without_blocks(page)) if re.match(r"(?:make|pytest|(?:\.venv/bin/)?python) [\w./-]", code)]
    assert [code for code in named if not is_known(code)] == []


@pages()
def test_files_that_a_page_names_are_there(page: Path) -> None:
    named = [code for code in CODE.findall(without_blocks(page)) if PLACE.fullmatch(code)]
    assert [name for name in named if name not in NOT_COMMITTED and not (REPOSITORY / name).exists()] == []


def test_files_that_the_architecture_names_are_there() -> None:
    """By their room, or beside the pipeline."""
    named = re.findall(r"`(\w+\*?\.py)`", (REPOSITORY / "CONTRIBUTING.md").read_text("utf-8"))
    assert len(named) > 10
    assert [name for name in named if not [*(REPOSITORY / "sitepub").glob(name), *(REPOSITORY / "sitepub/core").glob(name)]] == []


def test_the_first_change_is_still_to_be_made() -> None:
    from sitepub.core.media_types import UNKNOWN, media_type_of

    page = (REPOSITORY / "CONTRIBUTING.md").read_text("utf-8")
    ((path, wanted),) = re.findall(r'`\("(\S+)", "(\S+)"\)`', page)
    assert media_type_of(path) == UNKNOWN != wanted, "take another file name for the walk through a first change"


@pages(*(page for page in PAGES if "```yaml" in page.read_text("utf-8")))
def test_settings_that_a_page_shows_are_read(page: Path, tmp_path: Path) -> None:
    for indent, language, body in BLOCK.findall(page.read_text("utf-8")):
        shown = yaml.safe_load(body.replace(f"\n{indent}", "\n").removeprefix(indent)) if language.startswith("yaml") else {}
        if shown and not OF_OTHERS & shown.keys():
            whole = {"source": "public", "targets": {"local": {"store": "file:_published"}}, **shown}
            parse_config(yaml.safe_dump(whole), tmp_path / "sitepub.yaml", {})


def test_decisions_have_numbers_of_their_own() -> None:
    numbers = [path.name[:4] for path in (DOCS / "decisions").glob("0*.md")]
    assert len(numbers) == len(set(numbers)) > 3
    for path in (DOCS / "decisions").glob("0*.md"):
        assert path.read_text("utf-8").startswith(f"# {int(path.name[:4])}. "), path.name
