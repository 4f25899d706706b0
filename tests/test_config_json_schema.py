"""The editors' schema against the reader of sitepub.yaml: both judge every configuration alike, but for what no schema can say."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sitepub.config import parse_config
from sitepub.config_forms import RejectedError
from sitepub.config_json_schema import describe_file, read_shipped, render_json_schema
from sitepub.config_schema import SECTIONS, Setting
from sitepub.config_text import parse_yaml
from sitepub.errors import ConfigurationError
from tests.test_config import HEAD, REFUSED, START, VALID

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = {"HOME": "/home/me", "NAME": "x"}

BEYOND = re.compile(
    r"git allows no such pattern|lies inside|needs a store|holds `source`|is `source` itself|of the same kind|twice"
    r"|is not in `targets`|in a circle|to itself|must be a place in S3|0x10|010|h:99999"
)
"""What a setting must be to another one, pathspec's own rules, ports, and ways to write a number that are gone once YAML is read."""


WRITTEN = [row[:3] for row in REFUSED if len(row[2]) < 4000]
"""YAML's own reader makes a number of what is written, and refuses one of 5,000 digits before any schema sees it."""


def problems_of(text: str) -> list[str]:
    try:
        parse_config(text, Path("/site/sitepub.yaml"), ENVIRONMENT)
    except ConfigurationError as error:
        return error.message.splitlines()
    return []


def is_fine_to_an_editor(text: str) -> bool:
    document = json.loads(json.dumps(yaml.safe_load(text), default=str))
    return jsonschema.Draft7Validator(describe_file()).is_valid(document)


def test_the_shipped_schema_is_up_to_date_and_a_schema() -> None:
    assert read_shipped() == render_json_schema()
    jsonschema.Draft7Validator.check_schema(json.loads(read_shipped()))


def test_every_key_is_explained() -> None:
    def unexplained(path: str, node: dict[str, object]) -> Iterator[str]:
        inner = [("items", node.get("items")), *dict(node.get("patternProperties") or {}).items()]
        if path.endswith(".set"):
            return
        for key, value in dict(node.get("properties") or {}).items():
            if not value.get("description"):
                yield f"{path}.{key}"
            yield from unexplained(f"{path}.{key}", value)
        for key, value in inner:
            yield from unexplained(f"{path}.{key}", value) if isinstance(value, dict) else ()

    assert list(unexplained("", dict(describe_file()))) == []
    assert list(unexplained("", {"properties": {"a": {"description": "x", "items": {"properties": {"b": {}}}}}})) == [".a.items.b"]


def test_the_example_and_all_that_the_reader_accepts_are_fine() -> None:
    assert is_fine_to_an_editor((ROOT / "sitepub.yaml.example").read_text("utf-8"))
    assert is_fine_to_an_editor(VALID)
    assert is_fine_to_an_editor(START + "fingerprint:\ncache:\nheaders:\nredirects:\ninvalidation:\nretention:\n")


@pytest.mark.parametrize(("section", "key", "value"), WRITTEN, ids=[f"{row[1]}-{row[2][:20]}" for row in WRITTEN])
def test_what_the_reader_refuses_is_marked(section: str, key: str, value: str) -> None:
    text = f"{HEAD}    {key}: {value}\n" if section == "target" else f"{START}{section}:\n  {key}: {value}\n"
    told = " ".join(problems_of(text))
    assert told
    assert is_fine_to_an_editor(text) is bool(BEYOND.search(told))


@pytest.mark.parametrize(
    "text",
    [
        "source: public\n",
        "targets: {local: {store: file:out}}\n",
        "source: public\ntargets:\n",
        "source: public\ntargets: {}\n",
        "source: public\ntargets: {a b: {store: file:out}}\n",
        "source: public\ntargets: {local: }\n",
        "source: public\ntargets: {local: {region: eu-central-1}}\n",
        "source: public\ntargets: {local: {store: 's3://bucket-x', region: Frankfurt}}\n",
        "source:\ntargets: {local: {store: file:out}}\n",
        START + "version: 2\n",
        START + "retentoin: {}\n",
        START + "cache: []\n",
        START + "headers: [x]\n",
        START + "headers: [{match: '*'}]\n",
        START + "headers: [{match: '*', set: {}}]\n",
        START + "headers: [{match: '*', set: {X-Frame-Options: DENY}}]\n",
        START + "redirects: [{from: /a}]\n",
        START + "redirects: [{from: /a, to: /b, status: 304}]\n",
        START + "redirects: {}\n",
    ],
)
def test_mistakes_of_structure_are_marked(text: str) -> None:
    assert problems_of(text)
    assert not is_fine_to_an_editor(text)


