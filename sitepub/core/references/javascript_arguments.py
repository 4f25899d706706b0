"""What is known of a computed argument (`"./lang/" + code + ".js"`): how its value begins and how it ends."""

from __future__ import annotations

import re

from msgspec import Struct

from sitepub.core.references import javascript_tokens as tokens
from sitepub.core.references.literals import read_literal

_FARTHEST = 4096


class Computed(Struct, frozen=True):
    """The literal ends of an expression's value; `end` is the offset of the comma or parenthesis behind it."""

    prefix: str
    suffix: str
    end: int


class _Part(Struct, frozen=True):
    """A piece of an operand: a literal with what its value begins and ends with, or anything else under its name."""

    name: bytes
    head: str = ""
    tail: str = ""


def read_computed(body: bytes, start: int) -> Computed:
    """Reads the expression at `start`. What is not a sum, or too long, may be anything: both ends are empty."""
    limit = min(len(body), start + _FARTHEST)
    operands: list[list[_Part]] = [[]]
    depth, is_sum, position = 0, True, start
    while position < limit:
        found = tokens.EXPRESSION_TOKEN.match(body, position, limit)
        if found is None:
            break
        kind = found.lastgroup
        sign = body[position : position + 1]
        if depth == 0 and (sign in (b",", b")", b"]", b"}")):
            return _summarize(operands, found.start()) if is_sum else Computed("", "", found.start())
        if depth == 0 and kind == "sum":
            operands.append([])
        elif depth == 0 and kind == "operator":
            is_sum = False
        elif sign == b"`":
            part, end = _read_template(body, position, limit)
            if depth == 0:
                operands[-1].append(part)
            position = end
            continue
        elif depth == 0 and kind != "trivia":
            operands[-1].append(_make_part(body, found))
        depth += (kind == "open") - (kind == "close")
        position = found.end()
    return Computed("", "", position)


def _summarize(operands: list[list[_Part]], end: int) -> Computed:
    first, last = operands[0], operands[-1]
    keeps_begin = len(first) == 1 or (len(first) > 1 and first[1].name == b".concat")
    return Computed(first[0].head if keeps_begin else "", last[0].tail if len(last) == 1 else "", end)


def _make_part(body: bytes, found: re.Match[bytes]) -> _Part:
    kind = found.lastgroup
    if kind not in ("double", "single"):
        return _Part(found.group())
    text = _decode(body, *found.span(kind))
    return _Part(b"", text, text)


def _read_template(body: bytes, position: int, limit: int) -> tuple[_Part, int]:
    """The template at `position`, with all that is nested in it."""
    braces: list[int] = []
    head: str | None = None
    while True:
        chunk = tokens.TEMPLATE_CHUNK.match(body, position + 1, limit)
        if chunk is None:
            return _Part(b"`"), limit
        text = _decode(body, *chunk.span("text"))
        head = text if head is None else head
        if chunk["close"] != b"`":
            braces.append(0)
        elif not braces:
            return _Part(b"", head, text), chunk.end()
        position = _find_next_chunk(body, chunk.end(), limit, braces)


def _find_next_chunk(body: bytes, position: int, limit: int, braces: list[int]) -> int:
    """Where the next piece of a template begins: at a backtick, or at the brace that closes a substitution."""
    while position < limit:
        found = tokens.CODE_RUN.match(body, position, limit)
        position = found.end() if found else position
        sign = body[position : position + 1]
        if sign == b"`":
            return position
        if sign == b"{":
            braces[-1] += 1
        elif sign == b"}" and braces[-1]:
            braces[-1] -= 1
        elif sign == b"}":
            braces.pop()
            return position
        position += 1
    return limit


def _decode(body: bytes, start: int, end: int) -> str:
    return read_literal(body, start, end, tokens.ESCAPE, tokens.unescape).text
