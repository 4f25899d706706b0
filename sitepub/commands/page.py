"""The option `--html` of commands that account for a plan or a publish."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sitepub.commands.options import Command, Invocation
from sitepub.errors import ConfigurationError

if TYPE_CHECKING:
    from sitepub.interfaces import Progress
    from sitepub.library import Witness
    from sitepub.preparing import Prepared
    from sitepub.report_account import Account


def html_option(command: Command) -> Command:
    """`--html`, of what can be shown as a page."""
    return click.option("--html", "page", metavar="FILE", help="Write one self-contained page that shows it, too.")(command)


def check_page(invocation: Invocation, page: str | None) -> None:
    """Before anything is done: a publish that can't tell what it did is no good news."""
    if page is None:
        return
    path = invocation.folder / page
    if path.is_dir() or not path.parent.is_dir():
        what = "is a folder" if path.is_dir() else f"has no folder `{path.parent}` to stand in"
        raise ConfigurationError("unwritable", f"`{page}` {what}", "name a file in a folder that is there after `--html`")


def page_writer(invocation: Invocation, page: str | None, progress: Progress) -> Witness | None:
    """Writes the page while the site that it shows is still there. Its name is relative to where the command runs."""
    if page is None:
        return None

    def write(account: Account, prepared: Prepared) -> None:
        from sitepub import picturing
        from sitepub.commands.progress import stop_drawing

        picturing.write_page(invocation.folder / page, account, prepared, progress)
        stop_drawing(progress)
        invocation.say(f"wrote `{page}`")

    return write
