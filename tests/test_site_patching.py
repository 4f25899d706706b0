"""A few changed pages, patched into the last build: what comes out is what a whole build makes, or nothing does and a whole build is made."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from sitepub.core.model import Manifest
from sitepub.local.cache import open_cache
from sitepub.local.source import scan_source
from sitepub.site_bodies import make_body
from sitepub.site_memory import find_changed, look_at_inputs, remember_last, remember_site
from sitepub.site_patching import Patched, patch_site
from tests.support.builders import SilentProgress
from tests.support.building import LONG_AGO, build_tree, make_config, write_tree

HEAD = "<!doctype html><link rel=stylesheet href=/a.css><script src=js/m.js></script><img src=b.png srcset='b.png 1x, c.png 2x'>"
SITE: Mapping[str, str | bytes] = {
    "index.html": f"{HEAD}<a href=docs/>docs</a>",
    "docs/index.html": "<link rel=stylesheet href=../a.css><iframe src=frame.html></iframe>",
    "docs/frame.html": "<img src=../b.png>",
    "plain.html": "<p>nothing",
    "broken.html": "<img src=gone.png>",
    "a.css": "a { background: url(b.png) }",
    "js/m.js": "import './n.js'",
    "js/n.js": "console.log(1)",
    "b.png": b"b",
    "c.png": b"c",
    "paper.pdf": b"%PDF",
    "feed.xml": "<rss><img src='/b.png'/></rss>",
}


def patch(root: Path, before: Mapping[str, str | bytes], after: Mapping[str, str | bytes], *, mtime: int = LONG_AGO + 1) -> Patched | None:
    """What a build of `before` is patched to, once files have become `after`."""
    config = make_config(root)
    cache = open_cache(None)
    live = build_tree(root, before, cache=cache, config=config).site.manifest
    write_tree(root, after, mtime=mtime)
    source, target = scan_source(root), config.targets["local"]
    inputs = look_at_inputs(source, config, target, has_distribution=False)
    last = remember_last(inputs, target, cache=cache)
    if last is None:
        return None
    assert len(last.run.manifest) == 64
    changed = find_changed(source, inputs, last)
    if changed is None:
        return None
    patched = patch_site(
        source,
        config,
        target,
        live,
        changed,
        last.run,
        inputs,
        cache=cache,
        executor=None,
        has_distribution=False,
        progress=SilentProgress(),
    )
    if patched is not None:
        known = remember_site(look_at_inputs(source, config, target, has_distribution=False), target, cache=cache)
        assert known is not None, "the next run sees that nothing has changed"
        _check_again(live, patched, source.root, config, cache)
    cache.close()
    return patched


def _check_again(live: Manifest, patched: Patched, root: Path, config: object, cache: object) -> None:
    """Recipes make the bodies that the manifest names."""
    files = {file.path: file for file in scan_source(root).files}
    for key, recipe in patched.recipes.items():
        assert recipe.source is not None
        make_body(root, files[recipe.source], recipe, digest=patched.manifest.artifacts[key].body)


@pytest.mark.parametrize(
    "after",
    [
        {},
        {"index.html": f"<!-- new -->\n{HEAD}<a href=docs/>docs</a><p>more"},
        {
            "index.html": f"{HEAD}<a href=docs/>other words</a>",
            "plain.html": "<p>more",
            "docs/index.html": SITE["docs/index.html"] + "<p>x",
        },  # type: ignore[operator]
        {"paper.pdf": b"%PDF-2"},
        {"broken.html": "<img src=gone.png><p>behind it"},
        dict(SITE),
    ],
    ids=["nothing", "moved references", "several", "a download", "a missing file", "rebuilt"],
)
def test_the_same_as_a_whole_build(after: Mapping[str, str | bytes], tmp_path: Path) -> None:
    patched = patch(tmp_path / "site", SITE, after)
    assert patched is not None
    whole = build_tree(tmp_path / "site").site
    assert patched.manifest == whole.manifest
    assert list(patched.manifest.artifacts) == list(whole.manifest.artifacts)
    assert patched.warnings == whole.warnings
    changed = {path for path, body in after.items() if body != SITE[path]}
    assert set(patched.recipes) == changed


SCRIPT = "console.log('inline')"
HASH = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"index.html": HEAD.replace("c.png", "b.png")}),
        ({}, {"index.html": f"{HEAD}<a href=docs/>docs</a><img src=d.png>"}),
        ({}, {"plain.html": "<script type=module src=js/n.js></script>"}),
        ({}, {"plain.html": "<script>fetch('/b.png')</script>"}),
        ({}, {"broken.html": "<p>\n<img src=gone.png>"}),
        ({}, {"a.css": "a { background: url(b.png); color: red }"}),
        ({}, {"b.png": b"B"}),
        ({}, {"feed.xml": "<rss><img src='/b.png'/>more</rss>"}),
        ({}, {"new.html": "<p>new"}),
        ({"plain.html": f"<script>{SCRIPT}</script>", "_headers": f"/*\n  Content-Security-Policy: script-src 'sha256-{HASH}'"}, {"plain.html": "<p>"}),
        ({"index.html": "<link rel=stylesheet href=a.css integrity='sha256-x'>"}, {"index.html": "<link rel=stylesheet href=a.css integrity='sha256-x'><p>"}),
        ({"sw.js": "precache([{url:'plain.html',revision:'0123456789abcdef0123456789abcdef'}])"}, {"plain.html": "<p>more"}),
    ],
    ids=[
        *("another reference", "one more", "a module", "a mention", "another line of a warning", "a stylesheet", "an image", "a feed", "a new file"),
        *("a hash elsewhere", "an integrity value", "a revision"),
    ],
)  # fmt: skip
def test_what_may_concern_others_is_left_to_a_whole_build(
    before: Mapping[str, str | bytes], after: Mapping[str, str | bytes], tmp_path: Path
) -> None:
    assert patch(tmp_path / "site", {**SITE, **before}, after) is None


def test_a_file_too_fresh_to_trust_is_looked_at_again(tmp_path: Path) -> None:
    """Its bytes may change again within the same tick of the clock."""
    root, config, cache = tmp_path / "site", make_config(tmp_path / "site"), open_cache(None)
    write_tree(root, SITE)
    (root / "plain.html").write_text("<p>fresh")
    live = build_tree(root, cache=cache, config=config).site.manifest
    source, target = scan_source(root), config.targets["local"]
    assert remember_site(look_at_inputs(source, config, target, has_distribution=False), target, cache=cache) is None
    inputs = look_at_inputs(source, config, target, has_distribution=False)
    last = remember_last(inputs, target, cache=cache)
    assert last is not None
    seen: list[int | None] = []

    class Counting(SilentProgress):
        def stage(self, name: str, *, total_files: int | None = None, total_bytes: int | None = None) -> None:
            seen.append(total_files)

    changed = find_changed(source, inputs, last)
    assert changed is not None
    patched = patch_site(
        source, config, target, live, changed, last.run, inputs, cache=cache, executor=None, has_distribution=False, progress=Counting()
    )
    cache.close()
    assert patched is not None and patched.manifest == live
    assert seen[0] == 1
