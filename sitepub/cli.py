"""The root command: global options, commands that are imported when they are named, and the one error boundary."""

from __future__ import annotations

import gc
import importlib
import io
import os
import re
import signal
import sys
from collections.abc import Iterable
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

import click

from sitepub import __version__
from sitepub.errors import DefectError, ExitStatus, SitepubError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS = {
    "adopt": "take a target that another tool filled under management",
    "completion": "print the script by which a shell completes commands and options",
    "doctor": "look at all that a publish needs; each finding with its way out",
    "down": "remove what `up` created",
    "explain": "one file's story: key, kind, rule, headers, who refers to it and why",
    "gc": "delete what no kept release needs",
    "hook": "publish when git pushes: install, remove or look at hooks",
    "init": "look at this folder and write a commented sitepub.yaml",
    "invalidate": "evict paths from the edges by hand, or send what is owed",
    "plan": "show what publish would do, and why; write nothing",
    "policy": "print the least IAM policy that this configuration needs",
    "publish": "build, plan, upload what changed, promote, invalidate",
    "releases": "the history, newest first",
    "rollback": "make an earlier release live again, without the local files",
    "schema": "print the JSON Schema of sitepub.yaml, for editors",
    "serve": "serve locally exactly what would be published",
    "status": "what is live, what is pending or owed, what is not yet published",
    "up": "create bucket, distribution, certificate and DNS records",
    "verify": "compare the target with what is live; --repair mends it",
    "watch": "publish on every settled change; --serve shows it locally, too",
}

ALONE = "here"
"""What `sitepub` without a command is."""

_COMMON = {"-C": 1, "--config": 1, "--target": 1, "--json": 0, "-v": 0, "--verbose": 0, "-q": 0, "--quiet": 0, "--no-color": 0}
"""Options of every command, and how many words the value of each takes."""