@pytest.mark.parametrize(
    "text",
    [
        "source: public\ntargets: {local: {store: 's3://bucket-x', region: Frankfurt, endpoint_url: 'http://127.0.0.1'}}\n",
        "source: ${HOME}/x\ntargets: {local: {store: '${STORE:-file:out}'}}\n",
        START + "headers: [{match: '*', set: {cache-CONTROL: no-store}}]\n",
        START + "invalidation: {free_paths: '${PATHS:-7}', when_spent: '${SPENT:-pay}'}\n",
    ],
)
def test_what_is_unusual_and_right_is_not_marked(text: str) -> None:
    assert problems_of(text) == []
    assert is_fine_to_an_editor(text)


SETTINGS = [setting for section in SECTIONS for setting in section.settings]
SEEDS = (
    *(
        "public",
        "~x",
        "file:out",
        "file:///srv",
        "file://x",
        "file:////x",
        "s3://bucket-x/a/b/",
        "s3://bucket//",
        "s3://a.b",
        "s3://1.2.3.4",
        "x",
    ),
    *("http://127.0.0.1:8333", "https://a.example.", "HTTP://[::1]:80/x", "/", "//", "/a/", "/a//", "/a/../b", "/.sitepub/x", "/old?x"),
    *("https://e.org?x#y", "https://e.org/a b", "max-age=60", "Max-Age", 'private="a", no-cache', "s-maxage=1,x", "max-age=1 ,", "none"),
    *(
        "E190XXXXXL0LJU",
        "123456789012",
        "eu-central-1",
        "release/1.x",
        "a..b",
        ".x",
        "x.lock",
        "refs/heads/x",
        "@{",
        "**/*.pdf",
        "#x",
        "/!",
    ),
    *("www.example.com", "-a.b", "a-.b", "*.x", "a" * 64, "${NAME}", "$$", "${", "${NAME", "$x", "${N:-a}b", " ", "", "always", "wildcard"),
    *("both", "301", "é", "a\n", "a\tb", "a\x85b", "a\u2028b", "x" * 300, "s3://bucket/" + "a" * 20, "[z-a]", "a\\"),
)
TEXTS = st.one_of(
    st.sampled_from(SEEDS),
    st.tuples(st.sampled_from(SEEDS), st.integers(0, 12), st.sampled_from("/.:-~$\\{}[]#?%=*!, aZ0\n\x00é@")).map(
        lambda drawn: drawn[0][: drawn[1]] + drawn[2] + drawn[0][drawn[1] :]
    ),
    st.text(st.sampled_from("/.:-_a0Z${}#? ="), max_size=12),
)
VALUES = st.one_of(TEXTS, st.integers(-2, 400), st.booleans(), st.none(), st.lists(TEXTS, max_size=2), st.just({}))


def is_accepted(setting: Setting[object], value: object) -> tuple[bool, str]:
    root = parse_yaml(json.dumps(value)).root
    assert root is not None
    try:
        setting.form.read(root, ENVIRONMENT)
    except RejectedError as error:
        return False, str(error)
    return True, ""


@given(st.sampled_from(SETTINGS), VALUES)
@example(next(setting for setting in SETTINGS if setting.key == "store"), "s3://bucket//")
@settings(max_examples=800, deadline=None)
def test_reader_and_schema_judge_every_value_alike(setting: Setting[object], value: object) -> None:
    is_right, told = is_accepted(setting, value)
    has_variable = "$" in json.dumps(value)
    is_marked = not jsonschema.Draft7Validator(setting.form.schema).is_valid(value)
    if is_right:
        assert not is_marked, "a right configuration must not be marked"
    elif not has_variable and not re.search(r"git allows no such pattern|it matches nothing", told):
        assert is_marked, told


def test_an_editor_reads_the_patterns_as_python_does() -> None:
    """Editors are programs in JavaScript, some of which ask for its strict dialect."""
    node = shutil.which("node") or pytest.skip("node is not installed")
    found = sorted(set(re.findall(r'"pattern": ("(?:[^"\\]|\\.)*")', read_shipped())))
    patterns = [json.loads(each) for each in found]
    program = "const [ps, ts] = JSON.parse(require('fs').readFileSync(0)); console.log(JSON.stringify(ps.map(p => ts.map(t => new RegExp(p, 'u').test(t)))))"
    done = subprocess.run([node, "-e", program], input=json.dumps([patterns, SEEDS]), capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [[bool(re.search(pattern, text)) for text in SEEDS] for pattern in patterns]
