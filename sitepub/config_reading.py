"""The tree of sitepub.yaml, against the schema, as settings. Collects every problem with its line; raises nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from msgspec import Struct, field

from sitepub import config_schema as schema
from sitepub.config_forms import Environment, RejectedError, describe_node, find_nearest, list_names, show_text
from sitepub.config_places import is_aws_region
from sitepub.config_schema import Section, Setting
from sitepub.config_text import Listing, Node, Problem, Scalar, Shape, Table
from sitepub.core.settings import (
    Cache,
    Config,
    Fingerprint,
    FolderAddress,
    HeaderRule,
    Invalidation,
    Previews,
    Redirect,
    Retention,
    StoreAddress,
    Target,
)

T = TypeVar("T")

_TARGET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Reading(Struct, frozen=True):
    """What all parts of one reading share. `lines` tells where a setting stands, by its whole path; one that is wrong is not in it."""

    folder: Path
    environment: Environment
    problems: list[Problem] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)

    def report(self, line: int, message: str) -> None:
        self.problems.append(Problem(line, message))

    def resolve(self, address: StoreAddress) -> StoreAddress:
        return FolderAddress(self.resolve_folder(address.path)) if isinstance(address, FolderAddress) else address

    def resolve_folder(self, path: Path) -> Path:
        return Path(os.path.normpath(self.folder / path))


class SectionReader:
    """One table of the file and what its section says about it."""

    def __init__(self, section: Section, table: Table, reading: Reading, path: str) -> None:
        self._table = table
        self._reading = reading
        self._prefix = f"{path}." if path else ""
        for row in table.rows:
            if row.key not in section.keys:
                reading.report(row.line, _describe_unknown_key(row.key, section, path))

    def value(self, setting: Setting[T]) -> T:
        """The setting's value; its default where it is absent or wrong."""
        name = self._prefix + setting.key
        row = self._table.find(setting.key)
        if row is None:
            if setting.is_required:
                self._reading.report(self._table.line, f"`{name}` is missing")
            return setting.default
        try:
            value = setting.form.read(row.value, self._reading.environment)
        except RejectedError as error:
            for problem in error.problems:
                self._reading.report(problem.line, f"`{name}` {problem.message}")
            return setting.default
        self._reading.lines[name] = row.line
        return value

    def node(self, key: str) -> Node | None:
        """What a nested section holds; None where it is absent or holds nothing."""
        row = self._table.find(key)
        if row is None or (isinstance(row.value, Scalar) and row.value.shape is Shape.NOTHING):
            return None
        return row.value

    def section(self, section: Section) -> SectionReader:
        node = self.node(section.path)
        if node is not None and not isinstance(node, Table):
            self._reading.report(node.line, f"`{section.path}` must be a table of settings, not {describe_node(node)}")
        table = node if isinstance(node, Table) else Table((), 0)
        return SectionReader(section, table, self._reading, section.path)

    def sections(self, section: Section) -> list[tuple[SectionReader, int]]:
        """A list of tables, each with its line."""
        node = self.node(section.path)
        if node is not None and not isinstance(node, Listing):
            self._reading.report(node.line, f"`{section.path}` must be a list, not {describe_node(node)}")
        readers: list[tuple[SectionReader, int]] = []
        for row in node.rows if isinstance(node, Listing) else ():
            if isinstance(row, Table):
                readers.append((SectionReader(section, row, self._reading, section.path), row.line))
            else:
                self._reading.report(row.line, f"`{section.path}` must be a list of tables, not of {describe_node(row)}")
        return readers


def read_config(path: Path, root: Table, reading: Reading) -> Config:
    """Where `reading` has problems afterwards, what comes back is not worth looking at."""
    top = SectionReader(schema.TOP, root, reading, "")
    return Config(
        path=path,
        version=top.value(schema.VERSION),
        source=reading.resolve_folder(Path(top.value(schema.SOURCE) or ".")),
        build=top.value(schema.BUILD),
        targets=_read_targets(top, root, reading),
        default_target=top.value(schema.DEFAULT_TARGET),
        fingerprint=_read_fingerprint(top.section(schema.FINGERPRINT)),
        cache=_read_cache(top.section(schema.CACHE)),
        headers=tuple(_read_header_rule(reader, line) for reader, line in top.sections(schema.HEADERS)),
        redirects=tuple(_read_redirect(reader, line) for reader, line in top.sections(schema.REDIRECTS)),
        invalidation=_read_invalidation(top.section(schema.INVALIDATION)),
        retention=_read_retention(top.section(schema.RETENTION)),
        previews=_read_previews(top.section(schema.PREVIEWS)),
        ignore=top.value(schema.IGNORE),
        allow=top.value(schema.ALLOW),
        links=top.value(schema.LINKS),
        executor=top.value(schema.EXECUTOR),
        watch=tuple(reading.resolve_folder(Path(path)) for path in top.value(schema.WATCH)),
    )


