"""`sitepub schema`: the JSON Schema of sitepub.yaml, for editors."""

from __future__ import annotations

import click

from sitepub.commands.options import Invocation, common_options
from sitepub.errors import ExitStatus


@click.command("schema", short_help="print the JSON Schema of sitepub.yaml, for editors")
@common_options
def command(invocation: Invocation) -> int:
    """Prints the JSON Schema by which editors complete, explain and check sitepub.yaml. `init` writes it beside the file as `.sitepub.schema.json`;
    after an update of sitepub, `sitepub schema > .sitepub.schema.json` brings it up to date."""
    from sitepub.config_json_schema import read_shipped

    text = read_shipped().rstrip("\n")
    invocation.answer(text, lambda: text)
    return ExitStatus.FINE
