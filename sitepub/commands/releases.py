"""`sitepub releases`: the history, newest first."""

from __future__ import annotations

import click

from sitepub.commands.options import Invocation, common_options
from sitepub.errors import ExitStatus


@click.command("releases", short_help="the history, newest first")
@common_options
def command(invocation: Invocation) -> int:
    """Lists the releases that the target keeps, newest first; the live one is marked."""
    from sitepub import report, wiring

    request = invocation.read_request()
    sight = wiring.look_at_target(request.config, request.target, invocation.environment)
    state = sight.releases.read_state().state
    invocation.answer(report.releases_as_text(state, sight.store.describe()), lambda: report.releases_as_json(state))
    return ExitStatus.FINE
