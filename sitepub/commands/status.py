"""`sitepub status`: what is live, pending, owed, and not yet published; how the distribution stands."""

from __future__ import annotations

import click

from sitepub.commands.options import Invocation, common_options
from sitepub.errors import ExitStatus


@click.command("status", short_help="what is live, what is pending or owed, what is not yet published")
@common_options
@click.option("--all", "lists_all", is_flag=True, help="List all distributions of the account instead, with state and domains.")
def command(invocation: Invocation, lists_all: bool) -> int:
    """Shows the live release, unpublished commits, what is pending or owed, and how the distribution stands: invalidations in progress,
    certificate, names, what differs from sitepub.yaml. Writes nothing."""
    from sitepub import looking, looking_distribution, report
    from sitepub.commands.progress import NoProgress

    where = (invocation.folder, invocation.config, invocation.target, invocation.environment)
    if lists_all:
        target, listed = looking_distribution.list_distributions(*where)
        invocation.answer(report.distributions_as_text(listed), lambda: report.distributions_as_json(target, listed))
        return ExitStatus.FINE
    seen = looking.look(*where, NoProgress())
    invocation.say(report.warnings_as_text(seen.warnings))
    lines = report.whereabouts_as_lines(seen.distribution, seen.now) if seen.distribution else ()
    invocation.answer(
        report.status_as_text(seen.target, seen.store, seen.state, seen.unpublished, seen.quota, lines),
        lambda: report.status_as_json(seen.target, seen.state, seen.unpublished, seen.quota, seen.distribution),
    )
    return ExitStatus.FINE
