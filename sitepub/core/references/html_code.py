"""Hands the code in an HTML document to the scanners of its languages: scripts, styles, `style` attributes and event handlers. A scanner is
imported when there is something for it: compiling its patterns is a tenth of a publish of one page."""

from __future__ import annotations

from sitepub.core.references.html_findings import Findings, Span, Value
from sitepub.core.references.html_foreign import Namespace
from sitepub.core.references.html_links import ScriptKind
from sitepub.core.references.html_mentions import find_mentions
from sitepub.core.references.html_tokens import Tag
from sitepub.core.references.model import Scan
from sitepub.core.references.spans import IndexMap


def read_script(found: Findings, tag: Tag) -> None:
    """The content of a `<script>`; one that is loaded from elsewhere ignores it."""
    if tag.content is None or b"src" in tag.attributes or tag.content[0] == tag.content[1]:
        return
    code = _read_content(found, tag, tag.content)
    kind = found.script_kind_of(tag)
    if kind is ScriptKind.TEXT:
        found.add_mentions(find_mentions(code.text))
        return
    found.add_inline(tag.content, "script-src", escapes=_count_escapes(tag))
    scan = _scan_import_map(code.text) if kind is ScriptKind.IMPORT_MAP else _scan_javascript(code.text)
    if scan.problem is not None:
        found.add_mentions([*scan.mentions, *find_mentions(code.text)])
        found.add_note(tag.start, f"the script {scan.problem}")
        return
    found.add_scan(code, scan, is_suppressed=tag.is_suppressed)


def read_style(found: Findings, tag: Tag) -> None:
    """The content of a `<style>`; of another type than CSS it is text."""
    if tag.content is None or tag.content[0] == tag.content[1]:
        return
    code = _read_content(found, tag, tag.content)
    if (found.text_of(tag, b"type") or "text/css").lower() != "text/css":
        found.add_mentions(find_mentions(code.text))
        return
    from sitepub.core.references.css import scan_css

    found.add_inline(tag.content, "style-src", escapes=_count_escapes(tag))
    found.add_scan(code, scan_css(code.text), is_suppressed=tag.is_suppressed)


def read_declarations(found: Findings, tag: Tag, span: Span, *, is_style: bool) -> None:
    """A `style` attribute, or an attribute of SVG whose value is CSS (`fill="url(paint.svg#a)"`)."""
    code = found.value(span)
    if b"(" not in code.text:
        return
    from sitepub.core.references.css import scan_css_declarations

    scan = scan_css_declarations(code.text)
    if not scan.references:
        return
    found.add_scan(code, scan, is_suppressed=tag.is_suppressed)
    if is_style:
        found.add_inline(span, "style-src", escapes=1)


def read_handler(found: Findings, code: Value) -> None:
    """An event handler. It may put a URL together from its strings, so none is rewritten."""
    scan = _scan_javascript(code.text)
    found.add_mentions([*scan.mentions, *(one.url for one in scan.references)])


def _scan_javascript(text: bytes) -> Scan:
    from sitepub.core.references.javascript import scan_javascript

    return scan_javascript(text)


def _scan_import_map(text: bytes) -> Scan:
    from sitepub.core.references.json import scan_import_map

    return scan_import_map(text)


def _read_content(found: Findings, tag: Tag, content: Span) -> Value:
    if _count_escapes(tag):
        return found.value(content, in_attribute=False)
    return Value(content[0], found.body[slice(*content)], IndexMap())


def _count_escapes(tag: Tag) -> int:
    """How often character references in its content are undone: only those of SVG and MathML are."""
    return 0 if tag.namespace is Namespace.HTML or tag.is_cdata else 1
