"""sitepub.yaml: what it gives, and that every mistake in it is told with its line, all at once."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from sitepub.config import choose_target, find_config, load_config, parse_config
from sitepub.config_schema import CACHE, FINGERPRINT, HEADERS, INVALIDATION, REDIRECTS, RETENTION, SECTIONS, TARGET, TOP, Section, Setting
from sitepub.core.settings import (
    Aliases,
    BucketAddress,
    Cache,
    Config,
    FolderAddress,
    HeaderRule,
    PriceClass,
    Redirect,
    UrlStyle,
    WhenSpent,
)
from sitepub.errors import ConfigurationError, ExitStatus, UsageError

PATH = Path("/site/sitepub.yaml")
START = "source: public\ntargets: {local: {store: file:out}}\n"
HEAD = "source: public\ntargets:\n  local:\n    store: file:out\n"


def parse(text: str, **environment: str) -> Config:
    return parse_config(textwrap.dedent(text), PATH, environment)


def fail(text: str, **environment: str) -> list[str]:
    """The problems of a text, each on its line, without the file's name."""
    with pytest.raises(ConfigurationError) as caught:
        parse(text, **environment)
    assert caught.value.status is ExitStatus.CONFIGURATION
    assert caught.value.code == "invalid-configuration"
    lines = caught.value.message.splitlines()
    told = [line.strip() for line in lines[1:]] if lines[0].endswith("problems:") else lines
    return [line.removeprefix("sitepub.yaml:") for line in told]


def test_the_shortest_file_gives_every_default() -> None:
    config = parse(START)
    assert config.source == Path("/site/public")
    assert config.targets["local"].store == FolderAddress(Path("/site/out"))
    assert config == Config(path=PATH, source=config.source, targets=config.targets)


EVERYTHING = """\
version: 1
source: web/out
build: |
  make clean
  make ${NOT_OURS} $$
default_target: local
targets:
  local: {store: "file:///srv/www"}
  production:
    store: s3://www-example-com/blog/
    region: eu-central-1
    endpoint_url: http://127.0.0.1:9000
    cdn_endpoint_url: https://cdn.example.com/api
    profile: example
    distribution: E190XXXXXL0LJU
    account: "012345678901"
    url: https://www.example.com/blog
    domains: [WWW.Example.com, example.com.]
    branch: release/1.x
    state: s3://ops-bucket
    ledger: s3://ops-bucket/paths
    url_style: both
    distribution_config: aws/distribution.json
    price_class: PriceClass_200
    certificate: arn:aws:acm:us-east-1:123456789012:certificate/1-2
    zone: Z0123456789
fingerprint: {digest_length: 64, exclude: [/a], include: [b/], aliases: auto, modules: pin, frozen: ["*.x"], missing_references: error}
cache: {assets: max-age=1, entries: no-store, errors: 'private="x", max-age=2', aliases: max-age=3}
headers:
  - match: "*.pdf"
    set: {content-type: application/pdf, Cache-control: no-cache}
redirects:
  - {from: /old/, to: "https://example.org/new?x=1#y", status: 308}
  - {from: /older, to: /old/}
invalidation: {free_paths: 0, when_spent: defer, tags: never}
retention: {releases: 0, days: 1}
ignore: []
allow: [.env.example]
links: follow
watch: [src, /shared/theme]
executor: dask://scheduler.example.com:8786
"""
"""Each setting, with a value that is none of the defaults."""


def test_every_setting_of_a_target_arrives() -> None:
    config = parse(EVERYTHING)
    target = config.targets["production"]
    assert target.store == BucketAddress("www-example-com", "blog")
    assert (target.region, target.profile, target.branch) == ("eu-central-1", "example", "release/1.x")
    assert (target.endpoint_url, target.cdn_endpoint_url) == ("http://127.0.0.1:9000", "https://cdn.example.com/api")
    assert (target.distribution, target.account) == ("E190XXXXXL0LJU", "012345678901")
    assert (target.url, target.url_path) == ("https://www.example.com/blog", "/blog/")
    assert target.domains == ("www.example.com", "example.com")
    assert target.state == BucketAddress("ops-bucket")
    assert target.ledger == BucketAddress("ops-bucket", "paths")
    assert target.url_style is UrlStyle.BOTH
    assert (target.distribution_config, target.price_class) == (Path("/site/aws/distribution.json"), PriceClass.MOST)
    assert (target.certificate, target.zone) == ("arn:aws:acm:us-east-1:123456789012:certificate/1-2", "Z0123456789")


