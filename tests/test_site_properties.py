"""What holds for every site: same tree, same bytes; an edit renames only what loads it; insertions only; a second pass changes nothing."""

from __future__ import annotations

import random
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sitepub.core.manifest import digest_manifest
from sitepub.core.model import FileClass, SourcePath
from sitepub.core.settings import Aliases
from sitepub.local.source import FolderSource
from tests.edge_cases.table import SVG
from tests.support.building import Built, build_tree, write_tree

FOLDERS = ("", "a/b/")
STYLES = [f"{folder}s{n}.css" for folder in FOLDERS for n in range(2)]
MODULES = [f"{folder}m{n}.js" for folder in FOLDERS for n in range(2)]
IMAGES = [f"{folder}i{n}.png" for folder in FOLDERS for n in range(2)]
DRAWINGS = [f"{folder}d{n}.svg" for folder in FOLDERS for n in range(2)]
MANIFESTS = ["a.webmanifest", "a/b/m.json"]
PAGES = [f"{folder}p{n}.html" for folder in FOLDERS for n in range(2)]
MISSING = "gone.png"
KINDS = {"style": STYLES, "module": MODULES, "image": IMAGES, "other": IMAGES, "drawing": DRAWINGS, "manifest": MANIFESTS}

IN_PAGES = (
    '<link rel=stylesheet href="{style}">',
    "<img src={image}>",
    '<img srcset="{image} 2x, {other} 3x">',
    '<script type=module src="{module}"></script>',
    '<script type=module>import "{module}"</script>',
    '<p style="background:url(&quot;{image}&quot;)">',
    "<style>@import '{style}'; a{{b:url({image}?v=1#x)}}</style>",
    '<a href="{image}">a</a>',
    '<object data="{drawing}"></object>',
    '<link rel=manifest href="{manifest}">',
    '<div data-module="{module}"></div>',
    "<!-- <img src={image}> -->\r\n",
    "<img src=" + MISSING + ">",
)
IN_STYLES = (
    "@import url({style});",
    "a{{b:url('{image}')}}",
    "/* url({image}) */",
    "a{{b:image-set('{image}' 1x)}}\r\n",
    'a{{content:"{image}"}}',
)
IN_DRAWINGS = (
    '<image href="{image}"/>',
    '<use xlink:href="{drawing}#a"/>',
    "<style>@import '{style}'; a{{b:url({image})}}</style>",
    '<rect fill="url(&quot;{drawing}#b&quot;)"/>\r\n',
    '<!-- <image href="{image}"/> -->',
)
IN_MANIFESTS = ('{{"src": "{image}"}},', '{{"src":"{image}?v=1.2"}},', '{{"sizes": "any", "src":"{drawing}"}},')
IN_MODULES = (
    'import "{module}";',
    'export * from "{module}";\n',
    'import("{module}");',
    'f("{module}");',
    'new URL("{image}", import.meta.url);',
    "x=1;",
)


def relative(path: str, page: str) -> str:
    return "/" + path if len(page) % 2 else "../" * page.count("/") + path


class Names(dict[str, str]):
    """A name of each kind as it is asked for."""

    def __init__(self, choose: Callable[[str], str]) -> None:
        super().__init__()
        self.choose = choose

    def __missing__(self, kind: str) -> str:
        return self.choose(kind)


@st.composite
def sites(draw: st.DrawFn) -> dict[str, bytes]:
    def fill(page: str, fragments: tuple[str, ...]) -> bytes:
        def one(kind: str) -> str:
            found = relative(draw(st.sampled_from(KINDS[kind])), page)
            return found if found.startswith(("/", "../")) or kind != "module" else f"./{found}"

        chosen = draw(st.lists(st.sampled_from(fragments), max_size=4))
        return "".join(text.format_map(Names(one)) for text in chosen).encode()

    files = {page: fill(page, IN_PAGES) for page in PAGES}
    files |= {style: fill(style, IN_STYLES) for style in STYLES}
    files |= {module: fill(module, IN_MODULES) for module in MODULES}
    files |= {drawing: SVG.encode() + fill(drawing, IN_DRAWINGS) + b"</svg>" for drawing in DRAWINGS}
    files |= {manifest: b'{"icons":[%b{}]}' % fill(manifest, IN_MANIFESTS) for manifest in MANIFESTS}
    return files | {image: draw(st.binary(max_size=3)) for image in IMAGES}


