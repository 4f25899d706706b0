"""Gathers what one HTML document refers to, each URL and each embedded text at its place in the raw document."""

from __future__ import annotations

import re
from collections.abc import Iterable
from operator import attrgetter
from typing import Protocol, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from sitepub.core.references.entities import decode_references
from sitepub.core.references.html_links import ScriptKind, choose_script_kind
from sitepub.core.references.html_tokens import Tag
from sitepub.core.references.literals import Literal, is_dismissed
from sitepub.core.references.model import InlineBlock, Integrity, PolicyHash, Reference, Scan, Use
from sitepub.core.references.spans import IndexMap, LineCounter, move_scan, shift_reference

Span = tuple[int, int]

_ENDS = bytes(range(0x21))
_TEMPLATE = re.compile(r"\{\{|\{%|<%|<\?|\$\{")


class Value(Struct, frozen=True):
    """A text in the document with its character references undone: the value of an attribute, or the content of an element."""

    start: int
    text: bytes
    map: IndexMap

    def locate(self, offset: int) -> int:
        """Where `offset` of the text is in the document."""
        return self.start + self.map.locate(offset)


class Findings:
    """What was found so far. Spans are of `body`."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self._lines = LineCounter(body)
        self._parts: list[Scan] = []
        self._references: list[Reference] = []
        self._integrities: list[Integrity] = []
        self._inline: list[InlineBlock] = []
        self._policy_hashes: list[PolicyHash] = []
        self._mentions: dict[str, None] = {}
        self._web_manifests: list[str] = []
        self._notes: list[str] = []

    def value(self, span: Span, *, in_attribute: bool = True) -> Value:
        """The text at a span of `body`. In attributes fewer character references are undone: see `decode_references`."""
        decoded = decode_references(self.body[span[0] : span[1]], in_attribute=in_attribute)
        return Value(span[0], decoded.text, decoded.map)

    def text_of(self, tag: Tag, attribute: bytes) -> str | None:
        """The value of an attribute without white space at its ends; None: it is not there."""
        span = tag.attributes.get(attribute)
        return None if span is None else _text(self.value(span).text)

    def script_kind_of(self, tag: Tag) -> ScriptKind:
        return choose_script_kind(self.text_of(tag, b"type"), self.text_of(tag, b"language"))

    def add_url(self, tag: Tag, value: Value, part: Span, use: Use, how: str, *, is_optional: bool = False) -> None:
        """The URL that is `part` of a value."""
        begin, end = part
        raw = value.text[begin:end]
        url = _text(raw)
        if is_dismissed(url):
            return
        start = value.locate(begin)
        dot = _find_dot(raw)
        if tag.is_suppressed or (use is not Use.LINK and _TEMPLATE.search(url)):
            use = suppress(use)
        self._references.append(
            Reference(
                start,
                value.locate(end),
                value.locate(begin + dot) if dot >= 0 else -1,
                url,
                use,
                how,
                self._lines.line_at(start),
                is_optional=is_optional,
            )
        )

    def add_integrity(self, tag: Tag, url: str) -> None:
        """The `integrity` of an element, if it has one."""
        span = tag.attributes.get(b"integrity")
        if span is not None:
            self._integrities.append(Integrity(*span, _text(self.value(span).text), url))

    def add_inline(self, span: Span, directive: str, *, escapes: int) -> None:
        self._inline.append(InlineBlock(*span, directive, escapes))

    def add_policy_hash(self, value: Value, part: Span, algorithm: str) -> None:
        text = value.text[slice(*part)].decode("ascii")
        self._policy_hashes.append(PolicyHash(value.locate(part[0]), value.locate(part[1]), algorithm, text))

    def add_mentions(self, mentions: Iterable[str]) -> None:
        self._mentions.update(dict.fromkeys(mentions))

    def add_web_manifest(self, url: str) -> None:
        self._web_manifests.append(url)

    def add_note(self, offset: int, note: str) -> None:
        """`note`: lower case, behind the line of `offset`."""
        self._notes.append(f"line {self._lines.line_at(offset)}: {note}")

    def add_scan(self, value: Value, scan: Scan, *, escapes: int = 0, is_suppressed: bool) -> None:
        """What another scanner found in a value."""
        moved = move_scan(scan, value.locate, self._lines.line_at, escapes=escapes)
        if is_suppressed:
            moved = replace(moved, references=tuple(one._replace(use=suppress(one.use)) for one in moved.references))
        self._parts.append(moved)

    def add_piece(self, piece: Scan, at: int) -> None:
        """What a tag says that starts at `at` and was read by itself."""
        if piece.references:
            line = self._lines.line_at(at) - 1
            self._references += [shift_reference(one, at, line) for one in piece.references]
        if piece.integrities:
            self._integrities += [Integrity(at + one.start, at + one.end, one.value, one.url, one.base) for one in piece.integrities]
        if piece.inline:
            self._inline += [InlineBlock(at + one.start, at + one.end, one.directive, one.escapes) for one in piece.inline]
        if piece.policy_hashes:
            self._policy_hashes += [PolicyHash(at + one.start, at + one.end, one.algorithm, one.value) for one in piece.policy_hashes]
        if piece.mentions:
            self.add_mentions(piece.mentions)
        if piece.web_manifests:
            self._web_manifests += piece.web_manifests

    def finish(self, base: str | None, *, encoding: str | None = None) -> Scan:
        """All of it; what has a place, sorted by it."""
        parts = self._parts
        if not parts:
            return self._finish_alone(base, encoding)
        for part in parts:
            self.add_mentions(part.mentions)
        return Scan(
            references=_sort([*self._references, *(one for part in parts for one in part.references)]),
            base=base,
            integrities=_sort([*self._integrities, *(one for part in parts for one in part.integrities)]),
            inline=_sort([*self._inline, *(one for part in parts for one in part.inline)]),
            policy_hashes=_sort([*self._policy_hashes, *(one for part in parts for one in part.policy_hashes)]),
            patterns=tuple(pattern for part in parts for pattern in part.patterns),
            import_maps=_sort([one for part in parts for one in part.import_maps]),
            registers=tuple(url for part in parts for url in part.registers),
            mentions=tuple(self._mentions),
            web_manifests=tuple(self._web_manifests),
            notes=(*self._notes, *(note for part in parts for note in part.notes)),
            encoding=encoding,
        )

    def _finish_alone(self, base: str | None, encoding: str | None) -> Scan:
        """No other scanner found anything, which is so for most pages and costs little."""
        return Scan(
            references=_sort(self._references),
            base=base,
            integrities=_sort(self._integrities),
            inline=_sort(self._inline),
            policy_hashes=_sort(self._policy_hashes),
            mentions=tuple(self._mentions),
            web_manifests=tuple(self._web_manifests),
            notes=tuple(self._notes),
            encoding=encoding,
        )


def suppress(use: Use) -> Use:
    """What a reference asks for that the author wants left alone: its target keeps an alias."""
    return use if use is Use.LINK else Use.OPAQUE


def _find_dot(raw: bytes) -> int:
    """Byte offset of the place for a digest in a URL; -1: none."""
    lead = len(raw) - len(raw.lstrip(_ENDS))
    text = _text(raw)
    dot = Literal(0, len(text), text).find_offset()
    return -1 if dot < 0 else lead + len(text[:dot].encode("utf-8", "surrogateescape"))


def _text(raw: bytes) -> str:
    return raw.strip(_ENDS).decode("utf-8", "surrogateescape")


class _Placed(Protocol):
    @property
    def start(self) -> int: ...


_AnyPlaced = TypeVar("_AnyPlaced", bound=_Placed)


def _sort(found: list[_AnyPlaced]) -> tuple[_AnyPlaced, ...]:
    return tuple(sorted(found, key=attrgetter("start"))) if len(found) > 1 else tuple(found)