def test_every_setting_of_the_site_arrives() -> None:
    config = parse(EVERYTHING)
    assert config.source == Path("/site/web/out")
    assert config.build == "make clean\nmake ${NOT_OURS} $$"
    assert config.targets["local"].store == FolderAddress(Path("/srv/www"))
    assert config.fingerprint.digest_length == 64
    assert config.fingerprint.aliases is Aliases.AUTO
    assert (config.fingerprint.exclude, config.fingerprint.include, config.fingerprint.frozen) == (("/a",), ("b/",), ("*.x",))
    assert config.cache == Cache("max-age=1", "no-store", 'private="x", max-age=2', "max-age=3")
    assert config.headers == (HeaderRule("*.pdf", (("Cache-Control", "no-cache"), ("Content-Type", "application/pdf")), line=30),)
    assert config.redirects == (
        Redirect("/old/", "https://example.org/new?x=1#y", 308, line=33),
        Redirect("/older", "/old/", 301, line=34),
    )
    assert config.invalidation.free_paths == 0
    assert config.invalidation.when_spent is WhenSpent.DEFER
    assert (config.retention.releases, config.retention.days) == (0, 1)
    assert config.watch == (Path("/site/src"), Path("/shared/theme"))
    assert config.executor == "dask://scheduler.example.com:8786"
    assert (config.ignore, config.allow) == ((), (".env.example",))


def test_all_problems_are_told_at_once_in_the_order_of_their_lines() -> None:
    assert fail("""\
        retentoin: {days: 3}
        source: public
        default_target: prod
        targets:
          local: {store: file:public/out, regoin: x}
          production: {store: ftp://x, account: 123456789012, branch: "${BRANCH}"}
        fingerprint:
          aliases: alway
        headers:
          - match: "*"
            set: {X-Frame-Options: DENY}
        redirects:
          - {from: /a, to: /b}
          - {from: /b, to: /a}
        """) == [
        "1: unknown key `retentoin`, did you mean `retention`?",
        "3: `default_target` is `prod`, which is not in `targets`, did you mean `production`?",
        "5: unknown key `regoin` in `targets.local`, did you mean `region`?",
        "5: `targets.local.store` lies inside `source` and would be published too, name a folder outside",
        "6: `targets.production.store` must be `file:PATH` or `s3://bucket[/prefix]`, not `ftp://x`",
        "6: `targets.production.account` must be an AWS account, 12 digits in quotes, not `123456789012`: put it in quotes",
        "6: `targets.production.branch` needs the environment variable `BRANCH`, which is not set; set it, or write `${BRANCH:-default}`",
        "8: `fingerprint.aliases` must be one of `always`, `auto`, `never`, not `alway`: did you mean `always`?",
        "11: `headers.set` can't hold `X-Frame-Options`, S3 answers only with `Cache-Control`, `Content-Disposition`, `Content-Encoding`,"
        " `Content-Language`, `Content-Type`, `Expires`; any other header belongs in the distribution's response-headers policy",
        "13: `redirects` leads in a circle: `/a` → `/b` → `/a`",
    ]


def test_problems_name_the_file_and_count_themselves() -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_config("sourc: x\ntargts: y\n", Path("/site/other.yaml"), {})
    assert caught.value.message == (
        "4 problems:\n"
        "  other.yaml:1: unknown key `sourc`, did you mean `source`?\n"
        "  other.yaml:1: `source` is missing\n"
        "  other.yaml:1: `targets` is missing, at least one target is needed\n"
        "  other.yaml:2: unknown key `targts`, did you mean `targets`?"
    )


