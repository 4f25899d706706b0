"""The tokens of JavaScript as patterns over bytes (ECMA-262, lexical grammar), all possessive: nothing is read twice."""

from __future__ import annotations

import functools
import re

from sitepub.core.references.byte_classes import any_but

_BLOCK_REST = rb"\*[^*]*+(?:\*(?!/)[^*]*+)*+\*/"
_BLOCK = rb"/" + _BLOCK_REST
_LINE = rb"(?:[\x00-\x09\x0b\x0c\x0e-\xe1\xe3-\xff]++|\xe2(?!\x80[\xa8\xa9]))*+"  # U+2028 and U+2029 end lines too
_SPACE = rb"[ \t\n\r\f\v]++|\xc2\xa0|\xef\xbb\xbf|\xe2\x80[\xa8\xa9]"
_TRIVIA = rb"(?:" + _SPACE + rb"|//" + _LINE + rb"|" + _BLOCK + rb")*+"
_CONTINUED = rb"\\(?:\r\n|[\s\S])"
_NO_WORD = rb"(?![\w$\x80-\xff])"


def _string(quote: bytes, kept: bytes = b"") -> bytes:
    """A string without its opening quote; `kept` names the group that holds its content."""
    plain = any_but(quote + b"\\\n\r")
    content = plain + rb"*+(?:" + _CONTINUED + plain + rb"*+)*+"
    return (rb"(?P<" + kept + rb">" + content + rb")" if kept else content) + quote


_TEMPLATE_TEXT = rb"(?:" + any_but(b"`\\$") + rb"++|" + _CONTINUED + rb"|\$(?!\{))*+"
_DOUBLE = rb'"' + _string(b'"')
_SINGLE = rb"'" + _string(b"'")
_STRING = rb"(?:" + _DOUBLE + rb"|" + _SINGLE + rb")"
_LITERAL = rb'(?:"' + _string(b'"', b"double") + rb"|'" + _string(b"'", b"single") + rb"|`(?P<template>" + _TEMPLATE_TEXT + rb")`)"
_QUOTED = rb'(?:"' + _string(b'"', b"double") + rb"|'" + _string(b"'", b"single") + rb")"
_NO_PATH = b"\\\n\r./"  # a string that holds none of these can't be a path: the common case, and fast
_PATH_BYTES = any_but(b"\"'`<>{}|^" + bytes(range(0x21)))


def _not_path(close: bytes) -> bytes:
    return rb"(?!" + _PATH_BYTES + rb"{1,512}+" + close + rb")"


@functools.cache
def compile_skip(*, in_template: bool, html_marks: bytes) -> re.Pattern[bytes]:
    """Up to the next place that needs a look: a path in quotes, a keyword, a slash, a template.

    `p`, `U` and `W` are in the middle or at the start of the keywords (`import`, `export`, `URL`, `Worker`) and rare everywhere else.
    `html_marks`: what HTML-like comments can begin at (`<`, a line feed), in a file that may have them.
    """
    stops = b"\"'`/pUW" + (b"{}" if in_template else b"") + html_marks
    alternatives = [
        any_but(stops) + rb"++",
        rb'"' + any_but(b'"' + _NO_PATH) + rb'*+"',
        rb"'" + any_but(b"'" + _NO_PATH) + rb"*+'",
        rb"p(?:(?!ort)|(?<!imp)(?<!exp)|(?!ort(?:Scripts)?+" + _NO_WORD + rb"))",
        rb"/(?:/" + _LINE + rb"|" + _BLOCK_REST + rb")" + _TRIVIA + rb"(?!/)",
        rb'"' + _not_path(b'"') + _string(b'"'),
        rb"'" + _not_path(b"'") + _string(b"'"),
        rb"`" + _not_path(b"`") + _TEMPLATE_TEXT + rb"`",
        rb"U(?!RL" + _NO_WORD + rb")",
        rb"W(?!ork(?:er|box)" + _NO_WORD + rb")",
    ]
    if b"<" in html_marks:
        alternatives.append(rb"<(?!!--)")
    if b"\n" in html_marks:
        alternatives.append(rb"\n(?![ \t]*+-->)")
    return re.compile(rb"(?:" + rb"|".join(alternatives) + rb")*+")


