"""What the scanner finds in real stylesheets is what tinycss2 finds there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
import tinycss2
from tinycss2.ast import Node

from sitepub.core.references.css import scan_css
from sitepub.core.references.literals import is_dismissed
from tests.support.packages import find_package, walk_files

_PACKAGES = (
    "@fortawesome/fontawesome-free",
    "bootstrap",
    "katex",
    "leaflet",
    "monaco-editor",
    "pdfjs-dist",
    "reveal.js",
    "swagger-ui-dist",
)
_BLOCKS = ("() block", "[] block", "{} block")


@pytest.mark.parametrize("name", _PACKAGES)
def test_scanner_finds_what_tinycss2_finds(name: str) -> None:
    """The same URLs, in the same order, on the same lines, in every stylesheet of the package."""
    sheets = 0
    for path in walk_files(find_package(name), ".css"):
        body = path.read_bytes()
        nodes = tinycss2.parse_component_value_list(body.decode(), skip_comments=True)
        expected = [(url, line) for url, line in _find_urls(nodes) if not is_dismissed(url)]
        assert [(one.url, one.line) for one in scan_css(body).references] == expected, path.name
        sheets += 1
    assert sheets


def _find_urls(nodes: Sequence[Node]) -> Iterator[tuple[str, int]]:
    """URLs with the lines of their tokens, as the CSS specification has them, from tinycss2's tree."""
    meant = [node for node in nodes if node.type != "whitespace"]
    at = 0
    while at < len(meant):
        node = meant[at]
        following = meant[at + 1] if at + 1 < len(meant) else None
        if node.type == "url":
            yield node.value.strip(), node.source_line
        elif node.type == "function":
            yield from _find_in_function(node)
        elif node.type in _BLOCKS:
            yield from _find_urls(node.content)
        elif node.type == "at-keyword" and node.lower_value == "import" and following is not None and following.type == "string":
            yield following.value.strip(), following.source_line
        elif node.type == "at-keyword" and node.lower_value in ("namespace", "document", "-moz-document"):
            while at < len(meant) and meant[at] != ";" and meant[at].type != "{} block":
                at += 1
            continue
        at += 1


def _find_in_function(node: Node) -> Iterator[tuple[str, int]]:
    strings = [argument for argument in node.arguments if argument.type == "string"]
    if node.lower_name in ("url", "src"):
        yield from ((argument.value.strip(), argument.source_line) for argument in strings[:1])
    elif node.lower_name in ("image-set", "-webkit-image-set"):
        for argument in node.arguments:
            yield from ([(argument.value.strip(), argument.source_line)] if argument.type == "string" else _find_urls([argument]))
    else:
        yield from _find_urls(node.arguments)