# A setting, a value that it must refuse, and all that is said about it. The setting stands in line 5, or in line 4 of a target.
REFUSED = [
    (
        "target",
        "endpoint_url",
        "http://me:pw@h/",
        "must be a URL such as `http://127.0.0.1:8333`, not `http://me:pw@h/`: credentials do not belong here, AWS's credential chain finds them",
    ),
    ("fingerprint", "digest_length", "12.5", "must be a whole number from 4 to 64, not `12.5`"),
    ("fingerprint", "digest_length", "'12'", "must be a whole number from 4 to 64, not `12`: take the quotes away"),
    ("fingerprint", "digest_length", "3", "must be a whole number from 4 to 64, not `3`"),
    ("fingerprint", "digest_length", "65", "must be a whole number from 4 to 64, not `65`"),
    ("fingerprint", "digest_length", "0x10", "must be a whole number from 4 to 64, not `0x10`"),
    ("fingerprint", "digest_length", "010", "must be a whole number from 4 to 64, not `010`"),
    ("fingerprint", "exclude", "", "must be a list of gitignore patterns, not nothing: write `[]` for none"),
    ("fingerprint", "exclude", "[1]", "must be a gitignore pattern, not `1`: put it in quotes"),
    ("fingerprint", "exclude", "['#x']", "must be a gitignore pattern, not `#x`: it is a comment to git, write `\\#`"),
    ("fingerprint", "exclude", "['[z-a]']", "must be a gitignore pattern, not `[z-a]`: git allows no such pattern"),
    ("fingerprint", "exclude", "['!']", "must be a gitignore pattern, not `!`: it matches nothing"),
    ("fingerprint", "exclude", "['a\\']", "must be a gitignore pattern, not `a\\`: git allows no such pattern"),
    ("fingerprint", "exclude", "['']", "must be a gitignore pattern, not empty text: it is empty"),
    ("invalidation", "tags", "no", "must be one of `auto`, `always`, `never`, not `no`"),
    ("invalidation", "free_paths", "-1", "must be a whole number from 0 to 1000000000, not `-1`"),
    ("invalidation", "free_paths", "9" * 5000, f"must be a whole number from 0 to 1000000000, not `{'9' * 59}…`"),
    ("invalidation", "when_spent", "[pay]", "must be one of `wildcard`, `pay`, `defer`, `fail`, not a list"),
    ("previews", "days", "0", "must be a whole number from 1 to 36500, not `0`"),
    (
        "previews",
        "prefix",
        "a//b",
        "must be a folder of the store, or `/`, not `a//b`: its segments are made of letters, digits, `-`, `_` and `.`",
    ),
    (
        "previews",
        "url",
        "https://x.example.com/",
        "must be a URL or a path that starts with `/`, with `{name}` in it, not `https://x.example.com/`: "
        "without `{name}` all previews would be at one place",
    ),
    ("retention", "days", "30d", "must be a whole number from 0 to 36500, not `30d`"),
    (
        "cache",
        "assets",
        "'max-age: 60'",
        "must be a value of Cache-Control, not `max-age: 60`: directives look like `max-age=60`, with commas between them",
    ),
    (
        "cache",
        "assets",
        "max-age=1h",
        "must be a value of Cache-Control, not `max-age=1h`: an age is a whole number of seconds, like `max-age=60`",
    ),
    (
        "cache",
        "assets",
        "public,,x",
        "must be a value of Cache-Control, not `public,,x`: directives look like `max-age=60`, with commas between them",
    ),
    ("cache", "entries", '"a\\r\\nb"', "must be a value of Cache-Control, not `a\\r\\nb`: it holds a control character"),
    ("target", "region", "Frankfurt", "must be one of AWS's such as `eu-central-1`, unless `endpoint_url` names another server"),
    ("target", "region", "eu-central-1b", "must be one of AWS's such as `eu-central-1`, unless `endpoint_url` names another server"),
    (
        "target",
        "distribution",
        "d1.cloudfront.net",
        "must be the id of a distribution, such as `E190XXXXXL0LJU`, or `none`, not `d1.cloudfront.net`: the id is meant, not its domain name or ARN",
    ),
    ("target", "distribution", "None", "must be the id of a distribution, such as `E190XXXXXL0LJU`, or `none`, not `None`"),
    ("target", "account", "'12345678901'", "must be an AWS account, 12 digits in quotes, not `12345678901`"),
    ("target", "account", "'١٢٣٤٥٦٧٨٩٠١٢'", "must be an AWS account, 12 digits in quotes, not `١٢٣٤٥٦٧٨٩٠١٢`"),
    (
        "target",
        "url",
        "www.example.com",
        "must be a URL or a path that starts with `/`, not `www.example.com`: write the scheme too, `https://`",
    ),
    (
        "target",
        "url",
        "//www.example.com/",
        "must be a URL or a path that starts with `/`, not `//www.example.com/`: write the scheme too, `https:`",
    ),
    (
        "target",
        "url",
        "/a b/",
        "must be a URL or a path that starts with `/`, not `/a b/`: other characters than those of a URL must be percent-encoded",
    ),
    (
        "target",
        "url",
        "/a/../b/",
        "must be a URL or a path that starts with `/`, not `/a/../b/`: its path holds an empty, `.` or `..` segment",
    ),
    (
        "target",
        "url",
        "https://x.org/?a",
        "must be a URL or a path that starts with `/`, not `https://x.org/?a`: it has no query and no fragment",
    ),
    ("target", "endpoint_url", "127.0.0.1:9000", "must be a URL such as `http://127.0.0.1:8333`, not `127.0.0.1:9000`"),
    ("target", "endpoint_url", "http://h:99999", "must be a URL such as `http://127.0.0.1:8333`, not `http://h:99999`"),
    (
        "target",
        "domains",
        "['https://x.org']",
        "must be a host name such as `www.example.com`, not `https://x.org`: a host name has no scheme, port or path",
    ),
    ("target", "domains", "['*.x.org']", "must be a host name such as `www.example.com`, not `*.x.org`: each host is named by itself"),
    (
        "target",
        "domains",
        "[bücher.example]",
        "must be a host name such as `www.example.com`, not `bücher.example`: write it as DNS has it, with `xn--`",
    ),
    ("target", "domains", "x.org", "must be a list of host names, not `x.org`: put it in brackets"),
    (
        "target",
        "branch",
        "refs/heads/main",
        "must be the name of a branch, not `refs/heads/main`: the short name is meant, without `refs/heads/`",
    ),
    ("target", "branch", "1.0", "must be the name of a branch, not `1.0`: put it in quotes"),
    ("target", "branch", "a..b", "must be the name of a branch, not `a..b`: git allows no such name"),
    ("target", "state", "out", "must be `file:PATH` or `s3://bucket[/prefix]`, not `out`"),
    ("target", "state", "s3://ops-bucket", "must be of the same kind as the store: both folders, or both in S3"),
    ("target", "state", "file:out/x", "lies inside the store, where visitors could reach it, name another place"),
    ("target", "state", "file:public/x", "lies inside `source` and would be published too, name a folder outside"),
    (
        "target",
        "ledger",
        "file:elsewhere",
        "must be a place in S3, like `s3://bucket/prefix`, that all publishers of the account can reach",
    ),
    ("target", "distribution", "E190XXXXXL0LJU", "needs a store in S3, CloudFront can't read a folder"),
]


