"""Small sites with everything that the protocol treats in its own way, made from a few numbers, so that random ones meet again and again."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from msgspec import Struct
from msgspec.structs import replace

from sitepub.core.headers import HeaderPolicy, choose_headers, make_header_policy
from sitepub.core.manifest import make_manifest
from sitepub.core.model import Artifact, Digest, FileClass, HeaderSet, Key, Manifest, SourcePath
from sitepub.core.settings import Cache, HeaderRule
from sitepub.core.tags import choose_tags
from tests.support.builders import digest_of

LIFE = "public, max-age=0, s-maxage=5184000, must-revalidate"
"""Edges keep pages for 60 days: what is not invalidated stays wrong for long."""

LARGE = 2000
"""Bytes above which the tests have the pipeline treat a body as a large one."""


class SmallSite(Struct, frozen=True):
    """Numbers are versions, 0 stands for a file that is not there. What no page loads is an entry under its plain name."""

    text: int = 1
    leaf: int = 1
    style: int = 1
    picture: int = 1
    module: int = 0
    library: int = 1
    bundled: int = 0
    old: int = 0  # 2: a redirect
    large: int = 0
    odd: int = 0
    missing: int = 1  # 404.html
    language: int = 0  # a header of pages
    loads_style: bool = True
    loads_module: bool = True
    computes: bool = False  # a script makes up the plain name of the picture
    is_tagged: bool = False  # what its web decides: pages carry cache tags


@dataclass(frozen=True)
class Made:
    """A site as its fingerprinting would make it."""

    artifacts: tuple[Artifact, ...]
    bodies: dict[Digest, bytes]
    frozen_as_entries: dict[Key, Artifact]

    @cached_property
    def manifest(self) -> Manifest:
        return make_manifest(self.artifacts)

    @cached_property
    def pages(self) -> frozenset[str]:
        """URLs of its pages."""
        keys = {one.key for one in self.artifacts if one.key.endswith(".html")}
        return frozenset({f"/{key}" for key in keys} | {f"/{key.removesuffix('index.html')}" for key in keys if key.endswith("index.html")})


@lru_cache(maxsize=2)
def _policy(language: int) -> HeaderPolicy:
    rules = (HeaderRule("**/*.html", (("Content-Language", "de"),)),) if language else ()
    return make_header_policy(replace(Cache(), entries=LIFE), rules, has_distribution=True)


@dataclass(slots=True)
class _Draft:
    """What of a site is made so far. `loads`: what each page loads, as it stands in its head."""

    site: SmallSite
    made: list[Artifact] = field(default_factory=list)
    bodies: dict[Digest, bytes] = field(default_factory=dict)
    loads: list[str] = field(default_factory=list)

    def tagged(self, key: Key, stands_for: SourcePath, file_class: FileClass) -> HeaderSet:
        """As the site's own fingerprinting does it: error pages carry none."""
        site = self.site
        headers = choose_headers(_policy(site.language), stands_for, file_class).headers
        if not site.is_tagged or key == "404.html":
            return headers
        loaded = [SourcePath("css/app.css")] if site.style and site.loads_style and key.endswith(".html") else []
        return tuple(sorted((*headers, *choose_tags(key, file_class, loaded, "/"))))

    def add(self, key: str, body: bytes, file_class: FileClass = FileClass.ENTRY, source: str | None = None) -> str:
        """Its URL."""
        stands_for = SourcePath(source or key)
        headers = self.tagged(Key(key), stands_for, file_class)
        origin = None if file_class is FileClass.REDIRECT else stands_for
        self.made.append(Artifact(Key(key), file_class, digest_of(body), len(body), headers, origin))
        self.bodies[digest_of(body)] = body
        return f"/{key}"

    def add_asset(self, path: str, body: bytes) -> str:
        stem, _, ending = path.rpartition(".")
        self.add(path, body, FileClass.ALIAS)
        return self.add(f"{stem}.{digest_of(body)[:12]}.{ending}", body, FileClass.ASSET, path)


@lru_cache(maxsize=2048)
def make_site(site: SmallSite) -> Made:
    draft = _Draft(site)
    frozen_as_entries = _add_loaded(draft)
    _add_pages(draft, "".join(draft.loads))
    return Made(tuple(draft.made), draft.bodies, frozen_as_entries)


def _add_loaded(draft: _Draft) -> dict[Key, Artifact]:
    """What pages load. Returns what is frozen as it is when treated as an entry."""
    site, loads = draft.site, draft.loads
    picture = draft.add_asset("img/x.png", b"picture %d" % site.picture)
    if site.style:
        style = b'style %d url("%s")' % (site.style, picture.encode())
        if site.loads_style:
            loads.append(f'<link href="{draft.add_asset("css/app.css", style)}">')
        else:
            draft.add("css/app.css", style)
    if site.module:
        library = draft.add_asset("js/lib.js", b"library %d" % site.library)
        module = b'module %d; import "%s"' % (site.module, library.encode())
        path = draft.add("js/mod.js", module, FileClass.PINNED if site.loads_module else FileClass.ENTRY)
        if site.loads_module:
            loads.append(f'<script src="{path}">')
    frozen_as_entries = {}
    if site.bundled:
        loads.append(f'<script src="{draft.add("_b/chunk.js", b"bundled %d" % site.bundled, FileClass.FROZEN)}">')
        frozen = draft.made[-1]
        headers = draft.tagged(frozen.key, SourcePath("_b/chunk.js"), FileClass.PINNED)
        frozen_as_entries[frozen.key] = replace(frozen, file_class=FileClass.PINNED, headers=headers)
    if site.computes:
        loads.append('<script>made.up.src="/img/x.png"</script>')
    return frozen_as_entries


def _add_pages(draft: _Draft, head: str) -> None:
    site = draft.site
    draft.add("index.html", f"front {site.text} {head}".encode())
    if site.leaf:
        draft.add("a/index.html", f"leaf {site.leaf} {head}".encode())
    if site.odd:
        draft.add("a/ü x~y.html", f"odd {site.odd} {head}".encode())
    if site.old:
        draft.add("old.html", b"moved" if site.old == 2 else b"old", FileClass.REDIRECT if site.old == 2 else FileClass.ENTRY)
    if site.large:
        draft.add("doc.html", (f"large {site.large} {head}" + "x" * LARGE).encode())
    if site.missing:
        draft.add("404.html", b"missing %d" % site.missing)