relaxed = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@contextmanager
def built(files: Mapping[str, bytes], **options: object) -> Iterator[Built]:
    with tempfile.TemporaryDirectory() as folder:
        yield build_tree(Path(folder), files, **options)  # type: ignore[arg-type]


def take_out(body: bytes) -> bytes:
    return re.sub(rb"\.[0-9a-f]{12}(?=\.)", b"", body)


def loads(files: Mapping[str, bytes], built: Built) -> dict[str, set[str]]:
    """Which assets each file names: an independent look at the outcome."""
    paths = {built.key_of(path): path for path in files}
    found: dict[str, set[str]] = {}
    for path in files:
        urls = [url.decode() for url in re.findall(rb"[\w./-]+\.[0-9a-f]{12}\.[a-z]+", built.body_of(path))]
        found[path] = {paths[url[1:] if url.startswith("/") else relative_to_root(url, path)] for url in urls}
    return found


@relaxed
@given(sites())
def test_taking_the_insertions_out_gives_every_source_back(files: dict[str, bytes]) -> None:
    with built(files) as site:
        assert {path: take_out(site.body_of(path)) for path in files} == files


@relaxed
@given(sites())
def test_every_inserted_name_stands_in_the_release(files: dict[str, bytes]) -> None:
    with built(files) as site:
        known = {key.rpartition("/")[2].encode() for key in site.bodies}
        for body in site.bodies.values():
            for name in re.findall(rb"[a-z0-9]+\.[0-9a-f]{12}\.[a-z]+", body):
                assert name in known


@relaxed
@given(sites(), st.sampled_from(IMAGES + STYLES + MODULES))
def test_an_edit_renames_only_what_loads_it(files: dict[str, bytes], edited: str) -> None:
    with built(files) as before, built({**files, edited: files[edited] + b" "}) as after:
        graph = loads(files, before)
        ancestors, waiting = {edited}, [edited]
        while waiting:
            target = waiting.pop()
            for path in (path for path, targets in graph.items() if target in targets and path not in ancestors):
                ancestors.add(path)
                waiting.append(path)
        changed = {path for path in files if before.body_of(path) != after.body_of(path) or before.key_of(path) != after.key_of(path)}
        assert changed <= ancestors
        hashed = {path for path in ancestors if before.class_of(path) is FileClass.ASSET}
        assert {path for path in hashed if before.key_of(path) != after.key_of(path)} == hashed


@relaxed
@given(sites(), sites())
def test_one_name_one_content(first: dict[str, bytes], second: dict[str, bytes]) -> None:
    with built(first) as one, built(second) as other:
        for key in one.keys(FileClass.ASSET) & other.keys(FileClass.ASSET):
            assert one.bodies[key] == other.bodies[key]


@relaxed
@given(sites(), st.randoms(use_true_random=False))
def test_the_order_of_files_is_of_no_account(files: dict[str, bytes], chance: random.Random) -> None:
    with built(files) as site:
        shuffled = list(site.source.files)
        chance.shuffle(shuffled)
        again = build_source(FolderSource(site.source.root, tuple(shuffled)))
        assert again == outcome(site)


@relaxed
@given(sites(), st.sampled_from(Aliases))
def test_a_second_pass_over_what_was_published_changes_nothing(files: dict[str, bytes], aliases: Aliases) -> None:
    with built(files, aliases=aliases) as first, built(first.bodies, aliases=aliases) as second:
        assert second.bodies == first.bodies


