"""What a folder looks like to `init`, and that the file it then writes is valid and never goes over another."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sitepub.config import parse_config
from sitepub.core.settings import BucketAddress, FolderAddress
from sitepub.errors import ConfigurationError, ExitStatus, RefusedError
from sitepub.local.detection import Detected, detect, render_config, write_new

PACKAGE = json.dumps({"scripts": {"build": "x"}})


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("files", "generator", "source", "build"),
    [
        ({"hugo.toml": ""}, "Hugo", "public", "hugo --minify"),
        ({"hugo.yaml": "publishDir: docs # for Pages\n"}, "Hugo", "docs", "hugo --minify"),
        ({"hugo.json": '{"publishDir": "out/web"}'}, "Hugo", "out/web", "hugo --minify"),
        ({"config.toml": "baseURL = 'x'\npublishDir = 'www'\n", "content/a.md": ""}, "Hugo", "www", "hugo --minify"),
        ({"config/_default/hugo.toml": ""}, "Hugo", "public", "hugo --minify"),
        ({"_config.yml": ""}, "Jekyll", "_site", "JEKYLL_ENV=production jekyll build"),
        ({"_config.yml": "destination: ./out\n", "Gemfile": ""}, "Jekyll", "out", "JEKYLL_ENV=production bundle exec jekyll build"),
        ({"eleventy.config.js": ""}, "Eleventy", "_site", "npx @11ty/eleventy"),
        ({".eleventy.js": 'return {dir: {output: "www"}}', "package.json": PACKAGE}, "Eleventy", "www", "npm run build"),
        ({"eleventy.config.mjs": "c.setOutputDirectory('www')"}, "Eleventy", "www", "npx @11ty/eleventy"),
        ({"eleventy.config.cjs": "", "yarn.lock": ""}, "Eleventy", "_site", "yarn exec eleventy"),
        ({"package.json": '{"devDependencies": {"@11ty/eleventy": "3"}}'}, "Eleventy", "_site", "npx @11ty/eleventy"),
        ({"astro.config.mjs": "", "package.json": PACKAGE, "pnpm-lock.yaml": ""}, "Astro", "dist", "pnpm run build"),
        ({"astro.config.ts": "outDir: './web/'"}, "Astro", "web", "npx astro build"),
        ({"next.config.js": "output: 'export'", "package.json": PACKAGE, "yarn.lock": ""}, "Next.js", "out", "yarn run build"),
        ({"next.config.mjs": "output: 'export', distDir: 'web'"}, "Next.js", "web", "npx next build"),
        ({"vite.config.ts": "build: {outDir: `site`}", "package.json": PACKAGE}, "Vite", "site", "npm run build"),
        ({"index.html": "", "package.json": '{"devDependencies": {"vite": "7"}}'}, "Vite", "dist", "npx vite build"),
        ({"docusaurus.config.ts": "", "package.json": PACKAGE}, "Docusaurus", "build", "npm run build"),
        ({"mkdocs.yml": "site_name: x\nsite_dir: 'out'\nx: !ENV [A]\n"}, "MkDocs", "out", "mkdocs build"),
        ({"pelicanconf.py": ""}, "Pelican", "output", "pelican content -s pelicanconf.py"),
        ({"pelicanconf.py": "OUTPUT_PATH = 'web/'\n", "publishconf.py": ""}, "Pelican", "web", "pelican content -s publishconf.py"),
        ({"pelicanconf.py": "PATH = 'src'\n"}, "Pelican", "output", "pelican src -s pelicanconf.py"),
        ({"docs/conf.py": "project = 'x'\n"}, "Sphinx", "docs/_build/html", "sphinx-build -b html docs docs/_build/html"),
        ({"docs/source/conf.py": "extensions = []\n"}, "Sphinx", "docs/build/html", "sphinx-build -b html docs/source docs/build/html"),
        ({"source/conf.py": "project = 'x'\n"}, "Sphinx", "build/html", "sphinx-build -b html source build/html"),
        ({"conf.py": "html_theme = 'x'\n"}, "Sphinx", "_build/html", "sphinx-build -b html . _build/html"),
        ({"public/index.html": ""}, None, "public", None),
        ({"dist/index.html": "", "index.html": ""}, None, "dist", None),
        ({"docs/_build/html/index.html": ""}, None, "docs/_build/html", None),
        ({"index.html": "", "css/a.css": ""}, None, ".", None),
    ],
)
def test_a_generator_is_recognised_by_its_files(
    files: dict[str, str], generator: str | None, source: str, build: str | None, tmp_path: Path
) -> None:
    detected = detect(write(tmp_path, files))
    assert (detected.generator, detected.source, detected.build) == (generator, source, build)
    assert len(detected.evidence) == 1
    named = re.findall(r"`([^`]+)`", detected.evidence[0])
    assert named[0] in files


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"config.toml": "baseURL = 'x'\n"},
        {"content/a.md": "", "config.toml": "[tool]\n"},
        {"next.config.js": "module.exports = {}"},
        {"conf.py": "import os\n"},
        {"vite.config.ts": "", "package.json": '{"devDependencies": {"@sveltejs/kit": "2", "vite": "7"}}'},
        {"package.json": "{"},
        {"package.json": "[" * 100_000},
        {"package.json": '{"dependencies": ["vite"], "scripts": 3}', "public/x": ""},
    ],
)
def test_without_evidence_nothing_is_concluded(files: dict[str, str], tmp_path: Path) -> None:
    assert detect(write(tmp_path, files)) == Detected(None, "public", None)


@pytest.mark.parametrize("output", ["/srv/www", "../www", ".", "a/../../b", "$HOME", "-x"])
def test_an_output_folder_that_leads_elsewhere_is_not_believed(output: str, tmp_path: Path) -> None:
    assert detect(write(tmp_path, {"hugo.toml": f'publishDir = "{output}"\n'})).source == "public"


@pytest.mark.parametrize(
    ("names", "first"),
    [
        (("hugo.toml", "package.json", "vite.config.js"), "Hugo"),
        (("docusaurus.config.js", "docs/conf.py"), "Docusaurus"),
        (("astro.config.mjs", "vite.config.js"), "Astro"),
        (("mkdocs.yml", "docs/conf.py", "public/index.html"), "MkDocs"),
    ],
)
def test_the_generator_that_drives_the_others_counts(names: tuple[str, ...], first: str, tmp_path: Path) -> None:
    assert detect(write(tmp_path, dict.fromkeys(names, "project = 1\n"))).generator == first


# Names as these generators made them: a site of each was built, and what it wrote was looked at.
HASHED = {
    "vite.config.js": (*("assets/index-BfAQF74R.css", "assets/index-K-Cd7l26.js", "assets/lazy-53_OdNdf.js", "assets/pic-BMZTMRuN.png"),),
    "docusaurus.config.js": (
        *("assets/images/p-10256772695cb5e9b519cf2e2ea8bc52.png", "assets/css/styles.78e6bda1.css", "assets/js/main.47907b82.js"),
        *("assets/js/runtime~main.261120a8.js", "assets/js/0058b4c6.c48f4d4e.js", "assets/js/237.baed4d8b.js"),
    ),
}
KEPT = {
    "vite.config.js": ("index.html", "robots.txt", "assets/logo.png", "deep/assets/index-BpD9FCKP.js"),
    "docusaurus.config.js": ("img/p.png", "404.html", "sitemap.xml", "assets/images/team.png", "assets/js/main.47907b82.js.LICENSE.txt"),
}


@pytest.mark.parametrize("config", HASHED)
def test_names_that_a_bundler_hashed_are_found_and_others_beside_them_are_not(config: str, tmp_path: Path) -> None:
    from pathspec import GitIgnoreSpec

    frozen = GitIgnoreSpec.from_lines(detect(write(tmp_path, {config: ""})).frozen)
    assert [name for name in HASHED[config] if not frozen.match_file(name)] == []
    assert [name for name in KEPT[config] if frozen.match_file(name)] == []


def test_hashed_names_are_looked_for_where_vite_puts_them(tmp_path: Path) -> None:
    from pathspec import GitIgnoreSpec

    frozen = GitIgnoreSpec.from_lines(detect(write(tmp_path, {"vite.config.js": "assetsDir: 'static'"})).frozen)
    assert frozen.match_file("static/index-BpD9FCKP.js") and not frozen.match_file("assets/index-BpD9FCKP.js")


def git(folder: Path, *arguments: str) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", *identity, *arguments], cwd=folder, env=environment, check=True, capture_output=True)


def test_remote_and_branch_come_from_git(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "trunk")
    (tmp_path / "web").mkdir()
    assert (detect(tmp_path).git_remote, detect(tmp_path / "web").branch) == (None, "trunk")
    git(tmp_path, "remote", "add", "origin", "https://me:secret@example.com/a/b.git")
    git(tmp_path, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/release/1")
    detected = detect(tmp_path / "web")
    assert (detected.git_remote, detected.branch) == ("https://example.com/a/b.git", "release/1")
    git(tmp_path, "remote", "set-url", "origin", "git@example.com:a/b.git")
    assert detect(tmp_path).git_remote == "git@example.com:a/b.git"


def test_another_repository_in_the_environment_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a hook of that one has it there."""
    for name in ("mine", "other"):
        (tmp_path / name).mkdir()
        git(tmp_path / name, "init", "-q", "-b", name)
        git(tmp_path / name, "remote", "add", "origin", f"https://example.com/{name}.git")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other/.git"))
    detected = detect(tmp_path / "mine")
    assert (detected.git_remote, detected.branch) == ("https://example.com/mine.git", "mine")


