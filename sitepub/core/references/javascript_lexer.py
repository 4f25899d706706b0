"""Walks over a script in step with its tokens, stops at keywords behind which a URL may be, and keeps the strings that look like paths.

Strings, comments, templates and regular expressions are told apart exactly; where that is not possible (a script that does not end
where it should), it says so instead of guessing on.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from sitepub.core.references import javascript_tokens as tokens
from sitepub.core.references.javascript_parentheses import ParenthesisMatcher


class StopKind(StrEnum):
    """Why the lexer stopped."""

    IMPORT = "import"
    EXPORT = "export"
    IMPORT_SCRIPTS = "importScripts"
    URL = "URL"
    WORKER = "Worker"
    WORKBOX = "Workbox"


class Stop(NamedTuple):
    """A keyword, at `start` to `end`."""

    kind: StopKind
    start: int
    end: int


class Inconsistent(Exception):
    """The text is not the script that the lexer took it for."""

    def __init__(self, what: str, position: int) -> None:
        super().__init__(what)
        self.what = what
        self.position = position


_KEYWORDS = (
    (b"importScripts", -2, StopKind.IMPORT_SCRIPTS),
    (b"import", -2, StopKind.IMPORT),
    (b"export", -2, StopKind.EXPORT),
    (b"URL", 0, StopKind.URL),
    (b"Worker", 0, StopKind.WORKER),
    (b"Workbox", 0, StopKind.WORKBOX),
)
_SLASH, _BACKTICK, _OPEN, _CLOSE, _LESS, _LINE_FEED = b"/`{}<\n"
_QUOTES = b"\"'"
_SPACE = b" \t\n\r\f\v"
_WORD = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$"
_FARTHEST_REGEX = 512


class Lexer:
    """One pass. Whoever reads its stops may move it on with `go_on`, to behind what was understood there. `texts`: what looks like a path in
    the strings and templates between, each once, in order; there are many, so that a stop at each would cost too much."""

    __slots__ = ("_body", "_html_marks", "_matcher", "_opaque", "_position", "_regex_end", "_templates", "has_html_comments", "texts")

    def __init__(self, body: bytes, start: int, *, html_marks: bytes = b"") -> None:
        self._body = body
        self._position = start
        self._html_marks = html_marks
        self._regex_end = -1
        self.has_html_comments = False
        self.texts: dict[bytes, None] = {}
        self._templates: list[int] = []  # open braces within each open `${`
        self._opaque: dict[int, int] = {}  # regular expressions and pieces of templates
        self._matcher = ParenthesisMatcher(body, start, self._opaque)

    def go_on(self, position: int) -> None:
        """Continues there; what lies between was understood by the reader."""
        self._position = position

    def stops(self) -> Iterator[Stop]:
        """All stops, in order. Raises Inconsistent where the script can't be followed any further."""
        skips = [tokens.compile_skip(in_template=is_in, html_marks=self._html_marks).match for is_in in (False, True)]
        readers = {
            _SLASH: self._read_slash,
            _BACKTICK: self._read_template,
            _OPEN: self._read_open_brace,
            _CLOSE: self._read_close_brace,
            _LESS: self._read_html_comment,
            _LINE_FEED: self._read_html_comment,
        }
        body, end, templates, texts, string = self._body, len(self._body), self._templates, self.texts, tokens.STRING.match
        while self._position < end:
            found = skips[1 if templates else 0](body, self._position)
            position = found.end() if found is not None else self._position
            if position >= end:
                break
            sign = body[position]
            if sign in _QUOTES:
                text = string(body, position)
                if text is None:
                    raise Inconsistent("a string", position)
                self._position = text.end()
                texts[text[text.lastgroup or 0]] = None
                continue
            stop = readers.get(sign, self._read_keyword)(position)
            if stop is not None:
                yield stop
        if templates:
            raise Inconsistent("a template", end)

    def _read_template(self, position: int) -> None:
        """Reads a piece of a template: from its backtick, or from the brace that closes a substitution."""
        found = tokens.TEMPLATE_CHUNK.match(self._body, position + 1)
        if found is None:
            raise Inconsistent("a template", position)
        end = self._opaque[position] = self._position = found.end()
        self.texts[found["text"]] = None
        if self._body[end - 1] != _BACKTICK:
            self._templates.append(0)

    def _read_open_brace(self, position: int) -> None:
        self._position = position + 1
        self._templates[-1] += 1

    def _read_close_brace(self, position: int) -> None:
        if self._templates[-1] == 0:
            self._templates.pop()
            self._read_template(position)
            return
        self._position = position + 1
        self._templates[-1] -= 1

    def _read_keyword(self, position: int) -> Stop | None:
        for word, shift, kind in _KEYWORDS:
            if self._body.startswith(word, position + shift):
                self._position = position + shift + len(word)
                return Stop(kind, position + shift, self._position)
        self._position = position + 1
        return None

    def _read_html_comment(self, position: int) -> None:
        self.has_html_comments = True
        found = tokens.HTML_COMMENT.match(self._body, position)
        self._position = found.end() if found else position + 1

    def _read_slash(self, position: int) -> None:
        """A division, a regular expression, or comments in front of either."""
        trivia = tokens.TRIVIA.match(self._body, position)
        slash = trivia.end() if trivia else position
        if self._body.startswith(b"/*", slash):
            raise Inconsistent("a comment", slash)
        last = find_last(self._body, position)
        starts_regex = self._starts_regex(last, slash)
        found = tokens.REGEX.match(self._body, slash) if starts_regex else None
        if found is not None:
            self._opaque[slash] = self._position = self._regex_end = found.end()
        elif starts_regex and self._body[last : last + 1] != b"}":  # a brace may end an operand, if rarely
            raise Inconsistent("a regular expression", slash)
        else:
            self._position = slash + 1

    def _starts_regex(self, last: int, slash: int) -> bool:
        """Whether the token that ends at `last` can't be the left side of a division."""
        sign = self._body[last : last + 1] if last >= 0 else b""
        if sign == b")":
            return self._is_regex_after_parenthesis(last, slash)
        if sign in (b"]", b'"', b"'", b"`"):
            return False
        if sign == b"/":
            return self._regex_end != last + 1
        if sign in (b"+", b"-"):
            return self._body[last - 1 : last] != sign
        if sign == b".":
            return not self._body[last - 1 : last].isdigit()
        if sign >= b"\x80" or (sign and sign in _WORD):
            word = tokens.LAST_WORD.search(self._body, max(0, last - 12), last + 1)
            return word is not None and word.group() in tokens.BEFORE_REGEX
        return True

    def _is_regex_after_parenthesis(self, closing: int, slash: int) -> bool:
        if tokens.REGEX_CANDIDATE.match(self._body, slash, slash + _FARTHEST_REGEX) is None:
            return False
        return self._matcher.is_head(closing)


def find_last(body: bytes, position: int) -> int:
    """Index of the last byte before `position` that is no white space; -1 where there is none."""
    while position > 0:
        begin = max(0, position - 64)
        kept = body[begin:position].rstrip(_SPACE)
        if kept:
            return begin + len(kept) - 1
        position = begin
    return -1