@pytest.mark.parametrize(("section", "key", "value", "message"), REFUSED, ids=[f"{row[1]}-{row[2][:20]}" for row in REFUSED])
def test_what_a_setting_refuses(section: str, key: str, value: str, message: str) -> None:
    if section == "target":
        assert fail(f"{HEAD}    {key}: {value}\n") == [f"5: `targets.local.{key}` {message}"]
    else:
        assert fail(f"{START}# no such thing\n{section}:\n  {key}: {value}\n") == [f"5: `{section}.{key}` {message}"]


@pytest.mark.parametrize(
    ("store", "reason"),
    [
        ("s3://", ": a bucket's name has 3 to 63 characters"),
        ("s3:bucket", ""),
        ("s3://Bucket", ": a bucket's name is made of lower-case letters, digits, `-` and `.`, and starts and ends with a letter or digit"),
        (
            "s3://my_bucket",
            ": a bucket's name is made of lower-case letters, digits, `-` and `.`, and starts and ends with a letter or digit",
        ),
        (
            "s3://my-bucket-",
            ": a bucket's name is made of lower-case letters, digits, `-` and `.`, and starts and ends with a letter or digit",
        ),
        ("s3://192.168.0.1", ": a bucket's name holds no `..` and is no IP address"),
        ("s3://a..b", ": a bucket's name holds no `..` and is no IP address"),
        ("s3://xn--bucket", ": S3 reserves names that start or end like this"),
        ("s3://bucket--x-s3", ": S3 reserves names that start or end like this"),
        ("s3://bucket//x", ": the prefix holds an empty, `.` or `..` segment"),
        ("s3://bucket/../x", ": the prefix holds an empty, `.` or `..` segment"),
        ("s3://bucket/.sitepub", ": `.sitepub` is where sitepub keeps its own records"),
        ("file:", ": it names no folder"),
        ("file://host/x", ": an absolute path has three slashes, `file:///path`"),
        ("file:~/www", ": `~` is only known to shells, write `${HOME}`"),
        ("out", ""),
        ("gs://bucket", ""),
        ("https://www-example-com.s3.amazonaws.com/", ": the bucket itself is meant, `s3://` and its name"),
        ("http://www.example.com.s3-website-eu-west-1.amazonaws.com", ": the bucket itself is meant, `s3://` and its name"),
    ],
)
def test_what_is_no_store(store: str, reason: str) -> None:
    told = fail(f"source: public\ntargets:\n  local:\n    store: '{store}'\n")
    assert told == [f"4: `targets.local.store` must be `file:PATH` or `s3://bucket[/prefix]`, not `{store}`{reason}"]


@pytest.mark.parametrize(
    ("source", "store", "reason"),
    [
        ("public", "file:public", "is `source` itself, name another folder"),
        ("public", "file:./public/", "is `source` itself, name another folder"),
        ("public", "file:public/.hidden", "lies inside `source` and would be published too, name a folder outside"),
        (".", "file:out", "lies inside `source` and would be published too, name a folder outside"),
        ("public", "file:.", "holds `source`, name a folder beside it"),
        ("public", "file:/", "holds `source`, name a folder beside it"),
    ],
)
def test_store_and_source_keep_apart(source: str, store: str, reason: str) -> None:
    assert fail(f"source: {source}\ntargets:\n  local: {{store: '{store}'}}\n") == [f"3: `targets.local.store` {reason}"]


def test_store_and_source_are_compared_behind_links(tmp_path: Path) -> None:
    (tmp_path / "public").mkdir()
    (tmp_path / "link").symlink_to("public")
    for source, store in (("public", "link"), ("link", "public")):
        text = f"source: {source}\ntargets: {{local: {{store: file:{store}/out}}}}\n"
        with pytest.raises(ConfigurationError, match="lies inside `source`"):
            parse_config(text, tmp_path / "sitepub.yaml", {})


def test_every_wrong_row_of_a_list_is_told() -> None:
    assert fail(START + "ignore:\n  - ok\n  - 1\n  - [x]\n") == [
        "5: `ignore` must be a gitignore pattern, not `1`: put it in quotes",
        "6: `ignore` must be a gitignore pattern, not a list",
    ]


def test_a_store_beside_the_source_with_its_name_in_front_is_fine() -> None:
    assert parse("source: public\ntargets: {a: {store: file:public2}}").targets["a"].store == FolderAddress(Path("/site/public2"))