HTML_COMMENT = re.compile(rb"(?:<!--|\n[ \t]*+-->)" + _LINE)
TRIVIA = re.compile(_TRIVIA)
STRING = re.compile(_QUOTED)
TEMPLATE_CHUNK = re.compile(rb"(?P<text>" + _TEMPLATE_TEXT + rb")(?P<close>`|\$\{)")
_REGEX_BODY = rb"/(?![*/])(?:" + any_but(b"/\\[\n\r") + rb"++|\\[^\n\r]|\[(?:" + any_but(b"]\\\n\r") + rb"++|\\[^\n\r])*+\])++/"
REGEX = re.compile(_REGEX_BODY + rb"[\w$]*+")
# After `)`: only where a method of it is called can what looks like a regular expression be one that does anything.
REGEX_CANDIDATE = re.compile(_REGEX_BODY + rb"[dgimsuvy]*+\s*+(?:\??\.\s*+[A-Za-z_$]|\[)")
NEAR_PARENTHESIS = re.compile(rb"[()\"'`/]")
LAST_WORD = re.compile(rb"(?<![\w$\x80-\xff])(?<!(?<!\.)\.)[a-z]++\Z")
BEFORE_REGEX = frozenset(
    b"return typeof instanceof in of new delete void throw case do else yield await break continue debugger default extends".split()
)
PARENTHESES = re.compile(
    rb"(?:" + any_but(b"()\"'`/}") + rb"++|" + _STRING + rb"|`" + _TEMPLATE_TEXT + rb"`|//" + _LINE + rb"|" + _BLOCK + rb")*+"
)
HEAD = re.compile(rb"(?<![\w$.\x80-\xff])(?:if|while|with|for(?:\s++await)?+)\s*+\Z")

