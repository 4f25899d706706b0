"""Visitors that load pages and all that these load, and keep pages open. They know nothing of manifests: what a page needs is what it says."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import urljoin

from msgspec.structs import replace

from sitepub.core.tags import TAG_HEADER
from tests.support.edge import Answer, Edge, Network, forget

_REFERENCE = re.compile(rb"""(?:\b(?:href|src)=|\burl\(|\bimport )["']([^"'#]+)["']""")
_HASHED = re.compile(r"\.([0-9a-f]{12})\.[a-z]+$")


@lru_cache(maxsize=4096)
def find_references(path: str, body: bytes) -> tuple[str, ...]:
    """What a page, stylesheet or module loads, as paths. Links (`<a data-to=…>`) are not loaded."""
    if not path.endswith((".html", ".css", ".js", "/")) and "." in path.rpartition("/")[2]:
        return ()
    return tuple(sorted({urljoin(path, found.decode()) for found in _REFERENCE.findall(body)}))


@lru_cache(maxsize=4096)
def is_named_by(path: str, body: bytes) -> bool:
    """A hashed name belongs to these bytes and no others."""
    found = _HASHED.search(path)
    return found is None or hashlib.sha256(body).hexdigest().startswith(found[1])


class BrokenPageError(AssertionError):
    """Promise 1 does not hold."""


class StalePageError(AssertionError):
    """Promise 2 does not hold."""


@dataclass(slots=True)
class Visitors:
    """`pages`: URLs that anybody may ask for. `opened`: pages that somebody has open, and when they were last what the origin has.
    `is_promised` says whether a page that was last shown then may still count on its assets."""

    network: Network
    is_promised: Callable[[str, bytes, float], bool]
    pages: set[str] = field(default_factory=set)
    opened: dict[tuple[str, bytes], float] = field(default_factory=dict)
    loads: int = 0
    moments: int = 0

    def visit(self) -> None:
        """At one moment: everybody loads every page by every edge, and goes on with what is open."""
        self.network.go_on()
        self.moments += 1
        now = self.network.clock.elapsed()
        sound = set[str]()
        for path in sorted(self.pages):
            fresh, *held = self.network.possible(path)
            for answer in (fresh, *held):
                if answer.status == 200:
                    self._check(path, answer.body, sound, "can be loaded now")
            if fresh.status == 200:
                self.opened[path, fresh.body] = now
        for (path, body), last in list(self.opened.items()):
            if self.is_promised(path, body, last):
                self._check(path, body, sound, f"was loaded {now - last:.0f} s after it was live" if now > last else "is open")
            else:
                del self.opened[path, body]
        self._load_by_edges()

    def _check(self, page: str, body: bytes, sound: set[str], how: str) -> None:
        """`sound`: paths that were found sound at this moment already."""
        todo = [(page, path) for path in find_references(page, body)]
        while todo:
            by, path = todo.pop()
            if path in sound:
                continue
            sound.add(path)
            for answer in self.network.possible(path):
                self.loads += 1
                _require(page, by, path, answer, how)
                todo += [(path, further) for further in find_references(path, answer.body)]

    def _load_by_edges(self) -> None:
        """The edges differ: one keeps all, one keeps pages and forgets what they load, one is asked now and then."""
        for number, edge in enumerate(self.network.edges):
            if number > 1 and self.network.chance.random() < 0.7:
                continue
            loaded = set[str]()
            for path in sorted(self.pages):
                answer = self.network.get(edge, path)
                if answer.status == 200:
                    self._load(edge, path, answer, loaded)
            if number == 1:
                forget(edge, loaded)

    def _load(self, edge: Edge, page: str, answer: Answer, loaded: set[str]) -> None:
        todo = [(page, path) for path in find_references(page, answer.body)]
        while todo:
            by, path = todo.pop()
            if path in loaded:
                continue
            loaded.add(path)
            got = self.network.get(edge, path)
            self.loads += 1
            _require(page, by, path, got, "comes from an edge")
            todo += [(path, further) for further in find_references(path, got.body)]


def _require(page: str, by: str, path: str, answer: Answer, how: str) -> None:
    if answer.status != 200:
        raise BrokenPageError(f"`{page}` {how}; {by} loads {path}, which is answered with {answer.status}")
    if not is_named_by(path, answer.body):
        raise BrokenPageError(f"`{page}` {how}; {by} loads {path}, whose content is another one's: {answer.body[:40]!r}")


def find_stale(network: Network, paths: Iterable[str]) -> Iterator[str]:
    """Paths under which somebody may still get something else than what the origin has. Tags are no part of it: where they alone have changed,
    nothing is to be invalidated, and no visitor sees them."""
    for path in paths:
        fresh, *held = network.possible(path)
        for answer in (*held, *(network.get(edge, path) for edge in network.edges)):
            if _without_tags(answer) != _without_tags(fresh):
                yield f"{path}: an edge has {_short(answer)}, the origin {_short(fresh)}"
                break


def _without_tags(answer: Answer) -> Answer:
    return replace(answer, headers=tuple(pair for pair in answer.headers if pair[0] != TAG_HEADER))


def _short(answer: Answer) -> str:
    return f"{answer.status} {answer.body[:50]!r} {dict(answer.headers)}"
