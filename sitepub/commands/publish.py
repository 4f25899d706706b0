"""`sitepub publish`: build, plan, upload what changed, promote, invalidate."""

from __future__ import annotations

import functools
import time
from typing import Any

import click

from sitepub.commands.announcing import announce
from sitepub.commands.options import Command, Invocation, common_options, lock_option, wait_option, writing_options
from sitepub.commands.page import check_page, html_option, page_writer
from sitepub.errors import ExitStatus
from sitepub.library import PERMITS


def permit_options(command: Command) -> Command:
    """What a publish is allowed beyond the usual; the function gets `allowed`, a set of names in PERMITS."""

    @click.option("--force", is_flag=True, help="Allow all that `--allow` knows.")
    @click.option("--allow", "allowed", type=click.Choice(PERMITS), multiple=True, help="Allow what is refused otherwise; repeatable.")
    @click.option("--allow-dirty", is_flag=True, help="The same as `--allow dirty`.")
    @functools.wraps(command)
    def wrapped(*given: Any, force: bool, allowed: tuple[str, ...], allow_dirty: bool, **rest: Any) -> int:
        chosen = frozenset(PERMITS) if force else frozenset({*allowed, *(("dirty",) if allow_dirty else ())})
        return command(*given, allowed=chosen, **rest)

    return wrapped


@click.command("publish", short_help="build, plan, upload what changed, promote, invalidate")
@common_options
@writing_options
@click.option("--ref", "revision", metavar="REV", help="Publish this commit, exported and built in a folder of its own.")
@click.option("--preview", metavar="NAME", help="Publish to a place of its own, for some days; `previews:` says where.")
@click.option("--no-build", is_flag=True, help="Publish the source as it is; do not run `build:`.")
@permit_options
@wait_option
@lock_option
@html_option
def command(
    invocation: Invocation,
    dry_run: bool,
    yes: bool,
    revision: str | None,
    preview: str | None,
    no_build: bool,
    allowed: frozenset[str],
    wait: bool,
    lock_timeout: float,
    page: str | None,
) -> int:
    """Builds the site if `build:` says how, and makes it live: assets first, then pages, then one invalidation of what changed."""
    from sitepub import report_account
    from sitepub.commands.progress import Closing
    from sitepub.library import publish_at

    started = time.monotonic()
    check_page(invocation, page)
    with Closing(invocation.progress()) as progress:
        account = publish_at(
            invocation.where,
            progress,
            preview=preview,
            ref=revision,
            build=not no_build,
            show_build=invocation.verbose,
            allow=allowed,
            wait=wait,
            lock_timeout=lock_timeout,
            dry_run=dry_run,
            started=started,
            witness=page_writer(invocation, page, progress),
        )
    invocation.say(report_account.warnings_as_text(account.warnings, verbose=invocation.verbose))
    invocation.answer(report_account.account_as_text(account, verbose=invocation.verbose), lambda: report_account.account_as_json(account))
    announce(invocation, "Publish to", account)
    return ExitStatus.OWED if account.invalidation.state == "owed" else ExitStatus.FINE
