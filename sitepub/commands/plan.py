"""`sitepub plan`: what publish would do and why. Opens nothing that can write to the target."""

from __future__ import annotations

import time

import click

from sitepub.commands.announcing import announce
from sitepub.commands.options import Invocation, common_options
from sitepub.commands.page import check_page, html_option, page_writer
from sitepub.errors import ExitStatus


@click.command("plan", short_help="show what publish would do, and why; write nothing")
@common_options
@click.option("--no-build", is_flag=True, help="Look at the source as it is; do not run `build:`.")
@click.option("--preview", metavar="NAME", help="Plan this preview, not the target itself.")
@click.option("--exit-code", is_flag=True, help="Exit with 7 where there is something to publish.")
@html_option
def command(invocation: Invocation, no_build: bool, preview: str | None, exit_code: bool, page: str | None) -> int:
    """Builds the site if `build:` says how, and shows every change that publish would make, with its reason."""
    from sitepub import report_account
    from sitepub.commands.progress import Closing
    from sitepub.library import plan_at

    started = time.monotonic()
    check_page(invocation, page)
    with Closing(invocation.progress()) as progress:
        account = plan_at(
            invocation.where,
            progress,
            preview=preview,
            build=not no_build,
            show_build=invocation.verbose,
            started=started,
            witness=page_writer(invocation, page, progress),
        )
    invocation.say(report_account.warnings_as_text(account.warnings, verbose=invocation.verbose))
    invocation.answer(report_account.account_as_text(account, verbose=invocation.verbose), lambda: report_account.account_as_json(account))
    announce(invocation, "Plan for", account)
    return ExitStatus.CHANGES if exit_code and account.changes else ExitStatus.FINE
