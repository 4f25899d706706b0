"""Whether the names of a site can be published: as keys, as URLs, and without giving a secret away. Decides by names alone."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from msgspec import Struct

from sitepub.core.enumeration import list_some
from sitepub.core.invalidation_paths import find_stem
from sitepub.core.model import SourcePath, Warning
from sitepub.core.patterns import Patterns

LONGEST_KEY = 1024
"""Bytes (https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html)."""

_MOST_BYTES = 4
"""Of a character in UTF-8."""

NAMED_AT_ONCE = 10
"""Names in one warning; all of them would bury it."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_UNDECODABLE = re.compile(r"[\ud800-\udfff]")
_NO_SEGMENT = re.compile(r"(?:^|/)\.{0,2}(?:/|$)")
_RESERVED = re.compile(r"(?:^|/)\.sitepub(?:/|$)", re.IGNORECASE)

# What an ordinary name is made of: it needs no closer look.
_ORDINARY_NAME = r"(?:[\w-][\w.,@=&$!()-]*/)*+[\w-][\w.,@=&$!()-]*"
_ORDINARY = re.compile(_ORDINARY_NAME)
_ALL_ORDINARY = re.compile(rf"(?:{_ORDINARY_NAME}\n)*+")

# Names that hold secrets and hardly ever anything else. Left out on purpose: `*.asc`, `*.gpg`, `*.crt`, `*.cer` (public keys, signatures and
# certificates are published), `*.pub`, `id_rsa.html` (pages about keys), `credentials.json` and `secrets.json` (generators name the data of a
# page after the page). `*.key` is a Keynote presentation or a public key as often: see `is_harmless_key`.
_SECRET_NAME = re.compile(
    r"""
      \.env.*
    | .*\.(?: pem | key | p8 | p12 | pfx | ppk | jks | keystore | kdbx | tfstate ) (?: \.(?: bak | backup | old | orig | save ) )?
    | id_(?: rsa | dsa | ecdsa | ed25519 ) (?: _sk )? (?: [._-] (?: bak | backup | old | orig | save | priv | private | [0-9]+ ) )?
    | \.(?: npmrc | yarnrc\.yml | pypirc | netrc | pgpass | my\.cnf | htpasswd | git-credentials | dockercfg | s3cfg | boto | vault-token )
    | _netrc
    | wp-config\.php
    """,
    re.VERBOSE,
)
# One of these every secret name has; most names have neither, and this is asked of each file.
_SECRET_STARTS = (".", "id_", "_netrc", "wp-config")
_SECRET_ENDS = frozenset(
    ("pem", "key", "p8", "p12", "pfx", "ppk", "jks", "keystore", "kdbx", "tfstate", "bak", "backup", "old", "orig", "save")
)
# The same, in a text of folded paths, each between line ends.
_SECRET_ENDING = re.compile(rf"\.(?:{'|'.join(sorted(_SECRET_ENDS))})$", re.MULTILINE)
_SECRET_MARKS = tuple(f"{before}{start}" for before in "\n/" for start in _SECRET_STARTS)
_SECRET_FOLDER = re.compile(r"(?:^|/)(?:\.(?:ssh|gnupg|aws|kube|git|hg|svn)(?:/|$)|\.docker/config\.json$)", re.IGNORECASE)

# Keynote is a zip file; the rest says by itself that it is public.
_HARMLESS_KEYS = (b"PK\x03\x04", b"-----BEGIN PGP PUBLIC KEY", b"-----BEGIN PUBLIC KEY", b"-----BEGIN CERTIFICATE", b"ssh-", b"ecdsa-")
KEY_OPENING = max(len(opening) for opening in _HARMLESS_KEYS)


HOST_REDIRECTS = SourcePath("_redirects")
HOST_HEADERS = SourcePath("_headers")
HOST_FILES = frozenset({HOST_REDIRECTS, HOST_HEADERS})
"""Settings of Netlify and Cloudflare Pages, at the root of a built site."""


class Checked(Struct, frozen=True):
    """`problems`: names that can't be published; `secrets`: names that look like secrets and are not allowed. Both stop a run."""

    problems: tuple[str, ...] = ()
    warnings: tuple[Warning, ...] = ()
    secrets: tuple[str, ...] = ()


def check_paths(paths: Sequence[str], *, allow: Patterns, store_is_folder: bool) -> Checked:
    """All that is wrong with the names of a site, in the order of `paths`."""
    odd = _find_odd(paths)
    problems = [problem for path in odd for problem in _find_problems(path)]
    if max(map(len, paths), default=0) > LONGEST_KEY // _MOST_BYTES:
        problems += [_explain_length(path) for path in paths if _is_too_long(path)]
    folds = _fold_all(paths)
    collisions = tuple(_find_collisions(paths, folds)) if len(set(folds)) < len(folds) else ()
    if store_is_folder:
        problems += [*collisions, *_find_blocked(paths, folds)]
    warnings = () if store_is_folder else tuple(_find_warnings(odd, collisions))
    secrets = tuple(path for path in _find_suspects(paths, folds) if looks_like_secret(path) and not allow.matches(path))
    return Checked(tuple(problems), warnings, secrets)


def _find_odd(paths: Sequence[str]) -> list[str]:
    """All at once, where none is: nearly always."""
    text = "\n".join((*paths, ""))
    if text.count("\n") == len(paths) and _ALL_ORDINARY.fullmatch(text):
        return []
    return [path for path in paths if not _ORDINARY.fullmatch(path)]