def test_outside_git_there_is_no_remote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (detect(tmp_path).git_remote, detect(tmp_path).branch) == (None, None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (detect(tmp_path).git_remote, detect(tmp_path).branch) == (None, None)


def test_the_first_file_is_this_one() -> None:
    detected = Detected("Hugo", "public", "hugo --minify", (), ("`hugo.toml` is there",), "git@example.com:a/b.git", "main")
    assert render_config(detected) == (
        "# yaml-language-server: $schema=.sitepub.schema.json\n"
        "# What sitepub publishes, and where to. `sitepub plan` shows what a publish would do; docs/configuration.md explains every setting.\n"
        "# This looks like a site made by Hugo: `hugo.toml` is there.\n"
        "# Its repository is git@example.com:a/b.git.\n"
        "\n"
        "version: 1\n"
        "source: public                            # the built site, relative to this file\n"
        "build: hugo --minify                      # run before scanning; without this line nothing is built\n"
        "default_target: local                     # what a command takes without --target\n"
        "\n"
        "targets:\n"
        "  local:                                  # a folder on this machine, to look at what would be published:"
        " `sitepub publish`, then `sitepub serve`\n"
        "    store: file:_published                # keep it out of git\n"
        "  # production:                           # take the `# ` away and fill in what is yours\n"
        "  #   store: s3://www-example-com         # the bucket; `/prefix` behind it if the site shares it\n"
        "  #   region: eu-central-1\n"
        "  #   distribution: E190XXXXXL0LJU        # CloudFront, whose caches are then invalidated\n"
        "  #   url: https://www.example.com/       # where visitors find the root of `source`\n"
        "  #   domains: [www.example.com]          # absolute URLs on these hosts are the site's own\n"
        "  #   branch: main                        # publishing from another branch is refused\n"
    )


def test_a_site_that_is_the_folder_itself_is_published_outside_and_without_its_settings() -> None:
    config = parse_config(render_config(Detected(None, ".", None)), Path("/site/sitepub.yaml"), {})
    assert config.source == Path("/site")
    assert config.targets["local"].store == FolderAddress(Path("/_published"))
    assert "/sitepub.yaml" in config.ignore


def test_what_jekyll_copies_into_the_site_is_not_published(tmp_path: Path) -> None:
    config = parse_config(render_config(detect(write(tmp_path, {"_config.yml": ""}))), Path("/site/sitepub.yaml"), {})
    assert "/sitepub.yaml" in config.ignore
    assert (
        "/sitepub.yaml"
        not in parse_config(render_config(detect(write(tmp_path / "h", {"hugo.toml": ""}))), Path("/s/sitepub.yaml"), {}).ignore
    )


def test_a_dollar_in_a_folder_or_a_command_is_kept() -> None:
    config = parse_config(render_config(Detected("Hugo", "a$$b/${c}", "make ${c} $$", ())), Path("/site/sitepub.yaml"), {})
    assert config.source == Path("/site/a$$b/${c}")
    assert config.build == "make ${c} $$"


def test_frozen_names_arrive_in_the_settings() -> None:
    patterns = ("/assets/*-????????.*", "a: b", "$$x")
    text = render_config(Detected("Vite", "dist", None, patterns))
    assert parse_config(text, Path("/site/sitepub.yaml"), {}).fingerprint.frozen == patterns


NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1).filter(lambda name: "/" not in name)
FOLDERS = st.lists(NAMES, min_size=1)


