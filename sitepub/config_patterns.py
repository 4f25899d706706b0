"""What an editor can check of each kind of text: patterns that ECMA-262 and Python read alike. config_values.py and config_places.py have the
last word; what they accept matches here, what they refuse does not, but for the few rules that no pattern holds."""

from __future__ import annotations

_END = r"(?![\s\S])"  # `$` would let a line break stand behind it in Python
_CONTROLS = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
_STOP = f"(?:/|{_END})"
_LABEL = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = rf"{_LABEL}(?:\.{_LABEL})*\.?"
_SEGMENT_CHARACTER = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@\[\]-]|%[0-9A-Fa-f]{2})"
_URL_CHARACTER = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?#\[\]-]|%[0-9A-Fa-f]{2})"
_ORIGIN = rf" *[Hh][Tt][Tt][Pp][Ss]?://(?:\[[^\]/?#@]+\]|{_HOST})(?::[0-9]{{0,5}})?"
_NO_DOTS = rf"(?!\.\.?{_STOP})"
_NOT_OURS = rf"(?!\.\.?{_STOP}|\.sitepub{_STOP})"

VARIABLE = r"\$(?:\$|\{[A-Za-z_][A-Za-z0-9_]*(?::-[^{}]*)?\})"
"""Found anywhere in a text, it says that nobody knows yet what will stand there."""

TEXT = rf"(?=[\s\S]*\S)[^{_CONTROLS}]*{_END}"
COMMAND = rf"(?=[\s\S]*\S)[^\x00]*{_END}"
FOLDER = f"(?!~){TEXT}"

_BUCKET = (
    rf"(?!xn--|sthree-|amzn-s3-demo-)(?!(?:[0-9]+\.){{3}}[0-9]+{_STOP})(?![^/]*\.\.)"
    rf"(?![^/]*(?:-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3){_STOP})[a-z0-9][a-z0-9.-]{{1,61}}[a-z0-9]"
)
_PREFIX = rf"(?:{_NOT_OURS}[^/{_CONTROLS}]+{_STOP})*"
STORE = rf"(?:s3://{_BUCKET}(?:/{_PREFIX})?{_END}|file:(?!~|//(?!/))(?=[\s\S]*\S)(?!\s+{_END})[^{_CONTROLS}]+{_END})"

ENDPOINT = rf"{_ORIGIN}(?:/[^?#{_CONTROLS}]*)?{_END}"
SITE_URL = rf"(?:(?!//)(?=/)|{_ORIGIN})(?:/{_NO_DOTS}{_SEGMENT_CHARACTER}+)*/*{_END}"
HOST = rf"(?=[\s\S]{{1,253}}\.?{_END}){_HOST}{_END}"
DISTRIBUTION = f"(?:none|[A-Z][A-Z0-9]{{2,63}}){_END}"
CERTIFICATE = f"arn:aws[a-z-]*:acm:us-east-1:[0-9]{{12}}:certificate/[A-Za-z0-9-]+{_END}"
ZONE = HOST  # a zone's id and `none` look like names
ACCOUNT = f"[0-9]{{12}}{_END}"
REGION = f"[A-Za-z0-9][A-Za-z0-9-]{{0,62}}{_END}"
AWS_REGION = f"[a-z]{{2,4}}(?:-[a-z]+){{1,3}}-[0-9]{{1,2}}{_END}"
BRANCH = rf"(?!refs/|[-/.])(?![\s\S]*(?:[\s~^:?*\[\\]|\.\.|@\{{|//))(?![\s\S]*(?:\.lock|[/.]){_END}){TEXT}"  # git-check-ref-format(1)
EXECUTOR = rf"(?:processes|threads|dask://[^\s/]+:[0-9]{{1,5}}){_END}"
_PLAIN_SEGMENT = rf"(?!(?:\.{{1,2}}|\.sitepub)(?:/|{_END}))[A-Za-z0-9._-]{{1,64}}"
PREFIX = rf"(?:/+|/*{_PLAIN_SEGMENT}(?:/{_PLAIN_SEGMENT})*/*){_END}"
PREVIEW_URL = rf"(?=[\s\S]*\{{name\}})(?:/(?!/)|[hH][tT][tT][pP][sS]?://)[^?#{_CONTROLS}\s]*{_END}"
GITIGNORE = rf"(?!#)(?=[\s\S]*[^/! ]){TEXT}"
HEADER_VALUE = rf"(?=[\s\S]*\S)[\x20-\x7e]*{_END}"
REDIRECT_SOURCE = rf"/(?:{_NOT_OURS}[^/?#\\*{_CONTROLS}]+{_STOP})*{_END}"
REDIRECT_AIM = rf"(?:(?!//)(?=/)|(?={_ORIGIN}(?:[/?#]|{_END})))(?=[\s\S]{{0,2000}}{_END}){_URL_CHARACTER}+{_END}"
TARGET_NAME = f"[A-Za-z0-9][A-Za-z0-9._-]{{0,63}}{_END}"


def ignore_case(word: str) -> str:
    """Neither dialect has a flag that the other one knows."""
    return "".join(f"[{letter.upper()}{letter.lower()}]" if letter.isalpha() else letter for letter in word)


_AGES = "|".join(ignore_case(name) for name in ("max-age", "s-maxage", "stale-while-revalidate", "stale-if-error"))
_NEXT = f" *(?:,|{_END})"
_DIRECTIVE = rf'(?!(?:{_AGES})(?:{_NEXT}|=(?![0-9]+{_NEXT})))[A-Za-z][A-Za-z0-9-]*(?:=(?:[A-Za-z0-9_.-]+|"[^",{_CONTROLS}]*"))?'
CACHE_CONTROL = rf"(?=[\x20-\x7e]*{_END}) *{_DIRECTIVE} *(?:, *{_DIRECTIVE} *)*{_END}"


def anchored(pattern: str) -> str:
    return f"^{pattern}"


def with_variables(pattern: str) -> str:
    """A text that may hold variables; `${` that begins none is a mistake."""
    return rf"{VARIABLE}|^(?![\s\S]*\$\{{){pattern}"
