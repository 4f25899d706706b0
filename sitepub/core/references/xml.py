"""Finds what SVG, XHTML and feeds refer to: expat tells where each tag stands and what its names mean, the bytes there tell the spans.

Nothing external is ever read. Entities other than XML's own are never put in; a file that could blow up by them is left whole.
"""

from __future__ import annotations

import codecs
import re
from bisect import bisect_right
from collections.abc import Mapping
from operator import itemgetter
from xml.parsers import expat

from msgspec import Struct
from msgspec.structs import replace

from sitepub.core.references.html_encoding import is_unreadable, narrow, transcode
from sitepub.core.references.html_findings import Span, suppress
from sitepub.core.references.html_foreign import Namespace
from sitepub.core.references.html_mentions import find_mentions
from sitepub.core.references.html_page import PageReader
from sitepub.core.references.html_tokens import Tag
from sitepub.core.references.model import Reference, Scan, Use
from sitepub.core.references.spans import LineCounter, move_scan
from sitepub.core.references.xml_code import read_code
from sitepub.core.references.xml_content import read_raw_attributes, read_raw_tag
from sitepub.core.references.xml_names import (
    BASE,
    FEED_ATTRIBUTES,
    FEED_TEXTS,
    FEEDS,
    Element,
    Interest,
    canonical,
    learn_attribute,
    learn_element,
)
from sitepub.core.urls import join

_DECLARED = re.compile(rb"<\?xml\s[^>]{0,200}?\bencoding\s*+=\s*+[\"']([A-Za-z0-9._-]++)")
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE, b"<\0", b"\0<", b"\0\0")
_ENTITY = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos);|#)")
_LONGEST_ENTITY = 256
_LONGEST_BASE = 4096


def scan_xml(body: bytes, *, links: bool = False) -> Scan:
    """All that an XML document loads; `links`: also what a reader or a feed reader follows, as Use.LINK."""
    if body.startswith(_WIDE):
        return Scan(problem="is XML in UTF-16 or UTF-32, which is not rewritten", mentions=find_mentions(narrow(body)))
    declared = None if body.startswith(codecs.BOM_UTF8) else _DECLARED.match(body)
    label = declared[1].decode("ascii") if declared else "utf-8"
    if body.isascii() or label.lower() in ("utf-8", "utf8"):
        return _scan(body, links=links)
    try:
        encoding = codecs.lookup(label).name
        decoded = None if is_unreadable(encoding) else transcode(body, encoding)
    except LookupError:
        decoded = None
    if decoded is None:
        return Scan(problem=f"is XML in {label}, which is not rewritten", mentions=find_mentions(body))
    scan = move_scan(_scan(decoded.text, links=links), decoded.map.locate, LineCounter(body).line_at)
    return replace(scan, encoding=encoding)


def _scan(body: bytes, *, links: bool) -> Scan:
    """`body` is UTF-8, whatever it says."""
    document = _Document(body, links=links)
    try:
        document.parse()
    except expat.ExpatError as error:
        problem = f"is not well-formed XML: {expat.ErrorString(error.code).lower()} in line {error.lineno}"
        return Scan(problem=problem, mentions=find_mentions(body))
    except _RefusedError as refused:
        return Scan(problem=str(refused), mentions=find_mentions(body))
    except _EndedEarlyError:
        pass
    return document.finish()


class _RefusedError(Exception):
    """The document is not to be read on."""


class _EndedEarlyError(Exception):
    """Nothing that is wanted can come any more."""


class _Open(Struct):
    """An element of which more than its tag is wanted, at `depth` below the first such one. `start`: where what is wanted starts."""

    depth: int
    start: int
    value: str


