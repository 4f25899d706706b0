"""Finds every URL that a stylesheet or a `style` attribute loads, with its exact bytes; decides nothing about where it leads."""

from __future__ import annotations

import codecs
import re

from sitepub.core.references import css_tokens as tokens
from sitepub.core.references.literals import is_dismissed, read_literal, refer
from sitepub.core.references.model import Reference, Scan, Use

_WIDE_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHARSET = re.compile(rb'@charset "([^"]{1,40})";')
# their second bytes may be ASCII, a backslash among them: spans found in bytes would not be sure
_UNSURE = frozenset({"shift_jis", "cp932", "big5", "big5hkscs", "gbk", "gb2312", "gb18030", "iso2022_jp", "hz", "euc_jisx0213", "utf-7"})
_CLOSERS = {b"(": b")", b"[": b"]", b"{": b"}"}
_LOOK_BACK = 256
_FARTHEST_MAP = 64 * 1024  # from the end; what is longer is a map itself, not the URL of one


def scan_css(body: bytes) -> Scan:
    """All URLs of a stylesheet, and its source map."""
    encoding = _find_odd_encoding(body)
    if encoding is not None:
        return _leave_whole(body, encoding)
    return Scan(references=tuple(_Walk(body, is_sheet=True).run()), source_map=_find_source_map(body))


def scan_css_declarations(body: bytes) -> Scan:
    """All URLs of the content of a `style` attribute, where `@import` has no meaning."""
    return Scan(references=tuple(_Walk(body, is_sheet=False).run()))


class _Walk:
    """One pass over a stylesheet: skips to what may hold a URL, reads it, goes on behind it."""

    __slots__ = ("body", "counted", "is_sheet", "line", "open", "references")

    def __init__(self, body: bytes, *, is_sheet: bool) -> None:
        self.body = body
        self.is_sheet = is_sheet
        self.references: list[Reference] = []
        self.open: list[tuple[bytes, bool]] = []  # within image-set(): what closes each open block, and whether it is an image-set
        self.line = 1
        self.counted = 0

    def run(self) -> list[Reference]:
        position, end = 0, len(self.body)
        while position < end:
            skip = tokens.SKIP_IN_SET if self.open else tokens.SKIP
            position = self._skip(skip, position)
            if position < end:
                position = self._read(position)
        return self.references

    def _skip(self, run: re.Pattern[bytes], position: int) -> int:
        found = run.match(self.body, position)
        return found.end() if found else position

    def _read(self, position: int) -> int:
        stop = self.body[position : position + 1]
        if stop == b"(":
            return self._read_function(position)
        if stop == b"@":
            return self._read_rule(position)
        if stop == b"\\":
            return self._read_escaped_name(position)
        if stop in (b'"', b"'"):
            return self._read_string_in_set(position)
        return self._read_bracket(position, stop)

    def _read_function(self, position: int) -> int:
        found = tokens.FUNCTION.match(self.body, position)
        if found is None:
            return self._enter(position)
        name = found.lastgroup
        if name == "url" or name == "src":
            return self._read_url(position + 1, self._name_place(position, name), accepts_unquoted=name == "url")
        return self._enter(position, is_set=True)

    def _enter(self, position: int, *, is_set: bool = False) -> int:
        if self.open or is_set:
            self.open.append((b")", is_set))
        return position + 1

    def _read_bracket(self, position: int, stop: bytes) -> int:
        if stop in _CLOSERS:
            self.open.append((_CLOSERS[stop], False))
        elif self.open[-1][0] == stop:
            self.open.pop()
        return position + 1

    def _read_url(self, position: int, how: str, *, accepts_unquoted: bool) -> int:
        """Reads on behind the opening parenthesis of `url(` or `src(`."""
        begin = self._skip(tokens.SPACES if accepts_unquoted else tokens.TRIVIA, position)
        if self.body[begin : begin + 1] in (b'"', b"'") or not accepts_unquoted:
            self._enter(begin)
            return self._read_string(begin, how)
        found = tokens.UNQUOTED.match(self.body, begin)
        if found is None:
            return begin
        if found["plain"] is not None:
            self._add(*found.span("plain"), how)
        return found.end()

    def _read_string(self, position: int, how: str) -> int:
        found = tokens.STRING.match(self.body, position)
        if found is None or found.lastgroup is None:
            return position
        self._add(*found.span(found.lastgroup), how)
        return found.end()

    def _read_string_in_set(self, position: int) -> int:
        if self.open[-1][1]:
            after = self._read_string(position, "css image-set")
            if after > position:
                return after
        return self._skip(tokens.STRING_RUN, position)

    def _read_rule(self, position: int) -> int:
        found = tokens.AT_RULE.match(self.body, position)
        if found is None:
            return position + 1
        name = _decode(found[1])
        if name in ("namespace", "document", "-moz-document"):
            return self._skip(tokens.PRELUDE, found.end())
        if name == "import" and self.is_sheet:
            return self._read_import(found.end())
        return found.end()

    def _read_import(self, position: int) -> int:
        begin = self._skip(tokens.TRIVIA, position)
        function = tokens.URL_OR_SRC.match(self.body, begin)
        if function is not None:
            return self._read_url(function.end() + 1, "@import", accepts_unquoted=function.lastgroup == "url")
        return self._read_string(begin, "@import")

    def _read_escaped_name(self, position: int) -> int:
        """A name with an escape before a parenthesis: `\\75rl(` is `url(`. Any other escape is skipped."""
        found = tokens.ESCAPED_NAME.match(self.body, position)
        if found is None:
            return position + 1
        before = tokens.NAME_BEFORE.search(self.body[max(0, position - 24) : position])
        function = tokens.FUNCTION_NAMES.get(_decode((before.group() if before else b"") + found.group()))
        if function is None:
            return self._enter(found.end())
        if function == "set":
            return self._enter(found.end(), is_set=True)
        return self._read_url(found.end() + 1, self._name_place(position, function), accepts_unquoted=function == "url")

    def _name_place(self, position: int, function: str) -> str:
        begin = max(0, position - _LOOK_BACK)
        before = self.body[begin:position]
        declaration = before[max(before.rfind(b";"), before.rfind(b"{"), before.rfind(b"}")) + 1 :]
        return "css custom property" if declaration.lstrip().startswith(b"--") else f"css {function}"

    def _add(self, start: int, end: int, how: str) -> None:
        if self.body[start : start + 5].lower() == b"data:":
            return
        literal = read_literal(self.body, start, end, tokens.ESCAPE, tokens.unescape)
        if is_dismissed(literal.url):
            return
        self.line += self.body.count(b"\n", self.counted, start)
        self.counted = start
        self.references.append(refer(literal, Use.LOAD, how, self.line))


