"""Hooks in a repository: written, taken out again exactly, looked at. A foreign hook is moved aside, run first, and moved back."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sitepub.core.hook_scripts import GIT_HOOKS, KEPT, Hook, HookKind, configure_commands, merge_hooks, read_script, write_script
from sitepub.core.model import Warning
from sitepub.errors import ConfigurationError, RefusedError
from sitepub.local.checkout import PLACING, Checkout

CONFIGURED_FROM = (2, 54)
"""Git from this on takes hooks from its configuration."""

_SET_ASIDE = ("", ".legacy", ".old")
"""Where pre-commit and lefthook move what they find."""

_LEFTHOOK = ("lefthook.yml", ".lefthook.yml", "lefthook.yaml")


@dataclass(frozen=True, slots=True)
class Place:
    """Where git looks for hooks. `is_configured`: in its configuration too. `is_tracked`: the folder is part of the site's repository."""

    folder: Path
    records: Path
    is_configured: bool
    is_tracked: bool


@dataclass(frozen=True, slots=True)
class Installed:
    """`problem`: why git does not run it, '' where it does."""

    hook: Hook
    path: Path
    problem: str = ""


def find_place(checkout: Checkout) -> Place:
    """Raises RefusedError `shared-hooks` where other repositories use the same folder."""
    folder = Path(os.path.normpath(checkout.root / _ask(checkout, "rev-parse", "--git-path", "hooks")))
    own = os.path.realpath(checkout.common_dir)
    is_inside = os.path.realpath(folder).startswith((f"{own}/", f"{os.path.realpath(checkout.root)}/"))
    is_configured = _version(checkout) >= CONFIGURED_FROM
    if not is_inside and not is_configured:
        hint = "unset `core.hooksPath` for this repository (`git config core.hooksPath .git/hooks`), or use git 2.54 or newer"
        raise RefusedError("shared-hooks", f"`core.hooksPath` is `{folder}`, which other repositories use too", hint)
    is_tracked = is_inside and not os.path.realpath(folder).startswith(f"{own}/") and not _is_ignored(checkout, folder)
    return Place(folder, checkout.common_dir / "sitepub", is_configured, is_tracked)


def install(checkout: Checkout, hook: Hook) -> tuple[Path, tuple[Warning, ...]]:
    """The file that git will run, and what the user should know."""
    place = find_place(checkout)
    place.records.mkdir(parents=True, exist_ok=True)
    path = _script_path(place, hook.kind)
    there = _read(path)
    ours = read_script(there) if there is not None else None
    if there is not None and ours is None:
        _move_aside(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, write_script(merge_hooks(ours or (), hook)))
    if place.is_configured:
        for name, value in configure_commands(hook, str(path)):
            _ask(checkout, "config", "--local", "--replace-all", name, value)
    return path, tuple(_remarks(checkout, place, hook.kind))


def remove(checkout: Checkout, kinds: tuple[HookKind, ...], target: str | None) -> tuple[Hook, ...]:
    """What was taken out. What stood there before stands there again."""
    place = find_place(checkout)
    gone: list[Hook] = []
    for kind in kinds:
        for path in _candidates(place, kind):
            hooks = read_script(_read(path) or "")
            if hooks is None:
                continue
            left = tuple(hook for hook in hooks if target is not None and hook.target != target)
            gone += [hook for hook in hooks if hook not in left]
            if left:
                _write(path, write_script(left))
            else:
                _take_out(path)
                _unset(checkout, kind)
    return tuple(gone)


def look(checkout: Checkout) -> tuple[Installed, ...]:
    place = find_place(checkout)
    found: list[Installed] = []
    for kind in HookKind:
        for path in _candidates(place, kind):
            hooks = read_script(_read(path) or "")
            found += [Installed(hook, path, _find_problem(path, hook, place)) for hook in hooks or ()]
    return tuple(found)


def _script_path(place: Place, kind: HookKind) -> Path:
    return place.records / f"{kind}.sh" if place.is_configured else place.folder / GIT_HOOKS[kind]


def _candidates(place: Place, kind: HookKind) -> Iterator[Path]:
    yield place.records / f"{kind}.sh"
    for ending in _SET_ASIDE:
        yield place.folder / f"{GIT_HOOKS[kind]}{ending}"


def _move_aside(path: Path) -> None:
    kept = path.with_name(path.name + KEPT)
    if kept.exists():
        raise RefusedError(
            "hook-in-the-way",
            f"both `{path}` and `{kept}` are there",
            "one of them is of an earlier time: put the right one at the first, delete the other",
        )
    path.rename(kept)


def _take_out(path: Path) -> None:
    kept = path.with_name(path.name + KEPT)
    if kept.exists():
        kept.replace(path)
    else:
        path.unlink()


def _unset(checkout: Checkout, kind: HookKind) -> None:
    # a section that is not there is no failure
    subprocess.run(
        ["git", "config", "--local", "--remove-section", f"hook.sitepub-{kind}"],
        cwd=checkout.root,
        env=_environment(),
        capture_output=True,
        check=False,
    )


def _find_problem(path: Path, hook: Hook, place: Place) -> str:
    if not os.access(hook.python, os.X_OK):
        return f"`{hook.python}` is gone; install the hook again"
    if place.is_configured and path.parent == place.records:
        return ""
    if path.name != GIT_HOOKS[hook.kind] or path.parent != place.folder:
        return f"`{path}` is not where git looks: another tool has moved it; install the hook again"
    return "" if os.access(path, os.X_OK) else f"`{path}` is not executable"


def _remarks(checkout: Checkout, place: Place, kind: HookKind) -> Iterator[Warning]:
    if place.is_tracked:
        yield Warning(
            "tracked-hooks",
            f"`{place.folder}` is part of the repository: leave the new hook out of your commits, it holds paths of this machine",
        )
    if not place.is_configured and any((checkout.root / name).exists() for name in _LEFTHOOK):
        yield Warning(
            "hook-manager",
            f"lefthook moves foreign hooks away when it installs its own: after that, run `sitepub hook install --{kind}` again",
        )


def _is_ignored(checkout: Checkout, folder: Path) -> bool:
    done = subprocess.run(
        ["git", "check-ignore", "-q", "--", str(folder / "x")], cwd=checkout.root, env=_environment(), capture_output=True, check=False
    )
    return done.returncode == 0


def _version(checkout: Checkout) -> tuple[int, int]:
    words = _ask(checkout, "version").split()
    numbers = words[2].split(".") if len(words) > 2 else []
    return (int(numbers[0]), int(numbers[1])) if len(numbers) > 1 and numbers[0].isdigit() and numbers[1].isdigit() else (0, 0)


def _ask(checkout: Checkout, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=checkout.root, env=_environment(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ConfigurationError("git-failed", f"git: {done.stderr.strip()}", "mend the repository, then run it again")
    return done.stdout.strip()


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in PLACING}


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8", "replace")
    except (FileNotFoundError, NotADirectoryError):
        return None


def _write(path: Path, text: str) -> None:
    """Git may run it at any moment: it is whole or as it was."""
    fresh = path.with_name(f".{path.name}.sitepub")
    fresh.write_text(text)
    fresh.chmod(stat.S_IRWXU | stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH)
    fresh.replace(path)