_NAME = rb"(?!from" + _TRIVIA + rb"[\"'])[\w$\\\x80-\xff]++"
_BRACES = rb"\{(?:" + any_but(b"{}\"'/") + rb"++|" + _STRING + rb"|" + _BLOCK + rb"|//" + _LINE + rb"|/)*+\}"
_FROM = rb"from" + _TRIVIA + _QUOTED
IMPORT = re.compile(
    rb"import" + _TRIVIA + rb"(?:"
    rb"(?=[\"'])" + _QUOTED.replace(b"double", b"bare_double").replace(b"single", b"bare_single") + rb"|"
    rb"(?:" + _NAME + _TRIVIA + rb"){0,2}+(?:," + _TRIVIA + rb")?+"
    rb"(?:\*" + _TRIVIA + rb"as" + _NO_WORD + _TRIVIA + _NAME + _TRIVIA + rb"|" + _BRACES + _TRIVIA + rb")?+" + _FROM + rb")"
)
EXPORT_FROM = re.compile(
    rb"export" + _TRIVIA + rb"(?:\*" + _TRIVIA + rb"(?:as" + _NO_WORD + _TRIVIA + rb"(?:" + _STRING + rb"|" + _NAME + rb")" + _TRIVIA + rb")?+|"
    + _BRACES + _TRIVIA + rb")" + _FROM
)  # fmt: skip
EXPORT = re.compile(
    rb"export(?:" + _TRIVIA + rb"[*{]|(?=\s|/\*)" + _TRIVIA + rb"(?:default|const|let|var|function|class|async|enum)" + _NO_WORD + rb")"
)
DYNAMIC = re.compile(rb"import" + _TRIVIA + rb"(?:\." + _TRIVIA + rb"(?:source|defer)" + _TRIVIA + rb")?+\(")
META = re.compile(rb"import" + _TRIVIA + rb"\." + _TRIVIA + rb"meta" + _NO_WORD)
RESOLVE = re.compile(META.pattern + _TRIVIA + rb"\." + _TRIVIA + rb"resolve" + _TRIVIA + rb"\(")
META_URL = re.compile(
    _TRIVIA + rb"," + _TRIVIA + META.pattern + _TRIVIA + rb"\." + _TRIVIA + rb"url" + _TRIVIA + rb"(?:," + _TRIVIA + rb")?+\)"
)
CALL = re.compile(_TRIVIA + rb"\(")
# the first argument of a call, and each of several
LITERAL_FIRST = re.compile(_TRIVIA + _LITERAL + rb"(?=" + _TRIVIA + rb"[,)])")
LITERAL_ARGUMENT = re.compile(_TRIVIA + rb"(?:," + _TRIVIA + rb")?+" + _LITERAL + rb"(?=" + _TRIVIA + rb"[,)])")
NO_ARGUMENT = re.compile(_TRIVIA + rb"\)")
METHOD_BODY = re.compile(rb"(?:,[^()]{0,256}+)?+\)" + _TRIVIA + rb"\{")
NEW_URL = re.compile(
    _TRIVIA + rb"new" + _NO_WORD + _TRIVIA + rb"(?:(?:self|window|globalThis)" + _TRIVIA + rb"\." + _TRIVIA + rb")?+(?=URL)"
)
NEW_BEFORE = re.compile(rb"(?<![\w$.\x80-\xff])new(?:\s|/\*[^*]*\*/)+(?:[\w$]+\s*\.\s*)*\Z")
GLOBAL_BEFORE = re.compile(rb"(?<![\w$.\x80-\xff])(?:self|globalThis|window)\s*\??\.\s*\Z")
REGISTER = re.compile(_TRIVIA + rb"\??\." + _TRIVIA + rb"register" + _TRIVIA + rb"(?:\?\." + _TRIVIA + rb")?+\(")
EXPRESSION_TOKEN = re.compile(
    rb"(?P<trivia>(?:" + _SPACE + rb"|//" + _LINE + rb"|" + _BLOCK + rb")++)|" + _QUOTED + rb"|(?P<name>[\w$.\\\x80-\xff]++)"
    rb"|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<sum>\+(?!\+))|(?P<operator>[?:|&=<>!*%^~/\-+]++)|(?P<other>[\s\S])"
)
CODE_RUN = re.compile(rb"(?:" + any_but(b"\"'`{}/") + rb"++|" + _STRING + rb"|//" + _LINE + rb"|" + _BLOCK + rb"|/)*+")
ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\u\{[0-9a-fA-F]{1,8}\}|\\x[0-9a-fA-F]{2}"
    rb"|\\[0-3]?[0-7]{1,2}|\\\r\n|\\\xe2\x80[\xa8\xa9]|\\[\s\S]|\\\Z"
)
SOURCE_MAP = re.compile(rb"(?://|/\*)[#@][ \t]++sourceMappingURL=([^\s'\"`*]++)[ \t]*+(?:\*/)?+\s*+\Z")
_SIMPLE_ESCAPES = {b"n": "\n", b"t": "\t", b"r": "\r", b"b": "\b", b"v": "\v", b"f": "\f"}


def unescape(raw: bytes) -> str:
    """What one escape (a match of ESCAPE) means."""
    kind = raw[1:2]
    if kind in (b"", b"\n", b"\r") or raw.startswith(b"\\\xe2\x80"):
        return ""
    if kind == b"u" and raw[6:8] == b"\\u":
        return chr(0x10000 + ((int(raw[2:6], 16) - 0xD800) << 10) + int(raw[8:], 16) - 0xDC00)
    if kind in (b"u", b"x") and len(raw) > 2:
        return _meaning(int(raw[2:].strip(b"{}"), 16))
    if kind.isdigit() and kind < b"8":
        return chr(int(raw[1:], 8))
    return _SIMPLE_ESCAPES.get(kind) or raw[1:].decode("utf-8", "replace")


def _meaning(code: int) -> str:
    return chr(code) if code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF else "\ufffd"