def _decode(name: bytes) -> str:
    return read_literal(name, 0, len(name), tokens.ESCAPE, tokens.unescape).text.lower()


def _find_source_map(body: bytes) -> Reference | None:
    at = body.rfind(b"sourceMappingURL=", max(0, len(body) - _FARTHEST_MAP))
    found = tokens.SOURCE_MAP.match(body, body.rfind(b"/*", 0, at)) if at > 0 else None
    if found is None or found[1][:5].lower() == b"data:":
        return None
    literal = read_literal(body, *found.span(1), tokens.ESCAPE, lambda raw: raw.decode("utf-8", "replace"))
    return refer(literal, Use.LINK, "source map", body.count(b"\n", 0, found.start(1)) + 1)


def _find_odd_encoding(body: bytes) -> str | None:
    for mark, encoding in _WIDE_MARKS:
        if body.startswith(mark):
            return encoding
    found = _CHARSET.match(body)
    if found is None or body.isascii():
        return None
    try:
        encoding = codecs.lookup(found[1].decode("latin-1").removeprefix("x-")).name
    except (LookupError, ValueError):  # no name of a codec holds a NUL
        return None
    return encoding if encoding in _UNSURE else None


def _leave_whole(body: bytes, encoding: str) -> Scan:
    """What such a sheet refers to keeps its plain name beside the hashed one."""
    text = body.decode(encoding, "replace").encode("utf-8", "replace")
    urls = dict.fromkeys(reference.url for reference in _Walk(text, is_sheet=True).run())
    return Scan(problem=f"is written in {encoding}, which is not rewritten", mentions=tuple(urls))
