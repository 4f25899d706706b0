"""sitepub.yaml as frozen values. config.py makes them; everything that decides reads them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from msgspec import Struct, field


class Aliases(StrEnum):
    """Which assets are published under their plain names too. AUTO: those that something refers to where it can't be rewritten."""

    ALWAYS = "always"
    AUTO = "auto"
    NEVER = "never"


class Modules(StrEnum):
    """How script modules get hashed names. IMPORTMAP: by an import map in each page; PIN: they keep their own."""

    REWRITE = "rewrite"
    IMPORTMAP = "importmap"
    PIN = "pin"


class MissingReferences(StrEnum):
    """What is done about references that lead to no file of the site."""

    WARN = "warn"
    ERROR = "error"
    IGNORE = "ignore"


class UrlStyle(StrEnum):
    """Under which URLs edges hold a folder's page: DIRECTORY also with the slash, FILE by its own name alone, BOTH without the slash too."""

    DIRECTORY = "directory"
    FILE = "file"
    BOTH = "both"


class WhenSpent(StrEnum):
    """What is done where the month's free paths are not enough. WILDCARD: fewer, wider items; DEFER: all of it is owed to a later month."""

    WILDCARD = "wildcard"
    PAY = "pay"
    DEFER = "defer"
    FAIL = "fail"


class Tags(StrEnum):
    """Whether stored copies carry cache tags. AUTO: where the distribution reads them."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class PriceClass(StrEnum):
    """As CloudFront calls them: all edges, all but the dearest, the cheapest (North America, Europe, Israel)."""

    ALL = "PriceClass_All"
    MOST = "PriceClass_200"
    CHEAPEST = "PriceClass_100"


class Links(StrEnum):
    """What is done about symbolic links that lead out of the source."""

    REFUSE = "refuse"
    FOLLOW = "follow"


class FolderAddress(Struct, frozen=True):
    """`file:PATH`, made absolute."""

    path: Path

    def __str__(self) -> str:
        return f"file:{self.path}"


class BucketAddress(Struct, frozen=True):
    """`s3://bucket[/prefix]`; the prefix has no slash at either end."""

    bucket: str
    prefix: str = ""

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}" if self.prefix else f"s3://{self.bucket}"


StoreAddress = FolderAddress | BucketAddress


class Preview(Struct, frozen=True):
    """What makes a target a preview of target `of`: it is `name`d, and lives for `days`. `home_path` and `home_domains`: where visitors find the site
    itself, so that what leads there is known."""

    name: str
    of: str
    days: int
    home_path: str = "/"
    home_domains: tuple[str, ...] = ()


class Target(Struct, frozen=True):
    """Where one copy of the site lives. `url` is the full URL or the path that the setting gives; `url_path` starts and ends with `/`."""

    name: str
    store: StoreAddress
    region: str | None = None
    endpoint_url: str | None = None
    cdn_endpoint_url: str | None = None
    profile: str | None = None
    distribution: str | None = None  # an id, "none", or absent
    account: str | None = None
    url: str = "/"
    url_path: str = "/"
    domains: tuple[str, ...] = ()
    branch: str | None = None
    state: StoreAddress | None = None
    ledger: StoreAddress | None = None
    url_style: UrlStyle = UrlStyle.DIRECTORY
    distribution_config: Path | None = None
    price_class: PriceClass = PriceClass.ALL
    certificate: str | None = None  # an ARN
    zone: str | None = None  # an id, a name, "none", or absent
    preview: Preview | None = None


class Fingerprint(Struct, frozen=True):
    """`digest_length`: hex characters in a name. `exclude`, `include`, `frozen`: gitignore patterns on source paths."""

    digest_length: int = 12
    exclude: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    aliases: Aliases = Aliases.ALWAYS
    modules: Modules = Modules.REWRITE
    frozen: tuple[str, ...] = ()
    missing_references: MissingReferences = MissingReferences.WARN


class Cache(Struct, frozen=True):
    """Cache-Control by kind. `entries` is None where the setting is absent: then it depends on whether a distribution serves."""

    assets: str = "public, max-age=31536000, immutable"
    entries: str | None = None
    errors: str = "public, max-age=0, s-maxage=10"
    aliases: str = "public, max-age=60, s-maxage=60"


ENTRIES_BEHIND_DISTRIBUTION = "public, max-age=0, s-maxage=86400, must-revalidate"
ENTRIES_WITHOUT_DISTRIBUTION = "public, max-age=0, must-revalidate"


class HeaderRule(Struct, frozen=True):
    """`match` is a gitignore pattern on source paths; `set` in canonical header names. `line` is where sitepub.yaml says it, or `origin`."""

    match: str
    set: tuple[tuple[str, str], ...]
    line: int = 0
    origin: str = ""


class Redirect(Struct, frozen=True):
    """`source` and `to` as written (`from:` and `to:`) in sitepub.yaml, or in `origin`."""

    source: str
    to: str
    status: int = 301
    line: int = 0
    origin: str = ""


class Invalidation(Struct, frozen=True):
    """`free_paths`: a month's, of the whole account."""

    free_paths: int = 1000
    when_spent: WhenSpent = WhenSpent.WILDCARD
    tags: Tags = Tags.AUTO


class Retention(Struct, frozen=True):
    """`gc` keeps the newest `releases`, and all that were live in the last `days`."""

    releases: int = 10
    days: int = 30


class Previews(Struct, frozen=True):
    """Where previews stand: each in a folder of its own below `prefix` in the store of `target` (None: of the one that is previewed). `url` holds
    `{name}`; None: the folder's, below that target's own."""

    target: str | None = None
    prefix: str = "previews"
    url: str | None = None
    days: int = 14


class Config(Struct, frozen=True):
    """The whole of sitepub.yaml; paths are absolute. `path` is the file itself; `watch`: what `source` is built from; `executor`: `processes`, `threads`
    or `dask://HOST:PORT`."""

    path: Path
    source: Path
    targets: Mapping[str, Target]
    version: int = 1
    build: str | None = None
    default_target: str | None = None
    fingerprint: Fingerprint = field(default_factory=Fingerprint)
    cache: Cache = field(default_factory=Cache)
    headers: tuple[HeaderRule, ...] = ()
    redirects: tuple[Redirect, ...] = ()
    invalidation: Invalidation = field(default_factory=Invalidation)
    retention: Retention = field(default_factory=Retention)
    previews: Previews = field(default_factory=Previews)
    ignore: tuple[str, ...] = ("**/.DS_Store",)
    allow: tuple[str, ...] = ()
    links: Links = Links.REFUSE
    watch: tuple[Path, ...] = ()
    executor: str = "processes"