@pytest.mark.parametrize(
    ("redirects", "told"),
    [
        (["{from: /a, to: /a}"], ["4: `redirects` leads `/a` to itself"]),
        (["{from: /a/, to: /a/index.html}"], ["4: `redirects` leads `/a/` to itself"]),
        (["{from: /ä, to: '/%C3%A4?x#y'}"], ["4: `redirects` leads `/ä` to itself"]),
        (["{from: /a, to: /b}", "{from: /a, to: /c}"], ["5: `redirects` has `/a` twice, first in line 4"]),
        (["{from: /a/, to: /b}", "{from: /a/index.html, to: /c}"], ["5: `redirects` has `/a/index.html` twice, first in line 4"]),
        (
            ["{from: /x, to: /a}", "{from: /a, to: /b}", "{from: /b, to: /c}", "{from: /c, to: /a}"],
            ["5: `redirects` leads in a circle: `/a` → `/b` → `/c` → `/a`"],
        ),
        (["{from: /a}"], ["4: `redirects.to` is missing"]),
        (["{from: a, to: /b}"], ["4: `redirects.from` must be a path that starts with `/`, not `a`"]),
        (
            ["{from: /a?x, to: /b}"],
            ["4: `redirects.from` must be a path that starts with `/`, not `/a?x`: it is one path, without `?`, `#`, `*` and `\\`"],
        ),
        (
            ["{from: /a/../b, to: /b}"],
            ["4: `redirects.from` must be a path that starts with `/`, not `/a/../b`: it holds an empty, `.` or `..` segment"],
        ),
        (
            ["{from: /a, to: //x.org/}"],
            ["4: `redirects.to` must be a path that starts with `/`, or a URL, not `//x.org/`: write the scheme too, `https:`"],
        ),
        (["{from: /a, to: 'javascript:x'}"], ["4: `redirects.to` must be a path that starts with `/`, or a URL, not `javascript:x`"]),
        (
            ["{from: /a, to: /ü}"],
            [
                "4: `redirects.to` must be a path that starts with `/`, or a URL, not `/ü`: other characters than those of a URL must be percent-encoded"
            ],
        ),
        (["{from: /a, to: /b, status: 304}"], ["4: `redirects.status` must be one of `301`, `302`, `303`, `307`, `308`, not `304`"]),
        (["/a"], ["4: `redirects` must be a list of tables, not of `/a`"]),
    ],
)
def test_redirects_that_lead_nowhere(redirects: list[str], told: list[str]) -> None:
    assert fail(START + "redirects:\n" + "".join(f"  - {redirect}\n" for redirect in redirects)) == told


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("{match: '*', set: {content-tpye: x/y}}", "4: `headers.set` can't hold `content-tpye`, did you mean `Content-Type`?"),
        ("{match: '*', set: {Expires: 0}}", "4: `headers.set` `Expires` must be the value of a header, not `0`: put it in quotes"),
        ("{match: '*', set: {Expires: x, expires: y}}", "4: `headers.set` names `Expires` twice"),
        ("{match: '*', set: {}}", "4: `headers.set` must be a table of headers and their values, not a table"),
        ("{match: '*'}", "4: `headers.set` is missing"),
        ("{set: {Expires: x}}", "4: `headers.match` is missing"),
        (
            "{match: '*', set: {Content-Disposition: é}}",
            "4: `headers.set` `Content-Disposition` must be the value of a header, not `é`: a header's value is ASCII",
        ),
    ],
)
def test_headers_that_can_not_be_set(header: str, told: str) -> None:
    assert fail(f"{START}headers:\n  - {header}\n") == [told]


VALID = """\
version: 1
source: public
build: make
default_target: local
ignore: [x]
allow: [x]
links: follow
watch: [x]
executor: threads
targets:
  local:
    store: s3://www-example-com
    region: eu-central-1
    endpoint_url: http://x
    cdn_endpoint_url: http://x
    profile: x
    distribution: none
    account: "123456789012"
    url: /
    domains: [x]
    branch: main
    state: s3://ops-bucket
    ledger: s3://ops-bucket/paths
    url_style: file
    distribution_config: distribution.json
    price_class: PriceClass_100
    certificate: arn:aws:acm:us-east-1:123456789012:certificate/1-2
    zone: x.org
fingerprint: {digest_length: 8, exclude: [x], include: [x], aliases: auto, modules: pin, frozen: [x], missing_references: warn}
cache: {assets: no-store, entries: no-store, errors: no-store, aliases: no-store}
headers: [{match: x, set: {Expires: x}}]
redirects: [{from: /a, to: /b, status: 301}]
invalidation: {free_paths: 1, when_spent: pay, tags: auto}
retention: {releases: 1, days: 1}
previews: {target: local, prefix: p, url: "https://{name}.example.com/", days: 1}
"""
EVERY_SETTING = [(section, setting) for section in SECTIONS for setting in section.settings]
SETTING_NAMES = [f"{section.path}.{setting.key}" for section, setting in EVERY_SETTING]


def copy_valid() -> dict[str, object]:
    copied = yaml.safe_load(VALID)
    assert isinstance(copied, dict)
    return copied


def find_table(root: dict[str, object], section: Section) -> dict[str, object]:
    """The table of a section in a copy of VALID."""
    if section is TOP:
        return root
    inner: object = root["targets"]["local"] if section is TARGET else root[section.path]  # type: ignore[index]
    table = inner[0] if isinstance(inner, list) else inner
    assert isinstance(table, dict)
    return table


def test_the_valid_file_of_these_tests_has_every_setting_and_is_valid() -> None:
    parse(VALID)
    for section in SECTIONS:
        assert set(find_table(copy_valid(), section)) == set(section.keys)


