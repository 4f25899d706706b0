"""What a run tells continuous integration: annotations and summaries. Pure.

Workflow commands and summaries: https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from sitepub.core.model import Warning

MOST_ANNOTATIONS = 10
"""GitHub shows no more of a kind and step."""


def annotate(warnings: Iterable[Warning]) -> str:
    """As GitHub reads them on either stream; a line each."""
    told = list(warnings)[:MOST_ANNOTATIONS]
    return "\n".join(f"::warning title={_property(warning.code)}::{_escape(warning.message)}" for warning in told)


def annotate_error(code: str, message: str, hint: str) -> str:
    """As `annotate`, for what stopped the run."""
    return f"::error title={_property(code)}::{_escape(f'{message}. {hint}' if hint else message)}"


def summarise(title: str, text: str) -> str:
    """Markdown for a job's page or a comment. The fence is longer than any in the text."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"### {title}\n\n{fence}text\n{text}\n{fence}\n"


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")
