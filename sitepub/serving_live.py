"""Pages that load again by themselves when the site was built: a script that is put into pages here, never in a target, and the stream that it listens to."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Iterator
from importlib.resources import files

from werkzeug.wrappers import Response

from sitepub.core.reloading import Built, find_reload
from sitepub.interfaces import Body, Place

STREAM = "/.sitepub/live"
SCRIPT = "/.sitepub/live.js"
TAG = f'<script src="{SCRIPT}" defer></script>'.encode()

_BEAT_SECONDS = 10.0
"""A listener that has gone is noticed by the next beat."""


class LiveReload:
    """Methods may be called from many threads."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._listeners: set[queue.SimpleQueue[str]] = set()
        self._run = os.urandom(8).hex()

    def tell(self, before: Built, after: Built, url_path: str) -> None:
        reload = find_reload(before, after, url_path)
        if reload is None:
            return
        with self._mutex:
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener.put(reload.as_json())

    def answer(self, path: str) -> Response | None:
        if path == SCRIPT:
            script = files("sitepub").joinpath("serving_live.js").read_bytes()
            return Response(script, content_type="text/javascript; charset=utf-8", headers={"Cache-Control": "no-store"})
        if path == STREAM:
            return Response(self._listen(), content_type="text/event-stream; charset=utf-8", headers={"Cache-Control": "no-store"})
        return None

    def inject(self, body: Body | Place, content_type: str) -> Body | Place:
        """At the very end, where a parser still runs it in any page, and where it moves nothing."""
        return body + TAG if isinstance(body, bytes) and content_type.startswith("text/html") else body

    def _listen(self) -> Iterator[str]:
        """Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). The first names the run, so that a page notices a server that
        was started again."""
        listener: queue.SimpleQueue[str] = queue.SimpleQueue()
        with self._mutex:
            self._listeners.add(listener)
        try:
            yield "retry: 500\n\n"
            yield f"event: run\ndata: {self._run}\n\n"
            while True:
                try:
                    yield f"data: {listener.get(timeout=_BEAT_SECONDS)}\n\n"
                except queue.Empty:
                    yield ": still here\n\n"
        finally:
            with self._mutex:
                self._listeners.discard(listener)
