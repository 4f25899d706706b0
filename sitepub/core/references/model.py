"""What a scanner finds in one file: references with exact spans, and all that follows from rewriting them."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct


class Use(StrEnum):
    """What a reference asks for, and so whether it may be rewritten.

    LOAD    the browser fetches it as part of the page: rewritten, its target becomes an asset
    MODULE  a LOAD that makes a script module (import, export from, module script, modulepreload): identity matters
    LINK    a reader or machine follows it (a, canonical, feed, og:image, web manifest): its target keeps its name
    OPAQUE  seen, but not safely rewritable (inline handler, string in a script, template): its target keeps an alias
    """

    LOAD = "load"
    MODULE = "module"
    LINK = "link"
    OPAQUE = "opaque"


SWITCHED = "link href, off at first"
"""The `how` of a stylesheet that no browser applies until a script, or its reader, switches it on."""


class Reference(NamedTuple):
    """One URL in a file. A tuple, since there are millions.

    `start`, `end`: byte span of the raw URL text. `url`: decoded (entities, CSS and JS escapes undone), white space at the ends removed.
    `dot`: byte offset in the raw text where `.<digest>` goes, before the last dot of the last path segment (which may be written `%2e`,
    `&#46;`, `\\2e `); -1 where that segment has none, or starts with its only one. `how`: the place in words a user knows
    (`img src`, `css url`, `import`). `line`: 1-based. `base`: set where this reference resolves against something else than the
    document's base (`xml:base`, the worker's own file). `is_bare`: a module specifier that is a name (`react`), not a URL: only an import
    map says where it leads. `is_optional`: no browser loads it by itself (`data-src`, custom elements), so a missing file is no warning.
    """

    start: int
    end: int
    dot: int
    url: str
    use: Use
    how: str
    line: int
    base: str | None = None
    is_bare: bool = False
    is_optional: bool = False


class Integrity(Struct, frozen=True):
    """Subresource integrity of one reference (https://www.w3.org/TR/sri-2/): `start`, `end` span the raw value; `url` names what it guards."""

    start: int
    end: int
    value: str
    url: str
    base: str | None = None


class InlineBlock(Struct, frozen=True):
    """The raw content of an inline script or style (or a `style` attribute), whose hash a policy may name. Bytes `start` to `end`.

    `escapes`: how often its character references must be undone before it is hashed (attributes once, those in a `srcdoc` twice).
    """

    start: int
    end: int
    directive: str  # script-src | style-src
    escapes: int = 0


class PolicyHash(Struct, frozen=True):
    """One `'sha256-…'` source in a meta Content-Security-Policy: `start`, `end` span the base64 text alone."""

    start: int
    end: int
    algorithm: str
    value: str


class ModulePattern(Struct, frozen=True):
    """A computed import: every module whose URL starts with `prefix` and ends with `suffix` may be meant. `line` is 1-based."""

    prefix: str
    suffix: str
    line: int
    base: str | None = None


class ImportMap(Struct, frozen=True):
    """One import map (HTML spec, import maps): where its JSON text stands and what it says. Keys as references of their own.

    `keys`: URL-like specifier keys and scope keys, `prefixes`: values (addresses) of keys that end with `/`.
    """

    start: int
    end: int
    keys: tuple[Reference, ...] = ()
    prefixes: tuple[Reference, ...] = ()


class Scan(Struct, frozen=True):
    """All that one file's scanner found. Offsets are of the file's own bytes. References are sorted by `start` and do not overlap.

    `base`: the `href` of the document's `<base>`, if any. `problem`: why the file must be left whole (not well-formed, odd encoding);
    then everything but `mentions` and `encoding` is empty: these are the paths that must keep working under their plain names.
    `is_module`: the script has import or export syntax. `is_service_worker`: evidence that it is one. `registers`: URLs registered as
    service workers. `mentions`: strings in scripts and data that look like relative or absolute paths of files (for aliases: auto, and for
    pinned modules). `web_manifests`: what `<link rel=manifest>` names. `notes`: what was not read or stays as it is, in words.
    `encoding`: what the document declares itself (`<meta charset>`), as Python names it.
    """

    references: tuple[Reference, ...] = ()
    base: str | None = None
    problem: str | None = None
    integrities: tuple[Integrity, ...] = ()
    inline: tuple[InlineBlock, ...] = ()
    policy_hashes: tuple[PolicyHash, ...] = ()
    patterns: tuple[ModulePattern, ...] = ()
    import_maps: tuple[ImportMap, ...] = ()
    registers: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()
    web_manifests: tuple[str, ...] = ()
    is_module: bool = False
    is_service_worker: bool = False
    source_map: Reference | None = None
    notes: tuple[str, ...] = ()
    encoding: str | None = None
