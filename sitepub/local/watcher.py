"""Waits until folders have changed and settled. Says only that: what changed, a scan finds out."""

from __future__ import annotations

import errno
import os
import queue
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from msgspec import Struct
from watchdog import events
from watchdog.events import EVENT_TYPE_DELETED, FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, ObservedWatch
from watchdog.observers.polling import PollingObserver

from sitepub.interfaces import Clock

SETTLE_SECONDS: Final = 0.2
"""Without a change for so long, a burst is over."""

LONGEST_SECONDS: Final = 10.0
"""A burst that does not end by then is looked at all the same."""

LOOK_SECONDS: Final = 1.0
"""How often is looked whether a watched folder is another one, or is there again: nothing tells of that."""

_POLL_SECONDS: Final = 1.0
_TELLING: Final[list[type[FileSystemEvent]]] = [
    events.DirCreatedEvent,
    events.DirDeletedEvent,
    events.DirMovedEvent,
    events.FileClosedEvent,
    events.FileCreatedEvent,
    events.FileDeletedEvent,
    events.FileModifiedEvent,
    events.FileMovedEvent,
]
"""Reading is no change."""


class Scope(Struct, frozen=True):
    """`roots`: files and folders that count, with all that is below; `except_for`: folders among them that do not."""

    roots: tuple[Path, ...]
    except_for: tuple[Path, ...] = ()

    def holds(self, path: Path) -> bool:
        is_inside = any(path == root or root in path.parents for root in self.roots)
        return is_inside and not any(path == folder or folder in path.parents for folder in self.except_for)


class Watcher:
    """Roots may be deleted, made again and replaced. `polls`: the system's notice could not be had (no watches are left), so folders are listed
    again and again. For one thread; events come from others by a queue, as the observer holds a lock of its own while it tells of one."""

    def __init__(self, scope: Scope, clock: Clock, *, settle: float = SETTLE_SECONDS, longest: float = LONGEST_SECONDS) -> None:
        self._scope = scope
        self._clock = clock
        self._settle = settle
        self._longest = longest
        self._events: queue.SimpleQueue[FileSystemEvent] = queue.SimpleQueue()
        self._has_changed = False
        self._watches: dict[Path, tuple[ObservedWatch, int]] = {}
        self._gone: set[Path] = set()
        self.polls = False
        self._observer: BaseObserver = Observer()
        self._observer.start()
        self._watch_again()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._observer.stop()
        self._observer.join(timeout=2)

    def wait(self, timeout: float | None = None) -> bool:
        """True when there was a change and it settled, False after `timeout` seconds without one. Changes since the last call count."""
        deadline = None if timeout is None else self._clock.elapsed() + timeout
        while not self._has_changed:
            left = None if deadline is None else deadline - self._clock.elapsed()
            if left is not None and left <= 0:
                return False
            self._listen(LOOK_SECONDS if left is None else min(left, LOOK_SECONDS))
        self._wait_for_end()
        return True

    def watch(self, scope: Scope) -> None:
        """From now on."""
        if scope != self._scope:
            self._scope = scope
            self._watch_again()

    def _wait_for_end(self) -> None:
        """Of a burst: what is heard meanwhile belongs to it."""
        began = quiet_since = self._clock.elapsed()
        while True:
            self._has_changed = False
            left = min(quiet_since + self._settle, began + self._longest) - self._clock.elapsed()
            if left <= 0:
                return
            self._listen(left)
            if self._has_changed:
                quiet_since = self._clock.elapsed()

    def _listen(self, seconds: float) -> None:
        """Takes what there is to hear; waits for it at most so long."""
        try:
            self._hear(self._events.get(timeout=seconds))
            while True:
                self._hear(self._events.get_nowait())
        except queue.Empty:
            self._watch_again()

    def _hear(self, event: FileSystemEvent) -> None:
        paths = [Path(os.fsdecode(path)) for path in (event.src_path, event.dest_path) if path]
        if event.event_type == EVENT_TYPE_DELETED:
            self._gone.update(path for path in paths if path in self._watches)
        if any(self._scope.holds(path) for path in paths):
            self._has_changed = True

    def _watch_again(self) -> None:
        """Watches may run out at any time, as a site grows or other programs take them."""
        try:
            self._watch_what_is_there()
        except OSError as failure:
            if self.polls or failure.errno not in (errno.ENOSPC, errno.EMFILE):
                raise
            self._poll()

    def _poll(self) -> None:
        """From now on."""
        self._observer.stop()
        self._watches.clear()
        self.polls = True
        self._observer = PollingObserver(timeout=_POLL_SECONDS)
        self._observer.start()
        self._watch_what_is_there()

    def _watch_what_is_there(self) -> None:
        """A folder that was made again is another one, and so may be all that is in it: that is a change, but for the first time."""
        is_first = not self._watches
        wanted = dict(_find_watches(self._scope.roots))
        for path, (watch, inode) in list(self._watches.items()):
            # the number of a deleted folder is given to the next one
            if wanted.get(path) != inode or path in self._gone:
                self._observer.unschedule(watch)
                del self._watches[path]
        self._gone.clear()
        for path, inode in wanted.items():
            if path not in self._watches:
                self._has_changed = self._has_changed or not is_first
                # a build may take a folder away in between: the next look finds what stands there then
                with suppress(FileNotFoundError, NotADirectoryError):
                    self._watches[path] = (self._schedule(path), inode)

    def _schedule(self, path: Path) -> ObservedWatch:
        is_whole = any(path == root or root in path.parents for root in self._scope.roots)
        return self._observer.schedule(_Ear(self._events), str(path), recursive=is_whole, event_filter=_TELLING)


class _Ear(FileSystemEventHandler):
    def __init__(self, events: queue.SimpleQueue[FileSystemEvent]) -> None:
        self._events = events

    def on_any_event(self, event: FileSystemEvent) -> None:
        self._events.put(event)


def _find_watches(roots: Sequence[Path]) -> Iterable[tuple[Path, int]]:
    """Folders to watch, each with its inode: a root, or what stands above it where it is a file or not there."""
    for root in roots:
        folder = root
        while True:
            try:
                found = folder.stat()
            except OSError:
                folder = folder.parent
                continue
            if not folder.is_dir():
                folder = folder.parent
                continue
            yield folder, found.st_ino
            break
