"""How each generator is recognised, where it puts the site and how it is run. A look reads a folder's files and never runs what it finds."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from msgspec import Struct

_MAX_BYTES = 256 * 1024


class Finding(Struct, frozen=True):
    """What one generator's look at the folder gave. `copies_settings`: whatever stands beside its own settings comes into the site."""

    generator: str
    source: str
    build: str | None
    evidence: tuple[str, ...]
    frozen: tuple[str, ...] = ()
    copies_settings: bool = False


class SiteFolder:
    """Read-only questions to one folder. Files that are missing or unreadable are empty."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def find(self, *names: str) -> str:
        """The first of the files that is there; empty if none is."""
        return next((name for name in names if (self.root / name).is_file()), "")

    def has_folder(self, name: str) -> bool:
        return (self.root / name).is_dir()

    def read(self, name: str) -> str:
        try:
            with (self.root / name).open("rb") as file:
                return file.read(_MAX_BYTES).decode("utf-8", "replace")
        except OSError:
            return ""

    def search(self, name: str, pattern: str) -> str:
        """The first group of `pattern` in a file; empty if it is not there. Configuration that is a program is never run."""
        found = re.search(pattern, self.read(name), re.MULTILINE) if name else None
        return found[1] if found else ""

    def read_package(self) -> Mapping[str, Mapping[str, str]]:
        """`dependencies` (development's too) and `scripts` of package.json."""
        try:
            package = json.loads(self.read("package.json"))
        except (ValueError, RecursionError):
            package = None
        fields = package if isinstance(package, dict) else {}
        scripts = _read_names(fields.get("scripts"))
        return {
            "scripts": scripts,
            "dependencies": {**_read_names(fields.get("devDependencies")), **_read_names(fields.get("dependencies"))},
        }


def _read_names(field: object) -> Mapping[str, str]:
    return {str(name): str(value) for name, value in field.items()} if isinstance(field, dict) else {}


def _look_for_hugo(place: SiteFolder) -> Finding | None:
    own = place.find("hugo.toml", "hugo.yaml", "hugo.yml", "hugo.json", "config/_default/hugo.toml", "config/_default/hugo.yaml")
    # Before 0.110 the file was called config.*, as many others are: only beside Hugo's folders is it evidence.
    old = place.find("config.toml", "config.yaml", "config/_default/config.toml") if place.has_folder("content") else ""
    if old and not (place.has_folder("themes") or place.has_folder("layouts") or place.search(old, r"^\s*(baseURL|theme|module)\b")):
        old = ""
    if not (own or old):
        return None
    output = place.search(own or old, r"(?:^|[{,])\s*[\"']?publishDir[\"']?\s*[=:]\s*[\"']?([^\"'\s,#]+)")
    return Finding("Hugo", _clean(output, "public"), "hugo --minify", (f"`{own or old}` is there",))


def _look_for_docusaurus(place: SiteFolder) -> Finding | None:
    name = place.find("docusaurus.config.js", "docusaurus.config.ts", "docusaurus.config.mjs", "docusaurus.config.cjs")
    if not name:
        return None
    # Images, fonts and files that pages import have an MD5 in their names.
    frozen = ("/assets/js/*.????????.js", "/assets/css/styles.????????.css", f"/assets/*/*-{'?' * 32}.*")
    return Finding("Docusaurus", "build", _package_build(place, "docusaurus build"), (f"`{name}` is there",), frozen)


def _look_for_astro(place: SiteFolder) -> Finding | None:
    name = place.find(*_with_endings("astro.config"))
    if not name:
        return None
    output = place.search(name, r"\boutDir\s*:\s*[\"'`]([^\"'`]+)")
    # `_astro/` needs no pattern: sitepub knows that everything in it is hashed.
    return Finding("Astro", _clean(output, "dist"), _package_build(place, "astro build"), (f"`{name}` is there",))


def _look_for_next(place: SiteFolder) -> Finding | None:
    name = place.find(*_with_endings("next.config"))
    if not name or not place.search(name, r"\boutput\s*:\s*[\"'`](export)[\"'`]"):
        return None
    output = place.search(name, r"\bdistDir\s*:\s*[\"'`]([^\"'`]+)")
    return Finding("Next.js", _clean(output, "out"), _package_build(place, "next build"), (f"`{name}` says `output: export`",))


def _look_for_eleventy(place: SiteFolder) -> Finding | None:
    name = place.find(".eleventy.js", *_with_endings("eleventy.config"))
    if not name and "@11ty/eleventy" not in place.read_package()["dependencies"]:
        return None
    output = place.search(name, r"\boutput\s*:\s*[\"'`]([^\"'`]+)") or place.search(name, r"setOutputDirectory\(\s*[\"'`]([^\"'`]+)")
    evidence = f"`{name}` is there" if name else "`package.json` names `@11ty/eleventy`"
    return Finding("Eleventy", _clean(output, "_site"), _package_build(place, "@11ty/eleventy"), (evidence,))


def _look_for_vite(place: SiteFolder) -> Finding | None:
    name = place.find(*_with_endings("vite.config"))
    needs = place.read_package()["dependencies"]
    if any(framework in needs for framework in _OVER_VITE) or not (name or (place.find("index.html") and "vite" in needs)):
        return None
    output = place.search(name, r"\boutDir\s*:\s*[\"'`]([^\"'`]+)")
    assets = _clean(place.search(name, r"\bassetsDir\s*:\s*[\"'`]([^\"'`]+)"), "assets")
    evidence = f"`{name}` is there" if name else "`package.json` names `vite`"
    # Files of public/assets/ come to stand beside the hashed ones under the names that they have.
    frozen = f"/{assets}/*-????????.*"
    return Finding("Vite", _clean(output, "dist"), _package_build(place, "vite build"), (evidence,), (frozen,))


# They are configured beside Vite, and build into folders of their own.
_OVER_VITE = ("@sveltejs/kit", "@react-router/dev", "@remix-run/dev", "@solidjs/start", "@tanstack/react-start", "nuxt", "vitepress")


def _look_for_mkdocs(place: SiteFolder) -> Finding | None:
    name = place.find("mkdocs.yml", "mkdocs.yaml")
    output = place.search(name, r"^site_dir\s*:\s*[\"']?([^\"'\s#]+)")
    return Finding("MkDocs", _clean(output, "site"), "mkdocs build", (f"`{name}` is there",)) if name else None


def _look_for_pelican(place: SiteFolder) -> Finding | None:
    if not place.find("pelicanconf.py"):
        return None
    settings = place.find("publishconf.py", "pelicanconf.py")
    output = place.search(settings, r"^OUTPUT_PATH\s*=\s*[\"']([^\"']+)") or place.search(
        "pelicanconf.py", r"^OUTPUT_PATH\s*=\s*[\"']([^\"']+)"
    )
    content = _clean(place.search("pelicanconf.py", r"^PATH\s*=\s*[\"']([^\"']+)"), "content")
    return Finding("Pelican", _clean(output, "output"), f"pelican {content} -s {settings}", ("`pelicanconf.py` is there",))


def _look_for_sphinx(place: SiteFolder) -> Finding | None:
    name = next(
        (each for each in ("docs/conf.py", "docs/source/conf.py", "doc/conf.py", "source/conf.py", "conf.py") if _is_sphinx(place, each)),
        "",
    )
    if not name:
        return None
    folder = str(Path(name).parent)
    home = str(Path(folder).parent) if Path(folder).name == "source" else folder
    output = os.path.normpath(f"{home}/{'build' if Path(folder).name == 'source' else '_build'}/html")
    return Finding("Sphinx", output, f"sphinx-build -b html {folder} {output}", (f"`{name}` has the settings of Sphinx",))


def _is_sphinx(place: SiteFolder, name: str) -> bool:
    return bool(place.search(name, r"^(extensions|html_theme|master_doc|root_doc|project)\s*="))


def _look_for_jekyll(place: SiteFolder) -> Finding | None:
    name = place.find("_config.yml", "_config.yaml", "_config.toml")
    if not name:
        return None
    output = place.search(name, r"^destination\s*:\s*[\"']?([^\"'\s#]+)")
    build = "bundle exec jekyll build" if place.find("Gemfile") else "jekyll build"
    # As its documentation builds for production: themes leave analytics and comments out otherwise.
    return Finding("Jekyll", _clean(output, "_site"), f"JEKYLL_ENV=production {build}", (f"`{name}` is there",), copies_settings=True)


# A site of Docusaurus, Astro or Eleventy may well have Vite's or Jekyll's files too, so these come last.
LOOKS: tuple[Callable[[SiteFolder], Finding | None], ...] = (
    *(_look_for_hugo, _look_for_docusaurus, _look_for_astro, _look_for_next, _look_for_eleventy),
    *(_look_for_mkdocs, _look_for_pelican, _look_for_jekyll, _look_for_vite, _look_for_sphinx),
)


def _with_endings(name: str) -> tuple[str, ...]:
    return tuple(f"{name}.{ending}" for ending in ("js", "mjs", "cjs", "ts", "mts"))


def _clean(output: str, default: str) -> str:
    """An output folder as a program's configuration names it; the default where it is absent or leads elsewhere."""
    path = os.path.normpath(output.replace("\\", "/")) if output else default
    is_plain = re.fullmatch(r"[\w./@ -]+", path) and not path.startswith(("/", "..", "-")) and path != "."
    return path if is_plain else default


def _package_build(place: SiteFolder, command: str) -> str:
    """The package's own script if it has one, run by the package manager whose lock file is there."""
    manager = next((name for lock, name in _LOCK_FILES.items() if place.find(lock)), "npm")
    if "build" in place.read_package()["scripts"]:
        return f"{manager} run build"
    return f"npx {command}" if manager == "npm" else f"{manager} exec {command.rpartition('/')[2]}"


_LOCK_FILES: Mapping[str, str] = MappingProxyType({"pnpm-lock.yaml": "pnpm", "yarn.lock": "yarn", "package-lock.json": "npm"})
