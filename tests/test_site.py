"""Whole sites, from a folder to bodies and keys: what is renamed, what keeps its name, what follows from it."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from pathlib import Path
from typing import ClassVar

import pytest

from sitepub.core.evidence import MOST_MISSING
from sitepub.core.model import Digest, FileClass
from sitepub.core.references import Language
from sitepub.core.settings import Aliases, MissingReferences, Modules, Redirect
from sitepub.core.urls import SiteUrls
from sitepub.errors import ConfigurationError, RefusedError, StoppedError
from sitepub.interfaces import FileBody
from sitepub.local.cache import open_cache
from sitepub.local.rewriting import RewriteBatch, RewriteJob, rewrite_batch
from sitepub.local.source import scan_source
from sitepub.site_bodies import LARGE, make_body, supply_body
from tests.support.building import Built, build_tree, make_config, write_tree

ASSET, ENTRY, PINNED, FROZEN, ALIAS = FileClass.ASSET, FileClass.ENTRY, FileClass.PINNED, FileClass.FROZEN, FileClass.ALIAS


def sha(body: bytes, algorithm: str = "sha256") -> str:
    return b64encode(hashlib.new(algorithm, body).digest()).decode()


def strip(body: bytes) -> bytes:
    return re.sub(rb"\.[0-9a-f]{12}(?=\.)", b"", body)


SITE = {
    "index.html": '<link rel=stylesheet href="css/app.css"><script type=module src="js/main.js"></script><a href="doc.pdf">d</a>',
    "css/app.css": "body{background:url(../img/a.png)}",
    "img/a.png": b"\x89PNG a",
    "js/main.js": 'import "./util.js"; import("./lazy.js")',
    "js/util.js": "export const a = 1",
    "js/lazy.js": "export default 2",
    "doc.pdf": b"%PDF",
    "unused.png": b"\x89PNG b",
    "robots.txt": "User-agent: *",
}


class TestAPlainSite:
    def test_assets_are_what_the_site_loads(self, tmp_path: Path) -> None:
        built = build_tree(tmp_path, SITE)
        assets = {artifact.source for artifact in built.site.manifest.artifacts.values() if artifact.file_class is ASSET}
        assert assets == {"css/app.css", "img/a.png", "js/main.js", "js/util.js", "js/lazy.js"}
        assert built.keys(ENTRY) == {"index.html", "doc.pdf", "unused.png", "robots.txt"}

    def test_a_key_is_the_path_with_the_digest_of_the_published_bytes(self, tmp_path: Path) -> None:
        built = build_tree(tmp_path, SITE)
        for key in built.keys(ASSET):
            digest = hashlib.sha256(built.bodies[key]).hexdigest()
            source = built.site.manifest.artifacts[key].source  # type: ignore[index]
            stem, _, extension = (source or "").rpartition(".")
            assert key == f"{stem}.{digest[:12]}.{extension}"

    def test_references_name_the_keys(self, tmp_path: Path) -> None:
        built = build_tree(tmp_path, SITE)
        assert built.key_of("css/app.css").encode() in built.bodies["index.html"]
        assert built.key_of("img/a.png").removeprefix("img/").encode() in built.body_of("css/app.css")
        assert built.key_of("js/lazy.js").removeprefix("js/").encode() in built.body_of("js/main.js")

    def test_taking_the_insertions_out_gives_the_source(self, tmp_path: Path) -> None:
        built = build_tree(tmp_path, SITE)
        for path in SITE:
            assert strip(built.body_of(path)) == (tmp_path / path).read_bytes()

    def test_an_alias_has_the_bytes_of_its_asset_and_a_short_life(self, tmp_path: Path) -> None:
        built = build_tree(tmp_path, SITE)
        assert built.keys(ALIAS) == {"css/app.css", "img/a.png", "js/main.js", "js/util.js", "js/lazy.js"}
        assert built.bodies["css/app.css"] == built.body_of("css/app.css")
        assert ("Cache-Control", "public, max-age=60, s-maxage=60") in built.site.manifest.artifacts["css/app.css"].headers  # type: ignore[index]

    def test_a_change_of_an_image_renames_what_loads_it_and_nothing_else(self, tmp_path: Path) -> None:
        before = build_tree(tmp_path, SITE)
        after = build_tree(tmp_path, {"img/a.png": b"\x89PNG other"})
        renamed = {path for path in SITE if before.key_of(path) != after.key_of(path)}
        changed = {path for path in SITE if before.body_of(path) != after.body_of(path)}
        assert renamed == {"img/a.png", "css/app.css"}
        assert changed == {"img/a.png", "css/app.css", "index.html"}

    def test_a_rename_of_a_dependency_changes_the_name_of_what_loads_it(self, tmp_path: Path) -> None:
        first = build_tree(tmp_path / "1", {"index.html": "<link rel=stylesheet href=a.css>", "a.css": "a{b:url(x.png)}", "x.png": b"x"})
        second = build_tree(tmp_path / "2", {"index.html": "<link rel=stylesheet href=a.css>", "a.css": "a{b:url(y.png)}", "y.png": b"x"})
        assert first.key_of("a.css") != second.key_of("a.css")

    def test_the_manifest_names_every_source_file(self, tmp_path: Path) -> None:
        built = build_tree(tmp_path, SITE)
        assert {artifact.source for artifact in built.site.manifest.artifacts.values()} == set(SITE)


class TestEvidenceOfABundler:
    VITE = '{"src/main.ts": {"file": "assets/index-BpD9FCKP.js", "css": ["assets/index-Dq1k2j3x.css"]}}'

    def test_a_vite_manifest_freezes_what_it_lists(self, tmp_path: Path) -> None:
        files = {
            "index.html": '<script type=module src="/assets/index-BpD9FCKP.js"></script><link rel=stylesheet href="/assets/index-Dq1k2j3x.css">',
            "assets/index-BpD9FCKP.js": 'import "./plain.js"; new URL("./logo.png", import.meta.url)',
            "assets/index-Dq1k2j3x.css": "a{background:url(logo.png)}",
            "assets/plain.js": "export {}",
            "assets/logo.png": b"logo",
            ".vite/manifest.json": self.VITE,
        }
        built = build_tree(tmp_path, files)
        assert built.class_of("assets/index-BpD9FCKP.js") is FROZEN
        assert built.bodies["assets/index-BpD9FCKP.js"] == files["assets/index-BpD9FCKP.js"].encode()
        assert built.bodies["index.html"] == files["index.html"].encode()
        assert "assets/logo.png" in built.site.manifest.artifacts
        assert built.class_of("assets/logo.png") is PINNED
        assert ".vite/manifest.json" in built.story("assets/index-BpD9FCKP.js").reason

    def test_an_asset_manifest_of_create_react_app(self, tmp_path: Path) -> None:
        files = {
            "index.html": "<script src=/static/js/main.4889e940.js></script><link rel=stylesheet href=/static/css/own.css>",
            "static/js/main.4889e940.js": "1",
            "static/css/own.css": "a{}",
            "asset-manifest.json": '{"files": {"main.js": "/static/js/main.4889e940.js", "index.html": "/index.html", "x": "/static/css/own.css"}}',
        }
        built = build_tree(tmp_path, files)
        assert built.class_of("static/js/main.4889e940.js") is FROZEN
        assert built.class_of("index.html") is ENTRY
        assert built.class_of("static/css/own.css") is ASSET

    def test_a_hashmap_of_vitepress_freezes_what_lies_beside_its_pages_scripts(self, tmp_path: Path) -> None:
        files = {
            "index.html": "<script type=module src=/assets/app.DEKfSKWO.js></script><link rel=modulepreload href=/assets/index.md.CFaMWVIA.lean.js>"
            "<img src=/img.png>",
            "assets/app.DEKfSKWO.js": "import(`/assets/${page}.${hashes[page]}.lean.js`)",
            "assets/index.md.CFaMWVIA.js": "export default 1",
            "assets/index.md.CFaMWVIA.lean.js": "export default 2",
            "img.png": b"1",
            "hashmap.json": '{"index.md": "CFaMWVIA"}',
        }
        built = build_tree(tmp_path, files)
        assert {path for path in files if built.class_of(path) is FROZEN} == {path for path in files if path.startswith("assets/")}
        assert "hashmap.json" in built.story("assets/app.DEKfSKWO.js").reason
        del files["assets/index.md.CFaMWVIA.js"]
        built = build_tree(tmp_path / "other", files)
        assert built.class_of("assets/app.DEKfSKWO.js") is not FROZEN

    @pytest.mark.parametrize("folder", ["_astro", "_next/static", "_app/immutable", "docs/_astro"])
    def test_a_bundlers_folder_is_frozen(self, folder: str, tmp_path: Path) -> None:
        built = build_tree(tmp_path, {"index.html": f"<link rel=stylesheet href=/{folder}/a.css>", f"{folder}/a.css": "a{}"})
        assert built.class_of(f"{folder}/a.css") is FROZEN
        assert ("Cache-Control", "public, max-age=31536000, immutable") in built.site.manifest.artifacts[f"{folder}/a.css"].headers  # type: ignore[index]

    def test_a_pattern_freezes(self, tmp_path: Path) -> None:
        built = build_tree(tmp_path, {"index.html": "<img src=x/a.png>", "x/a.png": b"1"}, frozen=("x/**",))
        assert built.class_of("x/a.png") is FROZEN
        assert "`x/**`" in built.story("x/a.png").reason

    def test_a_frozen_file_has_an_entry_ready_for_the_day_its_bytes_change(self, tmp_path: Path) -> None:
        built = build_tree(tmp_path, {"index.html": "<img src=_astro/a.png>", "_astro/a.png": b"1"})
        as_entry = built.site.frozen_as_entries["_astro/a.png"]  # type: ignore[index]
        assert as_entry.kind.value == "entry"
        assert ("Cache-Control", "public, max-age=0, must-revalidate") in as_entry.headers


class TestSettings:
    FILES: ClassVar[dict[str, bytes | str]] = {"index.html": "<img src=a.png><img src=b.png>", "a.png": b"a", "b.png": b"b", "c.png": b"c"}

    def test_exclude_keeps_a_name_and_include_gives_one(self, tmp_path: Path) -> None:
        built = build_tree(tmp_path, self.FILES, exclude=("a.png",), include=("c.png", "a.png"))
        assert built.class_of("a.png") is PINNED
        assert "`a.png`" in built.story("a.png").reason
        assert built.class_of("c.png") is ASSET
        assert b"a.png" in built.bodies["index.html"]

    def test_no_setting_hashes_a_page(self, tmp_path: Path) -> None:
        assert build_tree(tmp_path, self.FILES, include=("**",)).class_of("index.html") is ENTRY

    def test_digest_length(self, tmp_path: Path) -> None:
        built = build_tree(tmp_path, self.FILES, digest_length=20)
        assert len(built.key_of("a.png")) == len("a..png") + 20

    def test_missing_references_are_warnings_with_file_and_line(self, tmp_path: Path) -> None:
        files = {"index.html": "\n<img src=a.png>\n<img src=team.jpg>\n<img src=A.PNG>", "a.png": b"a"}
        built = build_tree(tmp_path, files)
        assert [warning.message for warning in built.site.warnings] == [
            "`index.html` line 3 loads `team.jpg`, which is not in the site",
            "`index.html` line 4 loads `A.PNG`, which is not in the site; `a.png` differs only by case",
        ]

    def test_of_very_many_missing_references_all_are_counted_and_the_first_are_named(self, tmp_path: Path) -> None:
        many = "".join(f"<img src={number}.png>\n" for number in range(2 * MOST_MISSING + 1))
        files = {"b.html": many, "c.html": many, "a.html": "<img src=x.png><img srcset='x.png 2x'>"}
        messages = [warning.message for warning in build_tree(tmp_path, files).site.warnings]
        assert messages[0].startswith(
            f"{4 * MOST_MISSING + 3} references lead to files that are not in the site; the first {MOST_MISSING} "
        )
        assert messages[1] == "`a.html` line 1 loads `x.png`, which is not in the site"
        assert messages[2].startswith("`b.html` line 1 ")
        assert messages[MOST_MISSING].startswith(f"`b.html` line {MOST_MISSING - 1} ")
        assert len(messages) == MOST_MISSING + 1

    def test_missing_references_stop_the_run_all_at_once_if_asked(self, tmp_path: Path) -> None:
        files = {"index.html": "<img src=x.png><img src=y.png>"}
        with pytest.raises(RefusedError) as caught:
            build_tree(tmp_path, files, missing_references=MissingReferences.ERROR)
        assert caught.value.code == "missing-references"
        assert "x.png" in caught.value.message
        assert "y.png" in caught.value.message

    def test_missing_references_can_be_ignored(self, tmp_path: Path) -> None:
        assert not build_tree(tmp_path, {"index.html": "<img src=x>"}, missing_references=MissingReferences.IGNORE).site.warnings

    def test_aliases_never(self, tmp_path: Path) -> None:
        built = build_tree(tmp_path, {**self.FILES, "x.html": "<a href=b.png>b</a>"}, aliases=Aliases.NEVER)
        assert not built.keys(ALIAS)
        assert built.class_of("a.png") is ASSET
        assert built.class_of("b.png") is PINNED, "the link must go on working"

    def test_aliases_auto(self, tmp_path: Path) -> None:
        files = {
            "index.html": '<img src=a.png><img src=b.png><img src=img/c.png><img src=d.png><img src=img/e.png><script>f("img/c.png")</script>',
            "x.html": "<a href=b.png>b</a>",
            "a.png": b"a",
            "b.png": b"b",
            "img/c.png": b"c",
            "d.png": b"d",
            "js/z.js": 'fetch("d" + ".png"); load("e.png")',
            "img/e.png": b"e",
        }
        built = build_tree(tmp_path, files, aliases=Aliases.AUTO)
        assert built.keys(ALIAS) == {"b.png", "img/c.png", "img/e.png"}


class TestModules:
    """One module is one instance only under one URL."""

    PAGE = '<script type=module src="js/main.js"></script>'

    def test_modules_pin(self, tmp_path: Path) -> None:
        built = build_tree(tmp_path, {**SITE}, modules=Modules.PIN)
        assert built.class_of("js/util.js") is PINNED
        assert built.class_of("css/app.css") is ASSET

    def test_what_only_loads_itself_is_no_asset(self, tmp_path: Path) -> None:
        built = build_tree(tmp_path, {"index.html": "x", "a.js": 'import "./b.js"', "b.js": 'import "./a.js"', "c.js": 'import "./c.js"'})
        assert not built.keys(ASSET)


class TestIntegrity:
    CSS = b"a{background:url(i.png)}"

    def page(self, value: str) -> dict[str, bytes | str]:
        return {"index.html": f'<link rel=stylesheet href=a.css integrity="{value}">', "a.css": self.CSS, "i.png": b"i"}

    def value(self, built: Built) -> str:
        found = re.search(rb'integrity="([^"]*)"', built.bodies["index.html"])
        assert found
        return found[1].decode()

    def test_a_weaker_digest_that_matches_does_not_count(self, tmp_path: Path) -> None:
        value = f"sha256-{sha(self.CSS)} sha512-{sha(b'other', 'sha512')}"
        built = build_tree(tmp_path, self.page(value))
        assert self.value(built) == value
        assert built.codes() == ["integrity-mismatch"]

    def test_a_page_that_was_only_looked_at_counts_as_unedited(self, tmp_path: Path) -> None:
        files = {"index.html": f"<script src=a integrity=sha256-{sha(b'1')}></script>", "a": b"1", "index.html.gz": b"gz"}
        built = build_tree(tmp_path, files)
        assert "index.html.gz" in built.bodies
        assert not built.site.warnings

    def test_policy_hashes_of_edited_inline_blocks_follow(self, tmp_path: Path) -> None:
        style, script = "a{b:url(i.png)}\r\n", "let untouched = 1"
        policy = f"style-src 'sha256-{sha(style.replace(chr(13), '').encode())}'; script-src 'sha256-{sha(script.encode())}'"
        page = f'<meta http-equiv=Content-Security-Policy content="{policy}"><style>{style}</style><script>{script}</script>'
        built = build_tree(tmp_path, {"index.html": page, "i.png": b"i"})
        body = built.bodies["index.html"].decode()
        edited = re.search(r"<style>(.*)</style>", body, re.DOTALL)
        assert edited
        assert f"'sha256-{sha(edited[1].replace(chr(13), '').encode())}'" in body
        assert sha(script.encode()) in body
        assert edited[1] != style

    def test_policy_hash_of_a_style_attribute(self, tmp_path: Path) -> None:
        css = 'a:url("i.png")'
        page = f"<meta http-equiv=Content-Security-Policy content=\"style-src 'unsafe-hashes' 'sha384-{sha(css.encode(), 'sha384')}'\">"
        built = build_tree(tmp_path, {"index.html": page + '<p style="a:url(&quot;i.png&quot;)">', "i.png": b"i"})
        expected = sha(f'a:url("{built.key_of("i.png")}")'.encode(), "sha384")
        assert expected.encode() in built.bodies["index.html"]


class TestRedirects:
    def test_a_redirect_is_an_artifact_that_references_may_lead_to(self, tmp_path: Path) -> None:
        redirects = (Redirect("/old/", "/new/"),)
        built = build_tree(tmp_path, {"index.html": "<iframe src=/old/></iframe>"}, redirects=redirects)
        artifact = built.site.manifest.artifacts["old/index.html"]  # type: ignore[index]
        assert artifact.file_class is FileClass.REDIRECT
        assert artifact.source is None
        assert b"/new/" in built.bodies["old/index.html"]
        assert not built.site.warnings

    def test_one_that_stands_where_a_file_stands_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError) as caught:
            build_tree(tmp_path, {"old/index.html": "x"}, redirects=(Redirect("/old/", "/new/"),))
        assert caught.value.code == "redirect-conflict"


class TestOtherFiles:
    def test_compressed_siblings_of_edited_files_are_left_out(self, tmp_path: Path) -> None:
        files = {**SITE, "css/app.css.gz": b"gz", "index.html.br": b"br", "doc.pdf.gz": b"gz"}
        built = build_tree(tmp_path, files)
        assert "css/app.css.gz" not in built.site.manifest.artifacts
        assert "index.html.br" not in built.site.manifest.artifacts
        assert "doc.pdf.gz" in built.site.manifest.artifacts
        assert built.codes() == ["stale-compressed"]
        assert built.story("css/app.css.gz").key is None

    def test_a_name_that_is_taken_is_lengthened(self, tmp_path: Path) -> None:
        files = {"index.html": "<img src=a.png>", "a.png": b"a"}
        usual = build_tree(tmp_path, files).key_of("a.png")
        built = build_tree(tmp_path, {usual: b"something else"})
        digest = hashlib.sha256(b"a").hexdigest()
        assert built.key_of("a.png") == f"a.{digest[:16]}.png"
        assert built.bodies[usual] == b"something else"

    def test_a_file_that_changes_after_the_scan_stops_the_run(self, tmp_path: Path) -> None:
        built = build_tree(tmp_path, SITE)
        (tmp_path / "index.html").write_text("changed")
        artifact = built.site.manifest.artifacts["index.html"]  # type: ignore[index]
        file = next(file for file in built.source.files if file.path == "index.html")
        with pytest.raises((StoppedError, ConfigurationError)) as caught:
            make_body(tmp_path, file, built.site.recipes["index.html"], digest=artifact.body)  # type: ignore[index]
        assert caught.value.code == "source-changed"

    def test_a_file_that_changes_between_the_two_readings_stops_the_run(self, tmp_path: Path) -> None:
        write_tree(tmp_path, {"index.html": "<p>"})
        (file,) = scan_source(tmp_path).files
        job = RewriteJob(file, Language.HTML, Digest("0" * 64), b"", 0)
        answer = rewrite_batch(RewriteBatch(tmp_path, SiteUrls(), False, (job,)))
        assert [failure.code for failure in answer.failures] == ["source-changed"]

    def test_a_large_leaf_stays_on_disk(self, tmp_path: Path) -> None:
        write_tree(tmp_path, {"index.html": "<video src=a.mp4></video>"})
        with (tmp_path / "a.mp4").open("wb") as video:
            video.truncate(LARGE + 1)
        built = build_tree(tmp_path)
        artifact = built.site.manifest.artifacts[built.key_of("a.mp4")]  # type: ignore[index]
        file = next(file for file in built.source.files if file.path == "a.mp4")
        body = supply_body(built.source, file, built.site.recipes[artifact.key], artifact)
        assert body == FileBody(tmp_path / "a.mp4", LARGE + 1, artifact.body)

    def test_all_unreadable_files_are_told_at_once(self, tmp_path: Path) -> None:
        write_tree(tmp_path, {"a.html": "1", "b.html": "2"})
        from sitepub.site import build_site
        from tests.support.builders import SilentProgress

        source = scan_source(tmp_path)
        (tmp_path / "a.html").unlink()
        (tmp_path / "b.html").unlink()
        config = make_config(tmp_path)
        with pytest.raises((StoppedError, ConfigurationError)) as caught:
            build_site(
                source,
                config,
                config.targets["local"],
                cache=open_cache(None),
                executor=None,
                has_distribution=False,
                progress=SilentProgress(),
            )
        assert "a.html" in caught.value.message
        assert "b.html" in caught.value.message


class TestPrecacheLists:
    LIST = '[{url:"index.html",revision:"0123456789abcdef0123456789abcdef"},{"revision":"77665544","url":"/css/app.css"},{url:"doc.pdf",revision:"aabbccdd"}]'

    def test_an_edit_of_an_asset_changes_the_revision_of_each_page_that_loads_it(self, tmp_path: Path) -> None:
        """A page whose own source is as before would otherwise be kept stale for ever (workbox issue 2299)."""
        before = build_tree(tmp_path, {**SITE, "sw.js": f"precache({self.LIST})"})
        after = build_tree(tmp_path, {"img/a.png": b"other"})
        assert before.bodies["sw.js"] != after.bodies["sw.js"]

    def test_a_list_that_is_loaded_keeps_its_name(self, tmp_path: Path) -> None:
        built = build_tree(tmp_path, {**SITE, "sw.js": 'importScripts("list.js")', "list.js": f"self.x={self.LIST}"})
        assert built.class_of("list.js") is PINNED
        assert b"aabbccdd" in built.bodies["list.js"]
        assert b"77665544" not in built.bodies["list.js"]


class TestSourceMaps:
    CODE = 'let a;import("./b.js"),c()\n//# sourceMappingURL=a.js.map'
    MAP = '{"version":3,"sources":["a.ts"],"names":[],"mappings":"AAAA,MAAM,mBAAmB"}'

    def test_columns_behind_an_insertion_move(self, tmp_path: Path) -> None:
        built = build_tree(tmp_path, {"i.html": "<script src=a.js></script>", "a.js": self.CODE, "a.js.map": self.MAP, "b.js": "1"})
        assert built.class_of("a.js.map") is ENTRY
        # 6 + 19 = 25 is behind the insertion of 13 bytes: the last segment is 19 + 13 columns on
        assert built.bodies["a.js.map"] == self.MAP.replace("mBAAmB", "gCAAmB").encode()

    def test_a_cache_does_not_keep_a_map_for_other_code(self, tmp_path: Path) -> None:
        cache = open_cache(None)
        files = {"i.html": "<script src=a.js></script>", "a.js": self.CODE, "a.js.map": self.MAP, "b.js": "1"}
        build_tree(tmp_path, files, cache=cache)
        write_tree(tmp_path, {"a.js": self.CODE.replace("let a;", "let a\n")}, mtime=1_600_000_001)
        assert build_tree(tmp_path, cache=cache).bodies == build_tree(tmp_path).bodies
        cache.close()

    def test_a_map_of_an_unedited_file_is_left(self, tmp_path: Path) -> None:
        built = build_tree(tmp_path, {"i.html": "<script src=a.js></script>", "a.js": self.CODE, "a.js.map": self.MAP})
        assert built.bodies["a.js.map"] == self.MAP.encode()

    def test_one_that_can_not_follow_is_reported(self, tmp_path: Path) -> None:
        files = {"i.html": "<script src=a.js></script>", "a.js": self.CODE, "a.js.map": '{"sections":[]}', "b.js": "1"}
        assert build_tree(tmp_path, files).codes() == ["source-map-as-before"]

    def test_a_change_of_the_map_alone_renames_nothing(self, tmp_path: Path) -> None:
        files = {"i.html": "<script src=a.js></script>", "a.js": self.CODE, "a.js.map": self.MAP, "b.js": "1"}
        before = build_tree(tmp_path, files)
        after = build_tree(tmp_path, {"a.js.map": self.MAP.replace("a.ts", "b.ts")})
        assert before.keys(ASSET) == after.keys(ASSET)
        assert before.bodies["a.js.map"] != after.bodies["a.js.map"]
