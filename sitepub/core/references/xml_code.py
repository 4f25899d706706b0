"""Scripts and styles in XML documents: text as any other there, with references, comments and sections to be undone first."""

from __future__ import annotations

from sitepub.core.references.css import scan_css
from sitepub.core.references.html_findings import Findings, Span, Value
from sitepub.core.references.html_foreign import Namespace
from sitepub.core.references.html_links import ScriptKind
from sitepub.core.references.html_mentions import find_mentions
from sitepub.core.references.html_tokens import Tag
from sitepub.core.references.javascript import scan_javascript
from sitepub.core.references.json import scan_import_map
from sitepub.core.references.model import Scan
from sitepub.core.references.xml_content import decode_content

_SOURCES = frozenset({b"src", b"href", b"xlink:href"})


def read_code(found: Findings, tag: Tag, content: Span) -> None:
    """`tag` is a `script` or `style`. A script that is loaded from elsewhere ignores its content."""
    raw = found.body[slice(*content)]
    if not raw or (tag.name == b"script" and _SOURCES & tag.attributes.keys()):
        return
    decoded = decode_content(raw)
    scan = _scan_script(found, tag, decoded.text) if tag.name == b"script" else _scan_style(found, tag, decoded.text)
    if scan is None:
        found.add_mentions(find_mentions(decoded.text))
        return
    found.add_scan(Value(content[0], decoded.text, decoded.map), scan, is_suppressed=tag.is_suppressed)
    if tag.namespace is Namespace.HTML and b"<" not in raw:
        # A policy that names hashes stands in a `<meta>` of XHTML; SVG has none.
        found.add_inline(content, "script-src" if tag.name == b"script" else "style-src", escapes=int(b"&" in raw))


def _scan_style(found: Findings, tag: Tag, text: bytes) -> Scan | None:
    return scan_css(text) if (found.text_of(tag, b"type") or "text/css").lower() == "text/css" else None


def _scan_script(found: Findings, tag: Tag, text: bytes) -> Scan | None:
    kind = found.script_kind_of(tag)
    if kind is ScriptKind.TEXT:
        return None
    scan = scan_import_map(text) if kind is ScriptKind.IMPORT_MAP else scan_javascript(text)
    if scan.problem is not None:
        found.add_note(tag.start, f"the script {scan.problem}")
        return None
    return scan
