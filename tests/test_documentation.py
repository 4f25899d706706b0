"""The documentation is generated from the code, or tested against it: pages are up to date, commands exist, links lead somewhere."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from sitepub.cli import COMMANDS

REPOSITORY = Path(__file__).resolve().parent.parent
AT_THE_ROOT = ("README.md", "CONTRIBUTING.md", "SECURITY.md")
PAGES = [*(REPOSITORY / name for name in AT_THE_ROOT), *sorted((REPOSITORY / "docs").rglob("*.md"))]
COMMAND = re.compile(r"^sitepub ([a-z]+)\b((?: --?[a-zA-Z][a-z-]*)*)")
FENCED = re.compile(r"^\s*```.*?^\s*```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]+)?(?:#([^)\s]+))?\)")

PLANNED = {"up", "down"}
"""Commands that are named as ways out before they are there."""


@pytest.fixture(scope="module")
def errors_page() -> Iterator[ModuleType]:
    sys.path.insert(0, str(REPOSITORY / "docs"))
    try:
        import errors_page

        yield errors_page
    finally:
        sys.path.remove(str(REPOSITORY / "docs"))


def test_generated_pages_are_up_to_date() -> None:
    done = subprocess.run([sys.executable, "docs/generate.py", "--check"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_every_error_is_described_and_nothing_else(errors_page: ModuleType) -> None:
    assert errors_page.find_stale() == []


def test_no_error_has_a_code_that_the_page_can_not_see(errors_page: ModuleType) -> None:
    """Codes are words at the place where the error is made; the exceptions pass on what was made elsewhere."""
    seen = {each.code for each in errors_page.find_errors()}
    for path in sorted((REPOSITORY / "sitepub").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.endswith("Error") and node.args:
                code = node.args[0]
                if isinstance(code, ast.Constant) and len(node.args) > 1 and errors_page._error_class(node.func.id):
                    assert code.value in seen, f"{path}:{node.lineno}"
                elif errors_page._error_class(node.func.id):
                    assert node.func.id == "ConditionFailedError", f"{path}:{node.lineno}: the code is not a word"


def test_an_error_code_always_gives_the_same_exit_status(errors_page: ModuleType) -> None:
    statuses: dict[str, set[int]] = {}
    for each in errors_page.find_errors():
        statuses.setdefault(each.code, set()).add(int(each.status))
    # a source that changes before the first write is a matter of the environment, after it the run stopped part-way
    assert {code for code, found in statuses.items() if len(found) > 1} <= {"source-changed"}


def named_commands() -> list[tuple[str, str, str]]:
    found = []
    for page in PAGES:
        text = page.read_text("utf-8")
        code = [*re.findall(r"^\s*\$ (.*)$", text, re.MULTILINE), *re.findall(r"`([^`\n]+)`", FENCED.sub("", text))]
        found += [(page.name, name, options) for line in code for name, options in COMMAND.findall(line)]
    return found


def test_every_command_that_is_named_exists_with_its_options() -> None:
    import click

    from sitepub.cli import root

    context = click.Context(root)
    for page, name, options in named_commands():
        if name in PLANNED - COMMANDS.keys():
            continue
        command = root.get_command(context, name)
        assert command is not None, f"{page} names `sitepub {name}`"
        known = {option for parameter in command.params for option in parameter.opts} | {"--help", "--version"}
        assert set(options.split()) <= known, f"{page} names `sitepub {name}{options}`"


def test_the_readme_names_the_commands_that_start_someone_off() -> None:
    named = {name for page, name, _ in named_commands() if page == "README.md"}
    assert {"init", "plan", "publish", "status", "explain"} <= named


def test_make_targets_that_the_readme_names_exist() -> None:
    named = set(re.findall(r"`make ([a-z-]+)`|^\$ make ([a-z-]+)$", (REPOSITORY / "README.md").read_text("utf-8"), re.MULTILINE))
    makefile = (REPOSITORY / "Makefile").read_text("utf-8")
    wanted = {word for pair in named for word in pair if word}
    assert wanted
    assert {word for word in wanted if not re.search(rf"^{word}:", makefile, re.MULTILINE)} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text("utf-8")
    for target, anchor in LINK.findall(re.sub(r"`[^`]*`", "", text)):
        if target.startswith(("http://", "https://")):
            continue
        led = (page.parent / target).resolve() if target else page
        assert led.exists(), f"{page.name} links to {target}"
        if anchor and led.suffix == ".md":
            assert anchor in anchors(led.read_text("utf-8")), f"{page.name} links to {target}#{anchor}"


def anchors(text: str) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help(name: str) -> None:
    done = subprocess.run([sys.executable, "-m", "sitepub", name, "--help"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Usage: sitepub {name} ")
