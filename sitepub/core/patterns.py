"""Gitignore patterns on source paths (https://git-scm.com/docs/gitignore#_pattern_format), as every pattern in sitepub.yaml is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec import Struct

from sitepub.errors import ConfigurationError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec


class Patterns(Struct, frozen=True):
    """A list of patterns, of which the last one that matches decides; `!` takes back what came before, from
    inside a folder that matched, too (git would not look there). Made by `compile_patterns`."""

    lines: tuple[str, ...] = ()
    spec: GitIgnoreSpec | None = None

    def matches(self, path: str) -> bool:
        """Whether the last pattern that says anything of `path` takes it in."""
        return self.spec is not None and bool(self.spec.check_file(path, separators=()).include)

    def find_decisive(self, path: str) -> str | None:
        """The pattern that makes `path` match; None where it does not."""
        if self.spec is None:
            return None
        found = self.spec.check_file(path, separators=())
        return self.lines[found.index] if found.include and found.index is not None else None


def compile_patterns(lines: Iterable[str]) -> Patterns:
    """Raises ConfigurationError `bad-pattern`. No patterns match nothing, and need no library."""
    kept = tuple(line for line in lines if line.strip())
    if not kept:
        return Patterns()
    # 40 ms of imports that a site without patterns does not pay.
    from pathspec import GitIgnoreSpec

    for line in kept:
        try:
            GitIgnoreSpec.from_lines([line])
        except (ValueError, re.error):
            raise ConfigurationError(
                "bad-pattern", f"`{line}` is not a gitignore pattern", "see https://git-scm.com/docs/gitignore for what they look like"
            ) from None
    return Patterns(kept, GitIgnoreSpec.from_lines(kept))
