"""What the user asked for: sitepub.yaml and the target, as they stand here or at any commit."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from sitepub.core.previews import make_preview, settle_for_preview
from sitepub.core.settings import Config, Target
from sitepub.errors import ConfigurationError, UsageError
from sitepub.history import History, find_history
from sitepub.local.checkout import PLACING
from sitepub.wishes import Permits

if TYPE_CHECKING:
    from sitepub.local.git import Repository
    from sitepub.local.lending import Lent


class Request(Struct, frozen=True):
    """What the user asked for. `build`: run `build:` first, in `folder`; `show_build`: with all that it prints. `history`: known already
    where another commit than the checked-out one is published; `lent`: its files, where they need no build; `is_plan`: nothing will be written, so
    what git would refuse is told."""

    config: Config
    target: Target
    environment: Mapping[str, str]
    permits: Permits = field(default_factory=Permits)
    build: bool = True
    show_build: bool = False
    folder: Path | None = None
    history: History | None = None
    lent: Lent | None = None
    is_plan: bool = False


def read_request(
    folder: Path,
    config: Path | None,
    target: str | None,
    environment: Mapping[str, str],
    *,
    permits: Permits | None = None,
    build: bool = True,
    show_build: bool = False,
    revision: str | None = None,
    preview: str | None = None,
) -> Request:
    """Finds and reads sitepub.yaml and chooses the target. `revision`: where a bare repository, which has no files, finds it; `preview`: the name of
    a preview of that target. Raises UsageError `preview-of-preview` where that is one already."""
    from sitepub.config import choose_target

    loaded = _load(folder, config, environment, revision)
    chosen = choose_target(loaded, target)
    if preview is not None:
        if chosen.preview is not None:
            raise UsageError("preview-of-preview", f"`{chosen.name}` is a preview already", "leave `--preview` out, or name its target")
        chosen = make_preview(loaded, chosen, preview)
    return _settle(Request(loaded, chosen, environment, permits or Permits(), build, show_build))


def _settle(request: Request) -> Request:
    """A preview is published from any branch, and from one that was rebased since; its settings are its own, too."""
    if request.target.preview is None:
        return request
    permits = replace(request.permits, diverged=True)
    return replace(request, config=settle_for_preview(request.config, request.target), permits=permits)


def _load(folder: Path, config: Path | None, environment: Mapping[str, str], revision: str | None) -> Config:
    from sitepub.config import FILE_NAME, find_config, parse_config

    name = str(config or FILE_NAME)
    if revision is None or (folder / name).is_file():
        return _load_file(find_config(folder, explicit=config), environment)
    from sitepub.local.git import find_repository

    repository = find_repository(folder)
    if repository is None or not repository.is_bare:
        return _load_file(find_config(folder, explicit=config), environment)
    commit = repository.find_commit(revision)
    text = repository.read_file(commit.id, name)
    if text is None:
        raise ConfigurationError("no-configuration", f"commit `{commit.id[:8]}` has no `{name}`", "commit one, or name it with `--config`")
    return parse_config(text, repository.root / name, environment)


def _load_file(path: Path, environment: Mapping[str, str]) -> Config:
    from sitepub.config import load_config
    from sitepub.config_copy import TreeCopy
    from sitepub.wiring import cache_folder

    return load_config(path, environment, TreeCopy(cache_folder(path, environment) / "settings.json"))


@contextmanager
def at_commit(request: Request, revision: str | None) -> Iterator[Request]:
    """The same request for any commit, exported into a temporary folder: its own sitepub.yaml, source and build. None: as it is."""
    if revision is None:
        yield request
        return
    history = find_history(request.config, request.target, request.permits, revision)
    if history.repository is None or history.commit is None:
        raise ValueError("a commit without its repository")
    # by whatever symbolic links it was reached, the repository tells its root without any
    inside = os.path.relpath(os.path.realpath(request.config.path.parent), history.repository.root)
    config = _read_commit(request, history.repository, history.commit.id, inside)
    built = os.path.relpath(config.source, config.path.parent)
    with _export(request, config, history.repository, history.commit.id, os.path.normpath(f"{inside}/{built}")) as (exported, lent):
        folder = exported / inside
        source = folder / built
        # what a hook or a rebase tells git of its repository is not meant for a build that stands in none
        outside = {name: value for name, value in request.environment.items() if name not in PLACING}
        placed = replace(request, config=replace(config, source=source), target=_find_again(config, request.target), environment=outside)
        yield _settle(replace(placed, folder=folder, history=history, lent=lent))


@contextmanager
def _export(request: Request, config: Config, repository: Repository, commit: str, below: str) -> Iterator[tuple[Path, Lent | None]]:
    """All that a build may need; of a site that is committed as it was built, which stands at `below`, only what is asked for."""
    if (request.build and config.build is not None) or below == ".." or below.startswith("../"):
        with repository.export(commit) as exported:
            yield exported, None
        return
    with repository.lend(commit, "" if below == "." else f"{below}/", ()) as lent:
        yield lent.root, lent


def _find_again(config: Config, target: Target) -> Target:
    """As the commit's own sitepub.yaml has it; as today's has it where that knows no such target."""
    from sitepub.config import choose_target

    with suppress(UsageError):
        return choose_target(config, target.name)
    return target


def _read_commit(request: Request, repository: Repository, commit: str, inside: str) -> Config:
    """The commit's own sitepub.yaml, its paths as if it stood where today's stands; today's where the commit has none."""
    from sitepub.config import parse_config

    text = repository.read_file(commit, os.path.normpath(f"{inside}/{request.config.path.name}"))
    return request.config if text is None else parse_config(text, request.config.path, request.environment)
