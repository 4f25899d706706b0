"""The architecture as a failing test: imports go one way, and each library stays in its room."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent / "sitepub"

LAYERS: dict[str, int] = {
    "errors": 0,
    "core": 1,
    "invalidation": 2,  # the public name of a pure function
    "interfaces": 2,
    "config": 3,
    "gathering": 3,
    "local": 3,
    "aws": 4,
    "locking": 4,
    "releases": 4,
    "shards": 4,
    "reserving": 4,
    "packs": 4,
    "pack_draft": 5,
    "writing": 4,
    "packing": 5,
    "wishes": 4,
    "lease": 5,
    "decision": 5,
    "site": 5,
    "edges": 5,
    "choosing": 6,
    "invalidating": 6,
    "earlier": 6,
    "uploading": 6,
    "promoting": 6,
    "pipeline": 7,
    "wiring": 7,
    "report": 7,
    "history": 6,
    "provisioning": 6,
    "removing": 6,
    "request": 8,
    "preparing": 8,
    "trying": 8,
    "accounting": 9,
    "publishing": 9,
    "unchanged": 9,
    "looking": 9,
    "orienting": 9,
    "picturing": 9,
    "report_orientation": 9,
    "explaining": 9,
    "restoring": 9,
    "collecting": 9,
    "expiring": 9,
    "report_previews": 9,
    "forgetting": 9,
    "visiting": 4,
    "serving": 6,
    "showing": 9,
    "watching": 9,
    "hooking": 9,
    "verifying": 8,
    "mending": 9,
    "adopting": 9,
    "checkup": 9,
    "report_findings": 9,
    "evicting": 9,
    "report_hooks": 9,
    "library": 10,
    "commands": 10,
    "cli": 11,
    "__main__": 12,
    "__init__": 12,
}
"""A room may import from rooms of its own number or below."""

LIBRARIES: dict[str, tuple[str, ...]] = {
    "boto3": ("aws/",),
    "botocore": ("aws/",),
    "obstore": ("aws/",),
    "git": ("local/git",),
    "distributed": ("local/executors.py",),
    "watchdog": ("local/watcher.py",),
    "werkzeug": ("serving",),
    "click": ("cli.py", "commands/"),
    "rich": ("cli.py", "commands/"),
    "yaml": ("config",),
}

IMPURE = {
    "os",
    "pathlib",
    "subprocess",
    "socket",
    "time",
    "tempfile",
    "shutil",
    "random",
    "secrets",
    "threading",
    "urllib.request",
    "sqlite3",
    "io",
}
"""What core may not import; `pathlib` is allowed where a setting is a path."""


def modules() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


def imports_of(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            yield node.module or "", node.lineno
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def room_of(path: Path) -> str:
    first = path.relative_to(ROOT).parts[0].removesuffix(".py")
    return next(room for room in (first, first.split("_")[0]) if room in LAYERS)


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_go_one_way(path: Path) -> None:
    own = LAYERS[room_of(path)]
    for name, line in imports_of(path):
        parts = name.split(".")
        if parts[0] != "sitepub" or len(parts) < 2 or not ((ROOT / parts[1]).is_dir() or (ROOT / f"{parts[1]}.py").exists()):
            continue
        imported = room_of(ROOT / f"{parts[1]}.py")
        assert LAYERS[imported] <= own, f"{path.name}:{line} imports {name}, which is above it"


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_each_library_stays_in_its_room(path: Path) -> None:
    relative = path.relative_to(ROOT).as_posix()
    for name, line in imports_of(path):
        rooms = LIBRARIES.get(name.split(".")[0])
        assert rooms is None or relative.startswith(rooms), f"{relative}:{line} imports {name}"


@pytest.mark.parametrize("path", sorted((ROOT / "core").rglob("*.py")), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_core_is_pure(path: Path) -> None:
    for name, line in imports_of(path):
        if name == "pathlib" or name.startswith("pathlib."):
            assert path.name == "settings.py", f"{path.name}:{line} imports pathlib"
        else:
            assert name not in IMPURE, f"{path.name}:{line} imports {name}"
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    assert not [call.lineno for call in calls if call.func.id in ("open", "print", "input", "exec", "eval")]  # type: ignore[attr-defined]


def test_help_imports_no_heavy_library() -> None:
    code = "import sys; from sitepub.cli import run; run(['--help']); print(sorted(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "publish" in done.stdout
    loaded = set(ast.literal_eval(done.stderr.splitlines()[-1]))
    assert not loaded & {"boto3", "botocore", "obstore", "git", "yaml", "rich", "zstandard", "pathspec", "sqlite3", "sitepub.pipeline"}


@pytest.mark.parametrize("is_rebuilt", [False, True], ids=["untouched", "rebuilt"])
def test_nothing_to_do_imports_neither_what_plans_and_writes_nor_a_parser(is_rebuilt: bool, tmp_path: Path) -> None:
    (tmp_path / "public").mkdir()
    pages = {"index.html": "<link rel=stylesheet href=a.css>", "a.css": "a{}"}
    (tmp_path / "sitepub.yaml").write_text("source: public\ntargets: {t: {store: file:out}}\n")
    code = "import sys; from sitepub.cli import run; run(sys.argv[1:]); print(sorted(sys.modules), file=sys.stderr)"
    environment = {**os.environ, "SITEPUB_CACHE": str(tmp_path / "cache"), "GIT_CEILING_DIRECTORIES": str(tmp_path)}
    for number, told in enumerate(("published", "nothing to publish")):
        for name, text in pages.items():
            (tmp_path / "public" / name).write_text(text)
            os.utime(tmp_path / "public" / name, (time := 1 + number * is_rebuilt, time))
        command = [sys.executable, "-c", code, "publish", "-C", str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        assert told in done.stdout, done.stderr
    loaded = set(ast.literal_eval(done.stderr.splitlines()[-1]))
    heavy = {"boto3", "botocore", "git", "rich", "yaml", "pathspec", "subprocess", "tempfile", "logging", "sitepub.core.references.html"}
    ours = {"pipeline", "publishing", "decision", "choosing", "core.plan", "core.planning", "core.invalidation", "core.document", "site"}
    assert not loaded & {*heavy, *(f"sitepub.{name}" for name in ours)}
    assert is_rebuilt or "zstandard" not in loaded
