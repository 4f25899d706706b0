"""`sitepub init`: look at the folder and write a commented sitepub.yaml, never over an existing one."""

from __future__ import annotations

import click

from sitepub.commands.options import Invocation, common_options, writing_options
from sitepub.errors import ExitStatus


@click.command("init", short_help="look at this folder and write a commented sitepub.yaml")
@common_options
@writing_options
def command(invocation: Invocation, dry_run: bool, yes: bool) -> int:
    """Looks at what builds the site, where the output is and which git remote there is, and writes a commented sitepub.yaml."""
    from sitepub.local.detection import detect, render_config, write_new
    from sitepub.report import to_json

    detected = detect(invocation.folder)
    text = render_config(detected)
    path = invocation.folder / (invocation.config or "sitepub.yaml")
    if not dry_run:
        write_new(path, text)
    for evidence in detected.evidence:
        invocation.say(f"found: {evidence}")
    told = text.rstrip() if dry_run else f"wrote `{path.name}`: look at it, then `sitepub plan` shows what would be published"
    document = {
        "path": str(path),
        "dry_run": dry_run,
        "generator": detected.generator,
        "source": detected.source,
        "build": detected.build,
        "evidence": list(detected.evidence),
    }
    invocation.answer(told, lambda: to_json(document))
    return ExitStatus.FINE