@pytest.mark.parametrize(("section", "setting"), EVERY_SETTING, ids=SETTING_NAMES)
def test_a_slip_in_any_key_is_told_with_the_key_that_was_meant(section: Section, setting: Setting[object]) -> None:
    root = copy_valid()
    table = find_table(root, section)
    slip = setting.key[0] + setting.key[1:].swapcase() + "x"
    table[slip] = table.pop(setting.key)
    text = yaml.safe_dump(root, sort_keys=False)
    line = next(number for number, row in enumerate(text.splitlines(), 1) if slip in row)
    told = fail(text)
    assert any(row.startswith(f"{line}: unknown key `{slip}`") and row.endswith(f"did you mean `{setting.key}`?") for row in told), told


WRONG: list[object] = [3, 3.5, True, None, {}, {"x": 1}, [], [[]], [None], "", " ", "\x00", "\u2028"]


def is_right(setting: Setting[object], value: object) -> bool:
    if value == []:
        return setting.form.expected.startswith("a list")
    return type(value) is int and setting.key in ("free_paths", "releases", "days")


EVERY_WRONG_TYPE = [(section, setting, value) for section, setting in EVERY_SETTING for value in WRONG if not is_right(setting, value)]


@pytest.mark.parametrize(
    ("section", "setting", "wrong"),
    EVERY_WRONG_TYPE,
    ids=[f"{section.path}.{setting.key}={value!r}" for section, setting, value in EVERY_WRONG_TYPE],
)
def test_a_wrong_type_in_any_setting_is_told_with_its_name_and_line(section: Section, setting: Setting[object], wrong: object) -> None:
    root = copy_valid()
    find_table(root, section)[setting.key] = wrong
    text = yaml.safe_dump(root, sort_keys=False)
    name = setting.key if section is TOP else f"{section.path.replace('NAME', 'local')}.{setting.key}"
    told = fail(text)
    assert [row for row in told if f": `{name}` " in row] == told
    assert told
    lines = text.splitlines()
    for row in told:
        number = int(row.partition(":")[0])
        assert setting.key in lines[number - 1] or setting.key in lines[number - 2] or section.path in lines[number - 2]


@pytest.mark.parametrize("section", [FINGERPRINT, CACHE, INVALIDATION, RETENTION], ids=lambda section: section.path)
@pytest.mark.parametrize("wrong", ["x", "3", "[]", "true", "[{}]"])
def test_a_section_that_is_no_table_is_told(section: Section, wrong: str) -> None:
    (told,) = fail(f"{START}{section.path}: {wrong}\n")
    assert told.startswith(f"3: `{section.path}` must be a table of settings, not ")


@pytest.mark.parametrize("section", [HEADERS, REDIRECTS], ids=lambda section: section.path)
@pytest.mark.parametrize("wrong", ["x", "3", "{}", "true"])
def test_a_list_of_rules_that_is_no_list_is_told(section: Section, wrong: str) -> None:
    (told,) = fail(f"{START}{section.path}: {wrong}\n")
    assert told.startswith(f"3: `{section.path}` must be a list, not ")


@pytest.mark.parametrize("key", [key for key in TOP.nested if key != "targets"])
def test_a_section_of_which_everything_is_commented_out_is_absent(key: str) -> None:
    assert parse(f"{START}{key}:\n  # x: y\n") == parse(START)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("source: public\n", ["1: `targets` is missing, at least one target is needed"]),
        ("source: public\ntargets:\n", ["2: `targets` is empty, at least one target is needed"]),
        ("source: public\ntargets: {}\n", ["2: `targets` is empty, at least one target is needed"]),
        ("source: public\ntargets: [local]\n", ["2: `targets` must be a table of targets, not a list"]),
        ("source: public\ntargets: {local: file:out}\n", ["2: `targets.local` must be a table of settings, not `file:out`"]),
        ("source: public\ntargets: {local: }\n", ["2: `targets.local` must be a table of settings, not nothing"]),
        ("source: public\ntargets: {local: {}}\n", ["2: `targets.local.store` is missing"]),
        (
            "source: public\ntargets: {a b: {store: file:out}}\n",
            ["2: the name of a target is made of letters, digits, `-`, `_` and `.`, unlike `a b`"],
        ),
        ("targets: {local: {store: file:out}}\n", ["1: `source` is missing"]),
        (START + "default_target: lokal\n", ["3: `default_target` is `lokal`, which is not in `targets`, did you mean `local`?"]),
        (START + "default_target: x\n", ["3: `default_target` is `x`, which is not in `targets`, known are `local`"]),
        (START + "region: x\n", ["3: unknown key `region`, it belongs under `targets.NAME`"]),
        (START + "observe: x\n", ["3: unknown key `observe`, known are " + ", ".join(f"`{key}`" for key in TOP.keys)]),
        (START + "cache: {links: follow}\n", ["3: unknown key `links` in `cache`, it belongs at the top level"]),
        (START + "version: 2\nnew: x\n", ["3: `version` must be `1`, not `2`, which this sitepub does not know"]),
        (START + "version: '1'\n", ["3: `version` must be `1`, not `1`: take the quotes away"]),
        (START + "source: x\n", ["3: the key `source` stands twice, first in line 1"]),
        (START + "? [a]\n: b\n", ["3: a key must be text"]),
        (START + "build: !!python/object/apply:os.system [x]\n", None),
        (START + "cache: !!set {assets: no-store}\n", ["3: the tag `!!set` has no meaning here"]),
        (START + "ignore: !x [a]\n", ["3: the tag `!x` has no meaning here"]),
        (START + "build: !secret x\n", ["3: the tag `!secret` has no meaning here"]),
        ("- a\n- b\n", ["1: must be a table of settings, not a list"]),
        ("a\n", ["1: must be a table of settings, not `a`"]),
        ("source: [\n", ["2:1: is not YAML: did not find expected node content"]),
        ("source: a\n\ttargets: b\n", ["2:1: holds a tab, and YAML is indented with spaces"]),
        ("source: a: b\n", ["1:10: is not YAML: mapping values are not allowed in this context"]),
        ("source: a\n---\nsource: b\n", ["2:1: is not YAML: but found another document"]),
        ("source: *a\n", ["1:9: is not YAML: found undefined alias"]),
        ("source: x\nbuild: 'a\x07b'\n", ["2:10: holds a character that YAML does not allow, U+0007"]),
        ("# Größe\nsource: x\nbuild: 'ä\x07b'\n", ["3:10: holds a character that YAML does not allow, U+0007"]),
        ("source: &a [*a]\n", None),
        ("<<: 3\n" + START, ["1: `<<` must name a table or a list of tables"]),
        ("a: " + "[" * 21 + "]" * 21, ["1:23: is nested more than 20 deep"]),
        ("a: " + "[" * 500_000, None),  # newer releases of libyaml have a limit of their own
        ("a: &a 1\nb: [" + "*a, " * 101 + "]\n", ["2:405: uses more than 100 aliases"]),
    ],
)
def test_a_file_that_is_wrong_as_a_whole(text: str, told: list[str] | None) -> None:
    assert fail(text) == told if told is not None else fail(text)


