"""Finds what a script loads: modules, workers, files beside it; and hints of what it may load in ways that can't be followed.

Every reference but an OPAQUE one resolves against the script's own URL (an inline one's: against its document).
"""

from __future__ import annotations

import codecs
import re

from sitepub.core.references import javascript_tokens as tokens
from sitepub.core.references.javascript_calls import ScriptReader
from sitepub.core.references.javascript_lexer import Inconsistent, Lexer
from sitepub.core.references.javascript_mentions import Mentions
from sitepub.core.references.literals import is_dismissed, read_literal, refer
from sitepub.core.references.model import Reference, Scan, Use

_EXPORT = re.compile(rb"export(?<![\w$.]export)\s*+(?:[{*]|/\*|(?:default|const|let|var|function|class|async)\b)")
_HASHBANG = re.compile(rb"(?:\xef\xbb\xbf)?+(?:#![^\n\r]*+)?+")
_HTML_END = re.compile(rb"\n[ \t]*+-->")
_LISTENS = re.compile(rb"addEventListener\(\s*+[\"'](?:install|activate|fetch|push|notificationclick)[\"']")
_FARTHEST_MAP = 64 * 1024  # from the end; what is longer is a map itself, not the URL of one
_WORKER_CALLS = (b"self.skipWaiting(", b"clients.claim(", b"self.__WB_MANIFEST")


def scan_javascript(body: bytes) -> Scan:
    """All that a script refers to, or the reason why it must be left whole."""
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _leave_whole(body.decode("utf-16", "replace").encode("utf-8", "replace"), "is written in utf-16, which is not rewritten")
    if not _may_refer(body):
        mentions = Mentions()
        mentions.add_quoted(body)
        return Scan(
            mentions=mentions.tell(), notes=_note(mentions), source_map=_find_source_map(body), is_service_worker=_is_service_worker(body)
        )
    return _scan_as(body, _find_html_marks(body))


def _may_refer(body: bytes) -> bool:
    """Whether a keyword that leads to a URL is anywhere in it. Most bundles have none, and are not read token by token."""
    return b"import" in body or b"Worker" in body or b"Workbox" in body or _EXPORT.search(body) is not None


def _find_html_marks(body: bytes) -> bytes:
    """Where HTML-like comments may begin: `<!--` anywhere, `-->` at the start of a line."""
    has_end = b"-->" in body and _HTML_END.search(body) is not None
    return (b"<" if b"<!--" in body else b"") + (b"\n" if has_end else b"")


def _scan_as(body: bytes, html_marks: bytes) -> Scan:
    begin = _HASHBANG.match(body)
    lexer = Lexer(body, begin.end() if begin else 0, html_marks=html_marks)
    reader = ScriptReader(body, lexer)
    problem = _read(reader)
    if lexer.has_html_comments and (problem is not None or reader.is_module):
        return _scan_as(body, b"")  # in a module these are operators
    if problem is not None:
        line = body.count(b"\n", 0, problem.position) + 1
        return _leave_whole(body, f"has {problem.what} without an end, from line {line}")
    return Scan(
        references=tuple(reader.references),
        patterns=tuple(dict.fromkeys(reader.patterns)),
        registers=tuple(reader.registers),
        mentions=reader.mentions.tell(),
        is_module=reader.is_module,
        is_service_worker=_is_service_worker(body),
        source_map=_find_source_map(body),
        notes=_note(reader.mentions),
    )


def _read(reader: ScriptReader) -> Inconsistent | None:
    try:
        reader.read()
    except Inconsistent as problem:
        return problem
    return None


def _leave_whole(body: bytes, problem: str) -> Scan:
    mentions = Mentions()
    mentions.add_quoted(body)
    return Scan(problem=problem, mentions=mentions.tell())


def _note(mentions: Mentions) -> tuple[str, ...]:
    return ("mentions so many paths that only the first are known",) if mentions.is_full else ()


def _is_service_worker(body: bytes) -> bool:
    return any(call in body for call in _WORKER_CALLS) or _LISTENS.search(body) is not None


def _find_source_map(body: bytes) -> Reference | None:
    """The one that the last line names."""
    at = body.rfind(b"sourceMappingURL=", max(0, len(body) - _FARTHEST_MAP))
    begin = max(body.rfind(b"//", 0, at), body.rfind(b"/*", 0, at)) if at > 0 else -1
    found = tokens.SOURCE_MAP.match(body, begin) if begin >= 0 else None
    if found is None:
        return None
    literal = read_literal(body, *found.span(1), tokens.ESCAPE, lambda raw: raw.decode("utf-8", "replace"))
    if is_dismissed(literal.url):
        return None
    return refer(literal, Use.LINK, "source map", body.count(b"\n", 0, begin) + 1)
