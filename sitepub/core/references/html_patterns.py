"""The grammar of HTML's tags as patterns over bytes, and the one that runs over all that refers to nothing.

No part of it can backtrack: each byte is read a bounded number of times, whatever the input.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from functools import cache
from string import ascii_lowercase
from types import MappingProxyType

from sitepub.core.references.html_attributes import LINKING_NAMES, LOADING_NAMES, NOTED_ELEMENTS
from sitepub.core.references.html_links import HARMLESS_RELATIONS, LINKING_META_STARTS, LOADING_META_STARTS

_SPACE = rb"[\t\n\f\r ]*+"
SEPARATORS = rb"[\t\n\f\r /]*+"
ASSIGN = _SPACE + rb"=" + _SPACE
ATTRIBUTE_NAME = rb"[^\t\n\f\r />][^\t\n\f\r />=]*+"
_VALUE = rb"""(?:"[^"]*+"|'[^']*+'|[^\t\n\f\r "'>][^\t\n\f\r >]*+|(?=>))"""
_ANY_ATTRIBUTE = ATTRIBUTE_NAME + rb"(?:=\"[^\"]*+\"|" + ASSIGN + _VALUE + rb"|(?!" + _SPACE + rb"=))"
ATTRIBUTES = rb"(?:" + SEPARATORS + _ANY_ATTRIBUTE + rb")*+"
TAG_NAME = rb"[a-zA-Z][^\t\n\f\r />]*+"
_TAG_END = rb"(?=[\t\n\f\r />])"
TAG = rb"(?P<name>" + TAG_NAME + rb")(?P<attributes>" + ATTRIBUTES + rb")(?P<close>" + SEPARATORS + rb")>"
COMMENT_REST = rb"(?:-?>|(?:[^-]++|-(?!-!?>))*+--!?>)"
SWITCH = rb"(?P<switch>!--" + _SPACE + rb"sitepub:" + COMMENT_REST + rb")"
# Doctypes, processing instructions, CDATA outside foreign content, `</` without a letter: all end at the first `>`. A lone `<` is text.
HIDDEN = rb"(?!!--)[!?][^>]*+>|/(?![a-zA-Z])[^>]*+>|(?![a-zA-Z/!?])"

# Of the elements that are neither noted nor start with another letter than a noted one, those that pages are full of.
_FREQUENT = frozenset(
    b"b body br button i img input label li main nav ol option p pre section small span strong table tbody td th thead tr".split()
)

# What a handler can be full of that names no file: no path without a dot or a slash, no call that loads, no escape.
_HARMLESS_CODE = rb"(?:[^./&\\eiW%b]++|e(?!xport)|i(?!mport)|W(?!ork))*+"


class FirstBytes:
    """What is read before the pattern that runs is compiled: a publish of one page is over sooner without it."""

    __slots__ = ("left",)

    def __init__(self, left: int = 60_000) -> None:
        self.left = left

    def spend(self, size: int) -> bool:
        """Whether so many bytes more go without."""
        self.left -= size
        return self.left >= 0


@cache
def compile_run(*, links: bool) -> re.Pattern[bytes]:
    """What nothing refers from, as long as it goes on, and then the tag that stopped it."""
    telling = LOADING_NAMES | LINKING_NAMES if links else LOADING_NAMES
    title = _any_case({b"title"}) + _TAG_END
    boring = [
        rb"/[a-z0-9]++>",
        # Most tags, before the form that holds for all: it costs no look ahead.
        _letter_that_starts_none(NOTED_ELEMENTS) + rb"[a-z0-9]*+" + _rest_of_tag(telling),
        _lower_case(_FREQUENT - NOTED_ELEMENTS) + rb"(?=[ >])" + _rest_of_tag(telling),
        _any_case({b"meta"}) + _TAG_END + _rest_of_meta(telling, links=links),
        title + _rest_of_tag(telling) + rb"[^<]*+(?=</" + title + rb")",
        rb"!--(?!" + _SPACE + rb"sitepub:)" + COMMENT_REST,
        rb"/" + TAG_NAME + rb"(?:>|" + ATTRIBUTES + SEPARATORS + rb">)",
        rb"(?!" + _any_case(NOTED_ELEMENTS) + _TAG_END + rb")" + TAG_NAME + _rest_of_tag(telling),
        HIDDEN,
    ]
    if not links:
        boring.append(_any_case({b"link"}) + _TAG_END + _rest_of_link(telling))
    return re.compile(rb"(?:[^<]*+<(?:" + rb"|".join(boring) + rb"))*+[^<]*+<(?:" + TAG + rb"|" + SWITCH + rb")")


