"""One way to write JSON, and the errors that scripts read. Returns it, prints nothing."""

from __future__ import annotations

import json

from sitepub.errors import SitepubError


def error_as_json(error: SitepubError, *, is_line: bool = False) -> str:
    return to_json({"error": {"code": error.code, "message": error.message, "hint": error.hint}}, is_line=is_line)


def structs_to_json(document: object, *, is_line: bool = False) -> bytes:
    """As to_json, in UTF-8, of values that may be structs: of these there may be a million, and dictionaries of them, or a text beside its bytes, would be
    much of a run's memory."""
    import msgspec.json

    return msgspec.json.format(msgspec.json.encode(document), indent=0 if is_line else 1)


def to_json(document: object, *, is_line: bool = False) -> str:
    """`is_line`: for commands that go on, one object a line."""
    return json.dumps(document, indent=None if is_line else 1, ensure_ascii=False)
