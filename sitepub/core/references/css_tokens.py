"""The tokens of CSS that decide where a URL can stand, as patterns over bytes (https://drafts.csswg.org/css-syntax-3/#tokenization).

Every repetition is possessive: nothing is read twice, so time is linear in the size of any input.
"""

from __future__ import annotations

import re

from sitepub.core.references.byte_classes import any_but

_SPACE = rb"[ \t\n\r\f]"
_NAME_CHARACTER = rb"[-\w\x80-\xff]"
_ESCAPE = rb"\\(?:[0-9a-fA-F]{1,6}+(?:\r\n|[ \t\n\r\f])?+|[^\n\r\f0-9a-fA-F])"
_CONTINUED = rb"\\(?:\r\n|[\s\S])"
_COMMENT = rb"/\*[^*]*+(?:\*(?!/)[^*]*+)*+(?:\*/|\Z)"
_IN_DOUBLE = any_but(b'"\\\n\r\f')
_IN_SINGLE = any_but(b"'\\\n\r\f")
_DOUBLE = _IN_DOUBLE + rb"*+(?:" + _CONTINUED + _IN_DOUBLE + rb"*+)*+"
_SINGLE = _IN_SINGLE + rb"*+(?:" + _CONTINUED + _IN_SINGLE + rb"*+)*+"
# a string that meets the end of its line is over, but is no string; one that meets the end of the file is one
_STRING_RUN = rb'"' + _DOUBLE + rb'(?:"|\\?+\Z|(?=[\n\r\f]))|' + b"'" + _SINGLE + rb"(?:'|\\?+\Z|(?=[\n\r\f]))"
_UNQUOTED = any_but(b"\"'()\\ \x7f" + bytes(range(0x01, 0x20)))
_ESCAPED_NAME = _ESCAPE + rb"(?:" + _NAME_CHARACTER + rb"|" + _ESCAPE + rb")*+"
_PLAIN = any_but(b"\"'/\\@(")
_RULES = rb"(?i:import|namespace|(?:-moz-)?document)"

# Up to the next place where a URL may begin. The long runs are what makes it fast: code per token is only run for what stops it.
SKIP = re.compile(
    rb"(?:" + _PLAIN + rb"++(?:\((?<![lLcCtT]\()" + _PLAIN + rb"*+)*+|" + _STRING_RUN + rb"|" + _COMMENT + rb"|/(?!\*)"
    rb"|\((?<![uU][rR][lL]\()(?<![sS][rR][cC]\()(?<![sS][eE][tT]\()"
    rb"|@(?!" + _RULES + rb"|[-\w]*+\\)"
    rb"|" + _ESCAPED_NAME + rb"(?!\())*+"
)
# Within image-set(): strings are URLs, and blocks have to be counted.
SKIP_IN_SET = re.compile(rb"(?:" + any_but(b"\"'/\\(){}[]") + rb"++|" + _COMMENT + rb"|/(?!\*)|" + _ESCAPED_NAME + rb"(?!\())*+")
TRIVIA = re.compile(rb"(?:" + _SPACE + rb"++|" + _COMMENT + rb")*+")

_NOT_IN_NAME = rb"(?<![-\w#@\x80-\xff]"
FUNCTION = re.compile(
    rb"\((?i:(?<=url\()" + _NOT_IN_NAME + rb"url\()(?P<url>)"
    rb"|(?<=src\()" + _NOT_IN_NAME + rb"src\()(?P<src>)"
    rb"|(?<=image-set\()" + _NOT_IN_NAME + rb"image-set\()(?P<set>)"
    rb"|(?<=-webkit-image-set\()" + _NOT_IN_NAME + rb"-webkit-image-set\()(?P<prefixed>))"
)
FUNCTION_NAMES = {"url": "url", "src": "src", "image-set": "set", "-webkit-image-set": "set"}
URL_OR_SRC = re.compile(rb"(?i:(?P<url>url)|(?P<src>src))(?=\()")
STRING = re.compile(rb'"(?P<double>' + _DOUBLE + rb')(?:"|\\?+\Z)|' + b"'(?P<single>" + _SINGLE + rb")(?:'|\\?+\Z)")
STRING_RUN = re.compile(_STRING_RUN)
SPACES = re.compile(_SPACE + rb"*+")
UNQUOTED = re.compile(
    rb"(?P<plain>(?:" + _UNQUOTED + rb"++|" + _ESCAPE + rb")*+)" + _SPACE + rb"*+(?:\)|\Z)"
    rb"|(?:[^)\\]++|\\(?:[\s\S]|\Z))*+\)?+"
)
AT_RULE = re.compile(rb"@((?:" + _NAME_CHARACTER + rb"|" + _ESCAPE + rb")++)")
PRELUDE = re.compile(rb"(?:[^\"'/;{}\\(]++|" + _STRING_RUN + rb"|" + _COMMENT + rb"|/(?!\*)|\((?:[^\"'()\\]*+\))?+|\\(?:[\s\S]|\Z))*+")
ESCAPED_NAME = re.compile(_ESCAPED_NAME)
NAME_BEFORE = re.compile(rb"[-\w#@\x80-\xff]*+\Z")
ESCAPE = re.compile(_ESCAPE + rb"|\\(?:\r\n|[\n\r\f])|\\\Z")
SOURCE_MAP = re.compile(rb"/\*[#@][ \t]++sourceMappingURL=([^\s'\"*]++)\s*+\*/(?:\s++|" + _COMMENT + rb")*+\Z")


def unescape(raw: bytes) -> str:
    """What one escape (a match of ESCAPE) means; a line continued by a backslash means nothing."""
    if raw[1:2] in (b"", b"\n", b"\r", b"\f"):
        return ""
    digits = raw[1:].strip(b" \t\n\r\f")
    if digits and all(digit in b"0123456789abcdefABCDEF" for digit in digits):
        return _meaning(int(digits, 16))
    return raw[1:].decode("utf-8", "replace")


def _meaning(code: int) -> str:
    is_character = 0 < code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF
    return chr(code) if is_character else "\ufffd"
