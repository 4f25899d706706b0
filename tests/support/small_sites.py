"""Small sites with everything that the protocol treats in its own way, made from a few numbers, so that random ones meet again and again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

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


@dataclass(frozen=True, slots=True)
class SmallSite:
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


@lru_cache(maxsize=2048)
def make_site(site: SmallSite) -> Made:
    made: list[Artifact] = []
    bodies: dict[Digest, bytes] = {}

    def tagged(key: Key, stands_for: SourcePath, file_class: FileClass) -> HeaderSet:
        """As the site's own fingerprinting does it: error pages carry none."""
        headers = choose_headers(_policy(site.language), stands_for, file_class).headers
        if not site.is_tagged or key == "404.html":
            return headers
        loaded = [SourcePath("css/app.css")] if site.style and site.loads_style and key.endswith(".html") else []
        return tuple(sorted((*headers, *choose_tags(key, file_class, loaded, "/"))))

    def add(key: str, body: bytes, file_class: FileClass = FileClass.ENTRY, source: str | None = None) -> str:
        stands_for = SourcePath(source or key)
        headers = tagged(Key(key), stands_for, file_class)
        made.append(
            Artifact(Key(key), file_class, digest_of(body), len(body), headers, None if file_class is FileClass.REDIRECT else stands_for)
        )
        bodies[digest_of(body)] = body
        return f"/{key}"

    def add_asset(path: str, body: bytes) -> str:
        stem, _, ending = path.rpartition(".")
        add(path, body, FileClass.ALIAS)
        return add(f"{stem}.{digest_of(body)[:12]}.{ending}", body, FileClass.ASSET, path)

    picture = add_asset("img/x.png", b"picture %d" % site.picture)
    loads = []
    if site.style:
        style = b'style %d url("%s")' % (site.style, picture.encode())
        if site.loads_style:
            loads.append(f'<link href="{add_asset("css/app.css", style)}">')
        else:
            add("css/app.css", style)
    if site.module:
        library = add_asset("js/lib.js", b"library %d" % site.library)
        module = b'module %d; import "%s"' % (site.module, library.encode())
        path = add("js/mod.js", module, FileClass.PINNED if site.loads_module else FileClass.ENTRY)
        if site.loads_module:
            loads.append(f'<script src="{path}">')
    frozen_as_entries = {}
    if site.bundled:
        loads.append(f'<script src="{add("_b/chunk.js", b"bundled %d" % site.bundled, FileClass.FROZEN)}">')
        headers = tagged(made[-1].key, SourcePath("_b/chunk.js"), FileClass.PINNED)
        frozen_as_entries[made[-1].key] = replace(made[-1], file_class=FileClass.PINNED, headers=headers)
    if site.computes:
        loads.append('<script>made.up.src="/img/x.png"</script>')
    head = "".join(loads)
    add("index.html", f"front {site.text} {head}".encode())
    if site.leaf:
        add("a/index.html", f"leaf {site.leaf} {head}".encode())
    if site.odd:
        add("a/ü x~y.html", f"odd {site.odd} {head}".encode())
    if site.old:
        add("old.html", b"moved" if site.old == 2 else b"old", FileClass.REDIRECT if site.old == 2 else FileClass.ENTRY)
    if site.large:
        add("doc.html", (f"large {site.large} {head}" + "x" * LARGE).encode())
    if site.missing:
        add("404.html", b"missing %d" % site.missing)
    return Made(tuple(made), bodies, frozen_as_entries)
