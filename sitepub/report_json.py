"""One way to write JSON, and the errors that scripts read. Returns strings, prints nothing."""

from __future__ import annotations

import json

from sitepub.errors import SitepubError


def error_as_json(error: SitepubError, *, is_line: bool = False) -> str:
    return to_json({"error": {"code": error.code, "message": error.message, "hint": error.hint}}, is_line=is_line)


def to_json(document: object, *, is_line: bool = False) -> str:
    """`is_line`: for commands that go on, one object a line."""
    return json.dumps(document, indent=None if is_line else 1, ensure_ascii=False)