class LazyGroup(click.Group):
    """Imports a command's module when the command is named, so that `--help` needs none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS and cmd_name != ALONE:
            return None
        module = importlib.import_module(f"sitepub.commands.{cmd_name}")
        command: click.Command = module.command
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """A shell that completes sends its words as they stand."""
        if ctx.resilient_parsing:
            args = [word for word in put_command_first(args) if word != ALONE] if args else args
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        return [CompletionItem(name, help=about) for name, about in sorted(COMMANDS.items()) if name.startswith(incomplete)]

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            raise click.UsageError(f"there is no command `{args[0]}`{_guess(args[0], COMMANDS)}", ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="sitepub")
def root() -> None:
    """Publishes a built static site to a folder, or to S3 behind CloudFront. Without a command, says where you are and what to do next."""


def main(arguments: list[str] | None = None) -> NoReturn:
    """Runs one command and exits with the status that the contract names."""
    words = sys.argv[1:] if arguments is None else arguments
    _mend_streams()
    try:
        signal.signal(signal.SIGINT, _interrupt)
        signal.signal(signal.SIGTERM, _interrupt)
        status = run(words)
    except KeyboardInterrupt:
        status = _tell_interrupted()
    if status == ExitStatus.INTERRUPTED:
        # an orderly end would wait for whatever a server has not answered yet
        sys.stderr.flush()
        os._exit(status)
    # what is done is done: the interpreter's own end gives signals back their default, which would tell another status
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # a tenth of a short run: the interpreter looks for circles among all that goes with the process anyway
    gc.freeze()
    sys.exit(status)


def run(words: list[str]) -> int:
    """The error boundary: every failure becomes one message and one exit status."""
    words = put_command_first(words)
    try:
        status = root.main(args=words, prog_name="sitepub", standalone_mode=False)
        sys.stdout.flush()
        return int(status or 0)
    except (KeyboardInterrupt, click.Abort):
        return _tell_interrupted()
    except Exception as error:
        # libraries take an interrupt for a failure of what they called: obstore does while it asks for credentials
        return _tell_interrupted() if _is_interrupted() else _tell_failure(error, words)


def _tell_failure(error: Exception, words: list[str]) -> int:
    if isinstance(error, SitepubError):
        return _tell(error, words)
    if isinstance(error, click.ClickException):
        return _tell(_as_usage_error(error, words), words)
    if isinstance(error, BrokenPipeError):
        # the reader of our output has gone: nothing more can be said to it, not even by the interpreter's own flush
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitStatus.FINE
    return _tell_defect(error, words)


def put_command_first(words: list[str]) -> list[str]:
    """Options of every command may stand before its name, too: `sitepub -C site plan`. Where no command is named, ALONE is."""
    number = 0
    while number < len(words) and (taken := _count_words(words[number])):
        number += taken
    if number >= len(words):
        return [ALONE, *words]
    return [*words[number : number + 1], *words[:number], *words[number + 1 :]]


def _count_words(word: str) -> int:
    """Of an option of every command with its value, which may stand in the same word: `--target=NAME`, `-CDIR`. 0 for any other word."""
    if word in _COMMON:
        return 1 + _COMMON[word]
    name, is_joined, _ = word.partition("=")
    return 1 if word.startswith("-C") or (is_joined and name.startswith("--") and _COMMON.get(name)) else 0


def _as_usage_error(error: click.ClickException, words: list[str]) -> SitepubError:
    from sitepub.errors import UsageError

    command = f"sitepub {words[0]}" if words and words[0] in COMMANDS else "sitepub"
    return UsageError("usage", _describe(error), f"`{command} --help` shows its options")


def _describe(error: click.ClickException) -> str:
    """In the words and quotes of our other messages."""
    if isinstance(error, click.NoSuchOption):
        return f"there is no option `{error.option_name}`{_guess(error.option_name, error.possibilities or ())}"
    message = error.format_message()
    message = message[:1].lower() + message[1:].rstrip(".")
    return re.sub(r"'([^']*)'|\(([^()]*)\)$", lambda found: f"`{found[1] or found[2]}`", message)


def _guess(word: str, known: Iterable[str]) -> str:
    import difflib

    nearest = difflib.get_close_matches(word, known, 1)
    return f", did you mean `{nearest[0]}`?" if nearest else ""


def _tell(error: SitepubError, words: list[str]) -> int:
    from sitepub.commands.colour import paint, wants_colour
    from sitepub.report_json import error_as_json

    if "--json" in words:
        click.echo(error_as_json(error))
    if "GITHUB_ACTIONS" in os.environ or "SITEPUB_SUMMARY" in os.environ:
        from sitepub.commands.announcing import announce_error

        announce_error(os.environ, error)
    lines = [f"error: {error.message}", *(f"  {note}" for note in getattr(error, "__notes__", ()))]
    if error.hint:
        lines.append(f"hint: {error.hint}")
    _say(paint("\n".join(lines), is_coloured=wants_colour(os.environ, is_refused="--no-color" in words)))
    return error.status


def _tell_defect(error: Exception, words: list[str]) -> int:
    import traceback

    if "-v" in words or "--verbose" in words:
        _say("".join(traceback.format_exception(error)))
    frame = traceback.extract_tb(error.__traceback__)[-1]
    message = f"{type(error).__name__}: {error} ({frame.name}, line {frame.lineno} of {os.path.basename(frame.filename)})"  # noqa: PTH119
    hint = "this is a defect of sitepub: please report it with the output of the same command with `-v`"
    return _tell(DefectError("defect", message, hint), words)


def _say(message: str) -> None:
    click.echo(message, err=True)


def _mend_streams() -> None:
    """A service may start us without any, and a terminal may not know every letter: neither is a reason to fail."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: PTH123, SIM115
        elif mode == "w" and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _tell_interrupted() -> int:
    _say("interrupted; running it again finishes what was begun")
    return ExitStatus.INTERRUPTED


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    """SIGTERM ends a run as Ctrl-C does: what is under way is awaited, the lease is given back. The next one ends it at once."""
    signal.signal(signal.SIGINT, _end_at_once)
    signal.signal(signal.SIGTERM, _end_at_once)
    raise KeyboardInterrupt


def _is_interrupted() -> bool:
    return signal.getsignal(signal.SIGTERM) is _end_at_once


def _end_at_once(number: int, frame: FrameType | None) -> NoReturn:
    if "multiprocessing" in sys.modules:
        import multiprocessing

        for worker in multiprocessing.active_children():
            worker.kill()
    os._exit(ExitStatus.INTERRUPTED)


if __name__ == "__main__":
    main()
