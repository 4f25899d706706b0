"""JavaScript engines that run an edge function, with requests as CloudFront hands them over."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

import quickjs

_ASK = """
function ask(text, isRaw) {
  var asked = JSON.parse(text);
  var request = { method: 'GET', uri: asked.uri, querystring: asked.querystring, headers: {}, cookies: {} };
  if (isRaw) request.rawQueryString = function () { return asked.query === null ? undefined : asked.query; };
  var answer = handler({ version: '1.0', context: { eventType: 'viewer-request' }, viewer: { ip: '192.0.2.1' }, request: request });
  return JSON.stringify(answer.statusCode ? [answer.statusCode, answer.headers] : [answer.uri]);
}
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """`query`: raw, without `?`; None where there is no `?`."""

    uri: str
    query: str | None = None

    def to_json(self) -> str:
        return json.dumps({"uri": self.uri, "query": self.query, "querystring": parse_query(self.query or "")})


Answered = tuple[str] | tuple[int, dict[str, dict[str, str]]]
"""The URI that goes on to the cache, or a status and headers."""


def parse_query(query: str) -> dict[str, dict[str, object]]:
    """As a function finds it: undecoded, by name; the first value, and all of them where there are many.
    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-event-structure.html"""
    found: dict[str, list[str]] = {}
    for part in query.split("&") if query else ():
        name, _, value = part.partition("=")
        found.setdefault(name, []).append(value)
    return {
        name: {"value": values[0]} | ({"multiValue": [{"value": each} for each in values]} if len(values) > 1 else {})
        for name, values in found.items()
    }


class QuickJs:
    """In this process. Without `is_raw` requests lack `rawQueryString`, as where the runtime is older."""

    def __init__(self, code: str, *, is_raw: bool = True) -> None:
        self._context = quickjs.Context()
        self._context.set_memory_limit(2 << 20)  # as much as CloudFront gives
        self._context.eval(code + _ASK)
        self._ask = self._context.get("ask")
        self._is_raw = is_raw

    def ask(self, asked: Asked) -> Answered:
        return tuple(json.loads(self._ask(asked.to_json(), self._is_raw)))


def ask_njs(code: str, asked: Sequence[Asked]) -> list[Answered]:
    """The engine that CloudFront's runtime comes from (https://nginx.org/en/docs/njs/), many requests at once."""
    calls = "".join(f"console.log(ask({json.dumps(one.to_json())}, true));\n" for one in asked)
    done = subprocess.run(["njs", "-q", "-"], input=code + _ASK + calls, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and not done.stderr, done.stdout + done.stderr
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]


def has_njs() -> bool:
    return shutil.which("njs") is not None
