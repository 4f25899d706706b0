"""Where the user is and what comes next, as text and JSON. Returns strings, prints nothing."""

from __future__ import annotations

from sitepub.orienting import Orientation
from sitepub.report_json import to_json

HELP = ("sitepub --help", "names all commands; `sitepub COMMAND --help` shows the options of one")


def orientation_as_text(orientation: Orientation, version: str) -> str:
    steps = [*((step.command, step.does) for step in orientation.steps), HELP]
    width = max(len(command) for command, _ in steps)
    told = [f"  {command:<{width}}  {does}" if command else f"  {does}" for command, does in steps]
    return "\n".join([f"sitepub {version} in {orientation.folder}", *orientation.facts, "next:", *told])


def orientation_as_json(orientation: Orientation, version: str) -> str:
    return to_json(
        {
            "version": version,
            "folder": str(orientation.folder),
            "config": str(orientation.config) if orientation.config else None,
            "target": orientation.target,
            "facts": list(orientation.facts),
            "next": [{"command": step.command or None, "does": step.does} for step in orientation.steps],
        }
    )
