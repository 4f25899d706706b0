"""`sitepub doctor`: look at all that a publish needs; each finding with its way out."""

from __future__ import annotations

import click

from sitepub.commands.options import Invocation, common_options
from sitepub.errors import ExitStatus


@click.command("doctor", short_help="look at all that a publish needs; each finding with its way out")
@common_options
def command(invocation: Invocation) -> int:
    """Checks configuration, source, git, hooks, credentials, target, distribution and the site as served. Writes nothing. Exits with 6 where there is
    a problem; notes are worth knowing and no problem."""
    from sitepub import report_findings
    from sitepub.checkup import check_up
    from sitepub.checkup_remarks import Severity

    remarks = check_up(invocation.folder, invocation.config, invocation.target, invocation.environment)
    invocation.answer(report_findings.checkup_as_text(remarks), lambda: report_findings.checkup_as_json(remarks))
    return ExitStatus.FINDINGS if any(remark.severity is Severity.PROBLEM for remark in remarks) else ExitStatus.FINE
