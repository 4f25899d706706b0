"""Which attribute of which element is a URL, a list of them, or code, and what it asks for. The table is the policy; it does nothing."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from sitepub.core.references.html_foreign import Namespace
from sitepub.core.references.model import Use


class Form(StrEnum):
    """How an attribute's value is read."""

    URL = "url"
    WORDS = "words"  # URLs separated by white space
    CANDIDATES = "srcset"
    STYLE = "style"
    PAINT = "paint"  # a value of CSS, of a presentation attribute of SVG
    DOCUMENT = "srcdoc"


class AttributeRule(Struct, frozen=True):
    """`is_optional`: no warning if the file is missing, for no browser loads this attribute by itself."""

    form: Form
    use: Use
    is_optional: bool = False


_LOAD = AttributeRule(Form.URL, Use.LOAD)
_LINK = AttributeRule(Form.URL, Use.LINK)
_CANDIDATES = AttributeRule(Form.CANDIDATES, Use.LOAD)
_OPTIONAL = AttributeRule(Form.URL, Use.LOAD, is_optional=True)
_OPTIONAL_CANDIDATES = AttributeRule(Form.CANDIDATES, Use.LOAD, is_optional=True)
_STYLE = AttributeRule(Form.STYLE, Use.LOAD)
_PAINT = AttributeRule(Form.PAINT, Use.LOAD)

# On every HTML element. Custom elements (`amp-img`, `x-img`) name their files as the standard ones do; lazy loaders as here.
_EVERYWHERE: Mapping[bytes, AttributeRule] = {
    b"src": _OPTIONAL,
    b"srcset": _OPTIONAL_CANDIDATES,
    b"poster": _OPTIONAL,
    b"data-src": _OPTIONAL,
    b"data-srcset": _OPTIONAL_CANDIDATES,
    b"data-bg": _OPTIONAL,
    b"data-poster": _OPTIONAL,
    b"style": _STYLE,
}
_LOADED_BY_SRC = b"audio bgsound embed frame iframe image img input script source track video".split()
_WITH_BACKGROUND = b"body table tbody td tfoot th thead tr".split()
_CITING = b"blockquote del ins q".split()

# `link` and `meta` are decided by their other attributes, in html_links.py.
_HTML: Mapping[tuple[bytes, bytes], AttributeRule] = {
    **{(element, b"src"): _LOAD for element in _LOADED_BY_SRC},
    **{(element, b"background"): _LOAD for element in _WITH_BACKGROUND},
    **{(element, b"cite"): _LINK for element in _CITING},
    (b"img", b"srcset"): _CANDIDATES,
    (b"link", b"imagesrcset"): _CANDIDATES,
    (b"source", b"srcset"): _CANDIDATES,
    (b"video", b"poster"): _LOAD,
    (b"object", b"data"): _LOAD,
    (b"iframe", b"srcdoc"): AttributeRule(Form.DOCUMENT, Use.LOAD),
    (b"a", b"href"): _LINK,
    (b"a", b"ping"): AttributeRule(Form.WORDS, Use.LINK),
    (b"area", b"href"): _LINK,
    (b"area", b"ping"): AttributeRule(Form.WORDS, Use.LINK),
    (b"button", b"formaction"): _LINK,
    (b"form", b"action"): _LINK,
    (b"img", b"longdesc"): _LINK,
    (b"input", b"formaction"): _LINK,
}

_LOADED_BY_HREF = b"cursor feimage filter image lineargradient mpath pattern radialgradient script textpath tref use".split()
_PAINTED = b"clip-path cursor fill filter marker marker-end marker-mid marker-start mask stroke".split()
_SVG_EVERYWHERE: Mapping[bytes, AttributeRule] = {
    b"style": _STYLE,
    **dict.fromkeys(_PAINTED, _PAINT),
}
_SVG: Mapping[tuple[bytes, bytes], AttributeRule] = {
    **{(element, attribute): _LOAD for element in _LOADED_BY_HREF for attribute in (b"href", b"xlink:href")},
    (b"a", b"href"): _LINK,
    (b"a", b"xlink:href"): _LINK,
}
_MATHML: Mapping[tuple[bytes, bytes], AttributeRule] = {(b"mglyph", b"src"): _LOAD}
_MATHML_EVERYWHERE: Mapping[bytes, AttributeRule] = {b"style": _STYLE, b"href": _LINK, b"xlink:href": _LINK}

LOADING_NAMES = frozenset({b"background", b"poster", b"src", b"srcdoc", b"srcset"})
"""The attributes by which an HTML element other than `NOTED_ELEMENTS` can load; `style`, `data-…` and `on…` are looked at more closely."""

LINKING_NAMES = frozenset({b"action", b"cite", b"formaction", b"href", b"longdesc", b"ping"})
"""Those by which it can lead elsewhere."""

NOTED_ELEMENTS = frozenset(b"base iframe link math meta noembed noframes object plaintext script style svg textarea title xmp".split())
"""The elements that change how what follows is read, or whose references have names of their own."""


def find_rule(namespace: Namespace, element: bytes, attribute: bytes) -> AttributeRule | None:
    """What `attribute` of `element` (both in lower case) is; None: nothing that refers."""
    match namespace:
        case Namespace.HTML:
            return _HTML.get((element, attribute)) or _EVERYWHERE.get(attribute)
        case Namespace.SVG:
            return _SVG.get((element, attribute)) or _SVG_EVERYWHERE.get(attribute)
        case Namespace.MATHML:
            return _MATHML.get((element, attribute)) or _MATHML_EVERYWHERE.get(attribute)