@relaxed
@given(sites(), st.sampled_from(Aliases))
def test_every_reference_that_led_somewhere_still_does(files: dict[str, bytes], aliases: Aliases) -> None:
    """With the reader of names that stays: the source's own bodies, from the release's keys, miss nothing that is known to be needed."""
    with built(files, aliases=aliases) as site:
        keys = set(site.bodies)
        for path in files:
            for quoted in re.findall(
                rb"""(?:href=|src=|srcset=|url\(|import |import\(|from )(?!url)["']?(?:&quot;)?([^"' >)&;,]+)""",
                re.sub(rb"(?s)<!--.*?-->|/\*.*?\*/", b"", site.body_of(path)),
            ):
                url = re.split("[?#]", quoted.decode())[0]
                target = url[1:] if url.startswith("/") else relative_to_root(url, path)
                if target in files or re.search(r"\.[0-9a-f]{12}\.", target):
                    assert target in keys, (path, url)


def relative_to_root(url: str, page: str) -> str:
    folders = page.split("/")[:-1]
    for step in url.split("/")[:-1]:
        if step == "..":
            folders = folders[:-1]
        elif step != ".":
            folders.append(step)
    return "/".join([*folders, url.rpartition("/")[2]])


def build_source(source: FolderSource, executor: Executor | None = None) -> tuple[str, list[tuple[str, str]]]:
    from sitepub.local.cache import open_cache
    from sitepub.site import build_site
    from tests.support.builders import SilentProgress
    from tests.support.building import make_config

    config = make_config(source.root)
    cache = open_cache(None)
    site = build_site(
        source, config, config.targets["local"], cache=cache, executor=executor, has_distribution=False, progress=SilentProgress()
    )
    cache.close()
    return digest_manifest(site.manifest), [(path, story.reason) for path, story in site.files.items()]


