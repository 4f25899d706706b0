"""What a row of the edge-case table is. `•` stands where a digest is inserted: a row's text is its input without the marks, its output with them."""

from __future__ import annotations

import ast
import hashlib
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from sitepub.core.model import FileClass
from sitepub.core.references.css import scan_css
from sitepub.core.references.html import scan_html
from sitepub.core.references.javascript import scan_javascript
from sitepub.core.references.json import scan_web_manifest
from sitepub.core.references.model import Scan, Use
from sitepub.core.references.xml import scan_xml
from tests.support.building import Built, build_tree
from tests.support.inserting import insert

MARK = "•"
SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
XHTML = '<html xmlns="http://www.w3.org/1999/xhtml">'
_ROOT = Path(__file__).resolve().parents[2]
_DIGEST = re.compile(r"⟨(=?)(sha\d+|revision)(\d*) ([^⟩]+)⟩")


class Case(Protocol):
    def check(self, folder: Path) -> None:
        """Fails unless the row holds; `folder` is empty and this case's own."""


@dataclass(frozen=True, slots=True)
class Row:
    """`id` is a letter for the group and a number. `otherwise`: why sitepub decides otherwise than most would expect, or leaves something out."""

    id: str
    sentence: str
    cases: Mapping[str, Case]
    otherwise: str = ""


@dataclass(frozen=True, slots=True)
class File:
    """One file as its scanner reads it. `problem`: how the reason begins why it is left whole."""

    scan: Callable[[bytes], Scan]
    text: str
    encoding: str = "utf-8"
    problem: str | None = None
    scan_with_links: Callable[[bytes], Scan] | None = None

    def check(self, folder: Path) -> None:
        body = self.text.replace(MARK, "").encode(self.encoding)
        found = self.scan(body)
        assert (found.problem or "").startswith(self.problem or "") and (found.problem is None) == (self.problem is None), found.problem
        assert insert(body, found) == self.text.replace(MARK, ".3f9ac2d1").encode(self.encoding)
        if self.scan_with_links is not None:  # links change no load
            with_links = self.scan_with_links(body)
            assert [one for one in with_links.references if one.use is not Use.LINK] == [
                one for one in found.references if one.use is not Use.LINK
            ]


@dataclass(frozen=True, slots=True)
class Site:
    """A whole site, built for real. A path with a mark is renamed, one without keeps its name.

    `⟨sha384 a.css⟩` in a text is the digest of that file: as built in the input, as published in the output; `⟨=sha384 a.css⟩` stays that
    of the file as built. `⟨revision8 a.css⟩` is the start of its SHA-256 in hexadecimal. `classes`: those that the names do not tell;
    `warnings`: how the message of each begins or what it holds, all of them in order; `left_out`: files that are not published.
    """

    files: Mapping[str, str | bytes]
    classes: Mapping[str, FileClass] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    def check(self, folder: Path) -> None:
        sources = {path.replace(MARK, ""): _unmark(text) for path, text in self.files.items()}
        sources = {path: self._fill(text, lambda of: sources[of]) for path, text in sources.items()}
        built = build_tree(folder, sources, **self.settings)
        messages = [warning.message for warning in built.site.warnings]
        assert len(messages) == len(self.warnings), messages
        assert all(part in message for part, message in zip(self.warnings, messages)), messages
        for path, text in self.files.items():
            self._check_file(path, text, sources, built)
        assert {path: built.class_of(path) for path in self.classes} == dict(self.classes)

    def _check_file(self, marked: str, text: str | bytes, sources: Mapping[str, bytes], built: Built) -> None:
        path = marked.replace(MARK, "")
        if path in self.left_out:
            assert path not in built.site.files or built.story(path).key is None
            return
        key, reason = built.key_of(path), built.story(path).reason
        assert (key != path) == (MARK in marked), (path, reason)
        names: dict[str, str] = {one: story.key or one for one, story in built.site.files.items()}
        expected = self._fill(_as_bytes(text), lambda of: built.body_of(of), lambda of: sources[of])
        assert _mark(built.body_of(path), names) == expected, (path, reason)

    def _fill(self, text: bytes, body_of: Callable[[str], bytes], source_of: Callable[[str], bytes] | None = None) -> bytes:
        def digest(found: re.Match[str]) -> str:
            body = (source_of if found[1] and source_of else body_of)(found[4])
            if found[2] == "revision":
                return hashlib.sha256(body).hexdigest()[: int(found[3])]
            return b64encode(hashlib.new(found[2], body).digest()).decode()

        if "⟨".encode() not in text:
            return text
        return _DIGEST.sub(digest, text.decode()).encode()


@dataclass(frozen=True, slots=True)
class Shown:
    """By a test elsewhere, as it is about time, order, two runs or bytes that are made: `tests/….py::name`."""

    test: str

    def check(self, folder: Path) -> None:
        file, _, name = self.test.partition("::")
        tree = ast.parse((_ROOT / file).read_text("utf-8"))
        defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert name.rpartition("::")[2] in defined, f"{self.test} is no test"


def html(cases: Mapping[str, str]) -> dict[str, Case]:
    return {sentence: File(scan_html, text, scan_with_links=lambda body: scan_html(body, links=True)) for sentence, text in cases.items()}


def css(cases: Mapping[str, str]) -> dict[str, Case]:
    return {sentence: File(scan_css, text) for sentence, text in cases.items()}


def javascript(cases: Mapping[str, str]) -> dict[str, Case]:
    return {sentence: File(scan_javascript, text) for sentence, text in cases.items()}


def xml(cases: Mapping[str, str]) -> dict[str, Case]:
    return {sentence: File(scan_xml, text, scan_with_links=lambda body: scan_xml(body, links=True)) for sentence, text in cases.items()}


def svg(cases: Mapping[str, str]) -> dict[str, Case]:
    return xml({sentence: f"{SVG}{text}</svg>" for sentence, text in cases.items()})


def xhtml(cases: Mapping[str, str]) -> dict[str, Case]:
    return xml({sentence: f"{XHTML}{text}</html>" for sentence, text in cases.items()})


def web_manifest(cases: Mapping[str, str]) -> dict[str, Case]:
    return {sentence: File(scan_web_manifest, text) for sentence, text in cases.items()}


def shown(*tests: str) -> dict[str, Case]:
    return {f"shown by {test.rpartition('::')[2]}": Shown(test) for test in tests}


def _as_bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _unmark(text: str | bytes) -> bytes:
    return _as_bytes(text).replace(MARK.encode(), b"")


def _mark(body: bytes, names: Mapping[str, str]) -> bytes:
    """A mark for each digest that the site's own names hold."""
    digests = {found[1].encode() for key in names.values() if (found := re.search(r"(\.[0-9a-f]{12,64})\.[^/]*$", key))}
    plain = {found[1].encode() for path in names if (found := re.search(r"(\.[0-9a-f]{12,64})\.[^/]*$", path))}
    for digest in digests - plain:
        body = body.replace(digest, MARK.encode())
    return body
