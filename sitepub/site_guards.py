"""Files that must not be edited because their digest stands where it can't follow: in a script, in JSON, in the headers of a host."""

from __future__ import annotations

from collections.abc import Mapping

from sitepub.core.evidence import Evidence
from sitepub.core.integrity import digest_all, find_named_block, read_integrity
from sitepub.core.references import Language, scan
from sitepub.site_frame import Frame

_Named = Mapping[tuple[str, bytes], int]


def find_guarded(
    frame: Frame, evidence: Evidence, languages: Mapping[int, Language], digests: Mapping[str, int], policies: Mapping[str, int]
) -> dict[int, str]:
    """Why each of them is left as it is. `digests`: integrity values, `policies`: hashes of inline code, each with the file that holds it.

    Reads every edited file that could be meant; sites without such values, which are nearly all, pay nothing.
    """
    guarded = {}
    named, allowed = _read(digests), _read(policies)
    for number in sorted(evidence.edges):
        match languages.get(number):
            case Language.CSS | Language.JAVASCRIPT if named:
                problem = _guard_file(frame, number, named)
            case Language.HTML if allowed:
                problem = _guard_page(frame, number, evidence, allowed)
            case _:
                problem = None
        if problem is not None:
            guarded[number] = problem
    return guarded


def _guard_file(frame: Frame, number: int, named: _Named) -> str | None:
    body = frame.read(number)
    holder = next((named[digest] for digest in digest_all(body).items() if digest in named), None)
    return None if holder is None else f"has its digest in `{frame.paths[holder]}`, where it can't be changed"


def _guard_page(frame: Frame, number: int, evidence: Evidence, allowed: _Named) -> str | None:
    body = frame.read(number)
    edited = tuple(at for at, _ in evidence.edges_of(number))
    found = find_named_block(body, edited, scan(Language.HTML, body).inline, allowed)
    if found is None:
        return None
    block, holder = found
    line = body.count(b"\n", 0, block.start) + 1
    return f"has inline code in line {line} whose hash is in `{frame.paths[allowed[holder]]}`, where it can't be changed"


def _read(values: Mapping[str, int]) -> _Named:
    return {read_integrity(value): holder for value, holder in sorted(values.items())}
