"""Checks a rewritten file before anybody sees it: scanned again, it must say what the source said, with new names in the same places.

A whole file is scanned again, or, where every edit stands inside one tag of a plain page, each such tag: the bytes around it are those of
the source. Tags repeat from page to page, so that costs little.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from sitepub.core.edits import Edit, is_spliced, splice
from sitepub.core.model import SourcePath
from sitepub.core.references.model import Reference, Scan
from sitepub.core.survey import Resolver
from sitepub.errors import DefectError

_LONGEST_TAG = 4096
_NAME = re.compile(rb"\.[0-9a-f]+")
_MOST_KNOWN = 20_000


def verify(
    source: bytes, output: bytes, edits: Sequence[Edit], scan: Scan, *, count: int, page: SourcePath, resolver: Resolver
) -> set[str]:
    """The paths that the rewritten references lead to, for the caller to look up. `scan` is of the output, `count` the number of
    references that it should have. Raises DefectError."""
    check_bytes(source, output, edits, page)
    if len(scan.references) != count:
        raise _defect(page, f"has {len(scan.references)} references after rewriting, {count} were expected")
    by_dot = {reference.dot: reference for reference in _all_references(scan)}
    paths = set()
    shift = 0
    for edit in edits:
        shift += len(edit.insert) - edit.drop
        if not is_name(edit):
            paths |= _find_inserted(edit, edit.at + shift, scan, page, resolver)
            continue
        reference = by_dot.get(edit.at + shift)
        path = resolver.find(reference.url, page, reference.base or scan.base) if reference else None
        if path is None or edit.insert.decode("ascii") not in path:
            raise _defect(page, f"does not hold the name `{edit.insert.decode('latin-1')}` where it was put, at byte {edit.at}")
        paths.add(path)
    return paths


def is_name(edit: Edit) -> bool:
    """A digest in a reference, not what follows from one."""
    return edit.drop == 0 and _NAME.fullmatch(edit.insert) is not None


def check_bytes(source: bytes, output: bytes, edits: Sequence[Edit], page: SourcePath) -> None:
    """Raises DefectError where more than the edits changed."""
    if not is_spliced(source, output, edits):
        raise _defect(page, "differs from its source in more than names")


class TagChecker:
    """Checks edits tag by tag, and remembers each tag that it has seen. `scan` is the scanner of pages."""

    __slots__ = ("_known", "_scan")

    def __init__(self, scan: Callable[[bytes], Scan]) -> None:
        self._scan = scan
        self._known: dict[tuple[bytes, tuple[Edit, ...]], tuple[str, ...] | None] = {}

    def find_urls(self, source: bytes, edits: Sequence[Edit]) -> set[str] | None:
        """The rewritten URLs. None: some edit is not inside a tag that reads the same by itself; look at the whole file."""
        urls: set[str] = set()
        for start, end, inside in _group(source, edits):
            tag = source[start:end]
            key = (tag, tuple(Edit(edit.at - start, edit.drop, edit.insert) for edit in inside))
            if key not in self._known:
                if len(self._known) >= _MOST_KNOWN:
                    self._known.clear()
                self._known[key] = self._compare(*key)
            found = self._known[key]
            if found is None:
                return None
            urls.update(found)
        return urls

    def _compare(self, tag: bytes, edits: tuple[Edit, ...]) -> tuple[str, ...] | None:
        """The URLs that differ, if they differ just as the edits say and nothing else does."""
        if not tag or len(tag) > _LONGEST_TAG:
            return None
        before, after = self._scan(tag).references, self._scan(splice(tag, edits)).references
        inserts = {edit.at: edit.insert for edit in edits}
        if len(before) != len(after) or not inserts.keys() <= {reference.dot for reference in before}:
            return None
        urls, shift = [], 0
        for old, new in zip(before, after):
            insert = inserts.get(old.dot, b"")
            shift += len(insert)
            is_same_place = new.dot == old.dot + shift if old.dot >= 0 else new.dot < 0
            if not is_same_place or new.use is not old.use or not _is_inserted(old.url, new.url, insert.decode("ascii")):
                return None
            if insert:
                urls.append(new.url)
        return tuple(urls)


def _group(source: bytes, edits: Sequence[Edit]) -> Iterator[tuple[int, int, list[Edit]]]:
    """Edits by the tag around them: from the `<` before the first to the `>` behind the last."""
    start = end = 0
    inside: list[Edit] = []
    for edit in edits:
        if inside and edit.at >= end:
            yield start, end, inside
            inside = []
        if not inside:
            start = max(0, source.rfind(b"<", max(0, edit.at - _LONGEST_TAG), edit.at))
            end = source.find(b">", edit.at, edit.at + _LONGEST_TAG) + 1
        inside.append(edit)
    if inside:
        yield start, end, inside


def _is_inserted(old: str, new: str, insert: str) -> bool:
    at = new.rfind(insert) if insert else 0
    return at >= 0 and new[:at] + new[at + len(insert) :] == old


def _find_inserted(edit: Edit, end: int, scan: Scan, page: SourcePath, resolver: Resolver) -> set[str]:
    """Where references lead that an edit brought itself: those of an import map."""
    inside = [reference for reference in scan.references if end - len(edit.insert) <= reference.start < end]
    found = {resolver.find(reference.url, page, reference.base or scan.base) for reference in inside}
    return {path for path in found if path is not None}


def _all_references(scan: Scan) -> Sequence[Reference]:
    return [*scan.references, *(key for one in scan.import_maps for key in one.keys)]


def _defect(page: SourcePath, what: str) -> DefectError:
    return DefectError("rewrite-failed", f"`{page}` {what}", "please report this with the file; `fingerprint.exclude` works around it")
