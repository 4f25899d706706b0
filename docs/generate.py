"""Writes what follows from the code, pages of docs/ and the editors' schema: `python docs/generate.py`; `--check` says which are out of date, and writes nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cli_page import render_cli
from configuration_page import render_configuration
from errors_page import render_errors

from sitepub.config_json_schema import render_json_schema

FOLDER = Path(__file__).resolve().parent.parent
PAGES: Mapping[str, Callable[[], str]] = MappingProxyType(
    {
        "docs/cli.md": render_cli,
        "docs/configuration.md": render_configuration,
        "docs/errors.md": render_errors,
        "sitepub/sitepub.schema.json": render_json_schema,
    }
)


def find_outdated() -> list[str]:
    return [name for name, render in PAGES.items() if not (FOLDER / name).is_file() or (FOLDER / name).read_text("utf-8") != render()]


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--check"]):
        print("usage: python docs/generate.py [--check]", file=sys.stderr)
        return 2
    outdated = find_outdated()
    for name in outdated:
        print(f"{name}{' is out of date, run `python docs/generate.py`' if arguments else ''}")
        if not arguments:
            (FOLDER / name).write_text(PAGES[name](), "utf-8")
    return 1 if arguments and outdated else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
