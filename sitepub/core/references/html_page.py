"""Reads one HTML document tag by tag: which of its attributes refer, and to what end."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain

from msgspec.structs import replace

from sitepub.core.references.html_attributes import AttributeRule, Form, find_rule
from sitepub.core.references.html_code import read_declarations, read_handler, read_script, read_style
from sitepub.core.references.html_findings import Findings, Span, Value
from sitepub.core.references.html_foreign import Namespace
from sitepub.core.references.html_links import (
    choose_link_use,
    choose_meta_use,
    choose_script_use,
    find_policy_hashes,
    find_refresh,
    find_task_parts,
)
from sitepub.core.references.html_mentions import find_mentions
from sitepub.core.references.html_tokens import CODE_ELEMENTS, Cut, Tag, cut_tags, read_tag
from sitepub.core.references.model import SWITCHED, Reference, Scan, Use
from sitepub.core.references.srcset import find_candidates

_DEEPEST = 8  # documents in the `srcdoc` of documents
_PLACED = frozenset({b"base", b"iframe"})  # the first base counts; what is in a `srcdoc` depends on its depth
_LONGEST_SHARED = 1024
_LONGEST_HEAD = 4096
_NEXT = b"<img src=.>"
_WORD = re.compile(rb"[^\t\n\f\r ]++")


def read_page(body: bytes, *, links: bool, depth: int = 0, encoding: str | None = None) -> Scan:
    """A document in UTF-8, which may declare another `encoding`. `depth`: how many documents hold it in a `srcdoc`."""
    page = PageReader(body, links=links, depth=depth)
    for cut in _read_head(page):
        _read_cut(page, cut)
    return page.found.finish(page.base, encoding=encoding)


def _read_head(page: PageReader) -> Iterator[Cut]:
    """Reads what stands from the first tag to the end of the head as one, for pages of one folder have that in common. Returns the tags behind."""
    body, links = page.found.body, page.links
    cuts = cut_tags(body, links=links)
    first = next(cuts, None)
    if first is None:
        return cuts
    end = body.find(b"</head>", first.start, first.start + _LONGEST_HEAD)
    if end < 0 or first.is_suppressed or (piece := _read_part(body[first.start : end], links)) is None:
        return chain((first,), cuts)
    page.found.add_piece(piece, first.start)
    return cut_tags(body, links=links, start=end)


@lru_cache(maxsize=256)
def _read_part(text: bytes, links: bool) -> Scan | None:
    """What a part of a page says; None: it says more, or what follows it is not read as if it stood alone. That shows by a tag put there."""
    body = text + _NEXT
    page = PageReader(body, links=links, depth=0)
    for cut in cut_tags(body, links=links):
        if cut.namespace is not Namespace.HTML or cut.name in _PLACED:
            return None
        if cut.start == len(text):
            return None if cut.is_suppressed else _finish_piece(page)
        _read_cut(page, cut)
    return None


def _read_cut(page: PageReader, cut: Cut) -> None:
    piece = _read_shared(page.found.body, cut, links=page.links)
    if piece is None:
        page.read(read_tag(page.found.body, cut))
    else:
        page.found.add_piece(piece, cut.start)


def _read_shared(body: bytes, cut: Cut, *, links: bool) -> Scan | None:
    """What a tag says wherever it stands, for the heads and frames of a site's pages are alike; None: it says more, or is not worth a memory."""
    if cut.is_suppressed or cut.namespace is not Namespace.HTML or cut.name in _PLACED:
        return None
    is_code = cut.content is not None and cut.name in CODE_ELEMENTS
    end = cut.content[1] + len(cut.name) + len("</>") if cut.content and is_code else cut.end
    return _read_alone(body[cut.start : end], links) if end - cut.start <= _LONGEST_SHARED else None


@lru_cache(maxsize=4096)
def _read_alone(text: bytes, links: bool) -> Scan | None:
    """`text`: a tag, and the content and end of its element where that is code."""
    page = PageReader(text, links=links, depth=0)
    for cut in cut_tags(text, links=links):
        page.read(read_tag(text, cut))
    return _finish_piece(page)


def _finish_piece(page: PageReader) -> Scan | None:
    scan = page.found.finish(None)
    return None if scan.notes or scan.import_maps or scan.patterns or scan.registers else scan


