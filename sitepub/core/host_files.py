"""`_redirects` and `_headers`, as Netlify and Cloudflare Pages read them, as rules of ours. What S3 can't do is told with its line, never dropped.

A redirect stands at one path and a header is stored with its file, so wildcards in redirects, rewrites (status 200), conditions, and headers that
S3 does not keep have no place here. See docs/decisions/0005-host-files.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from msgspec import Struct

from sitepub.core.headers import ALLOWED_HEADERS
from sitepub.core.model import Key, SourcePath, Warning
from sitepub.core.paths import HOST_HEADERS as HEADERS
from sitepub.core.paths import HOST_REDIRECTS as REDIRECTS
from sitepub.core.redirects import redirect_key, redirect_target
from sitepub.core.settings import HeaderRule, Redirect
from sitepub.errors import ConfigurationError

_STATUS = re.compile(r"(\d{3})(!?)", re.ASCII)
_REDIRECTING = (301, 302, 303, 307, 308)
_MANY = re.compile(r"\*|/:[A-Za-z]|^:")
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*:\s*(.*)")
_URL = re.compile(r"/|[A-Za-z][A-Za-z0-9+.-]*://")
_GIT_LETTERS = re.compile(r"[\[\]?\\!#]")

Exists = Callable[[str], bool]
"""Whether the source has a file at a path."""


class HostRules(Struct, frozen=True):
    """What the files say that can be done here, and what in them can't."""

    redirects: tuple[Redirect, ...] = ()
    headers: tuple[HeaderRule, ...] = ()
    warnings: tuple[Warning, ...] = ()


class _UntranslatableError(Exception):
    """Why a line has no counterpart here; '' where nothing is lost by leaving it out."""


def read_redirects(text: str, *, url_path: str, exists: Exists, taken: Iterable[Redirect] = ()) -> HostRules:
    """`taken`: the redirects of sitepub.yaml, which win. Where the source has a file it wins too, as it does there; of two lines the first."""
    known = {redirect_key(redirect.source, url_path) for redirect in taken}
    redirects: list[Redirect] = []
    warnings: list[Warning] = []
    for number, words in _each_line(text):
        try:
            redirect, key = _read_redirect(words, number, url_path=url_path, exists=exists)
        except _UntranslatableError as why:
            warnings += _tell(REDIRECTS, number, str(why))
            continue
        if key not in known:
            known.add(key)
            redirects.append(redirect)
    return HostRules(redirects=tuple(redirects), warnings=tuple(warnings))


def _each_line(text: str) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        comment = next((at for at, word in enumerate(words) if word.startswith("#")), len(words))
        if words[:comment]:
            yield number, words[:comment]


def _read_redirect(words: list[str], number: int, *, url_path: str, exists: Exists) -> tuple[Redirect, Key]:
    source, *rest = words
    at = next((at for at, word in enumerate(rest) if word.startswith(("/", "http://", "https://"))), None)
    if at is None:
        raise _UntranslatableError(f"`{source}` leads nowhere: a path or URL must follow it")
    to, after = rest[at], rest[at + 1 :]
    status, is_forced = _read_status(after)
    _refuse_what_needs_a_host(source, rest[:at], to, status, after[1:] if after and _STATUS.fullmatch(after[0]) else after)
    redirect = Redirect(source, to, status, number, origin=REDIRECTS)
    try:
        key = redirect_key(source, url_path)
        redirect_target(redirect, url_path)
    except ConfigurationError as error:
        raise _UntranslatableError(error.message.replace("in `redirects` ", "")) from None
    if exists(key):
        raise _UntranslatableError(
            f"`{source}` is a file of the site, `{key}`, and can't be forced to redirect; take the file out" if is_forced else ""
        )
    if _find_key(to, url_path) == key:
        raise _UntranslatableError(f"`{source}` leads to itself")
    return redirect, key


def _find_key(to: str, url_path: str) -> Key | None:
    """The key that a path of the site stands for; None for what is no such path, which may be redirected to all the same."""
    try:
        return redirect_key(to, url_path)
    except ConfigurationError:
        return None


def _read_status(words: list[str]) -> tuple[int, bool]:
    found = _STATUS.fullmatch(words[0]) if words else None
    return (int(found[1]), bool(found[2])) if found else (301, False)


def _refuse_what_needs_a_host(source: str, queries: list[str], to: str, status: int, conditions: list[str]) -> None:
    if status == 404 and to == "/404.html":
        raise _UntranslatableError("")
    if status == 200 and source == "/*":
        raise _UntranslatableError(
            f"`{source}` answers any URL with `{to}`: make it the distribution's error page for 403 and 404, with status 200"
        )
    if status not in _REDIRECTING:
        raise _UntranslatableError(
            f"`{source}` is no redirect but an answer with status {status}, which only a function at the edge can give"
        )
    if not source.startswith("/"):
        raise _UntranslatableError(f"`{source}` is about another host: redirect it where that host is served")
    if _MANY.search(source) or ":splat" in to:
        raise _UntranslatableError(f"`{source}` stands for many paths, and a redirect stands at one: write a line for each")
    if queries or conditions:
        named = " ".join([*queries, *conditions])
        raise _UntranslatableError(f"`{source}` depends on `{named}`, which only a function at the edge can see")


