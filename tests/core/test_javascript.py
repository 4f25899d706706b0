"""What the scanner of JavaScript tells beside the places for digests, which tests/edge_cases holds, and that it reads anything."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sitepub.core.references.javascript import scan_javascript
from sitepub.core.references.model import Use
from tests.support.inserting import insert
from tests.support.soundness import check_sound

_UNFOLLOWED = [
    ("a string without an end", 'x = "abc\nimport "./a.js"', "has a string without an end, from line 1"),
    ("a template without an end", 'import "./a.js"\n`abc ${x', "has a template without an end, from line 2"),
    ("a piece of a template without an end", 'import "./a.js"\n`abc ${x} ', "has a template without an end, from line 2"),
    ("a comment without an end", 'import "./a.js"\n\n/* abc', "has a comment without an end, from line 3"),
    ("a regular expression without an end", 'import "./a.js"; x = /abc\n', "has a regular expression without an end, from line 1"),
    ("text that is no script", "import './a.js'; don't", "has a string without an end, from line 1"),
]


@pytest.mark.parametrize(("sentence", "source", "problem"), _UNFOLLOWED, ids=[row[0] for row in _UNFOLLOWED])
def test_script_that_cannot_be_followed_is_left_whole(sentence: str, source: str, problem: str) -> None:
    """Its paths are mentions, so that they keep working under their plain names."""
    scan = scan_javascript(source.encode())
    assert (scan.problem, scan.references, scan.mentions) == (problem, (), ("./a.js",))


def test_utf16_is_left_whole() -> None:
    """A classic script may be written in it."""
    scan = scan_javascript('importScripts("a.js")'.encode("utf-16"))
    assert (scan.problem is not None, scan.references, scan.mentions) == (True, (), ("a.js",))


_PATTERNS = [
    ("a template", "import(`./l/${x}.js`)", [("./l/", ".js")]),
    ("a template with nested ones", "import(`./l/${`${a}`}/${ {b: '}'} }.js`)", [("./l/", ".js")]),
    ("a sum", 'import("./l/" + x + ".js")', [("./l/", ".js")]),
    ("a sum that begins with a name", 'import(base + "/a.js")', [("", "/a.js")]),
    ("a sum that ends with a call", 'import("./" + f("x.js"))', [("./", "")]),
    ("a sum with a call in it", 'import("./" + f(x, y) + ".js")', [("./", ".js")]),
    ("concat", 'import("./l/".concat(x, ".js"))', [("./l/", "")]),
    ("another method changes the string", 'import("./l/".replace(a, b))', [("", "")]),
    ("a condition may be anything", 'import("./a" + x ? "./b.js" : "./c.js")', [("", "")]),
    ("a name may be anything", "import(x)", [("", "")]),
    ("options behind it", 'import("./l/" + x, {with: {type: "json"}})', [("./l/", "")]),
    ("import.meta.resolve", "import.meta.resolve(`./l/${x}.js`)", [("./l/", ".js")]),
    ("a located URL", "new URL(`./i/${x}.png`, import.meta.url)", [("./i/", ".png")]),
    ("a URL located elsewhere", "new URL(`./i/${x}.png`, y); import.meta", []),
    ("comments and escapes", r'import(/* webpackIgnore: "x" */ "./\x6c/" + /* y */ x)', [("./l/", "")]),
    ("a method and nothing", "class A { import(x) {} } import()", []),
    ("an unfinished one", 'import("./l/" + x', [("", "")]),
]


@pytest.mark.parametrize(("sentence", "source", "patterns"), _PATTERNS, ids=[row[0] for row in _PATTERNS])
def test_computed_import_is_known_by_its_ends(sentence: str, source: str, patterns: list[tuple[str, str]]) -> None:
    """Every module that fits may be meant."""
    assert [(one.prefix, one.suffix) for one in scan_javascript(source.encode()).patterns] == patterns


def test_import_in_a_computed_import_is_found() -> None:
    """The argument is read as code too."""
    body = b'import("./" + (await import("./names.js")).first)'
    assert insert(body, scan_javascript(body), b"~") == b'import("./" + (await import("./names~.js")).first)'


_USES = [
    ('import "./a.js"', [(Use.MODULE, "import", False)]),
    ('export * from "./a.js"', [(Use.MODULE, "export from", False)]),
    ('import("./a.js")', [(Use.MODULE, "import()", False)]),
    ('import.meta.resolve("a.js")', [(Use.MODULE, "import.meta.resolve", True)]),
    ('new URL("a.js", import.meta.url)', [(Use.LOAD, "new URL", False)]),
    ('new Worker(/* w */ new self.URL("a.js", import.meta.url))', [(Use.MODULE, "worker", False)]),
    ('new window.SharedWorker("a.js")', [(Use.OPAQUE, "worker", False)]),
    ('importScripts("a.js")', [(Use.LOAD, "importScripts", False)]),
    ('import "react"; import "@a/b.js"; import "a:b.js"; import "https://ex.org/a.js"', [(Use.MODULE, "import", True)] * 2 + [(Use.MODULE, "import", False)]),
]  # fmt: skip


@pytest.mark.parametrize(("source", "uses"), _USES, ids=[row[0] for row in _USES])
def test_use_and_place_are_told(source: str, uses: list[tuple[Use, str, bool]]) -> None:
    """Modules, files, and what only looks like a path."""
    assert [(one.use, one.how, one.is_bare) for one in scan_javascript(source.encode()).references] == uses


def test_urls_are_decoded() -> None:
    """Escapes of every kind, and pairs of surrogates."""
    body = rb'import "./\u0061\x62\u{63}\144\/\"\
\ud83d\ude00\ud83d.js"'
    assert [one.url for one in scan_javascript(body).references] == ['./abcd/"\U0001f600\ufffd.js']


@pytest.mark.parametrize("escape", [r"\u{1f600}", r"\u{01f600}", r"\u{0001F600}", r"\ud83d\ude00"])
def test_a_code_point_may_be_written_at_any_length(escape: str) -> None:
    assert [one.url for one in scan_javascript(f'import "./{escape}.js"'.encode()).references] == ["./\U0001f600.js"]


@pytest.mark.parametrize("code", ["export/* c */default x", "export /* c */ const x = 1", "export\tfunction f() {}", "export/* c */{x}"])
def test_an_export_with_a_comment_makes_a_module(code: str) -> None:
    assert scan_javascript(code.encode()).is_module


def test_lines_are_counted_from_one() -> None:
    """The line of the URL; of a pattern, that of its import."""
    scan = scan_javascript(b'import "./a.js"\n\nimport x from\n"./b.js"\nimport(\nx)')
    assert ([one.line for one in scan.references], [one.line for one in scan.patterns]) == ([1, 4], [5])


def test_registered_service_workers_are_told_apart() -> None:
    """They are neither references nor mentions."""
    body = b"navigator.serviceWorker?.register(`/a.js`, {scope: '/'}); navigator . serviceWorker.register(new URL('./b.js', import.meta.url)); new Workbox('c.js')"
    scan = scan_javascript(body)
    assert (scan.registers, scan.references, scan.mentions) == (("/a.js", "./b.js", "c.js"), (), ())


_WORKERS = [
    "self.addEventListener('install', f)",
    'addEventListener("fetch", f)',
    "self.skipWaiting()",
    "clients.claim()",
    "x = self.__WB_MANIFEST",
]


@pytest.mark.parametrize("source", _WORKERS)
def test_service_worker_is_known_by_what_only_it_does(source: str) -> None:
    """Pages never do these."""
    assert scan_javascript(source.encode()).is_service_worker
    assert scan_javascript(f"{source}; importScripts('a.js')".encode()).is_service_worker


def test_page_script_is_no_service_worker() -> None:
    """Not even one that registers one and tells it what to do."""
    body = b"addEventListener('load', () => navigator.serviceWorker.register('/sw.js')); w.postMessage('skipWaiting'); x.addEventListener('message', f)"
    assert not scan_javascript(body).is_service_worker


_MODULES = [("import './a'", True), ("export default 1", True), ("export{a}", True), ("export const a = 1", True), ("import.meta.url", True),
            ("export/**/{}", True), ("import('./a')", False), ("exports.a = 1; o.export = {}", False), ("x = 'export {}'; import(y)", False)]  # fmt: skip


@pytest.mark.parametrize(("source", "is_module"), _MODULES, ids=[row[0] for row in _MODULES])
def test_module_is_known_by_its_syntax(source: str, *, is_module: bool) -> None:
    """Not by its name; a dynamic import is allowed anywhere."""
    assert scan_javascript(source.encode()).is_module is is_module


_MENTIONS = [
    ("'img/a.png'; \"data.json\"; `x.svg`", ["img/a.png", "data.json", "x.svg"]),
    ("'./a'; '../b/c'; '/d/'", ["./a", "../b/c", "/d/"]),
    ("'a.png?v=1#x'", ["a.png?v=1#x"]),
    ("`${base}/img/a.png`; `./l/${x}`", ["/img/a.png", "./l/"]),
    (r"'img\/a.png'", ["img/a.png"]),
    ("'a b.png'; 'word'; '.'; '/'; '//'; 'a.b-c'; 'data:x/y.png'; '#a.b'; 'mailto:a@b.c'", []),
    ("'a.png'; 'a.png'", ["a.png"]),
]


@pytest.mark.parametrize("rest", ["", "; import.meta", "; new Worker(x)"])
@pytest.mark.parametrize(("source", "mentions"), _MENTIONS, ids=[row[0] for row in _MENTIONS])
def test_strings_that_look_like_paths_are_mentions(source: str, mentions: list[str], rest: str) -> None:
    """Whether the script is read token by token or not."""
    assert list(scan_javascript((source + rest).encode()).mentions) == mentions


def test_paths_in_comments_are_no_mentions_of_modules() -> None:
    """A type in a comment would keep the module's plain name for nothing."""
    assert scan_javascript(b"/** @type {import('./a.js')} */ import './b.js' // './c.js'").mentions == ()


