"""Text of sitepub.yaml as values: command lines, names, patterns, header values. A ValueError says why not, and never repeats the text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

# What S3 keeps with an object and answers with (https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html).
STORED_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        name.lower(): name
        for name in ("Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Type", "Expires")
    }
)

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_DIRECTIVE = re.compile(r"[A-Za-z][A-Za-z0-9-]*(=([A-Za-z0-9_.-]+|\"[^\"]*\"))?")
_AGE = re.compile(r"(?i)(max-age|s-maxage|stale-while-revalidate|stale-if-error)(?!=\d+$)(=|$)")


def parse_text(text: str) -> str:
    if not text.strip():
        raise ValueError("it is empty")
    if _CONTROL.search(text):
        raise ValueError("it holds a control character")
    return text


def parse_command(text: str) -> str:
    """A shell command line; several lines are fine."""
    if not text.strip():
        raise ValueError("it is empty")
    if "\0" in text:
        raise ValueError("it holds a control character")
    return text.strip()


def parse_folder(text: str) -> str:
    parse_text(text)
    if text.startswith("~"):
        raise ValueError("`~` is only known to shells, write `${HOME}`")
    return text


def parse_branch(text: str) -> str:
    """The rules of git-check-ref-format that a slip of the hand breaks."""
    parse_text(text)
    if text.startswith(("refs/", "-")):
        raise ValueError("the short name is meant, without `refs/heads/`")
    if re.search(r"[\s~^:?*\[\\]|\.\.|@\{|//|\.lock$|[/.]$|^[/.]", text):
        raise ValueError("git allows no such name")
    return text


def parse_pattern(text: str) -> str:
    parse_text(text)
    if text.startswith("#"):
        raise ValueError("it is a comment to git, write `\\#`")
    if not text.strip("/! "):
        raise ValueError("it matches nothing")
    if any(character in text for character in "[\\!"):
        _try_pattern(text)
    return text


def _try_pattern(text: str) -> None:
    """Only what pathspec could refuse is worth its import."""
    import warnings

    from pathspec import GitIgnoreSpec

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            patterns = GitIgnoreSpec.from_lines([text]).patterns
    except (ValueError, re.error):
        raise ValueError("git allows no such pattern") from None
    if all(pattern.include is None for pattern in patterns):
        raise ValueError("it matches nothing")


def parse_header_value(text: str) -> str:
    parse_text(text)
    if not text.isascii():
        raise ValueError("a header's value is ASCII")
    return text.strip()


def parse_cache_control(text: str) -> str:
    """Directives as RFC 9111 §5.2 writes them."""
    parse_header_value(text)
    for directive in (part.strip() for part in text.split(",")):
        if not _DIRECTIVE.fullmatch(directive):
            raise ValueError("directives look like `max-age=60`, with commas between them")
        if _AGE.match(directive):
            raise ValueError("an age is a whole number of seconds, like `max-age=60`")
    return text.strip()
