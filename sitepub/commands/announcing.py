"""What a run tells the continuous integration that it runs in, beside its own output."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sitepub.commands.options import Invocation
from sitepub.errors import SitepubError

if TYPE_CHECKING:
    from sitepub.report_account import Account

OWN_SUMMARY = "SITEPUB_SUMMARY"
"""Names a file that gets the summary alone: a comment is made from it."""

_SUMMARIES = (("GITHUB_STEP_SUMMARY", "a"), (OWN_SUMMARY, "w"))


def announce(invocation: Invocation, verb: str, account: Account) -> None:
    """Annotations and a summary, where the environment asks for them."""
    environment = invocation.environment
    if not is_github(environment) and not _wants_summary(environment):
        return
    from sitepub.core.ci import annotate, summarise
    from sitepub.report_account import account_as_text

    if is_github(environment) and account.warnings:
        click.echo(annotate(account.warnings), err=True)
    _summarise(environment, summarise(f"{verb} {account.target}", account_as_text(account)))


def announce_error(environment: Mapping[str, str], error: SitepubError) -> None:
    """In continuous integration: an annotation where GitHub shows them, and the summary of the run."""
    from sitepub.core.ci import annotate_error, summarise

    if is_github(environment):
        click.echo(annotate_error(error.code, error.message, error.hint), err=True)
    hint = f"\nhint: {error.hint}" if error.hint else ""
    _summarise(environment, summarise("sitepub stopped", f"error: {error.message}{hint}"))


def is_github(environment: Mapping[str, str]) -> bool:
    """Whether GitHub Actions runs it (https://docs.github.com/actions/reference/variables-reference)."""
    return environment.get("GITHUB_ACTIONS") == "true"


def _wants_summary(environment: Mapping[str, str]) -> bool:
    return any(environment.get(name) for name, _ in _SUMMARIES)


def _summarise(environment: Mapping[str, str], text: str) -> None:
    """Neither file is worth a failure: the site is live, or the error is told."""
    for name, mode in _SUMMARIES:
        path = environment.get(name)
        if not path:
            continue
        try:
            with Path(path).open(mode, encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
        except OSError as failure:
            click.echo(f"warning: `{path}` can't be written: {failure.strerror}", err=True)