def test_mentions_are_bounded() -> None:
    """With a note that says so."""
    scan = scan_javascript("".join(f"'{number}.png';" for number in range(30_000)).encode())
    assert len(scan.mentions) == 20_000
    assert scan.notes


_MAPS = [("a()\n//# sourceMappingURL=a.js.map\n", "a.js.map"), ("a()//@ sourceMappingURL=a.js.map", "a.js.map"), ("/*# sourceMappingURL=a.map */", "a.map"),
         ("a('//# sourceMappingURL=a.js.map')", None), ("//# sourceMappingURL=a.js.map\na()", None), ("//# sourceMappingURL=data:a.b", None),
         ("`\n//# sourceMappingURL=a.js.map\n`", None), ("//# sourceMappingURL=https://ex.org/a.map", "https://ex.org/a.map"), ("a()", None)]  # fmt: skip


@pytest.mark.parametrize(("source", "url"), _MAPS, ids=[row[0] for row in _MAPS])
def test_source_map_is_what_the_last_line_says(source: str, url: str | None) -> None:
    """It is followed by tools alone, so it is no LOAD."""
    found = scan_javascript(source.encode()).source_map
    assert (found.url if found else None) == url
    assert found is None or found.use is Use.LINK


_FRAGMENTS = st.sampled_from(
    ["import", "export", "from", "(", ")", "{", "}", "[", "]", '"', "'", "`", "${", "/", "//", "/*", "*/", "\\", "\n", " ", "./a.js", "new URL(", "new Worker(",
     ", import.meta.url)", "importScripts(", "navigator.serviceWorker.register(", "<!--", "-->", "\u2028", "\ufeff", "#!", "if(", ".", "+", "*", " as ", "=", "\\x2e", "%2e", ","]
)  # fmt: skip


