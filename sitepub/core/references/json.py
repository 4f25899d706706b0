"""References in JSON: web app manifests and import maps, at the exact spans of their strings.

https://www.w3.org/TR/appmanifest/ and https://html.spec.whatwg.org/multipage/webappapis.html#import-maps
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct

from sitepub.core.references.literals import is_dismissed, read_literal, refer
from sitepub.core.references.model import ImportMap, Integrity, Reference, Scan, Use
from sitepub.core.references.spans import LineCounter


class JsonString(Struct, frozen=True):
    """A string and the span of its raw text between the quotes."""

    start: int
    end: int
    value: str


class Member(Struct, frozen=True):
    """A member of an object; its key has a place too, for import maps rewrite it."""

    key: JsonString
    value: JsonNode


class JsonObject(Struct, frozen=True):
    """Of members with one key the last one counts."""

    members: Mapping[str, Member]


class JsonArray(Struct, frozen=True):
    values: tuple[JsonNode, ...]


JsonNode = JsonString | JsonObject | JsonArray | None
"""None stands for numbers, literals and null: none of them is a URL."""

_TOKEN = re.compile(rb'"((?:[^"\\]|\\.)*+)"|([{}\[\]])|[^"{}\[\],:\s]++', re.DOTALL)
_ESCAPE = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.")
_URL_LIKE = re.compile(r"\.{0,2}/|[A-Za-z][A-Za-z0-9+.-]*:")

# Members of a manifest by the way to them; `[]` is every value of an array.
_MANIFEST_LOADS: tuple[tuple[str, ...], ...] = (
    ("icons", "[]", "src"),
    ("screenshots", "[]", "src"),
    ("shortcuts", "[]", "icons", "[]", "src"),
    ("file_handlers", "[]", "icons", "[]", "src"),
    ("tab_strip", "home_tab", "icons", "[]", "src"),
    ("widgets", "[]", "icons", "[]", "src"),
    ("widgets", "[]", "screenshots", "[]", "src"),
)
_MANIFEST_LINKS: tuple[tuple[str, ...], ...] = (
    ("start_url",),
    ("scope",),
    ("id",),
    ("shortcuts", "[]", "url"),
    ("file_handlers", "[]", "action"),
    ("protocol_handlers", "[]", "url"),
    ("share_target", "action"),
    ("related_applications", "[]", "url"),
    ("note_taking", "new_note_url"),
    ("lock_screen", "start_url"),
    ("tab_strip", "new_tab_button", "url"),
    ("widgets", "[]", "ms_ac_template"),
    ("widgets", "[]", "data"),
    ("serviceworker", "src"),
    ("serviceworker", "scope"),
)


def scan_web_manifest(body: bytes) -> Scan:
    """A web app manifest. Icons and screenshots are loaded; where it starts and what it handles are pages."""
    tree = _parse(body)
    if isinstance(tree, str):
        return Scan(problem=tree)
    point = _pointer(body)
    ways = [(way, Use.LOAD) for way in _MANIFEST_LOADS] + [(way, Use.LINK) for way in _MANIFEST_LINKS]
    found = [
        point(text, use, f"manifest {' '.join(step for step in way if step != '[]')}")
        for way, use in ways
        for text in _strings_at(tree, way)
    ]
    found = [reference for reference in found if not is_dismissed(reference.url)]
    workers = tuple(text.value.strip() for text in _strings_at(tree, ("serviceworker", "src")))
    return Scan(references=_sorted(found), registers=workers)


def scan_import_map(body: bytes) -> Scan:
    """An import map. Addresses are modules; keys that are URLs must follow what they name, and so must those of `integrity`."""
    tree = _parse(body)
    if isinstance(tree, str):
        return Scan(problem=tree)
    point = _pointer(body)
    references: list[Reference] = []
    keys: list[Reference] = []
    prefixes: list[Reference] = []
    scopes = _members(tree.members.get("scopes"))
    for imports in (tree.members.get("imports"), *scopes):
        for member in _members(imports):
            if _URL_LIKE.match(member.key.value):
                keys.append(point(member.key, Use.MODULE, "import map key"))
            if isinstance(member.value, JsonString) and _URL_LIKE.match(member.value.value):
                is_prefix = member.key.value.endswith("/")
                (prefixes if is_prefix else references).append(point(member.value, Use.MODULE, "import map"))
    keys += [point(scope.key, Use.MODULE, "import map scope") for scope in scopes]
    integrities: list[Integrity] = []
    for member in _members(tree.members.get("integrity")):
        if isinstance(member.value, JsonString) and _URL_LIKE.match(member.key.value):
            named = point(member.key, Use.MODULE, "import map integrity")
            references.append(named)
            integrities.append(Integrity(member.value.start, member.value.end, member.value.value, named.url))
    return Scan(
        references=_sorted(references),
        integrities=tuple(sorted(integrities, key=lambda integrity: integrity.start)),
        import_maps=(ImportMap(0, len(body), _sorted(keys), _sorted(prefixes)),),
    )


def _sorted(references: list[Reference]) -> tuple[Reference, ...]:
    return tuple(sorted(references, key=lambda reference: reference.start))


def _parse(body: bytes) -> JsonObject | str:
    """The object that the text is, or why it is none. The standard library judges; spans are found in what it accepts."""
    if body.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in body:
        return "is JSON in UTF-16 or UTF-32, not UTF-8"
    try:
        json.loads(body.removeprefix(b"\xef\xbb\xbf").decode("utf-8"), parse_constant=_refuse_constant, parse_int=len, parse_float=len)
    except json.JSONDecodeError as error:
        return f"is not valid JSON: {error.msg.lower()} in line {error.lineno}"
    except UnicodeDecodeError:
        return "is JSON, but not in UTF-8"
    except RecursionError:
        return "is JSON nested too deeply"
    except ValueError as error:
        return f"is not valid JSON: {error}"
    tree = _build(body)
    return tree if isinstance(tree, JsonObject) else "is JSON, but not an object"


def _refuse_constant(name: str) -> None:
    raise ValueError(f"`{name}` is no JSON")


def _build(body: bytes) -> JsonNode:
    """The tree of valid JSON. An object's strings alternate between key and value, so commas and colons need not be seen."""
    root: list[JsonNode] = []
    open_values: list[list[JsonNode]] = [root]
    for token in _TOKEN.finditer(body, 3 if body.startswith(b"\xef\xbb\xbf") else 0):
        bracket = token.group(2)
        if bracket is None:
            text = token.group(1)
            open_values[-1].append(None if text is None else JsonString(token.start(1), token.end(1), json.loads(token.group().decode())))
        elif bracket in b"{[":
            open_values.append([])
        else:
            values = open_values.pop()
            open_values[-1].append(_close_object(values) if bracket == b"}" else JsonArray(tuple(values)))
    return root[0]


