"""Names in an XML document: what elements and attributes of each name may say, learnt once a name. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto

from msgspec import Struct, field

from sitepub.core.references.html_attributes import Form, find_rule
from sitepub.core.references.html_foreign import Namespace
from sitepub.core.references.model import Use

BASE = "xml:base"

_NAMESPACES: Mapping[str, Namespace] = {
    "http://www.w3.org/1999/xhtml": Namespace.HTML,
    "http://www.w3.org/2000/svg": Namespace.SVG,
    "http://www.w3.org/1998/Math/MathML": Namespace.MATHML,
}
_ATTRIBUTE_NAMESPACES: Mapping[str, str] = {
    "http://www.w3.org/1999/xlink": "xlink:",
    "http://www.w3.org/XML/1998/namespace": "xml:",
}

FEEDS = frozenset({"RDF", "feed", "rss", "sitemapindex", "urlset"})
"""First elements of documents that only programs read: nothing in them is loaded."""

FEED_ATTRIBUTES = frozenset({"href", "src", "url", "xlink:href"})
"""Where a feed, or XML of no known namespace, has URLs that are followed."""

FEED_TEXTS = frozenset(
    {
        "Image",
        "comments",
        "content_loc",
        "docs",
        "guid",
        "icon",
        "image",
        "link",
        "loc",
        "logo",
        "player_loc",
        "thumbnail_loc",
        "uri",
        "url",
    }
)
"""Elements whose whole text is a URL, in RSS, Atom, sitemaps and their extensions."""

_CODE = frozenset({b"script", b"style"})


class Interest(Enum):
    """Which values of an attribute are worth a look: FUNCTIONS those that call one, as `url(`."""

    NEVER = auto()
    FUNCTIONS = auto()
    ALWAYS = auto()


class Element(Struct):
    """What is known of all elements of one name."""

    namespace: Namespace | None
    local: str
    is_code: bool
    is_noted: bool
    interest: dict[str, Interest] = field(default_factory=dict)


def learn_element(name: str, *, links: bool) -> Element:
    """`name` as expat has it: namespace, space, local name."""
    uri, _, local = name.rpartition(" ")
    namespace = _NAMESPACES.get(uri)
    is_code = namespace in (Namespace.HTML, Namespace.SVG) and local.encode() in _CODE
    is_text = namespace is None and links and local in FEED_TEXTS
    is_noted = is_code or is_text or (namespace is Namespace.HTML and local in ("base", "link", "meta"))
    return Element(namespace, local, is_code, is_noted)


def learn_attribute(element: Element, name: str, *, root: str, links: bool) -> Interest:
    """What is remembered with the element. `root`: the document's first element."""
    element.interest[name] = interest = _choose_interest(element, canonical(name), root=root, links=links)
    return interest


def _choose_interest(element: Element, attribute: str, *, root: str, links: bool) -> Interest:
    if attribute == BASE:
        return Interest.ALWAYS
    if element.namespace is None:
        is_tile = root == "browserconfig" and attribute == "src"
        return Interest.ALWAYS if is_tile or (links and attribute in FEED_ATTRIBUTES) else Interest.NEVER
    if attribute.startswith(("data-", "on")):
        return Interest.ALWAYS
    rule = find_rule(element.namespace, element.local.lower().encode(), attribute.encode())
    if rule is None or (rule.use is Use.LINK and not links):
        return Interest.NEVER
    return Interest.FUNCTIONS if rule.form in (Form.STYLE, Form.PAINT) else Interest.ALWAYS


def canonical(name: str) -> str:
    """`xlink:href` and `xml:base` whatever their prefixes are; nothing for attributes of other namespaces."""
    uri, separator, local = name.rpartition(" ")
    if not separator:
        return name
    return f"{_ATTRIBUTE_NAMESPACES.get(uri, '?')}{local}"
