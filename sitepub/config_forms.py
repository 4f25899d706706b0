"""The forms that a setting's value may have: text, number, choice, list, headers. A form turns a node into a value or says all that is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Generic, TypeVar

from msgspec import Struct

from sitepub.config_patterns import HEADER_VALUE, VARIABLE, anchored, ignore_case, with_variables
from sitepub.config_text import Listing, Node, Problem, Scalar, Shape, Table
from sitepub.config_values import STORED_HEADERS, parse_header_value

Environment = Mapping[str, str]
T = TypeVar("T")
R = TypeVar("R")
T_co = TypeVar("T_co", covariant=True)
Choice = TypeVar("Choice", bound=StrEnum)

_VARIABLE = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^{}]*))?\}|(?P<broken>\{))")
_WHOLE_NUMBER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)", re.ASCII)
_LONGEST_SHOWN = 60
_NEARNESS = 0.65


class RejectedError(Exception):
    """What is wrong with a value; each message goes on where the setting's name ends."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*(problem.message for problem in problems))
        self.problems = problems


class Form(Struct, Generic[T_co], frozen=True):
    """`expected` completes "must be …"; `schema` says the same as JSON Schema, for editors."""

    expected: str
    read: Callable[[Node, Environment], T_co]
    schema: Mapping[str, object]


def text_form(expected: str, parse: Callable[[str], T], pattern: str, *, has_variables: bool = True) -> Form[T]:
    """`parse` raises a ValueError that says why not, or nothing where `expected` says it all; `pattern` is what an editor checks."""

    def read(node: Node, environment: Environment) -> T:
        written = _require_text(node, expected)
        text = replace_variables(written, environment) if has_variables else written.text
        try:
            return parse(text)
        except ValueError as error:
            raise _reject(written, expected, str(error)) from None

    return Form(expected, read, {"type": "string", "pattern": with_variables(pattern) if has_variables else anchored(pattern)})


def number_form(low: int, high: int) -> Form[int]:
    expected = f"a whole number from {low} to {high}"

    def read(node: Node, environment: Environment) -> int:
        number = _read_whole_number(node, expected, environment)
        if not low <= number <= high:
            raise _reject(node, expected)
        return number

    return Form(expected, read, _or_variable({"type": "integer", "minimum": low, "maximum": high}))


def number_choice_form(numbers: Sequence[int]) -> Form[int]:
    expected = ("one of " if len(numbers) > 1 else "") + list_names(str(number) for number in numbers)

    def read(node: Node, environment: Environment) -> int:
        number = _read_whole_number(node, expected, environment)
        if number not in numbers:
            raise _reject(node, expected)
        return number

    return Form(expected, read, _or_variable({"type": "integer", "enum": list(numbers)}))


def choice_form(choices: type[Choice]) -> Form[Choice]:
    values = [choice.value for choice in choices]
    expected = "one of " + list_names(values)

    def read(node: Node, environment: Environment) -> Choice:
        if not isinstance(node, Scalar) or node.shape is not Shape.TEXT:
            raise _reject(node, expected)
        text = replace_variables(node, environment)
        if text in values:
            return choices(text)
        nearest = find_nearest(node.text, values)
        raise _reject(node, expected, f"did you mean `{nearest}`?" if nearest else "")

    return Form(expected, read, _or_variable({"enum": values}))


def _or_variable(schema: Mapping[str, object]) -> Mapping[str, object]:
    return {"anyOf": [schema, {"type": "string", "pattern": VARIABLE}]}


def list_form(expected: str, row_form: Form[T]) -> Form[tuple[T, ...]]:
    def read(node: Node, environment: Environment) -> tuple[T, ...]:
        if not isinstance(node, Listing):
            raise _reject(node, expected, "write `[]` for none" if _is_nothing(node) else "put it in brackets" if _is_text(node) else "")
        return tuple(_read_all(node.rows, lambda row: row_form.read(row, environment)))

    return Form(expected, read, {"type": "array", "items": row_form.schema})


