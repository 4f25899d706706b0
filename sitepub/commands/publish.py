"""`sitepub publish`: build, plan, upload what changed, promote, invalidate."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from sitepub.commands.announcing import announce
from sitepub.commands.options import Command, Invocation, common_options, lock_option, wait_option, writing_options
from sitepub.commands.page import check_page, html_option, page_writer
from sitepub.errors import ExitStatus
from sitepub.library import PERMITS

if TYPE_CHECKING:
    from sitepub.wishes import Permits


def permit_options(command: Command) -> Command:
    """What a publish is allowed beyond the usual, as `make_permits` reads it."""
    command = click.option("--allow-dirty", is_flag=True, help="The same as `--allow dirty`.")(command)
    command = click.option(
        "--allow", "allowed", type=click.Choice(PERMITS), multiple=True, help="Allow what is refused otherwise; repeatable."
    )(command)
    return click.option("--force", is_flag=True, help="Allow all that `--allow` knows.")(command)


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
    force: bool,
    allowed: tuple[str, ...],
    allow_dirty: bool,
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
            allow=choose_permits(allowed, force=force, allow_dirty=allow_dirty),
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


def choose_permits(allowed: tuple[str, ...], *, force: bool, allow_dirty: bool) -> frozenset[str]:
    """`--force` is all of them."""
    return frozenset(PERMITS) if force else frozenset({*allowed, *(("dirty",) if allow_dirty else ())})


def make_permits(allowed: tuple[str, ...], *, force: bool, allow_dirty: bool) -> Permits:
    from sitepub.wishes import Permits

    given = choose_permits(allowed, force=force, allow_dirty=allow_dirty)
    return Permits(**{name: name in given for name in PERMITS})