def _rest_of_tag(telling: Collection[bytes], harmless_values: Mapping[bytes, bytes] = MappingProxyType({})) -> bytes:
    """Attributes that refer to nothing, and the `>`. `telling`: how the names begin of those that may; `harmless_values`: patterns of what
    nothing follows from in an attribute that decides about others."""
    names = {*telling, *harmless_values, b"style", b"data-", b"on"}
    quick = rb" " + _letter_that_starts_none(names) + rb"[a-z-]*+=\"[^\"]*+\""
    if harmless_values:
        quick = rb"(?:" + rb"|".join([quick, *(b" %b=%b" % one for one in harmless_values.items())]) + rb")"
    harmless = [
        rb"(?!" + _any_case(names) + rb")" + _ANY_ATTRIBUTE,
        *(_any_case({name}) + ASSIGN + value for name, value in harmless_values.items()),
        _any_case({b"style"}) + ASSIGN + _without(rb"(&"),
        _any_case({b"data-"}) + rb"[^\t\n\f\r />=]*+(?:" + ASSIGN + _without(rb".&") + rb"|(?!" + _SPACE + rb"=))",
        _any_case({b"on"}) + rb"[^\t\n\f\r />=]*+" + ASSIGN + rb"""(?:"[^"'`&]*+"|'[^'"`&]*+')""",
        _any_case({b"on"}) + rb"[^\t\n\f\r />=]*+" + ASSIGN + rb"(?:\"" + _HARMLESS_CODE % b'"' + rb"\"|'" + _HARMLESS_CODE % b"'" + rb"')",
    ]
    slowly = rb"(?:" + SEPARATORS + rb"(?:" + rb"|".join(harmless) + rb"))*+" + SEPARATORS + rb">"
    return rb"(?:>|(?:" + quick + rb")*+(?:>|" + slowly + rb"))"


def _rest_of_meta(telling: Collection[bytes], *, links: bool) -> bytes:
    """Of a `<meta>` that is neither a URL nor a policy."""
    name = _without(rb"&", starts=LOADING_META_STARTS | LINKING_META_STARTS if links else LOADING_META_STARTS)
    equivalent = _without(rb"&", starts={b"content-security-policy", b"refresh"} if links else {b"content-security-policy"})
    values = {b"name": name, b"property": name, b"http-equiv": equivalent}
    return _rest_of_tag({*telling, b"itemprop"} if links else telling, values)


def _rest_of_link(telling: Collection[bytes]) -> bytes:
    """Of a `<link>` that a reader may follow, but no browser loads."""
    relation = _any_case(HARMLESS_RELATIONS)
    value = rb"(?:\"" + relation + rb"\"|'" + relation + rb"'|" + relation + rb"(?=[\t\n\f\r >]))"
    return _rest_of_tag({*telling, b"imagesrcset"}, {b"rel": value})


def _without(bytes_: bytes, *, starts: Collection[bytes] = ()) -> bytes:
    """A complete value that holds none of these bytes, and does not start with any of these words."""
    start = rb"(?![\x00-\x20]*+" + _any_case(starts) + rb")" if starts else b""
    forms = [rb'"%b[^"%b]*+"', rb"'%b[^'%b]*+'", rb"(?![\"'])%b[^\t\n\f\r >%b]++(?=[\t\n\f\r >])"]
    return rb"(?:" + rb"|".join(form % (start, bytes_) for form in forms) + rb")"


def _letter_that_starts_none(words: Collection[bytes]) -> bytes:
    """A class of the lower-case letters that none of `words` starts with."""
    return b"[" + bytes(sorted(set(ascii_lowercase.encode()) - {word[0] for word in words})) + b"]"


def _any_case(words: Collection[bytes]) -> bytes:
    """A pattern for `words` in upper and lower case: far faster than IGNORECASE. The longest that fits is taken."""
    return _make_tree(words, lambda letter: b"[%s%s]" % (letter, letter.upper()) if letter.isalpha() else re.escape(letter))


def _lower_case(words: Collection[bytes]) -> bytes:
    """As _any_case, in lower case alone."""
    return _make_tree(words, re.escape)


def _make_tree(words: Collection[bytes], write: Callable[[bytes], bytes]) -> bytes:
    """A pattern for `words` as a tree of letters, of which `write` makes patterns."""
    tails: dict[bytes, list[bytes]] = {}
    for word in sorted(words):
        tails.setdefault(word[:1], []).append(word[1:])
    branches = []
    for letter, rest in tails.items():
        more = _make_tree([tail for tail in rest if tail], write) + (b"?" if b"" in rest else b"") if any(rest) else b""
        branches.append(write(letter) + more)
    return b"(?:" + b"|".join(branches) + b")"