def _read_targets(top: SectionReader, root: Table, reading: Reading) -> Mapping[str, Target]:
    node = top.node("targets")
    row = root.find("targets")
    line = row.line if row else root.line
    if row is None:
        reading.report(line, "`targets` is missing, at least one target is needed")
    elif node is not None and not isinstance(node, Table):
        reading.report(node.line, f"`targets` must be a table of targets, not {describe_node(node)}")
    elif node is None or not node.rows:
        reading.report(line, "`targets` is empty, at least one target is needed")
    targets: dict[str, Target] = {}
    for each in node.rows if isinstance(node, Table) else ():
        reading.lines[f"targets.{each.key}"] = each.line
        if not _TARGET_NAME.fullmatch(each.key):
            reading.report(each.line, f"the name of a target is made of letters, digits, `-`, `_` and `.`, unlike {show_text(each.key)}")
        elif isinstance(each.value, Table):
            targets[each.key] = _read_target(each.key, each.value, reading)
        else:
            reading.report(each.line, f"`targets.{each.key}` must be a table of settings, not {describe_node(each.value)}")
    return MappingProxyType(targets)


def _read_target(name: str, table: Table, reading: Reading) -> Target:
    target = SectionReader(schema.TARGET, table, reading, f"targets.{name}")
    store, state, url = target.value(schema.STORE), target.value(schema.STATE), target.value(schema.URL)
    ledger = target.value(schema.LEDGER)
    region, endpoint_url = target.value(schema.REGION), target.value(schema.ENDPOINT_URL)
    file = target.value(schema.DISTRIBUTION_CONFIG)
    if region is not None and table.find("endpoint_url") is None and not is_aws_region(region):
        row = table.find("region")
        reading.report(
            row.line if row else table.line,
            f"`targets.{name}.region` must be one of AWS's such as `eu-central-1`, unless `endpoint_url` names another server",
        )
    return Target(
        name=name,
        store=reading.resolve(store or FolderAddress(Path())),
        region=region,
        endpoint_url=endpoint_url,
        cdn_endpoint_url=target.value(schema.CDN_ENDPOINT_URL),
        profile=target.value(schema.PROFILE),
        distribution=target.value(schema.DISTRIBUTION),
        account=target.value(schema.ACCOUNT),
        url=url.text,
        url_path=url.path,
        domains=target.value(schema.DOMAINS),
        branch=target.value(schema.BRANCH),
        state=reading.resolve(state) if state else None,
        ledger=reading.resolve(ledger) if ledger else None,
        url_style=target.value(schema.URL_STYLE),
        distribution_config=reading.resolve_folder(Path(file)) if file else None,
        price_class=target.value(schema.PRICE_CLASS),
        certificate=target.value(schema.CERTIFICATE),
        zone=target.value(schema.ZONE),
    )


def _read_fingerprint(section: SectionReader) -> Fingerprint:
    return Fingerprint(
        digest_length=section.value(schema.DIGEST_LENGTH),
        exclude=section.value(schema.EXCLUDE),
        include=section.value(schema.INCLUDE),
        aliases=section.value(schema.ALIASES),
        modules=section.value(schema.MODULES),
        frozen=section.value(schema.FROZEN),
        missing_references=section.value(schema.MISSING_REFERENCES),
    )


def _read_cache(section: SectionReader) -> Cache:
    return Cache(
        assets=section.value(schema.CACHE_ASSETS),
        entries=section.value(schema.CACHE_ENTRIES),
        errors=section.value(schema.CACHE_ERRORS),
        aliases=section.value(schema.CACHE_ALIASES),
    )


def _read_header_rule(section: SectionReader, line: int) -> HeaderRule:
    return HeaderRule(match=section.value(schema.MATCH) or "", set=section.value(schema.SET), line=line)


def _read_redirect(section: SectionReader, line: int) -> Redirect:
    return Redirect(
        source=section.value(schema.FROM) or "", to=section.value(schema.TO) or "", status=section.value(schema.STATUS), line=line
    )


def _read_invalidation(section: SectionReader) -> Invalidation:
    return Invalidation(
        free_paths=section.value(schema.FREE_PATHS),
        when_spent=section.value(schema.WHEN_SPENT),
        tags=section.value(schema.TAGS),
    )


def _read_retention(section: SectionReader) -> Retention:
    return Retention(releases=section.value(schema.RELEASES), days=section.value(schema.DAYS))


def _read_previews(section: SectionReader) -> Previews:
    return Previews(
        target=section.value(schema.PREVIEWS_TARGET),
        prefix=section.value(schema.PREVIEWS_PREFIX),
        url=section.value(schema.PREVIEWS_URL),
        days=section.value(schema.PREVIEWS_DAYS),
    )


def _describe_unknown_key(key: str, section: Section, path: str) -> str:
    message = f"unknown key {show_text(key)}" + (f" in `{path}`" if path else "")
    homes = [other.path for other in schema.SECTIONS if key in other.keys]
    if homes:
        return f"{message}, it belongs " + " or ".join(f"under `{home}`" if home else "at the top level" for home in homes)
    nearest = find_nearest(key.lower().replace("-", "_"), section.keys)
    if nearest:
        return f"{message}, did you mean `{nearest}`?"
    return f"{message}, known are {list_names(section.keys)}"
