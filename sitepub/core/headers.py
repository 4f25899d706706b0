"""The headers of each artifact: Cache-Control by class, Content-Type by name, then the rules of sitepub.yaml, of which later ones win."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from msgspec import Struct

from sitepub.core.media_types import media_type_of
from sitepub.core.model import FileClass, HeaderSet, SourcePath
from sitepub.core.patterns import Patterns, compile_patterns
from sitepub.core.settings import ENTRIES_BEHIND_DISTRIBUTION, ENTRIES_WITHOUT_DISTRIBUTION, Cache, HeaderRule

ALLOWED_HEADERS: Mapping[str, str] = {
    name.lower(): name
    for name in ("Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Type", "Expires")
}
"""What S3 stores with an object and answers, by lower-case name; any other header needs a response-headers policy."""

ERROR_PAGES = frozenset({"403.html", "404.html", "500.html", "50x.html"})
"""Pages at the root that servers answer instead of another one, so that their time to live is a broken link's."""


class ChosenHeaders(Struct, frozen=True):
    """`rule` says in a user's words where they come from."""

    headers: HeaderSet
    rule: str


class HeaderPolicy(Struct, frozen=True):
    """All settings that headers depend on, compiled once. Made by `make_header_policy`."""

    cache: Mapping[FileClass, tuple[str, str]]
    errors: tuple[str, str]
    error_pages: frozenset[str]
    rules: tuple[tuple[Patterns, HeaderRule], ...]


def make_header_policy(
    cache: Cache, rules: tuple[HeaderRule, ...] = (), *, has_distribution: bool, error_pages: Collection[str] = ()
) -> HeaderPolicy:
    """`error_pages`: source paths that the distribution answers for errors, beside the usual ones. Raises ConfigurationError for a
    pattern that is none."""
    entries = cache.entries or (ENTRIES_BEHIND_DISTRIBUTION if has_distribution else ENTRIES_WITHOUT_DISTRIBUTION)
    by_class = dict.fromkeys(FileClass, (entries, "cache.entries"))
    by_class |= dict.fromkeys((FileClass.ASSET, FileClass.FROZEN), (cache.assets, "cache.assets"))
    by_class[FileClass.ALIAS] = (cache.aliases, "cache.aliases")
    compiled = tuple((compile_patterns([rule.match]), rule) for rule in rules)
    return HeaderPolicy(by_class, (cache.errors, "cache.errors"), ERROR_PAGES | frozenset(error_pages), compiled)


def choose_headers(policy: HeaderPolicy, path: SourcePath, file_class: FileClass, *, encoding: str | None = None) -> ChosenHeaders:
    """The headers of the artifact that `path` becomes. `encoding`: what the file declares for itself, as its scan says.

    A charset in the header would override a declaration (HTML spec, "determining the character encoding"), so a file that declares
    another than UTF-8 gets none.
    """
    is_error_page = path in policy.error_pages and file_class is FileClass.ENTRY
    control, rule = policy.errors if is_error_page else policy.cache[file_class]
    media_type = media_type_of(path)
    if encoding not in (None, "utf-8"):
        media_type = media_type.partition(";")[0]
    chosen = {"Cache-Control": control, "Content-Type": media_type}
    rule = f"`{rule}`"
    for patterns, header_rule in policy.rules:
        if patterns.matches(path):
            chosen.update(header_rule.set)
            rule += f", then {_describe(header_rule)}"
    return ChosenHeaders(tuple(sorted(chosen.items())), rule)


def _describe(rule: HeaderRule) -> str:
    if rule.origin:
        return f"line {rule.line} of `{rule.origin}`"
    return f"`headers` rule `{rule.match}`" + (f" in line {rule.line}" if rule.line else "")