def looks_like_secret(path: str) -> bool:
    """By its own name, or by a folder that it stands in (or is)."""
    name = path[path.rfind("/") + 1 :].lower()
    if name.startswith(_SECRET_STARTS) or name[name.rfind(".") + 1 :] in _SECRET_ENDS:
        return _SECRET_NAME.fullmatch(name) is not None or _SECRET_FOLDER.search(path) is not None
    return ("/." in path or path.startswith(".")) and _SECRET_FOLDER.search(path) is not None


def _find_suspects(paths: Sequence[str], folds: Sequence[str]) -> Sequence[str]:
    """All paths, where any of them holds what secret names have in common; none otherwise, which a glance at all of them at once tells."""
    text = "\n".join(("", *folds))
    is_marked = any(mark in text for mark in _SECRET_MARKS) or _SECRET_ENDING.search(text) or not _SECRET_ENDS.isdisjoint(folds)
    return paths if is_marked else ()


def is_harmless_key(path: str, opening: bytes) -> bool:
    """Whether a `*.key` file that starts with `opening` is a presentation or a public key."""
    return path[-4:].lower() == ".key" and opening.startswith(_HARMLESS_KEYS)


def show_path(path: str) -> str:
    """As messages show it: what can't be printed, and bytes that are no UTF-8, as escapes."""
    if path.isprintable():
        return path
    return "".join(letter if letter.isprintable() else _escape(letter) for letter in path)


def _escape(letter: str) -> str:
    if "\udc80" <= letter <= "\udcff":  # a byte: https://peps.python.org/pep-0383/
        return f"\\x{ord(letter) - 0xDC00:02x}"
    return letter.encode("unicode_escape").decode("ascii")


def _find_problems(path: str) -> Iterator[str]:
    if _UNDECODABLE.search(path):
        yield f"`{show_path(path)}` is not UTF-8"
    if _CONTROL.search(path):
        yield f"`{show_path(path)}` holds a control character"
    if _NO_SEGMENT.search(path):
        yield f"`{show_path(path)}` is no path inside a site"
    if _RESERVED.search(path):
        yield f"`{show_path(path)}` has the name of sitepub's own records"


def _is_too_long(path: str) -> bool:
    return len(path.encode("utf-8", "surrogateescape")) > LONGEST_KEY


def _explain_length(path: str) -> str:
    length = len(path.encode("utf-8", "surrogateescape"))
    return f"`{show_path(path[:60])}…` is {length:,} bytes long, and {LONGEST_KEY:,} are the most"


def _find_collisions(paths: Sequence[str], folds: Sequence[str]) -> Iterator[str]:
    """Names that are one on a disk which ignores case, or which keeps one Unicode form of each name."""
    by_fold: dict[str, str] = {}
    for path, fold in zip(paths, folds):
        first = by_fold.setdefault(fold, path)
        if first is not path:
            differ = "in their Unicode form" if _compose(first) == _compose(path) else "by case"
            yield f"`{show_path(first)}` and `{show_path(path)}` differ only {differ}"


def _fold(path: str) -> str:
    """Canonical caseless matching (Unicode, section 3.13.5)."""
    if path.isascii():
        return path.lower()
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", path).casefold())


def _fold_all(paths: Sequence[str]) -> Sequence[str]:
    """At once where all of them are plain."""
    text = "\n".join(paths)
    if text.isascii() and text.count("\n") == len(paths) - 1:
        return text.lower().split("\n")
    return [_fold(path) for path in paths]


def _compose(path: str) -> str:
    return unicodedata.normalize("NFC", path)


def _find_blocked(paths: Sequence[str], folds: Sequence[str]) -> Iterator[str]:
    """Files that stand where others need a folder. A bucket holds both."""
    folders: dict[str, str] = {}
    for path, fold in zip(paths, folds):
        folder = fold.rpartition("/")[0]
        while folder and folder not in folders:
            folders[folder] = path
            folder = folder.rpartition("/")[0]
    for path, fold in zip(paths, folds):
        other = folders.get(fold)
        if other is not None:
            yield f"`{show_path(path)}` is a file, and `{show_path(other)}` needs a folder of that name"


def _find_warnings(odd: Sequence[str], collisions: Sequence[str]) -> Iterator[Warning]:
    """What a bucket keeps, but what does not behave as one expects."""
    yield from _warn("colliding-names", collisions, "on a disk that ignores this they are one file")
    plus = [f"`{show_path(path)}`" for path in odd if "+" in path]
    yield from _warn(
        "plus-in-name",
        plus,
        "S3 reads a plain `+` in a URL as a space, unless `up`'s edge function stands before it: write `%2B` in links, or rename",
    )
    backslash = [f"`{show_path(path)}`" for path in odd if "\\" in path]
    yield from _warn("backslash-in-name", backslash, "browsers read `\\` in a URL as `/`: write `%5C` in links, or rename")
    inexact = [f"`{show_path(path)}`" for path in odd if "+" not in path and find_stem(path) is not None]
    yield from _warn(
        "inexact-invalidation", inexact, "CloudFront can't invalidate such a name by itself: what begins like it is refreshed too"
    )


def _warn(code: str, named: Sequence[str], meaning: str) -> Iterator[Warning]:
    if named:
        yield Warning(code, f"{list_some(named, NAMED_AT_ONCE)}: {meaning}")
