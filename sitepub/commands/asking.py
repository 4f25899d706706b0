"""The one question that a command may ask before it writes. `--yes` answers it; without a terminal nobody can."""

from __future__ import annotations

import sys

import click

from sitepub.errors import RefusedError, UsageError


def require_name(name: str, question: str, *, yes: bool) -> None:
    """As `require_consent`, where a yes is said too easily: the answer is the name itself."""
    if yes:
        return
    _require_terminal(question)
    if click.prompt(question, err=True, default="", show_default=False).strip() != name:
        raise RefusedError("declined", f"nothing was written: that is not `{name}`")


def require_consent(question: str, *, yes: bool) -> None:
    """Returns where the answer is yes. Raises UsageError `needs-answer` where there is no terminal to ask on, RefusedError `declined` for a no."""
    if yes:
        return
    _require_terminal(question)
    if not click.confirm(question, err=True):
        raise RefusedError("declined", "nothing was written: the answer was no")


def _require_terminal(question: str) -> None:
    if not sys.stdin.isatty():
        message = f"this command asks before it writes (`{question}`), and there is no terminal to ask on"
        raise UsageError("needs-answer", message, "`--yes` answers; `--dry-run` shows what would be done")
