"""Reads what stands at the lexer's stops: imports, exports, `new URL`, workers, registrations."""

from __future__ import annotations

import re

from sitepub.core.references import javascript_tokens as tokens
from sitepub.core.references.javascript_arguments import Computed, read_computed
from sitepub.core.references.javascript_lexer import Lexer, Stop, StopKind
from sitepub.core.references.javascript_mentions import Mentions
from sitepub.core.references.literals import Literal, is_dismissed, read_literal, refer
from sitepub.core.references.model import ModulePattern, Reference, Use

_SPECIFIER_PATH = re.compile(r"\.{0,2}/|[A-Za-z][A-Za-z0-9+.-]*:")
_WORD_BYTE = re.compile(rb"[\w$#\x80-\xff]")
_WIDE_SPACES = (b"\xef\xbb\xbf", b"\xc2\xa0", b"\xe2\x80\xa8", b"\xe2\x80\xa9")
_NEAR = 64


class ScriptReader:
    """Gathers the findings of one script."""

    __slots__ = (
        "_allowance",
        "_body",
        "_counted",
        "_lexer",
        "_line",
        "_owners",
        "is_module",
        "mentions",
        "patterns",
        "references",
        "registers",
    )

    def __init__(self, body: bytes, lexer: Lexer) -> None:
        self._body = body
        self._lexer = lexer
        self._allowance = len(body) // 4 + 65_536  # bytes of computed arguments; they may nest, and time has to stay linear
        self._line = 1
        self._counted = 0
        self._owners: dict[int, StopKind] = {}  # what a `new URL` is handed to, by the offset of its `URL`
        self.references: list[Reference] = []
        self.patterns: list[ModulePattern] = []
        self.registers: list[str] = []
        self.mentions = Mentions()
        self.is_module = False

    def read(self) -> None:
        """Reads the whole script."""
        readers = {
            StopKind.IMPORT: self._read_import,
            StopKind.EXPORT: self._read_export,
            StopKind.IMPORT_SCRIPTS: self._read_import_scripts,
            StopKind.URL: self._read_url,
            StopKind.WORKER: self._read_worker,
            StopKind.WORKBOX: self._read_workbox,
        }
        for stop in self._lexer.stops():
            readers[stop.kind](stop)
        for text in self._lexer.texts:
            self.mentions.add(text)

    def _read_import(self, stop: Stop) -> None:
        if not self._is_word(stop.start):
            return
        statement = tokens.IMPORT.match(self._body, stop.start)
        if statement is not None:
            self.is_module = True
            self._add_specifier(statement, "import")
        elif not self._is_property(stop.start):
            self._read_import_expression(stop)

    def _read_import_expression(self, stop: Stop) -> None:
        call = tokens.DYNAMIC.match(self._body, stop.start)
        if call is not None:
            self._read_specifier_argument(call.end(), "import()")
            return
        if tokens.META.match(self._body, stop.start):
            self.is_module = True
            resolve = tokens.RESOLVE.match(self._body, stop.start)
            if resolve is not None:
                self._read_specifier_argument(resolve.end(), "import.meta.resolve")

    def _read_export(self, stop: Stop) -> None:
        if not self._is_word(stop.start) or self._is_property(stop.start):
            return
        again = tokens.EXPORT_FROM.match(self._body, stop.start)
        if again is not None:
            self._add_specifier(again, "export from")
        if again is not None or tokens.EXPORT.match(self._body, stop.start):
            self.is_module = True

    def _read_specifier_argument(self, position: int, how: str) -> None:
        literal = tokens.LITERAL_FIRST.match(self._body, position)
        if literal is not None:
            self._add_specifier(literal, how)
        elif not tokens.NO_ARGUMENT.match(self._body, position):
            self._read_pattern(position)

    def _read_computed(self, position: int) -> Computed:
        if self._allowance <= 0:
            return Computed("", "", position)
        computed = read_computed(self._body, position)
        self._allowance -= computed.end - position
        return computed

    def _read_pattern(self, position: int) -> None:
        """Notes what is known of a computed argument; the lexer goes on inside it."""
        computed = self._read_computed(position)
        if not tokens.METHOD_BODY.match(self._body, computed.end):
            self.patterns.append(ModulePattern(computed.prefix, computed.suffix, self._count_line(position)))

    def _read_import_scripts(self, stop: Stop) -> None:
        if not self._is_word(stop.start) or (self._is_property(stop.start) and not self._is_global(stop.start)):
            return
        call = tokens.CALL.match(self._body, stop.end)
        position = call.end() if call is not None else -1
        while call is not None and (argument := tokens.LITERAL_ARGUMENT.match(self._body, position)):
            self._add(argument, Use.LOAD, "importScripts")
            position = argument.end()

    def _read_url(self, stop: Stop) -> None:
        owner = self._owners.get(stop.start)
        call = tokens.CALL.match(self._body, stop.end)
        if call is None or not self._is_constructed(stop.start):
            return
        literal = tokens.LITERAL_FIRST.match(self._body, call.end())
        if literal is None:
            computed = self._read_computed(call.end())
            if tokens.META_URL.match(self._body, computed.end):
                self.patterns.append(ModulePattern(computed.prefix, computed.suffix, self._count_line(stop.start)))
        elif tokens.META_URL.match(self._body, literal.end()):
            self._add_located(literal, owner)

    def _add_located(self, literal: re.Match[bytes], owner: StopKind | None) -> None:
        if owner is StopKind.WORKER:
            self._add(literal, Use.MODULE, "worker")
        elif owner is None:
            self._add(literal, Use.LOAD, "new URL")
        else:
            self._add_registration(literal)

    def _read_worker(self, stop: Stop) -> None:
        if self._body.endswith(b"service", 0, stop.start):
            self._read_registration(tokens.REGISTER.match(self._body, stop.end))
            return
        is_shared = self._body.endswith(b"Shared", 0, stop.start)
        call = tokens.CALL.match(self._body, stop.end)
        if call is None or not self._is_constructed(stop.start - 6 * is_shared):
            return
        literal = tokens.LITERAL_FIRST.match(self._body, call.end())
        if literal is not None:
            self._add(literal, Use.OPAQUE, "worker")
        else:
            self._own(call.end(), StopKind.WORKER)

    def _read_workbox(self, stop: Stop) -> None:
        if self._is_constructed(stop.start):
            self._read_registration(tokens.CALL.match(self._body, stop.end))

    def _read_registration(self, call: re.Match[bytes] | None) -> None:
        if call is None:
            return
        literal = tokens.LITERAL_FIRST.match(self._body, call.end())
        if literal is not None:
            self._add_registration(literal)
        else:
            self._own(call.end(), StopKind.WORKBOX)

    def _add_registration(self, literal: re.Match[bytes]) -> None:
        url = self._decode(literal).url
        if url and url not in self.registers:
            self.registers.append(url)
        self._lexer.go_on(literal.end())

    def _own(self, position: int, owner: StopKind) -> None:
        made = tokens.NEW_URL.match(self._body, position)
        if made is not None:
            self._owners[made.end()] = owner

    def _add_specifier(self, found: re.Match[bytes], how: str) -> None:
        self._add(found, Use.MODULE, how, is_specifier=True)

    def _add(self, found: re.Match[bytes], use: Use, how: str, *, is_specifier: bool = False) -> None:
        literal = self._decode(found)
        self._lexer.go_on(found.end())
        is_bare = is_specifier and _SPECIFIER_PATH.match(literal.url) is None
        if literal.url if is_bare else not is_dismissed(literal.url):
            self.references.append(refer(literal, use, how, self._count_line(literal.start), is_bare=is_bare))

    def _decode(self, found: re.Match[bytes]) -> Literal:
        return read_literal(self._body, *found.span(found.lastgroup or 0), tokens.ESCAPE, tokens.unescape)

    def _count_line(self, position: int) -> int:
        self._line += self._body.count(b"\n", self._counted, position)
        self._counted = max(position, self._counted)
        return self._line

    def _is_word(self, start: int) -> bool:
        """Whether a word begins at `start`, rather than goes on."""
        return not start or not _WORD_BYTE.match(self._body, start - 1) or self._body.endswith(_WIDE_SPACES, 0, start)

    def _is_property(self, start: int) -> bool:
        """Whether a dot on the same line makes the word at `start` the name of a property; one above may be the end of a comment."""
        before = self._body[max(0, start - _NEAR) : start].rstrip(b" \t")
        return before.endswith(b".") and not before.endswith(b"...")

    def _is_constructed(self, start: int) -> bool:
        return tokens.NEW_BEFORE.search(self._body, max(0, start - _NEAR), start) is not None

    def _is_global(self, start: int) -> bool:
        return tokens.GLOBAL_BEFORE.search(self._body, max(0, start - _NEAR), start) is not None
