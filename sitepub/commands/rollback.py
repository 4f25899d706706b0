"""`sitepub rollback`: make an earlier release live again."""

from __future__ import annotations

import time

import click

from sitepub.commands.options import Invocation, common_options, lock_option, wait_option, writing_options
from sitepub.errors import ExitStatus


@click.command("rollback", short_help="make an earlier release live again, without the local files")
@common_options
@writing_options
@click.argument("release", required=False, metavar="[RELEASE|COMMIT]")
@wait_option
@lock_option
def command(invocation: Invocation, dry_run: bool, yes: bool, release: str | None, wait: bool, lock_timeout: float) -> int:
    """Makes RELEASE, or the newest release of COMMIT, live again, from what the target keeps. Without either: what was live before the live
    content; again goes further back."""
    from sitepub import report
    from sitepub.commands.progress import Closing
    from sitepub.library import rollback_at

    started = time.monotonic()
    with Closing(invocation.progress()) as progress:
        restored = rollback_at(invocation.where, progress, release, wait=wait, lock_timeout=lock_timeout, dry_run=dry_run, started=started)
    account = restored.account
    invocation.say(report.warnings_as_text(account.warnings, verbose=invocation.verbose))
    invocation.say(f"{'would go' if dry_run else 'went'} back to {report.release_line(restored.release)}")
    invocation.answer(report.account_as_text(account, verbose=invocation.verbose), lambda: report.account_as_json(account))
    return ExitStatus.OWED if account.invalidation.state == "owed" else ExitStatus.FINE