@given(st.lists(_FRAGMENTS | st.text(max_size=3), max_size=40).map("".join))
def test_any_text_gives_sound_references(text: str) -> None:
    """Ordered spans that do not overlap, dots within them, and digests that read back as parts of the same URLs."""
    body = text.encode("utf-8", "surrogatepass")
    scan = scan_javascript(body)
    check_sound(body, scan)
    again = scan_javascript(insert(body, scan, b".0a"))
    assert [one.url.replace(".0a", "") for one in again.references] == [one.url.replace(".0a", "") for one in scan.references]


@given(st.binary(max_size=200))
def test_any_bytes_are_read(body: bytes) -> None:
    """Without an exception."""
    check_sound(body, scan_javascript(body))


_HOSTILE = ["import ", "[/", ")/", ")/[", "import{", "import(", "`${", "`${`", "if(", "=/[", "/*", "new URL(", "new Worker(", "'./", "}/", "import(`${", 'import("a"+', "<!--",
            "importScripts('a.b',", "\n-->", "<!--\nimport.", "p/a/", "x.y'", "(a)/b/g.c,'"]  # fmt: skip


@pytest.mark.parametrize("shape", _HOSTILE)
def test_hostile_shapes_are_read_once(shape: str) -> None:
    """A reader that went back would need minutes for what is read here in a moment. What stands in front is found, or the file left whole."""
    body = b"import './first.js';" + (shape * 300_000).encode()[:300_000]
    scan = scan_javascript(body)
    assert scan.problem is not None or scan.references[0].url == "./first.js"


def test_bundle_on_one_line() -> None:
    """Five megabytes, with an import at its end."""
    body = b"function f(a,b){return a/b/2+/[/'\"]/.exec('x.y')}" * 100_000 + b';import("./a.js")'
    assert insert(body, scan_javascript(body), b"~").endswith(b';import("./a~.js")')
