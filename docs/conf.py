"""The documentation as a site, for Sphinx: `make docs`. Pages read the same here as they do in the repository; what differs is put in while they are read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from sphinx.application import Sphinx

DOCS = Path(__file__).resolve().parent

project = "sitepub"
html_title = "sitepub"
language = "en"
extensions = ["myst_parser"]
exclude_patterns = ["_site", "_published", "*.py"]
nitpicky = True
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]
suppress_warnings = ["myst.header"]  # generated pages start at their own level
html_theme = "furo"
html_favicon = "theme/sitepub.svg"
html_static_path = ["theme"]
html_css_files = ["sitepub.css"]
html_theme_options = {"navigation_with_keys": True}
html_copy_source = False
html_use_index = False
html_show_sphinx = False
html_show_copyright = False
html_last_updated_fmt = None  # same input, same bytes
pygments_style = "friendly"
pygments_dark_style = "github-dark"

LINKS: Mapping[str, str] = MappingProxyType(
    {
        "README.md": "index.md",
        "SECURITY.md": "security.md",
        "CONTRIBUTING.md": "project/contributing.md",
        "CHANGELOG.md": "project/changelog.md",
        "sitepub.yaml.example": "project/example.md",
    }
)
"""File at the root of the repository: the page that it is, or that shows it."""

LEAVING = re.compile(r"\]\(((?:\.\./)+)([\w.-]+)(?=[)#])")
TITLED = re.compile(r'^```(\w+) title="([^"]+)"$', re.MULTILINE)
DIAGRAM = re.compile(r"^!\[([^\]]+)\]\(((?:\.\./)*diagrams/[\w-]+\.svg)\)$", re.MULTILINE)
REST = re.compile(r"^((?:\w+/)?)\*\n", re.MULTILINE)
STYLE = re.compile(r"<style>.*?</style>", re.DOTALL)


def setup(app: Sphinx) -> Mapping[str, bool]:
    app.connect("source-read", _read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _read(app: Sphinx, docname: str, content: list[str]) -> None:
    folder = (DOCS / docname).parent
    text = LEAVING.sub(lambda found: f"]({_lead(found[1], found[2], folder)}", content[0])
    text = TITLED.sub(r"```{code-block} \1\n:caption: \2", text)
    text = DIAGRAM.sub(lambda found: _draw(folder / found[2], found[1]), text)
    content[0] = _name_the_rest(text) if docname == "index" else text


def _lead(up: str, file: str, folder: Path) -> str:
    """A link to a file at the root of the repository leads to its page; any other is left for the strict build to tell of."""
    if (folder / up).resolve() != DOCS.parent or file not in LINKS:
        return up + file
    return up.removesuffix("../") + LINKS[file]


def _draw(path: Path, words: str) -> str:
    """Into the page itself, so that it takes the page's colours; its own are for those who look at the file alone."""
    drawing = STYLE.sub("", path.read_text("utf-8")).replace("<svg ", f'<svg role="img" aria-label="{words}" ', 1)
    return f'<figure class="diagram">{" ".join(drawing.split())}</figure>'


def _name_the_rest(menu: str) -> str:
    """`*` and `folder/*` in the menu stand for the pages there that it does not name, so that a new page is never out of reach."""
    named = {"index", *menu.splitlines()}
    return REST.sub(lambda found: "".join(f"{name}\n" for name in _list_pages(found[1]) if name not in named), menu)


def _list_pages(folder: str) -> list[str]:
    return sorted(path.relative_to(DOCS).with_suffix("").as_posix() for path in (DOCS / folder).glob("*.md"))
