"""`sitepub adopt`: take a target that another tool filled under management."""

from __future__ import annotations

import time

import click

from sitepub.commands.options import Invocation, common_options, lock_option, wait_option, writing_options
from sitepub.errors import ExitStatus
from sitepub.library import make_permits


@click.command("adopt", short_help="take a target that another tool filled under management")
@common_options
@writing_options
@click.option("--no-build", is_flag=True, help="Take the source as it is; do not run `build:`.")
@click.option("--allow-dirty", is_flag=True, help="Allow uncommitted changes.")
@wait_option
@lock_option
def command(invocation: Invocation, dry_run: bool, yes: bool, no_build: bool, allow_dirty: bool, wait: bool, lock_timeout: float) -> int:
    """Publishes over what `aws s3 sync`, s3deploy or a person put there: what is right already is not uploaded again, what is replaced is
    kept for `sitepub rollback`, and keys that the source does not have are left alone. Shows its plan and asks."""
    from sitepub import adopting, preparing, report, report_findings, wiring
    from sitepub.commands.asking import require_consent
    from sitepub.commands.progress import Closing, stop_drawing

    started = time.monotonic()
    permits = make_permits(("dirty",) if allow_dirty else ())
    request = invocation.read_request(permits=permits, build=not no_build, show_build=invocation.verbose)
    opened = wiring.open_target(request.config, request.target, invocation.environment)
    with Closing(invocation.progress()) as progress:
        prepared = preparing.prepare(request, opened.sight, progress)
        adoption = adopting.plan_adoption(prepared, opened.sight, progress, started=started)
        account = adoption.account
        if not dry_run:
            stop_drawing(progress)
            invocation.say(report_findings.adoption_as_text(adoption, account, verbose=invocation.verbose))
            require_consent("take it over?", yes=yes)
            account = adopting.adopt(adoption, opened, progress, lock_timeout=lock_timeout, wait=wait, started=started)
    invocation.say(report.warnings_as_text(account.warnings, verbose=invocation.verbose))
    invocation.answer(
        report_findings.adoption_as_text(adoption, account, verbose=invocation.verbose),
        lambda: report_findings.adoption_as_json(adoption, account),
    )
    return ExitStatus.OWED if account.invalidation.state == "owed" else ExitStatus.FINE
