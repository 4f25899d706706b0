"""Options that every command has, as one value, and what a command says to people while it works."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct

from sitepub.commands.colour import paint, wants_colour
from sitepub.errors import ConfigurationError, UsageError
from sitepub.interfaces import Progress
from sitepub.library import Where

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from sitepub.request import Request
    from sitepub.wishes import Permits


class Invocation(Struct, frozen=True):
    """How a command was called. `folder` is where it runs; `environment` what it sees."""

    folder: Path
    config: Path | None
    target: str | None
    json: bool
    verbose: bool
    quiet: bool
    color: bool
    environment: Mapping[str, str]

    @property
    def where(self) -> Where:
        return Where(self.folder, self.config, self.target, self.environment)

    def read_request(
        self, *, permits: Permits | None = None, build: bool = True, show_build: bool = False, preview: str | None = None
    ) -> Request:
        """What sitepub.yaml says of the target that is meant. Raises as read_request."""
        from sitepub.request import read_request

        return read_request(
            *(self.folder, self.config, self.target, self.environment),
            permits=permits,
            build=build,
            show_build=show_build,
            preview=preview,
        )

    def say(self, message: str) -> None:
        """Talk, to stderr; nothing with `-q`."""
        if message and not self.quiet:
            click.echo(paint(message, is_coloured=self.color), err=True)

    def answer(self, text: str, document: Callable[[], str | bytes]) -> None:
        """What the command was asked for, to stdout: `document` with `--json`, else `text`."""
        if self.json:
            click.echo(document())
        elif not self.quiet:
            click.echo(text)

    def progress(self) -> Progress:
        from sitepub.commands.progress import choose_progress

        return choose_progress(quiet=self.quiet, color=self.color, is_terminal=sys.stderr.isatty())


Command = Callable[..., int]


def common_options(command: Command) -> Command:
    """Adds the options of every command; the function gets an Invocation first."""

    @functools.wraps(command)
    def wrapped(
        folder: str,
        config: str | None,
        target: str | None,
        as_json: bool,
        verbose: bool,
        quiet: bool,
        no_color: bool,
        **rest: Any,
    ) -> int:
        invocation = Invocation(
            folder=_enter(folder),
            config=Path(config) if config else None,
            target=target,
            json=as_json,
            verbose=verbose,
            quiet=quiet,
            color=wants_colour(os.environ, is_refused=no_color),
            environment=os.environ,
        )
        if verbose and quiet:
            raise UsageError("usage", "`-v` and `-q` exclude each other", "leave one of them out")
        return command(invocation, **rest)

    for option in reversed(_COMMON):
        wrapped = option(wrapped)
    return wrapped


def _complete_as(kind: str) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """The shell itself completes names of files and folders."""

    def complete(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        return [CompletionItem(begun, type=kind)]

    return complete


def _complete_target(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """The names in sitepub.yaml, even where something else in it is wrong."""
    from click.shell_completion import CompletionItem

    from sitepub.config import list_targets

    named = list_targets(Path(context.params.get("folder") or "."), context.params.get("config"))
    return [CompletionItem(name, help=store) for name, store in named.items() if name.startswith(begun)]


_COMMON = (
    click.option("-C", "folder", metavar="DIR", default=".", shell_complete=_complete_as("dir"), help="Run as if started in DIR."),
    click.option(
        "--config", metavar="FILE", shell_complete=_complete_as("file"), help="The configuration; default: sitepub.yaml, here or above."
    ),
    click.option("--target", metavar="NAME", shell_complete=_complete_target, help="The target; default: default_target, or the only one."),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object to stdout."),
    click.option("-v", "--verbose", is_flag=True, help="Say more."),
    click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors."),
    click.option("--no-color", is_flag=True, help="No colour; the environment's NO_COLOR says the same."),
)


def writing_options(command: Command) -> Command:
    """`--dry-run` and `--yes`, of every command that writes."""
    command = click.option("--yes", is_flag=True, help="Answer every question with yes.")(command)
    return click.option("--dry-run", is_flag=True, help="Show what would be done; write nothing.")(command)


def wait_option(command: Command) -> Command:
    """`--wait`, of what invalidates."""
    return click.option("--wait", is_flag=True, help="Wait until the invalidation is completed.")(command)


def lock_option(command: Command) -> Command:
    """`--lock-timeout`, of what publishes."""
    return click.option(
        "--lock-timeout",
        type=click.FloatRange(min=0),
        default=600,
        show_default=True,
        metavar="SECONDS",
        help="Wait for another publisher.",
    )(command)


def wait_timeout_option(command: Command) -> Command:
    """`--wait-timeout`, of what waits for AWS."""
    return click.option(
        "--wait-timeout",
        type=click.FloatRange(min=0),
        default=3600,
        show_default=True,
        metavar="SECONDS",
        help="How long to wait for certificate and distribution, each; running it again goes on.",
    )(command)


def _enter(folder: str) -> Path:
    path = Path(folder).absolute()
    if not path.is_dir():
        raise ConfigurationError("no-folder", f"`{folder}` is not a folder", "name an existing folder after `-C`")
    return path
