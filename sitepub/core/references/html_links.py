"""What `<link>`, `<meta>` and `<script>` ask for: their other attributes decide, not their names."""

from __future__ import annotations

import re
from collections.abc import Collection
from enum import StrEnum

from sitepub.core.references.model import Use


class ScriptKind(StrEnum):
    """What a `type` makes of a script (https://html.spec.whatwg.org/multipage/scripting.html#prepare-the-script-element)."""

    CLASSIC = "classic"
    MODULE = "module"
    IMPORT_MAP = "importmap"
    TEXT = "text"  # templates, JSON and all else that no browser runs


_LOADING = frozenset(
    [
        "apple-touch-icon",
        "apple-touch-icon-precomposed",
        "apple-touch-startup-image",
        "compression-dictionary",
        "fluid-icon",
        "icon",
        "image_src",
        "mask-icon",
        "prefetch",
        "preload",
        "stylesheet",
    ]
)
_SCRIPT_TYPE = re.compile(r"(?:application|text)/(?:x-)?(?:ecma|java)script|text/(?:javascript1\.[0-5]|jscript|livescript)", re.IGNORECASE)
_LOADING_META = re.compile(r"msapplication-(?:config|tileimage|(?:square|wide)[0-9]{2,3}x[0-9]{2,3}logo)")
_LINKING_META = re.compile(
    r"og:(?:image|video|audio)(?::(?:secure_)?url)?|og:(?:url|logo|see_also)|twitter:(?:image(?::src)?|player(?::stream)?)|vk:image"
    r"|msapplication-starturl|parsely-(?:image-url|link)|thumbnail"
)
_LINKING_PROPERTIES = frozenset({"contenturl", "embedurl", "image", "logo", "thumbnail", "thumbnailurl", "url"})

LOADING_META_STARTS = frozenset({b"msapplication-"})
LINKING_META_STARTS = frozenset({b"msapplication-", b"og:", b"parsely-", b"thumbnail", b"twitter:", b"v"})
"""How the names of `<meta>` begin of which `choose_meta_use` makes a load, and of which it makes a link (a prefix too short does no harm)."""

HARMLESS_RELATIONS = frozenset(
    b"alternate author bookmark canonical copyright dns-prefetch first help home index last license me next preconnect prev "
    b"search shortlink start top up".split()
)
"""Common values of `rel` from which nothing follows where nobody asks for links."""

_REFRESH = re.compile(rb"\s*+[0-9.]++(?:\s*+[;,]\s*+|\s++)(?:[uU][rR][lL]\s*+=\s*+)?(?:\"([^\"]*+)|'([^']*+)|([^\"'].*+))", re.DOTALL)
_TASK_PART = re.compile(rb"(action|icon)-uri\s*+=\s*+([^;]*+)", re.IGNORECASE)
_POLICY_HASH = re.compile(rb"'(sha(?:256|384|512))-([A-Za-z0-9+/_-]++=*+)'", re.IGNORECASE)


def choose_link_use(relations: Collection[str], destination: str) -> Use:
    """Of `<link>` by the words of its `rel`, in lower case, and its `as`. Any token that loads decides; `as=fetch` warms the cache for a
    script that asks for the plain name."""
    if "modulepreload" in relations:
        return Use.MODULE
    if not _LOADING.isdisjoint(relations):
        return Use.OPAQUE if destination.lower() == "fetch" and "preload" in relations else Use.LOAD
    return Use.LINK


def choose_script_kind(script_type: str | None, language: str | None) -> ScriptKind:
    """Of the attributes `type` and `language`; None: not there."""
    if script_type is None:
        script_type = f"text/{language}" if language else ""
    script_type = script_type.strip("\t\n\f\r ").lower()
    if not script_type or _SCRIPT_TYPE.fullmatch(script_type):
        return ScriptKind.CLASSIC
    if script_type in (ScriptKind.MODULE, ScriptKind.IMPORT_MAP):
        return ScriptKind(script_type)
    return ScriptKind.TEXT


def choose_script_use(kind: ScriptKind) -> Use:
    """Of a script's `src`. What no browser runs no browser loads either."""
    match kind:
        case ScriptKind.CLASSIC:
            return Use.LOAD
        case ScriptKind.MODULE:
            return Use.MODULE
        case ScriptKind.IMPORT_MAP | ScriptKind.TEXT:
            return Use.OPAQUE


def choose_meta_use(name: str, itemprop: str) -> Use | None:
    """Of the `content` of `<meta name=…>` (or `property=…`, in lower case) and `<meta itemprop=…>`; None: it is no URL."""
    if _LOADING_META.fullmatch(name):
        return Use.LOAD
    if _LINKING_META.fullmatch(name) or set(itemprop.lower().split()) & _LINKING_PROPERTIES:
        return Use.LINK
    return None


def find_refresh(content: bytes) -> list[tuple[Use, int, int]]:
    """The URL that a page sends its reader to (`5; url=next.html`)."""
    found = _REFRESH.match(content)
    return [(Use.LINK, *found.span(found.lastindex or 0))] if found else []


def find_task_parts(content: bytes) -> list[tuple[Use, int, int]]:
    """The URLs in the `content` of `<meta name=msapplication-task>`."""
    return [(Use.LOAD if part[1].lower() == b"icon" else Use.LINK, *part.span(2)) for part in _TASK_PART.finditer(content)]


def find_policy_hashes(content: bytes) -> list[tuple[str, int, int]]:
    """The algorithm and the span of the base64 text of each hash in a Content-Security-Policy."""
    return [(found[1].decode("ascii").lower(), *found.span(2)) for found in _POLICY_HASH.finditer(content)]
