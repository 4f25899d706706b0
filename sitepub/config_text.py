"""YAML text as a tree in which every key and value knows its line. Decides what YAML is allowed to be, not what it means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    import yaml

MAX_DEPTH = 20
MAX_ALIASES = 100
_TAG = "tag:yaml.org,2002:"


class Shape(StrEnum):
    """What YAML took a scalar for."""

    TEXT = "str"
    NUMBER = "int"
    FRACTION = "float"
    TRUTH = "bool"
    NOTHING = "null"
    DATE = "timestamp"


class Scalar(Struct, frozen=True):
    """`text` as written, quotes and escapes undone."""

    shape: Shape
    text: str
    line: int


class Listing(Struct, frozen=True):
    rows: tuple[Node, ...]
    line: int


class Row(Struct, frozen=True):
    key: str
    value: Node
    line: int


class Table(Struct, frozen=True):
    """No key stands twice; merged rows (`<<`) come last."""

    rows: tuple[Row, ...]
    line: int

    def find(self, key: str) -> Row | None:
        return next((row for row in self.rows if row.key == key), None)


Node = Scalar | Listing | Table


class Problem(Struct, frozen=True):
    """What is wrong in one place. `column` is 0 where the whole line is meant."""

    line: int
    message: str
    column: int = 0


class UnreadableTextError(Exception):
    """The text is no YAML that could be looked at any further."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class ParsedText(Struct, frozen=True):
    """`root` is None where the file holds nothing."""

    root: Node | None
    problems: tuple[Problem, ...]


def parse_yaml(text: str) -> ParsedText:
    """Raises UnreadableTextError for bad syntax; what is legal YAML but not allowed here comes back as problems."""
    import yaml

    loader: type[yaml.CSafeLoader | yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _check_limits(yaml.parse(text, Loader=loader))
        root = yaml.compose(text, Loader=loader)
    except yaml.YAMLError as error:
        raise UnreadableTextError(_describe(error, text)) from None
    if root is None:
        return ParsedText(None, ())
    converter = _Converter()
    return ParsedText(converter.convert(root), tuple(converter.problems))


def _check_limits(events: Iterator[yaml.Event]) -> None:
    """Ends a text that would cost much more than its size: nesting and aliases are what such a text is made of."""
    import yaml

    depth = aliases = 0
    for event in events:
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        aliases += isinstance(event, yaml.AliasEvent)
        if depth > MAX_DEPTH or aliases > MAX_ALIASES:
            what = f"is nested more than {MAX_DEPTH} deep" if depth > MAX_DEPTH else f"uses more than {MAX_ALIASES} aliases"
            mark = event.start_mark
            raise UnreadableTextError(Problem(mark.line + 1, what, mark.column + 1) if mark else Problem(1, what))


def _describe(error: yaml.YAMLError, text: str) -> Problem:
    import yaml

    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        line, column = error.problem_mark.line, error.problem_mark.column
        lines = text.splitlines()
        if line < len(lines) and lines[line][column : column + 1] == "\t":
            return Problem(line + 1, "holds a tab, and YAML is indented with spaces", column + 1)
        return Problem(line + 1, f"is not YAML: {error.problem}", column + 1)
    # libyaml tells the place in bytes, PyYAML's own reader in characters; the first that is not allowed is the first of its kind
    character = max(0, getattr(error, "character", 0))
    position = max(0, text.find(chr(character)))
    line = text.count("\n", 0, position) + 1
    return Problem(line, f"holds a character that YAML does not allow, U+{character:04X}", position - text.rfind("\n", 0, position))


class _Converter:
    """Every node is converted once, however many aliases name it."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._done: dict[int, Node] = {}
        self._open: set[int] = set()

    def convert(self, node: yaml.Node) -> Node:
        line = node.start_mark.line + 1
        if id(node) in self._open:
            self.problems.append(Problem(line, "an alias stands inside what it names"))
            return Scalar(Shape.NOTHING, "", line)
        if id(node) not in self._done:
            self._open.add(id(node))
            self._done[id(node)] = self._convert_new(node, line)
            self._open.discard(id(node))
        return self._done[id(node)]

    def _convert_new(self, node: yaml.Node, line: int) -> Node:
        import yaml

        if isinstance(node, yaml.ScalarNode):
            return Scalar(self._find_shape(node, line), node.value, line)
        if node.tag not in (_TAG + "map", _TAG + "seq"):
            self.problems.append(Problem(line, f"the tag `{_shorten_tag(node.tag)}` has no meaning here"))
        if isinstance(node, yaml.SequenceNode):
            return Listing(tuple(self.convert(row) for row in node.value), line)
        return self._convert_table(node, line)

    def _find_shape(self, node: yaml.ScalarNode, line: int) -> Shape:
        name = node.tag.removeprefix(_TAG)
        if name in ("merge", "value"):
            return Shape.TEXT
        if name not in _SHAPES:
            self.problems.append(Problem(line, f"the tag `{_shorten_tag(node.tag)}` has no meaning here"))
        return _SHAPES.get(name, Shape.TEXT)

    def _convert_table(self, node: yaml.Node, line: int) -> Table:
        import yaml

        own: dict[str, Row] = {}
        merged: list[Row] = []
        for key, value in node.value:
            key_line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                self.problems.append(Problem(key_line, "a key must be text"))
            elif key.tag == _TAG + "merge":
                merged += self._find_merged(value, key_line)
            elif key.value in own:
                self.problems.append(Problem(key_line, f"the key `{key.value}` stands twice, first in line {own[key.value].line}"))
            else:
                own[key.value] = Row(key.value, self.convert(value), key_line)
        for row in merged:
            own.setdefault(row.key, row)
        return Table(tuple(own.values()), line)

    def _find_merged(self, value: yaml.Node, line: int) -> list[Row]:
        node = self.convert(value)
        tables = node.rows if isinstance(node, Listing) else (node,)
        if not all(isinstance(table, Table) for table in tables):
            self.problems.append(Problem(line, "`<<` must name a table or a list of tables"))
        return [row for table in tables if isinstance(table, Table) for row in table.rows]


_SHAPES: Mapping[str, Shape] = {shape.value: shape for shape in Shape}


def _shorten_tag(tag: str) -> str:
    return "!!" + tag.removeprefix(_TAG) if tag.startswith(_TAG) else tag