class PageReader:
    """What the tags of one document say, one after the other. XHTML is read with it too, tag by tag as expat finds them."""

    def __init__(self, body: bytes, *, links: bool, depth: int) -> None:
        self.links = links
        self.depth = depth
        self.base: str | None = None
        self.found = Findings(body)

    def read(self, tag: Tag) -> None:
        """Takes what the tag and the code in it refer to into `found`."""
        if tag.namespace is Namespace.HTML:
            self._read_by_attributes(tag)
        for attribute, span in tag.attributes.items():
            rule = find_rule(tag.namespace, tag.name, attribute)
            if rule is not None:
                self._read_attribute(tag, attribute, span, rule)
            elif attribute.startswith(b"data-"):
                self.found.add_mentions(find_mentions(self.found.value(span).text))
            elif attribute.startswith(b"on"):
                read_handler(self.found, self.found.value(span))
        if tag.name == b"script":
            read_script(self.found, tag)
        elif tag.name == b"style":
            read_style(self.found, tag)

    def _read_by_attributes(self, tag: Tag) -> None:
        """The elements whose other attributes say what a URL is for."""
        match tag.name:
            case b"base" if self.base is None:
                self.base = self.found.text_of(tag, b"href")
            case b"link":
                self._read_link(tag)
            case b"meta" if b"content" in tag.attributes:
                self._read_meta(tag, tag.attributes[b"content"])
            case b"script" if (url := self.found.text_of(tag, b"src")) is not None:
                self.found.add_integrity(tag, url)

    def _read_link(self, tag: Tag) -> None:
        url = self.found.text_of(tag, b"href")
        if url is None:
            return
        relations = (self.found.text_of(tag, b"rel") or "").lower().split()
        if "manifest" in relations:
            self.found.add_web_manifest(url)
        use = choose_link_use(relations, self.found.text_of(tag, b"as") or "")
        is_off = "stylesheet" in relations and ("alternate" in relations or b"disabled" in tag.attributes)
        self._add_whole(tag, b"href", use, how=SWITCHED if is_off else None)
        if use is not Use.LINK:
            self.found.add_integrity(tag, url)

    def _read_meta(self, tag: Tag, span: Span) -> None:
        name = (self.found.text_of(tag, b"name") or self.found.text_of(tag, b"property") or "").lower()
        equivalent = (self.found.text_of(tag, b"http-equiv") or "").lower()
        value = self.found.value(span)
        if equivalent == "content-security-policy":
            for algorithm, start, end in find_policy_hashes(value.text):
                self.found.add_policy_hash(value, (start, end), algorithm)
        elif equivalent == "refresh":
            self._add_parts(tag, b"content", value, find_refresh(value.text))
        elif name == "msapplication-task":
            self._add_parts(tag, b"content", value, find_task_parts(value.text))
        elif use := choose_meta_use(name, self.found.text_of(tag, b"itemprop") or ""):
            self._add_whole(tag, b"content", use)

    def _read_attribute(self, tag: Tag, attribute: bytes, span: Span, rule: AttributeRule) -> None:
        match rule.form:
            case Form.URL:
                use = choose_script_use(self.found.script_kind_of(tag)) if tag.name == b"script" and not rule.is_optional else rule.use
                self._add_whole(tag, attribute, use, is_optional=rule.is_optional)
            case Form.WORDS if self.links:
                value = self.found.value(span)
                self._add_parts(tag, attribute, value, ((rule.use, *word.span()) for word in _WORD.finditer(value.text)))
            case Form.CANDIDATES:
                value = self.found.value(span)
                parts = ((rule.use, *part) for part in find_candidates(value.text))
                self._add_parts(tag, attribute, value, parts, is_optional=rule.is_optional)
            case Form.DOCUMENT:
                self._read_document(tag, self.found.value(span))
            case Form.STYLE | Form.PAINT:
                read_declarations(self.found, tag, span, is_style=rule.form is Form.STYLE)

    def _add_whole(self, tag: Tag, attribute: bytes, use: Use, *, how: str | None = None, is_optional: bool = False) -> None:
        if use is not Use.LINK or self.links:
            value = self.found.value(tag.attributes[attribute])
            self.found.add_url(tag, value, (0, len(value.text)), use, how or _place(tag, attribute), is_optional=is_optional)

    def _add_parts(
        self, tag: Tag, attribute: bytes, value: Value, parts: Iterable[tuple[Use, int, int]], *, is_optional: bool = False
    ) -> None:
        for use, start, end in parts:
            if use is not Use.LINK or self.links:
                self.found.add_url(tag, value, (start, end), use, _place(tag, attribute), is_optional=is_optional)

    def _read_document(self, tag: Tag, value: Value) -> None:
        if self.depth >= _DEEPEST:
            self.found.add_note(value.start, "documents in `srcdoc` are nested too deeply to be read")
            return
        scan = read_page(value.text, links=self.links, depth=self.depth + 1)
        if scan.base is not None:
            scan = _rebase(scan, scan.base)
        self.found.add_scan(value, scan, escapes=1, is_suppressed=tag.is_suppressed)


def _place(tag: Tag, attribute: bytes) -> str:
    return f"{_word(tag.name)} {_word(attribute)}"


def _word(name: bytes) -> str:
    return name.decode("utf-8", "replace")


def _rebase(scan: Scan, base: str) -> Scan:
    """A document in a `srcdoc` has a base of its own, where it has a `<base>`."""

    def on_base(reference: Reference) -> Reference:
        return reference if reference.base is not None else reference._replace(base=base)

    return replace(
        scan,
        references=tuple(map(on_base, scan.references)),
        integrities=tuple(one if one.base is not None else replace(one, base=base) for one in scan.integrities),
        patterns=tuple(one if one.base is not None else replace(one, base=base) for one in scan.patterns),
        import_maps=tuple(
            replace(one, keys=tuple(map(on_base, one.keys)), prefixes=tuple(map(on_base, one.prefixes))) for one in scan.import_maps
        ),
    )
