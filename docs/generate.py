"""Writes the pages of docs/ that follow from the code: `python docs/generate.py`; `--check` says which are out of date, and writes nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cli_page import render_cli
from configuration_page import render_configuration
from errors_page import render_errors

FOLDER = Path(__file__).resolve().parent
PAGES: Mapping[str, Callable[[], str]] = MappingProxyType(
    {"cli.md": render_cli, "configuration.md": render_configuration, "errors.md": render_errors}
)


def find_outdated() -> list[str]:
    return [name for name, render in PAGES.items() if not (FOLDER / name).is_file() or (FOLDER / name).read_text("utf-8") != render()]


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--check"]):
        print("usage: python docs/generate.py [--check]", file=sys.stderr)
        return 2
    outdated = find_outdated()
    for name in outdated:
        print(f"docs/{name}{' is out of date, run `python docs/generate.py`' if arguments else ''}")
        if not arguments:
            (FOLDER / name).write_text(PAGES[name](), "utf-8")
    return 1 if arguments and outdated else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
