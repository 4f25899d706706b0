"""Redirects as artifacts: a page that redirects by itself in any browser, and what S3's website endpoint needs to answer a status.

Both paths of a redirect start at the site's root. Where the site is mounted below a path (`url: https://example.com/docs/`), they may be
written with it as well: `/docs/old/` and `/old/` are one page there. What is beside the mount needs a full URL.
"""

from __future__ import annotations

import re
from html import escape

from msgspec import Struct

from sitepub.core.headers import HeaderPolicy
from sitepub.core.model import INDEX, WEBSITE_REDIRECT, FileClass, HeaderSet, Key
from sitepub.core.settings import Redirect
from sitepub.core.urls import decode, join
from sitepub.errors import ConfigurationError

_FULL_URL = re.compile(r"(https?:)?//[^/]", re.IGNORECASE)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_UNSAFE = re.compile(rb"[^A-Za-z0-9._~!$&()*+,;=:@/?#%\[\]-]")  # quotes too: a meta refresh ends at them
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_UNDECODABLE = re.compile(r"[\ud800-\udfff]")
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Moved</title>
<meta name="robots" content="noindex">
<link rel="canonical" href="{url}">
<meta http-equiv="refresh" content="0; url={url}">
</head>
<body>
<p>This page is now at <a href="{url}">{text}</a>.</p>
</body>
</html>
"""


class RedirectPage(Struct, frozen=True):
    """The object that stands where a redirect starts: an HTML page, and the headers that S3 stores with it."""

    key: Key
    body: bytes
    headers: HeaderSet


def make_redirect(redirect: Redirect, *, url_path: str, policy: HeaderPolicy) -> RedirectPage:
    """Raises ConfigurationError `bad-redirect`."""
    key = redirect_key(redirect.source, url_path)
    url = redirect_target(redirect, url_path)
    body = _PAGE.format(url=escape(url), text=escape(decode(url).encode("utf-8", "replace").decode()))
    control, _ = policy.cache[FileClass.REDIRECT]
    headers = (("Cache-Control", control), ("Content-Type", "text/html; charset=utf-8"), (WEBSITE_REDIRECT, url))
    return RedirectPage(key, body.encode(), headers)


def redirect_key(source: str, url_path: str) -> Key:
    """Where the page that redirects stands: `/old/` is `old/index.html`, `/old` is `old`. Raises ConfigurationError `bad-redirect`."""
    if not source.startswith("/"):
        raise _bad(source, "starts with no `/`", "write it as a path of the site, such as `/old/`")
    if "?" in source or "#" in source:
        raise _bad(source, "holds a query or fragment", "redirects go by path alone")
    segments = [decode(segment) for segment in _below_mount(source, url_path).split("/")]
    if any(segment in ("", ".", "..") for segment in segments[:-1]) or segments[-1] in (".", ".."):
        raise _bad(source, "holds an empty or dot segment", "write the path as browsers show it")
    if any("/" in segment or "\\" in segment or _CONTROL.search(segment) for segment in segments):
        raise _bad(source, "names no file that could be", "write the path as browsers show it")
    if any(_UNDECODABLE.search(segment) for segment in segments):
        raise _bad(source, "is no UTF-8 once its escapes are undone, and no key can hold it", "redirect it where the site is served")
    if any(segment.lower() == ".sitepub" for segment in segments):
        raise _bad(source, "has the name of sitepub's own records", "redirect another path")
    return Key("/".join([*segments[:-1], segments[-1] or INDEX]))


def redirect_target(redirect: Redirect, url_path: str) -> str:
    """What Location would say: a full URL, or a path from the host's root, in ASCII. Raises ConfigurationError `bad-redirect`."""
    to = redirect.to.strip()
    if _FULL_URL.match(to):
        return _encode(f"https:{to}" if to.startswith("//") else to)
    if not to or _SCHEME.match(to) or to.startswith("//") or _CONTROL.search(to) or "\\" in to:
        raise _bad(
            redirect.to, "is no URL to redirect to", "write a path of the site, such as `/new/`, or a URL that starts with `https://`"
        )
    path = to if to.startswith("/") else join(redirect.source, to)
    return _encode(url_path + _below_mount(path, url_path))


def _below_mount(path: str, url_path: str) -> str:
    return path[len(url_path) :] if path.startswith(url_path) else path[1:]


def _encode(url: str) -> str:
    """Only what no URL may hold is escaped; escapes that are there stay."""
    return _UNSAFE.sub(lambda found: f"%{found.group()[0]:02X}".encode(), url.encode("utf-8", "surrogateescape")).decode()


def _bad(path: str, what: str, hint: str) -> ConfigurationError:
    return ConfigurationError("bad-redirect", f"`{path}` in `redirects` {what}", hint)
