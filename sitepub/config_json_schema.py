"""The settings of sitepub.yaml as a JSON Schema, which editors use to complete, explain and check. Made from config_schema.py and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from sitepub import config_patterns as patterns
from sitepub import config_schema as schema
from sitepub.config_places import SiteUrl
from sitepub.config_schema import Section, Setting

SHIPPED = Path(__file__).with_name("sitepub.schema.json")
FILE_NAME = ".sitepub.schema.json"
"""What `init` calls its copy beside sitepub.yaml: a dot-file, so it is not published where the source is this very folder."""

MODELINE = f"# yaml-language-server: $schema={FILE_NAME}"

_LISTS = (schema.HEADERS, schema.REDIRECTS)

# A region is one of AWS's unless another server is named.
_REGION_OF_AWS: Mapping[str, object] = {
    "if": {"not": {"required": ["endpoint_url"]}},
    "then": {"properties": {"region": {"pattern": patterns.with_variables(patterns.AWS_REGION)}}},
}


def read_shipped() -> str:
    return SHIPPED.read_text("utf-8")


def render_json_schema() -> str:
    return json.dumps(describe_file(), indent=1, ensure_ascii=False) + "\n"


def describe_file() -> Mapping[str, object]:
    described = _describe_section(schema.TOP)
    properties = {**_properties(schema.TOP), "targets": _describe_targets()}
    for section in schema.SECTIONS:
        if section not in (schema.TOP, schema.TARGET):
            properties[section.path] = _describe_nested(section)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "sitepub.yaml",
        **described,
        "properties": properties,
        "required": [*_required(schema.TOP), "targets"],
    }


def _describe_targets() -> Mapping[str, object]:
    return {
        "description": schema.TARGET.meaning,
        "type": "object",
        "patternProperties": {patterns.anchored(patterns.TARGET_NAME): {**_describe_section(schema.TARGET), **_REGION_OF_AWS}},
        "additionalProperties": False,
        "minProperties": 1,
    }


def _describe_nested(section: Section) -> Mapping[str, object]:
    """A section whose key stands there with nothing behind it is one that is absent."""
    if section in _LISTS:
        return {"description": section.meaning, "type": ["array", "null"], "items": _describe_section(section)}
    return {**_describe_section(section), "type": ["object", "null"]}


def _describe_section(section: Section) -> Mapping[str, object]:
    required = _required(section)
    return {
        "description": section.meaning,
        "type": "object",
        "properties": _properties(section),
        "additionalProperties": False,
        **({"required": required} if required else {}),
    }


def _properties(section: Section) -> dict[str, object]:
    return {setting.key: _describe_setting(setting) for setting in section.settings}


def _required(section: Section) -> list[str]:
    return [setting.key for setting in section.settings if setting.is_required]


def _describe_setting(setting: Setting[object]) -> Mapping[str, object]:
    about = f"{setting.meaning} Without it: {setting.absent}." if setting.absent else setting.meaning
    has_default = not setting.is_required and not setting.absent
    return {"description": about, **setting.form.schema, **({"default": _as_json(setting.default)} if has_default else {})}


def _as_json(value: object) -> object:
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, SiteUrl):
        return value.text
    return value.value if isinstance(value, StrEnum) else value