def _close_object(values: list[JsonNode]) -> JsonObject:
    members = {key.value: Member(key, value) for key, value in zip(values[::2], values[1::2]) if isinstance(key, JsonString)}
    return JsonObject(members)


def _strings_at(node: JsonNode, way: tuple[str, ...]) -> Iterator[JsonString]:
    if not way:
        if isinstance(node, JsonString):
            yield node
    elif way[0] == "[]":
        for value in node.values if isinstance(node, JsonArray) else ():
            yield from _strings_at(value, way[1:])
    elif isinstance(node, JsonObject) and way[0] in node.members:
        yield from _strings_at(node.members[way[0]].value, way[1:])


def _members(owner: Member | None) -> tuple[Member, ...]:
    return tuple(owner.value.members.values()) if owner and isinstance(owner.value, JsonObject) else ()


def _pointer(body: bytes) -> Callable[[JsonString, Use, str], Reference]:
    """Makes references into `body`, which knows its lines."""
    lines = LineCounter(body)

    def point(text: JsonString, use: Use, how: str) -> Reference:
        literal = read_literal(body, text.start, text.end, _ESCAPE, _unescape)
        return refer(literal, use, how, lines.line_at(text.start))

    return point


def _unescape(raw: bytes) -> str:
    """A lone surrogate is no character, in a URL it becomes U+FFFD."""
    text: str = json.loads(f'"{raw.decode()}"')
    return "\ufffd" if "\ud800" <= text <= "\udfff" else text
