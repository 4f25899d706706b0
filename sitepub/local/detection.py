"""Looks at a folder for what builds the site and where it lies, and renders the first sitepub.yaml from that. Decides nothing without evidence; writes
only the file that it is asked to, and never over another."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from msgspec import Struct

from sitepub.config_json_schema import MODELINE
from sitepub.errors import ConfigurationError, RefusedError
from sitepub.local.checkout import unplaced_environment
from sitepub.local.generators import LOOKS, SiteFolder

_OUTPUT_FOLDERS = ("public", "dist", "build", "_site", "site", "out", "docs/_build/html", "_build/html", "htdocs", "www", ".")


class Detected(Struct, frozen=True):
    """`source` is the folder of the built site, relative to where was looked; `evidence` says in words what each conclusion rests on.
    `git_remote` holds no credentials; `branch` is the remote's main branch, else the current one."""

    generator: str | None
    source: str
    build: str | None
    frozen: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    git_remote: str | None = None
    branch: str | None = None
    copies_settings: bool = False


def detect(folder: Path) -> Detected:
    """What builds the site in `folder`, and where. The first generator with evidence counts; without one, the first output folder with an
    index.html."""
    place = SiteFolder(folder)
    finding = next((found for look in LOOKS if (found := look(place)) is not None), None)
    git_remote, branch = _find_remote(folder), _find_branch(folder)
    if finding is None:
        source, evidence = _find_plain_folder(place)
        return Detected(None, source, None, (), evidence, git_remote, branch)
    return Detected(
        *(finding.generator, finding.source, finding.build, finding.frozen, finding.evidence, git_remote, branch),
        copies_settings=finding.copies_settings,
    )


def _find_plain_folder(place: SiteFolder) -> tuple[str, tuple[str, ...]]:
    for name in _OUTPUT_FOLDERS:
        index = place.find(f"{name}/index.html" if name != "." else "index.html")
        if index:
            return name, (f"`{index}` is there",)
    return "public", ()


def _find_remote(folder: Path) -> str | None:
    url = _ask_git(folder, "config", "--get", "remote.origin.url")
    return _without_credentials(url) if url else None


def _without_credentials(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _find_branch(folder: Path) -> str | None:
    main = _ask_git(folder, "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
    return main.removeprefix("origin/") or _ask_git(folder, "symbolic-ref", "--quiet", "--short", "HEAD") or None


def _ask_git(folder: Path, *arguments: str) -> str:
    """The answer's one line; empty without git, without a repository, or without an answer."""
    try:
        answer = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env=unplaced_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    text = answer.stdout.decode("utf-8", "replace").strip()
    return text if answer.returncode == 0 and text.isprintable() else ""


def render_config(detected: Detected) -> str:
    """The commented sitepub.yaml for a start: valid, with a folder as its only target and one in S3 to fill in."""
    generator = f"a site made by {detected.generator}" if detected.generator else "a folder of finished pages"
    evidence = "; ".join(detected.evidence) or "no generator and no pages were found, so `source` is a guess"
    is_root = detected.source == "."
    settings = [
        ("version: 1", ""),
        (f"source: {_quote(detected.source)}", "the built site, relative to this file"),
        *_describe_build(detected.build),
        ("default_target: local", "what a command takes without --target"),
        ("", ""),
        ("targets:", ""),
        ("  local:", "a folder on this machine, to look at what would be published: `sitepub publish`, then `sitepub serve`"),
        (f"    store: file:{'../' if is_root else ''}_published", "keep it out of git"),
        *_PRODUCTION,
        (f"  #   branch: {_quote(detected.branch or 'main')}", "publishing from another branch is refused"),
    ]
    lines = [
        MODELINE,
        "# What sitepub publishes, and where to. `sitepub plan` shows what a publish would do; docs/configuration.md explains every setting.",
        _flatten(f"# This looks like {generator}: {evidence}."),
        *([_flatten(f"# Its repository is {detected.git_remote}.")] if detected.git_remote else []),
        "",
        *(_render(*row) for row in settings),
    ]
    if detected.frozen:
        patterns = ", ".join(_quote(pattern) for pattern in detected.frozen)
        lines += ["", "fingerprint:", _render(f"  frozen: [{patterns}]", "their names are hashed already")]
    if is_root or detected.copies_settings:
        why = "name here what else in this folder is not the site" if is_root else f"{detected.generator} copies this file into the site"
        lines += ["", _render('ignore: ["**/.DS_Store", "/sitepub.yaml"]', why)]
    return "\n".join(lines) + "\n"


def _describe_build(build: str | None) -> tuple[tuple[str, str], ...]:
    if build is None:
        return ()
    return ((f"build: {_quote(build, has_variables=False)}", "run before scanning; without this line nothing is built"),)


_PRODUCTION = (
    ("  # production:", "take the `# ` away and fill in what is yours"),
    ("  #   store: s3://www-example-com", "the bucket; `/prefix` behind it if the site shares it"),
    ("  #   region: eu-central-1", ""),
    ("  #   distribution: E190XXXXXL0LJU", "CloudFront, whose caches are then invalidated"),
    ("  #   url: https://www.example.com/", "where visitors find the root of `source`"),
    ("  #   domains: [www.example.com]", "absolute URLs on these hosts are the site's own"),
)


def _render(setting: str, comment: str) -> str:
    return f"{setting:<40}  # {comment}" if comment else setting


def _quote(text: str, *, has_variables: bool = True) -> str:
    """As YAML text. A quoted string of JSON is one of YAML too."""
    text = text.replace("$", "$$") if has_variables else text
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_./ @=-]*", text) and not text.endswith(" ") and text.lower() not in _YAML_WORDS:
        return text
    # JSON's surrogate pairs are no YAML, so only what must be is escaped.
    return "".join(c if c.isprintable() else f"\\U{ord(c):08X}" for c in json.dumps(text, ensure_ascii=False))


_YAML_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null"})


def _flatten(text: str) -> str:
    """Fit for a comment: one line of printable characters."""
    return "".join(character if character.isprintable() else " " for character in text)


def write_new(path: Path, text: str) -> None:
    """Creates `path` with `text`. Raises a RefusedError if anything stands there; leaves nothing behind if it can't be written whole."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        raise RefusedError("already-there", f"`{path}` is there already", "edit it, or move it away first") from None
    except OSError as error:
        raise ConfigurationError("unwritable", f"`{path}` can't be written: {error.strerror or error}") from None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise ConfigurationError("unwritable", f"`{path}` can't be written: {error.strerror or error}") from None
        raise
