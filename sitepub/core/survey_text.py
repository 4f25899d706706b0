"""Surveys as text: one JSON text each, few enough bytes for a million files. It travels between processes and stands in the cache just so."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sitepub.core.import_maps import MapForm
from sitepub.core.leaving import Leaving
from sitepub.core.references.model import Use
from sitepub.core.survey import Place, Survey

PLAIN_KEYS = frozenset("nret")
"""What is said of most pages: how many references, which, an encoding, and the words of these."""

_USES: tuple[Use, ...] = (Use.LOAD, Use.MODULE, Use.LINK, Use.OPAQUE)
_USE_NUMBERS: Mapping[Use, int] = {use: number for number, use in enumerate(_USES)}
_COMPACT = json.JSONEncoder(separators=(",", ":"))


def encode_survey(found: Survey) -> bytes:
    """Compact: paths and words stand once, each reference is six numbers."""
    table: dict[str, int] = {}

    def rows(places: tuple[Place, ...]) -> list[int]:
        flat: list[int] = []
        for dot, path, use, how, line, is_optional in places:
            flat += (dot, table.setdefault(path, len(table)), _USE_NUMBERS[use], table.setdefault(how, len(table)), line, +is_optional)
        return flat

    text: dict[str, Any] = {
        "n": found.count,
        "r": rows(found.places),
        "s": rows(found.scopes),
        "i": found.integrities,
        "k": found.keys,
        "x": found.prefixes,
        "p": found.patterns,
        "g": found.registers,
        "w": found.web_manifests,
        "v": found.revisions,
        "m": found.mentions,
        "d": found.digests,
        "q": found.policies,
        "u": found.source_map,
        "f": sum(flag << bit for bit, flag in enumerate(_flags_of(found))),
        "e": found.encoding,
        "j": found.map_place,
        "o": found.notes,
        "y": found.unsteady,
        "l": found.leaving,
        "!": found.problem,
    }
    text["t"] = list(table)
    return _COMPACT.encode({key: value for key, value in text.items() if value}).encode("ascii")


def _flags_of(found: Survey) -> tuple[bool, ...]:
    return found.is_module, found.is_service_worker, found.has_policy, found.names_styles, found.switches_styles, found.is_pointer


def decode_survey(encoded: bytes) -> Survey:
    """The inverse of encode_survey."""
    text: dict[str, Any] = json.loads(encoded.decode("ascii"))  # from bytes it would guess
    table, flags = text.get("t", []), text.get("f", 0)
    places = _read_places(text.get("r", []), table)
    if text.keys() <= PLAIN_KEYS:
        return Survey(count=text.get("n", 0), places=places, encoding=text.get("e"))
    return Survey(
        problem=text.get("!"),
        count=text.get("n", 0),
        places=places,
        integrities=tuple((start, end, path) for start, end, path in text.get("i", ())),
        keys=tuple(text.get("k", ())),
        scopes=_read_places(text.get("s", []), table),
        prefixes=tuple(text.get("x", ())),
        patterns=tuple((begin, end) for begin, end in text.get("p", ())),
        registers=tuple(text.get("g", ())),
        web_manifests=tuple(text.get("w", ())),
        revisions=tuple((start, end, path) for start, end, path in text.get("v", ())),
        mentions=tuple((near, rooted) for near, rooted in text.get("m", ())),
        digests=tuple(text.get("d", ())),
        policies=tuple(text.get("q", ())),
        source_map=text.get("u"),
        is_module=bool(flags & 1),
        is_service_worker=bool(flags & 2),
        has_policy=bool(flags & 4),
        names_styles=bool(flags & 8),
        switches_styles=bool(flags & 16),
        map_place=(text["j"][0], MapForm(text["j"][1])) if "j" in text else None,
        encoding=text.get("e"),
        notes=tuple(text.get("o", ())),
        unsteady=(text["y"][0], text["y"][1]) if "y" in text else None,
        leaving=tuple(Leaving(*one) for one in text.get("l", ())),
        is_pointer=bool(flags & 32),
    )


def _read_places(flat: list[int], table: list[str]) -> tuple[Place, ...]:
    """`flat`: six numbers a place, as encode_survey writes them."""
    rows = zip(flat[::6], flat[1::6], flat[2::6], flat[3::6], flat[4::6], flat[5::6])
    return tuple([Place(dot, table[path], _USES[use], table[how], line, bool(optional)) for dot, path, use, how, line, optional in rows])
