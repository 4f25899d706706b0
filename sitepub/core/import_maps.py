"""Hashed modules without a rewritten specifier: an import map in each page says where a plain URL leads, so an edit renames one file alone.

https://html.spec.whatwg.org/multipage/webappapis.html#import-maps
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from enum import StrEnum

from sitepub.core.references.html_tokens import find_tags
from sitepub.core.references.model import Scan

_IMPORTS = re.compile(rb'"imports"\s*+:\s*+\{\s*+(\})?')
_OBJECT = re.compile(rb"\s*+\{\s*+(\})?")
_POLICY = re.compile(rb"content-security-policy", re.IGNORECASE)


class MapForm(StrEnum):
    """What goes in: a script of its own, or what a page's own map lacks. `…_FIRST`: other members follow."""

    SCRIPT = "script"
    IMPORTS = "imports"
    IMPORTS_FIRST = "imports first"
    ENTRIES = "entries"
    ENTRIES_FIRST = "entries first"


def find_map_place(body: bytes, scan: Scan) -> tuple[int, MapForm] | None:
    """Where a page's import map begins, or can: before its first script, for later ones would be too late. None: the page can't have
    one, since it has another base or a policy that may forbid it."""
    if scan.base is not None or scan.problem is not None or scan.encoding not in (None, "utf-8") or _POLICY.search(body):
        return None
    if scan.import_maps:
        own = scan.import_maps[0]
        imports = _IMPORTS.search(body, own.start, own.end)
        if imports is not None:
            return imports.start() + imports.group().index(b"{") + 1, MapForm.ENTRIES if imports[1] else MapForm.ENTRIES_FIRST
        begin = _OBJECT.match(body, own.start, own.end)
        if begin is None:
            return None
        return body.index(b"{", own.start) + 1, MapForm.IMPORTS if begin[1] else MapForm.IMPORTS_FIRST
    first = next((tag.start for tag in find_tags(body, links=True) if tag.name in (b"script", b"link")), None)
    return None if first is None else (first, MapForm.SCRIPT)


def write_map(entries: Mapping[str, str], form: MapForm) -> bytes:
    """What is inserted. Keys and addresses are percent-encoded URL paths, so that no markup is in them."""
    inner = json.dumps(dict(sorted(entries.items())), separators=(",", ":"))[1:-1]
    match form:
        case MapForm.SCRIPT:
            text = f'<script type="importmap">{{"imports":{{{inner}}}}}</script>'
        case MapForm.IMPORTS:
            text = f'"imports":{{{inner}}}'
        case MapForm.IMPORTS_FIRST:
            text = f'"imports":{{{inner}}},'
        case MapForm.ENTRIES:
            text = inner
        case MapForm.ENTRIES_FIRST:
            text = f"{inner},"
    return text.encode("ascii")
