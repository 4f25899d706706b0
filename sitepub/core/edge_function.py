"""The rules of `edge.py` as a CloudFront Function: which text `up` gives to the edges, and which redirects find room in it. Pure.

Plain ECMAScript 5.1, all of which the runtime has: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-javascript-runtime-20.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import chain

from msgspec import Struct
from msgspec.structs import replace

from sitepub.core.edge import FILE_NAME, HIDDEN, EdgeRules, Moved, is_out_of_reach
from sitepub.core.model import INDEX
from sitepub.core.settings import UrlStyle
from sitepub.core.urls import decode
from sitepub.errors import ConfigurationError

MOST_BYTES = 10_000
"""CloudFront's 10 KB, in the stricter of the two ways to read it:
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html#limits-functions"""

_PAGE = {
    UrlStyle.DIRECTORY: "[301, path + '/']",
    UrlStyle.FILE: "path + '.html'",
    UrlStyle.BOTH: f"path + '/{INDEX}'",
}

_CODE = r"""// Made by sitepub from sitepub.yaml. `sitepub up` writes it anew.
var MOUNT = @mount@;
var MOVED = @moved@;
var SAFE = /[A-Za-z0-9._~!$&'()*+,;=:@\/-]/;

function handler(event) {
  var request = event.request;
  var found = route(tidy(request.uri));
  if (typeof found === 'string') {
    request.uri = found.replace(/\+/g, '%2B');
    return request;
  }
  return {
    statusCode: found[0],
    headers: { location: { value: locate(found[1], queryOf(request)) }, 'cache-control': { value: 'no-cache' } }
  };
}

function tidy(path) {
  return ('/' + path).replace(/%[0-9A-Fa-f]{2}|%|[^A-Za-z0-9._~!$&'()*+,;=:@\/%-]+/g, function (part) {
    if (!/^%../.test(part)) return encode(part);
    var letter = String.fromCharCode(parseInt(part.slice(1), 16));
    return SAFE.test(letter) ? letter : part.toUpperCase();
  }).replace(/\/{2,}/g, '/');
}

function route(path) {
  if (/\/\.sitepub(\/|$)/.test(path)) return @hidden@;
  if (path.indexOf(MOUNT) !== 0) return path === '/' || path + '/' === MOUNT ? [302, MOUNT] : path;
  var moved = find(path);
  if (moved) return moved;
  var segment = path.slice(path.lastIndexOf('/') + 1);
  if (!segment) return path + '@index@';
  if (/@file_name@/.test(segment) || path.indexOf(MOUNT + '.well-known/') === 0) return path;
  return find(path + '/') || @page@;
}

function find(path) {
  var moved = MOVED[path.replace(/\/index\.html$/, '/')];
  return typeof moved === 'string' ? [301, moved] : moved;
}

function locate(location, query) {
  if (!query || location.indexOf('?') >= 0) return location;
  var end = location.indexOf('#');
  if (end < 0) end = location.length;
  return location.slice(0, end) + '?' + query.replace(/[^!-~]+/g, encode) + location.slice(end);
}

function queryOf(request) {
  if (typeof request.rawQueryString === 'function') return request.rawQueryString();
  var parts = [];
  Object.keys(request.querystring || {}).forEach(function (name) {
    var one = request.querystring[name];
    (one.multiValue || [one]).forEach(function (each) {
      parts.push(each.value ? name + '=' + each.value : name);
    });
  });
  return parts.join('&');
}

function encode(text) {
  try {
    return encodeURIComponent(text);
  } catch (error) {
    return '%EF%BF%BD';
  }
}
"""


_PLACE = re.compile(r"@([a-z_]+)@")


class Fitting(Struct, frozen=True):
    """`rules`: those that find room in a function; `left_out`: the paths whose redirects don't, as they are asked for. Pages redirect there."""

    rules: EdgeRules
    left_out: tuple[str, ...] = ()


def make_edge_function(rules: EdgeRules) -> str:
    """Same rules, same text: ASCII. It may be longer than CloudFront takes, unless the rules come from `fit_redirects`."""
    parts = {
        "mount": json.dumps(rules.url_path),
        "moved": "{" + ",".join(_write_row(path, moved) for path, moved in _list_rows(rules).items()) + "}",
        "hidden": json.dumps(HIDDEN),
        "index": INDEX,
        "file_name": FILE_NAME,
        "page": _PAGE[rules.url_style],
    }
    return _PLACE.sub(lambda found: parts[found[1]], _CODE)


def fit_redirects(rules: EdgeRules) -> Fitting:
    """As many redirects as find room, in their order, but first those whose page no visitor could reach. Raises ConfigurationError
    `too-many-redirects` where these alone are too many."""
    rows = _list_rows(rules)
    bare = replace(rules, redirects={})
    unreachable = dict.fromkeys(
        path for path in rows if not path.endswith("/") and is_out_of_reach(decode(path[len(rules.url_path) :]), bare)
    )
    room = MOST_BYTES - len(make_edge_function(bare))
    taken: set[str] = set()
    for path in chain(unreachable, (path for path in rows if path not in unreachable)):
        size = len(_write_row(path, rows[path])) + 1
        if size <= room:
            taken.add(path)
            room -= size
        elif path in unreachable:
            raise _too_many(path, len(unreachable))
    return Fitting(
        replace(rules, redirects={path: moved for path, moved in rules.redirects.items() if _folder(path) in taken}),
        tuple(path for path in rows if path not in taken),
    )


def _list_rows(rules: EdgeRules) -> Mapping[str, Moved]:
    """A folder and its page are one row."""
    return {_folder(path): moved for path, moved in rules.redirects.items()}


def _folder(path: str) -> str:
    return path.removesuffix(INDEX) if path.endswith(f"/{INDEX}") else path


def _write_row(path: str, moved: Moved) -> str:
    value: object = moved.location if moved.status == 301 else [moved.status, moved.location]
    return f"{json.dumps(path)}:{json.dumps(value, separators=(',', ':'))}"


def _too_many(path: str, count: int) -> ConfigurationError:
    message = f"{count} `redirects` from paths without an ending, such as `{path}`, don't fit into an edge function of {MOST_BYTES:,} bytes"
    return ConfigurationError("too-many-redirects", message, "let `from:` end with `/`, so that a page can redirect where no room is left")
