"""`sitepub` without a command: where the user is, and what comes next."""

from __future__ import annotations

import click

from sitepub.commands.options import Invocation, common_options
from sitepub.errors import ExitStatus


@click.command("here", hidden=True)
@common_options
def command(invocation: Invocation) -> int:
    """Says where you are and what to do next. Asks no server."""
    from sitepub import __version__
    from sitepub.orienting import orient
    from sitepub.report_orientation import orientation_as_json, orientation_as_text

    seen = orient(invocation.folder, invocation.config, invocation.target, invocation.environment)
    invocation.answer(orientation_as_text(seen, __version__), lambda: orientation_as_json(seen, __version__))
    return ExitStatus.FINE