def test_a_bomb_of_aliases_costs_no_more_than_its_size() -> None:
    text = "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}], y{n}: *a{n - 1}}}\n" for n in range(1, 30))
    assert len(fail(text)) == 32


def test_targets_may_share_settings_by_merging() -> None:
    config = parse("""\
        source: public
        targets:
          staging: &shared {store: s3://staging-bucket, region: eu-west-1, domains: [x.org]}
          production: {<<: *shared, store: s3://www-example-com}
        """)
    assert config.targets["production"].region == "eu-west-1"
    assert config.targets["production"].store == BucketAddress("www-example-com")
    assert config.targets["staging"].store == BucketAddress("staging-bucket")


def test_variables_are_replaced_in_text_but_not_in_build() -> None:
    config = parse(
        """\
        source: ${DIR}/$$x$y
        build: echo ${DIR} $$ ${
        targets: {a: {store: "s3://${BUCKET:-www-example-com}/${EMPTY:-p}", profile: "${SECRET}"}}
        fingerprint: {digest_length: "${LENGTH}", aliases: "${ALIASES:-never}", exclude: ["${DIR}/**"]}
        """,
        DIR="out",
        EMPTY="",
        SECRET="${DIR}$$",
        LENGTH="16",
    )
    assert config.source == Path("/site/out/$x$y")
    assert config.build == "echo ${DIR} $$ ${"
    assert config.targets["a"].store == BucketAddress("www-example-com", "p")
    assert config.targets["a"].profile == "${DIR}$$", "what a variable holds is not looked at again"
    assert config.fingerprint.digest_length == 16
    assert config.fingerprint.aliases is Aliases.NEVER
    assert config.fingerprint.exclude == ("out/**",)


@pytest.mark.parametrize("text", ["${", "${}", "${A", "${A B}", "${A-b}", "${A:-${B}}", "${1}"])
def test_a_variable_that_is_not_one_is_told(text: str) -> None:
    assert fail(f"source: '{text}'\ntargets: {{a: {{store: file:out}}}}\n", A="x", B="y") == [
        f"1: `source` has a variable that is not written `${{NAME}}` or `${{NAME:-default}}`: `{text}`"
    ]


def test_what_a_variable_holds_is_never_told() -> None:
    for text in (
        f"{HEAD}    endpoint_url: ${{S}}\n",
        f"{HEAD}    account: ${{S}}\n",
        f"{HEAD}    url: ${{S}}\n",
        f"{HEAD}    domains: ['${{S}}']\n",
        f"{HEAD}    state: ${{S}}\n",
        START + "links: ${S}\n",
        START + "retention: {days: '${S}'}\n",
        START + "redirects: [{from: '${S}', to: '${S}'}]\n",
        START + "cache: {assets: '${S}'}\n",
    ):
        assert all("hunter2" not in row and "${S}" in row for row in fail(text, S="https://me:hunter2@é x\n"))


def test_folders_are_relative_to_the_file_wherever_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sitepub.yaml").write_text("source: a/../public\ntargets: {a: {store: file:../out}}\n")
    (tmp_path / "deep").mkdir()
    monkeypatch.chdir(tmp_path / "deep")
    config = load_config(Path("../sitepub.yaml"), {})
    assert Path(os.path.normpath(config.source)) == tmp_path / "public"
    store = config.targets["a"].store
    assert isinstance(store, FolderAddress)
    assert Path(os.path.normpath(store.path)) == tmp_path.parent / "out"


