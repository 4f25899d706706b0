"""The tree of errors: what is wrong, the way out, and the exit status that scripts rely on."""

from __future__ import annotations

from enum import IntEnum


class ExitStatus(IntEnum):
    """Exit statuses, fixed for scripts."""

    FINE = 0
    REFUSED = 1
    USAGE = 2
    DEFECT = 3
    CONFIGURATION = 4
    STOPPED = 5
    FINDINGS = 6
    CHANGES = 7
    OWED = 8
    HELD = 9
    INTERRUPTED = 130


class SitepubError(Exception):
    """Base of every expected error.

    `code` is a stable kebab-case word for scripts and docs/errors.md, `message` says what and where, `hint` the way out.
    """

    status = ExitStatus.DEFECT

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


class RefusedError(SitepubError):
    """The run would do what its user most likely does not want: a shrunk source, foreign keys, names that look like secrets."""

    status = ExitStatus.REFUSED


class UsageError(SitepubError):
    """The command line itself is wrong."""

    status = ExitStatus.USAGE


class DefectError(SitepubError):
    """A promise of ours does not hold; a report is welcome."""

    status = ExitStatus.DEFECT


class ConfigurationError(SitepubError):
    """sitepub.yaml or the environment is wrong or missing: file, folder, bucket, credentials, disk."""

    status = ExitStatus.CONFIGURATION


class StoppedError(SitepubError):
    """The run stopped part-way; running it again finishes it."""

    status = ExitStatus.STOPPED


class HeldError(SitepubError):
    """Another publisher holds the target, or a newer release is live."""

    status = ExitStatus.HELD


def join_problems(code: str, problems: list[str], error: type[SitepubError], hint: str = "") -> SitepubError:
    """One error for problems that can be seen at once; `problems` is not empty."""
    if len(problems) == 1:
        return error(code, problems[0], hint)
    return error(code, f"{len(problems)} problems:\n" + "\n".join(f"  {problem}" for problem in problems), hint)