def read_headers(text: str, *, exists: Exists) -> HostRules:
    """Rules in the order of their lines. A header that one block names twice has both values, as there."""
    rules: list[HeaderRule] = []
    warnings: list[Warning] = []
    for number, url, lines in _each_block(text):
        chosen: dict[str, str] = {}
        for line_number, line in lines:
            try:
                name, value = _read_header(line)
            except _UntranslatableError as why:
                warnings += _tell(HEADERS, line_number, str(why))
                continue
            chosen[name] = f"{chosen[name]}, {value}" if name in chosen else value
        try:
            matches = _find_matches(url, exists) if chosen else ()
        except _UntranslatableError as why:
            warnings += _tell(HEADERS, number, str(why))
            continue
        rules += [HeaderRule(match, tuple(sorted(chosen.items())), number, origin=HEADERS) for match in matches]
    return HostRules(headers=tuple(rules), warnings=tuple(warnings))


def _each_block(text: str) -> Iterator[tuple[int, str, list[tuple[int, str]]]]:
    """A URL, and below it its headers; '' for headers before any URL. Both hosts tell them by their form: the indentation is for people."""
    block: tuple[int, str, list[tuple[int, str]]] | None = None
    for number, line in enumerate(map(str.strip, text.splitlines()), 1):
        if not line or line.startswith("#"):
            continue
        if _URL.match(line):
            if block is not None:
                yield block
            block = (number, line, [])
        else:
            block = block or (number, "", [])
            block[2].append((number, line))
    if block is not None:
        yield block


def _read_header(line: str) -> tuple[str, str]:
    """Values are never repeated in a message: a password may stand there."""
    found = _HEADER.fullmatch(line)
    if line.startswith("! "):
        raise _UntranslatableError(f"`{line}` takes a header off, which only a function at the edge can do")
    if found is None:
        raise _UntranslatableError("is no header: it is written `Name: value`")
    name = ALLOWED_HEADERS.get(found[1].lower())
    if name is None:
        raise _UntranslatableError(f"`{found[1]}` is no header that S3 keeps; put it into the distribution's response-headers policy")
    if not found[2] or not found[2].isascii() or not found[2].isprintable():
        raise _UntranslatableError(f"`{name}` has no value that a header can have")
    return name, found[2]


def _find_matches(url: str, exists: Exists) -> tuple[str, ...]:
    """gitignore patterns for the files that a URL of `_headers` is about. One without a wildcard names its file, since a pattern would match
    a folder of that name with all that is in it."""
    if not url:
        raise _UntranslatableError("headers stand below no URL: write the path that they are for above them")
    if not url.startswith("/"):
        raise _UntranslatableError(f"`{url}` is about one host: rules here hold for the files, whoever asks")
    folder, _, last = url.rpartition("/")
    if "*" in folder or last.count("*") > 1 or ("*" in last and not last.startswith("*")):
        raise _UntranslatableError(f"`{url}` has a wildcard that no pattern can say: it may begin the last part of the path")
    escaped = _escape(folder)
    folders = re.sub(r"/:[A-Za-z]\w*", "/*", escaped)
    if last == "*":
        return (f"{folders}/**",)
    if last.startswith("*"):
        return (f"{folders}/**/*{_escape(last[1:])}",)
    if folders != escaped or last.startswith(":"):
        return (f"{folders}/{'*' if last.startswith(':') else _escape(last) or 'index.html'}",)
    path = url[1:]
    candidates = [f"{path}index.html"] if path.endswith("/") or not path else [path, f"{path}.html", f"{path}/index.html"]
    named = next((candidate for candidate in candidates if exists(candidate)), None)
    if named is None:
        raise _UntranslatableError(f"`{url}` is no file of the site")
    return (f"/{_escape(named)}",)


def _escape(text: str) -> str:
    return _GIT_LETTERS.sub(lambda found: f"\\{found[0]}", text)


def _tell(name: SourcePath, number: int, why: str) -> Iterator[Warning]:
    if why:
        yield Warning("host-file", f"`{name}` line {number}: {why}")


def join(rules: Mapping[SourcePath, HostRules]) -> HostRules:
    """Both files as one."""
    return HostRules(
        tuple(redirect for each in rules.values() for redirect in each.redirects),
        tuple(rule for each in rules.values() for rule in each.headers),
        tuple(warning for each in rules.values() for warning in each.warnings),
    )
