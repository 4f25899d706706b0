"""Which language a file is written in, and that each has its scanner."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sitepub.core.model import SourcePath
from sitepub.core.references import Language, language_of, scan
from sitepub.core.references.model import Use


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("index.html", Language.HTML),
        ("a/b.HTM", Language.HTML),
        ("css/app.min.css", Language.CSS),
        ("app.js", Language.JAVASCRIPT),
        ("app.mjs", Language.JAVASCRIPT),
        ("sprite.svg", Language.XML),
        ("sitemap.xml", Language.XML),
        ("page.xhtml", Language.XML),
        ("feed.rss", Language.XML),
        ("feed.atom", Language.XML),
        ("a/app.webmanifest", Language.WEB_MANIFEST),
        ("manifest.json", Language.WEB_MANIFEST),
        ("named/by-a-page.json", Language.WEB_MANIFEST),
        ("named/extensionless", Language.WEB_MANIFEST),
        ("a/manifest.json", None),
        ("data.json", None),
        ("server.cjs", None),
        ("app.js.map", None),
        (".html", None),
        ("html", None),
        ("a.html/b", None),
        ("photo.jpg", None),
    ],
)
def test_the_language_goes_by_name(path: str, language: Language | None) -> None:
    named = {SourcePath("named/by-a-page.json"), SourcePath("named/extensionless")}
    assert language_of(SourcePath(path), named) == language


@pytest.mark.parametrize(
    ("language", "body"),
    [
        (Language.HTML, b"<img src=a.png>"),
        (Language.CSS, b"a{b:url(a.png)}"),
        (Language.JAVASCRIPT, b'import("a.png")'),
        (Language.XML, b'<svg xmlns="http://www.w3.org/2000/svg"><image href="a.png"/></svg>'),
        (Language.WEB_MANIFEST, b'{"icons":[{"src":"a.png"}]}'),
    ],
)
def test_every_language_is_scanned(language: Language, body: bytes) -> None:
    (reference,) = scan(language, body).references
    assert reference.url == "a.png"
    assert body[reference.start : reference.end] == b"a.png"


@pytest.mark.parametrize(
    ("language", "body"),
    [(Language.HTML, b"<a href=b.html>"), (Language.XML, b'<svg xmlns="http://www.w3.org/2000/svg"><a href="b.html"/></svg>')],
)
def test_links_come_where_they_are_asked_for(language: Language, body: bytes) -> None:
    assert scan(language, body).references == ()
    assert [one.use for one in scan(language, body, links=True).references] == [Use.LINK]


def test_scanners_are_imported_when_their_language_comes() -> None:
    code = (
        "import sys; import sitepub.core.references as r; names = ('html', 'css', 'javascript', 'xml', 'json');"
        "loaded = [n for n in names if f'sitepub.core.references.{n}' in sys.modules]; assert loaded == [], loaded;"
        "r.scan(r.Language.CSS, b''); assert 'sitepub.core.references.html' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
