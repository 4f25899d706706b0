"""The tree of sitepub.yaml as it was last parsed, kept on this machine: to import a parser takes longer than most runs have to do. May be deleted at any time."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from sitepub.config_text import Listing, Node, Row, Scalar, Shape, Table
from sitepub.local.whole import write_whole

FORMAT = 1
MOST_NODES = 5_000
"""Of a tree that is kept. Aliases, of which text may have a hundred, can stand for very many."""

RUNS_CODE = frozenset(("build", "executor"))
"""Settings of which whoever can write a copy could choose what runs here: text that has one is parsed each time."""

_MAP, _SEQUENCE = "map", "seq"


class TreeCopy:
    """One file. Failing to keep it costs time later, nothing else, so it is never an error."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, text: str) -> Table | None:
        """None where there is no copy of the tree of just this text, or one that is damaged, or that others than this user could have written."""
        try:
            kept = json.loads(_read_own(self._path))
            if kept["format"] != FORMAT or kept["text"] != _digest(text):
                return None
            tree = _decode(kept["tree"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None
        return tree if isinstance(tree, Table) and _may_be_kept(tree) else None

    def keep(self, text: str, tree: Table) -> None:
        if _may_be_kept(tree):
            kept = {"format": FORMAT, "text": _digest(text), "tree": _encode(tree)}
            with suppress(OSError):
                write_whole(self._path, json.dumps(kept).encode())


def _read_own(path: Path) -> bytes:
    with path.open("rb") as file:
        found = os.fstat(file.fileno())
        if found.st_uid != os.geteuid() or found.st_mode & 0o022:
            raise PermissionError
        return file.read()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _may_be_kept(tree: Table) -> bool:
    return not any(row.key in RUNS_CODE for row in tree.rows) and _count(tree, MOST_NODES) > 0


def _count(node: Node, left: int) -> int:
    """What is left of so many nodes; 0 once there are more, however many that are."""
    nodes = node.rows if isinstance(node, Listing) else [row.value for row in node.rows] if isinstance(node, Table) else ()
    left -= 1
    for each in nodes:
        if left <= 0:
            return 0
        left = _count(each, left)
    return max(left, 0)


def _encode(node: Node) -> list[Any]:
    if isinstance(node, Scalar):
        return [node.shape.value, node.text, node.line]
    if isinstance(node, Listing):
        return [_SEQUENCE, [_encode(row) for row in node.rows], node.line]
    return [_MAP, [[row.key, _encode(row.value), row.line] for row in node.rows], node.line]


def _decode(kept: Any) -> Node:
    """Raises ValueError or TypeError for what `_encode` did not write."""
    kind, held, line = kept
    if kind == _MAP:
        return Table(tuple(Row(_text(key), _decode(value), _number(at)) for key, value, at in held), _number(line))
    if kind == _SEQUENCE:
        return Listing(tuple(_decode(row) for row in held), _number(line))
    return Scalar(Shape(kind), _text(held), _number(line))


def _text(held: object) -> str:
    if not isinstance(held, str):
        raise TypeError
    return held


def _number(held: object) -> int:
    if not isinstance(held, int):
        raise TypeError
    return held