def header_form() -> Form[tuple[tuple[str, str], ...]]:
    """Headers that S3 keeps, in canonical names, sorted."""
    expected = "a table of headers and their values"
    value_form = text_form("the value of a header", parse_header_value, HEADER_VALUE)

    def read_row(name: str, node: Node, line: int, environment: Environment) -> tuple[str, str]:
        canonical = STORED_HEADERS.get(name.lower())
        if canonical is None:
            raise RejectedError(Problem(line, _describe_foreign_header(name)))
        try:
            return canonical, value_form.read(node, environment)
        except RejectedError as error:
            raise RejectedError(*(Problem(each.line, f"`{canonical}` {each.message}") for each in error.problems)) from None

    def read(node: Node, environment: Environment) -> tuple[tuple[str, str], ...]:
        if not isinstance(node, Table) or not node.rows:
            raise _reject(node, expected)
        pairs = _read_all(node.rows, lambda row: read_row(row.key, row.value, row.line, environment))
        names = [name for name, _ in pairs]
        twice = [row for row, name in zip(node.rows, names, strict=True) if names.count(name) > 1]
        if twice:
            raise RejectedError(Problem(twice[-1].line, f"names `{STORED_HEADERS[twice[-1].key.lower()]}` twice"))
        return tuple(sorted(pairs))

    names = "|".join(ignore_case(name) for name in STORED_HEADERS)
    schema = {
        "type": "object",
        "properties": dict.fromkeys(STORED_HEADERS.values(), value_form.schema),
        "patternProperties": {f"^(?:{names})$": value_form.schema},
        "additionalProperties": False,
        "minProperties": 1,
    }
    return Form(expected, read, schema)


def _describe_foreign_header(name: str) -> str:
    nearest = find_nearest(name.title(), STORED_HEADERS.values())
    if nearest:
        return f"can't hold `{name}`, did you mean `{nearest}`?"
    return (
        f"can't hold `{name}`, S3 answers only with {list_names(STORED_HEADERS.values())};"
        " any other header belongs in the distribution's response-headers policy"
    )


def replace_variables(node: Scalar, environment: Environment) -> str:
    """`${NAME}` and `${NAME:-default}` (also for a variable that is empty, as in shells); `$$` is `$`."""

    def replace(match: re.Match[str]) -> str:
        if match["dollar"]:
            return "$"
        if match["broken"]:
            raise RejectedError(
                Problem(node.line, f"has a variable that is not written `${{NAME}}` or `${{NAME:-default}}`: {describe_node(node)}")
            )
        name, default = match["name"], match["default"]
        value = environment.get(name)
        if default is not None:
            return value or default
        if value is None:
            message = f"needs the environment variable `{name}`, which is not set; set it, or write `${{{name}:-default}}`"
            raise RejectedError(Problem(node.line, message))
        return value

    return _VARIABLE.sub(replace, node.text)


def find_nearest(word: str, words: Iterable[str]) -> str:
    """The word that was most likely meant, by its letters or by its start; empty if none is near."""
    from difflib import get_close_matches  # only those who mistype need it

    known = list(words)
    close = get_close_matches(word.strip(), known, 1, _NEARNESS) or [each for each in known if len(word) > 1 and each.startswith(word)]
    return close[0] if len(close) == 1 else ""


def list_names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def describe_node(node: Node) -> str:
    """What was found, as written: a variable's content may be secret."""
    if isinstance(node, Scalar):
        if node.shape is Shape.NOTHING:
            return "nothing"
        return show_text(node.text)
    return "a list" if isinstance(node, Listing) else "a table"


def show_text(text: str) -> str:
    """In backticks, on one line and not too long."""
    if not text:
        return "empty text"
    short = text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"
    return "`" + "".join(character if character.isprintable() else ascii(character)[1:-1] for character in short) + "`"


def _require_text(node: Node, expected: str) -> Scalar:
    if isinstance(node, Scalar) and node.shape is Shape.TEXT:
        return node
    reason = "put it in quotes" if isinstance(node, Scalar) and node.shape is not Shape.NOTHING else ""
    raise _reject(node, expected, reason)


def _read_whole_number(node: Node, expected: str, environment: Environment) -> int:
    if not isinstance(node, Scalar):
        raise _reject(node, expected)
    is_variable = node.shape is Shape.TEXT and "${" in node.text
    text = replace_variables(node, environment).strip() if is_variable else node.text
    if (node.shape is Shape.NUMBER or is_variable) and _WHOLE_NUMBER.fullmatch(text) and len(text) < 20:
        return int(text)
    is_quoted = node.shape is Shape.TEXT and _WHOLE_NUMBER.fullmatch(text) is not None
    raise _reject(node, expected, "take the quotes away" if is_quoted and not is_variable else "")


def _read_all(rows: Sequence[R], read: Callable[[R], T]) -> list[T]:
    values: list[T] = []
    problems: list[Problem] = []
    for row in rows:
        try:
            values.append(read(row))
        except RejectedError as error:
            problems += error.problems
    if problems:
        raise RejectedError(*problems)
    return values


def _reject(node: Node, expected: str, reason: str = "") -> RejectedError:
    return RejectedError(Problem(node.line, f"must be {expected}, not {describe_node(node)}{': ' if reason else ''}{reason}"))


def _is_nothing(node: Node) -> bool:
    return isinstance(node, Scalar) and node.shape is Shape.NOTHING


def _is_text(node: Node) -> bool:
    return isinstance(node, Scalar) and node.shape is Shape.TEXT
