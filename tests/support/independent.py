"""References of a page or stylesheet as parsers see them that are not ours: lexbor for HTML, tinycss2 for CSS, urllib for URLs."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote, urljoin, urlsplit

import tinycss2
from selectolax.lexbor import LexborHTMLParser

ORIGIN = "http://site.invalid/"

LOADING = {
    "script": ("src",),
    "img": ("src", "srcset"),
    "source": ("src", "srcset"),
    "video": ("src", "poster"),
    "audio": ("src",),
    "embed": ("src",),
    "track": ("src",),
    "object": ("data",),
    "input": ("src",),
    "image": ("href", "xlink:href"),
    "use": ("href", "xlink:href"),
}
LOADING_RELS = {"stylesheet", "icon", "apple-touch-icon", "mask-icon", "preload", "prefetch", "modulepreload"}


def loads_of_page(body: bytes) -> list[str]:
    """URLs that a browser loads for this page, as written, in document order, `<base>` applied."""
    tree = LexborHTMLParser(body)
    base_node = tree.css_first("base[href]")
    base = (base_node.attributes.get("href") or "") if base_node else ""
    found: list[str] = []
    for node in tree.css("*"):
        found += [urljoin(base, url) if base else url for url in _urls_of(node)]
    return found


def _urls_of(node) -> Iterator[str]:  # type: ignore[no-untyped-def]
    attributes = node.attributes
    rels = set((attributes.get("rel") or "").lower().split())
    if node.tag == "link" and LOADING_RELS & rels and attributes.get("href"):
        yield attributes["href"]
    for name in LOADING.get(node.tag, ()):
        value = attributes.get(name)
        if value:
            yield from (candidate.split()[0] for candidate in value.split(", ")) if name == "srcset" else [value]
    if attributes.get("style"):
        yield from _urls_of_tokens(tinycss2.parse_component_value_list(attributes["style"]))
    if node.tag == "style" and node.text():
        yield from loads_of_style(node.text().encode())


def loads_of_style(body: bytes) -> list[str]:
    """`url()` and `@import` of a stylesheet, in order."""
    rules, _ = tinycss2.parse_stylesheet_bytes(body, skip_comments=True)
    found: list[str] = []
    for rule in rules:
        if rule.type == "at-rule" and rule.lower_at_keyword == "import":
            found += [token.value for token in rule.prelude if token.type == "string"][:1]
        if rule.type == "at-rule" and rule.lower_at_keyword in ("namespace", "charset"):
            continue
        for part in ("prelude", "content"):
            found += _urls_of_tokens(getattr(rule, part, None) or [])
    return found


def _urls_of_tokens(tokens) -> Iterator[str]:  # type: ignore[no-untyped-def]
    for token in tokens:
        if token.type == "url":
            yield token.value
        elif token.type == "function":
            if token.lower_name == "url":
                yield from (argument.value for argument in token.arguments if argument.type == "string")
            else:
                yield from _urls_of_tokens(token.arguments)
        elif token.type in ("() block", "[] block", "{} block"):
            yield from _urls_of_tokens(token.content)


def path_of(url: str, page: str) -> str | None:
    """The site's path that `url` on `page` leads to; None for what is elsewhere or no path at all."""
    if not url.strip() or url.strip().startswith(("#", "data:", "javascript:", "mailto:")):
        return None
    parts = urlsplit(urljoin(ORIGIN + page, url.strip()))
    if f"{parts.scheme}://{parts.netloc}/" != ORIGIN:
        return None
    return unquote(parts.path).lstrip("/")