@settings(max_examples=150, deadline=None)
@given(
    FOLDERS.map("/".join).filter(
        lambda path: path.strip() and not path.startswith(("~", "_published")) and not {".", ".."} & set(path.split("/"))
    ),
    st.none() | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])).filter(str.strip),
    st.text(),
    st.none() | st.text(),
)
def test_the_first_file_is_valid_whatever_was_found(source: str, build: str | None, evidence: str, remote: str | None) -> None:
    text = render_config(Detected("Hugo", source, build, (), (evidence,), remote, "main"))
    for version in (text, uncomment(text)):
        config = parse_config(version, Path("/site/sitepub.yaml"), {"HOME": "x"})
        assert config.source == Path("/site") / source
        assert config.build == (build.strip() if build else None)
        assert config.targets["local"].store == FolderAddress(Path("/site/_published"))
    assert config.targets["production"].store == BucketAddress("www-example-com")
    assert config.targets["production"].branch == "main"


def uncomment(text: str) -> str:
    """What its user does to publish to S3."""
    return "\n".join(re.sub(r"^  # ", "  ", line) for line in text.split("\n"))


def test_a_new_file_is_written_whole(tmp_path: Path) -> None:
    write_new(tmp_path / "sitepub.yaml", "a: é\n")
    assert (tmp_path / "sitepub.yaml").read_bytes() == "a: é\n".encode()


def test_what_is_there_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "sitepub.yaml"
    path.write_text("mine")
    with pytest.raises(RefusedError) as caught:
        write_new(path, "yours")
    assert (caught.value.status, caught.value.code) == (ExitStatus.REFUSED, "already-there")
    assert path.read_text() == "mine"
    dangling = tmp_path / "link"
    dangling.symlink_to("elsewhere")
    with pytest.raises(RefusedError):
        write_new(dangling, "yours")
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_takes_no_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file or directory"):
        write_new(tmp_path / "gone" / "sitepub.yaml", "x")


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    script = (
        "import resource, signal, sys; from pathlib import Path; from sitepub.local.detection import write_new\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))\n"
        "try: write_new(Path('sitepub.yaml'), 'x' * 100)\n"
        "except Exception as error: sys.exit(type(error).__name__)\n"
    )
    root = str(Path(__file__).resolve().parents[2])
    done = subprocess.run(
        [sys.executable, "-B", "-c", script], cwd=tmp_path, env={"PYTHONPATH": root}, capture_output=True, text=True, check=False
    )
    assert done.stderr.strip() == "ConfigurationError"
    assert list(tmp_path.iterdir()) == []