def outcome(site: Built) -> tuple[str, list[tuple[str, str]]]:
    return digest_manifest(site.site.manifest), [(path, story.reason) for path, story in site.site.files.items()]


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Ten thousand modules in circles, chains and trees."""
    chance = random.Random(7)
    files: dict[str, bytes | str] = {"index.html": '<script type=module src="m/0.js"></script>'}
    for number in range(10_000):
        targets = {chance.randrange(number + 1, min(number + 50, 10_000)) for _ in range(2)} if number < 9_999 else set()
        if chance.random() < 0.01 and number:
            targets.add(max(0, number - 3))
        files[f"m/{number}.js"] = "".join(f'import "./{target}.js";' for target in sorted(targets)) + f"/*{number}*/"
    root = tmp_path_factory.mktemp("modules")
    return build_tree(root, files, with_bodies=False)


def test_ten_thousand_modules(modules: Built) -> None:
    assert len(modules.keys(FileClass.ASSET)) > 8_000
    assert modules.class_of("m/0.js") is FileClass.ASSET


@pytest.mark.parametrize("pool", [ThreadPoolExecutor, ProcessPoolExecutor])
def test_any_executor_gives_the_same(pool: type[Executor], modules: Built) -> None:
    with pool() as executor:
        assert build_source(modules.source, executor) == outcome(modules)


def test_a_chain_of_five_thousand(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {"index.html": '<script type=module src="0.js"></script>', "5000.js": "1"}
    files |= {f"{n}.js": f'import "./{n + 1}.js"' for n in range(5000)}
    before = build_tree(tmp_path, files)
    after = build_tree(tmp_path, {"5000.js": "2"})
    assert len(before.keys(FileClass.ASSET)) == 5001
    assert not before.keys(FileClass.ASSET) & after.keys(FileClass.ASSET)


class TestCircles:
    FILES = {  # noqa: RUF012
        "index.html": '<script type=module src="a.js"></script>',
        "a.js": 'import "./b.js"; import "./leaf.js"',
        "b.js": 'import "./c.js"',
        "c.js": 'import "./a.js"',
        "leaf.js": "export {}",
    }

    def test_all_members_are_renamed_together(self, tmp_path: Path) -> None:
        before = build_tree(tmp_path / "1", self.FILES)
        member = build_tree(tmp_path / "2", {**self.FILES, "b.js": 'import "./c.js" '})
        dependency = build_tree(tmp_path / "3", {**self.FILES, "leaf.js": "export { } "})
        for path in ("a.js", "b.js", "c.js"):
            assert len({before.key_of(path), member.key_of(path), dependency.key_of(path)}) == 3
        assert before.key_of("leaf.js") == member.key_of("leaf.js")

    def test_members_name_each_other(self, tmp_path: Path) -> None:
        built = build_tree(tmp_path, self.FILES)
        for path, target in (("a.js", "b.js"), ("b.js", "c.js"), ("c.js", "a.js")):
            assert built.key_of(target).encode() in built.body_of(path)

    def test_names_of_a_circle_do_not_depend_on_where_it_is_entered(self, tmp_path: Path) -> None:
        first = build_tree(tmp_path / "1", self.FILES)
        second = build_tree(tmp_path / "2", {**self.FILES, "index.html": '<script type=module src="c.js"></script>'})
        assert first.keys(FileClass.ASSET) == second.keys(FileClass.ASSET)

    @pytest.mark.parametrize(
        "files",
        [
            {
                "index.html": '<script type=module src="m.js"></script>',
                "m.js": 'import "./a.js"',
                "a.js": 'import "./b.js"',
                "b.js": 'import "./a.js"',
            },
            {"index.html": '<script type=module src="a.js"></script>', "a.js": 'import "./a.js"'},
            {"index.html": "<link rel=stylesheet href=a.css>", "a.css": "@import 'b.css';", "b.css": "@import 'a.css';"},
        ],
    )
    def test_self_imports_and_style_circles(self, files: dict[str, str], tmp_path: Path) -> None:
        built = build_tree(tmp_path / "1", files)
        assert len(built.keys(FileClass.ASSET)) == len(files) - 1
        again = build_tree(tmp_path / "2", built.bodies)
        assert again.bodies == built.bodies
        assert again.keys(FileClass.FROZEN) == built.keys(FileClass.ASSET)

    def test_swapped_contents_are_other_names(self, tmp_path: Path) -> None:
        """Member paths are part of the digest: two circles of the same bytes are two sets of names."""
        page = '<script type=module src="x/a.js"></script><script type=module src="y/a.js"></script>'
        circle = {"a.js": 'import "./b.js"', "b.js": 'import "./a.js"'}
        files = {"index.html": page, **{f"{folder}/{name}": body for folder in "xy" for name, body in circle.items()}}
        built = build_tree(tmp_path, files)
        assert built.key_of("x/a.js")[2:] != built.key_of("y/a.js")[2:]


def test_names_never_change_between_releases_of_sitepub(tmp_path: Path) -> None:
    """If this fails, every name that was ever published changes: then the format of names must grow, and the changelog must say so."""
    files = {
        "index.html": '<link rel=stylesheet href=a.css><script type=module src="m.js"></script>',
        "a.css": "a{b:url(i.png)}",
        "i.png": b"i",
        "m.js": 'import "./n.js"',
        "n.js": 'import "./m.js"',
    }
    built = build_tree(tmp_path, files)
    assert {path: built.key_of(path) for path in files} == {
        "index.html": "index.html",
        "a.css": "a.82831e546139.css",
        "i.png": "i.de7d1b721a1e.png",
        "m.js": "m.7fa2a9e9f00d.js",
        "n.js": "n.d9af8a3ce3c3.js",
    }


def test_reasons_name_the_first_referrer_in_path_order(tmp_path: Path) -> None:
    files = {"z.html": "<img src=i.png>", "b.html": "<img src=i.png>", "i.png": b"i"}
    assert build_tree(tmp_path, files).site.files[SourcePath("i.png")].reason == "`b.html` loads it (img src)"


def test_write_tree_is_what_is_scanned(tmp_path: Path) -> None:
    write_tree(tmp_path, {"a.html": "x"})
    assert set(build_tree(tmp_path).site.files) == {"a.html"}
