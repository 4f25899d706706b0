"""Checks a rewritten file before anybody sees it: scanned again as a whole, it must say what the source said, with new names in the same places."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from sitepub.core.edits import Edit, is_spliced
from sitepub.core.model import SourcePath
from sitepub.core.references import Language
from sitepub.core.references.model import Reference, Scan, Use
from sitepub.core.survey import Resolver
from sitepub.errors import DefectError

_NAME = re.compile(rb"\.[0-9a-f]+")


class Leads(Struct, frozen=True):
    """The paths that a rewritten file's references lead to: `named` by new names, `plain` by those of the source. In order, each once."""

    named: tuple[str, ...] = ()
    plain: tuple[str, ...] = ()


def verify(
    source: bytes,
    output: bytes,
    edits: Sequence[Edit],
    scan: Scan,
    *,
    count: int,
    page: SourcePath,
    language: Language,
    resolver: Resolver,
) -> Leads:
    """Where all references lead, for the caller to look up. `scan` is of the output, `count` the number of references that it should have.
    Raises DefectError."""
    check_bytes(source, output, edits, page)
    if len(scan.references) != count:
        raise defect(page, f"has {len(scan.references)} references after rewriting, {count} were expected")
    names = dict(_find_names(edits))
    named, plain = set(), set()
    for reference in (*scan.references, *(key for one in scan.import_maps for key in one.keys)):
        base = reference.base if reference.base is not None else scan.base
        path = None if reference.is_bare else resolver.find(reference.url, page, base)
        name = names.pop(reference.dot, None)
        if name is not None:
            if path is None or name not in path:
                raise _misplaced(page, name)
            named.add(path)
        elif path is not None and not _is_guess(reference, language):
            plain.add(path)
    if names:
        raise _misplaced(page, next(iter(names.values())))
    return Leads(tuple(sorted(named)), tuple(sorted(plain)))


def check_bytes(source: bytes, output: bytes, edits: Sequence[Edit], page: SourcePath) -> None:
    """Raises DefectError where more than the edits changed, so that taking them out would not give the source back."""
    if not is_spliced(source, output, edits):
        raise defect(page, "differs from its source in more than names")


def defect(page: SourcePath, what: str) -> DefectError:
    """A rewritten file that is not what it should be."""
    return DefectError("rewrite-failed", f"`{page}` {what}", "please report this with the file; `fingerprint.exclude` works around it")


def _find_names(edits: Sequence[Edit]) -> Iterator[tuple[int, str]]:
    """Digests in references, without what follows from them: where each ends in the output."""
    shift = 0
    for edit in edits:
        shift += len(edit.insert) - edit.drop
        if edit.drop == 0 and _NAME.fullmatch(edit.insert):
            yield edit.at + shift, edit.insert.decode("ascii")


def _is_guess(reference: Reference, language: Language) -> bool:
    """A script does not know its document, so nobody knows what its paths lead to that resolve against that."""
    return reference.use is Use.OPAQUE and language is Language.JAVASCRIPT


def _misplaced(page: SourcePath, name: str) -> DefectError:
    return defect(page, f"does not hold the name `{name}` where it was put")
