"""Cuts an HTML document into the few tags that can matter, as browsers cut it (https://html.spec.whatwg.org/multipage/parsing.html).

One pattern (html_patterns.py) runs over all text, comments, end tags and start tags without a reference, so that Python sees only the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from sitepub.core.references.html_foreign import NAMESPACE_ATTRIBUTES, ROOTS, Namespace, OpenForeign
from sitepub.core.references.html_patterns import (
    ASSIGN,
    ATTRIBUTE_NAME,
    ATTRIBUTES,
    COMMENT_REST,
    HIDDEN,
    SEPARATORS,
    SWITCH,
    TAG,
    TAG_NAME,
    FirstBytes,
    compile_run,
)
from sitepub.core.references.html_rawtext import RAW_TEXT_ELEMENTS, find_end_of_raw_text

CODE_ELEMENTS = frozenset({b"script", b"style"})

Attributes = dict[bytes, tuple[int, int]]
"""Lower-case names and the spans of their raw values. Of two with one name the first counts."""


class Cut(NamedTuple):
    """A start tag as it was cut out. `inside` spans its attributes, `end` is behind its `>`. `content` spans its text where that is no markup
    (script, style …), without the end tag.

    `is_cdata`: that of an SVG script or style is, and so holds no character references; HTML's own never does. `is_suppressed`: the
    author wants it left alone (`sitepub-ignore`, or it stands behind `<!-- sitepub: off -->`).
    """

    name: bytes
    start: int
    inside: tuple[int, int]
    end: int
    namespace: Namespace
    content: tuple[int, int] | None = None
    is_cdata: bool = False
    is_suppressed: bool = False


class Tag(NamedTuple):
    """A start tag with its attributes; the rest as in Cut."""

    name: bytes
    start: int
    attributes: Attributes
    namespace: Namespace
    content: tuple[int, int] | None = None
    is_cdata: bool = False
    is_suppressed: bool = False


_ANY_TOKEN = re.compile(
    rb"[^<]*+<(?:"
    + rb"|".join(
        [
            TAG,
            rb"/(?P<end>" + TAG_NAME + rb")" + ATTRIBUTES + SEPARATORS + rb">",
            SWITCH,
            rb"!--" + COMMENT_REST,
            rb"(?P<cdata>!\[CDATA\[)",
            HIDDEN,
        ]
    )
    + rb")"
)
_PIECE = re.compile(SEPARATORS + rb"(" + ATTRIBUTE_NAME + rb")(?:" + ASSIGN + rb"""(?:"([^"]*+)"|'([^']*+)'|([^\t\n\f\r >]*+)))?+""")
_FIRST = FirstBytes()
_IGNORE = b"sitepub-ignore"
_FOREIGN_CODE = re.compile(rb"\s*+<!\[CDATA\[((?:[^\]]++|\](?!\]>))*+)\]\]>\s*+</|([^<]*+)</")


def find_tags(body: bytes, *, links: bool = False) -> Iterator[Tag]:
    """Every start tag that may refer to something, in order; `links`: those that lead a reader elsewhere, too."""
    return (read_tag(body, cut) for cut in cut_tags(body, links=links))


def cut_tags(body: bytes, *, links: bool, start: int = 0) -> Iterator[Cut]:
    """As find_tags, without a look at attributes, from `start` on, where markup of HTML goes on; some that refer to nothing, too."""
    html_token = _ANY_TOKEN if _FIRST.spend(len(body) - start) else compile_run(links=links)
    foreign = OpenForeign(body)
    is_foreign = is_suppressed = False
    position = start
    while token := (_ANY_TOKEN if is_foreign else html_token).match(body, position):
        position = token.end()
        kind = token.lastgroup
        if kind == "close":
            name = token["name"].lower()
            namespace, is_self_closing = Namespace.HTML, False
            content, is_cdata, end = None, False, position
            if is_foreign or name in ROOTS:  # no other element leaves HTML
                is_self_closing = token["close"].endswith(b"/")
                namespace = _enter(name, body, token, foreign, is_self_closing=is_self_closing)
                is_foreign = bool(foreign)
            if namespace is not Namespace.HTML:
                if name in CODE_ELEMENTS and not is_self_closing:
                    content, is_cdata = _find_foreign_code(body, position)
            elif name in RAW_TEXT_ELEMENTS:
                content, position = _find_raw_text(name, body, position)
            yield Cut(name, token.start("name") - 1, token.span("attributes"), end, namespace, content, is_cdata, is_suppressed)
            if name == b"plaintext" and namespace is Namespace.HTML:
                return
        elif kind == "end":
            foreign.leave(token["end"].lower())
            is_foreign = bool(foreign)
        elif kind == "cdata":
            position = _find_behind(body, b"]]>" if foreign.is_markup_foreign else b">", position)
        elif kind == "switch":
            is_suppressed = _turn(token["switch"], is_suppressed)


def read_tag(body: bytes, cut: Cut) -> Tag:
    """The tag that was cut out of `body`, with its attributes."""
    attributes = read_attributes(body, *cut.inside)
    is_suppressed = cut.is_suppressed or _IGNORE in attributes
    return Tag(cut.name, cut.start, attributes, cut.namespace, cut.content, cut.is_cdata, is_suppressed)


def read_attributes(body: bytes, start: int, end: int) -> Attributes:
    """The attributes in a tag, between its name and its `>`."""
    found: Attributes = {}
    for piece in _PIECE.finditer(body, start, end):
        value = piece.span(piece.lastindex or 1) if piece.lastindex != 1 else (piece.end(), piece.end())
        found.setdefault(piece[1].lower(), value)
    return found


def _enter(name: bytes, body: bytes, token: re.Match[bytes], foreign: OpenForeign, *, is_self_closing: bool) -> Namespace:
    values: dict[bytes, bytes] = {}
    if foreign:
        attributes = read_attributes(body, *token.span("attributes"))
        values = {key: body[slice(*attributes[key])].lower() for key in NAMESPACE_ATTRIBUTES & attributes.keys()}
    return foreign.enter(name, token.start("name"), values, is_self_closing=is_self_closing)


def _find_raw_text(name: bytes, body: bytes, start: int) -> tuple[tuple[int, int] | None, int]:
    """The span of the text, and where markup goes on."""
    end = find_end_of_raw_text(body, name, start)
    if end is None and name == b"script":
        return None, len(body)  # a script without an end never runs
    end = len(body) if end is None else end
    return (start, end), end


def _find_foreign_code(body: bytes, start: int) -> tuple[tuple[int, int] | None, bool]:
    """The span of the text, and whether it is CDATA."""
    code = _FOREIGN_CODE.match(body, start)
    return (code.span(code.lastindex or 0), code.lastindex == 1) if code else (None, False)


def _find_behind(body: bytes, end: bytes, position: int) -> int:
    found = body.find(end, position)
    return len(body) if found < 0 else found + len(end)


def _turn(comment: bytes, is_suppressed: bool) -> bool:
    word = comment.partition(b":")[2].strip(b"\t\n\f\r -!>").lower()
    return word == b"off" if word in (b"on", b"off") else is_suppressed
