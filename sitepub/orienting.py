"""Where the user is and what comes next: what `sitepub` alone says. Reads files of this folder and stores that are folders; asks no server."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from sitepub.config import FILE_NAME, choose_target, find_config, find_misnamed, load_config
from sitepub.core.settings import Config, FolderAddress, Target
from sitepub.core.state import State
from sitepub.errors import ConfigurationError, UsageError
from sitepub.local.detection import detect
from sitepub.looking import Seen, look


class Step(Struct, frozen=True):
    """A command to give next, and what it does."""

    command: str
    does: str


class Orientation(Struct, frozen=True):
    """`facts` are said a line each; `steps` have the likeliest first. `config` None: there is none yet."""

    folder: Path
    config: Path | None
    target: str | None
    facts: tuple[str, ...]
    steps: tuple[Step, ...]


PLAN = Step("sitepub plan", "shows what a publish would change, and why; writes nothing")
PUBLISH = Step("sitepub publish", "makes the site live")
SERVE = Step("sitepub serve", "shows the site in a browser, as its target would")
STATUS = Step("sitepub status", "asks the target what is live, pending or owed")
DOCTOR = Step("sitepub doctor", "checks credentials, permissions and the target")


def orient(folder: Path, config: Path | None, target: str | None, environment: Mapping[str, str]) -> Orientation:
    """Raises what reading sitepub.yaml raises, but for one that is not there."""
    try:
        path = find_config(folder, explicit=config)
    except ConfigurationError:
        if config is not None or find_misnamed(folder):
            raise
        return _orient_newcomer(folder)
    loaded = load_config(path, environment)
    try:
        chosen = choose_target(loaded, target)
    except UsageError as error:
        if target is not None:
            raise
        steps = tuple(
            Step(f"sitepub plan --target {name}", f"shows what a publish to {each.store} would change")
            for name, each in loaded.targets.items()
        )
        return Orientation(folder, path, None, (_describe_config(folder, loaded), error.message), steps)
    return _orient_target(folder, loaded, chosen, environment)


def _orient_newcomer(folder: Path) -> Orientation:
    detected = detect(folder)
    looks = f"this looks like a site made by {detected.generator}" if detected.generator else "there are finished pages here"
    found = (f"{looks}: {'; '.join(detected.evidence)}",) if detected.evidence else ("no generator and no pages were found here",)
    step = Step("sitepub init", f"looks at this folder and writes a commented `{FILE_NAME}`")
    elsewhere = () if detected.evidence else (Step("sitepub -C DIR init", "does that where the site is"),)
    return Orientation(folder, None, None, (f"no `{FILE_NAME}` here or above", *found), (step, *elsewhere))


def _orient_target(folder: Path, config: Config, target: Target, environment: Mapping[str, str]) -> Orientation:
    others = [name for name in config.targets if name != target.name]
    more = f"; others: {', '.join(others)}" if others else ""
    facts = [_describe_config(folder, config), f"target: {target.name} ({target.store}){more}"]
    steps: list[Step] = []
    if not config.source.is_dir():
        facts.append(f"source: `{config.source}` is not there yet")
        if config.build is None:
            steps.append(Step("", f"build the site into `{config.source}`, or name its folder as `source:`, or its command as `build:`"))
    if isinstance(target.store, FolderAddress) and target.store.path.is_dir():
        seen = look(folder, config.path, target.name, environment)
        facts += _describe_state(seen)
        steps += _choose_steps(seen.state, bool(seen.unpublished))
    elif isinstance(target.store, FolderAddress):
        facts.append("live: nothing yet")
        steps += [PLAN, PUBLISH]
    else:
        steps += [PLAN, STATUS, DOCTOR]
    return Orientation(folder, config.path, target.name, tuple(facts), tuple(steps))


def _describe_config(folder: Path, config: Config) -> str:
    return f"configuration: `{config.path.name if config.path.parent == folder else config.path}`"


def _describe_state(seen: Seen) -> list[str]:
    live = seen.state.live_release
    facts = [f"live: {live.id}, published at {live.published_at}" if live else "live: nothing yet"]
    if seen.state.pending is not None:
        facts.append(f"pending: {seen.state.pending.release.id} was begun and is not finished")
    if seen.unpublished:
        facts.append(f"not yet published: {len(seen.unpublished)} of the commits here")
    return facts


def _choose_steps(state: State, has_unpublished: bool) -> list[Step]:
    if state.pending is not None:
        return [Step("sitepub publish", "finishes or replaces what is pending"), STATUS]
    if state.live_release is None or has_unpublished:
        return [PLAN, PUBLISH]
    return [PLAN, SERVE, Step("sitepub releases", "shows what was live before; `sitepub rollback` goes back to it")]
