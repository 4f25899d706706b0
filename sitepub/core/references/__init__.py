"""Which language a file is written in, and the scanner for it. Scanners are imported when the first file of their language comes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum

from sitepub.core.model import SourcePath
from sitepub.core.references.model import Scan


class Language(StrEnum):
    """The languages whose references sitepub sees. DATA: none are, but it may hold digests of other files."""

    HTML = "html"
    CSS = "css"
    DATA = "data"
    JAVASCRIPT = "javascript"
    XML = "xml"
    WEB_MANIFEST = "web manifest"


_LANGUAGES: Mapping[str, Language] = {
    "atom": Language.XML,
    "css": Language.CSS,
    "htm": Language.HTML,
    "html": Language.HTML,
    "js": Language.JAVASCRIPT,
    "mjs": Language.JAVASCRIPT,
    "rss": Language.XML,
    "svg": Language.XML,
    "webmanifest": Language.WEB_MANIFEST,
    "xhtml": Language.XML,
    "xml": Language.XML,
}
_ROOT_MANIFESTS = frozenset({"manifest.json", "site.webmanifest"})


def language_of(path: SourcePath, manifests: Collection[SourcePath] = ()) -> Language | None:
    """By extension, not by content. `manifests` are the files that a `link rel=manifest` names; None: a leaf, nothing in it is seen."""
    if path in manifests or path in _ROOT_MANIFESTS:
        return Language.WEB_MANIFEST
    stem, dot, extension = path.rpartition("/")[2].rpartition(".")
    return _LANGUAGES.get(extension.lower()) if dot and stem else None


def may_hold_digests(path: SourcePath) -> bool:
    """Of a file in no language that refers: JSON that scripts and servers read, and the headers of some hosts."""
    return path == "_headers" or path.endswith(".json")


def scan(language: Language, body: bytes, *, links: bool = False) -> Scan:
    """All references of one file; `links`: those that a reader follows as well, which most callers do not need."""
    match language:
        case Language.HTML:
            from sitepub.core.references.html import scan_html

            return scan_html(body, links=links)
        case Language.CSS:
            from sitepub.core.references.css import scan_css

            return scan_css(body)
        case Language.DATA:
            return Scan()
        case Language.JAVASCRIPT:
            from sitepub.core.references.javascript import scan_javascript

            return scan_javascript(body)
        case Language.XML:
            from sitepub.core.references.xml import scan_xml

            return scan_xml(body, links=links)
        case Language.WEB_MANIFEST:
            from sitepub.core.references.json import scan_web_manifest

            return scan_web_manifest(body)
