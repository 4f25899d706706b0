"""The sites that are compared: packages that were not written here, small pages that put packages to use, and what a bundler makes."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from msgspec import Struct
from msgspec.structs import replace

from tests.browser.looking import Page
from tests.support.packages import find_package
from tests.support.servers import find_tool

PAGES = Path(__file__).parent / "pages"
DOCUMENTATION = Path(__file__).parents[1] / ".sites" / "debian" / "usr" / "share" / "doc"
EXAMPLE = Path(__file__).parents[2] / "examples" / "site" / "public"
READY = "document.documentElement.dataset.ready === 'yes'"


class Site(Struct, frozen=True):
    """`build` fills an empty folder. `settings`: lines of sitepub.yaml beside source and target. `mount`: the path of its host that it stands
    below, which starts and ends with `/`."""

    build: Callable[[Path], None]
    pages: tuple[Page, ...]
    settings: str = ""
    mount: str = "/"


def copy_documentation(name: str) -> Callable[[Path], None]:
    """Of a Debian package; links into other packages become files."""

    def build(folder: Path) -> None:
        origin = DOCUMENTATION / name
        if not origin.is_dir():
            pytest.skip(f"{name} is not here: run tests/get_sites")
        shutil.copytree(origin, folder, ignore=list_dangling, dirs_exist_ok=True)

    return build


def list_dangling(folder: str, names: list[str]) -> list[str]:
    """`ignore_dangling_symlinks` takes every relative link for one."""
    return [name for name in names if not (Path(folder) / name).exists()]


def put_together(pages: str | None, packages: Mapping[str, str]) -> Callable[[Path], None]:
    """Pages of ours, and folders of npm packages: where they go -> package and folder in it, with a space between."""

    def build(folder: Path) -> None:
        for place, words in packages.items():
            name, _, inside = words.partition(" ")
            shutil.copytree(find_package(name) / inside, folder / place, dirs_exist_ok=True)
        if pages is not None:
            shutil.copytree(PAGES / pages, folder, dirs_exist_ok=True)

    return build


def bundle(*options: str) -> Callable[[Path], None]:
    """What Vite makes of pages/bundled. It wants its sources writable."""

    def build(folder: Path) -> None:
        vite = find_package("vite") / "bin" / "vite.js"
        shutil.copytree(PAGES / "bundled", folder.parent / "sources")
        command = [str(find_tool("node")), str(vite), "build", "--logLevel", "error", "--outDir", str(folder), "--emptyOutDir", *options]
        subprocess.run(command, cwd=folder.parent / "sources", check=True, capture_output=True, text=True)

    return build


def pack(folder: Path) -> None:
    """What webpack makes of pages/packed: scripts of its own format, chunks and workers whose names it puts together when they run."""
    sources = folder.parent / "sources"
    shutil.copytree(PAGES / "packed", sources)
    command = [str(find_tool("node")), str(sources / "build.mjs"), str(find_package("webpack")), str(folder)]
    subprocess.run(command, cwd=sources, check=True, capture_output=True, text=True)


def copy_example(folder: Path) -> None:
    shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True)


BUNDLED = (
    Page("", f"{READY} && document.documentElement.dataset.counted === 'yes'", steps=("#more",)),
    Page("other.html", READY),
)
SCENE = {"three/build": "three build", "three/examples/jsm": "three examples/jsm"}

AWESOME = {f"awesome/{inside}": f"@fortawesome/fontawesome-free {inside}" for inside in ("css", "sprites", "svgs/solid", "webfonts")}

DARK_THEME = ("#settings-menu > a", "#use-system-theme + .slider", "label[for=theme-dark]")
"""The script makes the URL of the theme's stylesheet from that of another one, and looks whether the page has a link to it."""

AUTO = "fingerprint: {aliases: auto}"
IMPORT_MAP = "fingerprint: {modules: importmap}"
NEVER = "fingerprint: {modules: pin, aliases: never}"

