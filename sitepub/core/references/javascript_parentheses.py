"""Tells what a closing parenthesis in a script ends, where only that says whether a slash divides or begins a regular expression."""

from __future__ import annotations

from sitepub.core.references import javascript_tokens as tokens

_LONGEST_HEAD = 24
_NEAR = 256


class ParenthesisMatcher:
    """Tells the `)` of `if (…)` from that of an expression. Asked only where both meanings are possible, so it reads most scripts never."""

    __slots__ = ("_body", "_heads", "_opaque", "_position")

    def __init__(self, body: bytes, start: int, opaque: dict[int, int]) -> None:
        self._body = body
        self._opaque = opaque
        self._position = start
        self._heads: list[bool] = []

    def is_head(self, closing: int) -> bool:
        """Whether the `)` at `closing` ends the head of `if`, `while`, `for` or `with`. Asked from left to right."""
        near = self._find_near(closing)
        if near is not None:
            return self._follows_head(near)
        is_head = False
        while self._position <= closing:
            found = tokens.PARENTHESES.match(self._body, self._position, closing + 1)
            position = found.end() if found else self._position
            sign = self._body[position : position + 1]
            if sign == b"(":
                self._heads.append(self._follows_head(position))
            elif sign == b")":
                is_head = self._heads.pop() if self._heads else False
            self._position = self._opaque.get(position, position + 1)
        return is_head

    def _follows_head(self, opening: int) -> bool:
        return tokens.HEAD.search(self._body, max(0, opening - _LONGEST_HEAD), opening) is not None

    def _find_near(self, closing: int) -> int | None:
        """The opening parenthesis, where it is near and nothing between could hide one."""
        begin = max(0, closing - _NEAR)
        depth = 0
        for found in reversed(list(tokens.NEAR_PARENTHESIS.finditer(self._body, begin, closing + 1))):
            sign = found.group()
            if sign not in (b"(", b")"):
                return None
            depth += 1 if sign == b")" else -1
            if depth == 0:
                return found.start()
        return None