class _Document:
    """One pass of expat over one document."""

    def __init__(self, body: bytes, *, links: bool) -> None:
        self.body = body
        self.links = links
        self.page = PageReader(body, links=links, depth=0)
        self.found = self.page.found
        self.depth = 0
        self.root = ""
        self.elements: dict[str, Element] = {}
        self.code: tuple[int, Tag, int] | None = None
        self.text: _Open | None = None
        self.bases: list[_Open] = []
        self.changes: list[tuple[int, str | None]] = [(0, None)]
        self.parser = expat.ParserCreate("utf-8", namespace_separator=" ")
        self.parser.ordered_attributes = True
        self.parser.StartElementHandler = self._start
        self.parser.ProcessingInstructionHandler = self._instruct
        self.parser.EntityDeclHandler = self._declare

    def parse(self) -> None:
        self.parser.Parse(self.body, True)

    def finish(self) -> Scan:
        scan = self.found.finish(self.page.base)
        if len(self.changes) == 1:
            return scan
        references = tuple(self._rebase(reference) for reference in scan.references)
        plain = [reference.url for reference in references if reference.base is not None]
        return replace(scan, references=references, mentions=tuple(dict.fromkeys([*scan.mentions, *plain])))

    def _rebase(self, reference: Reference) -> Reference:
        """Some browsers know `xml:base`, others have dropped it: only the plain name works in all of them."""
        base = self.changes[bisect_right(self.changes, reference.start, key=itemgetter(0)) - 1][1]
        if base is None:
            return reference
        return reference._replace(base=base, use=suppress(reference.use))

    def _declare(self, name: str, is_parameter: bool, value: str | None, *_rest: object) -> None:
        if not is_parameter and value is not None and ("&" in value or len(value) > _LONGEST_ENTITY):
            raise _RefusedError(f"declares the entity `{name}`, which is long or made of others, and so is not read")

    def _instruct(self, target: str, _text: str) -> None:
        if target != "xml-stylesheet" or self.root:
            return
        start = self.parser.CurrentByteIndex
        attributes = dict(read_raw_attributes(self.body, start + 16, self.body.find(b"?>", start)))
        if b"href" in attributes:
            self._add_url(attributes[b"href"], Use.LOAD, "xml-stylesheet href")

    def _start(self, name: str, attributes: list[str]) -> None:
        if self.depth:
            self.depth += 1
        element = self.elements.get(name) or self._learn(name)
        if not self.root:
            self._enter_root(element)
        if element.is_noted:
            self._read(element, attributes)
            return
        interest = element.interest
        is_value, level = False, Interest.NEVER
        for part in attributes:
            if is_value:
                if level is Interest.ALWAYS or (level is Interest.FUNCTIONS and "(" in part):
                    self._read(element, attributes)
                    return
            else:
                level = interest.get(part) or learn_attribute(element, part, root=self.root, links=self.links)
            is_value = not is_value

    def _end(self, name: str) -> None:
        if self.code and self.code[0] == self.depth:
            _, tag, start = self.code
            self.code = None
            read_code(self.found, tag, (start, self.parser.CurrentByteIndex))
        if self.text and self.text.depth == self.depth:
            self._read_text(self.text)
        if self.bases and self.bases[-1].depth == self.depth:
            self.bases.pop()
            self.changes.append((self.parser.CurrentByteIndex, self.bases[-1].value if self.bases else None))
        self.text = None
        self.depth -= 1
        if not self.depth:
            self.parser.EndElementHandler = None

    def _watch(self) -> None:
        """The ends of elements are told only while one is awaited: most documents need none, and pay for none."""
        self.depth = self.depth or 1
        self.parser.EndElementHandler = self._end

    def _enter_root(self, element: Element) -> None:
        self.root = element.local
        if element.namespace is None and self.root in FEEDS and not self.links:
            raise _EndedEarlyError

    def _learn(self, name: str) -> Element:
        element = self.elements[name] = learn_element(name, links=self.links)
        return element

    def _read(self, element: Element, attributes: list[str]) -> None:
        start = self.parser.CurrentByteIndex
        # Of an element in an entity this is where the entity is put in: there are no raw attributes, and nothing is found.
        raw, end = read_raw_tag(self.body, start)
        names = [canonical(name) for name in attributes[::2]]
        values = dict(zip(names, attributes[1::2]))
        # expat leaves declarations of namespaces out, keeps the order of all others, and puts defaults of the DTD behind them.
        ordered = iter(names)
        spans = {next(ordered): span for name, span in raw if name != b"xmlns" and not name.startswith(b"xmlns:")}
        if BASE in spans:
            self._enter_base(start, values[BASE].strip())
            del spans[BASE]
        for name in [name for name, span in spans.items() if _ENTITY.search(self.body, *span)]:
            self._leave_composed(name, values[name], spans.pop(name))
        if element.namespace is None:
            self._read_plain(element, spans, end)
            return
        attributes_of_tag = {name.encode(): span for name, span in spans.items()}
        is_suppressed = b"sitepub-ignore" in attributes_of_tag
        tag = Tag(element.local.lower().encode(), start, attributes_of_tag, element.namespace, is_suppressed=is_suppressed)
        self.page.read(tag)
        if element.is_code:
            self._watch()
            self.code = (self.depth, tag, end)

    def _leave_composed(self, name: str, value: str, span: Span) -> None:
        """Made of the document's own entities: there is no place in it for an insertion."""
        self.found.add_mentions([value])
        self.found.add_note(span[0], f"`{name}` is made of entities, and stays as it is")

    def _add_url(self, span: Span, use: Use, how: str) -> None:
        value = self.found.value(span)
        self.found.add_url(Tag(b"", span[0], {}, Namespace.HTML), value, (0, len(value.text)), use, how)

    def _enter_base(self, start: int, base: str) -> None:
        self._watch()
        inner = join(self.bases[-1].value, base) if self.bases else base
        if len(inner) > _LONGEST_BASE:
            raise _RefusedError("nests `xml:base` too deeply to be read")
        self.bases.append(_Open(self.depth, start, inner))
        self.changes.append((start, inner))

    def _read_plain(self, element: Element, spans: Mapping[str, Span], end: int) -> None:
        """Feeds, tiles, and whatever else is written in XML: a stranger's program reads it, so names stay; but Windows loads tiles."""
        for name in FEED_ATTRIBUTES & spans.keys():
            is_tile = self.root == "browserconfig" and name == "src"
            if is_tile or self.links:
                self._add_url(spans[name], Use.LOAD if is_tile else Use.LINK, f"{element.local} {name}")
        if self.links and element.local in FEED_TEXTS:
            self._watch()
            self.text = _Open(self.depth, end, element.local)

    def _read_text(self, text: _Open) -> None:
        start, end = text.start, self.parser.CurrentByteIndex
        section = re.compile(rb"\s*+<!\[CDATA\[([^\]]*+)\]\]>\s*+").fullmatch(self.body, start, end)
        if section:
            start, end = section.span(1)
        if b"<" not in self.body[start:end]:
            self._add_url((start, end), Use.LINK, text.value)