def test_a_file_of_another_encoding_or_size_is_told(tmp_path: Path) -> None:
    path = tmp_path / "sitepub.yaml"
    path.write_bytes(b"source: public\nbuild: caf\xe9\n")
    with pytest.raises(ConfigurationError, match=r"^sitepub\.yaml:2:11: is not UTF-8: save it in that encoding$"):
        load_config(path, {})
    path.write_bytes(START.encode("utf-16"))
    with pytest.raises(ConfigurationError, match=r"^sitepub\.yaml:1:1: is not UTF-8: save it in that encoding$"):
        load_config(path, {})
    path.write_bytes(b"#" * (1 << 20) + b"\n")
    with pytest.raises(ConfigurationError, match="larger than 1 MiB"):
        load_config(path, {})
    path.write_bytes(b"\xef\xbb\xbf" + START.replace("\n", "\r\n").encode())
    assert load_config(path, {}).source == tmp_path / "public"


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n", "---\n", "null\n", "~"])
def test_an_empty_file_is_told(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^`sitepub\.yaml` is empty$") as caught:
        parse(text)
    assert "sitepub init" in caught.value.hint


def test_the_file_is_searched_upwards(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "sitepub.yaml").touch()
    (tmp_path / "a" / "sitepub.yaml").mkdir()
    assert find_config(inner) == tmp_path / "sitepub.yaml"
    (inner / "sitepub.yaml").touch()
    assert find_config(inner) == inner / "sitepub.yaml"


def test_a_file_that_was_named_is_not_searched(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "other.yaml").touch()
    assert find_config(tmp_path, explicit=Path("other.yaml")) == tmp_path / "other.yaml"
    for named, why in (("other.yaml", "is not there"), ("../a", "is a folder")):
        with pytest.raises(ConfigurationError, match=why) as caught:
            find_config(tmp_path / "a", explicit=Path(named))
        assert caught.value.code == "no-configuration"


def test_without_a_file_the_way_out_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        find_config(tmp_path)
    assert (caught.value.code, caught.value.status) == ("no-configuration", ExitStatus.CONFIGURATION)
    assert caught.value.message == f"no `sitepub.yaml` in `{tmp_path}` or above"
    assert caught.value.hint == "`sitepub init` writes one"
    (tmp_path / "sitepub.yml").touch()
    with pytest.raises(ConfigurationError) as caught:
        find_config(tmp_path)
    assert caught.value.hint == "rename `sitepub.yml` to `sitepub.yaml`"
    with pytest.raises(ConfigurationError) as caught:
        load_config(tmp_path / "sitepub.yaml", {})
    assert caught.value.code == "no-configuration"
    with pytest.raises(ConfigurationError) as caught:
        load_config(tmp_path, {})
    assert caught.value.code == "unreadable-configuration"


def test_the_target_is_the_named_the_default_or_the_only_one() -> None:
    several = "source: public\ntargets: {local: {store: file:a}, production: {store: file:b}}\n"
    assert choose_target(parse(START), None).name == "local"
    assert choose_target(parse(several + "default_target: production"), None).name == "production"
    assert choose_target(parse(several + "default_target: production"), "local").name == "local"
    with pytest.raises(UsageError) as caught:
        choose_target(parse(several), None)
    assert caught.value.message == "`sitepub.yaml` has several targets: `local`, `production`"
    assert caught.value.hint == "name one with `--target`, or set `default_target`"
    with pytest.raises(UsageError) as caught:
        choose_target(parse(several), "prodution")
    assert (caught.value.message, caught.value.hint) == ("`sitepub.yaml` has no target `prodution`", "did you mean `production`?")


SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.dates())
WORDS = st.sampled_from([key for section in SECTIONS for key in section.keys] + ["<<", "local", "x"])
TREES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=6), max_leaves=20)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(WORDS, TREES, max_size=8))
def test_any_tree_of_yaml_is_read_or_told(tree: dict[str, object]) -> None:
    check_text(yaml.safe_dump(tree, allow_unicode=True))


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.sampled_from(list("ab:-[]{}&*!|>'\"%@`?,# \n\t<~${}\\/.0é\x00\u2028\ufeff")), max_size=60), st.booleans())
def test_any_text_is_read_or_told(text: str, is_after_a_start: bool) -> None:
    check_text(START + text if is_after_a_start else text)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(EVERY_SETTING), st.text(max_size=20) | st.from_regex(r"(s3://|file:|https?://|/)[a-z./:@\[\]%-]{0,12}", fullmatch=True)
)
def test_any_text_in_any_setting_is_read_or_told(place: tuple[Section, Setting[object]], value: str) -> None:
    section, setting = place
    root = copy_valid()
    table = find_table(root, section)
    table[setting.key] = [value] if isinstance(table[setting.key], list) else value
    check_text(yaml.safe_dump(root, allow_unicode=True))


def check_text(text: str) -> None:
    try:
        parse_config(text, PATH, {"a": "b"})
    except ConfigurationError as error:
        assert error.code == "invalid-configuration"
        assert all(line.isprintable() for line in error.message.split("\n"))
