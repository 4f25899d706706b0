"""CloudFront as visitors meet it, in front of a bucket in memory: an edge function, cache keys, edges that cache, invalidations that come
late. Not modelled: a second tier of caches, and an answer that is still on its way from the origin while its key is invalidated."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import unquote

from msgspec import Struct

from sitepub.core.edge import EdgeRules, Moved, route
from sitepub.core.model import HeaderSet
from sitepub.interfaces import Clock
from tests.support.fake_cdn import FakeCloudFront, Sent
from tests.support.memory_store import MemoryBucket

ERROR_SECONDS = 10.0
"""Error caching minimum TTL, as CloudFront has it where nobody says otherwise."""

DEFAULT_SECONDS = 86400.0


class Answer(Struct, frozen=True):
    """What the origin answers, and for how many seconds an edge may go on answering it."""

    status: int
    body: bytes
    headers: HeaderSet
    seconds: float


@dataclass(frozen=True, slots=True)
class Origin:
    """The bucket behind the distribution. It tells nobody what it lacks (403), or it does (404); its policy denies `.sitepub/`."""

    bucket: MemoryBucket
    has_function: bool
    is_discreet: bool = True
    error_page: str = "404.html"

    def answer(self, path: str) -> Answer:
        key = path.removeprefix("/")
        if not self.has_function and (key == "" or key.endswith("/")):
            key += "index.html"
        found = None if key.startswith(".sitepub/") or "/.sitepub/" in key else self.bucket.objects.get(key)
        if found is not None:
            return Answer(200, found.body, found.headers, shared_life(found.headers))
        page = self.bucket.objects.get(self.error_page)
        status = 404 if page is not None else 403 if self.is_discreet else 404
        return Answer(status, page.body if page else b"", page.headers if page else (), ERROR_SECONDS)


def shared_life(headers: HeaderSet) -> float:
    """Seconds that a shared cache keeps an answer (RFC 9111 §4.2.1)."""
    control = dict(headers).get("Cache-Control", "")
    if re.search(r"\b(?:no-store|private|no-cache)\b", control):
        return 0.0
    for name in ("s-maxage", "max-age"):
        found = re.search(rf"(?:^|[\s,]){name}=(\d+)", control)
        if found:
            return float(found[1])
    return DEFAULT_SECONDS


def apply_function(path: str, *, has_function: bool) -> str:
    """What the edge function makes of a viewer's path: each page is stored under its key alone. Without it the path is the cache key."""
    if not has_function:
        return path
    routed = route(path, EdgeRules())
    return apply_function(routed.location, has_function=True) if isinstance(routed, Moved) else unquote(routed)


def is_named(item: str, path: str, headers: HeaderSet, tag_header: str | None) -> bool:
    """Whether an invalidation's item names what is stored under this cache key."""
    if item.startswith("#"):
        tags = dict(headers).get(tag_header or "", "")
        return item[1:] in re.split(r"[,\s]+", tags)
    if item.endswith("*"):
        return path.startswith(unquote(item[:-1]))
    return path == unquote(item)


@dataclass(frozen=True, slots=True)
class Stored:
    """An answer in a cache: when it was asked for, by the clock and by the number of the moment."""

    answer: Answer
    at: float
    moment: int


@dataclass(slots=True)
class Edge:
    """One cache. `due`: invalidations that are accepted and have not taken effect here, each with the time at which it will."""

    stored: dict[str, Stored] = field(default_factory=dict)
    due: list[tuple[float, int, tuple[str, ...]]] = field(default_factory=list)

    def evict(self, now: float, tag_header: str | None) -> None:
        """Lets invalidations take effect whose time has come, in the order of their times here: not that of their creation."""
        for effect in sorted(one for one in self.due if one[0] <= now):
            self.due.remove(effect)
            for path in [path for path, one in self.stored.items() if _is_hit(effect, path, one, tag_header)]:
                del self.stored[path]


def _is_hit(effect: tuple[float, int, tuple[str, ...]], path: str, stored: Stored, tag_header: str | None) -> bool:
    """What was asked for after the invalidation was created is as it should be, and stays."""
    return stored.moment <= effect[1] and any(is_named(item, path, stored.answer.headers, tag_header) for item in effect[2])


@dataclass(slots=True)
class Network:
    """A distribution: its edges, and the memory of all that any further edge may hold (`everywhere`).

    Every edge hears of an invalidation at a time of its own, at the latest when CloudFront calls it completed. `everywhere` stands for an
    edge for each moment at which somebody may have asked: every answer that was ever given and is neither outlived nor surely invalidated.
    """

    origin: Origin
    clock: Clock
    client: FakeCloudFront
    chance: random.Random
    edges: tuple[Edge, ...] = field(default_factory=lambda: tuple(Edge() for _ in range(3)))
    everywhere: dict[str, dict[Answer, Stored]] = field(default_factory=dict)
    tag_header: str | None = None
    moment: int = 0
    heard: int = 0
    certain: list[tuple[float, int, tuple[str, ...]]] = field(default_factory=list)

    def go_on(self) -> None:
        """A new moment: call it before and after anything may have changed."""
        for sent in self.client.sent[self.heard :]:
            self._spread(sent)
        self.heard = len(self.client.sent)
        self.moment += 1
        now = self.clock.elapsed()
        for edge in self.edges:
            edge.evict(now, self.tag_header)
        for effect in [one for one in self.certain if one[0] <= now]:
            self.certain.remove(effect)
            for path, answers in self.everywhere.items():
                for answer in [answer for answer, one in answers.items() if _is_hit(effect, path, one, self.tag_header)]:
                    del answers[answer]

    def fetch(self, path: str) -> Answer:
        """What the origin answers to an edge that holds nothing."""
        return self.origin.answer(apply_function(path, has_function=self.origin.has_function))

    def get(self, edge: Edge, path: str) -> Answer:
        """What this edge answers, from its cache while that is fresh."""
        key = apply_function(path, has_function=self.origin.has_function)
        now = self.clock.elapsed()
        stored = edge.stored.get(key)
        if stored is not None and now - stored.at < stored.answer.seconds:
            return stored.answer
        answer = self.origin.answer(key)
        if answer.seconds > 0:
            edge.stored[key] = Stored(answer, now, self.moment)
        return answer

    def possible(self, path: str) -> tuple[Answer, ...]:
        """All that visitors may get now: what the origin has (an edge may be empty), and what some edge may still hold."""
        key = apply_function(path, has_function=self.origin.has_function)
        now = self.clock.elapsed()
        answers = self.everywhere.setdefault(key, {})
        for answer in [answer for answer, one in answers.items() if now - one.at >= answer.seconds]:
            del answers[answer]
        fresh = self.origin.answer(key)
        if fresh.seconds > 0:
            answers[fresh] = Stored(fresh, now, self.moment)
        return (fresh, *(answer for answer in answers if answer != fresh))

    def is_quiet(self) -> bool:
        """Every invalidation that was accepted is done everywhere."""
        return self.heard == len(self.client.sent) and not self.certain and not any(edge.due for edge in self.edges)

    def _spread(self, sent: Sent) -> None:
        created = self.clock.elapsed()
        takes = max(0.0, (sent.completes - sent.created) / timedelta(seconds=1))
        for edge in self.edges:
            edge.due.append((created + self.chance.uniform(0, takes), self.moment, sent.items))
        self.certain.append((created + takes, self.moment, sent.items))


def forget(edge: Edge, paths: Iterable[str]) -> None:
    """An edge throws out what is asked for too rarely, whenever it likes."""
    for path in paths:
        edge.stored.pop(path, None)
