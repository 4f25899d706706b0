"""Which start tags in an HTML document belong to SVG or MathML: the stack of open foreign elements and what leaves it.

https://html.spec.whatwg.org/multipage/parsing.html#parsing-main-inforeign. HTML elements are tracked only inside integration points
(`<foreignObject>` …). Which elements of HTML stand open around the foreign one is asked only if an end tag would close one of them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class Namespace(StrEnum):
    """Whose element a tag begins."""

    HTML = "html"
    SVG = "svg"
    MATHML = "math"


class _Open(NamedTuple):
    name: bytes
    namespace: Namespace
    takes_html: bool = False  # an HTML integration point
    takes_text: bool = False  # a MathML text integration point


NAMESPACE_ATTRIBUTES = frozenset({b"color", b"encoding", b"face", b"size"})
"""The attributes that decide about namespaces."""

ROOTS: Mapping[bytes, Namespace] = {b"svg": Namespace.SVG, b"math": Namespace.MATHML}
"""The elements that begin foreign content."""

_SVG_POINTS = frozenset({b"desc", b"foreignobject", b"title"})
_MATHML_POINTS = frozenset({b"mi", b"mn", b"mo", b"ms", b"mtext"})
_HTML_ENCODINGS = frozenset({b"application/xhtml+xml", b"text/html"})
_BREAKOUT = frozenset(
    b"b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li listing menu meta nobr ol p pre ruby s small "
    b"span strong strike sub sup table tt u ul var".split()
)
_VOID = frozenset(b"area base basefont bgsound br col embed frame hr image img input keygen link meta param source track wbr".split())
_FORMATTING = frozenset(b"a b big code em font i nobr s small strike strong tt u".split())
_SPECIAL = frozenset(
    b"address applet article aside blockquote body button caption center colgroup dd details dialog dir div dl dt fieldset figcaption figure "
    b"footer form frameset h1 h2 h3 h4 h5 h6 head header hgroup html iframe li listing main marquee menu nav noembed noframes noscript object ol "
    b"p plaintext pre script search section select style summary table tbody td template textarea tfoot th thead title tr ul xmp".split()
)
_CLOSES_PARAGRAPH = _SPECIAL - frozenset(
    b"applet body button caption colgroup frameset head html iframe marquee noembed noframes noscript object script select style tbody td "
    b"template textarea tfoot th thead title tr".split()
)
_HEADINGS = frozenset({b"h1", b"h2", b"h3", b"h4", b"h5", b"h6"})
_ITEMS: Mapping[bytes, frozenset[bytes]] = {
    b"li": frozenset({b"li"}),
    b"dd": frozenset({b"dd", b"dt"}),
    b"dt": frozenset({b"dd", b"dt"}),
    b"option": frozenset({b"option"}),
    b"tr": frozenset({b"td", b"th", b"tr"}),
    b"td": frozenset({b"td", b"th"}),
    b"th": frozenset({b"td", b"th"}),
}
# End tags that close nothing: `</body>` and `</form>` leave what is in them open, the others' elements hold text alone.
_CLOSING_NOTHING = frozenset(b"body form head html iframe noembed noframes plaintext script style textarea title xmp".split())
_UNSTOPPED = frozenset(b"caption table tbody td template tfoot th thead tr".split())  # end tags that integration points do not hold up
_DEPTH = 128
_MOST_NAMES = 128


class OpenForeign:
    """The open elements from the outermost foreign one on. False while there is none, which is nearly always."""

    def __init__(self, body: bytes) -> None:
        self._around = _Around(body)
        self._open: list[_Open] = []
        self._names: Counter[bytes] = Counter()
        self._start = 0

    def __bool__(self) -> bool:
        return bool(self._open)

    @property
    def is_markup_foreign(self) -> bool:
        """Whether the innermost element is foreign, so that CDATA sections exist."""
        return bool(self._open) and self._open[-1].namespace is not Namespace.HTML

    def enter(self, name: bytes, start: int, values: Mapping[bytes, bytes], *, is_self_closing: bool) -> Namespace:
        """A start tag: the namespace that its element gets. `values`: lower-case values of its `NAMESPACE_ATTRIBUTES`."""
        if not self._open:
            self._start = start
        if self._is_foreign(name):
            if name in _BREAKOUT or (name == b"font" and values.keys() & {b"color", b"face", b"size"}):
                self._break_out()
            else:
                return self._push_foreign(name, self._open[-1].namespace, values, is_self_closing=is_self_closing)
        if name in ROOTS:
            return self._push_foreign(name, ROOTS[name], values, is_self_closing=is_self_closing)
        if self._open and name not in _VOID:
            self._push_html(name)
        return Namespace.HTML

    def leave(self, name: bytes) -> None:
        """An end tag."""
        if self.is_markup_foreign and name in (b"p", b"br"):
            self._break_out()
        if not self._names[name] and not self._is_around(name):
            return
        for index in self._innermost():
            element = self._open[index]
            if element.namespace is Namespace.HTML:
                break
            if element.name == name:
                self._cut(index)
                return
        self._leave_html(name)

    def _leave_html(self, name: bytes) -> None:
        for index in self._innermost():
            element = self._open[index]
            if element.namespace is not Namespace.HTML:
                if (element.takes_html or element.takes_text) and name not in _UNSTOPPED:
                    return
            elif element.name == name:
                self._close(index, name)
                return
            elif element.name in _SPECIAL and name not in _SPECIAL and name not in _FORMATTING:
                return
        if self._is_around(name):
            self._cut(0)

    def _is_around(self, name: bytes) -> bool:
        return name not in _CLOSING_NOTHING and self._around.is_open(name, self._start)

    def _push(self, element: _Open) -> None:
        self._open.append(element)
        self._names[element.name] += 1

    def _cut(self, index: int) -> None:
        """Closes the element at `index` and all in it."""
        self._names.subtract(element.name for element in self._open[index:])
        del self._open[index:]

    def _innermost(self) -> range:
        """Indexes of the innermost elements, innermost first; not all, so that a hostile stack is not walked for each tag."""
        return range(len(self._open) - 1, max(-1, len(self._open) - 1 - _DEPTH), -1)

    def _is_foreign(self, name: bytes) -> bool:
        if not self._open or (top := self._open[-1]).namespace is Namespace.HTML or top.takes_html:
            return False
        if top.takes_text:
            return name in (b"mglyph", b"malignmark")
        return not (top.name == b"annotation-xml" and top.namespace is Namespace.MATHML and name == b"svg")

    def _push_foreign(self, name: bytes, namespace: Namespace, values: Mapping[bytes, bytes], *, is_self_closing: bool) -> Namespace:
        if not is_self_closing:
            if namespace is Namespace.SVG:
                point = _Open(name, namespace, takes_html=name in _SVG_POINTS)
            else:
                is_html = name == b"annotation-xml" and values.get(b"encoding") in _HTML_ENCODINGS
                point = _Open(name, namespace, takes_html=is_html, takes_text=name in _MATHML_POINTS)
            self._push(point)
        return namespace

    def _push_html(self, name: bytes) -> None:
        if name in _CLOSES_PARAGRAPH:
            self._close_implied(frozenset({b"p"}))
        if name in _ITEMS:
            self._close_implied(_ITEMS[name])
        if name in _HEADINGS and self._open[-1].name in _HEADINGS:
            self._cut(-1)
        self._push(_Open(name, Namespace.HTML))

    def _close_implied(self, names: frozenset[bytes]) -> None:
        for index in self._innermost():
            element = self._open[index]
            if element.namespace is not Namespace.HTML:
                return
            if element.name in names:
                self._cut(index)
                return
            if element.name in _SPECIAL and element.name not in (b"address", b"div", b"p"):
                return

    def _close(self, index: int, name: bytes) -> None:
        if name in _FORMATTING and self._open[index].namespace is Namespace.HTML:
            self._names[name] -= 1
            del self._open[index]
        else:
            self._cut(index)

    def _break_out(self) -> None:
        while self._open and (top := self._open[-1]).namespace is not Namespace.HTML and not (top.takes_html or top.takes_text):
            self._cut(-1)


class _Around:
    """Counts the tags of HTML elements up to a place: each name's once through the document, however often it is asked for."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._counted: dict[bytes, tuple[int, int]] = {}

    def is_open(self, name: bytes, end: int) -> bool:
        """Whether more start tags than end tags of `name` stand before `end`."""
        if name not in self._counted and len(self._counted) >= _MOST_NAMES:
            return False
        position, depth = self._counted.get(name, (0, 0))
        if position == end:
            return depth > 0
        for tag in re.compile(rb"<(/?)" + re.escape(name) + rb"[\t\n\f\r />]", re.IGNORECASE).finditer(self._body, position, end):
            depth = max(0, depth - 1) if tag[1] else depth + 1
        self._counted[name] = (end, depth)
        return depth > 0