SITES: Mapping[str, Site] = {
    "python docs": Site(
        copy_documentation("python3.11/html"),
        (
            Page(""),
            Page("library/turtle.html"),
            Page("tutorial/"),
            Page("search.html?q=zipimporter", "document.querySelectorAll('#search-results li p.context').length > 2"),
            Page("library/zipapp.html?highlight=zip", "document.querySelectorAll('.highlighted').length > 2"),
        ),
    ),
    "git docs": Site(
        copy_documentation("git-doc"), (Page("git-add.html"), Page("user-manual.html"), Page("git.html"), Page("missing.html"))
    ),
    "rust docs": Site(
        copy_documentation("rust-doc/html"),
        (
            Page("test/"),
            Page("test/all.html?search=bencher", "document.querySelectorAll('.search-results a').length > 2"),
            Page("test/struct.TestDesc.html", steps=DARK_THEME),
            Page("src/test/lib.rs.html"),
        ),
    ),
    "webfonts": Site(put_together("webfonts", AWESOME), (Page(""),)),
    "formulas": Site(put_together("formulas", {"katex": "katex dist"}), (Page("", READY),)),
    "map": Site(put_together("map", {"leaflet": "leaflet dist"}), (Page("", READY), Page("module.html", READY))),
    "scene": Site(put_together("scene", SCENE), (Page("prefix.html", READY), Page("exact.html", READY))),
    "slides": Site(
        put_together("slides", {"": "reveal.js"}),
        (
            Page("index.html"),
            Page("demo.html"),
            Page("module.html", READY),
            Page("module.html", READY, steps=("html[data-ready] .navigate-right",)),
        ),
    ),
    "reader": Site(put_together("reader", {"pdfjs": "pdfjs-dist"}), (Page("", READY), Page("by-name.html", READY))),
    "editor": Site(put_together("editor", {"vs": "monaco-editor min/vs"}), (Page("", READY),)),
    "workers": Site(put_together("workers", {"acorn": "acorn dist"}), (Page("", READY),)),
    "components": Site(
        put_together("components", {"bootstrap": "bootstrap dist", "popper": "@popperjs/core dist/esm"}),
        (Page("", READY, steps=("html[data-loaded] #open",)),),
    ),
    "frames": Site(
        put_together("frames", {"bootstrap": "bootstrap dist"}),
        (Page("", READY, steps=("#go",)), Page("old.html"), Page("inner/drawing.svg")),
    ),
    "api": Site(put_together("api", {"swagger": "swagger-ui-dist"}), (Page("", READY), Page("swagger/index.html"))),
    "bundled": Site(bundle(), BUNDLED),
    "bundled, with a manifest": Site(bundle("--manifest"), BUNDLED),
    "bundled, relative": Site(bundle("--base", "./"), BUNDLED),
    "packed": Site(pack, (Page("", f"{READY} && document.documentElement.dataset.counted === 'yes'", steps=("#more",)),)),
    "below a path": Site(
        put_together("mounted", {"bootstrap": "bootstrap dist", "popper": "@popperjs/core dist/esm"}),
        (Page("", READY), Page("sub")),
        mount="/docs/",
    ),
    "example": Site(copy_example, (Page(""), Page("notes/tides/"), Page("notes/knots"), Page("no/such/page"))),
}
"""As the settings are by default."""

OTHER_SETTINGS: Mapping[str, Site] = {
    f"{name}, {settings}": replace(SITES[name], settings=settings)
    for settings, names in {
        AUTO: ("map", "reader", "workers", "bundled", "packed", "below a path"),
        IMPORT_MAP: ("formulas", "scene", "components", "workers", "example", "below a path"),
        NEVER: ("components", "workers", "bundled", "packed", "below a path"),
    }.items()
    for name in names
} | {"bundled, below a path": Site(bundle("--base", "/docs/"), BUNDLED, mount="/docs/")}
