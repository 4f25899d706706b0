"""sitepub.yaml as a frozen Config: found, read and checked, every problem at once with its line. Reads that one file, and the copy of its tree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from sitepub.config_checks import check_config
from sitepub.config_copy import TreeCopy
from sitepub.config_forms import describe_node, find_nearest, list_names, show_text
from sitepub.config_reading import Reading, read_config
from sitepub.config_text import Problem, Scalar, Shape, Table, UnreadableTextError, parse_yaml
from sitepub.core.previews import SEPARATOR, make_preview
from sitepub.core.settings import Config, Target
from sitepub.errors import ConfigurationError, SitepubError, UsageError, join_problems

FILE_NAME = "sitepub.yaml"
MAX_BYTES = 1 << 20
_MOST_SHOWN = 100


def find_config(start: Path, name: str = FILE_NAME, explicit: Path | None = None) -> Path:
    """The file that `explicit` names, relative to `start`; else the next one called `name` in `start` or above."""
    start = start.absolute()
    if explicit is not None:
        path = start / explicit
        if not path.is_file():
            what = "is a folder" if path.is_dir() else "is not there"
            raise ConfigurationError("no-configuration", f"`{explicit}` {what}", "name the file, or run `sitepub init` to write one")
        return path
    for folder in (start, *start.parents):
        if (folder / name).is_file():
            return folder / name
    raise ConfigurationError("no-configuration", f"no `{name}` in `{start}` or above", _find_way_out(start, name))


def find_misnamed(start: Path) -> str | None:
    """A file that was meant to be the configuration."""
    twin = Path(FILE_NAME).with_suffix(".yml").name
    return twin if (start / twin).is_file() else None


def _find_way_out(start: Path, name: str) -> str:
    misnamed = find_misnamed(start)
    return f"rename `{misnamed}` to `{name}`" if misnamed else "`sitepub init` writes one"


def load_config(path: Path, environment: Mapping[str, str], copy: TreeCopy | None = None) -> Config:
    """`copy`: spares the parser where the text is as it was. Raises one ConfigurationError for all that is wrong."""
    path = path.absolute()
    text = _read_text(path)
    tree = copy.read(text) if copy is not None else None
    return parse_config(text, path, environment, copy) if tree is None else _read_tree(tree, path, Reading(path.parent, environment))


def parse_config(text: str, path: Path, environment: Mapping[str, str], copy: TreeCopy | None = None) -> Config:
    """`path` is where the text stands: folders are relative to it, and problems are told with its name. `copy`: takes the tree of text without problems."""
    try:
        parsed = parse_yaml(text)
    except UnreadableTextError as error:
        raise _join(path, [error.problem]) from None
    root = parsed.root
    if root is None or (isinstance(root, Scalar) and root.shape is Shape.NOTHING):
        raise ConfigurationError("invalid-configuration", f"`{path.name}` is empty", "delete it and run `sitepub init`")
    if not isinstance(root, Table):
        raise _join(path, [*parsed.problems, Problem(root.line, f"must be a table of settings, not {describe_node(root)}")])
    _refuse_other_version(path, root)
    config = _read_tree(root, path, Reading(path.parent, environment, list(parsed.problems)))
    if copy is not None:
        copy.keep(text, root)
    return config


def _read_tree(root: Table, path: Path, reading: Reading) -> Config:
    config = read_config(path, root, reading)
    problems = [*reading.problems, *check_config(config, reading.lines)]
    if problems:
        raise _join(path, problems)
    return config


def choose_target(config: Config, name: str | None) -> Target:
    """The target that `name` names; else the default one, else the only one. `TARGET@NAME` is a preview of the target."""
    wanted = name if name is not None else config.default_target
    if wanted is not None:
        named, is_preview, preview = wanted.partition(SEPARATOR)
        target = _find_target(config, named)
        return make_preview(config, target, preview) if is_preview else target
    if len(config.targets) == 1:
        return next(iter(config.targets.values()))
    message = f"`{config.path.name}` has several targets: {list_names(config.targets)}"
    raise UsageError("no-target-chosen", message, "name one with `--target`, or set `default_target`")


def list_targets(start: Path, explicit: str | None) -> Mapping[str, str]:
    """Names of targets and what their `store` says, as far as the text can be read at all: for shells that complete."""
    try:
        root = parse_yaml(_read_text(find_config(start, explicit=Path(explicit) if explicit else None))).root
    except (SitepubError, UnreadableTextError):
        return {}
    row = root.find("targets") if isinstance(root, Table) else None
    targets = row.value.rows if row is not None and isinstance(row.value, Table) else ()
    stores = {each.key: each.value.find("store") if isinstance(each.value, Table) else None for each in targets}
    return {name: store.value.text if store and isinstance(store.value, Scalar) else "" for name, store in stores.items()}


def _find_target(config: Config, name: str) -> Target:
    if name in config.targets:
        return config.targets[name]
    nearest = find_nearest(name, config.targets)
    hint = f"did you mean `{nearest}`?" if nearest else f"known are {list_names(config.targets)}"
    raise UsageError("unknown-target", f"`{config.path.name}` has no target {show_text(name)}", hint)


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise ConfigurationError("no-configuration", f"`{path}` is not there", "`sitepub init` writes one") from None
    except OSError as error:
        raise ConfigurationError("unreadable-configuration", f"`{path}` can't be read: {error.strerror or error}") from None
    if len(content) > MAX_BYTES:
        raise ConfigurationError("invalid-configuration", f"`{path.name}` is larger than 1 MiB", "it is meant to be written by hand")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        raise _join(path, [Problem(line, "is not UTF-8: save it in that encoding", column)]) from None


def _refuse_other_version(path: Path, root: Table) -> None:
    """All that a later format knows would be unknown here, so nothing else is told."""
    row = root.find("version")
    if row is not None and isinstance(row.value, Scalar) and row.value.shape is Shape.NUMBER and row.value.text != "1":
        raise _join(path, [Problem(row.line, f"`version` must be `1`, not {describe_node(row.value)}, which this sitepub does not know")])


def _join(path: Path, problems: Iterable[Problem]) -> SitepubError:
    ordered = sorted(dict.fromkeys(problems), key=lambda problem: (problem.line, problem.column))
    told = [_locate(path, problem) for problem in ordered[:_MOST_SHOWN]]
    if len(ordered) > _MOST_SHOWN:
        told.append(f"and {len(ordered) - _MOST_SHOWN} more")
    return join_problems("invalid-configuration", told, ConfigurationError)


def _locate(path: Path, problem: Problem) -> str:
    place = f"{problem.line}:{problem.column}" if problem.column else str(problem.line)
    return f"{path.name}:{place}: {problem.message}"
