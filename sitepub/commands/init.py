"""`sitepub init`: look at the folder and write a commented sitepub.yaml, or a workflow; never over an existing one."""

from __future__ import annotations

from pathlib import Path

import click

from sitepub.commands.options import Invocation, common_options, writing_options
from sitepub.core.workflows import WORKFLOW_PATHS, Ci
from sitepub.errors import ConfigurationError, ExitStatus


@click.command("init", short_help="look at this folder and write a commented sitepub.yaml")
@common_options
@writing_options
@click.option(
    "--ci",
    type=click.Choice([ci.value for ci in Ci]),
    help="Write a workflow that plans and previews pull requests, and publishes the branch.",
)
def command(invocation: Invocation, dry_run: bool, yes: bool, ci: str | None) -> int:
    """Looks at what builds the site, where the output is and which git remote there is, and writes a commented sitepub.yaml, and a schema beside it
    by which editors complete and check it. With `--ci`, writes a workflow for the target of an existing one."""
    return _write_config(invocation, dry_run=dry_run) if ci is None else _write_workflow(invocation, Ci(ci), dry_run=dry_run)


def _write_config(invocation: Invocation, *, dry_run: bool) -> int:
    from sitepub.config_json_schema import FILE_NAME, read_shipped
    from sitepub.local.detection import detect, render_config, write_new
    from sitepub.report_json import to_json

    detected = detect(invocation.folder)
    text = render_config(detected)
    path = invocation.folder / (invocation.config or "sitepub.yaml")
    schema = path.with_name(FILE_NAME)
    if not dry_run:
        write_new(path, text)
        if not schema.exists():
            write_new(schema, read_shipped())
    for evidence in detected.evidence:
        invocation.say(f"found: {evidence}")
    told = text.rstrip() if dry_run else f"wrote `{path.name}`: look at it, then `sitepub plan` shows what would be published"
    document = {
        "path": str(path),
        "schema": str(schema),
        "dry_run": dry_run,
        "generator": detected.generator,
        "source": detected.source,
        "build": detected.build,
        "evidence": list(detected.evidence),
    }
    invocation.answer(told, lambda: to_json(document))
    return ExitStatus.FINE


def _write_workflow(invocation: Invocation, ci: Ci, *, dry_run: bool) -> int:
    from sitepub.core.workflows import write_workflow
    from sitepub.hooking import describe_workflow, require_checkout
    from sitepub.local.detection import write_new
    from sitepub.report_json import to_json

    request = invocation.read_request()
    checkout = require_checkout(request.config.path.parent)
    text = write_workflow(ci, describe_workflow(checkout, request.config, request.target))
    path = checkout.root / WORKFLOW_PATHS[ci]
    if not dry_run:
        _make_folder(path.parent)
        write_new(path, text)
    told = text.rstrip() if dry_run else f"wrote `{path.relative_to(checkout.root)}`: its first lines say which three roles it needs"
    invocation.answer(told, lambda: to_json({"path": str(path), "dry_run": dry_run}))
    return ExitStatus.FINE


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as failure:
        message = f"the folder `{folder}` can't be made: {failure.strerror or failure}"
        raise ConfigurationError("unwritable", message, "mend the mode of the folder above, or move away what stands there") from None
