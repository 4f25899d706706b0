"""`sitepub status`: what is live, pending, owed, and not yet published."""

from __future__ import annotations

import click

from sitepub.commands.options import Invocation, common_options
from sitepub.errors import ExitStatus


@click.command("status", short_help="what is live, what is pending or owed, what is not yet published")
@common_options
def command(invocation: Invocation) -> int:
    """Shows the live release, unpublished commits, and what is pending or owed. Writes nothing."""
    from sitepub import looking, report

    seen = looking.look(invocation.folder, invocation.config, invocation.target, invocation.environment)
    invocation.say(report.warnings_as_text(seen.warnings))
    invocation.answer(
        report.status_as_text(seen.target, seen.store, seen.state, seen.unpublished, seen.quota),
        lambda: report.status_as_json(seen.target, seen.state, seen.unpublished, seen.quota),
    )
    return ExitStatus.FINE
