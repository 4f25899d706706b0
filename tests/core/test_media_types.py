"""Our table of media types, held against Python's: every difference is meant and has its reason here."""

from __future__ import annotations

import mimetypes

import pytest

from sitepub.core.media_types import MEDIA_TYPES, UNKNOWN, media_type_of

# Where Python 3.11 to 3.14 say otherwise, and why we do.
DIFFERENCES = {
    "3g2": "video/3gpp2",
    "3gp": "video/3gpp",  # Python says audio; most hold pictures (RFC 3839)
    "aif": "audio/aiff",  # what browsers know
    "aiff": "audio/aiff",
    "c": "text/plain",  # shown, not downloaded
    "exe": "application/vnd.microsoft.portable-executable",  # registered since
    "h": "text/plain",
    "ico": "image/x-icon",  # what browsers and CDNs expect; Python has the registered one
    "ini": "text/plain",
    "js": "text/javascript",  # RFC 9239; Python before 3.12 has the obsolete one
    "m3u": "application/vnd.apple.mpegurl",  # RFC 8216
    "m3u8": "application/vnd.apple.mpegurl",
    "mjs": "text/javascript",
    "mka": "audio/matroska",  # RFC 9559
    "mkv": "video/matroska",
    "obj": "model/obj",  # on a site it is a model, not a compiler's output
    "opus": "audio/ogg",  # Ogg files (RFC 7845); audio/opus is RTP's
    "pl": "text/plain",
    "py": "text/plain",  # shown, not downloaded, and compressed at the edge
    "rdf": "application/rdf+xml",  # RFC 3870
    "rst": "text/x-rst",
    "rtf": "application/rtf",
    "sh": "text/plain",
    "srt": "application/x-subrip",
    "tex": "text/plain",
    "vcf": "text/vcard",  # RFC 6350
    "wav": "audio/wav",
    "wsdl": "application/wsdl+xml",
    "xml": "application/xml",  # RFC 7303: the same as text/xml, without the default charset of old
    "xsl": "application/xml",  # what every browser takes for a stylesheet
}


def test_the_table_says_what_python_says_but_for_listed_differences() -> None:
    python = {extension.removeprefix("."): kind for extension, kind in mimetypes.MimeTypes(filenames=()).types_map[True].items()}
    shared = python.keys() & MEDIA_TYPES.keys()
    assert len(shared) > 70
    unlisted = {
        extension: (python[extension], MEDIA_TYPES[extension])
        for extension in shared
        if python[extension] != MEDIA_TYPES[extension].partition(";")[0] and extension not in DIFFERENCES
    }
    assert unlisted == {}
    assert {extension: MEDIA_TYPES[extension].partition(";")[0] for extension in DIFFERENCES} == DIFFERENCES


def test_the_table_is_sorted_and_lower_case() -> None:
    assert list(MEDIA_TYPES) == sorted(MEDIA_TYPES)
    assert [extension for extension in MEDIA_TYPES if extension != extension.lower() or "." in extension] == []
    assert len(MEDIA_TYPES) > 150


def test_text_has_a_charset_and_nothing_else_has() -> None:
    """XML tells its own encoding (RFC 7303), and so does everything that is not text."""
    for extension, media_type in MEDIA_TYPES.items():
        kind, _, charset = media_type.partition("; ")
        if kind.startswith("text/"):
            assert charset == "charset=utf-8", extension
        if kind.endswith(("+xml", "/xml", "+zip")) or kind.startswith(("image/", "font/", "audio/", "video/")):
            assert charset == "", extension


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("index.html", "text/html; charset=utf-8"),
        ("css/app.min.css", "text/css; charset=utf-8"),
        ("js/app.3f9ac2d1.js", "text/javascript; charset=utf-8"),
        ("js/m.mjs", "text/javascript; charset=utf-8"),
        ("app.js.map", "application/json; charset=utf-8"),
        ("site.webmanifest", "application/manifest+json; charset=utf-8"),
        ("sprite.svg", "image/svg+xml"),
        ("feed.atom", "application/atom+xml"),
        ("sitemap.xml", "application/xml"),
        ("a.avif", "image/avif"),
        ("a.webp", "image/webp"),
        ("a.jxl", "image/jxl"),
        ("f.woff2", "font/woff2"),
        ("w.wasm", "application/wasm"),
        ("v.mp4", "video/mp4"),
        ("PHOTO.JPG", "image/jpeg"),
        ("a.tar.gz", "application/gzip"),
        ("CNAME", "text/plain; charset=utf-8"),
        ("docs/LICENSE", "text/plain; charset=utf-8"),
        (".well-known/apple-app-site-association", "application/json; charset=utf-8"),
        ("folder.css/file", UNKNOWN),
        ("a.unheard-of", UNKNOWN),
        (".css", UNKNOWN),
        (".well-known/.html", UNKNOWN),
        ("trailing.", UNKNOWN),
    ],
)
def test_types_of_names(path: str, media_type: str) -> None:
    assert media_type_of(path) == media_type
